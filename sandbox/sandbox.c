#include "snapcell/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error_set.h"
#include "public_struct.h"
#include "sandbox_filter.h"
#include "sandbox_landlock.h"
#include "sandbox_restoring.h"
#include "sandbox_steps.h"

/* New descriptors get the lowest number that is free: with 0 to 2 open there is none. poll() of
 * three at once still works. */
#define SANDBOX_FILES_MAX 3

#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_LIMITS_DATA 0 /* it keeps terabytes of shadow */
#else
#define SANDBOX_LIMITS_DATA 1
#endif

static int sandbox_set_limits(const snapcell_sandbox_options *options, snapcell_error *err)
{
    int status = sandbox_limit(RLIMIT_CORE, 0, "to do without core dumps", err);
    if (status == SNAPCELL_OK)
        status = sandbox_limit(RLIMIT_NOFILE, SANDBOX_FILES_MAX, "a limit of descriptors", err);
    if (status == SNAPCELL_OK && options->data_limit_bytes != 0 && SANDBOX_LIMITS_DATA)
        status = sandbox_limit(RLIMIT_DATA, options->data_limit_bytes, "a limit of memory", err);
    return status;
}

/* --- Kernel filters --- */

static int sandbox_restrict(snapcell_error *err)
{
    int abi = sandbox_landlock_abi();
    int errnum = abi > 0 ? sandbox_landlock_restrict(abi) : 0;
    return errnum == 0 ? SNAPCELL_OK : sandbox_refused("Landlock", errnum, err);
}

static int sandbox_filter_calls(const snapcell_sandbox_options *options,
                                const sandbox_restoring *restoring, snapcell_error *err)
{
    uint32_t violation = options->violation == SNAPCELL_SANDBOX_DENY ? SECCOMP_RET_ERRNO | EPERM
                                                                     : SECCOMP_RET_KILL_PROCESS;
    sandbox_program filter;
    sandbox_filter_build(&filter, violation, (uint32_t)getpid(), restoring);
    return sandbox_install(&filter, options->scope == SNAPCELL_SANDBOX_PROCESS, err);
}

/* --- The whole --- */

static int sandbox_check(const snapcell_sandbox_options *options, snapcell_error *err)
{
    if (options->violation != SNAPCELL_SANDBOX_KILL && options->violation != SNAPCELL_SANDBOX_DENY)
        return error_set(err, SNAPCELL_E_USAGE, "snapcell_sandbox_options.violation is %d: no such",
                         (int)options->violation);
    if (options->scope != SNAPCELL_SANDBOX_PROCESS && options->scope != SNAPCELL_SANDBOX_THREAD)
        return error_set(err, SNAPCELL_E_USAGE, "snapcell_sandbox_options.scope is %d: no such",
                         (int)options->scope);
    if (options->scope == SNAPCELL_SANDBOX_THREAD && options->data_limit_bytes != 0)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_sandbox_options.data_limit_bytes is for a whole process: the "
                         "scope THREAD cannot have it");
    return SNAPCELL_OK;
}

static int sandbox_take_options(const snapcell_sandbox_options *given,
                                snapcell_sandbox_options *out, snapcell_error *err)
{
    int status = public_struct_read(out, sizeof(*out), given, "snapcell_sandbox_options", err);
    return status == SNAPCELL_OK ? sandbox_check(out, err) : status;
}

static int sandbox_enter(const snapcell_sandbox_options *options,
                         const sandbox_restoring *restoring, snapcell_error *err)
{
    snapcell_sandbox_options given;
    int status = sandbox_take_options(options, &given, err);
    if (status != SNAPCELL_OK) return status;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sandbox_refused("to give up new privileges", errno, err);
    bool whole = given.scope == SNAPCELL_SANDBOX_PROCESS;
    status = sandbox_restrict(err); /* which takes a descriptor for a moment */
    if (status == SNAPCELL_OK && whole) status = sandbox_set_limits(&given, err);
    if (status == SNAPCELL_OK && whole) status = sandbox_change_user(false, err);
    if (status == SNAPCELL_OK) status = sandbox_filter_calls(&given, restoring, err);
    return status;
}

int snapcell_sandbox_enter(const snapcell_sandbox_options *options, snapcell_error *err)
{
    return sandbox_enter(options, NULL, err);
}

int sandbox_enter_restoring(const snapcell_sandbox_options *options, const int *files, size_t count,
                            snapcell_error *err)
{
    if (count > SANDBOX_FILES_MAPPED_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "a process can map %d files, not %zu",
                         SANDBOX_FILES_MAPPED_MAX, count);
    return sandbox_enter(options, &(sandbox_restoring){files, count, false}, err);
}

int sandbox_recipe_make(uint64_t data_limit_bytes, int pid, const int *files, size_t count,
                        sandbox_recipe *out, snapcell_error *err)
{
    const sandbox_restoring restoring = {files, count, true};
    *out = (sandbox_recipe){.nobody = SANDBOX_NOBODY, .data_limit_bytes = data_limit_bytes};
    int abi = sandbox_landlock_abi();
    if (abi > 0) out->landlock_size_bytes = sandbox_landlock_rules(abi, out->landlock);
    sandbox_filter_build(&out->filter, SECCOMP_RET_KILL_PROCESS, (uint32_t)pid, &restoring);
    return out->filter.overflow
               ? error_set(err, SNAPCELL_E_INTERNAL, "the sandbox's list has outgrown its program")
               : SNAPCELL_OK;
}

void snapcell_sandbox_probe(snapcell_sandbox_support *out)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    *out = (snapcell_sandbox_support){
        .seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0,
        .landlock_abi = sandbox_landlock_abi(),
    };
}
