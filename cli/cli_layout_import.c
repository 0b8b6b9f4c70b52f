/* import --oci. */
#include <string.h>

#include "cli_layout.h"
#include "error_set.h"
#include "oci_layout.h"

/* An index in an index is one level deeper; nobody needs more. */
#define LAYOUT_DEPTH_MAX 4

typedef struct layout_import {
    const char *folder;
    cli_arrivals *arrivals;
    oci_facts first; /* of the first function */
    bool has_first;
    size_t other_count; /* entries that are not functions */
} layout_import;

static int import_read(const layout_import *import, const oci_descriptor *descriptor,
                       oci_document *out, snapcell_error *err)
{
    cleanup_free void *bytes = NULL;
    size_t size_bytes = 0;
    char what[64 + OCI_DIGEST_TEXT_SIZE];
    snprintf(what, sizeof(what), "the layout's blob %s", descriptor->digest);
    int status = oci_layout_get(import->folder, descriptor, &bytes, &size_bytes, err);
    if (status == SNAPCELL_OK) status = oci_document_read(what, bytes, size_bytes, out, err);
    if (status != SNAPCELL_OK) return status;
    oci_document_kind expected =
        oci_descriptor_is_index(descriptor) ? OCI_DOCUMENT_INDEX : OCI_DOCUMENT_MANIFEST;
    if (out->kind == expected) return SNAPCELL_OK;
    oci_document_release(out);
    return error_set(err, SNAPCELL_E_CORRUPT, "%s is not what its descriptor says: %s", what,
                     descriptor->media_type);
}

static int import_take(layout_import *import, const oci_manifest *manifest, snapcell_error *err)
{
    void *bytes = NULL;
    size_t size_bytes = 0;
    int status = cli_arrivals_check_name(
        import->arrivals->name, import->has_first ? &import->first : NULL, &manifest->facts, err);
    if (status == SNAPCELL_OK)
        status = oci_layout_get(import->folder, &manifest->layers[0], &bytes, &size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    if (!import->has_first) import->first = manifest->facts;
    import->has_first = true;
    return cli_arrivals_add(import->arrivals, bytes, size_bytes, &manifest->facts, err);
}

static int import_entries(layout_import *import, const oci_index *index, int depth,
                          snapcell_error *err);

static int import_entry(layout_import *import, const oci_entry *entry, int depth,
                        snapcell_error *err)
{
    const oci_descriptor *descriptor = &entry->document;
    if (!oci_descriptor_is_index(descriptor) && !oci_descriptor_is_manifest(descriptor)) {
        import->other_count++;
        return SNAPCELL_OK;
    }
    oci_document cleanup_oci_document document = {0};
    int status = import_read(import, descriptor, &document, err);
    if (status != SNAPCELL_OK) return status;
    if (document.kind == OCI_DOCUMENT_INDEX)
        return import_entries(import, &document.index, depth + 1, err);
    if (oci_manifest_is_function(&document.manifest))
        return import_take(import, &document.manifest, err);
    import->other_count++;
    return SNAPCELL_OK;
}

static int import_entries(layout_import *import, const oci_index *index, int depth,
                          snapcell_error *err)
{
    int status = SNAPCELL_OK;
    if (depth > LAYOUT_DEPTH_MAX)
        return error_set(err, SNAPCELL_E_CORRUPT, "%s has indexes more than %d levels deep",
                         import->folder, LAYOUT_DEPTH_MAX);
    for (size_t i = 0; status == SNAPCELL_OK && i < index->count; i++)
        status = import_entry(import, &index->entries[i], depth, err);
    return status;
}

static int import_all(layout_import *import, snapcell_error *err)
{
    oci_document cleanup_oci_document top = {0};
    int status = oci_layout_index(import->folder, &top, err);
    if (status == SNAPCELL_OK) status = import_entries(import, &top.index, 0, err);
    if (status == SNAPCELL_OK && import->arrivals->count == 0)
        status = error_set(err, SNAPCELL_E_NOT_FOUND,
                           "%s holds no function of snapcell's, and %zu other things",
                           import->folder, import->other_count);
    return status;
}

cli_status cli_layout_import(const cli_arguments *arguments, const char *folder, const char *name,
                             bool replace)
{
    snapcell_error err;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    cli_cleanup_arrivals cli_arrivals arrivals = {.arguments = arguments,
                                                  .name = name,
                                                  .replace = replace,
                                                  .action = SNAPCELL_HISTORY_IMPORTED,
                                                  .origin = folder};
    layout_import import = {.folder = folder, .arrivals = &arrivals};
    int status = cli_trust_open(arguments, &trust, &err);
    arrivals.trust = trust;
    if (status == SNAPCELL_OK) status = import_all(&import, &err);
    if (status != SNAPCELL_OK) return cli_report(folder, &err);
    if (import.other_count > 0)
        cli_message("%s also holds %zu things that are not functions; they stay there", folder,
                    import.other_count);
    return cli_arrivals_put(&arrivals, "imported", NULL);
}
