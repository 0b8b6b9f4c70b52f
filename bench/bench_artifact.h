/* A stored artifact, decoded once for V8's own way of loading it. */
#ifndef SNAPCELL_BENCH_ARTIFACT_H
#define SNAPCELL_BENCH_ARTIFACT_H

#include "artifact_reader.h"
#include "engine.h"

typedef struct bench_artifact {
    snapcell_artifact_info info;
    void *blob;
    void *source;
    engine_bundle bundle; /* its callbacks point into this struct: it must not move */
} bench_artifact;

/* `*out`: Owned, bench_artifact_free(). */
int bench_artifact_open(const char *store_path, const char *ref, bench_artifact **out,
                        snapcell_error *err);

void bench_artifact_free(bench_artifact *artifact);

#endif
