/* Mappings as they were: what came since is unmapped, what is missing or replaced is mapped, and
 * protections are set. */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "page_size.h"

/* A piece of the address space within which neither of the two lists changes. NULL: not mapped. */
typedef struct repair_piece {
    uintptr_t start;
    uintptr_t end;
    const memory_mapping *then;
    const memory_mapping *now;
} repair_piece;

typedef struct repair_walk {
    const checkpoint *cp;
    int then_at;
    int now_at;
    uintptr_t at;
} repair_walk;

/* The mapping of a list at or after an address; `*index` only moves on. */
static const memory_mapping *repair_seek(const memory_mapping *list, int count, int *index,
                                         uintptr_t at)
{
    while (*index < count && list[*index].end <= at)
        ++*index;
    return *index < count ? &list[*index] : NULL;
}

static uintptr_t repair_border(const memory_mapping *mapping, uintptr_t at, uintptr_t end)
{
    if (mapping == NULL) return end;
    uintptr_t border = mapping->start > at ? mapping->start : mapping->end;
    return border < end ? border : end;
}

static bool repair_next(repair_walk *walk, repair_piece *out)
{
    const checkpoint *cp = walk->cp;
    const memory_mapping *then = repair_seek(cp->then, cp->then_count, &walk->then_at, walk->at);
    const memory_mapping *now = repair_seek(cp->now, cp->now_count, &walk->now_at, walk->at);
    if (then == NULL && now == NULL) return false;
    uintptr_t end = repair_border(then, walk->at, UINTPTR_MAX);
    end = repair_border(now, walk->at, end);
    *out = (repair_piece){walk->at, end, then != NULL && then->start <= walk->at ? then : NULL,
                          now != NULL && now->start <= walk->at ? now : NULL};
    walk->at = end;
    return true;
}

static bool repair_is_same_thing(const memory_mapping *a, const memory_mapping *b)
{
    return a->inode == b->inode && a->is_private == b->is_private && a->is_special == b->is_special;
}

static const checkpoint_span *repair_span_at(const checkpoint *cp, uintptr_t address)
{
    for (uint32_t i = 0; i < cp->span_count; i++)
        if (cp->spans[i].start <= address && address < cp->spans[i].end) return &cp->spans[i];
    return NULL;
}

static bool repair_map(void *start, size_t size, int protection, int fd, uint64_t offset)
{
    int flags = MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS | MAP_NORESERVE : 0);
    return mmap(start, size, protection, flags, fd, (off_t)offset) == start;
}

/* Maps [start, end), which is missing or something else now, as the span has it. */
static bool repair_map_span(const checkpoint *cp, const checkpoint_span *span, uintptr_t start,
                            uintptr_t end)
{
    int file = cp->files[cp->taken - 1];
    while (start < end) {
        const checkpoint_region *region = checkpoint_region_at(cp, span, start);
        uintptr_t part_end = end < region->end ? end : region->end;
        bool has_bytes = region->source != NULL;
        if (!repair_map((void *)start, part_end - start, span->protection, has_bytes ? file : -1,
                        has_bytes ? region->file_offset + (start - region->start) : 0))
            return false;
        start = part_end;
    }
    return true;
}

/* Only what the checkpoint has the bytes of, or what had none, can be mapped again. */
static bool repair_map_again(const checkpoint *cp, const repair_piece *piece)
{
    const checkpoint_span *span = repair_span_at(cp, piece->start);
    if (span != NULL) return repair_map_span(cp, span, piece->start, piece->end);
    if (!piece->then->is_private || piece->then->inode != 0 || piece->then->is_special ||
        piece->then->protection != PROT_NONE)
        return false;
    return repair_map((void *)piece->start, piece->end - piece->start, PROT_NONE, -1, 0);
}

/* A range that nobody could write may have bytes that only it has: of code, or of tables that were
 * relocated. If it is writable now, or closed, they may be altered, or gone. */
static bool repair_protect(const repair_piece *piece)
{
    void *start = (void *)piece->start;
    size_t size = piece->end - piece->start;
    bool was_closed = piece->then->protection == PROT_NONE;
    bool was_writable = (piece->then->protection & PROT_WRITE) != 0;
    if (!was_closed && !was_writable) return false;
    if (was_closed && (piece->then->inode != 0 || madvise(start, size, MADV_DONTNEED) != 0))
        return false;
    return mprotect(start, size, piece->then->protection) == 0;
}

static bool repair_piece_of(const checkpoint *cp, const repair_piece *piece)
{
    if (piece->then == NULL)
        return piece->now == NULL || (!piece->now->is_special &&
                                      munmap((void *)piece->start, piece->end - piece->start) == 0);
    if (piece->now == NULL || !repair_is_same_thing(piece->then, piece->now))
        return (piece->now == NULL || !piece->now->is_special) && repair_map_again(cp, piece);
    return piece->then->protection == piece->now->protection || repair_protect(piece);
}

static bool repair_is_closed(const memory_mapping *mapping)
{
    return mapping->is_private && !mapping->is_special && mapping->protection == PROT_NONE;
}

bool checkpoint_empty_closed(const checkpoint *cp)
{
    for (int i = 0; i < cp->then_count; i++) {
        const memory_mapping *mapping = &cp->then[i];
        if (repair_is_closed(mapping) &&
            madvise((void *)mapping->start, mapping->end - mapping->start, MADV_DONTNEED) != 0)
            return false;
    }
    return true;
}

/* What is refused here, and what the kernel refuses. */
static int repair_refused(const repair_piece *piece, snapcell_error *err)
{
    static const char text[] = "the mapping at %#zx is not what it was, and cannot be made so";
    if (errno == 0) return error_set(err, SNAPCELL_E_INTERNAL, text, (size_t)piece->start);
    return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, text, (size_t)piece->start);
}

int checkpoint_repair(checkpoint *cp, snapcell_error *err)
{
    cp->counters.repairs++;
    int status = checkpoint_read_map(cp, cp->now, &cp->now_count, err);
    if (status != SNAPCELL_OK) return status;
    repair_walk walk = {.cp = cp};
    repair_piece piece;
    while (repair_next(&walk, &piece)) {
        errno = 0;
        if (!repair_piece_of(cp, &piece)) return repair_refused(&piece, err);
    }
    if (checkpoint_empty_closed(cp)) return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot empty what is closed");
}
