/* snapcell pull: functions from a registry. */
#include <stdlib.h>
#include <string.h>

#include "cli_registry.h"
#include "error_set.h"

/* An index in an index is one level deeper; nobody needs more. */
#define PULL_DEPTH_MAX 4

enum { PULL_ALL_ENGINES = 256, PULL_RELEASE, PULL_ACTIVATE };

static const cli_option pull_options[] = {
    {'n', "name", "NAME", "the function's name (default: the one that it was pushed under)"},
    {PULL_ALL_ENGINES, "all-engines", NULL,
     "artifacts for other engines, too (default: for this one alone)"},
    {PULL_RELEASE, "release", "RELEASE", "make a release of what comes, instead of setting names"},
    {PULL_ACTIVATE, "activate", NULL, "with --release: and activate it"},
    {'r', "replace", NULL,
     "replace an artifact that has the same key and other bytes, as after\nsigning it again"},
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    CLI_REGISTRY_OPTIONS,
    CLI_JSON_OPTION("a JSON object: reference, digest, fetched_bytes, functions (name,\n"
                    "key, kind, shape, artifact_bytes, engine, current)"),
    CLI_OPTIONS_END,
};

typedef struct pull_state {
    cli_arguments arguments;
    cli_registry_options registry_options;
    const char *name;
    bool replace;
    bool all_engines;
    const char *release;
    bool activate;
    oci_reference reference;
    registry_client *registry; /* Owned */
    snapcell_store *store;     /* Owned; NULL when there is none yet */
    cli_arrivals arrivals;
    oci_facts first; /* of the first function */
    bool has_first;
} pull_state;

static bool pull_take(void *user, int id, const char *value)
{
    pull_state *state = user;
    if (id == 'n') state->name = value;
    if (id == 'r') state->replace = true;
    if (id == PULL_ALL_ENGINES) state->all_engines = true;
    if (id == PULL_RELEASE) state->release = value;
    if (id == PULL_ACTIVATE) state->activate = true;
    return cli_registry_take(&state->registry_options, id, value);
}

/* --- One function --- */

/* The layer, when the store has it already: nothing need be fetched then. */
static bool pull_from_store(const pull_state *state, const oci_facts *facts,
                            const oci_descriptor *layer, void **out)
{
    snapcell_key key;
    size_t size_bytes = 0;
    char digest[OCI_DIGEST_TEXT_SIZE];
    cleanup_free void *bytes = NULL;
    if (!state->store || snapcell_key_parse(facts->key, &key, NULL) != SNAPCELL_OK ||
        snapcell_store_get(state->store, &key, &bytes, &size_bytes, NULL) != SNAPCELL_OK ||
        size_bytes != layer->size_bytes)
        return false;
    oci_digest_of(bytes, size_bytes, digest);
    if (strcmp(digest, layer->digest) != 0) return false;
    *out = steal_pointer(&bytes);
    return true;
}

static int pull_layer(pull_state *state, const oci_manifest *manifest, void **out,
                      snapcell_error *err)
{
    const oci_descriptor *layer = &manifest->layers[0];
    if (pull_from_store(state, &manifest->facts, layer, out)) return SNAPCELL_OK;
    return registry_get_blob(state->registry, state->reference.repository, layer, out, err);
}

/* `entry`: NULL when a manifest was requested by itself. */
static int pull_manifest(pull_state *state, const oci_manifest *manifest, const oci_entry *entry,
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
    int status =
        cli_arrivals_check_name(state->name, state->has_first ? &state->first : NULL, facts, err);
    if (status != SNAPCELL_OK) return status;
    if (!state->has_first) state->first = *facts;
    state->has_first = true;
    cli_registry_label(&state->registry_options, facts->name);
    status = pull_layer(state, manifest, &bytes, err);
    if (status != SNAPCELL_OK) return status;
    return cli_arrivals_add(&state->arrivals, bytes, (size_t)manifest->layers[0].size_bytes, facts,
                            err);
}

/* --- What a tag has --- */

