/* snapcell engine: what artifacts are bound to. */
#include "cli.h"
#include "snapcell/worker.h"

static const cli_option engine_options[] = {
    CLI_JSON_OPTION("a JSON object: version, v8, flags, arch, fingerprint,\nformat_version, "
                    "sandbox {seccomp, landlock}, restore\n(tracked, compared, none), restore_by"),
    CLI_OPTIONS_END,
};

static void engine_print_sandbox(const snapcell_sandbox_support *sandbox)
{
    cli_print("sandbox      %s", sandbox->seccomp ? "seccomp" : "none: the kernel has no seccomp");
    if (sandbox->landlock_abi > 0) cli_print(", Landlock %d", sandbox->landlock_abi);
    cli_print("\n");
}

/* How a worker that restores its memory finds out what a call wrote. */
static const char *engine_restore_name(snapcell_restore_tier tier)
{
    if (tier == SNAPCELL_RESTORE_NONE) return "none";
    return tier == SNAPCELL_RESTORE_COMPARED ? "compared" : "tracked";
}

static const char *engine_restore_means(snapcell_restore_tier tier)
{
    static const char *const means[] = {
        [SNAPCELL_RESTORE_NONE] = "workers load again for each call",
        [SNAPCELL_RESTORE_SCANNED] = "PAGEMAP_SCAN",
        [SNAPCELL_RESTORE_LISTED] = "/proc/self/pagemap",
        [SNAPCELL_RESTORE_COMPARED] = "all memory is compared",
    };
    return means[tier];
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
    snapcell_restore_tier tier = snapcell_restore_probe();
    if (arguments.json) {
        cli_print_json(json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:I, s:{s:b, s:i}, s:s, s:s}", "version", SNAPCELL_VERSION,
            "v8", info.v8_version, "flags", info.v8_flags, "arch", info.architecture, "fingerprint",
            fingerprint, "format_version", (json_int_t)info.format_version, "sandbox", "seccomp",
            sandbox.seccomp, "landlock", sandbox.landlock_abi, "restore", engine_restore_name(tier),
            "restore_by", engine_restore_means(tier)));
        return CLI_DONE;
    }
    cli_print("version      snapcell %s\n", SNAPCELL_VERSION);
    cli_print("v8           %s\n", info.v8_version);
    cli_print("flags        %s\n", info.v8_flags);
    cli_print("arch         %s\n", info.architecture);
    cli_print("fingerprint  %s\n", fingerprint);
    cli_print("format       %u\n", info.format_version);
    engine_print_sandbox(&sandbox);
    cli_print("restore      %s: %s\n", engine_restore_name(tier), engine_restore_means(tier));
    return CLI_DONE;
}

const cli_command cmd_engine = {
    .name = "engine",
    .operands = "",
    .summary = "describe the engine that this program compiles for and runs",
    .description =
        "Prints the engine's version, flags and architecture, the fingerprint that\n"
        "artifacts are bound to (an artifact with another one is refused, not run), and\n"
        "what this machine's kernel offers for the sandbox and for restoring memory.",
    .options = engine_options,
    .run = engine_main,
};
