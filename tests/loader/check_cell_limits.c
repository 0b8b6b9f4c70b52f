/* Limits of memory, CPU and wall time: what tenants try, and what is left afterwards. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "patience.h"

#define MEMORY_LIMIT_BYTES ((uint64_t)32 << 20)
#define CPU_LIMIT_MS patient_ms(100)
#define WALL_LIMIT_MS patient_ms(500)

static const char abuser_source[] =
    "export default { async fetch(request) {\n"
    "  const kept = [];\n"
    "  switch (request.url.replace('http://localhost', '')) {\n"
    "  case '/': return new Response('fine');\n"
    "  case '/loop': for (;;);\n"
    "  case '/finally': for (;;) { try { for (;;); } finally { continue; } }\n"
    "  case '/regex': return new Response(String(/^(a+)+$/.test('a'.repeat(50) + 'b')));\n"
    "  case '/sort': [3, 2, 1].sort(() => { for (;;); });\n"
    "  case '/microtasks': { const again = () => Promise.resolve().then(again); await again();\n"
    "      return new Promise(() => {}); }\n"
    "  case '/async-loop': await null; for (;;);\n"
    "  case '/timer-loop': await new Promise(r => setTimeout(r, 1)); for (;;);\n"
    "  case '/sleep': await new Promise(r => setTimeout(r, 3600000)); break;\n"
    "  case '/ticks': for (;;) await new Promise(r => setTimeout(r, 1));\n"
    "  case '/objects': for (;;) kept.push({ a: [1, 2, 3], b: 'x' + kept.length });\n"
    "  case '/map': { const map = new Map(); for (let i = 0;; i++) map.set(i, { i }); }\n"
    "  case '/strings': { let s = 'x'; for (;;) kept.push(s = s + kept.length); }\n"
    "  case '/buffers': for (;;) kept.push(new ArrayBuffer(1 << 20));\n"
    "  case '/caught': for (;;) { try { for (;;) kept.push(new Array(1000).fill({})); }\n"
    "      catch {} }\n"
    "  case '/large': return new Response('x'.repeat(3 << 20));\n"
    "  case '/huge': return new Response('x'.repeat(40 << 20));\n"
    "  case '/stream': { let left = 64; return new Response(new ReadableStream({ pull(c) {\n"
    "      c.enqueue(new Uint8Array(65536)); if (--left === 0) c.close(); } })); }\n"
    "  case '/timers': { let count = 0;\n"
    "      try { for (;;) { setTimeout(() => {}, 1); count++; } }\n"
    "      catch (e) { return new Response(e.name + ' ' + count); } }\n"
    "  case '/clock': { const date = Date.now(), now = performance.now();\n"
    "      for (let i = 0; i < 100 && Date.now() === date; i++) for (let j = 0; j < 1e6; j++);\n"
    "      const stood = Date.now() === date && performance.now() === now &&\n"
    "          new Date().getTime() === date;\n"
    "      await new Promise(r => setTimeout(r, 5));\n"
    "      return new Response(`${stood} ${Date.now() > date && performance.now() >= now + 4}`); "
    "}\n"
    "  case '/native': { const needle = 'a'.repeat(1e6) + 'c';\n"
    "      return new Response(String(('a'.repeat(2e7) + 'b').lastIndexOf(needle))); }\n"
    "  case '/shared': return new Response(typeof SharedArrayBuffer);\n"
    "  case '/wait': try { Atomics.wait(new Int32Array(new WebAssembly.Memory(\n"
    "      { initial: 1, maximum: 1, shared: true }).buffer), 0, 0, 60000); }\n"
    "      catch (e) { return new Response(e.name); }\n"
    "  }\n"
    "  return new Response('survived');\n"
    "} };\n";

static const char code_source[] = "const id = crypto.randomUUID();\n"
                                  "if (stage() === 'run') for (;;);\n"
                                  "export default { fetch() { return new Response(id); } };\n";

static int host_stage(void *user, snapcell_host_call *call)
{
    snapcell_value result = {
        .type = SNAPCELL_VALUE_STRING, .data = user, .size_bytes = strlen(user)};
    return snapcell_host_return(call, &result, NULL) == SNAPCELL_OK ? 0 : -1;
}

static char build_stage[] = "build";
static char run_stage[] = "run";

static snapcell_host *make_host(char *stage)
{
    snapcell_host *host = NULL;
    if (snapcell_host_new(&host, NULL) != SNAPCELL_OK ||
        snapcell_host_add(host, "stage", host_stage, stage, NULL) != SNAPCELL_OK)
        abort();
    return host;
}

static void make_store(void)
{
    fixture_new_store();
    fixture_compile(&(fixture_function){"abuser", abuser_source, NULL}, 1, NULL);
    snapcell_host *host = make_host(build_stage);
    fixture_compile(&(fixture_function){"code-loop", code_source, NULL}, 1, host);
    snapcell_host_free(host);
}

static snapcell_loader *loader;

static void setup(void)
{
    loader = fixture_open(NULL, NULL, NULL);
}

static void teardown(void)
{
    snapcell_loader_close(loader);
}

/* Calls `path`, which must end with `code`; then the cell must be condemned, and a new one well. */
static void expect_limit(const char *path, const snapcell_cell_options *options, int code)
{
    snapcell_cell *cell = fixture_load(loader, "abuser", options);
    fixture_expect_response(cell, "/", 200, "fine");
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = path;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    int status = snapcell_cell_fetch(cell, &request, &response, &err);
    ck_assert_msg(status == code, "%s: expected %s, got %s: %s", path, snapcell_error_name(code),
                  snapcell_error_name(status), err.message);
    ck_assert_int_eq(err.code, code);
    ck_assert_str_ne(err.message, "");
    ck_assert_ptr_null(response);

    ck_assert_int_eq(snapcell_cell_fetch(cell, NULL, &response, &err), SNAPCELL_E_DISPOSED);
    ck_assert_msg(strstr(err.message, snapcell_error_name(code)) != NULL, "%s", err.message);
    ck_assert_ptr_null(response);
    snapcell_cell_dispose(cell);

    cell = fixture_load(loader, "abuser", options);
    fixture_expect_response(cell, "/", 200, "fine");
    snapcell_cell_dispose(cell);
}

