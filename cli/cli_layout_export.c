/* export --oci. */
#include <stdlib.h>
#include <string.h>

#include "cli_layout.h"
#include "error_set.h"
#include "oci_layout.h"

typedef struct layout_export {
    const cli_arguments *arguments;
    snapcell_store *store;
    const snapcell_trust *trust;
    oci_layout *layout;
    bool has_artifact_type;
    oci_entry *tags; /* Owned; an index for each name */
    size_t tag_count;
    json_t *told; /* Owned; what --json prints */
} layout_export;

static int export_put(oci_layout *layout, const cli_departing *departing, snapcell_error *err)
{
    const oci_function *function = &departing->function;
    int status = oci_layout_put(layout, &function->layer, departing->bytes, err);
    if (status == SNAPCELL_OK)
        status = oci_layout_put(layout, &function->config, function->config_json, err);
    if (status == SNAPCELL_OK)
        status = oci_layout_put(layout, &function->entry.document, function->manifest_json, err);
    return status;
}

/* The index of a name's artifacts, which becomes a tag. */
static int export_index(layout_export *export, const char *name, oci_entry *entries, size_t count,
                        snapcell_error *err)
{
    cleanup_free char *text = NULL;
    size_t size_bytes = 0;
    oci_entry *tag = &export->tags[export->tag_count];
    memset(tag, 0, sizeof(*tag));
    int status = oci_index_write(entries, count, &text, &size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    strcpy(tag->document.media_type, OCI_TYPE_INDEX);
    oci_digest_of(text, size_bytes, tag->document.digest);
    tag->document.size_bytes = size_bytes;
    oci_tag_of_name(name, tag->tag);
    snprintf(tag->facts.name, sizeof(tag->facts.name), "%s", name);
    export->tag_count++;
    return oci_layout_put(export->layout, &tag->document, text, err);
}

static void export_note(const layout_export *export, const cli_departing *departing)
{
    const oci_entry *entry = &departing->function.entry;
    char tag[OCI_TAG_SIZE_MAX + 1];
    oci_tag_of_name(entry->facts.name, tag);
    json_array_append_new(export->told,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name",
                                    entry->facts.name, "key", entry->facts.key, "engine",
                                    entry->facts.engine, "architecture", entry->facts.architecture,
                                    "tag", tag, "digest", entry->document.digest, "artifact_bytes",
                                    (json_int_t)departing->size_bytes));
}

/* The artifacts of one name, from `at` on; gives how many there are. */
static int export_name(layout_export *export, const cli_departures *departures, size_t at,
                       size_t *out_count, snapcell_error *err)
{
    const char *name = departures->items[at].name;
    size_t count = 0;
    while (at + count < departures->count && strcmp(departures->items[at + count].name, name) == 0)
        count++;
    cleanup_free oci_entry *entries = calloc(count, sizeof(*entries));
    if (!entries) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < count; i++) {
        cli_cleanup_departing cli_departing departing = {0};
        status = cli_departing_read(export->store, export->arguments, export->trust,
                                    &departures->items[at + i], export->has_artifact_type,
                                    &departing, err);
        if (status == SNAPCELL_OK) status = export_put(export->layout, &departing, err);
        if (status != SNAPCELL_OK) break;
        entries[i] = departing.function.entry;
        export_note(export, &departing);
    }
    *out_count = count;
    return status == SNAPCELL_OK ? export_index(export, name, entries, count, err) : status;
}

static int export_all(layout_export *export, const char *folder, bool force, snapcell_error *err)
{
    cli_cleanup_departures cli_departures departures = {0};
    const cli_arguments *arguments = export->arguments;
    int status = cli_departures_find(export->store, arguments->operands,
                                     (size_t)arguments->operand_count, &departures, err);
    if (status == SNAPCELL_OK) status = oci_layout_begin(folder, &export->layout, err);
    if (status == SNAPCELL_OK) {
        export->tags = calloc(departures.count + 1, sizeof(*export->tags));
        if (!export->tags) status = error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
    }
    size_t count = 0;
    for (size_t at = 0; status == SNAPCELL_OK && at < departures.count; at += count)
        status = export_name(export, &departures, at, &count, err);
    return status == SNAPCELL_OK
               ? oci_layout_commit(export->layout, export->tags, export->tag_count, force, err)
               : status;
}

static void export_tell(const layout_export *export)
{
    size_t i;
    json_t *item;
    if (export->arguments->json) {
        cli_print_json(json_incref(export->told));
        return;
    }
    json_array_foreach(export->told, i, item)
    {
        cli_print("exported %s  %.12s  %s\n", json_string_value(json_object_get(item, "name")),
                  json_string_value(json_object_get(item, "key")),
                  json_string_value(json_object_get(item, "tag")));
    }
}

cli_status cli_layout_export(const cli_arguments *arguments, const char *folder, bool force,
                             bool has_artifact_type)
{
    snapcell_error err;
    cli_status exit_status;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    if (cli_trust_open(arguments, &trust, &err) != SNAPCELL_OK) return cli_report(NULL, &err);
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments->store, SNAPCELL_STORE_READ, &exit_status);
    if (!store) return exit_status;
    layout_export export = {.arguments = arguments,
                            .store = store,
                            .trust = trust,
                            .has_artifact_type = has_artifact_type,
                            .told = json_array()};
    if (export_all(&export, folder, force, &err) == SNAPCELL_OK)
        export_tell(&export);
    else
        exit_status = cli_report(NULL, &err);
    oci_layout_discard(export.layout);
    free(export.tags);
    json_decref(export.told);
    return exit_status;
}
