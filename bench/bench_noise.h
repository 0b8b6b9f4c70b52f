/* How still the machine was: the same piece of work, timed all through a run. */
#ifndef SNAPCELL_BENCH_NOISE_H
#define SNAPCELL_BENCH_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

typedef struct bench_noise {
    uint64_t *spins_ns; /* Owned */
    size_t count;
    size_t capacity;
    /* Of /proc/stat when the run began. */
    uint64_t steal_ticks;
    uint64_t busy_ticks;
    uint64_t all_ticks;
    double load_average;
} bench_noise;

/* What a run's noise amounts to. */
typedef struct bench_noise_facts {
    double spin_p90_to_p50;
    double steal_percent;  /* of all CPU time: what the hypervisor took */
    double others_percent; /* of all CPU time: what processes took that are not the run's */
} bench_noise_facts;

typedef enum bench_verdict {
    BENCH_QUIET = 0,
    BENCH_NOISY = 1,   /* medians hold, tails do not */
    BENCH_UNUSABLE = 2 /* nothing holds */
} bench_verdict;

void bench_noise_begin(bench_noise *noise);

/* Times the work once, about a millisecond. Between blocks of loads. */
void bench_noise_spin(bench_noise *noise);

bench_verdict bench_noise_judge(const bench_noise_facts *facts);

/* {verdict, usable, reasons, ...}; once all children have been waited for. Owned, NULL when memory
 * is short. */
json_t *bench_noise_end(bench_noise *noise);

void bench_noise_release(bench_noise *noise);

#endif
