/* What a tag of a registry stands for, fetched and checked. */
#include "cli_pull.h"

#include <stdlib.h>
#include <string.h>

#include "error_set.h"

/* An index in an index is one level deeper; nobody needs more. */
#define PULL_DEPTH_MAX 4

/* --- One function --- */

/* The layer, when the store has it already: nothing need be fetched then. */
static bool pull_from_store(const cli_pull *pull, const oci_facts *facts,
                            const oci_descriptor *layer, void **out)
{
    snapcell_key key;
    size_t size_bytes = 0;
    char digest[OCI_DIGEST_TEXT_SIZE];
    cleanup_free void *bytes = NULL;
    if (!pull->store || snapcell_key_parse(facts->key, &key, NULL) != SNAPCELL_OK ||
        snapcell_store_get(pull->store, &key, &bytes, &size_bytes, NULL) != SNAPCELL_OK ||
        size_bytes != layer->size_bytes)
        return false;
    oci_digest_of(bytes, size_bytes, digest);
    if (strcmp(digest, layer->digest) != 0) return false;
    *out = steal_pointer(&bytes);
    return true;
}

static int pull_layer(cli_pull *pull, const oci_manifest *manifest, void **out, snapcell_error *err)
{
    const oci_descriptor *layer = &manifest->layers[0];
    if (pull_from_store(pull, &manifest->facts, layer, out)) return SNAPCELL_OK;
    return registry_get_blob(pull->registry, pull->reference.repository, layer, out, err);
}

/* `entry`: NULL when a manifest was requested by itself. */
static int pull_manifest(cli_pull *pull, const oci_manifest *manifest, const oci_entry *entry,
                         snapcell_error *err)
{
    void *bytes = NULL;
    const oci_facts *facts = &manifest->facts;
    if (entry &&
        (strcmp(entry->facts.name, facts->name) != 0 || strcmp(entry->facts.key, facts->key) != 0 ||
         strcmp(entry->facts.engine, facts->engine) != 0))
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "the manifest of '%s' is of another function than the index says: '%s'",
                         entry->facts.name, facts->name);
    int status = cli_arrivals_check_name(pull->arrivals->name,
                                         pull->has_first ? &pull->first : NULL, facts, err);
    if (status != SNAPCELL_OK) return status;
    if (!pull->has_first) pull->first = *facts;
    pull->has_first = true;
    cli_registry_label(pull->registry_options, facts->name);
    status = pull_layer(pull, manifest, &bytes, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_error cause = {0};
    status = cli_arrivals_add(pull->arrivals, bytes, (size_t)manifest->layers[0].size_bytes, facts,
                              &cause);
    return status == SNAPCELL_OK ? status
                                 : error_set(err, status, "%s: %s", facts->name, cause.message);
}

/* --- What a tag has --- */

static bool pull_wants(const cli_pull *pull, const oci_entry *entry)
{
    char own[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint engine = cli_engine();
    cli_fingerprint_text(&engine, own);
    return pull->all_engines || strcmp(entry->facts.engine, own) == 0;
}

static int pull_index(cli_pull *pull, const oci_index *index, int depth, snapcell_error *err);

static int pull_document(cli_pull *pull, const char *target, const oci_entry *entry, int depth,
                         oci_descriptor *out, snapcell_error *err)
{
    cleanup_free void *raw = NULL;
    oci_document cleanup_oci_document document = {0};
    int status = cli_registry_document(pull->registry, pull->reference.repository, target,
                                       entry ? &entry->document : NULL, &raw, out, &document, err);
    if (status != SNAPCELL_OK) return status;
    if (document.kind == OCI_DOCUMENT_INDEX)
        return pull_index(pull, &document.index, depth + 1, err);
    if (oci_manifest_is_function(&document.manifest))
        return pull_manifest(pull, &document.manifest, entry, err);
    return error_set(err, SNAPCELL_E_FORMAT, "%s is no function of snapcell's, but something else",
                     target);
}

/* A name must have an artifact that can be used: half of a release is none. */
static int pull_check_names(const cli_pull *pull, const oci_index *index, snapcell_error *err)
{
    for (size_t i = 0; i < index->count; i++) {
        const oci_facts *facts = &index->entries[i].facts;
        bool has = !oci_entry_is_function(&index->entries[i]);
        for (size_t j = 0; !has && j < pull->arrivals->count; j++)
            has = strcmp(pull->arrivals->name ? facts->name : pull->arrivals->items[j].name,
                         facts->name) == 0;
        if (!has)
            return error_set(err, SNAPCELL_E_OTHER_ENGINE,
                             "'%s' has no artifact for this engine there, but one for engine %s, "
                             "%s; `snapcell pull --all-engines` takes it, and `snapcell recompile` "
                             "makes the missing one",
                             facts->name, facts->engine, facts->architecture);
    }
    return SNAPCELL_OK;
}

static int pull_index(cli_pull *pull, const oci_index *index, int depth, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    oci_descriptor descriptor;
    if (depth > PULL_DEPTH_MAX)
        return error_set(err, SNAPCELL_E_CORRUPT, "there are indexes more than %d levels deep",
                         PULL_DEPTH_MAX);
    for (size_t i = 0; status == SNAPCELL_OK && i < index->count; i++) {
        const oci_entry *entry = &index->entries[i];
        bool is_index = oci_descriptor_is_index(&entry->document);
        if (is_index || (oci_entry_is_function(entry) && pull_wants(pull, entry)))
            status = pull_document(pull, entry->document.digest, entry, depth, &descriptor, err);
    }
    return status == SNAPCELL_OK ? pull_check_names(pull, index, err) : status;
}

/* --- All --- */

int cli_pull_fetch(cli_pull *pull, oci_descriptor *out, snapcell_error *err)
{
    const char *target = oci_reference_target(&pull->reference);
    int status = pull_document(pull, target, NULL, 0, out, err);
    if (status == SNAPCELL_OK && pull->arrivals->count == 0)
        status = error_set(err, SNAPCELL_E_NOT_FOUND, "%s:%s holds no function of snapcell's",
                           pull->reference.repository, target);
    return status;
}
