#include "blob_map.h"

#include <string.h>

/* As V8's src/snapshot/snapshot.cc lays it out: number of contexts, rehashability, two checksums, a
 * version of 64 bytes, then the offsets of the read-only heap, of the shared heap and of each
 * context. The startup heap follows. */
#define OFFSET_OFFSETS 80

static uint32_t read_u32(const uint8_t *blob, size_t offset)
{
    uint32_t value;
    memcpy(&value, blob + offset, sizeof(value));
    return value;
}

const char *blob_map_part(const void *blob, size_t size_bytes, uint64_t offset)
{
    static const char unknown[] = "the snapshot";
    const uint8_t *bytes = blob;
    if (size_bytes < OFFSET_OFFSETS + 12) return unknown;
    uint64_t header_end = OFFSET_OFFSETS + 8 + 4 * (uint64_t)read_u32(bytes, 0);
    uint64_t read_only = read_u32(bytes, OFFSET_OFFSETS);
    uint64_t shared = read_u32(bytes, OFFSET_OFFSETS + 4);
    uint64_t context = read_u32(bytes, OFFSET_OFFSETS + 8);
    if (header_end > read_only || read_only > shared || shared > context || context > size_bytes)
        return unknown;
    if (offset < header_end) return "the header of V8's snapshot";
    if (offset < read_only) return "V8's startup heap (code, strings, what contexts share)";
    if (offset < shared) return "V8's read-only heap";
    if (offset < context) return "V8's shared heap";
    return "the context (the function's own objects)";
}
