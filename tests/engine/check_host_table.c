#include "host_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <xxhash.h>

static int answer(void *user, snapcell_host_call *call)
{
    (void)user;
    (void)call;
    return 0;
}

static snapcell_host *new_table(void)
{
    snapcell_host *host = NULL;
    ck_assert_int_eq(snapcell_host_new(&host, NULL), SNAPCELL_OK);
    ck_assert_ptr_nonnull(host);
    return host;
}

/* --- The table --- */

START_TEST(test_add_keeps_order_callback_and_user)
{
    snapcell_host *host = new_table();
    int user = 0;
    char name[] = "first";
    ck_assert_int_eq(snapcell_host_add(host, name, answer, &user, NULL), SNAPCELL_OK);
    memset(name, 'x', sizeof(name) - 1); /* it was copied */
    ck_assert_int_eq(snapcell_host_add(host, "$second_2", answer, NULL, NULL), SNAPCELL_OK);
    ck_assert_uint_eq(host->count, 2);
    ck_assert_str_eq(host->functions[0].name, "first");
    ck_assert_ptr_eq(host->functions[0].user, &user);
    ck_assert(host->functions[0].callback == answer);
    ck_assert_str_eq(host->functions[1].name, "$second_2");
    snapcell_host_free(host);
}
END_TEST

static const char *const bad_names[] = {
    "", " ", "1st", "a-b", "a b", "a.b", "gr\xc3\xbc\xc3\x9f", "if", "function", "await", "a\n",
};

START_TEST(test_add_refuses_what_is_no_identifier)
{
    snapcell_host *host = new_table();
    snapcell_error err;
    ck_assert_int_eq(snapcell_host_add(host, bad_names[_i], answer, NULL, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(err.code, SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "identifier"));
    ck_assert_uint_eq(host->count, 0);
    snapcell_host_free(host);
}
END_TEST

START_TEST(test_add_refuses_null_double_and_long_names)
{
    snapcell_host *host = new_table();
    char name[HOST_FUNCTION_NAME_SIZE_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[HOST_FUNCTION_NAME_SIZE_MAX] = '\0';
    ck_assert_int_eq(snapcell_host_add(host, name, answer, NULL, NULL), SNAPCELL_OK);
    ck_assert_str_eq(host->functions[0].name, name);
    name[HOST_FUNCTION_NAME_SIZE_MAX] = 'a';
    name[HOST_FUNCTION_NAME_SIZE_MAX + 1] = '\0';
    ck_assert_int_eq(snapcell_host_add(host, name, answer, NULL, NULL), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_host_add(host, NULL, answer, NULL, NULL), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_host_add(host, "b", NULL, NULL, NULL), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_host_add(host, "b", answer, NULL, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_host_add(host, "b", answer, NULL, NULL), SNAPCELL_E_USAGE);
    ck_assert_uint_eq(host->count, 2);
    snapcell_host_free(host);
    snapcell_host_free(NULL);
}
END_TEST

START_TEST(test_add_stops_at_the_cap)
{
    snapcell_host *host = new_table();
    char name[16];
    for (int i = 0; i < HOST_FUNCTION_COUNT_MAX; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        ck_assert_int_eq(snapcell_host_add(host, name, answer, NULL, NULL), SNAPCELL_OK);
    }
    ck_assert_int_eq(snapcell_host_add(host, "more", answer, NULL, NULL), SNAPCELL_E_USAGE);
    ck_assert_uint_eq(host->count, HOST_FUNCTION_COUNT_MAX);
    (void)snapcell_host_fingerprint(host);
    snapcell_host_free(host);
}
END_TEST

/* --- The fingerprint --- */

static snapcell_fingerprint fingerprint_of(const char *const *names, size_t count)
{
    snapcell_host *host = new_table();
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(snapcell_host_add(host, names[i], answer, NULL, NULL), SNAPCELL_OK);
    snapcell_fingerprint fingerprint = snapcell_host_fingerprint(host);
    snapcell_host_free(host);
    return fingerprint;
}

static bool fingerprints_equal(snapcell_fingerprint a, snapcell_fingerprint b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

/* The bytes are part of what artifacts are bound to: they may not change by accident. */
START_TEST(test_fingerprint_is_the_canonical_hash_of_sizes_and_names)
{
    XXH128_canonical_t expected;
    XXH128_canonicalFromHash(&expected, XXH3_128bits("\3get\5log_2", 10));
    snapcell_fingerprint got = fingerprint_of((const char *const[]){"get", "log_2"}, 2);
    ck_assert_mem_eq(got.bytes, expected.digest, sizeof(got.bytes));
}
END_TEST

START_TEST(test_fingerprint_of_null_is_that_of_the_empty_table)
{
    ck_assert(fingerprints_equal(snapcell_host_fingerprint(NULL), fingerprint_of(NULL, 0)));
}
END_TEST

START_TEST(test_fingerprint_depends_on_names_order_and_borders)
{
    snapcell_fingerprint ab_c = fingerprint_of((const char *const[]){"ab", "c"}, 2);
    snapcell_fingerprint a_bc = fingerprint_of((const char *const[]){"a", "bc"}, 2);
    snapcell_fingerprint c_ab = fingerprint_of((const char *const[]){"c", "ab"}, 2);
    snapcell_fingerprint abc = fingerprint_of((const char *const[]){"abc"}, 1);
    ck_assert(!fingerprints_equal(ab_c, a_bc));
    ck_assert(!fingerprints_equal(ab_c, c_ab));
    ck_assert(!fingerprints_equal(ab_c, abc));
    ck_assert(fingerprints_equal(ab_c, fingerprint_of((const char *const[]){"ab", "c"}, 2)));
}
END_TEST

/* --- A call --- */

START_TEST(test_arguments_out_of_range_are_undefined)
{
    const snapcell_value arguments[] = {{.type = SNAPCELL_VALUE_NUMBER, .number = 7}};
    snapcell_host_call call = {.arguments = arguments, .argument_count = 1};
    ck_assert_uint_eq(snapcell_host_argument_count(&call), 1);
    ck_assert_double_eq(snapcell_host_argument(&call, 0).number, 7);
    ck_assert_int_eq(snapcell_host_argument(&call, 1).type, SNAPCELL_VALUE_UNDEFINED);
    ck_assert_int_eq(snapcell_host_argument(&call, SIZE_MAX).type, SNAPCELL_VALUE_UNDEFINED);
}
END_TEST

START_TEST(test_return_copies_and_the_last_wins)
{
    snapcell_host_call call = {0};
    char text[] = "one\0two";
    snapcell_value value = {.type = SNAPCELL_VALUE_BYTES, .data = text, .size_bytes = 7};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_OK);
    memset(text, 'x', sizeof(text) - 1);
    ck_assert_mem_eq(call.result.data, "one\0two\0", 8);
    ck_assert_uint_eq(call.result.size_bytes, 7);

    value = (snapcell_value){.type = SNAPCELL_VALUE_STRING, .data = NULL, .size_bytes = 0};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_OK);
    ck_assert_str_eq(call.result.data, "");

    value = (snapcell_value){.type = SNAPCELL_VALUE_BOOLEAN, .boolean = true, .size_bytes = 9};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_OK);
    ck_assert_ptr_null(call.result.data);
    ck_assert_uint_eq(call.result.size_bytes, 0);
    ck_assert(call.result.boolean);
}
END_TEST

START_TEST(test_return_refuses_what_is_no_value)
{
    snapcell_host_call call = {.result = {.type = SNAPCELL_VALUE_NUMBER, .number = 1}};
    snapcell_value value = {.type = (snapcell_value_type)7};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_E_USAGE);
    value = (snapcell_value){.type = SNAPCELL_VALUE_JSON, .data = NULL, .size_bytes = 3};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_E_USAGE);
    value = (snapcell_value){.type = SNAPCELL_VALUE_BYTES, .data = "", .size_bytes = SIZE_MAX};
    ck_assert_int_eq(snapcell_host_return(&call, &value, NULL), SNAPCELL_E_NOMEM);
    ck_assert_int_eq(call.result.type, SNAPCELL_VALUE_NUMBER);
}
END_TEST

