/* Workers that have evaluated a prelude, and go on with what a function has become. */
#include <signal.h>
#include <string.h>

#include "prelude_fixture.h"

/* One that waits takes it; returns its process. */
static int go_on(snapcell_worker *worker, const char *ref, const void *bytes, size_t size_bytes)
{
    while (snapcell_worker_go_on(worker, ref, bytes, size_bytes, NULL) != SNAPCELL_OK)
        ck_assert_int_ne(prelude_advance(worker), SNAPCELL_WORKER_ENDED);
    return snapcell_worker_process_id(worker);
}

static uint64_t starts(void)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(prelude_workers, &counts, sizeof(counts));
    return counts.starts;
}

/* Goes on, and is what a worker that loads the version is. */
static void expect_version(const char *prelude, const char *rest, const char *answer,
                           uint64_t processes)
{
    version second = prelude_make(prelude, rest, NULL);
    snapcell_worker *worker = prelude_start(prelude_first.ref, true, 0);
    go_on(worker, second.ref, second.bytes, second.size_bytes);
    prelude_become_ready(worker);
    ck_assert(snapcell_worker_has_prelude(worker));
    ck_assert_uint_eq(starts(), processes);
    snapcell_worker *loaded = prelude_start(second.ref, false, 0);
    prelude_become_ready(loaded);
    for (int i = 0; i < 3; i++) { /* each in a fresh instance */
        workers_expect(worker, "/", answer);
        workers_expect(loaded, "/", answer);
    }
    snapcell_worker_free(worker);
    snapcell_worker_free(loaded);
    prelude_release(&second);
}

START_TEST(test_it_goes_on)
{
    expect_version(PRELUDE,
                   "import { add, count, list } from 'snapcell:prelude';\n"
                   "export default { fetch: () => new Response(`${list} ${count} ${add()} "
                   "${count}`) };\nadd();\n",
                   "later 1 2 2", 1);
}
END_TEST

/* As in one bundle: no microtask runs in between, and no time passes. */
START_TEST(test_nothing_happens_in_between)
{
    expect_version(PRELUDE,
                   "import { list, was } from 'snapcell:prelude';\n"
                   "const before = `${list.length} ${performance.now() - was < 10000} "
                   "${performance.now() >= was}`;\n"
                   "export default { fetch: () => new Response(before) };\n",
                   "0 true true", 1);
}
END_TEST

START_TEST(test_places_are_those_of_the_whole)
{
    expect_version(PRELUDE,
                   "import { place } from 'snapcell:prelude';\n"
                   "const lines = [...(place() + new Error().stack).matchAll(/f\\.js:\\d+/g)];\n"
                   "export default { fetch: () => new Response(lines.join()) };\n",
                   "f.js:2,f.js:6,f.js:6", 1);
}
END_TEST

START_TEST(test_another_prelude_is_loaded_by_another_process)
{
    expect_version("export const other = 7;\n",
                   "import { other } from 'snapcell:prelude';\n"
                   "export default { fetch: () => new Response(`other ${other}`) };\n",
                   "other 7", 2);
}
END_TEST

START_TEST(test_a_prelude_in_another_encoding_is_another_one)
{
    expect_version(PRELUDE, "export default { fetch: () => new Response('\xe2\x82\xac') };\n",
                   "\xe2\x82\xac", 2);
}
END_TEST

/* It is told as by a process that loads everything. */
START_TEST(test_a_rest_that_throws)
{
    version second = prelude_make(PRELUDE, "\nthrow new Error('thrown below');\n", NULL);
    snapcell_worker *worker = prelude_start(prelude_first.ref, true, 0);
    go_on(worker, second.ref, second.bytes, second.size_bytes);
    snapcell_error err = {0};
    while (snapcell_worker_advance(worker, &err) == SNAPCELL_WORKER_STARTING)
        prelude_advance(worker);
    ck_assert_int_eq(err.line, 6);
    prelude_expect_end(worker, SNAPCELL_E_SCRIPT, "thrown below");
    prelude_release(&second);
}
END_TEST

