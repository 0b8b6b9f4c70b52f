/* The configurations that are loaded in process, and what their children are told. */
#ifndef SNAPCELL_BENCH_CONFIG_H
#define SNAPCELL_BENCH_CONFIG_H

#include "bench_client.h"

typedef struct bench_config {
    const char *name;   /* stable: summaries are keyed by it */
    const char *how;    /* as bench_child.c takes it */
    const char *suffix; /* of the artifact's name in the store */
    bool clear;         /* V8's kClear blob instead of the artifact's */
    bool drop_pages;
    const char *options; /* names of the loader's options to set, JSON; NULL: the defaults */
    const char *state;
    const char *from; /* the event at which the clock starts; it stops when the response is there */
    const char *what;
} bench_config;

/* `*count` of them. */
const bench_config *bench_configs(size_t *count);
const bench_config *bench_config_find(const char *name);

/* Starts a child for a configuration of a function. */
int bench_config_start(const bench_config *config, const bench_context *context,
                       const bench_function *function, bench_client *out, snapcell_error *err);

/* What an artifact is named in the stores. */
#define BENCH_ARTIFACT_NAME_SIZE 160
void bench_artifact_name(const bench_function *function, const char *suffix,
                         char out[BENCH_ARTIFACT_NAME_SIZE]);

#endif
