/* The worker's side: one configuration, loaded when the parent says so. */
#ifndef SNAPCELL_BENCH_WORKER_H
#define SNAPCELL_BENCH_WORKER_H

#include "cli.h"

/* The first argument of `snapcell bench` by which the program starts itself as a worker; the second
 * is a spec in JSON. */
#define BENCH_WORKER_WORD "--worker"

/* Answers orders from standard input on standard output until it is closed. */
cli_status bench_worker(const char *spec_json);

#endif
