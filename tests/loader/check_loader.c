/* The loader itself: opening, options, counters, timings, threads. */
#include "snapcell/loader.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "fixture.h"
#include "format_version.h"

#define THREAD_COUNT 4
#define FUNCTION_COUNT 3
#define LOAD_COUNT 100

static const char *store_path;

static const char one_source[] = "export default { fetch() { return new Response('one'); } };\n";
static const char two_source[] =
    "addEventListener('fetch', event => event.respondWith(new Response('two')));\n";
static const char three_source[] =
    "globalThis.handler = function (event) { return event.n * 3; };\n";

static void make_store(void)
{
    static const fixture_function functions[FUNCTION_COUNT] = {
        {"one", one_source, NULL}, {"two", two_source, NULL}, {"three", three_source, NULL}};
    store_path = fixture_new_store();
    fixture_compile(functions, FUNCTION_COUNT, NULL);
}

/* --- Opening --- */

static bool maps_hold(const char *name)
{
    char line[512];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        found = found || strstr(line, name) != NULL;
    fclose(maps);
    return found;
}

START_TEST(test_store_path_comes_from_the_environment)
{
    setenv("SNAPCELL_STORE", store_path, 1);
    snapcell_loader *loader = NULL;
    ck_assert_int_eq(snapcell_loader_open(NULL, &loader, NULL), SNAPCELL_OK);
    snapcell_cell *cell = fixture_load(loader, "one", NULL);
    fixture_expect_response(cell, "/", 200, "one");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_store_path_defaults_to_the_working_folder)
{
    char folder[] = "/tmp/snapcell-cwd-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(symlink(store_path, "snapcell-store"), 0);
    setenv("SNAPCELL_STORE", "", 1); /* as good as unset */
    snapcell_loader *loader = NULL;
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    ck_assert_int_eq(snapcell_loader_open(&options, &loader, NULL), SNAPCELL_OK);
    snapcell_loader_close(loader);
    ck_assert_int_eq(unlink("snapcell-store"), 0);
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_loader_open(&options, &loader, &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "snapcell-store"));
    ck_assert_ptr_null(loader);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(test_missing_store_is_not_found)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = "/tmp/snapcell-no-such-store";
    snapcell_loader *loader = (snapcell_loader *)&options;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_loader_open(&options, &loader, &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_int_eq(err.code, SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_null(loader);
    snapcell_loader_close(NULL);
    snapcell_cell_dispose(NULL);
}
END_TEST

/* --- Options of other versions --- */

START_TEST(test_struct_size_zero_is_refused)
{
    snapcell_loader_options options = {.store_path = store_path};
    snapcell_loader *loader = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_loader_open(&options, &loader, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "struct_size"));
    loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell_options cell_options = {0};
    snapcell_cell *cell = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "one", &cell_options, &cell, &err),
                     SNAPCELL_E_USAGE);
    ck_assert_ptr_null(cell);
    snapcell_loader_close(loader);
}
END_TEST

/* Members after an older caller's struct are not read; those of a newer one must be zero. */
START_TEST(test_structs_of_other_versions_are_taken)
{
    snapcell_loader_options options;
    memset(&options, 0xff, sizeof(options));
    options.struct_size = offsetof(snapcell_loader_options, host);
    options.store_path = store_path;
    snapcell_loader *loader = NULL;
    ck_assert_int_eq(snapcell_loader_open(&options, &loader, NULL), SNAPCELL_OK);

    snapcell_cell_options old;
    memset(&old, 0xff, sizeof(old));
    old.struct_size = offsetof(snapcell_cell_options, memory_limit_bytes);
    snapcell_cell *cell = fixture_load(loader, "one", &old);
    fixture_expect_response(cell, "/", 200, "one");
    snapcell_cell_dispose(cell);

    struct {
        snapcell_cell_options known;
        char later[64];
    } newer;
    memset(&newer, 0, sizeof(newer));
    newer.known.struct_size = sizeof(newer);
    cell = fixture_load(loader, "one", &newer.known);
    snapcell_cell_dispose(cell);
    newer.later[63] = 1;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_load(loader, "one", &newer.known, &cell, &err),
                     SNAPCELL_E_USAGE);
    ck_assert_ptr_null(cell);
    ck_assert_ptr_nonnull(strstr(err.message, "newer snapcell"));
    snapcell_loader_close(loader);
}
END_TEST

