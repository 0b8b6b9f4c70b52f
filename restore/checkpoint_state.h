/* What the files of a checkpoint share. Internal to restore/. */
#ifndef SNAPCELL_CHECKPOINT_STATE_H
#define SNAPCELL_CHECKPOINT_STATE_H

#include "checkpoint.h"
#include "memory_map.h"

#define CHECKPOINT_MAPPINGS_MAX 8192
#define CHECKPOINT_REGIONS_MAX 8192
#define CHECKPOINT_SPANS_MAX 2048
#define CHECKPOINT_RUNS_MAX 32768
#define CHECKPOINT_TEXT_SIZE_MAX ((size_t)2 << 20)
#define CHECKPOINT_ENTRIES 8192
#define CHECKPOINT_RANGES 128
#define CHECKPOINT_TOUCHED_MAX 512

/* Pages of a span: with the checkpoint's bytes, or without any, which are zero. */
typedef struct checkpoint_region {
    uintptr_t start;
    uintptr_t end;
    const unsigned char *source; /* in the view; NULL: zero */
    uint64_t file_offset;
} checkpoint_region;

/* A private writable mapping as it was, and its regions, which fill it. */
typedef struct checkpoint_span {
    uintptr_t start;
    uintptr_t end;
    uint32_t region_first;
    uint32_t region_count;
    uint8_t *pages; /* a byte a page: how hot it is; 0: clean */
    int protection;
} checkpoint_span;

/* Neighbouring hot pages of one region. */
typedef struct checkpoint_run {
    unsigned char *to;
    const unsigned char *from; /* NULL: zero */
    size_t size_bytes;
} checkpoint_run;

/* What changes when mappings do, and what when pages are made. */
typedef struct checkpoint_marks {
    uint64_t size_pages; /* of the address space */
    uint64_t data_pages; /* of it, private and writable */
    long faults;
} checkpoint_marks;

struct checkpoint {
    dirty_source source;
    int pagemap_fd;
    int maps_fd;
    int statm_fd;
    int files[CHECKPOINT_FILES];
    int taken; /* so many times */

    const unsigned char *view; /* the file, shared and readable */
    size_t view_size_bytes;
    uint8_t *pages; /* of all spans */
    size_t pages_size_bytes;
    void *program_break;
    checkpoint_marks marks;
    uint32_t fresh_hot; /* hot pages of regions without bytes */
    uint32_t sampling;  /* restores left in which hot pages are compared before they are copied */
    checkpoint_counters counters;

    int then_count;
    int now_count;
    uint32_t region_count;
    uint32_t span_count;
    uint32_t run_count;
    uint32_t touched_count;
    checkpoint_region regions[CHECKPOINT_REGIONS_MAX];
    checkpoint_span spans[CHECKPOINT_SPANS_MAX];
    checkpoint_run runs[CHECKPOINT_RUNS_MAX];
    dirty_range touched[CHECKPOINT_TOUCHED_MAX]; /* by a typical call, and not written */

    /* From here on, an image does without. */
    memory_mapping then[CHECKPOINT_MAPPINGS_MAX]; /* the mappings at the checkpoint */
    memory_mapping now[CHECKPOINT_MAPPINGS_MAX];
    dirty_range ranges[CHECKPOINT_RANGES];
    uint64_t entries[CHECKPOINT_ENTRIES];
    char text[CHECKPOINT_TEXT_SIZE_MAX];
};

/* How hot a page is; hotter than that is not counted. */
#define PAGE_CLEAN 0
#define PAGE_HOT 1 /* written since, or often: put back at every restore */
#define PAGE_IDLE_MAX 200

/* Whether a mapping's bytes are put back. */
bool checkpoint_is_span(const memory_mapping *mapping);

/* Reads the present mappings. Errors: E_INTERNAL. */
int checkpoint_read_map(checkpoint *cp, memory_mapping *out, int *count, snapcell_error *err);
bool checkpoint_read_marks(const checkpoint *cp, checkpoint_marks *out);
/* The page faults of this process so far. */
bool checkpoint_read_faults(long *out);

/* Calls `visit` for all dirty ranges of [start, end). False: the kernel refused, or `visit` did. */
typedef bool checkpoint_visit_fn(checkpoint *cp, void *user, uintptr_t start, uintptr_t end);
bool checkpoint_visit_dirty(checkpoint *cp, uintptr_t start, uintptr_t end,
                            checkpoint_visit_fn *visit, void *user);

/* Words of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_IS_FILE (UINT64_C(1) << 61)
#define PAGEMAP_IS_PRESENT (UINT64_C(1) << 63)

/* Calls `visit` for each page of [start, end) whose word has all of `bits`. False: the kernel
 * refused. */
typedef void checkpoint_page_fn(void *user, uintptr_t page);
bool checkpoint_visit_pages(checkpoint *cp, uintptr_t start, uintptr_t end, uint64_t bits,
                            checkpoint_page_fn *visit, void *user);

/* Drops what is in mappings of `cp->then` that nobody may read or write. A call can open one, and
 * close it again, which no list of mappings shows; but it takes a page fault to write to what is
 * empty. False: the kernel refused. */
bool checkpoint_empty_closed(const checkpoint *cp);

/* Makes mappings what they were. Errors: E_INTERNAL. */
int checkpoint_repair(checkpoint *cp, snapcell_error *err);

/* Finds what was written since, and makes it hot; what is not worth that is given back. Errors:
 * E_INTERNAL. */
int checkpoint_learn(checkpoint *cp, snapcell_error *err);
/* Makes runs of hot pages. False: one that there is no room for could not be given back. */
bool checkpoint_plan(checkpoint *cp);
/* Puts hot pages back; while sampling, those that calls have stopped writing are given back. False:
 * as checkpoint_plan(). */
bool checkpoint_copy(checkpoint *cp);
/* The same without knowledge: everything is compared. */
int checkpoint_compare(checkpoint *cp, snapcell_error *err);

/* The region of a span that an address of it lies in. */
const checkpoint_region *checkpoint_region_at(const checkpoint *cp, const checkpoint_span *span,
                                              uintptr_t address);
bool checkpoint_is_zero(const void *memory, size_t size_bytes);

#endif
