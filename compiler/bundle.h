/* A bundle: one file of JavaScript, checked and turned into the form that V8 reads. Internal to the
 * compiler. */
#ifndef SNAPCELL_BUNDLE_H
#define SNAPCELL_BUNDLE_H

#include "artifact_reader.h"
#include "snapcell/artifact.h"

#define BUNDLE_SIZE_MAX (UINT64_C(64) << 20)
#define BUNDLE_SOURCE_MAP_SIZE_MAX (UINT64_C(128) << 20)

/* Zeroed is empty. */
typedef struct bundle_file {
    char *path;            /* as the user gave it, for messages; Owned */
    const char *file_name; /* its last part */
    uint64_t size_bytes;   /* of the file */
    uint8_t hash[16];      /* XXH3-128 of the file's bytes, canonical */

    artifact_text_encoding encoding;
    void *text; /* without byte order mark and inline source map; Owned */
    size_t text_size_bytes;

    char *source_map; /* JSON; NULL when there is none; Owned */
    size_t source_map_size_bytes;
    char warning[256]; /* about a source map that could not be used; "" when there is none */
} bundle_file;

/* Reads a bundle and the source map that it names or that is next to it.
 * Errors: E_NOT_FOUND, E_IO, E_USAGE (no JavaScript text, or a name that cannot be kept),
 * E_TOO_LARGE, E_NOMEM; `out` is then empty. */
int bundle_read(const char *path, bundle_file *out, snapcell_error *err);

/* As bundle_read(), from memory. `source_map` may be NULL: an inline one is used then. */
int bundle_from_memory(const char *path, const void *source, size_t source_size_bytes,
                       const void *source_map, size_t source_map_size_bytes, bundle_file *out,
                       snapcell_error *err);

/* The bundle that an artifact was made from. `size_bytes` is that of the file, from the manifest.
 */
int bundle_from_artifact(const artifact_view *view, uint64_t size_bytes, bundle_file *out,
                         snapcell_error *err);

void bundle_release(bundle_file *bundle);

#endif