/* --- Counters and timings --- */

/* A loader that knows nothing of trust, as it were, must not load what nobody vouches for. */
START_TEST(test_set_member_of_a_newer_struct_is_not_ignored)
{
    struct {
        snapcell_loader_options known;
        const void *later;
    } newer = {.known = {.struct_size = sizeof(newer), .store_path = store_path}};
    snapcell_loader *loader = NULL;
    ck_assert_int_eq(snapcell_loader_open(&newer.known, &loader, NULL), SNAPCELL_OK);
    snapcell_loader_close(loader);
    newer.later = &newer;
    ck_assert_int_eq(snapcell_loader_open(&newer.known, &loader, NULL), SNAPCELL_E_USAGE);
    ck_assert_ptr_null(loader);
}
END_TEST

START_TEST(test_timings_of_other_versions_are_given)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cell = fixture_load(loader, "one", NULL);
    struct {
        snapcell_timings known;
        uint64_t later;
    } newer;
    memset(&newer, 0xff, sizeof(newer));
    snapcell_cell_timings(cell, &newer.known, sizeof(newer));
    ck_assert_uint_gt(newer.known.total_ns, 0);
    ck_assert_uint_eq(newer.later, 0);
    snapcell_timings older;
    memset(&older, 0xff, sizeof(older));
    snapcell_cell_timings(cell, &older, offsetof(snapcell_timings, read_ns));
    ck_assert_uint_eq(older.lookup_ns, newer.known.lookup_ns);
    ck_assert_uint_eq(older.read_ns, UINT64_MAX);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_counters_count)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *one = fixture_load(loader, "one", NULL);
    snapcell_cell *three = fixture_load(loader, "three", NULL);
    snapcell_cell *none = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "four", NULL, &none, NULL), SNAPCELL_E_NOT_FOUND);
    fixture_expect_response(one, "/", 200, "one");
    fixture_expect_result(three, "{\"n\":2}", "6");
    char *result = NULL;
    ck_assert_int_eq(snapcell_cell_invoke(one, "{}", &result, NULL, NULL), SNAPCELL_E_WRONG_SHAPE);

    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.loads, 2);
    ck_assert_uint_eq(counters.load_failures, 1);
    ck_assert_uint_eq(counters.calls, 3);
    ck_assert_uint_eq(counters.call_failures, 1);
    ck_assert_uint_eq(counters.live_cells, 2);
    ck_assert_uint_eq(counters.read_size_bytes, snapcell_cell_info(one)->artifact_size_bytes +
                                                    snapcell_cell_info(three)->artifact_size_bytes);
    ck_assert_uint_eq(counters.decoded_size_bytes, snapcell_cell_info(one)->blob_size_bytes +
                                                       snapcell_cell_info(three)->blob_size_bytes);
    snapcell_cell_dispose(one);
    snapcell_cell_dispose(three);
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.live_cells, 0);
    ck_assert_uint_eq(counters.loads, 2);

    /* Programs of an older and of a newer header. */
    struct {
        snapcell_counters counters;
        uint64_t newer;
    } given = {.counters.load_failures = 77, .newer = 77};
    snapcell_loader_counters(loader, &given.counters, sizeof(given.counters.loads));
    ck_assert_uint_eq(given.counters.loads, 2);
    ck_assert_uint_eq(given.counters.load_failures, 77);
    snapcell_loader_counters(loader, &given.counters, sizeof(given));
    ck_assert_uint_eq(given.counters.load_failures, 1);
    ck_assert_uint_eq(given.newer, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_timings_add_up)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cell = fixture_load(loader, "one", NULL);
    snapcell_timings ready, called, again;
    snapcell_cell_timings(cell, &ready, sizeof(ready));
    ck_assert_uint_gt(ready.lookup_ns, 0);
    ck_assert_uint_gt(ready.read_ns, 0);
    ck_assert_uint_gt(ready.verify_ns, 0);
    ck_assert_uint_gt(ready.decompress_ns, 0);
    ck_assert_uint_gt(ready.isolate_ns, 0);
    ck_assert_uint_gt(ready.context_ns, 0);
    ck_assert_uint_eq(ready.call_ns, 0);
    uint64_t phases_ns = ready.lookup_ns + ready.read_ns + ready.verify_ns + ready.decompress_ns +
                         ready.isolate_ns + ready.context_ns;
    ck_assert_uint_ge(ready.total_ns, phases_ns);

    fixture_expect_response(cell, "/", 200, "one");
    snapcell_cell_timings(cell, &called, sizeof(called));
    ck_assert_uint_gt(called.call_ns, 0);
    ck_assert_uint_ge(called.total_ns, ready.total_ns + called.call_ns);
    ck_assert_uint_eq(called.lookup_ns, ready.lookup_ns);

    fixture_expect_response(cell, "/", 200, "one"); /* the total stays that of the first call */
    snapcell_cell_timings(cell, &again, sizeof(again));
    ck_assert_uint_eq(again.total_ns, called.total_ns);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_engine_info_is_known_without_v8)
{
    snapcell_engine_info info;
    snapcell_engine_info_get(&info, sizeof(info));
    snapcell_fingerprint fingerprint = engine_fingerprint();
    ck_assert_mem_eq(&info.fingerprint, &fingerprint, sizeof(fingerprint));
    ck_assert_uint_eq(info.format_version, SNAPCELL_FORMAT_VERSION);
    ck_assert_str_ne(info.v8_version, "");
    ck_assert_str_ne(info.architecture, "");
    ck_assert_ptr_nonnull(info.v8_flags);
}
END_TEST

