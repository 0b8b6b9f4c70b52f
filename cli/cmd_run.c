/* snapcell run: load a function and call it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "error_set.h"
#include "monotonic.h"
#include "snapcell/net.h"

enum {
    RUN_EVENT = 256,
    RUN_MEMORY,
    RUN_CPU,
    RUN_WALL,
    RUN_REPEAT,
    RUN_TIMINGS,
    RUN_CACHE,
    RUN_POLICY,
    RUN_RECOMPILE,
    RUN_NO_SANDBOX,
    RUN_ALLOW_NET,
    RUN_ALLOW_NET_PRIVATE,
    RUN_RESPONSE,
    RUN_TIMERS,
    RUN_FROZEN_CLOCK,
    RUN_HANDLER,
    RUN_ENV_JSON,
};

static const cli_option run_options[] = {
    {'X', "request", "METHOD", "the request's method (default: GET, or POST with a body)"},
    {'H', "header", "'K: V'", "a header of the request; repeatable"},
    {'d', "data", "BODY",
     "the request's body; @FILE reads a file, @- or - standard input. Its type\n"
     "is application/x-www-form-urlencoded, as curl's, unless -H gives one"},
    {'i', "include", NULL, "print the status and headers before the body"},
    {'e', "env", "K=V", "what the function sees as env.K; repeatable"},
    {RUN_ENV_JSON, "env-json", "K=JSON", "the same, of a JSON value; repeatable"},
    {RUN_HANDLER, "handler", "NAME",
     "call this handler with the event, as scheduled or queue; its\nresult is printed as JSON"},
    {RUN_EVENT, "event", "JSON",
     "the event for a handler(event); @FILE reads a file, @- or -\nstandard input"},
    {RUN_MEMORY, "memory-mb", "N",
     "limit of the JavaScript heap, and as much again for\nArrayBuffers (default: 128)"},
    {RUN_CPU, "cpu-ms", "N", "CPU time limit of a call (default: none)"},
    {RUN_WALL, "wall-ms", "N", "wall time limit of a call (default: none)"},
    {RUN_RESPONSE, "max-response-mb", "N",
     "limit of a response's body (default: as --memory-mb for one\nthat is whole, none for one "
     "that is streamed)"},
    {RUN_TIMERS, "max-timers", "N", "timers that may be pending at once (default: 10000)"},
    {RUN_FROZEN_CLOCK, "frozen-clock", NULL,
     "Date and performance.now() stand still while JavaScript runs,\nand go on when it waits"},
    {RUN_REPEAT, "repeat", "N", "load, call and dispose N times; the last response is printed"},
    {RUN_TIMINGS, "timings", NULL,
     "a line of JSON on standard error for each load: lookup_ns,\n"
     "read_ns, decompress_ns, verify_ns, isolate_ns, context_ns,\n"
     "call_ns, total_ns (lookup to response), dispose_ns"},
    {RUN_CACHE, "cache", NULL,
     "with --repeat, keep what was decoded for the next load; without\n"
     "this, each load reads, verifies and decodes it again"},
    {RUN_POLICY, "policy", "restore|reload|keep",
     "call it in a worker process, as a host does: restore (its memory is\n"
     "put back after each call), reload (it is loaded for each) or keep\n"
     "(one instance for all). Of --timings, call_ns is from request to\n"
     "response, and dispose_ns the restore before it; the rest is 0"},
    {RUN_RECOMPILE, "recompile", NULL,
     "when there is an artifact for other engines only, make the\nmissing one first"},
    {RUN_NO_SANDBOX, "no-sandbox", NULL,
     "run the function in a process without a sandbox, for debugging"},
    CLI_TRUST_OPTION,
    CLI_TENANT_OPTION("with --trust: run only what is signed for TENANT (default: what is\n"
                      "signed for none)"),
    {RUN_ALLOW_NET, "allow-net", "HOST",
     "a host that fetch() may reach, as example.org,\nexample.org:8443, *.example.org, [::1] or *; "
     "repeatable\n(default: none)"},
    {RUN_ALLOW_NET_PRIVATE, "allow-net-private", NULL,
     "names may resolve to addresses of private networks and of this\nmachine, too"},
    CLI_OPTIONS_END,
};

typedef struct run_state {
    cli_arguments arguments;
    snapcell_request request;
    snapcell_header *headers;
    size_t header_count;
    snapcell_env *env;
    size_t env_count;
    snapcell_env *json_env;
    size_t json_env_count;
    const char *handler; /* of --handler; NULL when it was not given */
    char **owned;        /* copies of option values that were split */
    size_t owned_count;
    const char *data;   /* of -d; NULL when it was not given */
    bool data_is_input; /* it is standard input, to be read as the function reads it */
    char *body;
    size_t body_size_bytes;
    const char *event; /* of --event; NULL when it was not given */
    char *event_json;
    snapcell_cell_options cell;
    uint64_t repeat;
    bool include;
    bool timings;
    bool cache;
    bool in_worker; /* by the policy */
    snapcell_workers_policy policy;
    bool recompile;
    bool no_sandbox;
    snapcell_trust *trust; /* NULL: everything is */
    const char **allow;    /* of --allow-net */
    size_t allow_count;
    bool allow_private;
} run_state;

