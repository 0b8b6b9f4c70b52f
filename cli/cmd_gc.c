/* snapcell gc: drop what no name points to. */
#include "cli.h"

static const cli_option gc_options[] = {
    CLI_JSON_OPTION("a JSON object: removed, removed_bytes, freed_bytes"),
    CLI_OPTIONS_END,
};

static cli_status gc_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments.store, SNAPCELL_STORE_WRITE, &status);
    if (!store) return status;
    snapcell_error err;
    snapcell_store_gc_result result = {0};
    if (snapcell_store_gc(store, &result, &err) != SNAPCELL_OK)
        return cli_report(arguments.store, &err);
    if (arguments.json) {
        cli_print_json(json_pack("{s:I, s:I, s:I}", "removed", (json_int_t)result.removed_count,
                                 "removed_bytes", (json_int_t)result.removed_size_bytes,
                                 "freed_bytes", (json_int_t)result.freed_size_bytes));
        return CLI_DONE;
    }
    char removed[CLI_SIZE_TEXT_SIZE];
    char freed[CLI_SIZE_TEXT_SIZE];
    cli_print("removed %llu artifact%s (%s), gave back %s\n",
              (unsigned long long)result.removed_count, result.removed_count == 1 ? "" : "s",
              cli_size_text(result.removed_size_bytes, removed),
              cli_size_text(result.freed_size_bytes, freed));
    return CLI_DONE;
}

const cli_command cmd_gc = {
    .name = "gc",
    .operands = "",
    .summary = "remove artifacts that no name and no release has",
    .description =
        "Removes releases that are not kept (`snapcell release keep`), and artifacts that\n"
        "neither a name nor a release has, such as those that remain when a\n"
        "function is compiled again. Gives their space back while others use the store:\n"
        "they move to the smaller file with their next load.",
    .options = gc_options,
    .run = gc_main,
};
