/* Zstandard of whole data, for the engine's node:zlib: this component alone uses the library.
 * Internal. Thread: any, for each work. */
#ifndef SNAPCELL_ZSTD_DATA_H
#define SNAPCELL_ZSTD_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZSTD_DATA_SIZE_UNKNOWN UINT64_MAX

typedef struct zstd_data_parameter {
    int32_t key; /* a ZSTD_cParameter or ZSTD_dParameter */
    int32_t value;
} zstd_data_parameter;

/* Takes what came out, or 0 bytes from time to time. False: nothing more is wanted. */
typedef bool zstd_data_take_fn(void *user, const uint8_t *bytes, size_t size_bytes);

typedef struct zstd_data_work {
    const uint8_t *bytes; /* not NULL */
    size_t size_bytes;
    const zstd_data_parameter *parameters;
    size_t parameter_count;
    const uint8_t *dictionary; /* NULL: none */
    size_t dictionary_size_bytes;
    uint64_t announced_size_bytes; /* to compress: what the frame's header says */
    uint32_t end;                  /* to compress: a ZSTD_EndDirective, at the end of the data */
    /* To compress: where in the data all that came before is to be out, in ascending order. */
    const uint32_t *flushes; /* NULL: none */
    size_t flush_count;
    bool is_open;         /* to compress: more will follow, so that `end` does not come yet */
    bool takes_one_frame; /* to decompress: no second one */
    /* The library's memory, `memory` being their first argument. NULL: malloc() and free(). */
    void *(*allocate)(void *memory, size_t size_bytes);
    void (*release)(void *memory, void *address);
    void *memory;
    zstd_data_take_fn *take;
    void *user;
} zstd_data_work;

typedef enum zstd_data_status {
    ZSTD_DATA_DONE = 0,
    ZSTD_DATA_STOPPED, /* by `take` */
    ZSTD_DATA_NO_MEMORY,
    ZSTD_DATA_BAD_PARAMETER,
    ZSTD_DATA_FAILED, /* `*number`: the library's number for it, a ZSTD_ErrorCode */
} zstd_data_status;

/* `*number` is set with ZSTD_DATA_FAILED. */
zstd_data_status zstd_data_compress(const zstd_data_work *work, int *number);

/* A frame that ends too early is no failure: what there is comes out. What follows the last frame
 * is ignored. */
zstd_data_status zstd_data_decompress(const zstd_data_work *work, int *number);

/* What the library says of its number. Borrowed forever. */
const char *zstd_data_text(int number);

#ifdef __cplusplus
}
#endif

#endif