/* --- Threads --- */

typedef struct load_task {
    snapcell_loader *loader;
    char failure[512];
} load_task;

/* Check's macros are for the main thread alone. */
static int load_and_call(load_task *task, int function)
{
    static const char *const names[FUNCTION_COUNT] = {"one", "two", "three"};
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    const char *got = "";
    snapcell_response *response = NULL;
    char *result = NULL;
    int status = snapcell_cell_load(task->loader, names[function], NULL, &cell, &err);
    if (status == SNAPCELL_OK && function == 2) {
        status = snapcell_cell_invoke(cell, "{\"n\":7}", &result, NULL, &err);
        if (status == SNAPCELL_OK) got = result;
    } else if (status == SNAPCELL_OK) {
        status = snapcell_cell_fetch(cell, NULL, &response, &err);
        if (status == SNAPCELL_OK) got = snapcell_response_body(response, NULL);
    }
    const char *expected = function == 2 ? "21" : names[function];
    int failed = strcmp(got, expected) != 0;
    if (failed)
        snprintf(task->failure, sizeof(task->failure), "%s: %s: %.200s, body '%.100s'",
                 names[function], snapcell_error_name(status), err.message, got);
    snapcell_response_free(response);
    free(result);
    snapcell_cell_dispose(cell);
    return failed;
}

static void *load_many(void *user)
{
    load_task *task = user;
    for (int i = 0; i < LOAD_COUNT; i++)
        for (int function = 0; function < FUNCTION_COUNT; function++)
            if (load_and_call(task, function)) return task;
    return NULL;
}

START_TEST(test_threads_load_in_parallel)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    pthread_t threads[THREAD_COUNT];
    load_task tasks[THREAD_COUNT];
    memset(tasks, 0, sizeof(tasks));
    for (int i = 0; i < THREAD_COUNT; i++) {
        tasks[i].loader = loader;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, load_many, &tasks[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        void *failed = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_msg(failed == NULL, "%s", tasks[i].failure);
    }
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.loads, THREAD_COUNT * FUNCTION_COUNT * LOAD_COUNT);
    ck_assert_uint_eq(counters.calls, THREAD_COUNT * FUNCTION_COUNT * LOAD_COUNT);
    ck_assert_uint_eq(counters.call_failures, 0);
    ck_assert_uint_eq(counters.live_cells, 0);
    snapcell_loader_close(loader);
}
END_TEST

typedef struct moved_cell {
    snapcell_cell *cell;
    int status;
} moved_cell;

static void *call_moved(void *user)
{
    moved_cell *moved = user;
    snapcell_response *response = NULL;
    moved->status = snapcell_cell_fetch(moved->cell, NULL, &response, NULL);
    snapcell_response_free(response);
    return NULL;
}

