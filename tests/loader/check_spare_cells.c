/* Spare cells: which loads get one, what it is then, and how they are freed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "loader_state.h"

static const fixture_function functions[] = {
    {"count", "let n = 0;\nglobalThis.handler = () => ++n;\n", NULL},
    {"other", "globalThis.handler = () => 'other';\n", NULL},
    {"gone", "globalThis.handler = () => 'gone';\n", NULL},
    {"random", "globalThis.handler = () => [Math.random(), Math.random(), crypto.randomUUID()];\n",
     NULL},
    {"clock",
     "globalThis.handler = () => [performance.now(), performance.timeOrigin, Date.now()];\n", NULL},
    {"env",
     "export default { fetch(request, env) { return new Response(JSON.stringify(env)); } };\n",
     NULL},
    {"logs", "globalThis.handler = () => { console.log('called'); return 0; };\n", NULL},
    /* Top-level randomness cannot be in a snapshot. */
    {"code", "const id = crypto.randomUUID();\nglobalThis.handler = () => id.length;\n", NULL},
};
static const fixture_function raw_function = {
    "raw", "let n = 0;\nglobalThis.handler = () => ++n;\n", NULL};

static void make_store(void)
{
    fixture_new_store();
    fixture_compile(functions, sizeof(functions) / sizeof(functions[0]), NULL);
    fixture_compile_raw(&raw_function, 1);
}

static snapcell_loader *open_with_spares(uint32_t count, uint64_t size_bytes)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = count;
    options.spare_size_bytes = size_bytes;
    return fixture_open_with(&options);
}

static void wait_for_spares(const snapcell_loader *loader, uint64_t count)
{
    const struct timespec tick = {.tv_nsec = 2000000};
    for (int i = 0; i < 10000 && fixture_counters(loader).spares_ready != count; i++)
        nanosleep(&tick, NULL);
    ck_assert_uint_eq(fixture_counters(loader).spares_ready, count);
}

static double now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* --- Who gets one --- */

START_TEST(test_there_are_none_unless_asked_for)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "count", "1");
    fixture_expect_load(loader, "count", "1");
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.spare_hits, 0);
    ck_assert_uint_eq(counters.spare_misses, 0);
    ck_assert_uint_eq(counters.spares_ready, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_second_load_gets_a_spare)
{
    snapcell_loader *loader = open_with_spares(2, 0);
    fixture_expect_load(loader, "count", "1");
    ck_assert_uint_eq(fixture_counters(loader).spare_misses, 1);
    wait_for_spares(loader, 2);
    ck_assert_uint_eq(fixture_counters(loader).live_cells, 0);
    ck_assert_uint_gt(fixture_counters(loader).spares_size_bytes, 0);

    snapcell_cell *cell = fixture_load(loader, "count", NULL);
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.spare_hits, 1);
    ck_assert_uint_eq(counters.loads, 2);
    ck_assert_uint_eq(counters.live_cells, 1);
    snapcell_timings timings;
    snapcell_cell_timings(cell, &timings, sizeof(timings));
    ck_assert_uint_eq(timings.isolate_ns, 0);
    ck_assert_uint_eq(timings.decompress_ns, 0);
    ck_assert_uint_gt(timings.lookup_ns, 0);
    ck_assert_uint_ge(timings.total_ns, timings.lookup_ns + timings.read_ns + timings.context_ns);
    fixture_expect_result(cell, "{}", "1");
    snapcell_cell_timings(cell, &timings, sizeof(timings));
    ck_assert_uint_ge(timings.total_ns, timings.call_ns);
    wait_for_spares(loader, 2); /* another one is made while this one is in use */
    fixture_expect_result(cell, "{}", "2");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

static snapcell_cell *load_with_limits(snapcell_loader *loader, uint64_t memory, uint32_t cpu_ms,
                                       uint32_t wall_ms)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = memory;
    options.cpu_limit_ms = cpu_ms;
    options.wall_limit_ms = wall_ms;
    return fixture_load(loader, "count", &options);
}

