/* Zstandard of whole data, as the engine uses it. */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "zstd_data.h"

#define KEY_LEVEL 100      /* ZSTD_c_compressionLevel */
#define KEY_CHECKSUM 201   /* ZSTD_c_checksumFlag */
#define KEY_WINDOW_MAX 100 /* ZSTD_d_windowLogMax */
#define END 2              /* ZSTD_e_end */
#define WRONG_PREFIX 10    /* ZSTD_error_prefix_unknown */
#define WRONG_CHECKSUM 22  /* ZSTD_error_checksum_wrong */
#define WRONG_SIZE 72      /* ZSTD_error_srcSize_wrong */

typedef struct output {
    uint8_t *bytes;
    size_t size_bytes;
    size_t size_max;
} output;

static bool take(void *user, const uint8_t *bytes, size_t size_bytes)
{
    output *out = user;
    if (size_bytes > out->size_max - out->size_bytes) return false;
    if (size_bytes > 0) {
        out->bytes = realloc(out->bytes, out->size_bytes + size_bytes);
        ck_assert_ptr_nonnull(out->bytes);
        memcpy(out->bytes + out->size_bytes, bytes, size_bytes);
        out->size_bytes += size_bytes;
    }
    return true;
}

static zstd_data_work work_of(const void *bytes, size_t size_bytes, output *out)
{
    return (zstd_data_work){.bytes = bytes,
                            .size_bytes = size_bytes,
                            .announced_size_bytes = ZSTD_DATA_SIZE_UNKNOWN,
                            .end = END,
                            .take = take,
                            .user = out};
}

static output compressed(const void *bytes, size_t size_bytes, bool is_announced)
{
    output out = {.size_max = SIZE_MAX};
    int number;
    zstd_data_work work = work_of(bytes, size_bytes, &out);
    if (is_announced) work.announced_size_bytes = size_bytes;
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_DONE);
    return out;
}

static zstd_data_status decompress(const output *in, bool takes_one_frame, output *out, int *number)
{
    zstd_data_work work = work_of(in->bytes, in->size_bytes, out);
    *out = (output){.size_max = SIZE_MAX};
    work.takes_one_frame = takes_one_frame;
    return zstd_data_decompress(&work, number);
}

/* Some that are no multiple of what goes in or comes out at a time, and some that are. */
static const size_t sizes[] = {0, 1, 1000, 65536, (1 << 20) - 1, 1 << 20, (3 << 20) + 5};

START_TEST(test_what_is_compressed_comes_back)
{
    const size_t size = sizes[_i / 2];
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * i >> 7);
    output packed = compressed(bytes, size, _i % 2 == 1);
    output out;
    int number;
    ck_assert_int_eq(decompress(&packed, false, &out, &number), ZSTD_DATA_DONE);
    ck_assert_uint_eq(out.size_bytes, size);
    if (size > 0) ck_assert_mem_eq(out.bytes, bytes, size);
    free(out.bytes);
    free(packed.bytes);
    free(bytes);
}
END_TEST

START_TEST(test_a_size_that_is_not_the_datas_is_told)
{
    output out = {.size_max = SIZE_MAX};
    int number = 0;
    zstd_data_work work = work_of("12345", 5, &out);
    work.announced_size_bytes = 5 + (_i == 0 ? 1 : -1);
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_FAILED);
    ck_assert_int_eq(number, WRONG_SIZE);
    free(out.bytes);
}
END_TEST

START_TEST(test_nothing_is_done_after_take_has_had_enough)
{
    static const uint8_t zeros[1 << 20];
    output packed = compressed(zeros, sizeof(zeros), true);
    output out = {.size_max = 100000};
    int number;
    zstd_data_work work = work_of(packed.bytes, packed.size_bytes, &out);
    ck_assert_int_eq(zstd_data_decompress(&work, &number), ZSTD_DATA_STOPPED);
    ck_assert_uint_eq(out.size_bytes, 65536);
    free(out.bytes);
    out = (output){.size_max = 3};
    work = work_of(zeros, sizeof(zeros), &out);
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_STOPPED);
    ck_assert_uint_eq(out.size_bytes, 0);
    free(packed.bytes);
}
END_TEST

START_TEST(test_parameters_are_checked)
{
    output out = {.size_max = SIZE_MAX};
    int number;
    const zstd_data_parameter none = {.key = 99, .value = 1};
    zstd_data_work work = work_of("1", 1, &out);
    work.parameters = &none;
    work.parameter_count = 1;
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_BAD_PARAMETER);
    ck_assert_int_eq(zstd_data_decompress(&work, &number), ZSTD_DATA_BAD_PARAMETER);
    const zstd_data_parameter small = {.key = KEY_WINDOW_MAX, .value = 5};
    work.parameters = &small;
    ck_assert_int_eq(zstd_data_decompress(&work, &number), ZSTD_DATA_BAD_PARAMETER);
    ck_assert_uint_eq(out.size_bytes, 0);
}
END_TEST

START_TEST(test_a_damaged_checksum_is_told)
{
    static const zstd_data_parameter wanted[] = {{KEY_LEVEL, 19}, {KEY_CHECKSUM, 1}};
    output packed = {.size_max = SIZE_MAX};
    output out;
    int number = 0;
    zstd_data_work work = work_of("checked", 7, &packed);
    work.parameters = wanted;
    work.parameter_count = 2;
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_DONE);
    packed.bytes[packed.size_bytes - 1] ^= 1;
    ck_assert_int_eq(decompress(&packed, false, &out, &number), ZSTD_DATA_FAILED);
    ck_assert_int_eq(number, WRONG_CHECKSUM);
    ck_assert_str_eq(zstd_data_text(number), "Restored data doesn't match checksum");
    free(out.bytes);
    free(packed.bytes);
}
END_TEST

