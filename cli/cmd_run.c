/* snapcell run: load a function and call it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "error_set.h"

enum {
    RUN_EVENT = 256,
    RUN_MEMORY,
    RUN_CPU,
    RUN_WALL,
    RUN_REPEAT,
    RUN_TIMINGS,
    RUN_CACHE,
    RUN_RECOMPILE,
};

static const cli_option run_options[] = {
    {'X', "request", "METHOD", "the request's method (default: GET, or POST with a body)"},
    {'H', "header", "'K: V'", "a header of the request; repeatable"},
    {'d', "data", "BODY", "the request's body; @FILE reads a file, @- or - standard input"},
    {'i', "include", NULL, "print the status and headers before the body"},
    {'e', "env", "K=V", "what the function sees as env.K; repeatable"},
    {RUN_EVENT, "event", "JSON",
     "the event for a handler(event); @FILE reads a file, @- or -\nstandard input"},
    {RUN_MEMORY, "memory-mb", "N",
     "limit of the JavaScript heap, and as much again for\nArrayBuffers (default: 128)"},
    {RUN_CPU, "cpu-ms", "N", "CPU time limit of a call (default: none)"},
    {RUN_WALL, "wall-ms", "N", "wall time limit of a call (default: none)"},
    {RUN_REPEAT, "repeat", "N", "load, call and dispose N times; the last response is printed"},
    {RUN_TIMINGS, "timings", NULL,
     "a line of JSON on standard error for each load: lookup_ns,\n"
     "read_ns, decompress_ns, verify_ns, isolate_ns, context_ns,\n"
     "call_ns, total_ns (lookup to response), dispose_ns"},
    {RUN_CACHE, "cache", NULL,
     "with --repeat, keep what was decoded for the next load; without\n"
     "this each load reads, verifies and decodes anew"},
    {RUN_RECOMPILE, "recompile", NULL,
     "when there is an artifact for other engines only, make the\nmissing one first"},
    CLI_OPTIONS_END,
};

typedef struct run_state {
    cli_arguments arguments;
    snapcell_request request;
    snapcell_header *headers;
    size_t header_count;
    snapcell_env *env;
    size_t env_count;
    char **owned; /* copies of option values that were split */
    size_t owned_count;
    const char *data; /* of -d; NULL when it was not given */
    char *body;
    size_t body_size_bytes;
    const char *event; /* of --event; NULL when it was not given */
    char *event_json;
    snapcell_cell_options cell;
    uint64_t repeat;
    bool include;
    bool timings;
    bool cache;
    bool recompile;
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

static bool run_take_env(run_state *state, const char *value)
{
    char *copy = run_copy(state, value);
    if (!copy) return false;
    char *equals = strchr(copy, '=');
    if (!equals || equals == copy) {
        cli_message("-e needs a name and a value like MODE=test, not '%s'", value);
        return false;
    }
    *equals = '\0';
    state->env[state->env_count++] = (snapcell_env){.name = copy, .value = equals + 1};
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
        return run_take_env(state, value);
    case RUN_EVENT:
        return run_take_once("--event", &state->event, value);
    case RUN_TIMINGS:
        state->timings = true;
        return true;
    case RUN_CACHE:
        state->cache = true;
        return true;
    case RUN_RECOMPILE:
        state->recompile = true;
        return true;
    default:
        return run_take_number(state, id, value);
    }
}

/* `-` alone stands for standard input, too. */
static int run_read_value(const char *value, char **out, size_t *out_size_bytes,
                          snapcell_error *err)
{
    return cli_read_value(strcmp(value, "-") == 0 ? "@-" : value, out, out_size_bytes, err);
}

static int run_read_inputs(run_state *state, snapcell_error *err)
{
    size_t size_bytes = 0;
    int code = SNAPCELL_OK;
    if (state->data) code = run_read_value(state->data, &state->body, &state->body_size_bytes, err);
    if (code == SNAPCELL_OK && state->event)
        code = run_read_value(state->event, &state->event_json, &size_bytes, err);
    if (code != SNAPCELL_OK) return code;
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

/* What a call gave: of a fetch-shaped function a response, of a JSON-shaped one text. */
typedef struct run_answer {
    snapcell_response *response;
    char *json;
} run_answer;

static void run_answer_release(run_answer *answer)
{
    snapcell_response_free(answer->response);
    free(answer->json);
    *answer = (run_answer){0};
}

static int run_call(const run_state *state, snapcell_cell *cell, run_answer *answer,
                    snapcell_error *err)
{
    if (snapcell_cell_info(cell)->shape == SNAPCELL_SHAPE_FETCH && !state->event)
        return snapcell_cell_fetch(cell, &state->request, &answer->response, err);
    if (snapcell_cell_info(cell)->shape == SNAPCELL_SHAPE_FETCH)
        return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                         "%s takes a request, not an event; give it a URL, -X, -H and -d instead "
                         "of --event",
                         state->arguments.operands[0]);
    if (!state->event && state->body && strlen(state->body) != state->body_size_bytes)
        return error_set(err, SNAPCELL_E_USAGE, "the event is not JSON text: it holds a zero byte");
    cleanup_free char *event = run_event(state);
    if (!event) return error_set(err, SNAPCELL_E_NOMEM, "no memory for the event");
    return snapcell_cell_invoke(cell, event, &answer->json, NULL, err);
}

static uint64_t run_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void run_print_timings(const snapcell_timings *timings, uint64_t dispose_ns)
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

/* --- The answer --- */

static const char *run_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "";
}

