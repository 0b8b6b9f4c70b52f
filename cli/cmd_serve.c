/* snapcell serve: answer HTTP requests with the functions of a store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "serve.h"

enum {
    SERVE_LISTEN = 256,
    SERVE_METRICS,
    SERVE_CONFIG,
    SERVE_SINGLE,
    SERVE_POLICY,
    SERVE_CHECK,
    SERVE_DEV,
    SERVE_NO_SANDBOX,
};

#define SERVE_LISTEN_COUNT_MAX 16

static const cli_option serve_options_table[] = {
    {SERVE_LISTEN, "listen", "ADDRESS",
     "HOST:PORT or unix:PATH; port 0 takes a free one; repeatable\n"
     "(default: 127.0.0.1:8080)"},
    {SERVE_METRICS, "metrics", "ADDRESS",
     "answer /metrics, /healthz and /readyz there (default: nowhere)"},
    {SERVE_CONFIG, "config", "FILE", "routes, functions' limits, environment and pools, as JSON"},
    {SERVE_SINGLE, "single", "NAME", "this function answers all requests"},
    {SERVE_POLICY, "policy", "POLICY",
     "what a request gets: restore (a fresh instance, from memory\n"
     "that is put back; the default), reload (one that is loaded),\n"
     "or keep (one instance for many requests)"},
    {SERVE_CHECK, "check", NULL, "say what is wrong with the configuration, and end"},
    {SERVE_DEV, "dev", NULL, "tell clients of errors: messages, places and stacks"},
    {SERVE_NO_SANDBOX, "no-sandbox", NULL, "run without sandboxes, for debugging"},
    CLI_TRUST_OPTION,
    CLI_OPTIONS_END,
};

typedef struct serve_state {
    cli_arguments arguments;
    const char *listen[SERVE_LISTEN_COUNT_MAX + 1];
    size_t listen_count;
    serve_options options;
    bool checks;
} serve_state;

static bool serve_take_listen(serve_state *state, const char *value)
{
    if (state->listen_count == SERVE_LISTEN_COUNT_MAX) {
        cli_message("--listen can be given %d times", SERVE_LISTEN_COUNT_MAX);
        return false;
    }
    state->listen[state->listen_count++] = value;
    return true;
}

static bool serve_take_policy(serve_state *state, const char *value)
{
    static const char *const policies[] = {"restore", "reload", "keep", NULL};
    for (int i = 0; policies[i] != NULL; i++)
        if (strcmp(value, policies[i]) == 0) {
            state->options.policy = i;
            return true;
        }
    const char *guess = cli_guess(value, policies);
    if (guess)
        cli_message("--policy must be restore, reload or keep, not '%s'; did you mean '%s'?", value,
                    guess);
    else
        cli_message("--policy must be restore, reload or keep, not '%s'", value);
    return false;
}

static bool serve_take(void *user, int id, const char *value)
{
    serve_state *state = user;
    switch (id) {
    case SERVE_LISTEN:
        return serve_take_listen(state, value);
    case SERVE_METRICS:
        state->options.metrics = value;
        return true;
    case SERVE_CONFIG:
        state->options.config = value;
        return true;
    case SERVE_SINGLE:
        state->options.single = value;
        return true;
    case SERVE_POLICY:
        return serve_take_policy(state, value);
    case SERVE_CHECK:
        state->checks = true;
        return true;
    case SERVE_DEV:
        state->options.dev = true;
        return true;
    default:
        state->options.no_sandbox = true;
        cli_message("warning: functions run without a sandbox");
        return true;
    }
}

/* On standard output at once: others wait for it. */
static void serve_print(const char *line)
{
    cli_print("%s\n", line);
    cli_flush();
}

static void serve_warn(const char *line)
{
    cli_message("%s", line);
}

static void serve_problem(void *user, const char *path, size_t line, size_t column,
                          const char *message)
{
    (void)user;
    cli_say("%s:%zu:%zu: %s\n", path, line, column, message);
}

static cli_status serve_run_check(const serve_state *state)
{
    snapcell_error err;
    if (!state->options.config) return cli_usage("--check needs a --config FILE to look at");
    int status = serve_check(&state->options, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    cli_print("%s is right\n", state->options.config);
    return CLI_DONE;
}

static int serve_start(serve_state *state, snapcell_error *err)
{
    cli_cleanup_trust snapcell_trust *trust = NULL;
    int status = cli_trust_open(&state->arguments, &trust, err);
    state->options.trust = trust;
    return status == SNAPCELL_OK ? serve_run(&state->options, err) : status;
}

static cli_status serve_run_command(const cli_command *command, int argc, char **argv)
{
    snapcell_error err;
    cli_status ended;
    serve_state state = {.options = {.policy = -1}};
    if (!cli_parse(command, argc, argv, serve_take, &state, &state.arguments, &ended)) return ended;
    state.options.listen = state.listen;
    state.options.store = state.arguments.store;
    state.options.print = serve_print;
    state.options.warn = serve_warn;
    state.options.problem = serve_problem;
    if (state.checks) return serve_run_check(&state);
    return serve_start(&state, &err) == SNAPCELL_OK ? CLI_DONE : cli_report(NULL, &err);
}

const cli_command cmd_serve = {
    .name = "serve",
    .operands = "",
    .summary = "answer HTTP requests with functions",
    .description =
        "Answers HTTP/1.1 requests with the functions of a store, each request in a fresh\n"
        "instance, in sandboxed processes. Without routes a function answers at its name as\n"
        "the host's first label, as http://NAME.localhost:8080/. The first line on standard\n"
        "output is \"listening on http://HOST:PORT\"; the log is JSON lines on standard error.\n"
        "SIGTERM lets the requests that are under way end first, SIGHUP reads the\n"
        "configuration again; a change of the store takes effect by itself.",
    .options = serve_options_table,
    .operand_count_max = 0,
    .run = serve_run_command,
};
