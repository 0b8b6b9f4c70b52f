/* A small generator with a seed that is recorded, so that a run's order can be repeated. */
#ifndef SNAPCELL_BENCH_RANDOM_H
#define SNAPCELL_BENCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct bench_random {
    uint64_t state; /* never 0 */
} bench_random;

void bench_random_init(bench_random *random, uint64_t seed);

/* Between 0 and `bound` - 1; `bound` is not 0. */
uint64_t bench_random_below(bench_random *random, uint64_t bound);

/* Fills `order` with 0 to `count` - 1 in a random order. */
void bench_random_order(bench_random *random, size_t *order, size_t count);

#endif
