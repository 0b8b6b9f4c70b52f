/* The manifest: what an artifact says of itself in JSON, for people, and for recompiling it. The
 * same facts give the same bytes. Internal to the compiler. */
#ifndef SNAPCELL_MANIFEST_H
#define SNAPCELL_MANIFEST_H

#include "compile_settings.h"
#include "note_list.h"
#include "warm_requests.h"

/* What a manifest tells beyond bundle and recipe. Pointers are Borrowed. */
typedef struct manifest_facts {
    snapcell_artifact_kind kind;
    snapcell_handler_shape shape;
    snapcell_source_format format; /* what the source turned out to be */
    const char *const *warnings;
    size_t warning_count;
    const char *apis;       /* names with blanks between; NULL: none */
    const char *heap;       /* kinds and bytes, as in engine_build_result; NULL: none */
    const note_list *notes; /* NULL: none. Of a `code` artifact, those that prevent alone */
} manifest_facts;

/* `*out`: Owned, free(); zero-terminated. Errors: E_NOMEM. */
int manifest_write(const bundle_file *bundle, const compile_recipe *recipe,
                   const manifest_facts *facts, char **out, size_t *out_size_bytes,
                   snapcell_error *err);

/* The options of a compile, read back. Owned: manifest_recipe_release(). */
typedef struct manifest_recipe {
    uint64_t bundle_size_bytes;
    snapcell_format format;
    snapcell_handler_shape shape; /* 0: found out */
    int level;
    bool raw;
    bool entropy_allowed;
    warm_requests warm;
} manifest_recipe;

/* Errors: E_CORRUPT (no manifest, or a field is missing), E_NOMEM; `out` is then empty. */
int manifest_read(const char *manifest, size_t size_bytes, manifest_recipe *out,
                  snapcell_error *err);
void manifest_recipe_release(manifest_recipe *recipe);

#endif
