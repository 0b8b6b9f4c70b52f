// The engine's fingerprint: everything on this side that an artifact is bound to.
#include <cstring>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "base_blob.h"
#include "engine.h"
#include "platform.h"
#include "web/web.h"

// To be raised when the engine's own part of a snapshot changes: the layout of the external
// reference table, the context's embedder data, or how a handler is found in a blob.
static const char kSnapshotLayout[] = "layout 10";

extern "C" const void *engine_base_blob(size_t *size_bytes)
{
    *size_bytes = static_cast<size_t>(engine_base_blob_end - engine_base_blob_begin);
    return engine_base_blob_begin;
}

// Hashed once: the base blob is hundreds of kilobytes.
static snapcell_fingerprint ComputeFingerprint()
{
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_128bits_reset(&state);
    for (const char *part :
         {kSnapshotLayout, engine_v8_version(), SNAPCELL_V8_SHA256, engine_architecture(),
          engine_v8_flags(), snapcell::kSnapshotFlags, snapcell::WebFingerprint()})
        XXH3_128bits_update(&state, part, strlen(part) + 1);
    size_t base_size;
    const void *base = engine_base_blob(&base_size);
    XXH3_128bits_update(&state, base, base_size);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    snapcell_fingerprint fingerprint;
    static_assert(sizeof(fingerprint.bytes) == sizeof(canonical.digest));
    memcpy(fingerprint.bytes, canonical.digest, sizeof(canonical.digest));
    return fingerprint;
}

extern "C" snapcell_fingerprint engine_fingerprint(void)
{
    static const snapcell_fingerprint fingerprint = ComputeFingerprint();
    return fingerprint;
}
