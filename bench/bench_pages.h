/* A store's pages, put out of memory: what a load costs when they must come from the disk. */
#ifndef SNAPCELL_BENCH_PAGES_H
#define SNAPCELL_BENCH_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

typedef struct bench_pages {
    int file; /* data.mdb */
    uint64_t device, inode;
    void *map; /* never touched: only asked what of it is in memory */
    size_t size_bytes;
    unsigned char *resident; /* a byte a page */
} bench_pages;

/* `store`: the folder. On failure nothing is to be released. */
int bench_pages_open(const char *store, bench_pages *out, snapcell_error *err);

/* Takes the pages out of this process's page tables, where the kernel would keep them for, and out
 * of the page cache. `*resident_bytes`: what is in memory all the same. */
int bench_pages_drop(bench_pages *pages, uint64_t *resident_bytes, snapcell_error *err);

void bench_pages_close(bench_pages *pages);

#endif
