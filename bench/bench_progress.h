/* How far a run is, on standard error: a line that is written over on a terminal, else a line now
 * and then. */
#ifndef SNAPCELL_BENCH_PROGRESS_H
#define SNAPCELL_BENCH_PROGRESS_H

#include <stdint.h>

typedef struct bench_progress {
    uint64_t planned_ms; /* what all steps were estimated to take */
    uint64_t done_ms;    /* of that, what is done */
    uint64_t start_ns;
    uint64_t shown_ns;
    int width; /* of the line on the terminal */
} bench_progress;

/* Adds a step to the plan, before the run begins. */
void bench_progress_plan(bench_progress *progress, uint64_t estimated_ms);

/* `estimated_ms` of the plan are done; `what` is next. */
void bench_progress_step(bench_progress *progress, uint64_t estimated_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends the line. */
void bench_progress_end(bench_progress *progress);

/* What is left, going by how the estimates have held so far. */
uint64_t bench_progress_left_ms(const bench_progress *progress, uint64_t elapsed_ms);

#endif
