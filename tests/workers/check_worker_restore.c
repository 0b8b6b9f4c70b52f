/* Workers that restore their memory: what is fresh, what is hot, what falls back. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "workers_fixture.h"

static const char draws_source[] =
    "export default { fetch(request, env) {\n"
    "  const words = [Math.random(), crypto.randomUUID(),\n"
    "    String(crypto.getRandomValues(new Uint8Array(16))), performance.timeOrigin];\n"
    "  return new Response(words[new URL(request.url).pathname.slice(1)]);\n"
    "} };\n";
static const char counts_source[] = "let visits = 0;\n"
                                    "export default { fetch(request) {\n"
                                    "  console.log('visited');\n"
                                    "  return new Response(String(++visits));\n"
                                    "} };\n";
static const char keeps_source[] = "let visits = 0; let kept;\n"
                                   "export default { fetch(request) {\n"
                                   "  if (visits > 0) kept = kept || crypto.randomUUID();\n"
                                   "  return new Response(`${++visits} ${kept}`);\n"
                                   "} };\n";
/* Nobody but the function itself uses them as it would notice. */
static const char regexps_source[] =
    "let used = 0; const { exec } = RegExp.prototype;\n"
    "RegExp.prototype.exec = function (text) { used++; return exec.call(this, text); };\n"
    "class Own extends RegExp { exec(text) { used++; return super.exec(text); } }\n"
    "const own = new Own('x*'); const all = /a*/g; all.lastIndex = 3; all.note = own;\n"
    "const still = Object.freeze(/b*/g);\n"
    "export default { fetch() {\n"
    "  const seen = [used, all.lastIndex, still.lastIndex, RegExp.lastMatch];\n"
    "  return new Response(`${seen} ${all.test('aaab')} ${all.lastIndex} ${own.test('x')}`);\n"
    "} };\n";
/* What is drawn goes out with the answer; nothing of it stays. */
static const char drops_source[] =
    "let visits = 0;\n"
    "export default { fetch(request) {\n"
    "  const bytes = crypto.getRandomValues(new Uint8Array(32));\n"
    "  const hex = [...bytes].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "  return Response.json([++visits, crypto.randomUUID(), hex, btoa(String(bytes))]);\n"
    "} };\n";
/* As packages that make UUIDs: a buffer for some is filled again and again. */
static const char pool_source[] =
    "let visits = 0; let at = 256; const pool = new Uint8Array(256);\n"
    "export default { fetch(request) {\n"
    "  if (at === 256) { crypto.getRandomValues(pool); at = 0; }\n"
    "  return Response.json([++visits, ...pool.slice(at, at += 16)]);\n"
    "} };\n";
/* Too few bytes to be found again. */
static const char short_source[] =
    "let visits = 0;\n"
    "export default { fetch(request) {\n"
    "  return Response.json([++visits, crypto.getRandomValues(new Uint32Array(1))[0]]);\n"
    "} };\n";
/* One value of many, as a part of a text, and as a buffer of which most was used. */
static const char keeps_text_source[] =
    "let visits = 0; let kept;\n"
    "export default { fetch(request) {\n"
    "  const bytes = crypto.getRandomValues(new Uint8Array(16));\n"
    "  const hex = [...bytes].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "  if (visits === 7) kept = `id-${hex}.`;\n"
    "  return Response.json([++visits, kept?.length]);\n"
    "} };\n";
static const char keeps_buffer_source[] =
    "let visits = 0; let kept;\n"
    "export default { fetch(request) {\n"
    "  const bytes = crypto.getRandomValues(new Uint8Array(600));\n"
    "  if (visits === 7) kept = bytes;\n"
    "  return Response.json([++visits, kept?.fill(0, 100).length]);\n"
    "} };\n";
static const char top_source[] = "const id = crypto.randomUUID();\n"
                                 "export default { fetch() { return new Response(id); } };\n";
static const char wasm_source[] =
    "const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 109, 2, "
    "0]);\n"
    "const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});\n"
    "export default { fetch() {\n"
    "  const view = new Uint32Array(exports.m.buffer); const n = ++view[7];\n"
    "  exports.m.grow(1); return new Response(`${n} ${exports.m.buffer.byteLength}`);\n"
    "} };\n";

static char *ask(snapcell_worker *worker, const char *url)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    request.url = url;
    int status = snapcell_worker_fetch(worker, &request, &response, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s: %s", url, err.message);
    char *text = strdup(snapcell_response_body(response, NULL));
    ck_assert_ptr_nonnull(text);
    snapcell_response_free(response);
    return text;
}

static snapcell_workers_counts count(const snapcell_workers *workers)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    return counts;
}

/* --- Helpers --- */

static void *cancel_later(void *worker)
{
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    snapcell_worker_cancel(worker);
    return NULL;
}

