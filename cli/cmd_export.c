/* snapcell export: an artifact as a file. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "error_set.h"

static const cli_option export_options[] = {
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    {'f', "force", NULL, "overwrite FILE; write to a terminal"},
    CLI_JSON_OPTION("a JSON object: key, name, file, artifact_bytes"),
    CLI_OPTIONS_END,
};

typedef struct export_state {
    cli_arguments arguments;
    bool force;
} export_state;

static bool export_take(void *user, int id, const char *value)
{
    (void)value;
    export_state *state = user;
    state->force = id == 'f';
    return true;
}

/* `bytes` is set only when the artifact is sound: what is bad is not handed on. */
static int export_get(const cli_arguments *arguments, void **bytes, snapcell_artifact_info *info,
                      snapcell_error *err)
{
    const char *ref = arguments->operands[0];
    snapcell_store *store = NULL;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    snapcell_key key;
    size_t size_bytes = 0;
    cli_guard_store(arguments->store);
    int status = cli_trust_open(arguments, &trust, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(arguments->store, SNAPCELL_STORE_READ, &store, err);
    if (status == SNAPCELL_OK) status = cli_resolve(store, ref, &key, err);
    if (status == SNAPCELL_OK) status = snapcell_store_get(store, &key, bytes, &size_bytes, err);
    if (status == SNAPCELL_OK)
        status = cli_artifact_check(arguments, trust, *bytes, size_bytes, cli_ref_name(ref, &key),
                                    info, err);
    snapcell_store_close(store);
    return status;
}

static void export_tell(const export_state *state, const snapcell_artifact_info *info)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    const char *file = state->arguments.operands[1];
    if (state->arguments.json)
        cli_print_json(json_pack("{s:s, s:o, s:o, s:I}", "key", cli_key_text(&info->key, key),
                                 "name", cli_json_text(info->name), "file", cli_json_text(file),
                                 "artifact_bytes", (json_int_t)info->artifact_size_bytes));
}

static cli_status export_run(const export_state *state)
{
    const char *ref = state->arguments.operands[0];
    const char *file = state->arguments.operands[1];
    bool to_stdout = strcmp(file, "-") == 0;
    cleanup_free void *bytes = NULL;
    snapcell_artifact_info info;
    snapcell_error err;
    if (to_stdout && state->arguments.json)
        return cli_usage("--json and the artifact cannot both go to standard output");
    if (to_stdout && isatty(STDOUT_FILENO) && !state->force)
        return cli_usage("standard output is a terminal; redirect it, or use --force");
    if (export_get(&state->arguments, &bytes, &info, &err) != SNAPCELL_OK)
        return cli_report(ref, &err);
    if (to_stdout) {
        cli_write(bytes, (size_t)info.artifact_size_bytes);
        return CLI_DONE;
    }
    if (cli_write_file(file, bytes, (size_t)info.artifact_size_bytes, state->force, &err))
        return cli_report(file, &err);
    export_tell(state, &info);
    return CLI_DONE;
}

static cli_status export_main(const cli_command *command, int argc, char **argv)
{
    export_state state = {0};
    cli_status status;
    if (!cli_parse(command, argc, argv, export_take, &state, &state.arguments, &status))
        return status;
    return export_run(&state);
}

const cli_command cmd_export = {
    .name = "export",
    .operands = "REF FILE",
    .summary = "write an artifact to a file",
    .description =
        "Checks the artifact of REF and writes it to FILE (- is standard output). FILE is\n"
        "written completely or not at all. An existing FILE is kept, unless --force is given.",
    .options = export_options,
    .operand_count_min = 2,
    .operand_count_max = 2,
    .run = export_main,
};