static bool pull_wants(const pull_state *state, const oci_entry *entry)
{
    char own[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint engine = cli_engine();
    cli_fingerprint_text(&engine, own);
    return state->all_engines || strcmp(entry->facts.engine, own) == 0;
}

static int pull_index(pull_state *state, const oci_index *index, int depth, snapcell_error *err);

static int pull_document(pull_state *state, const char *target, const oci_entry *entry, int depth,
                         oci_descriptor *out, snapcell_error *err)
{
    cleanup_free void *raw = NULL;
    oci_document cleanup_oci_document document = {0};
    int status = cli_registry_document(state->registry, state->reference.repository, target,
                                       entry ? &entry->document : NULL, &raw, out, &document, err);
    if (status != SNAPCELL_OK) return status;
    if (document.kind == OCI_DOCUMENT_INDEX)
        return pull_index(state, &document.index, depth + 1, err);
    if (oci_manifest_is_function(&document.manifest))
        return pull_manifest(state, &document.manifest, entry, err);
    return error_set(err, SNAPCELL_E_FORMAT, "%s is no function of snapcell's, but something else",
                     target);
}

/* A name must have an artifact that can be used: half of a release is none. */
static int pull_check_names(const pull_state *state, const oci_index *index, snapcell_error *err)
{
    for (size_t i = 0; i < index->count; i++) {
        const oci_facts *facts = &index->entries[i].facts;
        bool has = !oci_entry_is_function(&index->entries[i]);
        for (size_t j = 0; !has && j < state->arrivals.count; j++)
            has =
                strcmp(state->name ? facts->name : state->arrivals.items[j].name, facts->name) == 0;
        if (!has)
            return error_set(err, SNAPCELL_E_OTHER_ENGINE,
                             "'%s' has no artifact for this engine there, but one for engine %s, "
                             "%s; `snapcell pull --all-engines` takes it, and `snapcell recompile` "
                             "makes the missing one",
                             facts->name, facts->engine, facts->architecture);
    }
    return SNAPCELL_OK;
}

static int pull_index(pull_state *state, const oci_index *index, int depth, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    oci_descriptor descriptor;
    if (depth > PULL_DEPTH_MAX)
        return error_set(err, SNAPCELL_E_CORRUPT, "there are indexes more than %d levels deep",
                         PULL_DEPTH_MAX);
    for (size_t i = 0; status == SNAPCELL_OK && i < index->count; i++) {
        const oci_entry *entry = &index->entries[i];
        bool is_index = oci_descriptor_is_index(&entry->document);
        if (is_index || (oci_entry_is_function(entry) && pull_wants(state, entry)))
            status = pull_document(state, entry->document.digest, entry, depth, &descriptor, err);
    }
    return status == SNAPCELL_OK ? pull_check_names(state, index, err) : status;
}

/* --- All --- */

static int pull_all(pull_state *state, oci_descriptor *out, snapcell_error *err)
{
    const char *target = oci_reference_target(&state->reference);
    int status = registry_open(state->reference.host, &state->registry_options.options,
                               &state->registry, err);
    if (status == SNAPCELL_OK) status = pull_document(state, target, NULL, 0, out, err);
    if (status == SNAPCELL_OK && state->arrivals.count == 0)
        status = error_set(err, SNAPCELL_E_NOT_FOUND, "%s:%s holds no function of snapcell's",
                           state->reference.repository, target);
    return status;
}

static cli_status pull_put(pull_state *state, const oci_descriptor *descriptor)
{
    char text[OCI_REFERENCE_TEXT_SIZE];
    oci_reference_format(&state->reference, text);
    json_t *more = json_pack("{s:s, s:s, s:I}", "reference", text, "digest", descriptor->digest,
                             "fetched_bytes", (json_int_t)state->registry_options.moved_size_bytes);
    snapcell_store_close(state->store);
    state->store = NULL;
    return cli_arrivals_put(&state->arrivals, "pulled", more);
}

static cli_status pull_run(pull_state *state)
{
    snapcell_error err;
    oci_descriptor descriptor;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    const cli_arguments *arguments = &state->arguments;
    if (!cli_registry_reference(arguments->operands[0], &state->reference)) return CLI_USAGE;
    if (state->activate && !state->release) return cli_usage("--activate is for --release");
    if ((state->name && snapcell_name_check(state->name, &err) != SNAPCELL_OK) ||
        (state->release && snapcell_name_check(state->release, &err) != SNAPCELL_OK))
        return cli_report(NULL, &err);
    if (cli_trust_open(arguments, &trust, &err) != SNAPCELL_OK) return cli_report(NULL, &err);
    cli_guard_store(arguments->store);
    int status = snapcell_store_open(arguments->store, SNAPCELL_STORE_READ, &state->store, &err);
    if (status != SNAPCELL_OK && status != SNAPCELL_E_NOT_FOUND)
        return cli_report(arguments->store, &err);
    state->arrivals = (cli_arrivals){.arguments = arguments,
                                     .trust = trust,
                                     .name = state->name,
                                     .replace = state->replace,
                                     .release = state->release,
                                     .activates = state->activate};
    status = pull_all(state, &descriptor, &err);
    cli_registry_label(&state->registry_options, "");
    return status == SNAPCELL_OK ? pull_put(state, &descriptor) : cli_report(NULL, &err);
}

static cli_status pull_main(const cli_command *command, int argc, char **argv)
{
    pull_state state = {0};
    cli_status status;
    if (cli_parse(command, argc, argv, pull_take, &state, &state.arguments, &status))
        status = pull_run(&state);
    cli_arrivals_release(&state.arrivals);
    registry_close(state.registry);
    snapcell_store_close(state.store);
    return status;
}

const cli_command cmd_pull = {
    .name = "pull",
    .operands = "oci://HOST/REPOSITORY[:TAG|@DIGEST]",
    .summary = "pull functions from a registry",
    .description =
        "Puts the functions that a tag (default: latest) or a digest stands for into the store,\n"
        "which is made when it is missing: all of them in one transaction, or none. Every digest\n"
        "and every artifact is checked; with --trust, every signature. What the store has is not\n"
        "fetched again.",
    .options = pull_options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = pull_main,
};
