/* Random values, found however they are kept. */
#include "draw_search.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t drawn[20] = {0x1b, 0x7c, 0xe9, 0x02, 0x55, 0xa0, 0xd4, 0x38, 0xbe, 0x61,
                                  0x0f, 0x93, 0xc7, 0x2a, 0x88, 0xf1, 0x40, 0x6d, 0xb5, 0x3e};

static bool note_number(void *user, size_t form)
{
    *(long *)user = (long)form;
    return true;
}

/* The number of the last form that was found, or -1. */
static long search(const draw_form *forms, size_t count, const void *data, size_t size)
{
    draw_search what;
    long found = -1;
    void *memory = calloc(draw_search_memory_size(count), 1);
    ck_assert_ptr_nonnull(memory);
    draw_search_init(&what, forms, count, memory);
    ck_assert(draw_search_in(&what, data, size, note_number, &found));
    free(memory);
    return found;
}

static bool is_found(const void *value, size_t value_size, const void *kept, size_t kept_size)
{
    draw_form forms[DRAW_FORMS_MAX];
    char memory[1024];
    memset(memory, 0x2e, sizeof(memory));
    memcpy(memory + 301, kept, kept_size);
    size_t count = draw_forms_of(value, value_size, forms);
    ck_assert_int_eq(search(forms, count, memory, 301), -1);
    return search(forms, count, memory, sizeof(memory)) >= 0;
}

START_TEST(test_bytes_are_found_in_each_form)
{
    static const char *const texts[] = {"1b7ce90255a0d438be610f93c72a88f1406db53e",
                                        "1B7CE90255A0D438BE610F93C72A88F1406DB53E",
                                        "G3zpAlWg1Di+YQ+Txw==",
                                        "G3zpAlWg1Di-YQ-Txw",
                                        "1b7ce902-55a0-4438-be61-0f93c72a88f1",
                                        "1B7CE902-55A0-4438-BE61-0F93C72A88F1",
                                        "1b7ce90255a04438be610f93c72a88f1"};
    ck_assert(is_found(drawn, sizeof(drawn), drawn, sizeof(drawn)));
    ck_assert(is_found(drawn, sizeof(drawn), drawn, 12));
    ck_assert(!is_found(drawn, sizeof(drawn), drawn, 11));
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        ck_assert_msg(is_found(drawn, sizeof(drawn), texts[i], strlen(texts[i])), "%s", texts[i]);
    ck_assert(!is_found(drawn, sizeof(drawn), "1b7ce902-55a0-d438", 18));
}
END_TEST

START_TEST(test_text_is_found_without_its_dashes)
{
    static const char uuid[] = "0f6a3c2e-91d7-4b58-a1e4-77c09d2b5f36";
    ck_assert(is_found(uuid, 36, uuid, 36));
    ck_assert(is_found(uuid, 36, "0f6a3c2e91d74b58a1e477c09d2b5f36", 32));
    ck_assert(!is_found(uuid, 36, "0f6a3c2e91d74b58a1e477c09d2b5f37", 32));
}
END_TEST

START_TEST(test_what_is_short_is_not_looked_for)
{
    draw_form forms[DRAW_FORMS_MAX];
    ck_assert_uint_eq(draw_forms_of(drawn, 7, forms), 0);
    ck_assert_uint_gt(draw_forms_of(drawn, 8, forms), 0);
    ck_assert(is_found(drawn, 8, drawn, 8));
}
END_TEST

/* Some begin alike. */
START_TEST(test_one_of_many_is_found)
{
    const size_t count = 5000;
    draw_form *forms = calloc(count, sizeof(*forms));
    ck_assert_ptr_nonnull(forms);
    for (size_t i = 0; i < count; i++) {
        forms[i].size_bytes = 12;
        int length = snprintf((char *)forms[i].bytes, sizeof(forms[i].bytes), "%s%04zu",
                              i % 3 == 0 ? "the same" : "and ", i);
        ck_assert_int_lt(length, (int)sizeof(forms[i].bytes));
        memset(forms[i].bytes + length, 'z', sizeof(forms[i].bytes) - (size_t)length);
    }
    for (size_t i = 0; i < count; i += 37)
        ck_assert_int_eq(search(forms, count, forms[i].bytes, 12), (long)i);
    ck_assert_int_eq(search(forms, count, "the same9999", 12), -1);
    free(forms);
}
END_TEST

START_TEST(test_memory_may_end_anywhere)
{
    draw_form forms[DRAW_FORMS_MAX];
    size_t count = draw_forms_of(drawn, 20, forms);
    for (size_t size = 0; size < 12; size++) {
        uint8_t *exact = malloc(size + 1);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, drawn, size);
        ck_assert_int_eq(search(forms, count, exact, size), -1);
        free(exact);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("draw_search");
    TCase *tests = tcase_create("draw_search");
    tcase_add_test(tests, test_bytes_are_found_in_each_form);
    tcase_add_test(tests, test_text_is_found_without_its_dashes);
    tcase_add_test(tests, test_what_is_short_is_not_looked_for);
    tcase_add_test(tests, test_one_of_many_is_found);
    tcase_add_test(tests, test_memory_may_end_anywhere);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
