/* snapcell recompile: artifacts for this engine from the sources in the store. */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli_history.h"
#include "error_set.h"

static const cli_option recompile_options[] = {
    CLI_COMPILE_JOBS_OPTION,
    CLI_SIGN_OPTION("sign with this secret key, for the name and tenant of the old\n"
                    "signature, which has to be by a key of --trust, else by this one"),
    CLI_TRUST_OPTION,
    CLI_COMPILE_OPTIONS,
    CLI_JSON_OPTION("one JSON object a line for each function, as `compile` prints it"),
    CLI_OPTIONS_END,
};

/* One artifact to be made again, for all the names that want it. */
typedef struct recompile_item {
    const char *subject;
    snapcell_key key;   /* the artifact to take the source from */
    const char **names; /* Owned array of names that live in the list */
    size_t name_count;
    bool current; /* it is for this engine already */
    int code;     /* of finding out the above */
    snapcell_error error;
    char artifact_name[SNAPCELL_NAME_SIZE_MAX + 1];
} recompile_item;

typedef struct recompile_state {
    cli_arguments arguments;
    snapcell_compile_options options;
    size_t jobs;
    snapcell_signing_key *key; /* of --sign, else NULL */
    snapcell_trust *trust;     /* whose sources are compiled; NULL: everyone's */
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    snapcell_store *store;
    cli_names names;
    recompile_item *items;
    cli_result *results;
    size_t count;
    cli_status status;
} recompile_state;

static bool recompile_take(void *user, int id, const char *value)
{
    recompile_state *state = user;
    return cli_compile_take(&state->options, &state->jobs, id, value);
}

/* --- What is to be done --- */

static int recompile_bundle_hash(recompile_state *state, const snapcell_key *key, uint8_t out[16],
                                 snapcell_error *err)
{
    snapcell_store_view view;
    snapcell_artifact_info info;
    int status = snapcell_store_view_open(state->store, key, &view, err);
    if (status != SNAPCELL_OK) return status;
    status = snapcell_artifact_inspect(view.bytes, view.size_bytes, &info, err);
    memcpy(out, info.bundle_hash, sizeof(info.bundle_hash));
    snapcell_store_view_close(state->store, &view);
    return status;
}

/* A name's artifacts for other engines may stem from different bundles; which one is meant, only a
 * person knows. */
static int recompile_choose(recompile_state *state, recompile_item *item, size_t first, size_t end,
                            snapcell_error *err)
{
    uint8_t hash[2][16];
    item->key = state->names.items[first].key;
    for (size_t i = first; i < end; i++) {
        if (!cli_engine_is_this(&state->names.items[i].engine)) continue;
        item->key = state->names.items[i].key;
        item->current = true;
        return SNAPCELL_OK;
    }
    for (size_t i = first; i < end; i++) {
        int status =
            recompile_bundle_hash(state, &state->names.items[i].key, hash[i != first], err);
        if (status != SNAPCELL_OK) return status;
        if (i != first && memcmp(hash[0], hash[1], sizeof(hash[0])) != 0)
            return error_set(err, SNAPCELL_E_AMBIGUOUS,
                             "%s has artifacts of different bundles, for other engines; give "
                             "`recompile` the key of the one to take (`snapcell ls` lists them)",
                             item->subject);
    }
    return SNAPCELL_OK;
}

/* The item for names.items[first..end), which have one name. */
static int recompile_plan_name(recompile_state *state, recompile_item *item, size_t first,
                               size_t end, snapcell_error *err)
{
    item->names = malloc(sizeof(*item->names));
    if (!item->names) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a name");
    item->names[item->name_count++] = state->names.items[first].name;
    return recompile_choose(state, item, first, end, err);
}

static size_t recompile_name_end(const cli_names *names, size_t first)
{
    size_t end = first + 1;
    while (end < names->count && strcmp(names->items[end].name, names->items[first].name) == 0)
        end++;
    return end;
}

/* The item for what a person typed: a name, else a key with the names that point to it. */
static int recompile_plan_ref(recompile_state *state, recompile_item *item, snapcell_error *err)
{
    const cli_names *names = &state->names;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].name, item->subject) == 0)
            return recompile_plan_name(state, item, i, recompile_name_end(names, i), err);
    int status = snapcell_store_resolve(state->store, item->subject, NULL, &item->key, err);
    if (status != SNAPCELL_OK) return status;
    item->names = calloc(names->count + 1, sizeof(*item->names));
    if (!item->names) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the names");
    for (size_t i = 0; i < names->count; i++)
        if (memcmp(&names->items[i].key, &item->key, sizeof(item->key)) == 0)
            item->names[item->name_count++] = names->items[i].name;
    return SNAPCELL_OK;
}