START_TEST(test_limits_have_to_be_the_same)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    snapcell_cell_dispose(load_with_limits(loader, 0, 0, 0));
    wait_for_spares(loader, 1);
    snapcell_cell_dispose(load_with_limits(loader, (uint64_t)64 << 20, 0, 0));
    snapcell_cell_dispose(load_with_limits(loader, 0, 5000, 0));
    snapcell_cell_dispose(load_with_limits(loader, 0, 0, 5000));
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 0);
    ck_assert_uint_eq(fixture_counters(loader).spare_misses, 4);
    wait_for_spares(loader, 4); /* each of them has its own now */
    snapcell_cell_dispose(load_with_limits(loader, 0, 0, 5000));
    snapcell_cell_dispose(load_with_limits(loader, (uint64_t)128 << 20, 0, 0)); /* the default */
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 2);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_limits_hold_in_a_spare)
{
    static const fixture_function busy = {"busy", "globalThis.handler = () => { for (;;); };\n",
                                          NULL};
    fixture_compile(&busy, 1, NULL);
    snapcell_loader *loader = open_with_spares(1, 0);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = 30;
    for (int i = 0; i < 2; i++) {
        snapcell_cell *cell = fixture_load(loader, "busy", &options);
        char *result = NULL;
        ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &result, NULL, NULL),
                         SNAPCELL_E_CPU_LIMIT);
        snapcell_cell_dispose(cell);
        wait_for_spares(loader, 1);
    }
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* A `code` artifact would run its top level ahead, for no one. */
START_TEST(test_code_artifacts_have_none)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    fixture_expect_load(loader, "code", "36");
    fixture_expect_load(loader, "count", "1");
    wait_for_spares(loader, 1); /* of the second, so that the first one's turn is over */
    fixture_expect_load(loader, "code", "36");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 0);
    fixture_expect_load(loader, "count", "1");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* --- What it is --- */

START_TEST(test_spares_are_never_used_twice)
{
    snapcell_loader *loader = open_with_spares(3, 0);
    for (int round = 0; round < 5; round++) {
        snapcell_cell *cells[4];
        for (int i = 0; i < 4; i++)
            cells[i] = fixture_load(loader, "count", NULL);
        for (int i = 0; i < 4; i++)
            fixture_expect_result(cells[i], "{}", "1");
        for (int i = 0; i < 4; i++)
            fixture_expect_result(cells[i], "{}", "2");
        for (int i = 0; i < 4; i++)
            snapcell_cell_dispose(cells[i]);
        wait_for_spares(loader, 3);
    }
    ck_assert_uint_ge(fixture_counters(loader).spare_hits, 12);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_random_values_differ)
{
    snapcell_loader *loader = open_with_spares(4, 0);
    char *results[9] = {NULL};
    for (int i = 0; i < 9; i++) {
        snapcell_cell *cell = fixture_load(loader, "random", NULL);
        ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &results[i], NULL, NULL), SNAPCELL_OK);
        snapcell_cell_dispose(cell);
        wait_for_spares(loader, 4);
    }
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 8);
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < i; j++) /* the first number alone: Math.random is seeded again */
            ck_assert_int_ne(strncmp(results[i], results[j], 12), 0);
    for (int i = 0; i < 9; i++)
        free(results[i]);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_clock_begins_when_it_is_taken)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    snapcell_cell_dispose(fixture_load(loader, "clock", NULL));
    wait_for_spares(loader, 1);
    nanosleep(&(const struct timespec){.tv_nsec = 300000000}, NULL);
    double before_ms = now_ms(CLOCK_MONOTONIC), wall_ms = now_ms(CLOCK_REALTIME);
    snapcell_cell *cell = fixture_load(loader, "clock", NULL);
    char *result = NULL;
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &result, NULL, NULL), SNAPCELL_OK);
    double elapsed_ms = now_ms(CLOCK_MONOTONIC) - before_ms;
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    double clock_ms = -1, origin_ms = 0, date_ms = 0;
    ck_assert_int_eq(sscanf(result, "[%lf,%lf,%lf]", &clock_ms, &origin_ms, &date_ms), 3);
    ck_assert_double_ge(clock_ms, 0);
    ck_assert_double_le(clock_ms, elapsed_ms);
    ck_assert_double_ge(origin_ms, wall_ms - 50); /* the wall clock may be set while this runs */
    ck_assert_double_ge(date_ms, wall_ms - 50);
    free(result);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_env_is_given_when_it_is_taken)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env_count = 1;
    for (int i = 0; i < 4; i++) {
        const snapcell_env env = {"ROUND", i % 2 == 0 ? "even" : "odd"};
        options.env = &env;
        snapcell_cell *cell = fixture_load(loader, "env", &options);
        fixture_expect_response(cell, "/", 200,
                                i % 2 == 0 ? "{\"ROUND\":\"even\"}" : "{\"ROUND\":\"odd\"}");
        snapcell_cell_dispose(cell);
        wait_for_spares(loader, 1);
    }
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 3);
    snapcell_cell *cell = fixture_load(loader, "env", NULL);
    fixture_expect_response(cell, "/", 200, "{}");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

