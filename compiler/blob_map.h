/* Which part of a V8 snapshot an offset is in, for people. Internal to the compiler. */
#ifndef SNAPCELL_BLOB_MAP_H
#define SNAPCELL_BLOB_MAP_H

#include <stddef.h>
#include <stdint.h>

#define BLOB_MAP_CHECKSUMS_END 16

/* A clause as "V8's read-only heap"; "the snapshot" when its header is not as expected. */
const char *blob_map_part(const void *blob, size_t size_bytes, uint64_t offset);

#endif
