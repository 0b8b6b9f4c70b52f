#include "outer_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page_size.h"

/* A buffer that once held more than this is given back when it is wiped. */
#define OUTER_KEPT_BYTES ((size_t)256 << 10)

void *outer_alloc(size_t size_bytes)
{
    void *memory = mmap(NULL, page_round_up(size_bytes), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void outer_free(void *memory, size_t size_bytes)
{
    if (memory != NULL) munmap(memory, page_round_up(size_bytes));
}

static size_t buffer_capacity(size_t wanted_bytes)
{
    size_t capacity = (size_t)64 << 10;
    while (capacity < wanted_bytes)
        capacity *= 2;
    return capacity;
}

bool outer_buffer_reserve(outer_buffer *buffer, size_t size_bytes)
{
    if (size_bytes > buffer->capacity_bytes) {
        if (size_bytes > SIZE_MAX / 4) return false;
        size_t capacity = buffer_capacity(size_bytes);
        unsigned char *data = outer_alloc(capacity);
        if (data == NULL) return false;
        if (buffer->used_bytes > 0) memcpy(data, buffer->data, buffer->used_bytes);
        outer_free(buffer->data, buffer->capacity_bytes);
        buffer->data = data;
        buffer->capacity_bytes = capacity;
    }
    if (size_bytes > buffer->used_bytes) buffer->used_bytes = size_bytes;
    return true;
}

void outer_buffer_wipe(outer_buffer *buffer)
{
    if (buffer->used_bytes > OUTER_KEPT_BYTES)
        outer_buffer_release(buffer);
    else if (buffer->used_bytes > 0)
        explicit_bzero(buffer->data, buffer->used_bytes);
    buffer->used_bytes = 0;
}

void outer_buffer_release(outer_buffer *buffer)
{
    outer_free(buffer->data, buffer->capacity_bytes);
    *buffer = (outer_buffer){0};
}