static void note_log(void *user, snapcell_log_level level, const char *function, const char *text,
                     size_t size)
{
    (void)level;
    snprintf(user, 64, "%s: %.*s", function, (int)size, text);
}

START_TEST(test_console_of_a_spare_goes_to_the_log)
{
    char log[64] = "";
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = 1;
    options.log = note_log;
    options.log_user = log;
    snapcell_loader *loader = fixture_open_with(&options);
    snapcell_cell_dispose(fixture_load(loader, "logs", NULL));
    wait_for_spares(loader, 1);
    ck_assert_str_eq(log, ""); /* making one calls nothing */
    fixture_expect_load(loader, "logs", "0");
    ck_assert_str_eq(log, "logs: called");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_spare_moves_between_threads)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    snapcell_cell_dispose(load_with_limits(loader, 0, 0, 0));
    wait_for_spares(loader, 1);
    snapcell_cell *cell = load_with_limits(loader, 0, 0, 0);
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    for (int i = 0; i < 100; i++) {
        char expected[16];
        snprintf(expected, sizeof(expected), "%d", i + 1);
        fixture_expect_result(cell, "{}", expected);
    }
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

/* --- The store has the last word --- */

START_TEST(test_removed_function_is_not_found)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    fixture_expect_load(loader, "gone", "\"gone\"");
    wait_for_spares(loader, 1);
    fixture_remove_name("gone");
    snapcell_cell *cell = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "gone", NULL, &cell, NULL), SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_null(cell);
    snapcell_loader_close(loader);
    fixture_compile(&functions[2], 1, NULL);
}
END_TEST

START_TEST(test_spares_of_replaced_bytes_go)
{
    static const fixture_function before = {"forged", "handler = () => 'before';\n", NULL};
    fixture_compile(&before, 1, NULL);
    snapcell_loader *loader = open_with_spares(2, 0);
    fixture_expect_load(loader, "forged", "\"before\"");
    wait_for_spares(loader, 2);
    fixture_replace("forged", "other");
    fixture_expect_load(loader, "forged", "\"other\"");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 0);
    wait_for_spares(loader, 2);
    fixture_expect_load(loader, "forged", "\"other\"");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* --- Bounds --- */

