/* snapcell engine: what artifacts are bound to. */
#include "cli.h"

static const cli_option engine_options[] = {
    CLI_JSON_OPTION("a JSON object: version, v8, flags, arch, fingerprint,\nformat_version"),
    CLI_OPTIONS_END,
};

static cli_status engine_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    snapcell_engine_info info;
    snapcell_engine_info_get(&info);
    char fingerprint[SNAPCELL_KEY_HEX_SIZE];
    cli_fingerprint_text(&info.fingerprint, fingerprint);
    if (arguments.json) {
        cli_print_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "version", SNAPCELL_VERSION,
                                 "v8", info.v8_version, "flags", info.v8_flags, "arch",
                                 info.architecture, "fingerprint", fingerprint, "format_version",
                                 (json_int_t)info.format_version));
        return CLI_DONE;
    }
    cli_print("version      snapcell %s\n", SNAPCELL_VERSION);
    cli_print("v8           %s\n", info.v8_version);
    cli_print("flags        %s\n", info.v8_flags);
    cli_print("arch         %s\n", info.architecture);
    cli_print("fingerprint  %s\n", fingerprint);
    cli_print("format       %u\n", info.format_version);
    return CLI_DONE;
}

const cli_command cmd_engine = {
    .name = "engine",
    .operands = "",
    .summary = "tell the engine that this program compiles for and runs",
    .description = "Prints the engine's version, flags and architecture, and the fingerprint that\n"
                   "artifacts are bound to: an artifact with another one is refused, not run.",
    .options = engine_options,
    .run = engine_main,
};
