/* A function as a registry holds it: a manifest, a config, and the artifact's bytes as the layer.
 * Internal to the program. */
#ifndef SNAPCELL_OCI_FUNCTION_H
#define SNAPCELL_OCI_FUNCTION_H

#include "oci_manifest.h"

typedef struct oci_function {
    oci_entry entry; /* for an index */
    oci_descriptor config;
    oci_descriptor layer;
    char *manifest_json; /* Owned */
    size_t manifest_size_bytes;
    char *config_json; /* Owned */
    size_t config_size_bytes;
} oci_function;

/* `name`: under which it is to be known. `facts`: what `snapcell show --json` prints of the
 * artifact; Borrowed, and changed to what an image's config needs. `info`, `signature` (NULL: it is
 * not signed): of the same artifact. `out`: to be released on success. Errors: E_NOMEM. */
int oci_function_make(const void *bytes, size_t size_bytes, const char *name, json_t *facts,
                      const snapcell_artifact_info *info, const snapcell_signature *signature,
                      bool has_artifact_type, oci_function *out, snapcell_error *err);
void oci_function_release(oci_function *function);

/* Checks the artifact that came for `entry` against what the entry says of it. Errors: E_CORRUPT.
 */
int oci_function_compare(const oci_facts *facts, const snapcell_artifact_info *info,
                         snapcell_error *err);

#endif
