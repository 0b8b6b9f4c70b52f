#include "source_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

static source_map *parse(const char *json)
{
    return source_map_new(json, strlen(json));
}

/* Line 1: column 1 -> a.ts 1:1, column 5 -> b.ts 11:3, column 9 -> nothing.
 * Line 2: none. Line 3: column 3 -> a.ts 2:5. */
static const char plain[] = "{\"version\":3,\"sources\":[\"a.ts\",\"b.ts\"],\"names\":[],"
                            "\"mappings\":\"AAAA,ICUEA,I;;EDTE\"}";

static void assert_place(const source_map *map, uint32_t line, uint32_t column, const char *file,
                         uint32_t source_line, uint32_t source_column)
{
    const char *got_file = NULL;
    uint32_t got_line = 0, got_column = 0;
    ck_assert_msg(source_map_find(map, line, column, &got_file, &got_line, &got_column) == 1,
                  "nothing at %u:%u", line, column);
    ck_assert_str_eq(got_file, file);
    ck_assert_uint_eq(got_line, source_line);
    ck_assert_uint_eq(got_column, source_column);
}

static void assert_unmapped(const source_map *map, uint32_t line, uint32_t column)
{
    const char *file = "untouched";
    uint32_t out_line = 77, out_column = 88;
    ck_assert_int_eq(source_map_find(map, line, column, &file, &out_line, &out_column), 0);
    ck_assert_str_eq(file, "untouched");
    ck_assert_uint_eq(out_line, 77);
    ck_assert_uint_eq(out_column, 88);
}

START_TEST(test_find_takes_the_segment_before)
{
    source_map *map = parse(plain);
    ck_assert_ptr_nonnull(map);
    assert_place(map, 1, 1, "a.ts", 1, 1);
    assert_place(map, 1, 4, "a.ts", 1, 1);
    assert_place(map, 1, 5, "b.ts", 11, 3);
    assert_place(map, 1, 8, "b.ts", 11, 3);
    assert_unmapped(map, 1, 9);
    assert_unmapped(map, 1, 1000);
    assert_unmapped(map, 2, 1); /* a line does not go on with the one before */
    assert_unmapped(map, 3, 2);
    assert_place(map, 3, 3, "a.ts", 2, 5);
    assert_unmapped(map, 4, 1);
    assert_unmapped(map, 0, 1);
    assert_unmapped(map, 1, 0);
    assert_unmapped(map, UINT32_MAX, UINT32_MAX);
    source_map_free(map);
    source_map_free(NULL);
}
END_TEST

START_TEST(test_source_root_is_put_in_front)
{
    source_map *map = parse("{\"version\":3,\"sourceRoot\":\"/src\",\"sources\":[\"a.ts\"],"
                            "\"mappings\":\"AAAA\"}");
    assert_place(map, 1, 1, "/src/a.ts", 1, 1);
    source_map_free(map);
    map = parse("{\"version\":3,\"sourceRoot\":\"/src/\",\"sources\":[\"a.ts\"],"
                "\"mappings\":\"AAAA\"}");
    assert_place(map, 1, 1, "/src/a.ts", 1, 1);
    source_map_free(map);
}
END_TEST

/* `count` times `part`, between `before` and `after`. */
static source_map *parse_repeated(const char *before, const char *part, size_t count,
                                  const char *after)
{
    size_t part_size = strlen(part), before_size = strlen(before);
    char *json = malloc(before_size + count * part_size + strlen(after) + 1);
    ck_assert_ptr_nonnull(json);
    memcpy(json, before, before_size);
    for (size_t i = 0; i < count; i++)
        memcpy(json + before_size + i * part_size, part, part_size);
    strcpy(json + before_size + count * part_size, after);
    source_map *map = parse(json);
    free(json);
    return map;
}

START_TEST(test_what_would_take_too_much_memory_is_refused)
{
    /* Commas in texts are not values. */
    static const char good[] = "0],\"sources\":[\"a\"],\"mappings\":\"AAAA,,,,C\"}";
    source_map *map = parse_repeated("{\"version\":3,\"names\":[", "1,", 999000, good);
    ck_assert_ptr_nonnull(map);
    source_map_free(map);
    map = parse_repeated("{\"version\":3,\"names\":[", "1,", 1000000, good);
    ck_assert_ptr_null(map);
    /* 64 MiB and more of file names, from 300 KB. */
    char root[1100] = "{\"version\":3,\"mappings\":\"\",\"sourceRoot\":\"";
    size_t size = strlen(root);
    memset(root + size, 'r', sizeof(root) - size);
    strcpy(root + sizeof(root) - 15, "\",\"sources\":[");
    map = parse_repeated(root, "\"\",", 60000, "\"\"]}");
    ck_assert_ptr_nonnull(map);
    source_map_free(map);
    ck_assert_ptr_null(parse_repeated(root, "\"\",", 70000, "\"\"]}"));
}
END_TEST

