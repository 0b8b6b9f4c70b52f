/* Other runtimes, as bench/peers/prepare.mjs lists them. */
#ifndef SNAPCELL_BENCH_PEERS_H
#define SNAPCELL_BENCH_PEERS_H

#include "bench_process.h"

/* A program that answers for a function, among those that take turns. */
typedef struct bench_contender {
    const char *config;
    const char *what;
    const char *missing; /* why it is not measured; NULL: it is */
    bench_program program;
    bench_sample *samples; /* Owned */
} bench_contender;

/* Reads the list; `*out` is an array, Owned: json_decref(). Errors: E_USAGE when it is none. */
int bench_peers_read(const char *path, json_t **out, snapcell_error *err);

/* The list's entries for `function`, those that stay and answer again and again if `is_hot`, else
 * those that answer once: fills up to `count_max` contenders, which borrow from `peers`
 * and end with bench_contender_release(). Entries that are missing are named in `missing`. */
size_t bench_peers_for(const json_t *peers, const char *function, bool is_hot, const char *log,
                       bench_contender *out, size_t count_max, json_t *missing);

/* A program with arguments, and a copy of this process's environment and `env` (may be NULL). */
bool bench_contender_init(bench_contender *out, const json_t *argv, const json_t *env);
void bench_contender_release(bench_contender *contender);

/* Adds {peer, function, reason} to the list of what is missing, unless it is there. */
void bench_missing_add(json_t *missing, const char *peer, const char *function, const char *reason);

#endif
