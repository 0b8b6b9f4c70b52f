/* When warm-up requests have been repeated enough. */
#include "cell_heat.h"

#include <check.h>
#include <stdlib.h>

#define US UINT64_C(1000)

static void end_slice(cell_heat *heat, uint32_t wanted, uint32_t count, uint64_t round_ns)
{
    uint64_t times[256];
    ck_assert_uint_le(count, 256);
    for (uint32_t i = 0; i < count; i++)
        times[i] = round_ns + (i * 7919) % 13;
    cell_heat_end_slice(heat, wanted, times, count);
}

START_TEST(test_it_goes_on_while_rounds_get_faster)
{
    cell_heat heat = {0};
    uint64_t round_ns = 4000 * US;
    int slices = 0;
    for (uint32_t rounds; (rounds = cell_heat_next(&heat, 0, 7)) > 0; slices++) {
        end_slice(&heat, 0, rounds, round_ns);
        round_ns = round_ns * 2 / 3;
    }
    ck_assert_int_ge(slices, 5);
    ck_assert_uint_ge(heat.rounds, 100);
}
END_TEST

START_TEST(test_it_ends_when_they_do_not)
{
    cell_heat heat = {0};
    for (uint32_t rounds; (rounds = cell_heat_next(&heat, 0, 7)) > 0;)
        end_slice(&heat, 0, rounds, 100 * US);
    ck_assert(heat.is_done);
    ck_assert_uint_ge(heat.rounds, 160);
    ck_assert_uint_le(heat.rounds, 200);
}
END_TEST

START_TEST(test_it_ends_after_a_time)
{
    cell_heat heat = {0};
    end_slice(&heat, 0, 2, 400000 * US);
    ck_assert(heat.is_done);
    ck_assert_uint_eq(cell_heat_next(&heat, 0, 7), 0);
    ck_assert(cell_heat_goes_on(0, 0));
    ck_assert(!cell_heat_goes_on(0, 30000 * US));
    ck_assert(cell_heat_goes_on(5, 30000 * US));
    ck_assert(!cell_heat_goes_on(5, 3000000 * US));
}
END_TEST

START_TEST(test_an_order_is_one_slice)
{
    cell_heat heat = {0};
    ck_assert_uint_eq(cell_heat_next(&heat, 25, 7), 25);
    end_slice(&heat, 25, 25, 100 * US);
    ck_assert(heat.is_done);
    ck_assert_uint_eq(heat.rounds, 25);
    ck_assert_uint_eq(cell_heat_next(&heat, 25, 7), 0);
}
END_TEST

START_TEST(test_no_more_slices_than_checkpoints)
{
    cell_heat heat = {.slices = 3};
    ck_assert_uint_eq(cell_heat_next(&heat, 0, 3), 0);
    ck_assert_uint_gt(cell_heat_next(&heat, 0, 4), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cell_heat");
    TCase *tests = tcase_create("cell_heat");
    tcase_add_test(tests, test_it_goes_on_while_rounds_get_faster);
    tcase_add_test(tests, test_it_ends_when_they_do_not);
    tcase_add_test(tests, test_it_ends_after_a_time);
    tcase_add_test(tests, test_an_order_is_one_slice);
    tcase_add_test(tests, test_no_more_slices_than_checkpoints);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
