/* Functions that are loaded again: from the cache, and in place in the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* `count` keeps state, `long` has a source that is looked at once a cell lives. */
static const char count_source[] = "let n = 0;\nglobalThis.handler = () => ++n;\n";
static const char other_source[] = "globalThis.handler = () => 'other';\n";
static const char gone_source[] = "globalThis.handler = () => 'gone';\n";
static const char raw_source[] = "let n = 0;\n"
                                 "function lazy() { return 'lazily compiled'; }\n"
                                 "globalThis.handler = () => [++n, lazy(), lazy.toString()];\n";
#define RAW_RESULT(n)                                                                              \
    "[" #n ",\"lazily compiled\",\"function lazy() { return 'lazily compiled'; }\"]"

static void make_store(void)
{
    static const fixture_function functions[] = {
        {"count", count_source, NULL}, {"other", other_source, NULL}, {"gone", gone_source, NULL}};
    static const fixture_function raw[] = {{"raw", raw_source, NULL},
                                           {"raw-gone", raw_source, NULL}};
    fixture_new_store();
    fixture_compile(functions, 3, NULL);
    fixture_compile_raw(raw, 2);
}

static snapcell_loader *open_with_cache(uint64_t size_bytes)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.cache_size_bytes = size_bytes;
    return fixture_open_with(&options);
}

static snapcell_loader *open_in_place(uint32_t count_max)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.in_place_count_max = count_max;
    return fixture_open_with(&options);
}

/* --- The cache --- */

START_TEST(test_second_load_is_from_the_cache)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "count", "1");
    snapcell_counters first = fixture_counters(loader);
    ck_assert_uint_eq(first.cache_hits, 0);
    ck_assert_uint_eq(first.cache_misses, 1);
    ck_assert_uint_gt(first.cache_size_bytes, 0);

    snapcell_cell *cell = fixture_load(loader, "count", NULL);
    fixture_expect_result(cell, "{}", "1"); /* the snapshot is shared, its state is not */
    snapcell_timings timings;
    snapcell_cell_timings(cell, &timings, sizeof(timings));
    ck_assert_uint_eq(timings.verify_ns, 0);
    ck_assert_uint_eq(timings.decompress_ns, 0);
    ck_assert_uint_gt(timings.lookup_ns, 0);
    ck_assert_uint_gt(timings.isolate_ns, 0);
    ck_assert_str_eq(snapcell_cell_info(cell)->name, "count");
    snapcell_cell_dispose(cell);

    snapcell_counters second = fixture_counters(loader);
    ck_assert_uint_eq(second.cache_hits, 1);
    ck_assert_uint_eq(second.cache_misses, 1);
    ck_assert_uint_eq(second.cache_size_bytes, first.cache_size_bytes);
    ck_assert_uint_eq(second.read_size_bytes, first.read_size_bytes);
    ck_assert_uint_eq(second.decoded_size_bytes, first.decoded_size_bytes);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_cache_can_be_turned_off)
{
    snapcell_loader *loader = open_with_cache(SNAPCELL_CACHE_NONE);
    fixture_expect_load(loader, "count", "1");
    uint64_t decoded_size = fixture_counters(loader).decoded_size_bytes;
    fixture_expect_load(loader, "count", "1");
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.cache_hits, 0);
    ck_assert_uint_eq(counters.cache_misses, 0);
    ck_assert_uint_eq(counters.cache_size_bytes, 0);
    ck_assert_uint_eq(counters.decoded_size_bytes, 2 * decoded_size);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_cache_is_bounded)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "count", "1");
    uint64_t one = fixture_counters(loader).cache_size_bytes;
    snapcell_loader_close(loader);

    uint64_t room = one + one / 2;
    loader = open_with_cache(room);
    for (int i = 0; i < 3; i++) { /* each drives out the other */
        fixture_expect_load(loader, "count", "1");
        ck_assert_uint_le(fixture_counters(loader).cache_size_bytes, room);
        fixture_expect_load(loader, "other", "\"other\"");
        ck_assert_uint_le(fixture_counters(loader).cache_size_bytes, room);
    }
    ck_assert_uint_eq(fixture_counters(loader).cache_hits, 0);
    fixture_expect_load(loader, "other", "\"other\"");
    ck_assert_uint_eq(fixture_counters(loader).cache_hits, 1);
    snapcell_loader_close(loader);

    loader = open_with_cache(1);
    fixture_expect_load(loader, "count", "1");
    ck_assert_uint_eq(fixture_counters(loader).cache_size_bytes, 0);
    snapcell_loader_close(loader);
}
END_TEST

