/* snapcell push: functions into a registry. */
#include <stdlib.h>
#include <string.h>

#include "cli_registry.h"
#include "error_set.h"

enum { PUSH_ADD = 256, PUSH_NO_ARTIFACT_TYPE, PUSH_MOUNT, PUSH_RELEASE };

static const cli_option push_options[] = {
    {PUSH_RELEASE, "release", "RELEASE",
     "what this release holds, instead of REF...; the default tag is its\nname"},
    {PUSH_ADD, "add", NULL,
     "keep what the tag has already for other names and engines, as when a\n"
     "second machine adds its architecture"},
    {PUSH_MOUNT, "mount", "REPOSITORY",
     "take blobs from this repository of the registry, where it has them"},
    {PUSH_NO_ARTIFACT_TYPE, "no-artifact-type", NULL,
     "for registries that know no artifact types of others"},
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    CLI_REGISTRY_OPTIONS,
    CLI_CHUNK_OPTION,
    CLI_JSON_OPTION("a JSON object: reference, digest, functions (name, key, engine,\n"
                    "architecture, digest, artifact_bytes, uploaded)"),
    CLI_OPTIONS_END,
};

typedef struct push_state {
    cli_arguments arguments;
    cli_registry_options registry_options;
    bool add;
    bool no_artifact_type;
    const char *release;
    const char *mount;
    oci_reference reference;
    registry_client *registry; /* Owned */
    snapcell_trust *trust;     /* Owned */
    oci_entry *entries;        /* Owned; of the index */
    size_t entry_count;
    json_t *told; /* Owned */
} push_state;

static bool push_take(void *user, int id, const char *value)
{
    push_state *state = user;
    if (id == PUSH_ADD) state->add = true;
    if (id == PUSH_NO_ARTIFACT_TYPE) state->no_artifact_type = true;
    if (id == PUSH_RELEASE) state->release = value;
    if (id == PUSH_MOUNT) state->mount = value;
    if (id == PUSH_MOUNT && !oci_repository_is_valid(value, strlen(value))) {
        cli_message("--mount needs the name of a repository, not '%s'", value);
        return false;
    }
    return cli_registry_take(&state->registry_options, id, value);
}

/* --- One function --- */

static int push_blob(push_state *state, const oci_descriptor *blob, const void *bytes,
                     bool *uploaded, snapcell_error *err)
{
    const char *repository = state->reference.repository;
    bool there = false;
    int status = registry_has_blob(state->registry, repository, blob, &there, err);
    if (status == SNAPCELL_OK && !there && state->mount)
        status = registry_mount_blob(state->registry, repository, blob, state->mount, &there, err);
    if (status != SNAPCELL_OK || there) return status;
    *uploaded = true;
    return registry_put_blob(state->registry, repository, blob, bytes, err);
}

static void push_note(push_state *state, const cli_departing *departing, bool uploaded)
{
    const oci_entry *entry = &departing->function.entry;
    const oci_facts *facts = &entry->facts;
    json_array_append_new(state->told,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "name", facts->name,
                                    "key", facts->key, "engine", facts->engine, "architecture",
                                    facts->architecture, "digest", entry->document.digest,
                                    "artifact_bytes", (json_int_t)departing->size_bytes, "uploaded",
                                    (int)uploaded));
}

static int push_function(push_state *state, const cli_departing *departing, snapcell_error *err)
{
    const oci_function *function = &departing->function;
    const oci_descriptor *document = &function->entry.document;
    bool uploaded = false;
    bool config_uploaded = false;
    cli_registry_label(&state->registry_options, function->entry.facts.name);
    int status = push_blob(state, &function->layer, departing->bytes, &uploaded, err);
    if (status == SNAPCELL_OK)
        status = push_blob(state, &function->config, function->config_json, &config_uploaded, err);
    if (status == SNAPCELL_OK)
        status = registry_put_document(state->registry, state->reference.repository,
                                       document->digest, document, function->manifest_json, err);
    if (status != SNAPCELL_OK) return status;
    state->entries[state->entry_count++] = function->entry;
    push_note(state, departing, uploaded);
    return SNAPCELL_OK;
}

/* --- The tag --- */

static bool push_replaces(const push_state *state, const oci_entry *there)
{
    for (size_t i = 0; i < state->entry_count; i++)
        if (strcmp(state->entries[i].facts.name, there->facts.name) == 0 &&
            strcmp(state->entries[i].facts.engine, there->facts.engine) == 0)
            return true;
    return false;
}

static int push_keep(push_state *state, const oci_document *document, snapcell_error *err)
{
    size_t own = state->entry_count;
    oci_entry *entries =
        realloc(state->entries, (own + document->index.count + 1) * sizeof(*entries));
    if (!entries) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
    state->entries = entries;
    size_t count = own;
    for (size_t i = 0; i < document->index.count; i++)
        if (!push_replaces(state, &document->index.entries[i]))
            entries[count++] = document->index.entries[i];
    state->entry_count = count;
    return SNAPCELL_OK;
}

/* --add: what the tag has for other names and engines. */
static int push_add_there(push_state *state, snapcell_error *err)
{
    cleanup_free void *raw = NULL;
    oci_descriptor descriptor;
    oci_document cleanup_oci_document document = {0};
    int status = cli_registry_document(state->registry, state->reference.repository,
                                       oci_reference_target(&state->reference), NULL, &raw,
                                       &descriptor, &document, err);
    if (status == SNAPCELL_E_NOT_FOUND) return SNAPCELL_OK;
    if (status != SNAPCELL_OK) return status;
    if (document.kind == OCI_DOCUMENT_INDEX) return push_keep(state, &document, err);
    return error_set(err, SNAPCELL_E_EXISTS,
                     "the tag %s is a manifest, to which nothing can be added; push without --add "
                     "replaces it",
                     oci_reference_target(&state->reference));
}

