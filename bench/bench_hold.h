/* Live cells, and the memory of the process that holds them. */
#ifndef SNAPCELL_BENCH_HOLD_H
#define SNAPCELL_BENCH_HOLD_H

#include "bench_subject.h"

typedef struct bench_hold {
    void **instances; /* Owned, as are they */
    size_t count;
} bench_hold;

/* Loads and calls `count` more instances, keeps them, and tells the process's memory then. */
int bench_hold_more(bench_hold *hold, const bench_subject_type *type, void *subject,
                    const char *ref, uint32_t count, bench_memory *out, snapcell_error *err);

void bench_hold_release(bench_hold *hold, const bench_subject_type *type);

/* Of this process. Errors: E_IO where /proc is missing. */
int bench_memory_read(bench_memory *out, snapcell_error *err);

/* Of another process. Errors: E_IO where the kernel does not tell this user. */
int bench_memory_read_of(int process_id, bench_memory *out, snapcell_error *err);

#endif
