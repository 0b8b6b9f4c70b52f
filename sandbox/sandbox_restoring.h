/* The sandbox of a process that restores its own memory (restore/): it may also map its
 * checkpoints, ask which of its pages it wrote, and set its timers, and may not start threads.
 * Internal. */
#ifndef SNAPCELL_SANDBOX_RESTORING_H
#define SNAPCELL_SANDBOX_RESTORING_H

#include "snapcell/sandbox.h"

#define SANDBOX_FILES_MAPPED_MAX 16

/* As snapcell_sandbox_enter(). `files`: descriptors that may be mapped, as long as nothing is
 * written to them; at most SANDBOX_FILES_MAPPED_MAX. */
int sandbox_enter_restoring(const snapcell_sandbox_options *options, const int *files, size_t count,
                            snapcell_error *err);

#endif