START_TEST(test_cell_moves_between_threads)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    moved_cell moved = {.cell = fixture_load(loader, "one", NULL), .status = -1};
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, call_moved, &moved), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(moved.status, SNAPCELL_OK);
        fixture_expect_response(moved.cell, "/", 200, "one");
    }
    snapcell_cell_dispose(moved.cell);
    snapcell_loader_close(loader);
}
END_TEST

/* A loader is closed and opened again in one process: the engine goes on. */
static int load_code(snapcell_loader *loader, const char *ref, snapcell_error *err)
{
    snapcell_cell *cell = NULL;
    int status = snapcell_cell_load(loader, ref, NULL, &cell, err);
    snapcell_cell_dispose(cell);
    return status;
}

START_TEST(test_a_sealed_loader_has_one_function)
{
    snapcell_error err;
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    ck_assert_int_eq(snapcell_loader_seal(loader, NULL, NULL, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_loader_seal(loader, "nobody", NULL, &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_int_eq(load_code(loader, "two", &err), SNAPCELL_OK);

    ck_assert_int_eq(snapcell_loader_seal(loader, "one", NULL, &err), SNAPCELL_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(load_code(loader, "one", &err), SNAPCELL_OK);
    ck_assert_int_eq(load_code(loader, "two", &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "one"));
    ck_assert_int_eq(snapcell_loader_seal(loader, "two", NULL, &err), SNAPCELL_E_USAGE);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_a_sealed_loader_holds_no_store)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    ck_assert(maps_hold("data.mdb"));
    ck_assert_int_eq(snapcell_loader_seal(loader, "one", NULL, NULL), SNAPCELL_OK);
    ck_assert(!maps_hold("data.mdb"));
    snapcell_cell *cell = fixture_load(loader, "one", NULL);
    snapcell_timings timings;
    snapcell_cell_timings(cell, &timings, sizeof(timings));
    ck_assert_uint_gt(timings.verify_ns, 0); /* the first load tells of what sealing took */
    ck_assert_uint_ge(timings.total_ns, timings.lookup_ns + timings.read_ns + timings.verify_ns +
                                            timings.decompress_ns + timings.isolate_ns);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_spare_cells_cannot_be_sealed)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = 1;
    snapcell_loader *loader = fixture_open_with(&options);
    ck_assert_int_eq(snapcell_loader_seal(loader, "one", NULL, NULL), SNAPCELL_E_USAGE);
    ck_assert_int_eq(load_code(loader, "one", NULL), SNAPCELL_OK);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_loader_opens_again)
{
    for (int i = 0; i < 3; i++) {
        snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
        snapcell_cell *cell = fixture_load(loader, "two", NULL);
        fixture_expect_response(cell, "/", 200, "two");
        snapcell_cell_dispose(cell);
        snapcell_loader_close(loader);
    }
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("loader");
    tcase_add_test(tcase, test_store_path_comes_from_the_environment);
    tcase_add_test(tcase, test_store_path_defaults_to_the_working_folder);
    tcase_add_test(tcase, test_missing_store_is_not_found);
    tcase_add_test(tcase, test_struct_size_zero_is_refused);
    tcase_add_test(tcase, test_set_member_of_a_newer_struct_is_not_ignored);
    tcase_add_test(tcase, test_timings_of_other_versions_are_given);
    tcase_add_test(tcase, test_structs_of_other_versions_are_taken);
    tcase_add_test(tcase, test_counters_count);
    tcase_add_test(tcase, test_timings_add_up);
    tcase_add_test(tcase, test_engine_info_is_known_without_v8);
    tcase_add_test(tcase, test_threads_load_in_parallel);
    tcase_add_test(tcase, test_cell_moves_between_threads);
    tcase_add_test(tcase, test_a_sealed_loader_has_one_function);
    tcase_add_test(tcase, test_a_sealed_loader_holds_no_store);
    tcase_add_test(tcase, test_spare_cells_cannot_be_sealed);
    tcase_add_test(tcase, test_loader_opens_again);
    return fixture_run(suite_create("loader"), tcase);
}
