/* The engine's base blob: the snapshot of the smallest function, made when the engine is built and
 * kept in it.
 *
 * Most of a small function's snapshot is V8's own heap. Compressed with the base blob as its
 * prefix, an artifact holds little more than what the function adds. Internal to the engine. */
#ifndef SNAPCELL_BASE_BLOB_H
#define SNAPCELL_BASE_BLOB_H

#include <stddef.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Embedded by base_blob.S; of no bytes in the program that makes it. */
extern const unsigned char engine_base_blob_begin[];
extern const unsigned char engine_base_blob_end[];
/* Of the first of its two snapshots. */
extern const uint64_t engine_base_blob_first_size;

#ifdef __cplusplus
}
#endif
#endif
