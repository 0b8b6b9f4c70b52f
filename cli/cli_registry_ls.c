/* ls oci://...: what a registry has. */
#include <stdlib.h>
#include <string.h>

#include "cli_registry.h"
#include "error_set.h"

/* --- Tags --- */

static int tags_add(void *user, const char *tag)
{
    return json_array_append_new(user, json_string(tag)) == 0 ? 0 : SNAPCELL_E_NOMEM;
}

static int tags_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In byte order, whatever the registry's is. */
static int tags_print(const json_t *tags, bool json, snapcell_error *err)
{
    size_t count = json_array_size(tags);
    cleanup_free const char **sorted = calloc(count + 1, sizeof(*sorted));
    if (!sorted) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of tags");
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_string_value(json_array_get(tags, i));
    qsort(sorted, count, sizeof(*sorted), tags_compare);
    if (json) cli_print_json_begin();
    for (size_t i = 0; i < count; i++) {
        if (json)
            cli_print_json_item(json_pack("{s:s}", "tag", sorted[i]));
        else
            cli_print("%s\n", sorted[i]);
    }
    if (json) cli_print_json_end();
    return SNAPCELL_OK;
}

static int ls_tags(registry_client *registry, const oci_reference *reference, bool json,
                   snapcell_error *err)
{
    json_t *tags = json_array();
    int status = registry_each_tag(registry, reference->repository, tags_add, tags, err);
    if (status == SNAPCELL_E_NOMEM)
        error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of tags");
    if (status == SNAPCELL_OK) status = tags_print(tags, json, err);
    json_decref(tags);
    return status;
}

/* --- The functions of one --- */

static void functions_print(const oci_entry *entry, bool json)
{
    const oci_facts *facts = &entry->facts;
    char own[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint engine = cli_engine();
    bool current = strcmp(facts->engine, cli_fingerprint_text(&engine, own)) == 0;
    if (json)
        cli_print_json_item(json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "name", facts->name, "key", facts->key,
            "engine", facts->engine, "architecture", facts->architecture, "tenant", facts->tenant,
            "signer", facts->signer, "digest", entry->document.digest, "current", (int)current));
    else
        cli_print("%s  %.12s  %s  %s%s%.16s\n", facts->name, facts->key, facts->architecture,
                  current ? "this" : facts->engine, facts->signer[0] ? "  signed by " : "",
                  facts->signer);
}

static int ls_functions(registry_client *registry, const oci_reference *reference, bool json,
                        snapcell_error *err)
{
    cleanup_free void *raw = NULL;
    oci_descriptor descriptor;
    oci_document cleanup_oci_document document = {0};
    int status =
        cli_registry_document(registry, reference->repository, oci_reference_target(reference),
                              NULL, &raw, &descriptor, &document, err);
    if (status != SNAPCELL_OK) return status;
    oci_entry alone = {.document = descriptor, .facts = document.manifest.facts};
    bool is_index = document.kind == OCI_DOCUMENT_INDEX;
    const oci_entry *entries = is_index ? document.index.entries : &alone;
    size_t count = is_index ? document.index.count : 1;
    if (json) cli_print_json_begin();
    for (size_t i = 0; i < count; i++)
        if (is_index ? oci_entry_is_function(&entries[i])
                     : oci_manifest_is_function(&document.manifest))
            functions_print(&entries[i], json);
    if (json) cli_print_json_end();
    return SNAPCELL_OK;
}

cli_status cli_registry_ls(const cli_arguments *arguments, cli_registry_options *options)
{
    oci_reference reference;
    snapcell_error err;
    registry_client cleanup_registry *registry = NULL;
    if (!cli_registry_reference(arguments->operands[0], &reference)) return CLI_USAGE;
    int status = registry_open(reference.host, &options->options, &registry, &err);
    if (status == SNAPCELL_OK)
        status = reference.tag[0] || reference.digest[0]
                     ? ls_functions(registry, &reference, arguments->json, &err)
                     : ls_tags(registry, &reference, arguments->json, &err);
    return status == SNAPCELL_OK ? CLI_DONE : cli_report(NULL, &err);
}