/* A live cell keeps what it runs from, whatever the cache lets go. */
START_TEST(test_evicted_function_serves_on)
{
    snapcell_loader *loader = open_with_cache(1 << 20);
    snapcell_cell *cell = fixture_load(loader, "count", NULL);
    fixture_expect_load(loader, "other", "\"other\"");
    fixture_expect_load(loader, "gone", "\"gone\"");
    fixture_expect_result(cell, "{}", "1");
    fixture_expect_result(cell, "{}", "2");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_removed_function_is_not_found)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "gone", "\"gone\"");
    snapcell_cell *alive = fixture_load(loader, "gone", NULL);
    char key[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&snapcell_cell_info(alive)->key, key);
    fixture_remove_name("gone");

    snapcell_cell *cell = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "gone", NULL, &cell, NULL), SNAPCELL_E_NOT_FOUND);
    ck_assert_int_eq(snapcell_cell_load(loader, key, NULL, &cell, NULL), SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_null(cell);
    fixture_expect_result(alive, "{}", "\"gone\"");
    snapcell_cell_dispose(alive);

    static const fixture_function function = {"gone", gone_source, NULL};
    fixture_compile(&function, 1, NULL);
    fixture_expect_load(loader, "gone", "\"gone\"");
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_recompiled_function_is_loaded_anew)
{
    static const fixture_function before = {"changing", "handler = () => 1;\n", NULL};
    static const fixture_function after = {"changing", "handler = () => 2;\n", NULL};
    fixture_compile(&before, 1, NULL);
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "changing", "1");
    fixture_compile(&after, 1, NULL);
    fixture_expect_load(loader, "changing", "2");
    ck_assert_uint_eq(fixture_counters(loader).cache_hits, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_other_bytes_under_the_same_key_are_loaded_anew)
{
    static const fixture_function before = {"forged", "handler = () => 'before';\n", NULL};
    fixture_compile(&before, 1, NULL);
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    fixture_expect_load(loader, "forged", "\"before\"");
    fixture_replace("forged", "other");
    fixture_expect_load(loader, "forged", "\"other\"");
    ck_assert_uint_eq(fixture_counters(loader).cache_hits, 0);
    fixture_expect_load(loader, "forged", "\"other\"");
    ck_assert_uint_eq(fixture_counters(loader).cache_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* --- In place --- */

START_TEST(test_raw_artifact_runs_in_place)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *one = fixture_load(loader, "raw", NULL);
    snapcell_cell *two = fixture_load(loader, "raw", NULL);
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.in_place_count, 2);
    ck_assert_uint_eq(counters.decoded_size_bytes, 0);
    ck_assert_uint_eq(counters.cache_size_bytes, 0);
    fixture_expect_result(one, "{}", RAW_RESULT(1));
    fixture_expect_result(one, "{}", RAW_RESULT(2));
    fixture_expect_result(two, "{}", RAW_RESULT(1));
    snapcell_cell_dispose(one);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 1);
    fixture_expect_result(two, "{}", RAW_RESULT(2));
    snapcell_cell_dispose(two);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_above_the_bound_it_is_a_copy)
{
    snapcell_loader *loader = open_in_place(1);
    snapcell_cell *one = fixture_load(loader, "raw", NULL);
    snapcell_cell *two = fixture_load(loader, "raw", NULL);
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.in_place_count, 1);
    ck_assert_uint_eq(counters.decoded_size_bytes, snapcell_cell_info(two)->blob_size_bytes);
    fixture_expect_result(two, "{}", RAW_RESULT(1));
    snapcell_cell_dispose(one);
    fixture_expect_result(two, "{}", RAW_RESULT(2));
    snapcell_cell_dispose(two);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_place_can_be_turned_off)
{
    snapcell_loader *loader = open_in_place(SNAPCELL_IN_PLACE_NONE);
    snapcell_cell *cell = fixture_load(loader, "raw", NULL);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 0);
    fixture_expect_result(cell, "{}", RAW_RESULT(1));
    snapcell_cell_dispose(cell);
    fixture_expect_load(loader, "raw", RAW_RESULT(1));
    ck_assert_uint_eq(fixture_counters(loader).cache_hits, 1);
    snapcell_loader_close(loader);
}
END_TEST

/* The view that is held keeps the artifact's pages from what is stored after its removal. */
START_TEST(test_removed_raw_artifact_serves_on)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cell = fixture_load(loader, "raw-gone", NULL);
    ck_assert_uint_eq(fixture_counters(loader).in_place_count, 1);
    fixture_remove_name("raw-gone");
    fixture_fill(8);
    snapcell_cell *none = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "raw-gone", NULL, &none, NULL),
                     SNAPCELL_E_NOT_FOUND);
    fixture_expect_result(cell, "{}", RAW_RESULT(1));
    fixture_expect_result(cell, "{}", RAW_RESULT(2));
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}
END_TEST

/* --- Threads --- */

/* Room for one function or so: threads find, add and evict at the same time. */
START_TEST(test_threads_share_cache_and_places)
{
    static const fixture_expected expected[] = {
        {"count", "1"}, {"other", "\"other\""}, {"raw", RAW_RESULT(1)}};
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.cache_size_bytes = (uint64_t)(_i == 0 ? 800 : 64000) << 10;
    options.in_place_count_max = 2;
    snapcell_loader *loader = fixture_open_with(&options);
    fixture_load_in_threads(loader, expected, 3, 40);
    snapcell_counters counters = fixture_counters(loader);
    ck_assert_uint_eq(counters.cache_hits + counters.cache_misses, FIXTURE_THREADS * 120);
    ck_assert_uint_le(counters.cache_size_bytes, options.cache_size_bytes);
    ck_assert_uint_eq(counters.in_place_count, 0);
    snapcell_loader_close(loader);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("cell_cache");
    tcase_add_test(tcase, test_second_load_is_from_the_cache);
    tcase_add_test(tcase, test_cache_can_be_turned_off);
    tcase_add_test(tcase, test_cache_is_bounded);
    tcase_add_test(tcase, test_evicted_function_serves_on);
    tcase_add_test(tcase, test_removed_function_is_not_found);
    tcase_add_test(tcase, test_recompiled_function_is_loaded_anew);
    tcase_add_test(tcase, test_other_bytes_under_the_same_key_are_loaded_anew);
    tcase_add_test(tcase, test_raw_artifact_runs_in_place);
    tcase_add_test(tcase, test_above_the_bound_it_is_a_copy);
    tcase_add_test(tcase, test_place_can_be_turned_off);
    tcase_add_test(tcase, test_removed_raw_artifact_serves_on);
    tcase_add_loop_test(tcase, test_threads_share_cache_and_places, 0, 2);
    return fixture_run(suite_create("cell_cache"), tcase);
}
