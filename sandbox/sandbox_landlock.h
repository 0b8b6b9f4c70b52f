/* Landlock: which files, which ports, which signals, said in the kernel's own terms and not by the
 * numbers of system calls. Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_LANDLOCK_H
#define SNAPCELL_SANDBOX_LANDLOCK_H

#include <stddef.h>
#include <stdint.h>

/* The version of Landlock that the kernel speaks; 0 when it has none. */
int sandbox_landlock_abi(void);

/* The kernel's struct for a set of rules that denies all. Returns its size. */
#define SANDBOX_LANDLOCK_SIZE_MAX 64
size_t sandbox_landlock_rules(int abi, uint8_t out[SANDBOX_LANDLOCK_SIZE_MAX]);

/* Restricts the calling thread, and those it starts, to nothing at all. 0, or an errno value. */
int sandbox_landlock_restrict(int abi);

/* The same, but to allow reading files and folders below `readable` (those that are not there are
 * passed over), and connecting to ports. */
int sandbox_landlock_restrict_client(int abi, const char *const *readable, size_t count);

#endif
