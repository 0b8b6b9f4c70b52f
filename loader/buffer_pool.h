/* Memory that blobs are decoded into, kept for the next load: memory fresh from the kernel costs a
 * page fault for every 4 KiB, which is more than decoding itself. Internal to the loader. */
#ifndef SNAPCELL_BUFFER_POOL_H
#define SNAPCELL_BUFFER_POOL_H

#include <stddef.h>

#include <pthread.h>

#define BUFFER_POOL_COUNT_MAX 128
#define BUFFER_POOL_ALIGNMENT 64
#define BUFFER_POOL_STEP ((size_t)64 << 10) /* what is smaller comes from malloc(), is not kept */

/* Room for bytes. After the first `written_size_bytes` it is zero. */
typedef struct pool_buffer {
    void *data; /* aligned to BUFFER_POOL_ALIGNMENT; NULL: no buffer */
    size_t capacity_bytes;
    size_t written_size_bytes;
} pool_buffer;

typedef struct buffer_pool {
    pthread_mutex_t mutex;
    size_t kept_size_bytes_max;
    size_t kept_size_bytes;
    unsigned count;
    pool_buffer kept[BUFFER_POOL_COUNT_MAX]; /* the one given back last is the last */
} buffer_pool;

/* `kept_size_bytes_max`: 0 keeps nothing. Thread: any, once. */
void buffer_pool_init(buffer_pool *pool, size_t kept_size_bytes_max);

/* Touches so much memory ahead, for the buffers that are made next in this process. Thread: any. */
void buffer_pool_make_ready(size_t size_bytes);
/* Gives back what of it no buffer was made of. Thread: any. */
void buffer_pool_end_ready(void);

/* Every buffer must have been given back. Thread: any, once. */
void buffer_pool_release(buffer_pool *pool);

/* Frees what is kept. Thread: any. */
void buffer_pool_trim(buffer_pool *pool);

/* Room for `size_bytes`, with bytes of an earlier user in it: pool_buffer_prepare() comes first.
 * Returns 0, or -1 when memory is short; `*out` is zeroed then. Thread: any. */
int buffer_pool_take(buffer_pool *pool, size_t size_bytes, pool_buffer *out);

/* Gives a buffer back and zeroes `*buffer`; a zeroed one is allowed. Thread: any. */
void buffer_pool_give(buffer_pool *pool, pool_buffer *buffer);

/* To be called before exactly the first `size_bytes` are written: what follows them is zero
 * afterwards. */
void pool_buffer_prepare(pool_buffer *buffer, size_t size_bytes);

#endif