START_TEST(test_what_is_no_artifact_is_loaded_from_the_store)
{
    version second =
        prelude_make(PRELUDE, "export default { fetch: () => new Response('stored') };\n", NULL);
    snapcell_worker *worker = prelude_start(prelude_first.ref, true, 0);
    go_on(worker, second.ref, second.bytes, second.size_bytes - 1);
    prelude_become_ready(worker);
    workers_expect(worker, "/", "stored");
    snapcell_worker_free(worker);
    worker = prelude_start(prelude_first.ref, true, 0);
    go_on(worker, second.ref, prelude_first.bytes,
          prelude_first.size_bytes); /* under another key */
    prelude_become_ready(worker);
    workers_expect(worker, "/", "stored");
    snapcell_worker_free(worker);
    prelude_release(&second);
}
END_TEST

START_TEST(test_a_process_that_dies_is_replaced_once_it_goes_on)
{
    version second =
        prelude_make(PRELUDE, "export default { fetch: () => new Response('second') };\n", NULL);
    snapcell_worker *worker = prelude_start_waiting(prelude_first.ref);
    kill(snapcell_worker_process_id(worker), SIGSTOP); /* before it has gone on */
    kill(go_on(worker, second.ref, second.bytes, second.size_bytes), SIGKILL);
    prelude_become_ready(worker);
    workers_expect(worker, "/", "second");
    snapcell_worker_free(worker);
    worker = prelude_start(prelude_first.ref, true, 0);
    kill(snapcell_worker_process_id(worker), SIGKILL);
    prelude_expect_end(worker, SNAPCELL_E_WORKER_DIED, "");
    prelude_release(&second);
}
END_TEST

static void expect_no_waiting(const char *prelude, uint32_t cpu_limit_ms, int code,
                              const char *says)
{
    version made = prelude_make(prelude, "export default { fetch() {} };\n", NULL);
    prelude_expect_end(prelude_start(made.ref, true, cpu_limit_ms), code, says);
    prelude_release(&made);
}

START_TEST(test_preludes_that_nothing_waits_with)
{
    expect_no_waiting("throw new Error('thrown above');\n", 0, SNAPCELL_E_SCRIPT, "thrown above");
    expect_no_waiting("for (;;);\n", 50, SNAPCELL_E_CPU_LIMIT, "");
    expect_no_waiting("const all = []; for (;;) all.push(new Array(1e6).fill(1));\n", 0,
                      SNAPCELL_E_MEMORY_LIMIT, "");
    expect_no_waiting("setTimeout(() => {}, 9);\n", 0, SNAPCELL_E_USAGE, "timer");
    expect_no_waiting("import 'snapcell:prelude';\n", 0, SNAPCELL_E_SCRIPT, "snapcell:prelude");
    expect_no_waiting("", 0, SNAPCELL_E_USAGE, "prelude");
}
END_TEST

/* Evaluated at each load, it may do all of that. */
START_TEST(test_a_prelude_that_waits_for_itself)
{
    version made =
        prelude_make("export const late = await new Promise(done => setTimeout(done, 1, 5));\n",
                     "import { late } from 'snapcell:prelude';\n"
                     "export default { fetch: () => new Response(`late ${late}`) };\n",
                     NULL);
    snapcell_worker *worker = prelude_start(made.ref, false, 0);
    prelude_become_ready(worker);
    workers_expect(worker, "/", "late 5");
    snapcell_worker_free(worker);
    prelude_release(&made);
}
END_TEST

