/* Landlock: which files, which ports, which signals, said in the kernel's own terms and not by the
 * numbers of system calls. Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_LANDLOCK_H
#define SNAPCELL_SANDBOX_LANDLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef enum sandbox_landlock_use {
    SANDBOX_LANDLOCK_READ = 0,
    SANDBOX_LANDLOCK_WRITE,   /* and read; not making files */
    SANDBOX_LANDLOCK_EXECUTE, /* and read */
    SANDBOX_LANDLOCK_REMOVE,  /* files, of a folder; no more */
    SANDBOX_LANDLOCK_CHANGE,  /* files of a folder: reading, writing, making and removing them */
} sandbox_landlock_use;

/* Files and folders, and what may be done to all that is below them. Those that are not there, and
 * NULL, are passed over. */
typedef struct sandbox_landlock_paths {
    sandbox_landlock_use use;
    const char *const *paths;
    size_t count;
} sandbox_landlock_paths;

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

/* Leaves the network, and these files. 0, or an errno value. */
int sandbox_landlock_restrict_to(int abi, const sandbox_landlock_paths *sets, size_t count);

#endif
