/* One process of another runtime that answers again and again, with one shared instance. */
#ifndef SNAPCELL_BENCH_HOT_H
#define SNAPCELL_BENCH_HOT_H

#include "bench_process.h"

/* Asked by a byte on a Unix socket, it answers with four bytes, the body's size, and the body; a
 * program that is `http` gets requests on a connection that is kept. */
typedef struct bench_hot {
    const bench_program *program; /* Borrowed */
    pid_t pid;                    /* 0: none */
    int fd;
    char *answer; /* Owned */
    size_t answer_size;
} bench_hot;

/* Errors: E_IO, E_NOMEM. bench_hot_stop() in any case. */
int bench_hot_start(const bench_program *program, bench_hot *out, snapcell_error *err);
/* One request, until the whole body is there, at `*body`; Borrowed until the next call. Errors:
 * E_SCRIPT: there is no answer within 30 seconds, or none with status 2xx. */
int bench_hot_call(bench_hot *hot, const char **body, size_t *size_bytes, snapcell_error *err);
void bench_hot_stop(bench_hot *hot);

#endif
