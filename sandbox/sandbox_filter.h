/* The list of system calls, as a program for seccomp. Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_FILTER_H
#define SNAPCELL_SANDBOX_FILTER_H

#include "sandbox_program.h"

/* `violation`: what seccomp is to return for a call that is not on the list. `pid`: the process
 * that the filter is for. */
void sandbox_filter_build(sandbox_program *out, uint32_t violation, uint32_t pid);

#endif
