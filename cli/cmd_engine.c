/* snapcell engine: what artifacts are bound to. */
#include "cli.h"

static const cli_option engine_options[] = {
    CLI_JSON_OPTION("a JSON object: version, v8, flags, arch, fingerprint,\nformat_version, "
                    "sandbox {seccomp, landlock}"),
    CLI_OPTIONS_END,
};

static void engine_print_sandbox(const snapcell_sandbox_support *sandbox)
{
    cli_print("sandbox      %s", sandbox->seccomp ? "seccomp" : "none: the kernel has no seccomp");
    if (sandbox->landlock_abi > 0) cli_print(", Landlock %d", sandbox->landlock_abi);
    cli_print("\n");
}

static cli_status engine_main(const cli_command *command, int argc, char **argv)
{
    cli_arguments arguments;
    cli_status status;
    if (!cli_parse(command, argc, argv, NULL, NULL, &arguments, &status)) return status;
    snapcell_engine_info info;
    snapcell_engine_info_get(&info, sizeof(info));
    char fingerprint[SNAPCELL_KEY_HEX_SIZE];
    cli_fingerprint_text(&info.fingerprint, fingerprint);
    snapcell_sandbox_support sandbox;
    snapcell_sandbox_probe(&sandbox);
    if (arguments.json) {
        cli_print_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:{s:b, s:i}}", "version",
                                 SNAPCELL_VERSION, "v8", info.v8_version, "flags", info.v8_flags,
                                 "arch", info.architecture, "fingerprint", fingerprint,
                                 "format_version", (json_int_t)info.format_version, "sandbox",
                                 "seccomp", sandbox.seccomp, "landlock", sandbox.landlock_abi));
        return CLI_DONE;
    }
    cli_print("version      snapcell %s\n", SNAPCELL_VERSION);
    cli_print("v8           %s\n", info.v8_version);
    cli_print("flags        %s\n", info.v8_flags);
    cli_print("arch         %s\n", info.architecture);
    cli_print("fingerprint  %s\n", fingerprint);
    cli_print("format       %u\n", info.format_version);
    engine_print_sandbox(&sandbox);
    return CLI_DONE;
}

const cli_command cmd_engine = {
    .name = "engine",
    .operands = "",
    .summary = "tell the engine that this program compiles for and runs",
    .description =
        "Prints the engine's version, flags and architecture, the fingerprint that\n"
        "artifacts are bound to (an artifact with another one is refused, not run), and\n"
        "what this machine's kernel has for the sandbox.",
    .options = engine_options,
    .run = engine_main,
};
