/* Structs of programs that were built for another version. */
#include <stdint.h>
#include <string.h>

#include "check_run.h"
#include "public_struct.h"

typedef struct sample {
    size_t struct_size;
    uint64_t first;
    uint64_t second;
} sample;

typedef struct newer_sample {
    sample known;
    unsigned char later[64];
} newer_sample;

static int read_sample(const void *from, sample *out, snapcell_error *err)
{
    memset(out, 0xff, sizeof(*out));
    memset(err, 0, sizeof(*err));
    return public_struct_read(out, sizeof(*out), from, "sample", err);
}

START_TEST(test_none_is_all_zero)
{
    sample out;
    snapcell_error err;
    ck_assert_int_eq(read_sample(NULL, &out, &err), SNAPCELL_OK);
    ck_assert_uint_eq(out.struct_size, sizeof(out));
    ck_assert_uint_eq(out.first, 0);
    ck_assert_uint_eq(out.second, 0);
}
END_TEST

START_TEST(test_same_version_is_copied)
{
    const sample given = {sizeof(given), 1, 2};
    sample out;
    snapcell_error err;
    ck_assert_int_eq(read_sample(&given, &out, &err), SNAPCELL_OK);
    ck_assert_mem_eq(&out, &given, sizeof(out));
}
END_TEST

/* An older program's struct ends at the end of its memory. */
START_TEST(test_rest_of_an_older_struct_is_zero)
{
    const size_t size = offsetof(sample, second);
    void *given = malloc(size);
    ck_assert_ptr_nonnull(given);
    memcpy(given, &(sample){size, 1, 0}, size);
    sample out;
    snapcell_error err;
    ck_assert_int_eq(read_sample(given, &out, &err), SNAPCELL_OK);
    free(given);
    ck_assert_uint_eq(out.struct_size, sizeof(out));
    ck_assert_uint_eq(out.first, 1);
    ck_assert_uint_eq(out.second, 0);
}
END_TEST

START_TEST(test_newer_struct_is_taken_when_nothing_new_is_set)
{
    const newer_sample given = {.known = {sizeof(given), 1, 2}};
    sample out;
    snapcell_error err;
    ck_assert_int_eq(read_sample(&given, &out, &err), SNAPCELL_OK);
    ck_assert_uint_eq(out.struct_size, sizeof(out));
    ck_assert_uint_eq(out.second, 2);
}
END_TEST

START_TEST(test_no_set_byte_of_a_newer_struct_is_ignored)
{
    newer_sample given = {.known = {sizeof(given), 1, 2}};
    given.later[_i] = 0x80;
    sample out;
    snapcell_error err;
    ck_assert_int_eq(read_sample(&given, &out, &err), SNAPCELL_E_USAGE);
    ck_assert_str_eq(err.message,
                     "sample has 88 bytes, of which this library knows 24, and something is set in "
                     "the others: the program was built for a newer snapcell");
    ck_assert_uint_eq(out.first, 0);
}
END_TEST

START_TEST(test_sizes_that_no_struct_has_are_refused)
{
    static const size_t sizes[] = {0, 1, 7, 9, 23, 25, 4097, 4104, SIZE_MAX, SIZE_MAX - 7};
    const sample given = {sizes[_i], 1, 2};
    sample out;
    snapcell_error err;
    ck_assert_int_eq(read_sample(&given, &out, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "sample.struct_size is "));
    ck_assert_ptr_nonnull(strstr(err.message, "set it to sizeof(sample)"));
    ck_assert_uint_eq(out.struct_size, 0);
    ck_assert_uint_eq(out.first, 0);
}
END_TEST

START_TEST(test_programs_get_what_they_have_room_for)
{
    const sample known = {sizeof(known), 1, 2};
    newer_sample newer;
    memset(&newer, 0xff, sizeof(newer));
    public_struct_write(&newer, sizeof(newer), &known, sizeof(known));
    ck_assert_mem_eq(&newer.known, &known, sizeof(known));
    for (size_t i = 0; i < sizeof(newer.later); i++)
        ck_assert_uint_eq(newer.later[i], 0);

    sample older;
    memset(&older, 0xff, sizeof(older));
    public_struct_write(&older, offsetof(sample, second), &known, sizeof(known));
    ck_assert_uint_eq(older.first, 1);
    ck_assert_uint_eq(older.second, UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("public_struct");
    TCase *tcase = tcase_create("public_struct");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_none_is_all_zero);
    tcase_add_test(tcase, test_same_version_is_copied);
    tcase_add_test(tcase, test_rest_of_an_older_struct_is_zero);
    tcase_add_test(tcase, test_newer_struct_is_taken_when_nothing_new_is_set);
    tcase_add_loop_test(tcase, test_no_set_byte_of_a_newer_struct_is_ignored, 0, 64);
    tcase_add_loop_test(tcase, test_sizes_that_no_struct_has_are_refused, 0, 10);
    tcase_add_test(tcase, test_programs_get_what_they_have_room_for);
    return check_run(suite);
}
