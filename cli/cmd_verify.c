/* snapcell verify: is everything in the store sound? */
#include <string.h>

#include "cli.h"
#include "error_set.h"

static const cli_option verify_options[] = {
    CLI_JSON_OPTION("a JSON array of objects: key, names, ok, error (null, or {code,\nmessage})"),
    CLI_OPTIONS_END,
};

typedef struct verify_state {
    bool json;
    cli_names names;
    size_t count;
    size_t bad_count;
    cli_status status;
} verify_state;

static int verify_check(const snapcell_key *key, const void *bytes, size_t size_bytes,
                        snapcell_error *err)
{
    snapcell_artifact_info info;
    int code = snapcell_artifact_inspect(bytes, size_bytes, &info, err);
    if (code != SNAPCELL_OK || memcmp(&info.key, key, sizeof *key) == 0) return code;
    char text[SNAPCELL_KEY_HEX_SIZE];
    return error_set(err, SNAPCELL_E_CORRUPT, "it is the artifact of another key, %s",
                     cli_key_text(&info.key, text));
}

static void verify_print_json(const verify_state *state, const snapcell_key *key, int code,
                              const snapcell_error *err)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    json_t *names = json_array();
    json_t *error = code == SNAPCELL_OK ? json_null()
                                        : json_pack("{s:s, s:o}", "code", snapcell_error_name(code),
                                                    "message", cli_json_text(err->message));
    for (size_t i = 0; i < state->names.count; i++)
        if (memcmp(&state->names.items[i].key, key, sizeof *key) == 0)
            json_array_append_new(names, cli_json_text(state->names.items[i].name));
    cli_print_json_item(json_pack("{s:s, s:o, s:b, s:o}", "key", cli_key_text(key, text), "names",
                                  names, "ok", code == SNAPCELL_OK, "error", error));
}

static void verify_print(const verify_state *state, const snapcell_key *key, int code,
                         const snapcell_error *err)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    cli_print("%s  %s", code == SNAPCELL_OK ? "ok " : "bad", cli_key_text(key, text));
    for (size_t i = 0; i < state->names.count; i++)
        if (memcmp(&state->names.items[i].key, key, sizeof *key) == 0)
            cli_print("  %s", state->names.items[i].name);
    if (code != SNAPCELL_OK) cli_print(": %s", err->message);
    cli_print("\n");
}

static void verify_tell(verify_state *state, const snapcell_key *key, int code,
                        const snapcell_error *err)
{
    state->count++;
    if (code != SNAPCELL_OK) {
        state->bad_count++;
        state->status = cli_worse(state->status, cli_status_of(code));
    }
    if (state->json)
        verify_print_json(state, key, code, err);
    else
        verify_print(state, key, code, err);
}

static int verify_each(void *user, const snapcell_key *key, const void *bytes, size_t size_bytes)
{
    snapcell_error err;
    verify_tell(user, key, verify_check(key, bytes, size_bytes, &err), &err);
    return 0;
}

/* One key; a name that points to nothing is the store's fault. */
static int verify_key(verify_state *state, snapcell_store *store, const snapcell_key *key,
                      snapcell_error *err)
{
    snapcell_store_view view;
    int code = snapcell_store_view_open(store, key, &view, err);
    if (code == SNAPCELL_E_NOT_FOUND) {
        code = error_set(err, SNAPCELL_E_STORE_CORRUPT, "a name points to it, but it is missing");
        verify_tell(state, key, code, err);
        return SNAPCELL_OK;
    }
    if (code != SNAPCELL_OK) return code;
    verify_each(state, key, view.bytes, view.size_bytes);
    snapcell_store_view_close(store, &view);
    return SNAPCELL_OK;
}

/* A name is checked for every engine that it has. */
static int verify_ref(verify_state *state, snapcell_store *store, const char *ref,
                      snapcell_error *err)
{
    bool found = false;
    for (size_t i = 0; i < state->names.count; i++) {
        if (strcmp(state->names.items[i].name, ref) != 0) continue;
        found = true;
        int code = verify_key(state, store, &state->names.items[i].key, err);
        if (code != SNAPCELL_OK) return code;
    }
    if (found) return SNAPCELL_OK;
    snapcell_key key;
    int code = snapcell_store_resolve(store, ref, NULL, &key, err);
    return code == SNAPCELL_OK ? verify_key(state, store, &key, err) : code;
}

/* Whether a name's artifact is there at all. */
static int verify_all(verify_state *state, snapcell_store *store, snapcell_error *err)
{
    int code = snapcell_store_each_artifact(store, verify_each, state, err);
    for (size_t i = 0; code == SNAPCELL_OK && i < state->names.count; i++) {
        snapcell_store_view view;
        code = snapcell_store_view_open(store, &state->names.items[i].key, &view, err);
        snapcell_store_view_close(store, &view);
        if (code == SNAPCELL_E_NOT_FOUND)
            code = verify_key(state, store, &state->names.items[i].key, err);
    }
    return code;
}

static cli_status verify_run(verify_state *state, const cli_arguments *arguments)
{
    cli_status status;
    snapcell_error err;
    const char *ref = arguments->operand_count ? arguments->operands[0] : NULL;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments->store, SNAPCELL_STORE_READ, &status);
    if (!store) return status;
    int code = ref ? SNAPCELL_OK : snapcell_store_check(store, &err);
    if (code == SNAPCELL_OK) code = cli_names_list(store, &state->names, &err);
    if (state->json) cli_print_json_begin();
    if (code == SNAPCELL_OK)
        code = ref ? verify_ref(state, store, ref, &err) : verify_all(state, store, &err);
    if (state->json) cli_print_json_end();
    cli_flush();
    if (code != SNAPCELL_OK)
        return cli_worse(state->status, cli_report(ref ? ref : arguments->store, &err));
    if (state->bad_count)
        cli_message("%zu of %zu artifacts %s bad", state->bad_count, state->count,
                    state->bad_count == 1 ? "is" : "are");
    return state->status;
}

static cli_status verify_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    verify_state state = {.json = arguments.json};
    status = verify_run(&state, &arguments);
    cli_names_release(&state.names);
    return status;
}

const cli_command cmd_verify = {
    .name = "verify",
    .operands = "[REF]",
    .summary = "check the store's file and its artifacts",
    .description =
        "Checks every page of the store's file, then every artifact (structure, checksum, digest)\n"
        "and that names point to artifacts, and prints a line for each artifact; with REF, checks\n"
        "its artifacts alone. The exit status is 4 when an artifact is bad, 3 when the store "
        "itself\n"
        "is; `snapcell salvage` recovers what is whole.",
    .options = verify_options,
    .operand_count_max = 1,
    .run = verify_main,
};