static void run_print_head(const snapcell_response *response)
{
    int status = snapcell_response_status(response);
    const char *reason = run_reason(status);
    cli_print("HTTP/1.1 %d%s%s\n", status, reason[0] ? " " : "", reason);
    for (size_t i = 0; i < snapcell_response_header_count(response); i++) {
        snapcell_header header = snapcell_response_header(response, i);
        cli_print("%s: %s\n", header.name, header.value);
    }
    cli_print("\n");
}

static void run_print_answer(const run_state *state, const run_answer *answer)
{
    if (answer->json) {
        cli_print("%s\n", answer->json);
        return;
    }
    size_t size_bytes = 0;
    const void *body = snapcell_response_body(answer->response, &size_bytes);
    if (state->include) run_print_head(answer->response);
    cli_write(body, size_bytes);
}

/* --- In the worker --- */

/* There is an artifact for other engines only, and --recompile was given. */
#define RUN_STATUS_RECOMPILE CLI_WORKER_STATUS_OWN

/* A load whose answer is printed at once, before anything is disposed of. */
static int run_once(const run_state *state, snapcell_loader *loader, bool print,
                    snapcell_error *err)
{
    snapcell_cell *cell = NULL;
    int code = snapcell_cell_load(loader, state->arguments.operands[0], &state->cell, &cell, err);
    if (code != SNAPCELL_OK) return code;
    run_answer answer = {0};
    code = run_call(state, cell, &answer, err);
    if (code == SNAPCELL_OK && print) {
        run_print_answer(state, &answer);
        cli_flush();
    }
    snapcell_timings timings;
    snapcell_cell_timings(cell, &timings);
    bool last = print && !state->timings;
    uint64_t start_ns = run_now_ns();
    if (!last) snapcell_cell_dispose(cell);
    uint64_t dispose_ns = run_now_ns() - start_ns;
    if (code == SNAPCELL_OK && state->timings) run_print_timings(&timings, dispose_ns);
    run_answer_release(&answer);
    return code;
}

static int run_open(const run_state *state, snapcell_loader **out, snapcell_error *err)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = state->arguments.store;
    options.log = cli_console;
    if (!state->cache) options.cache_size_bytes = SNAPCELL_CACHE_NONE;
    return snapcell_loader_open(&options, out, err);
}

static int run_repeat(const run_state *state, snapcell_error *err)
{
    snapcell_loader *loader = NULL;
    int code = run_open(state, &loader, err);
    for (uint64_t i = 1; code == SNAPCELL_OK && i <= state->repeat; i++)
        code = run_once(state, loader, i == state->repeat, err);
    return code; /* the process ends next, and the loader with it */
}

static int run_work(void *user, int broker_fd)
{
    const run_state *state = user;
    const char *ref = state->arguments.operands[0];
    snapcell_error err;
    (void)broker_fd;
    int code = run_repeat(state, &err);
    if (code == SNAPCELL_OK) return CLI_DONE;
    if (code != SNAPCELL_E_OTHER_ENGINE || !state->recompile) return (int)cli_report(ref, &err);
    cli_message("warning: %s; recompiling %s for this engine", err.message, ref);
    return RUN_STATUS_RECOMPILE;
}

/* --- The command --- */

/* The worker has no store that it could write to: the artifact is made here, for another worker. */
static int run_recompile(run_state *state, const cli_worker *worker)
{
    snapcell_error err;
    const char *ref = state->arguments.operands[0];
    int code = cli_recompile_ref(state->arguments.store, ref, &err);
    if (code != SNAPCELL_OK) return (int)cli_report(ref, &err);
    state->recompile = false;
    return cli_worker_run(worker);
}

static cli_status run_run(run_state *state)
{
    snapcell_error err;
    if (state->data && state->event)
        return cli_usage("-d and --event are both the function's input; give one");

    int code = run_read_inputs(state, &err);
    if (code != SNAPCELL_OK) return cli_report(NULL, &err);
    cli_worker worker = {
        .subject = state->arguments.operands[0],
        .work = run_work,
        .user = state,
    };
    int status = cli_worker_run(&worker);
    if (status == RUN_STATUS_RECOMPILE) status = run_recompile(state, &worker);
    return (cli_status)status;
}

static cli_status run_main(const cli_command *command, int argc, char **argv)
{
    size_t room = (size_t)argc + 1;
    run_state state = {
        .request = SNAPCELL_REQUEST_INIT,
        .headers = calloc(room, sizeof *state.headers),
        .env = calloc(room, sizeof *state.env),
        .owned = calloc(room, sizeof *state.owned),
        .cell = SNAPCELL_CELL_OPTIONS_INIT,
        .repeat = 1,
    };
    cli_status status = CLI_TROUBLE;
    if (!state.headers || !state.env || !state.owned)
        cli_message("no memory for the command line");
    else if (cli_parse(command, argc, argv, run_take, &state, &state.arguments, &status))
        status = run_run(&state);
    for (size_t i = 0; state.owned && i < state.owned_count; i++)
        free(state.owned[i]);
    free(state.owned);
    free(state.headers);
    free(state.env);
    free(state.body);
    free(state.event_json);
    return status;
}

const cli_command cmd_run = {
    .name = "run",
    .operands = "REF [URL]",
    .summary = "load a function from the store and call it",
    .description =
        "Loads REF (a name, a key, or a unique key prefix) and calls it. URL is absolute or a\n"
        "path (default: /). The response's body goes to standard output as it is, whatever its\n"
        "status; console output goes to standard error. A function of the shape handler(event)\n"
        "gets the event of --event, else -d, else {method, url, headers, body} when a URL, -X or\n"
        "-H was given, else {}; its result is printed as JSON.",
    .options = run_options,
    .operand_count_min = 1,
    .operand_count_max = 2,
    .run = run_main,
};