START_TEST(test_throw_keeps_the_message)
{
    snapcell_host_call call = {0};
    ck_assert_int_eq(snapcell_host_throw(&call, "no such row"), -1);
    ck_assert_str_eq(call.error_message, "no such row");
    ck_assert_int_eq(snapcell_host_throw(&call, NULL), -1);
    ck_assert_str_ne(call.error_message, "");
}
END_TEST

/* 'a' * (998 + i) and then characters of three bytes: the cut falls at each place in one. */
START_TEST(test_throw_cuts_at_a_character)
{
    char message[1101];
    size_t start = (size_t)(998 + _i);
    memset(message, 'a', start);
    for (size_t i = start; i + 3 < sizeof(message); i += 3)
        memcpy(message + i, "\xe2\x82\xac", 4);
    snapcell_host_call call = {0};
    snapcell_host_throw(&call, message);
    ck_assert_uint_eq(strlen(call.error_message), _i == 2 ? 1000 : _i == 0 ? 998 : 999);
    ck_assert_mem_eq(call.error_message, message, strlen(call.error_message));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host_table");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, test_add_keeps_order_callback_and_user);
    tcase_add_loop_test(tcase, test_add_refuses_what_is_no_identifier, 0,
                        (int)(sizeof(bad_names) / sizeof(*bad_names)));
    tcase_add_test(tcase, test_add_refuses_null_double_and_long_names);
    tcase_add_test(tcase, test_add_stops_at_the_cap);
    tcase_add_test(tcase, test_fingerprint_is_the_canonical_hash_of_sizes_and_names);
    tcase_add_test(tcase, test_fingerprint_of_null_is_that_of_the_empty_table);
    tcase_add_test(tcase, test_fingerprint_depends_on_names_order_and_borders);
    tcase_add_test(tcase, test_arguments_out_of_range_are_undefined);
    tcase_add_test(tcase, test_return_copies_and_the_last_wins);
    tcase_add_test(tcase, test_return_refuses_what_is_no_value);
    tcase_add_test(tcase, test_throw_keeps_the_message);
    tcase_add_loop_test(tcase, test_throw_cuts_at_a_character, 0, 3);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