static void put(const void *source, size_t size_bytes, uint32_t prelude_length,
                char ref[SNAPCELL_KEY_HEX_SIZE])
{
    snapcell_compile_options options = prelude_options("f", "");
    snapcell_compiled *made = NULL;
    options.prelude_length = prelude_length;
    int status =
        snapcell_compile_memory("f.js", source, size_bytes, NULL, 0, &options, &made, NULL);
    ck_assert_int_eq(status, SNAPCELL_OK);
    size_t size;
    const void *bytes = snapcell_compiled_artifact(made, &size);
    snapcell_key_format(&snapcell_compiled_info(made)->key, ref);
    fixture_put(bytes, size, NULL);
    snapcell_compiled_free(made);
}

/* Wherever it is cut, in a surrogate pair, too: an error, or what both parts say. */
START_TEST(test_a_prelude_of_any_length)
{
    static const char text[] = "export const a = '\xf0\x9f\x98\x80';\n"
                               "export default { fetch: () => new Response('whole') };\n";
    const uint32_t units = sizeof(text) - 1 - 2; /* four bytes are two units of UTF-16 */
    const uint32_t line = 23;                    /* of them */
    for (uint32_t length = 1; length < units; length += length < line ? 1 : 7) {
        char ref[SNAPCELL_KEY_HEX_SIZE];
        put(text, sizeof(text) - 1, length, ref);
        snapcell_worker *worker = prelude_start(ref, false, 0);
        if (length >= line - 2 && length <= line) { /* a semicolon may be left out */
            prelude_become_ready(worker);
            workers_expect(worker, "/", "whole");
            snapcell_worker_free(worker);
        } else {
            prelude_expect_end(worker, SNAPCELL_E_SCRIPT, "");
        }
    }
}
END_TEST

START_TEST(test_what_is_refused)
{
    snapcell_worker *worker = prelude_start(prelude_first.ref, true, 0);
    const char *ref = prelude_first.ref;
    const void *bytes = prelude_first.bytes;
    ck_assert_int_eq(snapcell_worker_go_on(worker, ref, bytes, prelude_first.size_bytes, NULL),
                     SNAPCELL_E_USAGE); /* it has not begun */
    while (snapcell_worker_go_on(worker, ref, bytes, (size_t)64 << 20, NULL) == SNAPCELL_E_USAGE)
        ck_assert_int_ne(prelude_advance(worker), SNAPCELL_WORKER_ENDED);
    ck_assert_int_eq(snapcell_worker_go_on(worker, ref, bytes, (size_t)64 << 20, NULL),
                     SNAPCELL_E_TOO_LARGE);
    ck_assert_int_eq(snapcell_worker_go_on(worker, "f", bytes, 1, NULL), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_worker_go_on(worker, NULL, bytes, 1, NULL), SNAPCELL_E_USAGE);
    go_on(worker, ref, bytes, prelude_first.size_bytes);
    prelude_become_ready(worker);
    workers_expect(worker, "/", "first 1");
    ck_assert_int_eq(snapcell_worker_go_on(worker, ref, bytes, prelude_first.size_bytes, NULL),
                     SNAPCELL_E_USAGE);
    snapcell_worker_free(worker);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("worker_prelude");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, prelude_setup, prelude_teardown);
    tcase_add_test(tests, test_it_goes_on);
    tcase_add_test(tests, test_nothing_happens_in_between);
    tcase_add_test(tests, test_places_are_those_of_the_whole);
    tcase_add_test(tests, test_another_prelude_is_loaded_by_another_process);
    tcase_add_test(tests, test_a_prelude_in_another_encoding_is_another_one);
    tcase_add_test(tests, test_a_rest_that_throws);
    tcase_add_test(tests, test_what_is_no_artifact_is_loaded_from_the_store);
    tcase_add_test(tests, test_a_process_that_dies_is_replaced_once_it_goes_on);
    tcase_add_test(tests, test_preludes_that_nothing_waits_with);
    tcase_add_test(tests, test_a_prelude_that_waits_for_itself);
    tcase_add_test(tests, test_a_prelude_of_any_length);
    tcase_add_test(tests, test_what_is_refused);
    return fixture_run(suite_create("worker_prelude"), tests);
}