START_TEST(test_what_is_no_frame_is_told)
{
    const output in = {(uint8_t *)(uintptr_t) "no frame", 8, 0};
    output out;
    int number = 0;
    ck_assert_int_eq(decompress(&in, _i == 0, &out, &number), ZSTD_DATA_FAILED);
    ck_assert_int_eq(number, WRONG_PREFIX);
    ck_assert_uint_eq(out.size_bytes, 0);
}
END_TEST

/* Wherever it is cut: the start of the text, or nothing. */
START_TEST(test_a_frame_that_ends_early_gives_what_there_is)
{
    static const char text[] = "a text that is long enough to be cut at many places";
    output packed = compressed(text, sizeof(text), false);
    for (size_t size = 0; size <= packed.size_bytes; size++) {
        const output cut = {packed.bytes, size, 0};
        output out;
        int number;
        ck_assert_int_eq(decompress(&cut, false, &out, &number), ZSTD_DATA_DONE);
        ck_assert_uint_le(out.size_bytes, sizeof(text));
        if (out.size_bytes > 0) ck_assert_mem_eq(out.bytes, text, out.size_bytes);
        if (size == packed.size_bytes) ck_assert_uint_eq(out.size_bytes, sizeof(text));
        free(out.bytes);
    }
    free(packed.bytes);
}
END_TEST

START_TEST(test_a_second_frame_comes_out_where_it_is_wanted)
{
    output first = compressed("one", 3, true);
    output second = compressed("two", 3, true);
    ck_assert(take(&first, second.bytes, second.size_bytes));
    ck_assert(take(&first, (const uint8_t *)"what follows", 12));
    output out;
    int number;
    ck_assert_int_eq(decompress(&first, _i == 0, &out, &number), ZSTD_DATA_DONE);
    ck_assert_uint_eq(out.size_bytes, _i == 0 ? 3 : 6);
    ck_assert_mem_eq(out.bytes, "onetwo", out.size_bytes);
    free(out.bytes);
    free(first.bytes);
    free(second.bytes);
}
END_TEST

/* Of 3 MB, in three parts. */
static output flushed(const uint8_t *bytes, size_t count, bool is_open)
{
    static const uint32_t flushes[] = {5, 1 << 20, 3 << 20};
    output out = {.size_max = SIZE_MAX};
    int number;
    zstd_data_work work = work_of(bytes, count > 0 ? flushes[count - 1] : 0, &out);
    work.flushes = flushes;
    work.flush_count = count;
    work.is_open = is_open;
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_DONE);
    return out;
}

START_TEST(test_what_was_flushed_is_there_and_stays)
{
    uint8_t *bytes = malloc(3 << 20);
    for (size_t i = 0; i < 3 << 20; i++)
        bytes[i] = (uint8_t)(i * i >> 7);
    output whole = flushed(bytes, 3, false);
    for (size_t count = 1; count <= 3; count++) {
        output out;
        int number;
        output packed = flushed(bytes, count, true);
        ck_assert_uint_lt(packed.size_bytes, whole.size_bytes);
        ck_assert_mem_eq(packed.bytes, whole.bytes, packed.size_bytes);
        ck_assert_int_eq(decompress(&packed, false, &out, &number), ZSTD_DATA_DONE);
        ck_assert_uint_eq(out.size_bytes, count == 1 ? 5 : count == 2 ? 1 << 20 : 3 << 20);
        ck_assert_mem_eq(out.bytes, bytes, out.size_bytes);
        free(out.bytes);
        free(packed.bytes);
    }
    free(whole.bytes);
    free(bytes);
}
END_TEST

START_TEST(test_flushes_that_are_not_in_the_data_are_refused)
{
    static const uint32_t flushes[][2] = {{3, 2}, {1, 6}};
    output out = {.size_max = SIZE_MAX};
    int number;
    zstd_data_work work = work_of("12345", 5, &out);
    work.flushes = flushes[_i];
    work.flush_count = 2;
    ck_assert_int_eq(zstd_data_compress(&work, &number), ZSTD_DATA_BAD_PARAMETER);
    free(out.bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zstd_data");
    TCase *tests = tcase_create("zstd_data");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, test_what_is_compressed_comes_back, 0,
                        2 * sizeof(sizes) / sizeof(*sizes));
    tcase_add_loop_test(tests, test_a_size_that_is_not_the_datas_is_told, 0, 2);
    tcase_add_test(tests, test_nothing_is_done_after_take_has_had_enough);
    tcase_add_test(tests, test_parameters_are_checked);
    tcase_add_test(tests, test_a_damaged_checksum_is_told);
    tcase_add_loop_test(tests, test_what_is_no_frame_is_told, 0, 2);
    tcase_add_test(tests, test_a_frame_that_ends_early_gives_what_there_is);
    tcase_add_loop_test(tests, test_a_second_frame_comes_out_where_it_is_wanted, 0, 2);
    tcase_add_test(tests, test_what_was_flushed_is_there_and_stays);
    tcase_add_loop_test(tests, test_flushes_that_are_not_in_the_data_are_refused, 0, 2);
    return check_run(suite);
}
