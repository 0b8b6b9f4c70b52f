/* A fresh process, from its start to the first byte of its response. */
#ifndef SNAPCELL_BENCH_PROCESS_H
#define SNAPCELL_BENCH_PROCESS_H

#include <netinet/in.h>
#include <sys/types.h>

#include "bench.h"

#define BENCH_LISTEN_FD 3 /* where a server finds its listening socket */

typedef struct bench_program {
    char **argv; /* NULL-terminated */
    char **env;  /* NULL-terminated */
    bool http; /* a server, which gets a request for `url` on a socket that it inherits; else stdout
                  is read */
    const char *url;
    const char *log; /* where its standard error is appended */
} bench_program;

/* Starts the program with descriptors for standard input and output, and a socket that listens; -1:
 * none. Returns an errno value; 0: `*pid` is its. */
int bench_spawn(const bench_program *program, int input, int output, int listener, pid_t *pid);
/* A socket that listens on loopback; Owned: close(). -1: see `err`. */
int bench_listen(struct sockaddr_in *address, snapcell_error *err);

/* Starts the program once. `out->total_ns`: from the call of posix_spawn() to the first byte;
 * `dispose_ns`: from there to its end; faults are the process's. A server is killed then. Errors:
 * E_SCRIPT when it failed or said nothing within 30 seconds. */
int bench_process_run(const bench_program *program, bench_sample *out, snapcell_error *err);

#endif
