/* Limits of memory, CPU and wall time: what tenants try, and what is left afterwards. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define MEMORY_LIMIT_BYTES ((uint64_t)32 << 20)
#define CPU_LIMIT_MS 100
#define WALL_LIMIT_MS 100

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
    snapcell_loader_counters(loader, &counters);
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
    snapcell_loader_counters(loader, &counters);
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
    snapcell_loader_counters(loader, &counters);
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

/* CPU and wall time are counted anew for each call. */
START_TEST(test_time_is_per_call)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = 2000;
    options.wall_limit_ms = 10000;
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
    snapcell_loader_counters(hosting, &counters);
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
                        (int)(sizeof busy_paths / sizeof *busy_paths));
    tcase_add_loop_test(tcase, test_wall_limit_ends_what_is_slow, 0,
                        (int)(sizeof slow_paths / sizeof *slow_paths));
    tcase_add_loop_test(tcase, test_memory_limit_ends_what_is_greedy, 0,
                        (int)(sizeof greedy_paths / sizeof *greedy_paths));
    tcase_add_test(tcase, test_array_buffers_are_limited);
    tcase_add_test(tcase, test_time_is_per_call);
    tcase_add_test(tcase, test_limit_holds_while_a_code_artifact_is_evaluated);
    tcase_add_test(tcase, test_memory_limit_below_the_snapshot_is_refused);
    return fixture_run(suite_create("cell_limits"), tcase);
}
