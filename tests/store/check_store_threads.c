/* Threads, views across them, and maps that grow meanwhile. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_fixture.h"
#include "store_internal.h"

#define SMALL_MAP_SIZE_BYTES ((size_t)1 << 20)

static snapcell_error err;

static uint64_t map_size(snapcell_store *store)
{
    snapcell_store_stat figures;
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    return figures.map_size_bytes;
}

/* --- Growing
 * -------------------------------------------------------------------------------------------------
 */

START_TEST(test_map_grows)
{
    store_map_size_set(SMALL_MAP_SIZE_BYTES);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_uint_eq(map_size(store), SMALL_MAP_SIZE_BYTES);
    for (uint32_t i = 0; i < 30; i++) {
        ck_assert_ok(fixture_put(store, i, 1, 200000, NULL, &err), err);
    }
    /* Larger at once than any doubling. */
    ck_assert_ok(fixture_put(store, 100, 1, 40000000, "big", &err), err);
    ck_assert_uint_gt(map_size(store), 40000000);
    ck_assert_int_eq(fixture_count_whole(store), 31);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_eq(fixture_count_whole(store), 31);
    snapcell_store_close(store);
}
END_TEST

static int put_past_the_map(void *argument)
{
    (void)argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    for (uint32_t i = 100; i < 140; i++) {
        if (fixture_put(store, i, 1, 200000, NULL, &err) != SNAPCELL_OK) return 1;
    }
    snapcell_store_close(store);
    return 0;
}

START_TEST(test_map_grown_by_another_process)
{
    const snapcell_store_mode mode = _i == 0 ? SNAPCELL_STORE_READ : SNAPCELL_STORE_WRITE;
    store_map_size_set(SMALL_MAP_SIZE_BYTES);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 1000, NULL, &err), err);
    snapcell_store_close(store);
    store = fixture_open(mode);
    ck_assert(fixture_has(store, 1, 1, 1000));
    ck_assert_int_eq(fixture_run(put_past_the_map, NULL), 0);
    if (mode == SNAPCELL_STORE_WRITE) {
        ck_assert_ok(fixture_put(store, 2, 1, 1000, NULL, &err), err);
    }
    ck_assert(fixture_has(store, 139, 1, 200000));
    ck_assert_int_eq(fixture_count_whole(store), mode == SNAPCELL_STORE_WRITE ? 42 : 41);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_map_does_not_grow_under_a_view)
{
    snapcell_store_view view;
    int status = SNAPCELL_OK;
    store_map_size_set(SMALL_MAP_SIZE_BYTES);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact one = fixture_artifact_new(1, 1, 1000);
    ck_assert_ok(snapcell_store_put(store, one.bytes, one.size_bytes, NULL, &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &one.key, &view, &err), err);
    uint32_t number = 2;
    while (status == SNAPCELL_OK) {
        status = fixture_put(store, number++, 1, 200000, NULL, &err);
    }
    ck_assert_fails(status, SNAPCELL_E_BUSY, err);
    ck_assert_mem_eq(view.bytes, one.bytes, one.size_bytes);
    ck_assert(fixture_has(store, number - 2, 1, 200000));
    ck_assert(!fixture_has(store, number - 1, 1, 200000));
    snapcell_store_view_close(store, &view);
    ck_assert_ok(fixture_put(store, number - 1, 1, 200000, NULL, &err), err);
    snapcell_store_close(store);
    fixture_artifact_free(&one);
}
END_TEST

typedef struct thread_state {
    snapcell_store *store;
    uint32_t first;
    uint32_t count;
    const char *failed; /* what went wrong */
} thread_state;

static _Atomic unsigned writers_left;

