#include "bench_random.h"

/* A seed of 0 would stay 0. */
#define BENCH_SEED_MIX 0x9e3779b97f4a7c15u

void bench_random_init(bench_random *random, uint64_t seed)
{
    random->state = seed ^ BENCH_SEED_MIX;
    if (random->state == 0) random->state = BENCH_SEED_MIX;
}

/* xorshift64*; its high bits are the good ones. */
static uint64_t bench_random_next(bench_random *random)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * 0x2545f4914f6cdd1du;
}

uint64_t bench_random_below(bench_random *random, uint64_t bound)
{
    return (bench_random_next(random) >> 11) % bound;
}

void bench_random_order(bench_random *random, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t j = (size_t)bench_random_below(random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}