START_TEST(test_text_with_quotes_is_bounded)
{
    static const char quoted[] = "[\"\\\",,\",\"\\\\\"]";
    ck_assert(source_map_is_bounded(quoted, sizeof(quoted) - 1));
    ck_assert(source_map_is_bounded("", 0));
}
END_TEST

START_TEST(test_source_without_a_name_is_unmapped)
{
    source_map *map =
        parse("{\"version\":3,\"sources\":[null,\"b.ts\"],\"mappings\":\"AAAA,CCAA\"}");
    assert_unmapped(map, 1, 1);
    assert_place(map, 1, 2, "b.ts", 1, 1);
    source_map_free(map);
}
END_TEST

/* Vite's and Rollup's modules that are no files have such names. */
START_TEST(test_control_characters_are_not_in_names)
{
    source_map *map =
        parse("{\"version\":3,\"sourceRoot\":\"r\\u0001/\",\"sources\":[\"\\u0000vite/preload.js\","
              "\"a\\n\\u001b[31m\\u007f.ts\"],\"mappings\":\"AAAA,CCAA\"}");
    assert_place(map, 1, 1, "r?/vite/preload.js", 1, 1);
    assert_place(map, 1, 2, "r?/a??[31m?.ts", 1, 1);
    source_map_free(map);
}
END_TEST

START_TEST(test_segments_out_of_order_are_sorted)
{
    source_map *map = parse("{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":\"IAAA,HACA\"}");
    assert_unmapped(map, 1, 1);
    assert_place(map, 1, 2, "a.ts", 2, 1);
    assert_place(map, 1, 5, "a.ts", 1, 1);
    source_map_free(map);
}
END_TEST

START_TEST(test_numbers_of_several_digits_are_read)
{
    /* gnBAAA: column 627 + 1... 'g'=32|0, 'n'=32|7, 'B'=1: (0 | 7<<5 | 1<<10) = 1248, >> 1 = 624 */
    source_map *map = parse("{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":\"gnBAgkBA\"}");
    assert_unmapped(map, 1, 624);
    assert_place(map, 1, 625, "a.ts", 577, 1);
    source_map_free(map);
}
END_TEST

START_TEST(test_guard_line_is_skipped)
{
    char json[256];
    snprintf(json, sizeof(json), ")]}'anything\n%s", plain);
    source_map *map = parse(json);
    assert_place(map, 1, 1, "a.ts", 1, 1);
    source_map_free(map);
}
END_TEST

/* The first section maps beyond the start of the second, which must win. */
static const char sections[] =
    "{\"version\":3,\"sections\":["
    "{\"offset\":{\"line\":0,\"column\":0},\"map\":{\"version\":3,\"sources\":[\"a.ts\"],"
    "\"mappings\":\"AAAA,UACA;AACA\"}},"
    "{\"offset\":{\"line\":0,\"column\":6},\"map\":{\"version\":3,\"sources\":[\"b.ts\"],"
    "\"mappings\":\"EAAA;CACA\"}}]}";

START_TEST(test_sections_are_put_together)
{
    source_map *map = parse(sections);
    ck_assert_ptr_nonnull(map);
    assert_place(map, 1, 1, "a.ts", 1, 1);
    assert_place(map, 1, 6, "a.ts", 1, 1);
    assert_unmapped(map, 1, 7); /* within the second section, before its first segment */
    assert_place(map, 1, 9, "b.ts", 1, 1);
    assert_place(map, 1, 12, "b.ts", 1, 1);
    assert_unmapped(map, 2, 1); /* the offset's column is of its first line alone */
    assert_place(map, 2, 2, "b.ts", 2, 1);
    source_map_free(map);
}
END_TEST

