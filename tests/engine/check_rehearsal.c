/* A load and a call for nobody: it works, whatever was loaded before, and nothing of it stays. */
#include "check_run.h"

#include "engine.h"

START_TEST(test_rehearsals)
{
    for (int i = 0; i < 3; i++) {
        snapcell_error err = {0};
        int status = engine_rehearse(&err);
        ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
        ck_assert_uint_eq(engine_cell_count(), 0);
    }
}
END_TEST

/* Where functions are built, none are run. */
START_TEST(test_none_in_a_process_that_builds)
{
    snapcell_error err = {0};
    ck_assert_int_eq(engine_start(ENGINE_MODE_BUILD, &err), SNAPCELL_OK);
    ck_assert_int_eq(engine_rehearse(&err), SNAPCELL_E_USAGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rehearsal");
    TCase *tests = tcase_create("rehearsal");
    tcase_add_test(tests, test_rehearsals);
    tcase_add_test(tests, test_none_in_a_process_that_builds);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
