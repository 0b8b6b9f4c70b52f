/* When warm-up requests have been repeated enough. */
#include "cell_heat.h"

#include <check.h>
#include <stdlib.h>

#define US UINT64_C(1000)

/* Runs slices of rounds that take so long, and returns how many there were. */
static int heat_up(cell_heat *heat, uint64_t round_ns, bool is_idle)
{
    int slices = 0;
    cell_heat_slice slice;
    for (; cell_heat_next(heat, 0, 15, is_idle, &slice); slices++) {
        uint64_t rounds = slice.ns_max / round_ns + 1;
        if (rounds > slice.rounds_max) rounds = slice.rounds_max;
        cell_heat_end_slice(heat, 0, (uint32_t)rounds, rounds * round_ns);
    }
    return slices;
}

START_TEST(test_fast_rounds_are_as_many_as_v8_wants)
{
    cell_heat heat = {0};
    heat_up(&heat, 20 * US, true);
    ck_assert(heat.is_done);
    ck_assert_uint_ge(heat.rounds, 3000);
}
END_TEST

/* Whether the first slices are short or not. */
START_TEST(test_rounds_that_take_a_while_become_many)
{
    cell_heat heat = {0};
    heat_up(&heat, 400 * US, true);
    ck_assert(heat.is_done);
    ck_assert_uint_ge(heat.rounds, 1000);
}
END_TEST

START_TEST(test_it_ends_after_a_time)
{
    cell_heat heat = {0};
    heat_up(&heat, 300000 * US, true);
    ck_assert(heat.is_done);
    ck_assert_uint_lt(heat.rounds, 10);
}
END_TEST

START_TEST(test_a_busy_worker_gets_hot_in_short_slices)
{
    cell_heat heat = {0};
    cell_heat_slice slice;
    while (cell_heat_next(&heat, 0, 15, false, &slice)) {
        ck_assert_uint_le(slice.ns_max, 20000 * US);
        cell_heat_end_slice(&heat, 0, 100, 20000 * US);
    }
    ck_assert_uint_ge(heat.rounds, 1000);
}
END_TEST

START_TEST(test_an_order_is_one_slice)
{
    cell_heat heat = {0};
    cell_heat_slice slice;
    ck_assert(cell_heat_next(&heat, 25, 15, false, &slice));
    ck_assert_uint_eq(slice.rounds_max, 25);
    ck_assert_uint_ge(slice.ns_max, 1000000 * US);
    cell_heat_end_slice(&heat, 25, 25, 100 * US);
    ck_assert(heat.is_done);
    ck_assert_uint_eq(heat.rounds, 25);
    ck_assert(!cell_heat_next(&heat, 25, 15, false, &slice));
}
END_TEST

START_TEST(test_no_more_slices_than_checkpoints)
{
    cell_heat heat = {.slices = 3};
    cell_heat_slice slice;
    ck_assert(!cell_heat_next(&heat, 0, 3, true, &slice));
    ck_assert(cell_heat_next(&heat, 0, 4, true, &slice));
}
END_TEST

START_TEST(test_little_is_not_worth_a_checkpoint)
{
    ck_assert(!cell_heat_is_worth(100 * US));
    ck_assert(cell_heat_is_worth(20000 * US));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cell_heat");
    TCase *tests = tcase_create("cell_heat");
    tcase_add_test(tests, test_fast_rounds_are_as_many_as_v8_wants);
    tcase_add_test(tests, test_rounds_that_take_a_while_become_many);
    tcase_add_test(tests, test_it_ends_after_a_time);
    tcase_add_test(tests, test_a_busy_worker_gets_hot_in_short_slices);
    tcase_add_test(tests, test_an_order_is_one_slice);
    tcase_add_test(tests, test_no_more_slices_than_checkpoints);
    tcase_add_test(tests, test_little_is_not_worth_a_checkpoint);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