/* --- What is fresh --- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *const drawn[] = {"/0", "/1", "/2", "/3"};
#define CALLS 200

START_TEST(test_what_is_drawn_is_fresh_in_each_call)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "draws", NULL);
    char *texts[CALLS];
    for (size_t i = 0; i < CALLS; i++)
        texts[i] = ask(worker, drawn[_i]);
    qsort(texts, CALLS, sizeof(*texts), compare_texts);
    for (size_t i = 1; i < CALLS; i++)
        ck_assert_str_ne(texts[i - 1], texts[i]);
    for (size_t i = 0; i < CALLS; i++)
        free(texts[i]);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_memory_of_webassembly_is_as_it_was)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.restore_tier = (snapcell_restore_tier)(_i + SNAPCELL_RESTORE_SCANNED);
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "wasm", NULL);
    for (int i = 0; i < 20; i++)
        workers_expect(worker, "/", "1 131072");
    ck_assert_uint_eq(count(workers).deaths, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_what_is_compiled_ahead_is_as_it_was)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "regexps", NULL);
    for (int i = 0; i < 3; i++)
        workers_expect(worker, "/", "0,3,0, true 3 true");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_top_level_that_draws_is_run_for_each_call)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "top", NULL);
    char *first = ask(worker, "/");
    char *second = ask(worker, "/");
    ck_assert_str_ne(first, second);
    free(first);
    free(second);
    ck_assert_uint_eq(count(workers).restores, 0);
    ck_assert_uint_eq(count(workers).fallbacks, 1);
    ck_assert_uint_eq(count(workers).restore_tier, SNAPCELL_RESTORE_NONE);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which has no checkpoints */

typedef struct hurry {
    snapcell_worker *worker;
    atomic_bool is_over;
} hurry;

/* The order may come before the call, or while the process gets ready for it. */
static void *cancel_at_once(void *user)
{
    hurry *it = user;
    while (!atomic_load(&it->is_over))
        snapcell_worker_cancel(it->worker);
    return NULL;
}

/* --- What is hot --- */

static void count_log(void *user, snapcell_log_level level, const char *function_name,
                      const char *text, size_t text_size_bytes)
{
    (void)level, (void)function_name, (void)text, (void)text_size_bytes;
    ++*(int *)user;
}

/* Enough for a worker that is hot to look what calls touch. */
#define ORDERED_CALLS 50

/* The compiler visited once. */
START_TEST(test_warm_calls_are_what_the_host_orders)
{
    static const struct {
        uint32_t calls;
        const char *visits;
    } orders[] = {{SNAPCELL_WARM_CALLS_NONE, "2"},
                  {SNAPCELL_WARM_CALLS_UNPREPARED, "2"},
                  {1, "3"},
                  {50, "52"}};
    int lines = 0;
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.warm_calls = orders[_i].calls;
    options.log = count_log;
    options.log_user = &lines;
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "counts", NULL);
    for (int i = 1; i <= ORDERED_CALLS; i++) {
        workers_expect(worker, "/", orders[_i].visits);
        ck_assert_int_eq(lines, i);
    }
    /* One before the first call; what came after the last one was not told of. */
    ck_assert_uint_eq(count(workers).restores, ORDERED_CALLS);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_worker_gets_hot_by_itself)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "counts", NULL);
    long visits = 0;
    for (int i = 0; i < 1000 && visits < 60; i++) {
        char *text = ask(worker, "/");
        ck_assert_int_ge(atol(text), visits);
        visits = atol(text);
        free(text);
    }
    ck_assert_int_ge(visits, 60);
    ck_assert_uint_eq(count(workers).deaths, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_what_a_warm_call_draws_is_not_repeated)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.warm_calls = 10;
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "keeps", NULL);
    char *first = ask(worker, "/");
    char *second = ask(worker, "/");
    ck_assert_int_eq(strncmp(first, "2 ", 2), 0);
    ck_assert_int_eq(strncmp(second, "2 ", 2), 0);
    ck_assert_str_ne(first, second);
    free(first);
    free(second);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* The compiler visited once, the worker forty times more. */
START_TEST(test_draws_keep_a_function_cold_if_it_keeps_them)
{
    static const struct {
        const char *name;
        bool is_hot;
    } cases[] = {{"drops", true},  {"pool", true},       {"short", false},
                 {"keeps", false}, {"keepstext", false}, {"keepsbuffer", false}};
    for (int tier = SNAPCELL_RESTORE_SCANNED; tier <= SNAPCELL_RESTORE_COMPARED; tier++) {
        snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
        options.warm_calls = 40;
        options.restore_tier = (snapcell_restore_tier)tier;
        snapcell_workers *workers = workers_open(&options);
        snapcell_worker *worker = workers_load(workers, cases[_i].name, NULL);
        char *first = ask(worker, "/");
        char *second = ask(worker, "/");
        long visits = strtol(first + strspn(first, "["), NULL, 10);
        ck_assert_msg(visits == (cases[_i].is_hot ? 42 : 2), "%s: %s", cases[_i].name, first);
        if (cases[_i].is_hot) ck_assert_str_ne(first, second);
        free(first);
        free(second);
        ck_assert_uint_eq(count(workers).deaths, 0);
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
    }
}
END_TEST

