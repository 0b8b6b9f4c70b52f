#include "bench_subject.h"

#include "error_set.h"

uint64_t bench_hash(const void *bytes, size_t size_bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size_bytes; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

int bench_check_response(const snapcell_response *response, uint64_t *hash, snapcell_error *err)
{
    int status = snapcell_response_status(response);
    if (status < 200 || status > 299)
        return error_set(err, SNAPCELL_E_SCRIPT,
                         "a response with status 200 to 299 was expected, the function answered "
                         "%d; choose another --url",
                         status);
    size_t size_bytes;
    const void *body = snapcell_response_body(response, &size_bytes);
    *hash = bench_hash(body, size_bytes);
    return SNAPCELL_OK;
}

int bench_spec_text(const json_t *spec, const char *name, const char **out, snapcell_error *err)
{
    *out = json_string_value(json_object_get(spec, name));
    if (*out) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "the child's spec has no text '%s'", name);
}