static const char *const malformed[] = {
    "",
    "null",
    "[]",
    "{}",
    "\"mappings\"",
    "{\"version\":3",
    "{\"version\":2,\"sources\":[],\"mappings\":\"\"}",
    "{\"version\":\"3\",\"sources\":[],\"mappings\":\"\"}",
    "{\"version\":3,\"mappings\":\"\"}",
    "{\"version\":3,\"sources\":{},\"mappings\":\"\"}",
    "{\"version\":3,\"sources\":[],\"mappings\":7}",
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AA\"}",        /* two numbers */
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAA\"}",       /* three */
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAAAAA\"}",    /* six */
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAA!\"}",      /* no digit */
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAAg\"}",      /* a number without an end */
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"ggggggggB\"}", /* more than 32 bits */
    "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"D\"}",         /* column -1 */
    "{\"version\":3,\"sections\":[{}]}",
    "{\"version\":3,\"sections\":[{\"offset\":{\"line\":-1,\"column\":0},\"map\":{}}]}",
    "{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0}}]}",
    "{\"sections\":[]}",
    ")]}'",
    ")]}'\n",
};

START_TEST(test_malformed_maps_are_refused)
{
    ck_assert_ptr_null(parse(malformed[_i]));
}
END_TEST

/* As two maps that were joined already: of the inner one, what lies beyond the second does not
 * count. */
START_TEST(test_sections_of_sections)
{
    static const char nested[] =
        "{\"version\":3,\"sections\":[{\"offset\":{\"line\":1,\"column\":2},\"map\":"
        "{\"version\":3,\"sections\":["
        "{\"offset\":{\"line\":0,\"column\":3},\"map\":"
        "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAAA;AACA\"}},"
        "{\"offset\":{\"line\":1,\"column\":4},\"map\":"
        "{\"version\":3,\"sources\":[\"b\"],\"mappings\":\"AAAA;AACA;AACA;AACA\"}},"
        "{\"offset\":{\"line\":9,\"column\":0},\"map\":"
        "{\"version\":3,\"sources\":[\"far\"],\"mappings\":\"AAAA\"}}]}},"
        "{\"offset\":{\"line\":4,\"column\":0},\"map\":"
        "{\"version\":3,\"sources\":[\"c\"],\"mappings\":\";AAAA\"}}]}";
    source_map *map = parse(nested);
    assert_unmapped(map, 2, 5);
    assert_place(map, 2, 6, "a", 1, 1); /* 2 and 3 columns further, on the first line alone */
    assert_place(map, 3, 1, "a", 2, 1);
    assert_place(map, 3, 5, "b", 1, 1);
    assert_place(map, 4, 1, "b", 2, 1);
    assert_unmapped(map, 5, 1);
    assert_place(map, 6, 1, "c", 1, 1);
    source_map_free(map);
    ck_assert_ptr_null(parse("{\"version\":3,\"sections\":[{\"offset\":{\"line\":4294967294,"
                             "\"column\":0},\"map\":{\"version\":3,\"sections\":[{\"offset\":"
                             "{\"line\":9,\"column\":0},\"map\":{}}]}}]}"));
}
END_TEST

START_TEST(test_sections_out_of_order_are_refused)
{
    ck_assert_ptr_null(parse("{\"version\":3,\"sections\":["
                             "{\"offset\":{\"line\":5,\"column\":0},"
                             "\"map\":{\"version\":3,\"sources\":[],\"mappings\":\"\"}},"
                             "{\"offset\":{\"line\":1,\"column\":0},"
                             "\"map\":{\"version\":3,\"sources\":[],\"mappings\":\"\"}}]}"));
}
END_TEST

START_TEST(test_places_outside_of_the_sources_are_unmapped)
{
    /* Source 1 of 1, source -1, line -1, column -1. */
    source_map *map = parse("{\"version\":3,\"sources\":[\"a.ts\"],"
                            "\"mappings\":\"ACAA,CFAA,CCDA,CACD\"}");
    ck_assert_ptr_nonnull(map);
    for (uint32_t column = 1; column < 6; column++)
        assert_unmapped(map, 1, column);
    source_map_free(map);
}
END_TEST

START_TEST(test_null_is_no_map)
{
    ck_assert_ptr_null(source_map_new(NULL, 0));
    assert_unmapped(NULL, 1, 1);
}
END_TEST

