/* Steps into a sandbox that more than one kind of process takes. Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_STEPS_H
#define SNAPCELL_SANDBOX_STEPS_H

#include <stdbool.h>
#include <sys/resource.h>

#include "sandbox_program.h"
#include "snapcell/error.h"

/* Fills in `err`: the kernel refused `what`. Returns E_SANDBOX. */
int sandbox_refused(const char *what, int errnum, snapcell_error *err);

/* Lowers a limit for good. Errors: E_SANDBOX. */
int sandbox_limit(int resource, rlim_t value, const char *what, snapcell_error *err);

/* The user and group that root becomes. */
#define SANDBOX_NOBODY 65534u

/* Takes capabilities; root becomes SANDBOX_NOBODY, where its namespace has one, unless
 * `keeps_user`. Hides the process's memory from others of its user, and keeps the signal for its
 * parent's death. Errors: E_SANDBOX. */
int sandbox_change_user(bool keeps_user, snapcell_error *err);

/* Puts a program for seccomp to work. Errors: E_SANDBOX, E_INTERNAL. */
int sandbox_install(const sandbox_program *program, bool all_threads, snapcell_error *err);

#endif
