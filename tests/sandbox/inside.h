/* Running a piece of a test inside a sandbox, in a child: there is no way back. */
#ifndef SNAPCELL_TEST_INSIDE_H
#define SNAPCELL_TEST_INSIDE_H

#include "snapcell/error.h"

/* Enters a sandbox of one kind or another. */
typedef int inside_enter(const void *user, snapcell_error *err);

/* Runs `work` in a child that entered; gives its exit status, or minus a signal; 100 when the
 * sandbox could not be entered. */
int inside_run(inside_enter *enter, const void *user, int (*work)(void));

#endif
