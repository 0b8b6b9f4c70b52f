/* What is forbidden is listed, not what is allowed: workers pass through this on the way to their
 * own sandbox, which lists what is allowed. */
#include "sandbox_server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_forbidden.h"
#include "sandbox_landlock.h"
#include "sandbox_steps.h"

#define SERVER_COUNT(table) (sizeof(table) / sizeof(table)[0])

/* What workers and the client of fetch() read while they start, and what all programs do. */
static const char *const server_readable[] = {
    "/etc",         "/usr",
    "/lib",         "/lib64",
    "/nix/store",   "/proc",
    "/sys",         "/run/resolvconf",
    "/dev/null",    "/run/systemd/resolve",
    "/dev/zero",    "/run/NetworkManager",
    "/dev/urandom", "/var/lib/ca-certificates",
};

/* A program of shared libraries is loaded by a program among them. */
static const char *const server_libraries[] = {"/usr", "/lib", "/lib64", "/nix/store"};

static const char *const server_writable[] = {"/dev/null"};

/* `names_files`: in the folder of what is changeable, to which Landlock confines it. */
static void server_build(sandbox_program *out, bool names_files)
{
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    program_begin(out, SECCOMP_RET_KILL_PROCESS);
    sandbox_forbid(out, refuse);
    if (!names_files) sandbox_forbid_naming(out, refuse);
    program_for_call(out, __NR_pidfd_getfd, refuse);
    sandbox_forbid_x32(out);
    program_return(out, SECCOMP_RET_ALLOW);
}

static bool server_is_closed(const char *const *paths, size_t count, int mode)
{
    for (size_t i = 0; i < count; i++)
        if (paths[i] != NULL && faccessat(AT_FDCWD, paths[i], mode, AT_EACCESS) != 0 &&
            errno == EACCES)
            return true;
    return false;
}

/* Root becomes nobody only where nobody can do what the server needs. */
static bool server_keeps_user(const sandbox_server_files *files)
{
    if (geteuid() != 0) return true;
    if (seteuid(SANDBOX_NOBODY) != 0) return false;
    bool keeps = server_is_closed(files->readable, files->readable_count, R_OK) ||
                 server_is_closed(files->writable, files->writable_count, R_OK | X_OK) ||
                 server_is_closed(files->programs, files->program_count, R_OK | X_OK);
    return seteuid(0) != 0 || keeps;
}

static int server_restrict_files(const sandbox_server_files *files, snapcell_error *err)
{
    const sandbox_landlock_paths paths[] = {
        {SANDBOX_LANDLOCK_READ, server_readable, SERVER_COUNT(server_readable)},
        {SANDBOX_LANDLOCK_READ, files->readable, files->readable_count},
        {SANDBOX_LANDLOCK_WRITE, server_writable, SERVER_COUNT(server_writable)},
        {SANDBOX_LANDLOCK_WRITE, files->writable, files->writable_count},
        {SANDBOX_LANDLOCK_EXECUTE, files->programs, files->program_count},
        {SANDBOX_LANDLOCK_REMOVE, files->removable, files->removable_count},
        {SANDBOX_LANDLOCK_CHANGE, &files->changeable, 1},
        {SANDBOX_LANDLOCK_EXECUTE, server_libraries, SERVER_COUNT(server_libraries)},
    };
    int abi = sandbox_landlock_abi();
    int errnum = abi > 0 ? sandbox_landlock_restrict_to(abi, paths, SERVER_COUNT(paths)) : 0;
    return errnum == 0 ? SNAPCELL_OK : sandbox_refused("Landlock", errnum, err);
}

int sandbox_server_begin(snapcell_error *err)
{
    sandbox_program program;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sandbox_refused("to give up new privileges", errno, err);
    program_begin(&program, SECCOMP_RET_KILL_PROCESS);
    program_for_call(&program, __NR_io_uring_setup, SECCOMP_RET_ERRNO | ENOSYS);
    program_return(&program, SECCOMP_RET_ALLOW);
    return sandbox_install(&program, true, err);
}

int sandbox_server_enter(const sandbox_server_files *files, bool *keeps_user, snapcell_error *err)
{
    sandbox_program program;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sandbox_refused("to give up new privileges", errno, err);
    *keeps_user = server_keeps_user(files);
    int status = server_restrict_files(files, err);
    if (status == SNAPCELL_OK)
        status = sandbox_limit(RLIMIT_CORE, 0, "to do without core dumps", err);
    if (status == SNAPCELL_OK) status = sandbox_change_user(*keeps_user, err);
    server_build(&program, files->changeable != NULL);
    return status == SNAPCELL_OK ? sandbox_install(&program, true, err) : status;
}