static bool recompile_allocate(recompile_state *state, size_t count_max)
{
    state->items = calloc(count_max + 1, sizeof(*state->items));
    state->results = calloc(count_max + 1, sizeof(*state->results));
    return state->items && state->results;
}

static void recompile_plan(recompile_state *state)
{
    for (int i = 0; i < state->arguments.operand_count; i++) {
        recompile_item *item = &state->items[state->count++];
        item->subject = state->arguments.operands[i];
        item->code = recompile_plan_ref(state, item, &item->error);
    }
    if (state->arguments.operand_count > 0) return;
    for (size_t i = 0; i < state->names.count; i = recompile_name_end(&state->names, i)) {
        recompile_item *item = &state->items[state->count++];
        item->subject = state->names.items[i].name;
        item->code =
            recompile_plan_name(state, item, i, recompile_name_end(&state->names, i), &item->error);
    }
}

/* --- Doing it --- */

/* `bytes`: the artifact it was made from, whose signature was checked. */
static int recompile_put(recompile_state *state, const recompile_item *item, const void *bytes,
                         size_t size_bytes, const snapcell_compiled *compiled, cli_result *result,
                         snapcell_error *err)
{
    int status = SNAPCELL_OK;
    snapcell_signature before;
    cli_signer signer = {state->key, before.name, before.tenant};
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    cleanup_free void *signed_bytes = NULL;
    cleanup_free snapcell_store_item *items = calloc(item->name_count + 1, sizeof(*items));
    if (!items) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a list of names");
    if (state->key) status = snapcell_artifact_signature(bytes, size_bytes, &before, err);
    if (status == SNAPCELL_OK)
        status = cli_compiled_item(compiled, &signer, result, &items[0], &signed_bytes, err);
    if (status != SNAPCELL_OK) return status;
    for (size_t i = 0; i < item->name_count; i++) {
        items[i].name = item->names[i];
        items[i].key = snapcell_compiled_info(compiled)->key;
    }
    options.replace = state->key != NULL;
    options.action = SNAPCELL_HISTORY_RECOMPILED;
    options.who = state->who;
    return snapcell_store_put_items(state->store, items, item->name_count ? item->name_count : 1,
                                    &options, err);
}

/* The name that the artifact has to be signed for; NULL when it was requested by key. */
static const char *recompile_name_asked(const recompile_item *item)
{
    bool by_name = item->name_count == 1 && strcmp(item->subject, item->names[0]) == 0;
    return by_name ? item->subject : cli_ref_name(item->subject, &item->key);
}

static int recompile_check_host(const snapcell_artifact_info *info, snapcell_error *err)
{
    snapcell_fingerprint none = snapcell_host_fingerprint(NULL);
    if (memcmp(&info->host, &none, sizeof(none)) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_OTHER_HOST,
                     "it was built against host functions, which this program does not have; "
                     "recompile it with the program that has them");
}

static int recompile_one(recompile_state *state, recompile_item *item, cli_result *result,
                         snapcell_error *err)
{
    cleanup_free void *bytes = NULL;
    size_t size_bytes = 0;
    snapcell_artifact_info info;
    snapcell_compiled *compiled = NULL;
    int status = snapcell_store_get(state->store, &item->key, &bytes, &size_bytes, err);
    if (status == SNAPCELL_OK)
        status = cli_artifact_check(&state->arguments, state->trust, bytes, size_bytes,
                                    recompile_name_asked(item), &info, err);
    if (status != SNAPCELL_OK) return status;
    snprintf(item->artifact_name, sizeof(item->artifact_name), "%s", info.name);
    result->name = item->name_count ? item->names[0] : item->artifact_name;
    if (item->current || cli_engine_is_this(&info.engine)) {
        result->cached = true;
        cli_result_take_info(result, &info);
        return SNAPCELL_OK;
    }
    snapcell_compile_options options = state->options;
    char prefix[sizeof(item->artifact_name)];
    snprintf(prefix, sizeof(prefix), "%s", result->name);
    options.log_user = prefix;
    status = recompile_check_host(&info, err);
    if (status == SNAPCELL_OK)
        status = snapcell_recompile(bytes, size_bytes, &options, &compiled, err);
    if (status != SNAPCELL_OK) return status;
    cli_result_take_compiled(result, compiled);
    status = recompile_put(state, item, bytes, size_bytes, compiled, result, err);
    snapcell_compiled_free(compiled);
    return status;
}

