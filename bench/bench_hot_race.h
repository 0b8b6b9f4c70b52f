/* Other runtimes that answer hot, with one shared instance each, in turns with workers. */
#ifndef SNAPCELL_BENCH_HOT_RACE_H
#define SNAPCELL_BENCH_HOT_RACE_H

#include "bench.h"

typedef struct bench_hot_race bench_hot_race;

/* Starts and warms up those of the list (context->settings.peers_path) that answer for `function`.
 * One that fails is named as missing, now or later. `*out`: Owned, bench_hot_race_free(). Errors:
 * E_USAGE: the list is none; E_NOMEM. */
int bench_hot_race_new(bench_context *context, const bench_function *function, uint32_t blocks,
                       bench_hot_race **out, snapcell_error *err);
/* A block of calls of each, in random order. */
void bench_hot_race_round(bench_hot_race *race, uint32_t number);
/* Adds what was measured to the results' "workers". */
void bench_hot_race_report(bench_hot_race *race);
/* NULL is allowed. */
void bench_hot_race_free(bench_hot_race *race);

#endif
