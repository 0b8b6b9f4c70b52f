/* Reading a layout. Any of its files may be an adversary's. */
#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "oci_file.h"
#include "oci_layout.h"
#include "oci_layout_names.h"

#define LAYOUT_FILE_SIZE_MAX 4096

static int layout_read(const char *folder, const char *name, size_t size_max_bytes, void **out,
                       size_t *out_size_bytes, snapcell_error *err)
{
    cleanup_free char *path = oci_path(folder, name);
    if (path == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    return oci_file_read(path, size_max_bytes, out, out_size_bytes, err);
}

static int layout_check_version(const char *path, snapcell_error *err)
{
    cleanup_free void *bytes = NULL;
    size_t size_bytes = 0;
    snapcell_error cause;
    if (layout_read(path, LAYOUT_FILE, LAYOUT_FILE_SIZE_MAX, &bytes, &size_bytes, &cause) !=
        SNAPCELL_OK)
        return error_set(err, cause.code, "%s is not an OCI image layout: %s", path, cause.message);
    cleanup_oci_json json_t *json = json_loadb(bytes, size_bytes, JSON_REJECT_DUPLICATES, NULL);
    const char *version = json_string_value(json_object_get(json, "imageLayoutVersion"));
    if (version != NULL && strcmp(version, "1.0.0") == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_FORMAT,
                     "%s is not an OCI image layout of version 1.0.0, but of '%.40s'", path,
                     version != NULL ? version : "none");
}

int oci_layout_index(const char *path, oci_document *out, snapcell_error *err)
{
    cleanup_free void *bytes = NULL;
    cleanup_free char *what = oci_path(path, LAYOUT_INDEX);
    size_t size_bytes = 0;
    memset(out, 0, sizeof(*out));
    if (what == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    int status = layout_check_version(path, err);
    if (status == SNAPCELL_OK)
        status = oci_file_read(what, OCI_DOCUMENT_SIZE_MAX, &bytes, &size_bytes, err);
    if (status == SNAPCELL_OK) status = oci_document_read(what, bytes, size_bytes, out, err);
    if (status != SNAPCELL_OK || out->kind == OCI_DOCUMENT_INDEX) return status;
    oci_document_release(out);
    return error_set(err, SNAPCELL_E_CORRUPT, "%s is a manifest; an index is expected", what);
}

int oci_layout_get(const char *path, const oci_descriptor *blob, void **out, size_t *out_size_bytes,
                   snapcell_error *err)
{
    char name[sizeof(LAYOUT_SHA256) + OCI_DIGEST_TEXT_SIZE];
    char digest[OCI_DIGEST_TEXT_SIZE];
    cleanup_free void *bytes = NULL;
    *out = NULL;
    (void)snprintf(name, sizeof(name), LAYOUT_SHA256 "/%s",
                   blob->digest + strlen(OCI_DIGEST_PREFIX));
    const int status =
        layout_read(path, name, (size_t)OCI_BLOB_SIZE_MAX, &bytes, out_size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    oci_digest_of(bytes, *out_size_bytes, digest);
    if (*out_size_bytes != blob->size_bytes || strcmp(digest, blob->digest) != 0)
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "%s/%s is damaged: %llu bytes of that digest are expected, there are %zu "
                         "bytes of %s",
                         path, name, (unsigned long long)blob->size_bytes, *out_size_bytes, digest);
    *out = steal_pointer(&bytes);
    return SNAPCELL_OK;
}
