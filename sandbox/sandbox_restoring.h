/* The sandbox of a process that restores its own memory (restore/): it may also map its
 * checkpoints, ask which of its pages it wrote, and set its timers, and may not start threads.
 * Internal. */
#ifndef SNAPCELL_SANDBOX_RESTORING_H
#define SNAPCELL_SANDBOX_RESTORING_H

#include "sandbox_landlock.h"
#include "sandbox_program.h"
#include "snapcell/sandbox.h"

#define SANDBOX_FILES_MAPPED_MAX 16

/* As snapcell_sandbox_enter(). `files`: descriptors that may be mapped, as long as nothing is
 * written to them; at most SANDBOX_FILES_MAPPED_MAX. */
int sandbox_enter_restoring(const snapcell_sandbox_options *options, const int *files, size_t count,
                            snapcell_error *err);

/* The same sandbox, written down for a program that has no library and enters it by itself: the
 * launcher, which becomes a process that restores its memory. */
typedef struct sandbox_recipe {
    uint64_t data_limit_bytes; /* 0: none */
    uint32_t nobody;           /* the user and group that root becomes */
    size_t landlock_size_bytes;
    uint8_t landlock[SANDBOX_LANDLOCK_SIZE_MAX]; /* rules that deny all; the kernel's struct */
    sandbox_program filter;
} sandbox_recipe;

/* For the process `pid`. Errors: E_INTERNAL. */
int sandbox_recipe_make(uint64_t data_limit_bytes, int pid, const int *files, size_t count,
                        sandbox_recipe *out, snapcell_error *err);

#endif
