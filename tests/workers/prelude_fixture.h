/* Versions of a function with a prelude, in a store and a group of their own. A failure here ends
 * the test. */
#ifndef SNAPCELL_TESTS_PRELUDE_FIXTURE_H
#define SNAPCELL_TESTS_PRELUDE_FIXTURE_H

#include "workers_fixture.h"

#define PRELUDE                                                                                    \
    "export let count = 0;\n"                                                                      \
    "export const add = () => ++count, place = () => new Error().stack;\n"                         \
    "export const was = performance.now(), list = [];\n"                                           \
    "queueMicrotask(() => list.push('later'));\n"

/* What a function is made of, and what was made of it. */
typedef struct version {
    snapcell_compiled *compiled;
    char ref[SNAPCELL_KEY_HEX_SIZE];
    const void *bytes;
    size_t size_bytes;
} version;

extern snapcell_workers *prelude_workers;
extern version prelude_first; /* with PRELUDE; answers "first 1" */

/* Of every test. */
void prelude_setup(void);
void prelude_teardown(void);

snapcell_compile_options prelude_options(const char *name, const char *prelude);

/* In the store, too. `source_map`: of both; NULL: none. Release with prelude_release(). */
version prelude_make(const char *prelude, const char *rest, const char *source_map);
void prelude_release(version *made);

snapcell_worker *prelude_start(const char *ref, bool prelude_only, uint32_t cpu_limit_ms);

/* Waits for a moment. */
snapcell_worker_state prelude_advance(snapcell_worker *worker);

/* A worker that has evaluated a prelude, and waits. */
snapcell_worker *prelude_start_waiting(const char *ref);

void prelude_become_ready(snapcell_worker *worker);

/* The worker, which is freed, ends with such an error. */
void prelude_expect_end(snapcell_worker *worker, int code, const char *says);

#endif