static void *put_many(void *argument)
{
    thread_state *state = argument;
    snapcell_error error;
    for (uint32_t i = 0; i < state->count && state->failed == NULL; i++) {
        char name[32];
        uint32_t number = state->first + i;
        snprintf(name, sizeof(name), "name-%u", number);
        if (fixture_put(state->store, number, 1, number % 4 * 60000 + 100, name, &error) != 0) {
            fprintf(stderr, "put: %s\n", error.message);
            state->failed = "put";
        } else if (!fixture_has(state->store, number, 1, number % 4 * 60000 + 100)) {
            state->failed = "has";
        }
    }
    atomic_fetch_sub(&writers_left, 1);
    return NULL;
}

static int check_name(void *user, const snapcell_store_name *entry)
{
    ++*(long *)user;
    return strncmp(entry->name, "name-", 5) == 0 ? 0 : 1;
}

static void *read_many(void *argument)
{
    thread_state *state = argument;
    long before = 0;
    while (atomic_load(&writers_left) > 0 && state->failed == NULL) {
        snapcell_store_stat figures;
        long names = 0;
        long count = fixture_count_whole(state->store);
        if (count < before) state->failed = "count";
        before = count;
        if (snapcell_store_each_name(state->store, check_name, &names, NULL) != SNAPCELL_OK ||
            names < count) {
            state->failed = "each_name";
        }
        if (snapcell_store_stat_get(state->store, &figures, NULL) != SNAPCELL_OK) {
            state->failed = "stat";
        }
        for (uint32_t i = 0; i < 20; i++) {
            fixture_has(state->store, i, 1, i % 4 * 60000 + 100);
        }
    }
    return NULL;
}

/* Opens and closes while the others do. */
static void *open_many(void *argument)
{
    thread_state *state = argument;
    while (atomic_load(&writers_left) > 0 && state->failed == NULL) {
        snapcell_store *store;
        snapcell_error error;
        if (snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, &error) !=
            SNAPCELL_OK) {
            fprintf(stderr, "open: %s\n", error.message);
            state->failed = "open";
            break;
        }
        if (fixture_count_whole(store) < 0) state->failed = "count";
        snapcell_store_close(store);
    }
    return NULL;
}

static void *collect_many(void *argument)
{
    thread_state *state = argument;
    while (atomic_load(&writers_left) > 0 && state->failed == NULL) {
        if (snapcell_store_gc(state->store, NULL, NULL) != SNAPCELL_OK) state->failed = "gc";
        usleep(5000);
    }
    return NULL;
}

