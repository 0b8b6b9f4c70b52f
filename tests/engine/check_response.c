#include "response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

START_TEST(test_body_is_written_and_zero_terminated)
{
    snapcell_response *response = response_new(201, 5);
    ck_assert_ptr_nonnull(response);
    memcpy(response_body_buffer(response), "a\0b\0c", 5);
    size_t size = 0;
    const char *body = snapcell_response_body(response, &size);
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(body, "a\0b\0c\0", 6);
    ck_assert_ptr_eq(snapcell_response_body(response, NULL), body);
    ck_assert_int_eq(snapcell_response_status(response), 201);
    snapcell_response_free(response);
}
END_TEST

START_TEST(test_empty_body_is_an_empty_string)
{
    snapcell_response *response = response_new(204, 0);
    size_t size = 1;
    ck_assert_str_eq(snapcell_response_body(response, &size), "");
    ck_assert_uint_eq(size, 0);
    snapcell_response_free(response);
    snapcell_response_free(NULL);
}
END_TEST

START_TEST(test_sizes_that_overflow_are_refused)
{
    ck_assert_ptr_null(response_new(200, SIZE_MAX));
    ck_assert_ptr_null(response_new(200, SIZE_MAX - 8));
    snapcell_response *response = response_new(200, 0);
    ck_assert_int_eq(response_add_header(response, "a", SIZE_MAX, "b", 1), -1);
    ck_assert_int_eq(response_add_header(response, "a", 1, "b", SIZE_MAX - 1), -1);
    ck_assert_uint_eq(snapcell_response_header_count(response), 0);
    snapcell_response_free(response);
}
END_TEST

START_TEST(test_headers_keep_order_and_are_copied)
{
    snapcell_response *response = response_new(200, 0);
    char name[32], value[32];
    for (int i = 0; i < 100; i++) {
        int name_size = snprintf(name, sizeof(name), "x-%d", i);
        int value_size = snprintf(value, sizeof(value), "value %d", i);
        /* What follows the sizes is not part of the header. */
        memcpy(name + name_size, "!", 2);
        memcpy(value + value_size, "!", 2);
        ck_assert_int_eq(
            response_add_header(response, name, (size_t)name_size, value, (size_t)value_size), 0);
    }
    ck_assert_uint_eq(snapcell_response_header_count(response), 100);
    for (int i = 0; i < 100; i++) {
        snapcell_header header = snapcell_response_header(response, (size_t)i);
        snprintf(name, sizeof(name), "x-%d", i);
        snprintf(value, sizeof(value), "value %d", i);
        ck_assert_str_eq(header.name, name);
        ck_assert_str_eq(header.value, value);
    }
    snapcell_response_free(response);
}
END_TEST

START_TEST(test_header_out_of_range_is_null)
{
    snapcell_response *response = response_new(200, 0);
    ck_assert_int_eq(response_add_header(response, "a", 1, NULL, 0), 0);
    ck_assert_str_eq(snapcell_response_header(response, 0).value, "");
    ck_assert_ptr_null(snapcell_response_header(response, 1).name);
    ck_assert_ptr_null(snapcell_response_header(response, 1).value);
    ck_assert_ptr_null(snapcell_response_header(response, SIZE_MAX).name);
    snapcell_response_free(response);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("response");
    TCase *tcase = tcase_create("response");
    tcase_add_test(tcase, test_body_is_written_and_zero_terminated);
    tcase_add_test(tcase, test_empty_body_is_an_empty_string);
    tcase_add_test(tcase, test_sizes_that_overflow_are_refused);
    tcase_add_test(tcase, test_headers_keep_order_and_are_copied);
    tcase_add_test(tcase, test_header_out_of_range_is_null);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
