/* An OCI image layout: a folder with oci-layout, index.json and blobs/sha256/. Internal to the
 * program. */
#ifndef SNAPCELL_OCI_LAYOUT_H
#define SNAPCELL_OCI_LAYOUT_H

#include "oci_manifest.h"

/* A layout that is being written. Nothing is to be seen of it before oci_layout_commit(). */
typedef struct oci_layout oci_layout;

/* Begins to write the layout `path`: a folder that does not exist yet, is empty, or is a layout, to
 * which is then added. `*out`: Owned, oci_layout_discard(). Errors: E_EXISTS (it holds something
 * else), E_NOT_FOUND (its parent), E_IO, E_FULL, E_READ_ONLY, E_NOMEM; and of a layout that is
 * there those of oci_layout_index(). */
int oci_layout_begin(const char *path, oci_layout **out, snapcell_error *err);

/* Puts a blob, whose digest is the caller's to know. One that is there already is not written
 * again. Errors: E_IO, E_FULL, E_READ_ONLY, E_NOMEM. */
int oci_layout_put(oci_layout *layout, const oci_descriptor *blob, const void *bytes,
                   snapcell_error *err);

/* Makes everything visible, with these entries in index.json; an entry of the same tag is replaced
 * with `force`. Errors: E_EXISTS (the tag stands for something else), E_IO, E_FULL, E_READ_ONLY,
 * E_NOMEM, E_TOO_LARGE. */
int oci_layout_commit(oci_layout *layout, const oci_entry *entries, size_t count, bool force,
                      snapcell_error *err);

/* Ends it; what was not committed is removed. NULL is allowed. */
void oci_layout_discard(oci_layout *layout);

static inline void oci_layout_release(oci_layout **layout)
{
    oci_layout_discard(*layout);
}
#define cleanup_oci_layout cleanup(oci_layout_release)

/* Reads the index.json of the layout `path`. `out`: to be released on success. Errors: E_NOT_FOUND,
 * E_FORMAT (no layout, or one of another version), and those of oci_document_read(). */
int oci_layout_index(const char *path, oci_document *out, snapcell_error *err);

/* Reads a blob, and checks its size and digest. `*out`: Owned, free(). Errors: E_NOT_FOUND,
 * E_CORRUPT, E_TOO_LARGE, E_IO, E_NOMEM. */
int oci_layout_get(const char *path, const oci_descriptor *blob, void **out, size_t *out_size_bytes,
                   snapcell_error *err);

#endif
