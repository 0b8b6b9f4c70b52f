/* A child that was forked after the engine was started: refused, without a hang or a crash. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static const char web[] = "export default { fetch() { return new Response('web'); } };";
static const char json[] = "export function handler() { return 'json'; }";

static snapcell_loader *loader;
static snapcell_cell *web_cell;
static snapcell_cell *json_cell;

static bool is_refused(int status, const snapcell_error *err)
{
    return status == SNAPCELL_E_USAGE && err->code == SNAPCELL_E_USAGE &&
           strstr(err->message, "forked after the engine was started") != NULL;
}

static int load_one(snapcell_error *err)
{
    snapcell_cell *cell = NULL;
    return snapcell_cell_load(loader, "web", NULL, &cell, err);
}

static int seal_one(snapcell_error *err)
{
    return snapcell_loader_seal(loader, "web", NULL, err);
}

static int open_one(snapcell_error *err)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    snapcell_loader *other = NULL;
    options.store_path = getenv("TEST_STORE");
    return snapcell_loader_open(&options, &other, err);
}

static int fetch_one(snapcell_error *err)
{
    snapcell_response *response = NULL;
    return snapcell_cell_fetch(web_cell, NULL, &response, err);
}

static ptrdiff_t write_all(void *user, const void *data, size_t size_bytes)
{
    (void)user;
    (void)data;
    return (ptrdiff_t)size_bytes;
}

static int stream_one(snapcell_error *err)
{
    snapcell_stream stream = SNAPCELL_STREAM_INIT;
    stream.write = write_all;
    return snapcell_cell_stream(web_cell, NULL, &stream, err);
}

static int invoke_one(snapcell_error *err)
{
    char *out = NULL;
    return snapcell_cell_invoke(json_cell, "{}", &out, NULL, err);
}

static int call_one(snapcell_error *err)
{
    char *out = NULL;
    return snapcell_cell_call(web_cell, "fetch", "{}", &out, NULL, err);
}

static int trust_one(snapcell_error *err)
{
    return snapcell_loader_set_trust(loader, NULL, err);
}

static int (*const entries[])(snapcell_error *) = {
    load_one, seal_one, open_one, fetch_one, stream_one, invoke_one, call_one, trust_one,
};
#define ENTRY_COUNT (sizeof(entries) / sizeof(entries[0]))

static int child_status(int (*main)(void))
{
    pid_t pid = fork();
    if (pid < 0) return -1;
    if (pid == 0) {
        alarm(60); /* for one that would hang */
        _exit(main());
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The number of the first entry that is not refused, from 1. */
static int try_entries(void)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        snapcell_error err = {0};
        if (!is_refused(entries[i](&err), &err)) return (int)i + 1;
    }
    return 0;
}

START_TEST(test_every_entry_refuses_a_forked_child)
{
    ck_assert_int_eq(child_status(try_entries), 0);
    fixture_expect_response(web_cell, "/", 200, "web"); /* the parent's still work */
    fixture_expect_result(json_cell, "{}", "\"json\"");
}
END_TEST

static int release_all(void)
{
    snapcell_counters counters;
    snapcell_timings timings;
    snapcell_loader_trim(loader);
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    snapcell_cell_timings(web_cell, &timings, sizeof(timings));
    snapcell_cell_dispose(web_cell);
    snapcell_cell_dispose(json_cell);
    snapcell_loader_close(loader);
    return counters.loads == 2 && timings.total_ns > 0 ? 0 : 1;
}

START_TEST(test_a_forked_child_can_let_go_of_everything)
{
    ck_assert_int_eq(child_status(release_all), 0);
    fixture_expect_response(web_cell, "/", 200, "web");
}
END_TEST

static int try_grandchild(void)
{
    return child_status(try_entries);
}

START_TEST(test_a_child_of_a_child_is_refused_too)
{
    ck_assert_int_eq(child_status(try_grandchild), 0);
}
END_TEST

/* Compiling uses a process of its own, and never the engine of this one. */
static int compile_one(void)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_compiled *compiled = NULL;
    options.name = "web";
    int status =
        snapcell_compile_memory("web.js", web, strlen(web), NULL, 0, &options, &compiled, NULL);
    snapcell_compiled_free(compiled);
    return status == SNAPCELL_OK ? 0 : 1;
}

START_TEST(test_a_forked_child_can_compile)
{
    ck_assert_int_eq(child_status(compile_one), 0);
}
END_TEST

static int use_engine(void)
{
    snapcell_loader *own = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cell = fixture_load(own, "web", NULL);
    fixture_expect_response(cell, "/", 200, "web");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(own);
    return 0;
}

START_TEST(test_a_fork_before_the_first_use_does_no_harm)
{
    ck_assert_int_eq(child_status(use_engine), 0);
    ck_assert_int_eq(use_engine(), 0);
}
END_TEST

static void setup(void)
{
    loader = fixture_open(NULL, NULL, NULL);
    web_cell = fixture_load(loader, "web", NULL);
    json_cell = fixture_load(loader, "json", NULL);
}

static void teardown(void)
{
    snapcell_cell_dispose(web_cell);
    snapcell_cell_dispose(json_cell);
    snapcell_loader_close(loader);
}

int main(void)
{
    const fixture_function functions[] = {{"web", web, NULL}, {"json", json, NULL}};
    setenv("TEST_STORE", fixture_new_store(), 1);
    fixture_compile(functions, 2, NULL);

    Suite *suite = suite_create("fork");
    TCase *before = tcase_create("before");
    tcase_add_test(before, test_a_fork_before_the_first_use_does_no_harm);
    suite_add_tcase(suite, before);
    TCase *after = tcase_create("after");
    tcase_add_checked_fixture(after, setup, teardown);
    tcase_add_test(after, test_every_entry_refuses_a_forked_child);
    tcase_add_test(after, test_a_forked_child_can_let_go_of_everything);
    tcase_add_test(after, test_a_child_of_a_child_is_refused_too);
    tcase_add_test(after, test_a_forked_child_can_compile);
    return fixture_run(suite, after);
}
