#include "sandbox_steps.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error_set.h"

int sandbox_refused(const char *what, int errnum, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_SANDBOX,
                     "the sandbox cannot be set up: the kernel refused %s: %s; --no-sandbox does "
                     "without, for functions that you trust",
                     what, strerrordesc_np(errnum));
}

int sandbox_limit(int resource, rlim_t value, const char *what, snapcell_error *err)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return sandbox_refused(what, errno, err);
    if (limit.rlim_max < value) value = limit.rlim_max;
    limit = (struct rlimit){value, value};
    if (setrlimit(resource, &limit) != 0) return sandbox_refused(what, errno, err);
    return SNAPCELL_OK;
}

static int sandbox_drop_capabilities(snapcell_error *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capset, &header, none) != 0)
        return sandbox_refused("to take its capabilities away", errno, err);
    return SNAPCELL_OK;
}

/* In a user namespace that has no such user, or without the capability, root stays root in name. */
static bool sandbox_user_is_missing(int errnum)
{
    return errnum == EINVAL || errnum == EPERM;
}

/* glibc does this in every thread; capabilities go with the user, in every thread, too. */
static int sandbox_drop_user(bool keeps_user, snapcell_error *err)
{
    if (!keeps_user && (geteuid() == 0 || getuid() == 0)) {
        bool dropped = setgroups(0, NULL) == 0 &&
                       setresgid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) == 0 &&
                       setresuid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) == 0;
        if (!dropped && !sandbox_user_is_missing(errno))
            return sandbox_refused("to change the user to nobody", errno, err);
    }
    return sandbox_drop_capabilities(err);
}

/* A death signal that the child set must survive the change of user. */
int sandbox_change_user(bool keeps_user, snapcell_error *err)
{
    int death_signal = 0;
    prctl(PR_GET_PDEATHSIG, &death_signal);
    int status = sandbox_drop_user(keeps_user, err);
    if (status != SNAPCELL_OK) return status;
    if (death_signal != 0 && prctl(PR_SET_PDEATHSIG, death_signal) != 0)
        return sandbox_refused("to end with its parent", errno, err);
    if (prctl(PR_SET_DUMPABLE, 0) != 0) return sandbox_refused("to hide its memory", errno, err);
    return SNAPCELL_OK;
}

int sandbox_install(const sandbox_program *program, bool all_threads, snapcell_error *err)
{
    struct sock_fprog given = {program->length, (struct sock_filter *)(uintptr_t)program->code};
    if (program->overflow)
        return error_set(err, SNAPCELL_E_INTERNAL, "the sandbox's list has outgrown its program");
    unsigned long flags = all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
    long status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &given);
    if (status > 0)
        return error_set(err, SNAPCELL_E_SANDBOX,
                         "the sandbox cannot be set up: thread %ld has a filter of its own that is "
                         "not an ancestor of this one",
                         status);
    return status == 0 ? SNAPCELL_OK : sandbox_refused("seccomp", errno, err);
}
