/* Samples of one configuration as JSON: the raw values of each field, and their statistics. */
#ifndef SNAPCELL_BENCH_SERIES_H
#define SNAPCELL_BENCH_SERIES_H

#include "bench.h"

typedef struct bench_series {
    const char *group; /* "load", "process", "many" */
    const char *function;
    const char *config;
    const char *what;
    const char *state;
    const char *from;
    const char *to;
    const char *warm_up; /* what was left out */
    const bench_sample *samples;
    size_t count;
} bench_series;

/* Owned; NULL when memory is short. */
json_t *bench_series_json(const bench_series *series);

/* {count, min, p50, p90, p99, max} of values that are sorted in place. */
json_t *bench_statistics_json(uint64_t *values, size_t count);

#endif
