/* What snapcell itself does not make, for comparison: code caches of V8's own flags, and snapshots
 * without compiled code. */
#ifndef SNAPCELL_BENCH_VARIANT_H
#define SNAPCELL_BENCH_VARIANT_H

#include "bench_artifact.h"

/* V8's code cache of the artifact's source, after one request to `url`, for a process in
 * ENGINE_MODE_BASELINE. `*out`: Owned, free(). */
int bench_variant_code_cache(const bench_artifact *artifact, const char *url, void **out,
                             size_t *size_bytes, snapcell_error *err);

/* Makes the function's snapshot with V8's kClear and writes it to `path`. For a process that has
 * not started V8 yet. */
int bench_variant_write_clear(const bench_artifact *artifact, const char *url, const char *path,
                              snapcell_error *err);

/* Reads such a file. `*out`: Owned, free(). */
int bench_variant_read(const char *path, void **out, size_t *size_bytes, snapcell_error *err);

#endif
