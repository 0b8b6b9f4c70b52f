#include "outer_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page_size.h"

/* What a buffer took above this is given back when it is wiped. */
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

bool outer_buffer_init(outer_buffer *buffer, size_t capacity_bytes)
{
    *buffer = (outer_buffer){.data = outer_alloc(capacity_bytes), .capacity_bytes = capacity_bytes};
    return buffer->data != NULL;
}

bool outer_buffer_use(outer_buffer *buffer, size_t size_bytes)
{
    if (size_bytes > buffer->capacity_bytes) return false;
    if (size_bytes > buffer->used_bytes) buffer->used_bytes = size_bytes;
    return true;
}

void outer_buffer_wipe(outer_buffer *buffer)
{
    size_t kept = buffer->used_bytes < OUTER_KEPT_BYTES ? buffer->used_bytes : OUTER_KEPT_BYTES;
    size_t rest = page_round_up(buffer->used_bytes) - kept;
    if (kept > 0) explicit_bzero(buffer->data, kept);
    if (buffer->used_bytes > kept && madvise(buffer->data + kept, rest, MADV_REMOVE) != 0)
        explicit_bzero(buffer->data + kept, buffer->used_bytes - kept);
    buffer->used_bytes = 0;
}

void outer_buffer_release(outer_buffer *buffer)
{
    outer_free(buffer->data, buffer->capacity_bytes);
    *buffer = (outer_buffer){0};
}
