#include "compile_key.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "artifact_writer.h"
#include "cleanup.h"
#include "engine.h"
#include "error_set.h"
#include "format_version.h"
#include "wire.h"

/* To be raised when the same inputs begin to give other bytes while engine and format stay. */
#define COMPILE_REVISION 4

static_assert(sizeof(XXH128_canonical_t) == sizeof(snapcell_key), "a key is a canonical XXH3-128");

static void key_put_request(wire_writer *writer, const snapcell_request *request)
{
    wire_put_text(writer, compile_request_method(request));
    wire_put_text(writer, compile_request_url(request));
    wire_put_u64(writer, request->header_count);
    for (size_t i = 0; i < request->header_count; i++) {
        wire_put_text(writer, request->headers[i].name);
        wire_put_text(writer, request->headers[i].value);
    }
    wire_put_u8(writer, request->body != NULL);
    if (request->body != NULL) wire_put_bytes(writer, request->body, request->body_size_bytes);
}

/* Kept apart from the bundle's hash, because a map next to the bundle is not part of its bytes. */
static void key_put_source_map(wire_writer *writer, const bundle_file *bundle)
{
    XXH128_canonical_t canonical = {{0}};
    if (bundle->source_map != NULL)
        XXH128_canonicalFromHash(&canonical,
                                 XXH3_128bits(bundle->source_map, bundle->source_map_size_bytes));
    wire_put_u8(writer, bundle->source_map != NULL);
    wire_put_raw(writer, canonical.digest, sizeof(canonical.digest));
}

static void key_put_recipe(wire_writer *writer, const compile_recipe *recipe)
{
    wire_put_text(writer, recipe->name);
    wire_put_u32(writer, recipe->format);
    wire_put_u32(writer, recipe->shape);
    wire_put_u32(writer, (uint32_t)recipe->level);
    wire_put_u8(writer, recipe->raw);
    wire_put_u8(writer, recipe->entropy_allowed);
    wire_put_u32(writer, recipe->raw ? 0 : artifact_compressor_version());
    wire_put_u64(writer, recipe->warm_count);
    for (size_t i = 0; i < recipe->warm_count; i++)
        key_put_request(writer, &recipe->warm[i]);
    snapcell_fingerprint host = snapcell_host_fingerprint(recipe->host);
    wire_put_raw(writer, host.bytes, sizeof(host.bytes));
    if (recipe->unevaluated) wire_put_text(writer, "unevaluated");
    if (recipe->prelude_length > 0) wire_put_u32(writer, recipe->prelude_length);
}

int compile_key(const bundle_file *bundle, const compile_recipe *recipe, snapcell_key *out,
                snapcell_error *err)
{
    cleanup_writer wire_writer writer = {0};
    snapcell_fingerprint engine = engine_fingerprint();
    wire_put_text(&writer, "snapcell key");
    wire_put_u32(&writer, COMPILE_REVISION);
    wire_put_u32(&writer, SNAPCELL_FORMAT_VERSION);
    wire_put_raw(&writer, engine.bytes, sizeof(engine.bytes));
    wire_put_raw(&writer, bundle->hash, sizeof(bundle->hash));
    key_put_source_map(&writer, bundle);
    wire_put_text(&writer, bundle->file_name);
    key_put_recipe(&writer, recipe);
    if (writer.failed) return error_set(err, SNAPCELL_E_NOMEM, "no memory to compute a key");

    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(writer.data, writer.size_bytes));
    memcpy(out->bytes, canonical.digest, sizeof(out->bytes));
    return SNAPCELL_OK;
}