static const char *const busy_paths[] = {"/loop",       "/finally",    "/regex",     "/sort",
                                         "/microtasks", "/async-loop", "/timer-loop"};

START_TEST(test_cpu_limit_ends_what_is_busy)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = CPU_LIMIT_MS;
    expect_limit(busy_paths[_i], &options, SNAPCELL_E_CPU_LIMIT);
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.cpu_limits_hit, 1);
    ck_assert_uint_eq(counters.wall_limits_hit, 0);
    ck_assert_uint_eq(counters.memory_limits_hit, 0);
}
END_TEST

static const char *const slow_paths[] = {"/sleep", "/ticks", "/loop", "/regex"};

START_TEST(test_wall_limit_ends_what_is_slow)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.wall_limit_ms = WALL_LIMIT_MS;
    expect_limit(slow_paths[_i], &options, SNAPCELL_E_WALL_LIMIT);
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.wall_limits_hit, 1);
    ck_assert_uint_eq(counters.cpu_limits_hit, 0);
}
END_TEST

static const char *const greedy_paths[] = {"/objects", "/map", "/strings", "/caught"};

START_TEST(test_memory_limit_ends_what_is_greedy)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = MEMORY_LIMIT_BYTES;
    expect_limit(greedy_paths[_i], &options, SNAPCELL_E_MEMORY_LIMIT);
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.memory_limits_hit, 1);
    ck_assert_uint_eq(counters.cpu_limits_hit, 0);
}
END_TEST

/* ArrayBuffers lie outside of the heap; the script sees a RangeError or is ended, but ends. */
START_TEST(test_array_buffers_are_limited)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = MEMORY_LIMIT_BYTES;
    snapcell_cell *cell = fixture_load(loader, "abuser", &options);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = "/buffers";
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    int status = snapcell_cell_fetch(cell, &request, &response, &err);
    ck_assert_msg(status == SNAPCELL_E_MEMORY_LIMIT || status == SNAPCELL_E_SCRIPT, "%s: %s",
                  snapcell_error_name(status), err.message);
    ck_assert_ptr_null(response);
    snapcell_cell_dispose(cell);
}
END_TEST

