/* What a child loads, over and over: one configuration of one function. */
#ifndef SNAPCELL_BENCH_SUBJECT_H
#define SNAPCELL_BENCH_SUBJECT_H

#include "bench.h"
#include "snapcell/http.h"

/* A way to make a function ready. Instances are made on any thread, several at once. */
typedef struct bench_subject_type {
    /* `spec` is what bench_config_spec() writes. `*out`: Owned, close(). */
    int (*open)(const json_t *spec, void **out, snapcell_error *err);

    /* Loads `ref` and calls it once; `*instance` is Owned, dispose(). */
    int (*load)(void *subject, const char *ref, void **instance, bench_sample *sample,
                snapcell_error *err);

    void (*dispose)(void *instance);
    void (*close)(void *subject);
} bench_subject_type;

/* From the store, through the loader's public API. */
extern const bench_subject_type bench_subject_loader;

/* V8 as its documentation starts it: from the source, a code cache or a snapshot in memory. */
extern const bench_subject_type bench_subject_engine;

/* FNV-1a of a response's body. */
uint64_t bench_hash(const void *bytes, size_t size_bytes);

/* Errors: E_SCRIPT for another status than 2xx, which would make a comparison pointless. */
int bench_check_response(const snapcell_response *response, uint64_t *hash, snapcell_error *err);

/* A member of a spec that must be there. */
int bench_spec_text(const json_t *spec, const char *name, const char **out, snapcell_error *err);

#endif
