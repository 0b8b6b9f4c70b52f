/* snapcell serve: answer HTTP requests with the functions of a store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_source.h"

enum {
    SERVE_LISTEN = 256,
    SERVE_METRICS,
    SERVE_CONFIG,
    SERVE_SINGLE,
    SERVE_POLICY,
    SERVE_CHECK,
    SERVE_DEV,
    SERVE_VERSIONS,
    SERVE_NO_SANDBOX,
    SERVE_SOURCE,
    SERVE_SOURCE_INTERVAL,
    SERVE_SOURCE_FAILURE_ACTION,
    SERVE_SOURCE_MONITOR,
    SERVE_SOURCE_MIN_REQUESTS,
    SERVE_SOURCE_MAX_FAILURE_PERCENT,
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
    {SERVE_POLICY, "policy", "restore|reload|keep",
     "what a request gets: restore (a fresh instance, from memory\n"
     "that is put back; the default), reload (one that is loaded),\n"
     "or keep (one instance for many requests)"},
    {SERVE_SOURCE, "source", "oci://HOST/REPOSITORY:TAG",
     "follow this tag of a registry: pull what it stands for, try it,\n"
     "and switch to it"},
    {SERVE_SOURCE_INTERVAL, "source-interval", "SECONDS",
     "how often to look at the tag, a tenth more or less (default: 60)"},
    {SERVE_SOURCE_FAILURE_ACTION, "source-failure-action", "ACTION",
     "when a new version fails more often than the one before: keep it\n"
     "(default), or rollback"},
    {SERVE_SOURCE_MONITOR, "source-monitor", "SECONDS",
     "how long a new version is compared (default: 60)"},
    {SERVE_SOURCE_MAX_FAILURE_PERCENT, "source-max-failure-percent", "N",
     "how many more percent of requests may fail than before\n"
     "(default: 10)"},
    {SERVE_SOURCE_MIN_REQUESTS, "source-min-requests", "N",
     "after how many requests to judge (default: 20)"},
    CLI_REGISTRY_OPTIONS,
    {SERVE_CHECK, "check", NULL, "say what is wrong with the configuration, and end"},
    {SERVE_DEV, "dev", NULL,
     "tell clients of errors: messages, places and stacks;\nwarm nothing up"},
    {SERVE_VERSIONS, "versions-from-stdin", NULL,
     "with --dev: take new versions of functions from standard input,\n"
     "and serve them before the store has them"},
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
    const char *source_option; /* that makes sense with a source alone; NULL: none was given */
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

/* The word's place in a list that ends with NULL, by which it is kept. */
static bool serve_take_word(const char *option, const char *value, const char *const *words,
                            const char *list, uint32_t *out)
{
    for (uint32_t i = 0; words[i] != NULL; i++)
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return true;
        }
    const char *guess = cli_guess(value, words);
    if (guess)
        cli_message("%s must be %s, not '%s'; did you mean '%s'?", option, list, value, guess);
    else
        cli_message("%s must be %s, not '%s'", option, list, value);
    return false;
}

static bool serve_take_policy(serve_state *state, const char *value)
{
    static const char *const policies[] = {"restore", "reload", "keep", NULL};
    uint32_t policy = 0;
    if (!serve_take_word("--policy", value, policies, "restore, reload or keep", &policy))
        return false;
    state->options.policy = (int)policy;
    return true;
}

static bool serve_take_number(serve_state *state, const char *option, const char *value,
                              uint64_t min, uint64_t max, uint32_t *out)
{
    uint64_t number = 0;
    state->source_option = option;
    if (!cli_number(option, value, min, max, &number)) return false;
    *out = (uint32_t)number;
    return true;
}

static bool serve_take_reference(serve_state *state, const char *value)
{
    snapcell_error err;
    state->options.source.reference = (char *)(uintptr_t)value;
    if (cli_source_check(value, &err) == SNAPCELL_OK) return true;
    cli_report(NULL, &err);
    return false;
}

