// The engine's fingerprint: everything on this side that an artifact is bound to.
#include <cstring>
#include <string>

#include <xxhash.h>

#include "engine.h"
#include "platform.h"
#include "web/web.h"

// To be raised when the engine's own part of a snapshot changes: the layout of the external
// reference table, the context's embedder data, or how a handler is found in a blob.
static const char kSnapshotLayout[] = "layout 2";

extern "C" snapcell_fingerprint engine_fingerprint(void)
{
    std::string text;
    for (const char *part :
         {kSnapshotLayout, engine_v8_version(), SNAPCELL_V8_SHA256, engine_architecture(),
          engine_v8_flags(), snapcell::kSnapshotFlags, snapcell::WebFingerprint()}) {
        text += part;
        text += '\n';
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data(), text.size()));
    snapcell_fingerprint fingerprint;
    static_assert(sizeof fingerprint.bytes == sizeof canonical.digest);
    memcpy(fingerprint.bytes, canonical.digest, sizeof canonical.digest);
    return fingerprint;
}