static int push_index(push_state *state, oci_descriptor *out, snapcell_error *err)
{
    cleanup_free char *text = NULL;
    size_t size_bytes = 0;
    int status = state->add ? push_add_there(state, err) : SNAPCELL_OK;
    if (status == SNAPCELL_OK)
        status = oci_index_write(state->entries, state->entry_count, &text, &size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    *out = (oci_descriptor){.media_type = OCI_TYPE_INDEX, .size_bytes = size_bytes};
    oci_digest_of(text, size_bytes, out->digest);
    return registry_put_document(state->registry, state->reference.repository,
                                 oci_reference_target(&state->reference), out, text, err);
}

/* --- All --- */

static int push_all(push_state *state, snapcell_store *store, oci_descriptor *out,
                    snapcell_error *err)
{
    cli_cleanup_departures cli_departures departures = {0};
    size_t ref_count = (size_t)state->arguments.operand_count - 1;
    int status = state->release ? cli_departures_of_release(store, state->release, &departures, err)
                                : cli_departures_find(store, state->arguments.operands, ref_count,
                                                      &departures, err);
    if (status == SNAPCELL_OK) {
        state->entries = calloc(departures.count + 1, sizeof(*state->entries));
        if (!state->entries) status = error_set(err, SNAPCELL_E_NOMEM, "no memory for an index");
    }
    if (status == SNAPCELL_OK)
        status = registry_open(state->reference.host, &state->registry_options.options,
                               &state->registry, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < departures.count; i++) {
        cli_cleanup_departing cli_departing departing = {0};
        status = cli_departing_read(store, &state->arguments, state->trust, &departures.items[i],
                                    !state->no_artifact_type, &departing, err);
        if (status == SNAPCELL_OK) status = push_function(state, &departing, err);
    }
    return status == SNAPCELL_OK ? push_index(state, out, err) : status;
}

static void push_tell(const push_state *state, const oci_descriptor *index)
{
    size_t i;
    json_t *item;
    char text[OCI_REFERENCE_TEXT_SIZE];
    oci_reference reference = state->reference;
    snprintf(reference.tag, sizeof(reference.tag), "%s", oci_reference_target(&state->reference));
    oci_reference_format(&reference, text);
    if (state->arguments.json) {
        cli_print_json(json_pack("{s:s, s:s, s:O}", "reference", text, "digest", index->digest,
                                 "functions", state->told));
        return;
    }
    json_array_foreach(state->told, i, item)
    {
        cli_print("pushed %s  %.12s%s\n", json_string_value(json_object_get(item, "name")),
                  json_string_value(json_object_get(item, "key")),
                  json_is_true(json_object_get(item, "uploaded")) ? "" : "  (was there)");
    }
    cli_print("%s@%s\n", text, index->digest);
}

static cli_status push_run(push_state *state)
{
    snapcell_error err;
    cli_status exit_status;
    oci_descriptor index;
    const cli_arguments *arguments = &state->arguments;
    if (!cli_registry_reference(arguments->operands[arguments->operand_count - 1],
                                &state->reference))
        return CLI_USAGE;
    if (!state->release && arguments->operand_count < 2)
        return cli_usage("push needs more: snapcell push [OPTIONS] REF... "
                         "oci://HOST/REPOSITORY[:TAG]");
    if (state->release && arguments->operand_count > 1)
        return cli_usage("'%s' is one too many: --release says what is pushed",
                         arguments->operands[0]);
    if (state->release && !state->reference.tag[0])
        oci_tag_of_name(state->release, state->reference.tag);
    if (state->reference.digest[0])
        return cli_usage("push takes a tag, not a digest, which follows from what is pushed");
    if (cli_trust_open(arguments, &state->trust, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments->store, SNAPCELL_STORE_READ, &exit_status);
    if (!store) return exit_status;
    state->told = json_array();
    int status = push_all(state, store, &index, &err);
    cli_registry_label(&state->registry_options, "");
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    push_tell(state, &index);
    return CLI_DONE;
}

static cli_status push_main(const cli_command *command, int argc, char **argv)
{
    push_state state = {0};
    cli_status status;
    if (cli_parse(command, argc, argv, push_take, &state, &state.arguments, &status))
        status = push_run(&state);
    registry_close(state.registry);
    snapcell_trust_free(state.trust);
    free(state.entries);
    json_decref(state.told);
    return status;
}

const cli_command cmd_push = {
    .name = "push",
    .operands = "REF...|--release RELEASE oci://HOST/REPOSITORY[:TAG]",
    .summary = "push functions to a registry",
    .description =
        "Puts the artifacts of REF..., of a name those for all engines, into a registry, and "
        "makes\n"
        "TAG (default: latest) stand for exactly these. The tag changes when all is there. Who "
        "you\n"
        "are is looked up as docker does: `docker login`, credential helpers, $DOCKER_CONFIG.\n"
        "docs/registries.md tells what is written.",
    .options = push_options,
    .operand_count_min = 1,
    .operand_count_max = -1,
    .run = push_main,
};
