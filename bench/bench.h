/* What the parts of `snapcell bench` share: samples, orders to child processes, settings.
 *
 * One process can start V8 in one way only, so that each configuration has a child process of its
 * own: this program again, which waits on its standard input for orders (bench_child.c). The
 * parent (cmd_bench.c and the bench_section_*.c) decides who is next, at random. */
#ifndef SNAPCELL_BENCH_H
#define SNAPCELL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "bench_noise.h"
#include "bench_progress.h"
#include "bench_random.h"
#include "snapcell/error.h"

/* The phases of a load, as in snapcell_timings. */
#define BENCH_PHASE_MAP(X) X(lookup) X(read) X(verify) X(decompress) X(isolate) X(context) X(call)

/* One load and its first call, or one process. Times are of the monotonic clock. */
typedef struct bench_sample {
    uint64_t total_ns;
#define BENCH_SAMPLE_PHASE(name) uint64_t name##_ns;
    BENCH_PHASE_MAP(BENCH_SAMPLE_PHASE)
#undef BENCH_SAMPLE_PHASE
    uint64_t dispose_ns;
    uint64_t minor_faults; /* of the loading thread; of a process, all of its own */
    uint64_t major_faults;
    uint64_t resident_bytes; /* of the store's file just before, where pages were dropped */
    uint64_t response_hash;  /* of the response's body: all configurations must agree */
} bench_sample;

typedef enum bench_order_kind {
    BENCH_ORDER_LOAD = 1,   /* answered with `count` samples, after `warm_up` loads unmeasured */
    BENCH_ORDER_HOLD = 2,   /* `count` more cells are made and kept; answered with bench_memory */
    BENCH_ORDER_THREADS = 3 /* `count` threads load for `duration_ms`; answered with bench_rate */
} bench_order_kind;

typedef struct bench_order {
    uint32_t kind;
    uint32_t count;
    uint32_t warm_up;
    uint32_t duration_ms;
} bench_order;

/* Of the whole process, as /proc/self/smaps_rollup has it. */
typedef struct bench_memory {
    uint64_t rss_bytes;
    uint64_t pss_bytes;
    uint64_t private_bytes;
} bench_memory;

typedef struct bench_rate {
    uint64_t loads;
    uint64_t elapsed_ns;
} bench_rate;

/* A bundle under test. Its artifacts' names in the stores begin with `name`. */
typedef struct bench_function {
    char name[128];
    const char *path;
    char clear_path[4096]; /* the blob made with V8's kClear */
} bench_function;

typedef struct bench_settings {
    const char *out; /* the folder for results and stores */
    const char *url;
    const char *peers_path; /* NULL: no other runtimes */
    bool quick;
    uint32_t samples;
    uint32_t processes;
    uint32_t many; /* artifacts in the large store; 0: none */
    uint64_t seed;
} bench_settings;

typedef struct bench_context {
    bench_settings settings;
    bench_random random;
    bench_progress progress;
    bench_noise noise;
    bench_function *functions;
    size_t function_count;
    char store[4096]; /* every artifact */
    /* For children that drop their store's pages from the page cache, which works only where no
     * other process has them mapped: one with the compressed artifacts, one with the raw ones. */
    char cold_store[4096];
    char cold_raw_store[4096];
    json_t *results; /* what is written in the end */
} bench_context;

#endif
