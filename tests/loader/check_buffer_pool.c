#include "buffer_pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#define KEPT_MAX ((size_t)1 << 20)
#define THREAD_COUNT 4

static buffer_pool pool;

static void setup(void)
{
    buffer_pool_init(&pool, KEPT_MAX);
}

static void teardown(void)
{
    buffer_pool_release(&pool);
}

static pool_buffer take(size_t size)
{
    pool_buffer buffer;
    ck_assert_int_eq(buffer_pool_take(&pool, size, &buffer), 0);
    ck_assert_ptr_nonnull(buffer.data);
    ck_assert_uint_ge(buffer.capacity_bytes, size);
    ck_assert_uint_eq((uintptr_t)buffer.data % BUFFER_POOL_ALIGNMENT, 0);
    return buffer;
}

static pool_buffer take_filled(size_t size, int value)
{
    pool_buffer buffer = take(size);
    pool_buffer_prepare(&buffer, size);
    memset(buffer.data, value, size);
    return buffer;
}

static void expect_zeros(const pool_buffer *buffer, size_t from)
{
    const char *data = buffer->data;
    for (size_t i = from; i < buffer->capacity_bytes; i++)
        ck_assert_msg(data[i] == 0, "byte %zu of %zu is %d", i, buffer->capacity_bytes, data[i]);
}

START_TEST(test_trim_keeps_nothing)
{
    pool_buffer first = take_filled(200000, 'a');
    pool_buffer second = take_filled(300000, 'b');
    buffer_pool_give(&pool, &first);
    buffer_pool_trim(&pool);
    ck_assert_uint_eq(pool.count, 0);
    ck_assert_uint_eq(pool.kept_size_bytes, 0);
    buffer_pool_give(&pool, &second);
    ck_assert_uint_eq(pool.count, 1);
}
END_TEST

START_TEST(test_buffer_comes_back)
{
    pool_buffer first = take_filled(200000, 'a');
    const void *data = first.data;
    buffer_pool_give(&pool, &first);
    ck_assert_ptr_null(first.data);
    ck_assert_uint_eq(pool.count, 1);
    pool_buffer other = take(500000);
    ck_assert_ptr_ne(other.data, data);
    pool_buffer second = take(199000);
    ck_assert_ptr_eq(second.data, data);
    ck_assert_uint_eq(pool.count, 0);
    ck_assert_uint_eq(pool.kept_size_bytes, 0);
    buffer_pool_give(&pool, &second);
    buffer_pool_give(&pool, &other);
}
END_TEST

START_TEST(test_last_one_given_is_taken_first)
{
    pool_buffer one = take(100000), two = take(100000);
    const void *data = two.data;
    buffer_pool_give(&pool, &one);
    buffer_pool_give(&pool, &two);
    pool_buffer again = take(100000);
    ck_assert_ptr_eq(again.data, data);
    buffer_pool_give(&pool, &again);
}
END_TEST

static const size_t sizes[][2] = {
    {200000, 199000}, {200000, 197000}, {5000, 4999}, {64, 1}, {1, 0}};

START_TEST(test_nothing_is_left_behind_the_end)
{
    pool_buffer large = take_filled(sizes[_i][0], 0xaa);
    expect_zeros(&large, sizes[_i][0]);
    buffer_pool_give(&pool, &large);
    pool_buffer small = take_filled(sizes[_i][1], 0xbb);
    expect_zeros(&small, sizes[_i][1]);
    /* Larger again: what it writes is all that is there. */
    buffer_pool_give(&pool, &small);
    large = take_filled(sizes[_i][0], 0xcc);
    expect_zeros(&large, sizes[_i][0]);
    buffer_pool_give(&pool, &large);
}
END_TEST

START_TEST(test_kept_bytes_are_bounded)
{
    pool_buffer buffers[30];
    for (int i = 0; i < 30; i++)
        buffers[i] = take(100000);
    const void *last = buffers[29].data;
    for (int i = 0; i < 30; i++) {
        buffer_pool_give(&pool, &buffers[i]);
        ck_assert_uint_le(pool.kept_size_bytes, KEPT_MAX);
    }
    ck_assert_uint_eq(pool.count, KEPT_MAX / ((size_t)128 << 10));
    ck_assert_ptr_eq(pool.kept[pool.count - 1].data, last);

    /* What waited longest gives way, whatever its size. */
    pool_buffer large = take(KEPT_MAX);
    buffer_pool_give(&pool, &large);
    ck_assert_uint_eq(pool.count, 1);
    ck_assert_uint_eq(pool.kept_size_bytes, KEPT_MAX);
}
END_TEST

