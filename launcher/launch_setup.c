/* What a launcher does while nobody waits for it. The sandbox is the one of a worker that restores
 * its memory; sandbox/sandbox.c has the same steps with words for what went wrong. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/seccomp.h>

#include "launch.h"

#define LAUNCH_O_CLOEXEC 02000000
#define LAUNCH_O_NONBLOCK 04000
#define LAUNCH_O_ASYNC 020000
#define LAUNCH_F_GETFL 3
#define LAUNCH_F_SETFL 4
#define LAUNCH_F_SETOWN 8
#define LAUNCH_EPERM 1
#define LAUNCH_EINVAL 22

/* --- Files --- */

static void launch_open_file(const char *path, int wanted_fd)
{
    long fd = launch_require(
        LAUNCH_STEP_FILES, call4(__NR_openat, AT_FDCWD, at(path), O_RDONLY | LAUNCH_O_CLOEXEC, 0));
    if (fd != wanted_fd) launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_FILES, 0);
}

/* The host orders a cut by a signal, as soon as there is a handler for it. */
static void launch_watch_control(void)
{
    long pid = call3(__NR_getpid, 0, 0, 0);
    long flags =
        launch_require(LAUNCH_STEP_FILES, call3(__NR_fcntl, LAUNCH_CONTROL_FD, LAUNCH_F_GETFL, 0));
    launch_require(LAUNCH_STEP_FILES, call3(__NR_fcntl, LAUNCH_CONTROL_FD, LAUNCH_F_SETOWN, pid));
    launch_require(LAUNCH_STEP_FILES, call3(__NR_fcntl, LAUNCH_CONTROL_FD, LAUNCH_F_SETFL,
                                            flags | LAUNCH_O_NONBLOCK | LAUNCH_O_ASYNC));
}

void launch_open_files(void)
{
    launch_open_file("/proc/self/pagemap", PROCESS_IMAGE_FD_PAGEMAP);
    launch_open_file("/proc/self/maps", PROCESS_IMAGE_FD_MAPS);
    launch_open_file("/proc/self/statm", PROCESS_IMAGE_FD_STATM);
    launch_watch_control();
}

/* --- Mappings --- */

static const char *survey_number(const char *text, const char *end, uint64_t *out)
{
    *out = 0;
    for (; text < end; text++) {
        char c = *text;
        if (c >= '0' && c <= '9')
            *out = *out * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *out = *out * 16 + (uint64_t)(c - 'a' + 10);
        else
            break;
    }
    return text;
}

/* START-END ... [NAME] */
static void survey_line(launch_own *own, const char *line, const char *end)
{
    uint64_t from;
    uint64_t to;
    const char *text = survey_number(line, end, &from);
    text = survey_number(text + 1, end, &to);
    bool is_special = false;
    for (; text + 1 < end; text++)
        if (text[0] == '[' && text[1] == 'v') is_special = true;
    if (to > PROCESS_IMAGE_ADDRESS_END) return; /* vsyscall */
    if (is_special && own->special_count < PROCESS_IMAGE_SPECIALS_MAX) {
        own->specials[own->special_count].start = from;
        own->specials[own->special_count++].end = to;
        return;
    }
    if (is_special || own->leftovers.count == PROCESS_IMAGE_LEFTOVERS_MAX)
        launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_VDSO, 0);
    own->leftovers.leftovers[own->leftovers.count].start = from;
    own->leftovers.leftovers[own->leftovers.count++].size_bytes = to - from;
}

void launch_survey(launch_own *own)
{
    static char text[8192];
    size_t size = 0;
    for (;;) {
        long got = launch_require(LAUNCH_STEP_FILES,
                                  call4(__NR_pread64, PROCESS_IMAGE_FD_MAPS, at(text + size),
                                        (long)(sizeof(text) - size), (long)size));
        if (got == 0) break;
        size += (size_t)got;
        if (size == sizeof(text)) launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_FILES, 0);
    }
    const char *line = text;
    for (const char *c = text; c < text + size; c++) {
        if (*c != '\n') continue;
        survey_line(own, line, c);
        line = c + 1;
    }
}

/* --- The sandbox --- */

static void launch_limit(int resource, uint64_t value)
{
    struct rlimit64 now = {0};
    launch_require(LAUNCH_STEP_LIMITS, call4(__NR_prlimit64, 0, resource, 0, at(&now)));
    if (now.rlim_max < value) value = now.rlim_max;
    const struct rlimit64 wanted = {value, value};
    launch_require(LAUNCH_STEP_LIMITS, call4(__NR_prlimit64, 0, resource, at(&wanted), 0));
}

static void launch_restrict(const launch_setup *setup)
{
    if (setup->landlock_size_bytes == 0) return;
    long fd = launch_require(
        LAUNCH_STEP_LANDLOCK,
        call3(__NR_landlock_create_ruleset, at(setup->landlock), setup->landlock_size_bytes, 0));
    launch_require(LAUNCH_STEP_LANDLOCK, call3(__NR_landlock_restrict_self, fd, 0, 0));
    call3(__NR_close, fd, 0, 0);
}

/* In a user namespace that has no such user, or without the capability, root stays root in name. */
static void launch_drop_user(uint32_t nobody)
{
    long result = call3(__NR_setgroups, 0, 0, 0);
    if (!call_failed(result)) result = call3(__NR_setresgid, nobody, nobody, nobody);
    if (!call_failed(result)) result = call3(__NR_setresuid, nobody, nobody, nobody);
    if (result != -LAUNCH_EPERM && result != -LAUNCH_EINVAL)
        launch_require(LAUNCH_STEP_USER, result);
}

static void launch_change_user(uint32_t nobody)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
    if (call3(__NR_geteuid, 0, 0, 0) == 0 || call3(__NR_getuid, 0, 0, 0) == 0)
        launch_drop_user(nobody);
    launch_require(LAUNCH_STEP_USER, call3(__NR_capset, at(&header), at(none), 0));
    launch_require(LAUNCH_STEP_USER, call5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
}

static void launch_filter_calls(const launch_setup *setup)
{
    const struct sock_fprog program = {(unsigned short)setup->filter_length,
                                       (struct sock_filter *)(uintptr_t)setup->filter};
    launch_require(LAUNCH_STEP_FILTER,
                   call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, at(&program)));
}

void launch_enter_sandbox(const launch_setup *setup)
{
    static const char name[] = "snapcell";
    call5(__NR_prctl, PR_SET_NAME, at(name), 0, 0, 0);
    call5(__NR_prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
    launch_limit(RLIMIT_CORE, 0);
    if (setup->has_sandbox == 0) return;
    launch_require(LAUNCH_STEP_LIMITS, call5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    launch_restrict(setup);
    /* Two more descriptors have numbers that are free: the image's, and one that may come with the
     * LOAD. */
    launch_limit(RLIMIT_NOFILE, PROCESS_IMAGE_FD_END);
    if (setup->data_limit_bytes != 0) launch_limit(RLIMIT_DATA, setup->data_limit_bytes);
    launch_change_user(setup->nobody);
    launch_filter_calls(setup);
}
