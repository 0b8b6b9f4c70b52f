/* A sandboxed worker under test, and what its process spends. */
#ifndef SNAPCELL_BENCH_WORKER_H
#define SNAPCELL_BENCH_WORKER_H

#include "bench.h"
#include "snapcell/worker.h"

typedef struct bench_worker_config {
    const char *name;
    const char *what;
    snapcell_workers_policy policy;
    uint32_t warm_calls;
    uint32_t block; /* calls in a row */
} bench_worker_config;

typedef struct bench_worker {
    const bench_worker_config *config;
    snapcell_workers *workers; /* Owned */
    snapcell_worker *worker;   /* Owned */
    const char *url;
    snapcell_workers_counts counts; /* when the last block ended */
    uint64_t spent_ns;
    uint64_t response_hash;
} bench_worker;

/* What a block of calls amounts to; times are a call's. */
typedef struct bench_block {
    uint64_t own_ns;     /* of the processor, in the worker */
    uint64_t restore_ns; /* of that, restoring memory; 0: none was restored */
    uint64_t elapsed_ns;
} bench_block;

/* Loads `ref`, and calls it until it is as fast as it gets. `url`: Borrowed until
 * bench_worker_stop(). */
int bench_worker_start(const bench_worker_config *config, const char *store, const char *ref,
                       const char *url, bench_worker *out, snapcell_error *err);

/* `round_trips_ns`: of all calls of the block but the first, which waits for nothing. */
int bench_worker_run(bench_worker *worker, uint64_t *round_trips_ns, bench_block *out,
                     snapcell_error *err);

/* NULL members are allowed. */
void bench_worker_stop(bench_worker *worker);

#endif