START_TEST(test_count_is_bounded)
{
    buffer_pool_release(&pool);
    buffer_pool_init(&pool, SIZE_MAX);
    pool_buffer buffers[BUFFER_POOL_COUNT_MAX + 5];
    for (int i = 0; i < BUFFER_POOL_COUNT_MAX + 5; i++)
        buffers[i] = take(BUFFER_POOL_STEP);
    for (int i = 0; i < BUFFER_POOL_COUNT_MAX + 5; i++)
        buffer_pool_give(&pool, &buffers[i]);
    ck_assert_uint_eq(pool.count, BUFFER_POOL_COUNT_MAX);
}
END_TEST

/* Buffers lie one after the other in what was touched ahead, as long as there is enough of it. */
START_TEST(test_memory_that_is_there_ahead)
{
    buffer_pool_make_ready(6 * BUFFER_POOL_STEP);
    pool_buffer first = take_filled(2 * BUFFER_POOL_STEP, 'a');
    pool_buffer second = take_filled(BUFFER_POOL_STEP, 'b');
    ck_assert_ptr_eq(second.data, (char *)first.data + 2 * BUFFER_POOL_STEP);
    pool_buffer large = take_filled(4 * BUFFER_POOL_STEP, 'c');
    pool_buffer third = take_filled(3 * BUFFER_POOL_STEP, 'd');
    ck_assert_ptr_eq(third.data, (char *)second.data + BUFFER_POOL_STEP);
    buffer_pool_give(&pool, &second);
    buffer_pool_trim(&pool); /* gives back a piece of its middle */
    ck_assert_int_eq(((char *)first.data)[2 * BUFFER_POOL_STEP - 1], 'a');
    ck_assert_int_eq(((char *)third.data)[0], 'd');
    buffer_pool_make_ready(BUFFER_POOL_STEP);
    buffer_pool_end_ready();
    buffer_pool_end_ready();
    pool_buffer fourth = take_filled(BUFFER_POOL_STEP, 'e');
    pool_buffer *all[] = {&first, &large, &third, &fourth};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        buffer_pool_give(&pool, all[i]);
}
END_TEST

START_TEST(test_small_and_huge_ones_are_not_kept)
{
    pool_buffer small = take(100), huge = take(KEPT_MAX + 1), none = {0};
    buffer_pool_give(&pool, &small);
    buffer_pool_give(&pool, &huge);
    buffer_pool_give(&pool, &none);
    ck_assert_uint_eq(pool.count, 0);
}
END_TEST

START_TEST(test_what_cannot_be_had_is_an_error)
{
    pool_buffer buffer = {.capacity_bytes = 1};
    ck_assert_int_eq(buffer_pool_take(&pool, (size_t)1 << 60, &buffer), -1);
    ck_assert_ptr_null(buffer.data);
    ck_assert_uint_eq(buffer.capacity_bytes, 0);
    ck_assert_int_eq(buffer_pool_take(&pool, SIZE_MAX, &buffer), -1);
}
END_TEST

static void *take_and_give(void *user)
{
    uintptr_t value = (uintptr_t)user;
    for (size_t round = 0; round < 300; round++) {
        size_t size = 70000 + round % 5 * 50000;
        pool_buffer buffer;
        if (buffer_pool_take(&pool, size, &buffer) != 0) return "no memory";
        pool_buffer_prepare(&buffer, size);
        memset(buffer.data, (int)value, size);
        for (size_t i = 0; i < size; i += 997)
            if (((uint8_t *)buffer.data)[i] != value) return "two threads have one buffer";
        buffer_pool_give(&pool, &buffer);
    }
    return NULL;
}

START_TEST(test_threads_share_the_pool)
{
    pthread_t threads[THREAD_COUNT];
    for (uintptr_t i = 0; i < THREAD_COUNT; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, (void *)(i + 1)), 0);
    for (int i = 0; i < THREAD_COUNT; i++) {
        void *failure = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &failure), 0);
        ck_assert_msg(failure == NULL, "%s", (const char *)failure);
    }
    ck_assert_uint_le(pool.kept_size_bytes, KEPT_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buffer_pool");
    TCase *tcase = tcase_create("buffer_pool");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_trim_keeps_nothing);
    tcase_add_test(tcase, test_buffer_comes_back);
    tcase_add_test(tcase, test_last_one_given_is_taken_first);
    tcase_add_loop_test(tcase, test_nothing_is_left_behind_the_end, 0,
                        (int)(sizeof(sizes) / sizeof(sizes[0])));
    tcase_add_test(tcase, test_kept_bytes_are_bounded);
    tcase_add_test(tcase, test_count_is_bounded);
    tcase_add_test(tcase, test_memory_that_is_there_ahead);
    tcase_add_test(tcase, test_small_and_huge_ones_are_not_kept);
    tcase_add_test(tcase, test_what_cannot_be_had_is_an_error);
    tcase_add_test(tcase, test_threads_share_the_pool);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