/* --- Responses --- */

START_TEST(test_a_whole_response_is_limited)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.response_limit_bytes = (3 << 20) - 1;
    expect_limit("/large", &options, SNAPCELL_E_RESPONSE_LIMIT);
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.response_limits_hit, 1);

    options.response_limit_bytes = 3 << 20;
    snapcell_cell *cell = fixture_load(loader, "abuser", &options);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = "/large";
    snapcell_response *response = NULL;
    ck_assert_int_eq(snapcell_cell_fetch(cell, &request, &response, NULL), SNAPCELL_OK);
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
}
END_TEST

/* Without a limit of its own a response lies in the host's memory, as ArrayBuffers do. */
START_TEST(test_memory_limits_a_whole_response)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = MEMORY_LIMIT_BYTES;
    expect_limit("/huge", &options, SNAPCELL_E_RESPONSE_LIMIT);
}
END_TEST

static ptrdiff_t count_bytes(void *user, const void *data, size_t size_bytes)
{
    (void)data;
    *(uint64_t *)user += size_bytes;
    return (ptrdiff_t)size_bytes;
}

START_TEST(test_a_streamed_response_is_limited)
{
    uint64_t count = 0;
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_stream stream = SNAPCELL_STREAM_INIT;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    stream.write = count_bytes;
    stream.user = &count;
    request.url = "/stream";
    options.response_limit_bytes = 1 << 20;
    snapcell_cell *cell = fixture_load(loader, "abuser", &options);
    snapcell_error err;
    ck_assert_int_eq(snapcell_cell_stream(cell, &request, &stream, &err),
                     SNAPCELL_E_RESPONSE_LIMIT);
    ck_assert_uint_eq(count, 1 << 20);
    ck_assert_int_eq(snapcell_cell_fetch(cell, NULL, &(snapcell_response *){NULL}, NULL),
                     SNAPCELL_E_DISPOSED);
    snapcell_cell_dispose(cell);

    count = 0;
    cell = fixture_load(loader, "abuser", NULL);
    ck_assert_int_eq(snapcell_cell_stream(cell, &request, &stream, &err), SNAPCELL_OK);
    ck_assert_uint_eq(count, 64 * 65536);
    snapcell_cell_dispose(cell);
}
END_TEST

/* --- Timers and clocks --- */

static void expect_answer(const snapcell_cell_options *options, const char *path, const char *body)
{
    snapcell_cell *cell = fixture_load(loader, "abuser", options);
    fixture_expect_response(cell, path, 200, body);
    snapcell_cell_dispose(cell);
}

START_TEST(test_timers_are_limited)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    expect_answer(&options, "/timers", "RangeError 10000");
    options.timer_limit = 7;
    expect_answer(&options, "/timers", "RangeError 7");
}
END_TEST

START_TEST(test_clocks_can_be_frozen)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    expect_answer(&options, "/clock", "false true");
    options.frozen_clock = true;
    expect_answer(&options, "/clock", "true true");
    options.frozen_clock = false; /* another cell of the process is not touched by it */
    expect_answer(&options, "/clock", "false true");
}
END_TEST

START_TEST(test_memory_is_not_shared)
{
    expect_answer(NULL, "/shared", "undefined");
    expect_answer(NULL, "/wait", "TypeError");
}
END_TEST

/* --- Code that cannot be interrupted: what is left is to end the process --- */

static void end_process(void *user, int code)
{
    _exit(code == SNAPCELL_E_CPU_LIMIT ? *(const int *)user : 1);
}

/* V8 does not survive a fork: the child does it all. */
static _Noreturn void overrun_child(const char *path)
{
    int exit_status = 77;
    snapcell_loader_options with = SNAPCELL_LOADER_OPTIONS_INIT;
    with.overrun = end_process;
    with.overrun_user = &exit_status;
    snapcell_loader *own = fixture_open_with(&with);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = CPU_LIMIT_MS;
    snapcell_cell *cell = fixture_load(own, "abuser", &options);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = path;
    snapcell_response *response = NULL;
    int status = snapcell_cell_fetch(cell, &request, &response, NULL);
    _exit(status == SNAPCELL_E_CPU_LIMIT ? 78 : 2);
}