/* --- Cancelling --- */

static const char *const endless[] = {"/loop", "/hang", "/native"};

START_TEST(test_a_call_is_cancelled_wherever_it_is)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    int pid = snapcell_worker_process_id(worker);
    snapcell_worker_cancel(worker); /* nothing to cancel */
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_later, worker), 0);
        workers_expect_failure(worker, endless[_i], SNAPCELL_E_CANCELLED, "cancelled");
        pthread_join(thread, NULL);
        workers_expect(worker, "/", "fine");
        ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    }
    ck_assert_uint_eq(count(workers).cancelled, 3);
    ck_assert_uint_eq(count(workers).cuts, 3);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_call_is_cancelled_however_soon)
{
    snapcell_workers *workers = workers_open(NULL);
    hurry it = {.worker = workers_load(workers, "web", NULL)};
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        atomic_store(&it.is_over, false);
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_at_once, &it), 0);
        workers_expect_failure(it.worker, "/loop", SNAPCELL_E_CANCELLED, "cancelled");
        atomic_store(&it.is_over, true);
        pthread_join(thread, NULL);
        workers_expect(it.worker, "/count", "1");
    }
    ck_assert_uint_eq(count(workers).deaths, 0);
    snapcell_worker_free(it.worker);
    snapcell_workers_close(workers);
}
END_TEST

/* Also where the process has to wait for the processor longer than that. */
START_TEST(test_a_short_limit_holds)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.wall_limit_ms = 12;
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", &options);
    for (int i = 0; i < 60; i++)
        workers_expect_failure(worker, "/loop", SNAPCELL_E_WALL_LIMIT, "limit of 12 ms");
    ck_assert_uint_eq(count(workers).deaths, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST
#endif

START_TEST(test_a_kept_cell_is_cancelled_with_its_process)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.policy = SNAPCELL_WORKERS_KEEP;
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    int pid = snapcell_worker_process_id(worker);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_later, worker), 0);
    workers_expect_failure(worker, "/loop", SNAPCELL_E_CANCELLED, "cancelled");
    pthread_join(thread, NULL);
    workers_expect(worker, "/count", "1");
    ck_assert_int_ne(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_options_that_are_none_are_refused)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_workers *workers = NULL;
    options.policy = (snapcell_workers_policy)3;
    ck_assert_int_eq(snapcell_workers_open(&options, &workers, NULL), SNAPCELL_E_USAGE);
    options.policy = SNAPCELL_WORKERS_RESTORE;
    options.restore_tier = (snapcell_restore_tier)4;
    ck_assert_int_eq(snapcell_workers_open(&options, &workers, NULL), SNAPCELL_E_USAGE);
    ck_assert_ptr_null(workers);
}
END_TEST

int main(void)
{
    static const fixture_function plain[] = {{"draws", draws_source, NULL},
                                             {"top", top_source, NULL},
                                             {"wasm", wasm_source, NULL},
                                             {"regexps", regexps_source, NULL}};
    static const fixture_function warm[] = {{"counts", counts_source, NULL},
                                            {"keeps", keeps_source, NULL},
                                            {"drops", drops_source, NULL},
                                            {"pool", pool_source, NULL},
                                            {"short", short_source, NULL},
                                            {"keepstext", keeps_text_source, NULL},
                                            {"keepsbuffer", keeps_buffer_source, NULL}};
    workers_set_store(fixture_new_store());
    workers_fixture_compile();
    fixture_compile(plain, sizeof(plain) / sizeof(*plain), NULL);
    fixture_compile_warm(warm, sizeof(warm) / sizeof(*warm), "/");
    TCase *tests = tcase_create("worker_restore");
    tcase_add_loop_test(tests, test_what_is_drawn_is_fresh_in_each_call, 0, 4);
    tcase_add_loop_test(tests, test_memory_of_webassembly_is_as_it_was, 0, 3);
    tcase_add_test(tests, test_what_is_compiled_ahead_is_as_it_was);
    tcase_add_test(tests, test_a_top_level_that_draws_is_run_for_each_call);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_loop_test(tests, test_warm_calls_are_what_the_host_orders, 0, 4);
    tcase_add_test(tests, test_a_worker_gets_hot_by_itself);
    tcase_add_test(tests, test_what_a_warm_call_draws_is_not_repeated);
    tcase_add_loop_test(tests, test_draws_keep_a_function_cold_if_it_keeps_them, 0, 6);
    tcase_add_loop_test(tests, test_a_call_is_cancelled_wherever_it_is, 0, 3);
    tcase_add_test(tests, test_a_call_is_cancelled_however_soon);
    tcase_add_test(tests, test_a_short_limit_holds);
#endif
    tcase_add_test(tests, test_a_kept_cell_is_cancelled_with_its_process);
    tcase_add_test(tests, test_options_that_are_none_are_refused);
    Suite *suite = suite_create("worker_restore");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
