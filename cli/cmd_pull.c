/* snapcell pull: functions from a registry. */
#include <stdlib.h>
#include <string.h>

#include "cli_pull.h"
#include "error_set.h"

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

static int pull_all(pull_state *state, oci_descriptor *out, snapcell_error *err)
{
    int status = registry_open(state->reference.host, &state->registry_options.options,
                               &state->registry, err);
    cli_pull pull = {.reference = state->reference,
                     .registry = state->registry,
                     .registry_options = &state->registry_options,
                     .store = state->store,
                     .arrivals = &state->arrivals,
                     .all_engines = state->all_engines};
    return status == SNAPCELL_OK ? cli_pull_fetch(&pull, out, err) : status;
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
                                     .activates = state->activate,
                                     .action = SNAPCELL_HISTORY_PULLED,
                                     .origin = arguments->operands[0]};
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
