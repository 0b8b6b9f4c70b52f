/* A main() for one suite. */
#ifndef SNAPCELL_CHECK_RUN_H
#define SNAPCELL_CHECK_RUN_H

#include <check.h>
#include <stdlib.h>

static inline int check_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    /* A run of nothing (a wrong CK_RUN_CASE, say) is not success. */
    const int failed = srunner_ntests_failed(runner) > 0 || srunner_ntests_run(runner) == 0;
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
