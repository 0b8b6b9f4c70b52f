#include "sandbox_landlock.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in <linux/landlock.h>, of which older ones know less than the kernel that runs. */
#define LANDLOCK_VERSION_FLAG 1u
typedef struct landlock_rules {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from 4 on */
    uint64_t scoped;             /* from 6 on */
} landlock_rules;

int sandbox_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
    return abi > 0 ? (int)abi : 0;
}

/* Everything that a version can deny is handled, and no rule gives any of it back. */
static uint64_t landlock_file_rights(int abi)
{
    unsigned count = 13;      /* execute to make_sym */
    if (abi >= 2) count = 14; /* refer */
    if (abi >= 3) count = 15; /* truncate */
    if (abi >= 5) count = 16; /* ioctl_dev */
    return (UINT64_C(1) << count) - 1;
}

int sandbox_landlock_restrict(int abi)
{
    landlock_rules rules = {
        .handled_access_fs = landlock_file_rights(abi),
        .handled_access_net = 3, /* bind_tcp, connect_tcp */
        .scoped = 3,             /* abstract sockets, signals */
    };
    size_t size = abi >= 6   ? sizeof rules
                  : abi >= 4 ? offsetof(landlock_rules, scoped)
                             : offsetof(landlock_rules, handled_access_net);
    long fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (fd < 0) return errno;
    long status = syscall(SYS_landlock_restrict_self, (int)fd, 0);
    int errnum = status == 0 ? 0 : errno;
    close((int)fd);
    return errnum;
}
