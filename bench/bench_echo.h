/* An empty message to another process and back: what a call to a worker costs at least, and how
 * evenly this machine answers. */
#ifndef SNAPCELL_BENCH_ECHO_H
#define SNAPCELL_BENCH_ECHO_H

#include "bench.h"

typedef struct bench_echo {
    int process_id;
    int socket;
} bench_echo;

#define BENCH_ECHO_NONE ((bench_echo){0, -1})

/* Starts a process that sends back what it gets: bench_echo_stop(). */
int bench_echo_start(bench_echo *out, snapcell_error *err);

/* Times `count` messages in a row, after a first one that waits for nothing. */
int bench_echo_run(const bench_echo *echo, uint64_t *round_trips_ns, uint32_t count,
                   snapcell_error *err);

void bench_echo_stop(bench_echo *echo);

#endif