START_TEST(test_threads_while_the_map_grows)
{
    static void *(*const roles[])(void *) = {put_many,  put_many,  read_many,   read_many,
                                             read_many, open_many, collect_many};
    enum { THREADS = sizeof(roles) / sizeof(roles[0]), EACH = 60 };
    pthread_t threads[THREADS];
    thread_state states[THREADS];
    store_map_size_set(SMALL_MAP_SIZE_BYTES);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    atomic_store(&writers_left, 2);
    for (uint32_t i = 0; i < THREADS; i++) {
        states[i] = (thread_state){.store = store, .first = i * EACH, .count = EACH};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, roles[i], &states[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_msg(states[i].failed == NULL, "thread %u: %s", i, states[i].failed);
    }
    ck_assert_int_eq(fixture_count_whole(store), 2 * EACH);
    ck_assert_uint_gt(map_size(store), SMALL_MAP_SIZE_BYTES);
    snapcell_store_close(store);
}
END_TEST

/* --- Views across threads
 * -------------------------------------------------------------------------------------------------
 */

enum { VIEWS = 200 };

typedef struct view_state {
    snapcell_store *store;
    snapcell_store_view views[VIEWS];
    bool same[VIEWS];
} view_state;

static void *check_and_close(void *argument)
{
    view_state *state = argument;
    for (uint32_t i = 0; i < VIEWS; i++) {
        fixture_artifact artifact = fixture_artifact_new(i % 10, 1, 5000);
        state->same[i] = state->views[i].size_bytes == artifact.size_bytes &&
                         memcmp(state->views[i].bytes, artifact.bytes, artifact.size_bytes) == 0;
        snapcell_store_view_close(state->store, &state->views[i]);
        fixture_artifact_free(&artifact);
    }
    return NULL;
}

static void *open_views(void *argument)
{
    view_state *state = argument;
    for (uint32_t i = 0; i < VIEWS; i++) {
        fixture_artifact artifact = fixture_artifact_new(i % 10, 1, 5000);
        snapcell_store_view_open(state->store, &artifact.key, &state->views[i], NULL);
        fixture_artifact_free(&artifact);
    }
    return NULL;
}

static void run_thread(void *(*work)(void *), void *argument)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, work, argument), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(test_views_move_between_threads)
{
    snapcell_store_stat figures;
    static view_state state;
    state.store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_ok(fixture_put(state.store, i, 1, 5000, NULL, &err), err);
    }
    /* Opened on a thread that is gone, used and closed on another. */
    run_thread(open_views, &state);
    ck_assert_ok(snapcell_store_stat_get(state.store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, VIEWS);
    ck_assert_ok(fixture_put(state.store, 77, 1, 5000, NULL, &err), err);
    run_thread(check_and_close, &state);
    for (uint32_t i = 0; i < VIEWS; i++) {
        ck_assert(state.same[i]);
    }
    ck_assert_ok(snapcell_store_stat_get(state.store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 0);
    snapcell_store_close(state.store);
}
END_TEST

static void *open_and_close_views(void *argument)
{
    thread_state *state = argument;
    fixture_artifact one = fixture_artifact_new(1, 1, 5000);
    for (uint32_t i = 0; i < state->count && state->failed == NULL; i++) {
        snapcell_store_view views[3];
        for (size_t j = 0; j < 3; j++) {
            if (snapcell_store_view_open(state->store, &one.key, &views[j], NULL) != SNAPCELL_OK) {
                state->failed = "view_open";
            }
        }
        if (state->failed == NULL && memcmp(views[i % 3].bytes, one.bytes, one.size_bytes) != 0) {
            state->failed = "bytes";
        }
        for (size_t j = 0; j < 3; j++) {
            snapcell_store_view_close(state->store, &views[j]);
        }
    }
    fixture_artifact_free(&one);
    return NULL;
}

START_TEST(test_many_reading_threads)
{
    enum { THREADS = 24 };
    pthread_t threads[THREADS];
    thread_state states[THREADS];
    snapcell_store_stat figures;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 5000, NULL, &err), err);
    for (uint32_t i = 0; i < THREADS; i++) {
        states[i] = (thread_state){.store = store, .count = 500};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, open_and_close_views, &states[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_msg(states[i].failed == NULL, "thread %u: %s", i, states[i].failed);
    }
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 0);
    snapcell_store_close(store);
}
END_TEST

/* Against the contract, but nothing may be unmapped under it. */
START_TEST(test_closing_with_an_open_view)
{
    snapcell_store_view view;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact one = fixture_artifact_new(1, 1, 5000);
    ck_assert_ok(snapcell_store_put(store, one.bytes, one.size_bytes, NULL, &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &one.key, &view, &err), err);
    snapcell_store_close(store);
    ck_assert_mem_eq(view.bytes, one.bytes, one.size_bytes);
    store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_mem_eq(view.bytes, one.bytes, one.size_bytes);
    snapcell_store_view_close(store, &view);
    ck_assert_ok(fixture_put(store, 2, 1, 100, NULL, &err), err);
    snapcell_store_close(store);
    fixture_artifact_free(&one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_threads");
    TCase *tcase = tcase_create("threads");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_map_grows);
    tcase_add_loop_test(tcase, test_map_grown_by_another_process, 0, 2);
    tcase_add_test(tcase, test_map_does_not_grow_under_a_view);
    tcase_add_test(tcase, test_threads_while_the_map_grows);
    tcase_add_test(tcase, test_views_move_between_threads);
    tcase_add_test(tcase, test_many_reading_threads);
    tcase_add_test(tcase, test_closing_with_an_open_view);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
