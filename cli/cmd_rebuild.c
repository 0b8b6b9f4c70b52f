/* snapcell rebuild: does a bundle give the artifact that is in the store? */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "error_set.h"

enum {
    REBUILD_FROM = 256,
};

static const cli_option rebuild_options[] = {
    {REBUILD_FROM, "from", "FILE", "compile this bundle (default: the artifact's own source)"},
    CLI_TRUST_OPTION,
    CLI_COMPILE_OPTIONS,
    CLI_JSON_OPTION("a JSON object: key, name, identical, differences [{what,\n"
                    "offset, count, bytes [stored, rebuilt], detail}]"),
    CLI_OPTIONS_END,
};

typedef struct rebuild_state {
    cli_arguments arguments;
    snapcell_compile_options options;
    const char *from;
    void *stored; /* Owned */
    size_t stored_size_bytes;
    snapcell_artifact_info info;
    snapcell_compiled *compiled;
    snapcell_difference differences[SNAPCELL_DIFFERENCE_COUNT_MAX];
    size_t difference_count;
} rebuild_state;

static bool rebuild_take(void *user, int id, const char *value)
{
    rebuild_state *state = user;
    if (id != REBUILD_FROM) return cli_compile_take(&state->options, NULL, id, value);
    state->from = value;
    return true;
}

static int rebuild_get(rebuild_state *state, snapcell_error *err)
{
    const char *ref = state->arguments.operands[0];
    snapcell_store *store = NULL;
    snapcell_key key;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    int status = cli_trust_open(&state->arguments, &trust, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(state->arguments.store, SNAPCELL_STORE_READ, &store, err);
    if (status == SNAPCELL_OK) status = cli_resolve(store, ref, &key, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_get(store, &key, &state->stored, &state->stored_size_bytes, err);
    snapcell_store_close(store);
    if (status != SNAPCELL_OK) return status;
    return cli_artifact_check(&state->arguments, trust, state->stored, state->stored_size_bytes,
                              cli_ref_name(ref, &key), &state->info, err);
}

static int rebuild_compile(rebuild_state *state, snapcell_error *err)
{
    if (state->from)
        return snapcell_rebuild(state->stored, state->stored_size_bytes, state->from,
                                &state->options, &state->compiled, err);
    return snapcell_recompile(state->stored, state->stored_size_bytes, &state->options,
                              &state->compiled, err);
}

static int rebuild_compare(rebuild_state *state, snapcell_error *err)
{
    size_t size_bytes = 0;
    const void *bytes = snapcell_compiled_artifact(state->compiled, &size_bytes);
    return snapcell_artifact_compare(state->stored, state->stored_size_bytes, bytes, size_bytes,
                                     state->differences, &state->difference_count, err);
}

static json_t *rebuild_json(const rebuild_state *state)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    json_t *list = json_array();
    for (size_t i = 0; i < state->difference_count; i++) {
        const snapcell_difference *one = &state->differences[i];
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:[I, I], s:o}", "what", one->what, "offset",
                            (json_int_t)one->offset, "count", (json_int_t)one->count, "bytes",
                            (json_int_t)one->size_bytes[0], (json_int_t)one->size_bytes[1],
                            "detail", cli_json_text(one->detail)));
    }
    return json_pack("{s:s, s:o, s:b, s:o}", "key", cli_key_text(&state->info.key, key), "name",
                     cli_json_text(state->info.name), "identical",
                     (int)(state->difference_count == 0), "differences", list);
}

static void rebuild_print(const rebuild_state *state)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    bool same = state->difference_count == 0;
    cli_print_padded(state->info.name, 20);
    cli_print("  %.12s  %s\n", cli_key_text(&state->info.key, key),
              same ? "identical" : "different");
    for (size_t i = 0; i < state->difference_count; i++) {
        const snapcell_difference *one = &state->differences[i];
        cli_print("  %-10s  %s", one->what, one->detail);
        if (one->count > 0)
            cli_print(" (%llu bytes differ from byte %llu on; %llu bytes, now %llu)",
                      (unsigned long long)one->count, (unsigned long long)one->offset,
                      (unsigned long long)one->size_bytes[0],
                      (unsigned long long)one->size_bytes[1]);
        cli_print("\n");
    }
}

static cli_status rebuild_run(rebuild_state *state)
{
    const char *ref = state->arguments.operands[0];
    snapcell_error err;
    int status = rebuild_get(state, &err);
    if (status != SNAPCELL_OK) return cli_report(ref, &err);
    status = rebuild_compile(state, &err);
    if (status == SNAPCELL_OK) status = rebuild_compare(state, &err);
    if (status != SNAPCELL_OK) return cli_report(state->from ? state->from : ref, &err);
    if (state->arguments.json)
        cli_print_json(rebuild_json(state));
    else
        rebuild_print(state);
    return state->difference_count == 0 ? CLI_DONE : CLI_FUNCTION_FAILED;
}

static cli_status rebuild_main(const cli_command *command, int argc, char **argv)
{
    rebuild_state state = {.options = SNAPCELL_COMPILE_OPTIONS_INIT};
    cli_status status;
    if (cli_parse(command, argc, argv, rebuild_take, &state, &state.arguments, &status))
        status = rebuild_run(&state);
    snapcell_compiled_free(state.compiled);
    free(state.stored);
    return status;
}

const cli_command cmd_rebuild = {
    .name = "rebuild",
    .operands = "REF",
    .summary = "compile again and compare with the artifact",
    .description =
        "Compiles FILE with the options that the artifact of REF was made with, and compares the\n"
        "bytes, without signatures. Nothing is put into the store. Exit status: 0 identical,\n"
        "1 different (prints what differs, where, and why), 2 to 5 as for every command.",
    .options = rebuild_options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = rebuild_main,
};