/* --- Arguments --- */

static char *run_copy(run_state *state, const char *value)
{
    char *copy = strdup(value);
    if (copy)
        state->owned[state->owned_count++] = copy;
    else
        cli_message("no memory for the command line");
    return copy;
}

static bool run_take_header(run_state *state, const char *value)
{
    char *copy = run_copy(state, value);
    if (!copy) return false;
    if (cli_header_split(copy, &state->headers[state->header_count])) {
        state->header_count++;
        return true;
    }
    cli_message("-H needs a header like 'Accept: text/html', not '%s'", value);
    return false;
}

/* Splits "NAME=VALUE" into the next of `env`. */
static bool run_take_env(run_state *state, const char *option, const char *value, snapcell_env *env,
                         size_t *count)
{
    char *copy = run_copy(state, value);
    if (!copy) return false;
    char *equals = strchr(copy, '=');
    if (!equals || equals == copy) {
        cli_message("%s needs a name and a value like MODE=test, not '%s'", option, value);
        return false;
    }
    *equals = '\0';
    env[(*count)++] = (snapcell_env){.name = copy, .value = equals + 1};
    return true;
}

static bool run_take_json_env(run_state *state, const char *value)
{
    if (!run_take_env(state, "--env-json", value, state->json_env, &state->json_env_count))
        return false;
    const snapcell_env *last = &state->json_env[state->json_env_count - 1];
    json_error_t problem;
    json_t *parsed = json_loads(last->value, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    if (!parsed) cli_message("--env-json %s: the value is not JSON: %s", last->name, problem.text);
    json_decref(parsed);
    return parsed != NULL;
}

static bool run_take_host(run_state *state, const char *value)
{
    snapcell_error err;
    if (snapcell_net_check_host(value, &err) != SNAPCELL_OK) {
        cli_message("--allow-net: %s", err.message);
        return false;
    }
    state->allow[state->allow_count++] = value;
    return true;
}

static bool run_take_once(const char *option, const char **slot, const char *value)
{
    if (*slot) {
        cli_message("%s was given twice; a call takes one", option);
        return false;
    }
    *slot = value;
    return true;
}

static bool run_take_number(run_state *state, int id, const char *value)
{
    uint64_t number = 0;
    switch (id) {
    case RUN_MEMORY:
        if (!cli_number("--memory-mb", value, 1, 1 << 20, &number)) return false;
        state->cell.memory_limit_bytes = number << 20;
        return true;
    case RUN_CPU:
        if (!cli_number("--cpu-ms", value, 1, UINT32_MAX, &number)) return false;
        state->cell.cpu_limit_ms = (uint32_t)number;
        return true;
    case RUN_RESPONSE:
        if (!cli_number("--max-response-mb", value, 1, 1 << 20, &number)) return false;
        state->cell.response_limit_bytes = number << 20;
        return true;
    case RUN_TIMERS:
        if (!cli_number("--max-timers", value, 1, 1 << 20, &number)) return false;
        state->cell.timer_limit = (uint32_t)number;
        return true;
    case RUN_WALL:
        if (!cli_number("--wall-ms", value, 1, UINT32_MAX, &number)) return false;
        state->cell.wall_limit_ms = (uint32_t)number;
        return true;
    default:
        return cli_number("--repeat", value, 1, UINT32_MAX, &state->repeat);
    }
}

static bool run_take(void *user, int id, const char *value)
{
    run_state *state = user;
    switch (id) {
    case 'X':
        state->request.method = value;
        return true;
    case 'H':
        return run_take_header(state, value);
    case 'd':
        return run_take_once("-d", &state->data, value);
    case 'i':
        state->include = true;
        return true;
    case 'e':
        return run_take_env(state, "-e", value, state->env, &state->env_count);
    case RUN_ENV_JSON:
        return run_take_json_env(state, value);
    case RUN_HANDLER:
        return run_take_once("--handler", &state->handler, value);
    case RUN_EVENT:
        return run_take_once("--event", &state->event, value);
    case RUN_TIMINGS:
        state->timings = true;
        return true;
    case RUN_CACHE:
        state->cache = true;
        return true;
    case RUN_POLICY:
        state->in_worker = true;
        return cli_worker_policy(value, &state->policy);
    case RUN_RECOMPILE:
        state->recompile = true;
        return true;
    case RUN_FROZEN_CLOCK:
        state->cell.frozen_clock = true;
        return true;
    case RUN_NO_SANDBOX:
        state->no_sandbox = true;
        cli_message("warning: the function runs without a sandbox");
        return true;
    case RUN_ALLOW_NET:
        return run_take_host(state, value);
    case RUN_ALLOW_NET_PRIVATE:
        state->allow_private = true;
        return true;
    default:
        return run_take_number(state, id, value);
    }
}

static bool run_is_input(const char *value)
{
    return value != NULL && (strcmp(value, "-") == 0 || strcmp(value, "@-") == 0);
}

/* `-` alone stands for standard input, too. */
static int run_read_value(const char *value, char **out, size_t *out_size_bytes,
                          snapcell_error *err)
{
    return cli_read_value(run_is_input(value) ? "@-" : value, out, out_size_bytes, err);
}

static int run_read_inputs(run_state *state, snapcell_error *err)
{
    size_t size_bytes = 0;
    int status = SNAPCELL_OK;
    state->data_is_input = run_is_input(state->data) && state->repeat == 1 && !state->in_worker;
    if (state->data && !state->data_is_input)
        status = run_read_value(state->data, &state->body, &state->body_size_bytes, err);
    if (status == SNAPCELL_OK && state->event)
        status = run_read_value(state->event, &state->event_json, &size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    const char *json = state->event ? state->event_json : NULL;
    if (json && strlen(json) != size_bytes)
        return error_set(err, SNAPCELL_E_USAGE, "the event is not JSON text: it holds a zero byte");
    state->request.url = state->arguments.operand_count > 1 ? state->arguments.operands[1] : NULL;
    state->request.headers = state->headers;
    state->request.header_count = state->header_count;
    state->request.body = state->body;
    state->request.body_size_bytes = state->body_size_bytes;
    state->cell.env = state->env;
    state->cell.env_count = state->env_count;
    state->cell.json_env = state->json_env;
    state->cell.json_env_count = state->json_env_count;
    state->cell.tenant = state->arguments.tenant;
    return SNAPCELL_OK;
}

/* --- The event of a JSON-shaped function --- */

static json_t *run_event_headers(const run_state *state)
{
    json_t *headers = json_object();
    for (size_t i = 0; headers && i < state->header_count; i++) {
        cleanup_free char *name = strdup(state->headers[i].name);
        for (char *c = name; c && *c; c++)
            *c = (char)tolower((unsigned char)*c);
        if (!name) continue;
        const char *before = json_string_value(json_object_get(headers, name));
        json_t *value = before ? json_sprintf("%s, %s", before, state->headers[i].value)
                               : cli_json_text(state->headers[i].value);
        json_object_set_new(headers, name, value);
    }
    return headers;
}

/* --event, else -d, else what would have been the request, else {}. NULL when memory is short.
 * Owned: free(). */
static char *run_event(const run_state *state)
{
    if (state->event_json) return strdup(state->event_json);
    if (state->body) return strdup(state->body);
    if (!state->request.url && !state->request.method && state->header_count == 0)
        return strdup("{}");
    json_t *event = json_pack("{s:o, s:o, s:o, s:n}", "method",
                              cli_json_text(state->request.method ? state->request.method : "GET"),
                              "url", cli_json_text(state->request.url ? state->request.url : "/"),
                              "headers", run_event_headers(state), "body");
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    return text;
}

/* --- One load --- */

/* As curl does, unless -H says what the body is. There is room: -d took two words. */
static void run_add_content_type(run_state *state)
{
    if (!state->data) return;
    for (size_t i = 0; i < state->header_count; i++)
        if (strcasecmp(state->headers[i].name, "content-type") == 0) return;
    state->headers[state->header_count++] =
        (snapcell_header){"content-type", "application/x-www-form-urlencoded"};
    state->request.header_count = state->header_count;
}

static int run_fetch(run_state *state, snapcell_cell *cell, bool print, snapcell_error *err)
{
    if (state->event)
        return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                         "%s takes a request, not an event; give it a URL, -X, -H and -d instead "
                         "of --event",
                         state->arguments.operands[0]);
    run_add_content_type(state);
    cli_exchange exchange = {
        .reads = state->data_is_input, .prints = print, .include = state->include};
    return cli_exchange_run(&exchange, cell, &state->request, err);
}

static int run_invoke(run_state *state, snapcell_cell *cell, bool print, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    if (state->data_is_input)
        status = cli_read_value("@-", &state->body, &state->body_size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    if (!state->event && state->body && strlen(state->body) != state->body_size_bytes)
        return error_set(err, SNAPCELL_E_USAGE, "the event is not JSON text: it holds a zero byte");
    cleanup_free char *event = run_event(state);
    cleanup_free char *result = NULL;
    if (!event) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the event");
    status = state->handler ? snapcell_cell_call(cell, state->handler, event, &result, NULL, err)
                            : snapcell_cell_invoke(cell, event, &result, NULL, err);
    if (status == SNAPCELL_OK && print) cli_print("%s\n", result);
    return status;
}

void cli_print_timings(const snapcell_timings *timings, uint64_t dispose_ns)
{
    cli_say("{\"lookup_ns\":%llu,\"read_ns\":%llu,\"decompress_ns\":%llu,\"verify_ns\":%llu,"
            "\"isolate_ns\":%llu,\"context_ns\":%llu,\"call_ns\":%llu,\"total_ns\":%llu,"
            "\"dispose_ns\":%llu}\n",
            (unsigned long long)timings->lookup_ns, (unsigned long long)timings->read_ns,
            (unsigned long long)timings->decompress_ns, (unsigned long long)timings->verify_ns,
            (unsigned long long)timings->isolate_ns, (unsigned long long)timings->context_ns,
            (unsigned long long)timings->call_ns, (unsigned long long)timings->total_ns,
            (unsigned long long)dispose_ns);
}

/* --- In the child --- */

/* There is an artifact for other engines only, and --recompile was given. */
#define RUN_STATUS_RECOMPILE CLI_CHILD_STATUS_OWN
/* A call ran past its limit, in native code that cannot be interrupted. */
#define RUN_STATUS_CPU (CLI_CHILD_STATUS_OWN + 1)
#define RUN_STATUS_WALL (CLI_CHILD_STATUS_OWN + 2)

static void run_overrun(void *user, int code)
{
    (void)user;
    _exit(code == SNAPCELL_E_CPU_LIMIT ? RUN_STATUS_CPU : RUN_STATUS_WALL);
}

/* A load whose answer is printed as it comes, before anything is disposed of. */
static int run_once(run_state *state, snapcell_loader *loader, bool print, snapcell_error *err)
{
    snapcell_cell *cell = NULL;
    int status = snapcell_cell_load(loader, state->arguments.operands[0], &state->cell, &cell, err);
    if (status != SNAPCELL_OK) return status;
    if (snapcell_cell_info(cell)->shape == SNAPCELL_SHAPE_FETCH && !state->handler)
        status = run_fetch(state, cell, print, err);
    else
        status = run_invoke(state, cell, print, err);
    cli_flush();
    snapcell_timings timings;
    snapcell_cell_timings(cell, &timings, sizeof(timings));
    bool last = print && !state->timings;
    uint64_t start_ns = monotonic_now_ns();
    if (!last) snapcell_cell_dispose(cell);
    uint64_t dispose_ns = monotonic_now_ns() - start_ns;
    if (status == SNAPCELL_OK && state->timings) cli_print_timings(&timings, dispose_ns);
    return status;
}

/* The network of a function: a process that the supervisor starts, at the other end of a socket. */
static void run_start_net(void *user, int broker_fd)
{
    const run_state *state = user;
    snapcell_error err;
    snapcell_net_options options = SNAPCELL_NET_OPTIONS_INIT;
    options.allow = state->allow;
    options.allow_count = state->allow_count;
    options.allow_private = state->allow_private;
    options.no_sandbox = state->no_sandbox;
    if (snapcell_net_serve(&options, broker_fd, NULL, &err) != SNAPCELL_OK)
        cli_message("there is no network: %s", err.message);
}

static int run_open(const run_state *state, int broker_fd, snapcell_loader **out,
                    snapcell_error *err)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    snapcell_net *net = NULL;
    int status = broker_fd >= 0 ? snapcell_net_attach(broker_fd, &net, err) : SNAPCELL_OK;
    if (status != SNAPCELL_OK) return status;
    if (net) options.fetch_client = snapcell_net_client(net);
    options.store_path = state->arguments.store;
    options.log = cli_console;
    options.trust = state->trust;
    options.overrun = run_overrun;
    if (!state->cache) options.cache_size_bytes = SNAPCELL_CACHE_NONE;
    return snapcell_loader_open(&options, out, err);
}

/* In addition to the heap and the ArrayBuffers, each as large as the limit: the engine's own
 * memory, and the request's body on its way in. */
#define RUN_DATA_SLACK_BYTES ((uint64_t)512 << 20)

static int run_enter_sandbox(const run_state *state, snapcell_error *err)
{
    if (state->no_sandbox) return SNAPCELL_OK;
    uint64_t memory_bytes = state->cell.memory_limit_bytes;
    if (memory_bytes == 0) memory_bytes = SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT;
    snapcell_sandbox_options options = SNAPCELL_SANDBOX_OPTIONS_INIT;
    options.data_limit_bytes =
        2 * memory_bytes + 4 * (uint64_t)state->body_size_bytes + RUN_DATA_SLACK_BYTES;
    cli_keep_time_zone();
    return snapcell_sandbox_enter(&options, err);
}

static int run_repeat(run_state *state, int broker_fd, snapcell_error *err)
{
    snapcell_loader *loader = NULL;
    int status = run_open(state, broker_fd, &loader, err);
    /* Repeated without a cache, each load reads the store again. */
    bool seals = !state->no_sandbox && (state->repeat == 1 || state->cache);
    if (status == SNAPCELL_OK && seals)
        status = snapcell_loader_seal(loader, state->arguments.operands[0], &state->cell, err);
    if (status == SNAPCELL_OK) status = run_enter_sandbox(state, err);
    for (uint64_t i = 1; status == SNAPCELL_OK && i <= state->repeat; i++)
        status = run_once(state, loader, i == state->repeat, err);
    return status; /* the process ends next, and the loader with it */
}

static int run_work(void *user, int broker_fd)
{
    run_state *state = user;
    const char *ref = state->arguments.operands[0];
    snapcell_error err;
    int status = run_repeat(state, broker_fd, &err);
    if (status == SNAPCELL_OK) return CLI_DONE;
    if (status != SNAPCELL_E_OTHER_ENGINE || !state->recompile) return (int)cli_report(ref, &err);
    cli_message("warning: %s; recompiling %s for this engine", err.message, ref);
    return RUN_STATUS_RECOMPILE;
}

/* --- The command --- */

/* What the child had no time to say. */
static int run_tell_overrun(const run_state *state, int status)
{
    const char *ref = state->arguments.operands[0];
    if (status == RUN_STATUS_CPU)
        cli_message("%s: the call used more than its limit of %u ms of CPU time", ref,
                    state->cell.cpu_limit_ms);
    else
        cli_message("%s: the call took longer than its limit of %u ms", ref,
                    state->cell.wall_limit_ms);
    return CLI_LIMIT;
}

/* The child has no store that it could write to: the artifact is made here, for another child. */
static int run_recompile(run_state *state, const cli_child *child)
{
    snapcell_error err;
    const char *ref = state->arguments.operands[0];
    int status = cli_recompile_ref(state->arguments.store, ref, state->no_sandbox, &err);
    if (status != SNAPCELL_OK) return (int)cli_report(ref, &err);
    state->recompile = false;
    return cli_child_run(child);
}

/* What is recompiled is another artifact of the same name. */
static int run_in_worker(run_state *state, snapcell_error *err)
{
    cleanup_free char *event = run_event(state);
    if (!event) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the event");
    run_add_content_type(state);
    const cli_worker_run run = {
        .store = state->arguments.store,
        .ref = state->arguments.operands[0],
        .trust = state->trust,
        .cell = &state->cell,
        .request = &state->request,
        .event = event,
        .handler = state->handler,
        .policy = state->policy,
        .repeat = state->repeat,
        .gives_event = state->event != NULL,
        .no_sandbox = state->no_sandbox,
        .include = state->include,
        .timings = state->timings,
    };
    int status = cli_worker_run_all(&run, err);
    if (status != SNAPCELL_E_OTHER_ENGINE || !state->recompile) return status;
    cli_message("warning: %s; recompiling %s for this engine", err->message, run.ref);
    status = cli_recompile_ref(run.store, run.ref, run.no_sandbox, err);
    return status == SNAPCELL_OK ? cli_worker_run_all(&run, err) : status;
}

static cli_status run_check_options(const run_state *state)
{
    if (state->data && state->event)
        return cli_usage("-d and --event are both the function's input; give one");
    if (state->in_worker && state->allow_count > 0)
        return cli_usage("a function of --policy has no network: do without --allow-net");
    if (state->in_worker && state->cache)
        return cli_usage("--cache is of loads in one process: do without it, or without --policy");
    return CLI_DONE;
}

static cli_status run_run(run_state *state)
{
    snapcell_error err;
    cli_status checked = run_check_options(state);
    if (checked != CLI_DONE) return checked;

    int status = cli_trust_open(&state->arguments, &state->trust, &err);
    if (status == SNAPCELL_OK && state->trust && state->recompile)
        return cli_usage("what --recompile makes is unsigned, and --trust would refuse it; "
                         "`snapcell recompile --sign` makes signed ones");
    if (status == SNAPCELL_OK) status = run_read_inputs(state, &err);
    if (status != SNAPCELL_OK) return cli_report(NULL, &err);
    if (state->in_worker) {
        status = run_in_worker(state, &err);
        return status == SNAPCELL_OK ? CLI_DONE : cli_report(state->arguments.operands[0], &err);
    }
    cli_child child = {
        .subject = state->arguments.operands[0],
        .work = run_work,
        .broker = state->allow_count > 0 ? run_start_net : NULL,
        .user = state,
    };
    int exit_status = cli_child_run(&child);
    if (exit_status == RUN_STATUS_RECOMPILE) exit_status = run_recompile(state, &child);
    if (exit_status == RUN_STATUS_CPU || exit_status == RUN_STATUS_WALL)
        exit_status = run_tell_overrun(state, exit_status);
    return (cli_status)exit_status;
}

static cli_status run_main(const cli_command *command, int argc, char **argv)
{
    size_t room = (size_t)argc + 1;
    run_state state = {
        .request = SNAPCELL_REQUEST_INIT,
        .headers = calloc(room, sizeof(*state.headers)),
        .env = calloc(room, sizeof(*state.env)),
        .json_env = calloc(room, sizeof(*state.json_env)),
        .owned = calloc(room, sizeof(*state.owned)),
        .allow = calloc(room, sizeof(*state.allow)),
        .cell = SNAPCELL_CELL_OPTIONS_INIT,
        .repeat = 1,
    };
    cli_status status = CLI_TROUBLE;
    if (!state.headers || !state.env || !state.owned || !state.allow || !state.json_env)
        cli_message("no memory for the command line");
    else if (cli_parse(command, argc, argv, run_take, &state, &state.arguments, &status))
        status = run_run(&state);
    for (size_t i = 0; state.owned && i < state.owned_count; i++)
        free(state.owned[i]);
    free(state.owned);
    free(state.allow);
    free(state.json_env);
    free(state.headers);
    free(state.env);
    free(state.body);
    free(state.event_json);
    snapcell_trust_free(state.trust);
    return status;
}

const cli_command cmd_run = {
    .name = "run",
    .operands = "REF [URL]",
    .summary = "load a function from the store and call it",
    .description =
        "Loads REF (a name, a key, or a unique key prefix) and calls it. URL is absolute or a\n"
        "path (default: /). The response's body goes to standard output as it comes, whatever its\n"
        "status; console output goes to standard error. A function of the shape handler(event)\n"
        "gets the event of --event, else -d, else {method, url, headers, body} when a URL, -X or\n"
        "-H was given, else {}; its result is printed as JSON. So does the handler of --handler.",
    .options = run_options,
    .operand_count_min = 1,
    .operand_count_max = 2,
    .run = run_main,
};
