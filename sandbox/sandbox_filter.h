/* The list of system calls, as a program for seccomp. Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_FILTER_H
#define SNAPCELL_SANDBOX_FILTER_H

#include <stddef.h>

#include "sandbox_program.h"

/* What a process that restores its memory may do besides; see sandbox_restoring.h. */
typedef struct sandbox_restoring {
    const int *files;
    size_t count;
    bool launches; /* it begins as another program, and takes a thread's and a break's place */
} sandbox_restoring;

/* `violation`: what seccomp is to return for a call that is not on the list. `pid`: the process
 * that the filter is for. `restoring`: NULL for any other. */
void sandbox_filter_build(sandbox_program *out, uint32_t violation, uint32_t pid,
                          const sandbox_restoring *restoring);

#endif