/* Every byte changed to some others, every length: never a crash, and what parses can be asked. */
START_TEST(test_damaged_maps_never_crash)
{
    char json[sizeof(sections)];
    static const char others[] = {'\0', '"', '{', '}', 'g', '/', ';', '9', '-', (char)0xff};
    for (size_t i = 0; i < sizeof(sections) - 1; i++) {
        for (size_t j = 0; j < sizeof(others); j++) {
            memcpy(json, sections, sizeof(sections));
            json[i] = others[j];
            source_map *map = source_map_new(json, sizeof(sections) - 1);
            const char *file = NULL;
            uint32_t line = 0, column = 0;
            if (source_map_find(map, 1, 9, &file, &line, &column)) ck_assert_ptr_nonnull(file);
            source_map_free(map);
        }
        /* Exactly as long as it says, so that a sanitizer sees a read past it. */
        char *cut = malloc(i + 1);
        memcpy(cut, sections, i);
        source_map *map = source_map_new(cut, i);
        ck_assert_ptr_null(map);
        free(cut);
    }
}
END_TEST

static void assert_rewritten(const source_map *map, const char *stack, const char *expected)
{
    char *got = source_map_rewrite(map, "hello.js", stack);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, expected);
    free(got);
}

START_TEST(test_rewrite_changes_places_of_the_bundle)
{
    source_map *map = parse(plain);
    assert_rewritten(map,
                     "Error: no\n    at f (hello.js:1:5)\n    at hello.js:3:3\n"
                     "    at async g (hello.js:1:2)",
                     "Error: no\n    at f (b.ts:11:3)\n    at a.ts:2:5\n"
                     "    at async g (a.ts:1:1)");
    assert_rewritten(map, "hello.js:1:1", "a.ts:1:1");
    assert_rewritten(map, "hello.js:1:5,hello.js:1:5", "b.ts:11:3,b.ts:11:3");
    source_map_free(map);
}
END_TEST

static const char *const left_alone[] = {
    "",
    "Error: no",
    "hello.js",
    "hello.js:",
    "hello.js:1",
    "hello.js:1:",
    "hello.js:x:1",
    "hello.js::1",
    "hello.js:99999999999:1",
    "hello.js:1:99999999999",
    "hello.js:2:1", /* unmapped */
    "hello.js:0:0",
    "othello.js:1:1", /* another file */
    "/srv/hello.js:1:1",
    "node:hello.js.map",
    "\xc3\xa9hello.js:1:1",
};

START_TEST(test_rewrite_leaves_the_rest_alone)
{
    source_map *map = parse(plain);
    assert_rewritten(map, left_alone[_i], left_alone[_i]);
    char both[128];
    char expected[128];
    snprintf(both, sizeof(both), "%s (hello.js:1:1)", left_alone[_i]);
    snprintf(expected, sizeof(expected), "%s (a.ts:1:1)", left_alone[_i]);
    assert_rewritten(map, both, expected);
    source_map_free(map);
}
END_TEST

START_TEST(test_rewrite_without_a_map_or_name_copies)
{
    source_map *map = parse(plain);
    assert_rewritten(NULL, "hello.js:1:1", "hello.js:1:1");
    char *got = source_map_rewrite(map, "", "hello.js:1:1");
    ck_assert_str_eq(got, "hello.js:1:1");
    free(got);
    source_map_free(map);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source_map");
    TCase *tcase = tcase_create("source_map");
    tcase_add_test(tcase, test_find_takes_the_segment_before);
    tcase_add_test(tcase, test_source_root_is_put_in_front);
    tcase_add_test(tcase, test_what_would_take_too_much_memory_is_refused);
    tcase_add_test(tcase, test_text_with_quotes_is_bounded);
    tcase_add_test(tcase, test_source_without_a_name_is_unmapped);
    tcase_add_test(tcase, test_control_characters_are_not_in_names);
    tcase_add_test(tcase, test_segments_out_of_order_are_sorted);
    tcase_add_test(tcase, test_numbers_of_several_digits_are_read);
    tcase_add_test(tcase, test_guard_line_is_skipped);
    tcase_add_test(tcase, test_sections_are_put_together);
    tcase_add_loop_test(tcase, test_malformed_maps_are_refused, 0,
                        (int)(sizeof(malformed) / sizeof(*malformed)));
    tcase_add_test(tcase, test_sections_of_sections);
    tcase_add_test(tcase, test_sections_out_of_order_are_refused);
    tcase_add_test(tcase, test_places_outside_of_the_sources_are_unmapped);
    tcase_add_test(tcase, test_null_is_no_map);
    tcase_add_test(tcase, test_damaged_maps_never_crash);
    tcase_add_test(tcase, test_rewrite_changes_places_of_the_bundle);
    tcase_add_loop_test(tcase, test_rewrite_leaves_the_rest_alone, 0,
                        (int)(sizeof(left_alone) / sizeof(*left_alone)));
    tcase_add_test(tcase, test_rewrite_without_a_map_or_name_copies);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
