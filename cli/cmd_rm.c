/* snapcell rm: remove functions or artifacts. */
#include "cli.h"

static const cli_option rm_options[] = {
    CLI_JSON_OPTION("one JSON object a line for each REF: ref, removed, error"),
    CLI_OPTIONS_END,
};

/* A name first; what is not a name may be a key. */
static int rm_one(snapcell_store *store, const char *ref, snapcell_error *err)
{
    snapcell_error no_name;
    int status = snapcell_store_remove_name(store, ref, &no_name);
    if (status == SNAPCELL_OK) return status;
    if (status != SNAPCELL_E_NOT_FOUND && status != SNAPCELL_E_USAGE) {
        *err = no_name;
        return status;
    }
    snapcell_key key;
    status = snapcell_store_resolve(store, ref, NULL, &key, err);
    return status == SNAPCELL_OK ? snapcell_store_remove(store, &key, err) : status;
}

static cli_status rm_report(const char *ref, int status, const snapcell_error *err, bool json)
{
    if (json)
        cli_print_json(json_pack(
            "{s:o, s:b, s:o}", "ref", cli_json_text(ref), "removed", status == SNAPCELL_OK, "error",
            status == SNAPCELL_OK ? json_null() : cli_json_text(err->message)));
    else if (status == SNAPCELL_OK)
        cli_print("removed %s\n", ref);
    return status == SNAPCELL_OK ? CLI_DONE : cli_report(ref, err);
}

static cli_status rm_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status exit_status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &exit_status)) return exit_status;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments.store, SNAPCELL_STORE_WRITE, &exit_status);
    if (!store) return exit_status;
    for (int i = 0; i < arguments.operand_count; i++) {
        snapcell_error err;
        int status = rm_one(store, arguments.operands[i], &err);
        exit_status =
            cli_worse(exit_status, rm_report(arguments.operands[i], status, &err, arguments.json));
    }
    return exit_status;
}

const cli_command cmd_rm = {
    .name = "rm",
    .operands = "REF...",
    .summary = "remove functions from the store",
    .description =
        "Removes each REF. A name is removed for every engine, with the artifacts that no other\n"
        "name points to; a key or unique key prefix is removed with every name that points to it.\n"
        "A REF that cannot be removed does not stop the others.",
    .options = rm_options,
    .operand_count_min = 1,
    .operand_count_max = -1,
    .run = rm_main,
};
