#include "bench_statistics.h"

#include <stdlib.h>

static int bench_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t bench_percentile(const uint64_t *sorted, size_t count, unsigned percent)
{
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank - 1];
}

bench_statistics bench_statistics_of(uint64_t *values, size_t count)
{
    if (count == 0) return (bench_statistics){0};
    qsort(values, count, sizeof(*values), bench_compare);
    return (bench_statistics){
        .count = count,
        .min = values[0],
        .p50 = bench_percentile(values, count, 50),
        .p90 = bench_percentile(values, count, 90),
        .p99 = bench_percentile(values, count, 99),
        .max = values[count - 1],
    };
}