static int overrun_status(const char *path)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) overrun_child(path);
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(test_an_overrun_can_end_the_process)
{
    ck_assert_int_eq(overrun_status("/native"), 77);
    ck_assert_int_eq(overrun_status("/loop"), 78); /* V8 gave in by itself */
}
END_TEST

/* CPU and wall time are counted for each call. */
START_TEST(test_time_is_per_call)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = patient_ms(2000);
    options.wall_limit_ms = patient_ms(10000);
    snapcell_cell *cell = fixture_load(loader, "abuser", &options);
    for (int i = 0; i < 200; i++)
        fixture_expect_response(cell, "/", 200, "fine");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_limit_holds_while_a_code_artifact_is_evaluated)
{
    snapcell_host *host = make_host(run_stage);
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = CPU_LIMIT_MS;
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_load(hosting, "code-loop", &options, &cell, &err),
                     SNAPCELL_E_CPU_LIMIT);
    ck_assert_ptr_null(cell);
    snapcell_counters counters;
    snapcell_loader_counters(hosting, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.load_failures, 1);
    ck_assert_uint_eq(counters.cpu_limits_hit, 1);
    ck_assert_uint_eq(counters.live_cells, 0);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

/* A limit too small for the snapshot itself is an error, and not V8's fatal out-of-memory. */
START_TEST(test_memory_limit_below_the_snapshot_is_refused)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    options.memory_limit_bytes = 1;
    ck_assert_int_eq(snapcell_cell_load(loader, "abuser", &options, &cell, &err),
                     SNAPCELL_E_MEMORY_LIMIT);
    ck_assert_ptr_null(cell);
    /* What is accepted must work. */
    for (uint64_t limit = 1 << 20; limit <= 32 << 20; limit += 1 << 20) {
        options.memory_limit_bytes = limit;
        int status = snapcell_cell_load(loader, "abuser", &options, &cell, &err);
        if (status == SNAPCELL_OK) fixture_expect_response(cell, "/", 200, "fine");
        ck_assert(status == SNAPCELL_OK || status == SNAPCELL_E_MEMORY_LIMIT);
        snapcell_cell_dispose(cell);
    }
    ck_assert_int_eq(snapcell_cell_load(loader, "abuser", &options, &cell, &err), SNAPCELL_OK);
    snapcell_cell_dispose(cell);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("cell_limits");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_cpu_limit_ends_what_is_busy, 0,
                        (int)(sizeof(busy_paths) / sizeof(*busy_paths)));
    tcase_add_loop_test(tcase, test_wall_limit_ends_what_is_slow, 0,
                        (int)(sizeof(slow_paths) / sizeof(*slow_paths)));
    tcase_add_loop_test(tcase, test_memory_limit_ends_what_is_greedy, 0,
                        (int)(sizeof(greedy_paths) / sizeof(*greedy_paths)));
    tcase_add_test(tcase, test_array_buffers_are_limited);
    tcase_add_test(tcase, test_time_is_per_call);
    tcase_add_test(tcase, test_limit_holds_while_a_code_artifact_is_evaluated);
    tcase_add_test(tcase, test_memory_limit_below_the_snapshot_is_refused);
    tcase_add_test(tcase, test_a_whole_response_is_limited);
    tcase_add_test(tcase, test_memory_limits_a_whole_response);
    tcase_add_test(tcase, test_a_streamed_response_is_limited);
    tcase_add_test(tcase, test_timers_are_limited);
    tcase_add_test(tcase, test_clocks_can_be_frozen);
    tcase_add_test(tcase, test_memory_is_not_shared);
    Suite *suite = suite_create("cell_limits");
    TCase *overruns = tcase_create("overruns"); /* without a loader in the parent */
    tcase_add_test(overruns, test_an_overrun_can_end_the_process);
    suite_add_tcase(suite, overruns);
    return fixture_run(suite, tcase);
}
