/* snapcell import: a file as an artifact. */
#include <stdlib.h>
#include <string.h>

#include "cli_layout.h"
#include "error_set.h"

/* No artifact that a reader accepts is larger; see SPEC.md. */
#define IMPORT_SIZE_MAX ((size_t)2 << 30)

enum { IMPORT_OCI = 256 };

static const cli_option import_options[] = {
    {IMPORT_OCI, "oci", "DIR", "all functions of the OCI image layout DIR, or none of them"},
    {'n', "name", "NAME", "the function's name (default: the one in the artifact)"},
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    {'r', "replace", NULL,
     "replace an artifact that has the same key and other bytes, as after\nsigning it again"},
    CLI_JSON_OPTION("a JSON object: name, key, kind, shape, artifact_bytes, engine,\ncurrent; with "
                    "--oci an array "
                    "of them"),
    CLI_OPTIONS_END,
};

typedef struct import_state {
    cli_arguments arguments;
    const char *name;
    bool replace;
    const char *folder; /* of --oci */
} import_state;

static bool import_take(void *user, int id, const char *value)
{
    import_state *state = user;
    if (id == 'r') state->replace = true;
    if (id == 'n') state->name = value;
    if (id == IMPORT_OCI) state->folder = value;
    if (id != IMPORT_OCI || value[0]) return true;
    cli_message("--oci needs the path of a folder");
    return false;
}

static void import_tell(const import_state *state, const char *name,
                        const snapcell_artifact_info *info)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    char engine[SNAPCELL_KEY_HEX_SIZE];
    bool current = cli_engine_is_this(&info->engine);
    cli_key_text(&info->key, key);
    cli_fingerprint_text(&info->engine, engine);
    if (state->arguments.json)
        cli_print_json(json_pack(
            "{s:o, s:s, s:s, s:s, s:I, s:s, s:b}", "name", cli_json_text(name), "key", key, "kind",
            cli_kind_name(info->kind), "shape", cli_shape_name(info->shape), "artifact_bytes",
            (json_int_t)info->artifact_size_bytes, "engine", engine, "current", (int)current));
    else
        cli_print("imported %s  %.12s\n", name, key);
    if (!current)
        cli_message("%s is for another engine, %s; `snapcell recompile %s` makes one for this",
                    name, engine, name);
}

/* Reads the file and checks it, for the name that it will have. */
static int import_read(const import_state *state, char **bytes, size_t *size_bytes,
                       snapcell_artifact_info *info, snapcell_error *err)
{
    cli_cleanup_trust snapcell_trust *trust = NULL;
    int status = cli_trust_open(&state->arguments, &trust, err);
    if (status == SNAPCELL_OK)
        status =
            cli_read_file(state->arguments.operands[0], IMPORT_SIZE_MAX, bytes, size_bytes, err);
    if (status == SNAPCELL_OK) status = snapcell_artifact_describe(*bytes, *size_bytes, info, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free char *name = strdup(state->name ? state->name : info->name);
    if (!name) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a name");
    return cli_artifact_check(&state->arguments, trust, *bytes, *size_bytes, name, info, err);
}

static cli_status import_run(const import_state *state)
{
    const char *file = state->arguments.operands[0];
    cleanup_free char *bytes = NULL;
    size_t size_bytes = 0;
    snapcell_artifact_info info;
    snapcell_error err;
    cli_status exit_status;
    if (import_read(state, &bytes, &size_bytes, &info, &err) != SNAPCELL_OK)
        return cli_report(file, &err);
    const char *name = state->name ? state->name : info.name;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(state->arguments.store, SNAPCELL_STORE_CREATE, &exit_status);
    if (!store) return exit_status;
    int status = state->replace ? snapcell_store_replace(store, bytes, size_bytes, name, &err)
                                : snapcell_store_put(store, bytes, size_bytes, name, &err);
    if (status != SNAPCELL_OK) return cli_report(file, &err);
    import_tell(state, name, &info);
    return CLI_DONE;
}

static cli_status import_choose(const import_state *state)
{
    snapcell_error err;
    const cli_arguments *arguments = &state->arguments;
    if (state->folder && arguments->operand_count > 0)
        return cli_usage("'%s' is one too many: snapcell import [OPTIONS] --oci DIR",
                         arguments->operands[0]);
    if (!state->folder && arguments->operand_count < 1)
        return cli_usage("import needs more: snapcell import [OPTIONS] FILE");
    if (state->name && snapcell_name_check(state->name, &err) != SNAPCELL_OK)
        return cli_report(NULL, &err);
    return state->folder ? cli_layout_import(arguments, state->folder, state->name, state->replace)
                         : import_run(state);
}

static cli_status import_main(const cli_command *command, int argc, char **argv)
{
    import_state state = {0};
    cli_status status;
    if (!cli_parse(command, argc, argv, import_take, &state, &state.arguments, &status))
        return status;
    return import_choose(&state);
}

const cli_command cmd_import = {
    .name = "import",
    .operands = "FILE | --oci DIR",
    .summary = "put artifacts from a file or an OCI layout into the store",
    .description =
        "Reads an artifact that `export` wrote (- is standard input), checks it, and puts it into\n"
        "the store, which is made when it is missing. The checks find damage; with --trust they\n"
        "find malice, too: without it a snapshot is as trusted as a program, so import only what\n"
        "you would run.",
    .options = import_options,
    .operand_count_min = 0,
    .operand_count_max = 1,
    .run = import_main,
};
