/* The parts of a run. Each plans its steps first, for the progress line, and then adds to
 * context->results. */
#ifndef SNAPCELL_BENCH_SECTIONS_H
#define SNAPCELL_BENCH_SECTIONS_H

#include "bench.h"

typedef struct bench_section {
    const char *name; /* as --only takes it */
    void (*plan)(bench_context *context);
    int (*run)(bench_context *context, snapcell_error *err);
} bench_section;

extern const bench_section bench_section_load;    /* loads in a warm process */
extern const bench_section bench_section_process; /* fresh processes, and other runtimes */
extern const bench_section bench_section_memory;  /* live cells */
extern const bench_section bench_section_threads; /* loads on several threads */
extern const bench_section bench_section_restore; /* fresh instances of sandboxed workers */
extern const bench_section bench_section_launch;  /* workers from images */
extern const bench_section bench_section_many;    /* a store with many artifacts */

/* Compiles the functions into the run's stores; before any section. */
int bench_prepare(bench_context *context, snapcell_error *err);

/* Kernel, CPU, engine and the like. Owned. */
json_t *bench_environment_json(const char *commit);

#endif
