/* The parent's side of a child process. */
#ifndef SNAPCELL_BENCH_CLIENT_H
#define SNAPCELL_BENCH_CLIENT_H

#include <sys/types.h>

#include "bench.h"

typedef struct bench_client {
    pid_t pid; /* 0: not running */
    int orders;
    int answers;
    char what[160]; /* for messages */
} bench_client;

/* Starts this program as a child with `spec`, which is taken over. */
int bench_client_start(json_t *spec, const char *what, bench_client *out, snapcell_error *err);

/* Sends an order and reads its answer of exactly `size_bytes`. */
int bench_client_order(bench_client *client, const bench_order *order, void *answer,
                       size_t size_bytes, snapcell_error *err);

/* Ends the child and waits for it. Errors: E_INTERNAL when it had failed. */
int bench_client_stop(bench_client *client, snapcell_error *err);

#endif
