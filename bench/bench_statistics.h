/* Order statistics of samples. */
#ifndef SNAPCELL_BENCH_STATISTICS_H
#define SNAPCELL_BENCH_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

typedef struct bench_statistics {
    size_t count;
    uint64_t min;
    uint64_t p50;
    uint64_t p90;
    uint64_t p99;
    uint64_t max;
} bench_statistics;

/* Of `count` values, which are sorted in place. A percentile is a value that was measured: the
 * smallest one that at least that share of all values does not exceed (nearest rank). Without
 * values, all is 0. */
bench_statistics bench_statistics_of(uint64_t *values, size_t count);

/* The value at rank `percent` of sorted values; `count` is not 0, `percent` is 1 to 100. */
uint64_t bench_percentile(const uint64_t *sorted, size_t count, unsigned percent);

#endif
