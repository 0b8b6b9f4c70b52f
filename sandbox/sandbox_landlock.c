#include "sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

/* As in <linux/landlock.h>, of which older ones know less than the kernel that runs. */
#define LANDLOCK_VERSION_FLAG 1u
typedef struct landlock_rules {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from 4 on */
    uint64_t scoped;             /* from 6 on */
} landlock_rules;

#define LANDLOCK_BIND_TCP 1u
#define LANDLOCK_CONNECT_TCP 2u
#define LANDLOCK_EXECUTE 1u
#define LANDLOCK_WRITE_FILE 2u
#define LANDLOCK_READ_FILE 4u
#define LANDLOCK_READ_DIR 8u
#define LANDLOCK_REMOVE_FILE 32u
#define LANDLOCK_MAKE_REG 256u

#define LANDLOCK_RULE_BENEATH 1
typedef struct landlock_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed)) landlock_beneath;

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

static landlock_rules landlock_deny(int abi, uint64_t net)
{
    return (landlock_rules){
        .handled_access_fs = landlock_file_rights(abi),
        .handled_access_net = net,
        .scoped = 3, /* abstract sockets, signals */
    };
}

static size_t landlock_rules_size(int abi)
{
    return abi >= 6   ? sizeof(landlock_rules)
           : abi >= 4 ? offsetof(landlock_rules, scoped)
                      : offsetof(landlock_rules, handled_access_net);
}

/* A set of rules that denies all of it. Below 0 on failure, with errno. */
static int landlock_new(int abi, uint64_t net)
{
    const landlock_rules rules = landlock_deny(abi, net);
    return (int)syscall(SYS_landlock_create_ruleset, &rules, landlock_rules_size(abi), 0);
}

size_t sandbox_landlock_rules(int abi, uint8_t out[SANDBOX_LANDLOCK_SIZE_MAX])
{
    const landlock_rules rules = landlock_deny(abi, LANDLOCK_BIND_TCP | LANDLOCK_CONNECT_TCP);
    memcpy(out, &rules, sizeof(rules));
    return landlock_rules_size(abi);
}

/* 0, or an errno value. */
static int landlock_enter(int fd)
{
    return syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? 0 : errno;
}

int sandbox_landlock_restrict(int abi)
{
    int fd = landlock_new(abi, LANDLOCK_BIND_TCP | LANDLOCK_CONNECT_TCP);
    if (fd < 0) return errno;
    int errnum = landlock_enter(fd);
    close(fd);
    return errnum;
}

/* `rights`: to files. 0, or an errno value. */
static int landlock_allow(int fd, const char *path, uint64_t rights)
{
    struct stat status;
    cleanup_close int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0 || fstat(place, &status) != 0) return 0; /* nothing there, nothing to read */
    landlock_beneath rule = {
        .allowed_access = rights | (S_ISDIR(status.st_mode) ? LANDLOCK_READ_DIR : 0),
        .parent_fd = place,
    };
    return syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_BENEATH, &rule, 0) == 0 ? 0 : errno;
}

int sandbox_landlock_restrict_client(int abi, const char *const *readable, size_t count)
{
    cleanup_close int fd = landlock_new(abi, LANDLOCK_BIND_TCP);
    if (fd < 0) return errno;
    int errnum = 0;
    for (size_t i = 0; i < count && errnum == 0; i++)
        errnum = landlock_allow(fd, readable[i], LANDLOCK_READ_FILE);
    return errnum == 0 ? landlock_enter(fd) : errnum;
}

int sandbox_landlock_restrict_to(int abi, const sandbox_landlock_paths *sets, size_t count)
{
    static const uint64_t rights[] = {
        [SANDBOX_LANDLOCK_READ] = LANDLOCK_READ_FILE,
        [SANDBOX_LANDLOCK_WRITE] = LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE,
        [SANDBOX_LANDLOCK_EXECUTE] = LANDLOCK_READ_FILE | LANDLOCK_EXECUTE,
        [SANDBOX_LANDLOCK_REMOVE] = LANDLOCK_REMOVE_FILE,
        [SANDBOX_LANDLOCK_CHANGE] =
            LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_REG,
    };
    cleanup_close int fd = landlock_new(abi, 0);
    if (fd < 0) return errno;
    int errnum = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < sets[i].count && errnum == 0; j++)
            if (sets[i].paths[j] != NULL)
                errnum = landlock_allow(fd, sets[i].paths[j], rights[sets[i].use]);
    return errnum == 0 ? landlock_enter(fd) : errnum;
}