START_TEST(test_memory_of_spares_is_bounded)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    fixture_expect_load(loader, "count", "1");
    wait_for_spares(loader, 1);
    uint64_t one = fixture_counters(loader).spares_size_bytes;
    snapcell_loader_close(loader);

    /* Room for the guess about a second spare, and not for a second one of them. */
    uint64_t room = one + one / 2;
    loader = open_with_spares(1, room);
    for (int i = 0; i < 3; i++) {
        fixture_expect_load(loader, "count", "1");
        wait_for_spares(loader, 1);
        ck_assert_uint_le(fixture_counters(loader).spares_size_bytes, room);
        fixture_expect_load(loader, "other", "\"other\"");
        wait_for_spares(loader, 1);
        ck_assert_uint_le(fixture_counters(loader).spares_size_bytes, room);
    }
    snapcell_loader_close(loader);

    loader = open_with_spares(5, 1);
    fixture_expect_load(loader, "count", "1");
    fixture_expect_load(loader, "count", "1");
    ck_assert_uint_eq(fixture_counters(loader).spares_size_bytes, 0);
    ck_assert_uint_eq(fixture_counters(loader).spare_misses, 2);
    snapcell_loader_close(loader);
}
END_TEST

/* A function's second spare does not drive out what another one has. */
START_TEST(test_first_spares_come_before_many)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    fixture_expect_load(loader, "count", "1");
    wait_for_spares(loader, 1);
    uint64_t one = fixture_counters(loader).spares_size_bytes;
    snapcell_loader_close(loader);

    loader = open_with_spares(2, 3 * one);
    fixture_expect_load(loader, "other", "\"other\"");
    wait_for_spares(loader, 2);
    fixture_expect_load(loader, "count", "1");
    wait_for_spares(loader, 3); /* there is no room for a fourth */
    nanosleep(&(const struct timespec){.tv_nsec = 100000000}, NULL);
    ck_assert_uint_eq(fixture_counters(loader).spares_ready, 3);
    ck_assert_uint_le(fixture_counters(loader).spares_size_bytes, 3 * one);
    fixture_expect_load(loader, "other", "\"other\"");
    fixture_expect_load(loader, "count", "1");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 2);
    snapcell_loader_close(loader);
}
END_TEST

/* --- In place --- */

START_TEST(test_spares_of_a_raw_artifact_share_its_place)
{
    snapcell_loader *loader = open_with_spares(2, 0);
    fixture_expect_load(loader, "raw", "1");
    wait_for_spares(loader, 2);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 1);
    fixture_expect_load(loader, "raw", "1");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    wait_for_spares(loader, 2);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* --- The end --- */

START_TEST(test_cells_are_disposed_of_by_the_thread)
{
    snapcell_loader *loader = open_with_spares(1, 0);
    snapcell_cell *cells[60];
    for (int i = 0; i < 60; i++)
        cells[i] = fixture_load(loader, "count", NULL);
    for (int i = 0; i < 60; i++)
        snapcell_cell_dispose(cells[i]);
    ck_assert_uint_eq(fixture_counters(loader).live_cells, 0);
    const struct timespec tick = {.tv_nsec = 2000000};
    uint32_t leaving = 1;
    for (int i = 0; i < 10000 && leaving > 0; i++) {
        pthread_mutex_lock(&loader->spares.mutex);
        leaving = loader->spares.leaving_count;
        pthread_mutex_unlock(&loader->spares.mutex);
        nanosleep(&tick, NULL);
    }
    ck_assert_uint_eq(leaving, 0);
    snapcell_loader_close(loader);
}
END_TEST

/* Each set of limits is a function of its own. */
static void load_with_timers(snapcell_loader *loader, uint32_t timer_limit)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.timer_limit = timer_limit;
    snapcell_cell *cell = fixture_load(loader, "count", &options);
    fixture_expect_result(cell, "{}", "1");
    snapcell_cell_dispose(cell);
}

