#include "buffer_pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older kernels refuse it, which costs faults only */
#endif

void buffer_pool_init(buffer_pool *pool, size_t kept_size_bytes_max)
{
    memset(pool, 0, sizeof(*pool));
    pthread_mutex_init(&pool->mutex, NULL);
    pool->kept_size_bytes_max = kept_size_bytes_max;
}

/* --- The memory --- */

/* Sizes that are near each other share one capacity, an eighth apart, so that functions of about
 * the same size use each other's buffers. */
static size_t buffer_capacity(size_t size_bytes)
{
    size_t step = BUFFER_POOL_ALIGNMENT;
    if (size_bytes >= BUFFER_POOL_STEP) {
        step = BUFFER_POOL_STEP;
        while (step < size_bytes / 8)
            step *= 2;
    }
    size_t steps = (size_bytes + (step - 1)) / step;
    return (steps > 0 ? steps : 1) * step;
}

/* What was touched ahead: of the process, since it is there before any pool is. */
static struct {
    pthread_mutex_t mutex;
    char *data;
    size_t size_bytes;
} ready = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *buffer_map(size_t size_bytes)
{
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    /* cppcheck-suppress invalidFunctionArg ; an anonymous map takes -1 */
    void *data = mmap(NULL, size_bytes, protection, flags, -1, 0);
    return data != MAP_FAILED ? data : NULL;
}

/* NULL: there is not so much. */
static void *buffer_take_ready(size_t size_bytes)
{
    void *data = NULL;
    pthread_mutex_lock(&ready.mutex);
    if (ready.size_bytes >= size_bytes) {
        data = ready.data;
        ready.data += size_bytes;
        ready.size_bytes -= size_bytes;
    }
    pthread_mutex_unlock(&ready.mutex);
    return data;
}

void buffer_pool_end_ready(void)
{
    pthread_mutex_lock(&ready.mutex);
    if (ready.size_bytes > 0) munmap(ready.data, ready.size_bytes);
    ready.data = NULL;
    ready.size_bytes = 0;
    pthread_mutex_unlock(&ready.mutex);
}

void buffer_pool_make_ready(size_t size_bytes)
{
    buffer_pool_end_ready();
    char *data = buffer_map(size_bytes);
    if (data == NULL) return;
    (void)madvise(data, size_bytes, MADV_POPULATE_WRITE);
    pthread_mutex_lock(&ready.mutex);
    ready.data = data;
    ready.size_bytes = size_bytes;
    pthread_mutex_unlock(&ready.mutex);
}

static int buffer_allocate(size_t capacity_bytes, pool_buffer *out)
{
    if (capacity_bytes < BUFFER_POOL_STEP) {
        void *data = aligned_alloc(BUFFER_POOL_ALIGNMENT, capacity_bytes);
        if (data == NULL) return -1;
        *out = (pool_buffer){data, capacity_bytes, capacity_bytes}; /* whatever malloc() left */
        return 0;
    }
    void *data = buffer_take_ready(capacity_bytes);
    if (data == NULL) data = buffer_map(capacity_bytes);
    if (data == NULL) return -1;
    *out = (pool_buffer){data, capacity_bytes, 0};
    return 0;
}

static void buffer_free(pool_buffer *buffer)
{
    if (buffer->capacity_bytes < BUFFER_POOL_STEP)
        free(buffer->data);
    else
        munmap(buffer->data, buffer->capacity_bytes);
    *buffer = (pool_buffer){0};
}

void buffer_pool_trim(buffer_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->count > 0)
        buffer_free(&pool->kept[--pool->count]);
    pool->kept_size_bytes = 0;
    pthread_mutex_unlock(&pool->mutex);
}

void buffer_pool_release(buffer_pool *pool)
{
    buffer_pool_trim(pool);
    pthread_mutex_destroy(&pool->mutex);
}

/* --- Taking and giving --- */

static void buffer_pool_remove(buffer_pool *pool, unsigned index)
{
    pool->kept_size_bytes -= pool->kept[index].capacity_bytes;
    pool->count--;
    memmove(&pool->kept[index], &pool->kept[index + 1],
            (pool->count - index) * sizeof(pool->kept[0]));
}

int buffer_pool_take(buffer_pool *pool, size_t size_bytes, pool_buffer *out)
{
    size_t capacity_bytes = buffer_capacity(size_bytes);
    *out = (pool_buffer){0};
    if (capacity_bytes < size_bytes) return -1;
    if (capacity_bytes >= BUFFER_POOL_STEP) {
        pthread_mutex_lock(&pool->mutex);
        /* What was given back last is the likeliest to be in the processor's caches. */
        for (unsigned i = pool->count; i > 0 && out->data == NULL; i--) {
            if (pool->kept[i - 1].capacity_bytes != capacity_bytes) continue;
            *out = pool->kept[i - 1];
            buffer_pool_remove(pool, i - 1);
        }
        pthread_mutex_unlock(&pool->mutex);
    }
    return out->data != NULL ? 0 : buffer_allocate(capacity_bytes, out);
}

/* Takes out the buffer that waited longest, when one more would be too many or too much. */
static pool_buffer buffer_pool_evict(buffer_pool *pool, size_t needed_bytes)
{
    pool_buffer evicted = {0};
    if (pool->count > 0 && (pool->count == BUFFER_POOL_COUNT_MAX ||
                            pool->kept_size_bytes > pool->kept_size_bytes_max - needed_bytes)) {
        evicted = pool->kept[0];
        buffer_pool_remove(pool, 0);
    }
    return evicted;
}

void buffer_pool_give(buffer_pool *pool, pool_buffer *buffer)
{
    pool_buffer given = *buffer;
    *buffer = (pool_buffer){0};
    if (given.data == NULL) return;
    size_t size = given.capacity_bytes;
    if (size < BUFFER_POOL_STEP || size > pool->kept_size_bytes_max) {
        buffer_free(&given);
        return;
    }
    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        pool_buffer evicted = buffer_pool_evict(pool, size);
        if (evicted.data == NULL) {
            pool->kept[pool->count++] = given;
            pool->kept_size_bytes += size;
        }
        pthread_mutex_unlock(&pool->mutex);
        if (evicted.data == NULL) return;
        buffer_free(&evicted); /* outside of the lock: unmapping takes its time */
    }
}

void pool_buffer_prepare(pool_buffer *buffer, size_t size_bytes)
{
    /* All pages with one call, where each would be a fault; a failure only means those faults. */
    if (buffer->written_size_bytes == 0 && buffer->capacity_bytes >= BUFFER_POOL_STEP)
        (void)madvise(buffer->data, size_bytes, MADV_POPULATE_WRITE);
    if (buffer->written_size_bytes > size_bytes)
        memset((char *)buffer->data + size_bytes, 0, buffer->written_size_bytes - size_bytes);
    buffer->written_size_bytes = size_bytes;
}