static void recompile_work(void *user, size_t index)
{
    recompile_state *state = user;
    recompile_item *item = &state->items[index];
    cli_result *result = &state->results[index];
    result->name = item->name_count ? item->names[0] : item->subject;
    result->subject = item->subject;
    result->code = item->code;
    result->error = item->error;
    if (item->code != SNAPCELL_OK) return;
    double start_ms = cli_now_ms();
    result->code = recompile_one(state, item, result, &result->error);
    result->compile_ms = cli_now_ms() - start_ms;
}

static void recompile_print(void *user, size_t index)
{
    recompile_state *state = user;
    state->status =
        cli_worse(state->status, cli_result_print(&state->results[index], state->arguments.json));
}

static const char *recompile_label(void *user, size_t index)
{
    const recompile_state *state = user;
    return state->items[index].subject;
}

/* To sign what a source compiles to is to vouch for the source: it has to be someone's who is
 * trusted. */
static int recompile_open_keys(recompile_state *state, snapcell_error *err)
{
    int status = cli_signing_key_open(&state->arguments, &state->key, err);
    if (status == SNAPCELL_OK) status = cli_trust_open(&state->arguments, &state->trust, err);
    if (status == SNAPCELL_OK && state->key && !state->trust)
        status = cli_trust_of_key(state->key, &state->trust, err);
    return status;
}

static int recompile_open(recompile_state *state, snapcell_error *err)
{
    cli_who(state->who);
    cli_guard_store(state->arguments.store);
    int status = recompile_open_keys(state, err);
    if (status == SNAPCELL_OK)
        status =
            snapcell_store_open(state->arguments.store, SNAPCELL_STORE_WRITE, &state->store, err);
    if (status == SNAPCELL_OK) status = cli_names_list(state->store, &state->names, err);
    if (status != SNAPCELL_OK) return status;
    size_t count_max = state->names.count + (size_t)state->arguments.operand_count;
    if (!recompile_allocate(state, count_max))
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for %zu functions", count_max);
    recompile_plan(state);
    return SNAPCELL_OK;
}

static void recompile_close(recompile_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free(state->items[i].names);
        cli_result_release(&state->results[i]);
    }
    free(state->items);
    free(state->results);
    cli_names_release(&state->names);
    snapcell_store_close(state->store);
    snapcell_trust_free(state->trust);
    snapcell_signing_key_free(state->key);
}

int cli_recompile_ref(const char *store_path, const char *ref, bool no_sandbox, snapcell_error *err)
{
    char *operands[] = {(char *)(uintptr_t)ref, NULL};
    recompile_state state = {
        .arguments = {.store = store_path, .operands = operands, .operand_count = 1},
        .options = SNAPCELL_COMPILE_OPTIONS_INIT,
    };
    state.options.log = cli_console;
    state.options.no_sandbox = no_sandbox;
    int status = recompile_open(&state, err);
    if (status == SNAPCELL_OK) {
        recompile_work(&state, 0);
        status = state.results[0].code;
        if (status != SNAPCELL_OK) *err = state.results[0].error;
    }
    recompile_close(&state);
    return status;
}

static cli_status recompile_run(recompile_state *state)
{
    snapcell_error err;
    if (recompile_open(state, &err) != SNAPCELL_OK) return cli_report(state->arguments.store, &err);
    cli_batch batch = {
        .count = state->count,
        .jobs = state->jobs ? state->jobs : cli_cpu_count(),
        .work = recompile_work,
        .print = recompile_print,
        .label = recompile_label,
        .user = state,
    };
    if (cli_batch_run(&batch)) return state->status;
    cli_message("no memory for %zu functions", batch.count);
    return CLI_TROUBLE;
}

static cli_status recompile_main(const cli_command *command, int argc, char **argv)
{
    recompile_state state = {.options = SNAPCELL_COMPILE_OPTIONS_INIT};
    cli_status status;
    state.options.log = cli_console;
    if (cli_parse(command, argc, argv, recompile_take, &state, &state.arguments, &status))
        status = recompile_run(&state);
    recompile_close(&state);
    return status;
}

const cli_command cmd_recompile = {
    .name = "recompile",
    .operands = "[REF...]",
    .summary = "make artifacts for this engine from the sources in the store",
    .description =
        "Compiles each REF (every name if no REF is given) for this engine, from the source and\n"
        "with the options that its artifact holds. Artifacts that exist for this engine are not\n"
        "compiled again; those for other engines are kept, so that nothing that runs breaks.",
    .options = recompile_options,
    .operand_count_max = -1,
    .run = recompile_main,
};
