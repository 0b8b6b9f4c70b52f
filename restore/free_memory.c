#include "free_memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page_size.h"

/* Chunks of such sizes are kept apart by malloc() in bins of one size each. */
#define FREE_SMALL_MAX 2056
#define FREE_SMALL_STEP 16
#define FREE_SIZE_MIN 24
/* Free chunks below this size are held. */
#define FREE_HELD_MAX ((size_t)64 << 10)

typedef struct free_chunk {
    struct free_chunk *next;
} free_chunk;

/* Takes all free chunks of a size or somewhat more. What malloc() cuts from the end of its memory
 * was in no bin. */
static free_chunk *take_chunks(free_chunk *taken, size_t size, uintptr_t end)
{
    for (;;) {
        free_chunk *chunk = malloc(size);
        if (chunk == NULL) return taken;
        bool is_cut = (uintptr_t)chunk >= end;
        /* A large one becomes a part of the end again, a small one does not. */
        if (!is_cut || size <= FREE_SMALL_MAX) memset(chunk, 0, malloc_usable_size(chunk));
        if (is_cut) {
            free(chunk);
            return taken;
        }
        chunk->next = taken;
        taken = chunk;
    }
}

/* All of a small bin: its chunks are so large, and 8 bytes that malloc() keeps. */
static size_t next_size(size_t size)
{
    if (size <= FREE_SMALL_MAX) return size - FREE_SMALL_STEP;
    size -= size / 16;
    return size > FREE_SMALL_MAX ? size : FREE_SMALL_MAX;
}

/* The end of malloc()'s memory, from which nothing was cut since: what was there before goes back,
 * but not all of it, which was never touched, is to be written. */
static void clear_top(uintptr_t start, uintptr_t end)
{
    start += sizeof(max_align_t); /* malloc() keeps its size there */
    uintptr_t whole = page_round_up(start);
    if (whole >= end) return;
    memset((void *)start, 0, whole - start);
    madvise((void *)whole, page_of(end) - whole, MADV_DONTNEED);
}

/* Pieces that are kept from malloc(): part of what is restored, as they are. */
static free_chunk *held;

void free_memory_release(void)
{
    while (held != NULL) {
        free_chunk *next = held->next;
        held->next = NULL;
        free(held);
        held = next;
    }
}

/* What is large is of use to calls, and does not scatter what they write. */
static void hold_or_free(free_chunk *chunk)
{
    if (malloc_usable_size(chunk) < FREE_HELD_MAX) {
        chunk->next = held;
        held = chunk;
    } else {
        chunk->next = NULL;
        free(chunk);
    }
}

/* The largest first, so that none is broken for a smaller one. */
void free_memory_hold(void)
{
    free_memory_release();
    const struct mallinfo2 info = mallinfo2();
    const uintptr_t end = (uintptr_t)sbrk(0);
    const uintptr_t top = end - info.keepcost;
    size_t size = info.fordblks - info.keepcost;
    if (size > info.keepcost / 2) size = info.keepcost / 2; /* the break is to stay */
    free_chunk *taken = NULL;
    for (; size >= FREE_SIZE_MIN; size = next_size(size))
        taken = take_chunks(taken, size, top);
    while (taken != NULL) {
        free_chunk *next = taken->next;
        hold_or_free(taken);
        taken = next;
    }
    clear_top(end - mallinfo2().keepcost, end);
}

void free_stack_clear(void *top, size_t size_bytes)
{
    uintptr_t end = (uintptr_t)top;
    uintptr_t start = page_of(end - size_bytes);
    memset((void *)page_of(end), 0, end - page_of(end));
    madvise((void *)start, page_of(end) - start, MADV_DONTNEED);
}
