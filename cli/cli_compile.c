/* The options that all commands have that compile. */
#include "cli.h"

#define COMPILE_JOBS_MAX 256

bool cli_compile_take(snapcell_compile_options *options, size_t *jobs, int id, const char *value)
{
    uint64_t number = 0;
    switch (id) {
    case CLI_OPTION_COMPILE_JOBS:
        if (!cli_number("--jobs", value, 1, COMPILE_JOBS_MAX, &number)) return false;
        *jobs = (size_t)number;
        return true;
    case CLI_OPTION_COMPILE_MEMORY:
        if (!cli_number("--memory-mb", value, 1, 1 << 20, &number)) return false;
        options->memory_limit_bytes = number << 20;
        return true;
    case CLI_OPTION_COMPILE_NO_SANDBOX:
        options->no_sandbox = true;
        cli_message("warning: bundles are evaluated without a sandbox");
        return true;
    default:
        if (!cli_number("--wall-ms", value, 1, UINT32_MAX, &number)) return false;
        options->wall_limit_ms = (uint32_t)number;
        return true;
    }
}
