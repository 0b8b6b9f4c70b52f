/* Which pages of private memory a process has written, as the kernel tells it: those that are
 * anonymous. Pages of a private file mapping become anonymous when they are first written, also
 * when they are swapped out by now. Internal. */
#ifndef SNAPCELL_DIRTY_PAGES_H
#define SNAPCELL_DIRTY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum dirty_source {
    DIRTY_SCANNED = 1,  /* by the PAGEMAP_SCAN ioctl (Linux 6.7) */
    DIRTY_LISTED = 2,   /* by reading /proc/self/pagemap, a word a page */
    DIRTY_COMPARED = 3, /* the kernel does not tell: pages are compared with their copies */
} dirty_source;

typedef struct dirty_range {
    uintptr_t start;
    uintptr_t end;
} dirty_range;

/* The best source, no better than `best`, that this process has. `pagemap_fd`: of
 * /proc/self/pagemap, or -1. */
dirty_source dirty_source_probe(int pagemap_fd, dirty_source best);

/* Lists dirty pages from `*at` to `end` in ascending order into `out`, `capacity` ranges at most,
 * and moves `*at` on: it is `end` when all was listed. `entries`: room for `entry_count` words, for
 * DIRTY_LISTED. Returns how many ranges, or -1: the kernel refused, errno says why. */
int dirty_pages_list(dirty_source source, int pagemap_fd, uintptr_t *at, uintptr_t end,
                     dirty_range *out, int capacity, uint64_t *entries, size_t entry_count);

#endif
