/* Loads on several threads at once, each as fast as it can. */
#ifndef SNAPCELL_BENCH_THREADS_H
#define SNAPCELL_BENCH_THREADS_H

#include "bench_subject.h"

#define BENCH_THREADS_MAX 64

/* `thread_count` threads load, call and dispose for `duration_ms`. Loads that began before the end
 * count, and so does the time until the last of them is done. */
int bench_threads_run(const bench_subject_type *type, void *subject, const char *ref,
                      uint32_t thread_count, uint32_t duration_ms, bench_rate *out,
                      snapcell_error *err);

#endif