START_TEST(test_functions_used_longest_ago_give_way)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = 1;
    options.spare_function_count_max = 2;
    snapcell_loader *loader = fixture_open_with(&options);
    for (uint32_t limit = 1; limit <= 5; limit++) {
        load_with_timers(loader, limit);
        wait_for_spares(loader, limit < 2 ? 1 : 2);
    }
    load_with_timers(loader, 4); /* of the two that are left */
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    load_with_timers(loader, 1);
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_many_functions_are_found_again)
{
    const uint32_t count = 40;
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = 1;
    options.spare_function_count_max = 4000;
    snapcell_loader *loader = fixture_open_with(&options);
    for (uint32_t limit = 1; limit <= count; limit++)
        load_with_timers(loader, limit);
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 0);
    wait_for_spares(loader, count);
    for (uint32_t limit = 1; limit <= count; limit++)
        load_with_timers(loader, limit);
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, count);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_close_with_spares_in_the_making)
{
    for (int i = 0; i < 10; i++) {
        snapcell_loader *loader = open_with_spares(8, 0);
        fixture_expect_load(loader, "count", "1");
        fixture_expect_load(loader, "other", "\"other\"");
        if (i % 2 == 0) wait_for_spares(loader, 16);
        snapcell_loader_close(loader);
    }
    snapcell_loader *unused = open_with_spares(8, 0);
    snapcell_loader_close(unused);
}
END_TEST

/* In the child there is no thread to wait for. */
START_TEST(test_forked_child_closes)
{
    snapcell_loader *loader = open_with_spares(2, 0);
    fixture_expect_load(loader, "count", "1");
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        snapcell_cell *cell = NULL;
        int status = snapcell_cell_load(loader, "count", NULL, &cell, NULL);
        snapcell_loader_close(loader);
        _exit(status == SNAPCELL_E_USAGE && cell == NULL ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    wait_for_spares(loader, 2);
    fixture_expect_load(loader, "count", "1");
    ck_assert_uint_eq(fixture_counters(loader).spare_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* --- Threads --- */

START_TEST(test_threads_share_spares)
{
    static const fixture_expected expected[] = {
        {"count", "1"}, {"other", "\"other\""}, {"raw", "1"}};
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = 3;
    options.spare_size_bytes = _i == 0 ? 0 : (uint64_t)4 << 20; /* or too little for all */
    options.cache_size_bytes = _i == 0 ? 0 : (uint64_t)1 << 20;
    snapcell_loader *loader = fixture_open_with(&options);
    fixture_load_in_threads(loader, expected, 3, 60);
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.loads, FIXTURE_THREADS * 180);
    ck_assert_uint_eq(counters.spare_hits + counters.spare_misses, counters.loads);
    ck_assert_uint_eq(counters.live_cells, 0);
    if (_i == 0) ck_assert_uint_gt(counters.spare_hits, 0);
    snapcell_loader_close(loader);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("spare_cells");
    tcase_add_test(tcase, test_there_are_none_unless_asked_for);
    tcase_add_test(tcase, test_second_load_gets_a_spare);
    tcase_add_test(tcase, test_limits_have_to_be_the_same);
    tcase_add_test(tcase, test_limits_hold_in_a_spare);
    tcase_add_test(tcase, test_code_artifacts_have_none);
    tcase_add_test(tcase, test_spares_are_never_used_twice);
    tcase_add_test(tcase, test_random_values_differ);
    tcase_add_test(tcase, test_clock_begins_when_it_is_taken);
    tcase_add_test(tcase, test_env_is_given_when_it_is_taken);
    tcase_add_test(tcase, test_console_of_a_spare_goes_to_the_log);
    tcase_add_test(tcase, test_spare_moves_between_threads);
    tcase_add_test(tcase, test_removed_function_is_not_found);
    tcase_add_test(tcase, test_spares_of_replaced_bytes_go);
    tcase_add_test(tcase, test_memory_of_spares_is_bounded);
    tcase_add_test(tcase, test_first_spares_come_before_many);
    tcase_add_test(tcase, test_spares_of_a_raw_artifact_share_its_place);
    tcase_add_test(tcase, test_cells_are_disposed_of_by_the_thread);
    tcase_add_test(tcase, test_close_with_spares_in_the_making);
    tcase_add_test(tcase, test_functions_used_longest_ago_give_way);
    tcase_add_test(tcase, test_many_functions_are_found_again);
    tcase_add_test(tcase, test_forked_child_closes);
    tcase_add_loop_test(tcase, test_threads_share_spares, 0, 2);
    return fixture_run(suite_create("spare_cells"), tcase);
}
