/* snapcell export: an artifact as a file. */
#include <string.h>
#include <unistd.h>

#include "cli_layout.h"
#include "error_set.h"

enum { EXPORT_OCI = 256, EXPORT_NO_ARTIFACT_TYPE };

static const cli_option export_options[] = {
    {EXPORT_OCI, "oci", "DIR",
     "write all functions of REF... into the OCI image layout DIR, for all\n"
     "engines, a tag for each name; DIR is made, or added to"},
    {EXPORT_NO_ARTIFACT_TYPE, "no-artifact-type", NULL,
     "with --oci: for registries that know no artifact types of others"},
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: only what is signed for TENANT"),
    {'f', "force", NULL, "overwrite FILE, or a tag of DIR; write to a terminal"},
    CLI_JSON_OPTION("a JSON object: key, name, file, artifact_bytes; with --oci an array of\n"
                    "name, key, engine, architecture, tag, digest, artifact_bytes"),
    CLI_OPTIONS_END,
};

typedef struct export_state {
    cli_arguments arguments;
    bool force;
    const char *folder; /* of --oci */
    bool no_artifact_type;
} export_state;

static bool export_take(void *user, int id, const char *value)
{
    export_state *state = user;
    if (id == 'f') state->force = true;
    if (id == EXPORT_OCI) state->folder = value;
    if (id == EXPORT_NO_ARTIFACT_TYPE) state->no_artifact_type = true;
    if (id != EXPORT_OCI || value[0]) return true;
    cli_message("--oci needs the path of a folder");
    return false;
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
    if (state.folder)
        return cli_layout_export(&state.arguments, state.folder, state.force,
                                 !state.no_artifact_type);
    if (state.no_artifact_type) return cli_usage("--no-artifact-type is for --oci");
    if (state.arguments.operand_count < 2)
        return cli_usage("export needs more: snapcell export [OPTIONS] REF FILE");
    if (state.arguments.operand_count > 2)
        return cli_usage("'%s' is one too many: snapcell export [OPTIONS] REF FILE, or --oci DIR "
                         "for several",
                         state.arguments.operands[2]);
    return export_run(&state);
}

const cli_command cmd_export = {
    .name = "export",
    .operands = "REF FILE | --oci DIR REF...",
    .summary = "write artifacts to a file or an OCI layout",
    .description =
        "Checks the artifact of REF and writes it to FILE (- is standard output). FILE is\n"
        "written completely or not at all. An existing FILE is kept, unless --force is given.\n"
        "With --oci writes an OCI image layout, which skopeo, oras and others copy to registries.",
    .options = export_options,
    .operand_count_min = 1,
    .operand_count_max = -1,
    .run = export_main,
};
