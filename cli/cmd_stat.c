/* snapcell stat: figures about the store. */
#include "cli.h"

static const cli_option stat_options[] = {
    CLI_JSON_OPTION("a JSON object: artifacts, names, artifact_bytes, file_bytes,\n"
                    "free_bytes, map_bytes, readers, readers_max"),
    CLI_OPTIONS_END,
};

static void stat_print(const snapcell_store_stat *stat)
{
    char text[CLI_SIZE_TEXT_SIZE];
    cli_print("artifacts  %llu\n", (unsigned long long)stat->artifact_count);
    cli_print("names      %llu\n", (unsigned long long)stat->name_count);
    cli_print("stored     %s\n", cli_size_text(stat->artifact_size_bytes, text));
    cli_print("file       %s\n", cli_size_text(stat->file_size_bytes, text));
    cli_print("free       %s\n", cli_size_text(stat->free_size_bytes, text));
    cli_print("map        %s\n", cli_size_text(stat->map_size_bytes, text));
    cli_print("readers    %u of %u\n", stat->reader_count, stat->reader_max);
}

static void stat_print_json(const snapcell_store_stat *stat)
{
    cli_print_json(json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "artifacts", (json_int_t)stat->artifact_count,
        "names", (json_int_t)stat->name_count, "artifact_bytes",
        (json_int_t)stat->artifact_size_bytes, "file_bytes", (json_int_t)stat->file_size_bytes,
        "free_bytes", (json_int_t)stat->free_size_bytes, "map_bytes",
        (json_int_t)stat->map_size_bytes, "readers", (json_int_t)stat->reader_count, "readers_max",
        (json_int_t)stat->reader_max));
}

static cli_status stat_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    cli_cleanup_store snapcell_store *store =
        cli_store_open(arguments.store, SNAPCELL_STORE_READ, &status);
    if (!store) return status;
    snapcell_error err;
    snapcell_store_stat stat;
    if (snapcell_store_stat_get(store, &stat, &err) != SNAPCELL_OK)
        return cli_report(arguments.store, &err);
    if (arguments.json)
        stat_print_json(&stat);
    else
        stat_print(&stat);
    return CLI_DONE;
}

const cli_command cmd_stat = {
    .name = "stat",
    .operands = "",
    .summary = "print statistics about the store",
    .description = "Prints how many artifacts and names the store holds and how large it is.",
    .options = stat_options,
    .run = stat_main,
};