static bool serve_take_source(serve_state *state, int id, const char *value)
{
    static const char *const actions[] = {"keep", "rollback", NULL};
    serve_source_config *source = &state->options.source;
    switch (id) {
    case SERVE_SOURCE:
        return serve_take_reference(state, value);
    case SERVE_SOURCE_INTERVAL:
        return serve_take_number(state, "--source-interval", value, 1, 86400, &source->interval_s);
    case SERVE_SOURCE_FAILURE_ACTION:
        state->source_option = "--source-failure-action";
        return serve_take_word(state->source_option, value, actions, "keep or rollback",
                               &source->failure_action);
    case SERVE_SOURCE_MONITOR:
        return serve_take_number(state, "--source-monitor", value, 1, 86400, &source->monitor_s);
    case SERVE_SOURCE_MIN_REQUESTS:
        return serve_take_number(state, "--source-min-requests", value, 1, 1u << 20,
                                 &source->min_requests);
    case SERVE_SOURCE_MAX_FAILURE_PERCENT:
        return serve_take_number(state, "--source-max-failure-percent", value, 0, 99,
                                 &source->max_failure_percent);
    case CLI_OPTION_PLAIN_HTTP:
        state->source_option = "--plain-http";
        source->plain_http = true;
        return true;
    default:
        state->source_option = "--ca-file";
        source->ca_file = (char *)(uintptr_t)value;
        return true;
    }
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
    case SERVE_VERSIONS:
        state->options.reads_versions = true;
        return true;
    case SERVE_NO_SANDBOX:
        state->options.no_sandbox = true;
        cli_message("warning: functions run without a sandbox");
        return true;
    default:
        return serve_take_source(state, id, value);
    }
}

/* On standard output at once: others wait for it. */
static bool serve_print(const char *line)
{
    cli_print("%s\n", line);
    return cli_flush();
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
    if (!state->options.config && !state->options.source.reference)
        return cli_usage("--check needs a --config FILE to look at");
    int status = serve_check(&state->options, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    cli_print("%s is right\n",
              state->options.config ? state->options.config : state->options.source.reference);
    return CLI_DONE;
}

static int serve_start_source(void *user, const serve_source_config *config, int *fd,
                              snapcell_error *err)
{
    return cli_source_start(user, config, fd, err);
}

static int serve_start(serve_state *state, snapcell_error *err)
{
    cli_cleanup_trust snapcell_trust *trust = NULL;
    int status = cli_trust_open(&state->arguments, &trust, err);
    cli_source source = {
        .arguments = &state->arguments, .trust = trust, .no_sandbox = state->options.no_sandbox};
    serve_options options = state->options;
    options.trust = trust;
    options.source_user = &source;
    options.start_source = serve_start_source;
    return status == SNAPCELL_OK ? serve_run(&options, err) : status;
}

static cli_status serve_run_command(const cli_command *command, int argc, char **argv)
{
    snapcell_error err;
    cli_status ended;
    serve_state state = {.options = {.policy = -1,
                                     .check_source = cli_source_check,
                                     .source = {.failure_action = SERVE_OPTION_UNSAID,
                                                .max_failure_percent = SERVE_OPTION_UNSAID}}};
    if (!cli_parse(command, argc, argv, serve_take, &state, &state.arguments, &ended)) return ended;
    if (state.source_option && !state.options.source.reference && !state.options.config)
        return cli_usage("%s is for --source, or a source of --config", state.source_option);
    if (state.options.reads_versions && !state.options.dev)
        return cli_usage("--versions-from-stdin is for --dev");
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
        "configuration again; a change of the store takes effect by itself. With --source,\n"
        "what a registry's tag stands for comes into the store, and is served, by itself.",
    .options = serve_options_table,
    .operand_count_max = 0,
    .run = serve_run_command,
};
