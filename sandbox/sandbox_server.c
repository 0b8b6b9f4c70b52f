/* What is forbidden is listed, not what is allowed: workers pass through this on the way to their
 * own sandbox, which lists what is allowed. */
#include "sandbox_server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static const int server_forbidden[] = {
    /* other processes */
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_kcmp,
    __NR_pidfd_getfd,
    /* files that are made, renamed, removed, or changed */
    __NR_mknodat,
    __NR_mkdirat,
    __NR_renameat2,
    __NR_linkat,
    __NR_symlinkat,
    __NR_fchmod,
    __NR_fchmodat,
    __NR_fchown,
    __NR_fchownat,
    __NR_truncate,
    __NR_setxattr,
    __NR_lsetxattr,
    __NR_fsetxattr,
    __NR_removexattr,
    __NR_lremovexattr,
    __NR_fremovexattr,
    __NR_name_to_handle_at,
    __NR_open_by_handle_at,
    __NR_fanotify_init,
    /* the system */
    __NR_mount,
    __NR_umount2,
    __NR_pivot_root,
    __NR_chroot,
    __NR_unshare,
    __NR_setns,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_io_uring_setup,
    __NR_io_uring_enter,
    __NR_io_uring_register,
    __NR_userfaultfd,
    __NR_add_key,
    __NR_request_key,
    __NR_keyctl,
    __NR_init_module,
    __NR_finit_module,
    __NR_delete_module,
    __NR_kexec_load,
    __NR_reboot,
    __NR_swapon,
    __NR_swapoff,
    __NR_sethostname,
    __NR_setdomainname,
    __NR_settimeofday,
    __NR_clock_settime,
    __NR_clock_adjtime,
    __NR_adjtimex,
    __NR_acct,
    __NR_quotactl,
    __NR_syslog,
    __NR_vhangup,
#ifdef __x86_64__
    __NR_creat,
    __NR_mkdir,
    __NR_rmdir,
    __NR_mknod,
    __NR_rename,
    __NR_renameat,
    __NR_link,
    __NR_symlink,
    __NR_chmod,
    __NR_chown,
    __NR_lchown,
    __NR_iopl,
    __NR_ioperm,
    __NR_modify_ldt,
    __NR_uselib,
#endif
};

/* Of the x32 ABI, whose numbers have this bit, none is allowed. */
#define SERVER_X32_BIT 0x40000000u

static void server_build(sandbox_program *out)
{
    program_begin(out, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < SERVER_COUNT(server_forbidden); i++)
        program_for_call(out, server_forbidden[i], SECCOMP_RET_ERRNO | EPERM);
#ifdef __x86_64__
    program_from_number(out, SERVER_X32_BIT, SECCOMP_RET_KILL_PROCESS);
#endif
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
        {SANDBOX_LANDLOCK_EXECUTE, server_libraries, SERVER_COUNT(server_libraries)},
    };
    int abi = sandbox_landlock_abi();
    int errnum = abi > 0 ? sandbox_landlock_restrict_to(abi, paths, SERVER_COUNT(paths)) : 0;
    return errnum == 0 ? SNAPCELL_OK : sandbox_refused("Landlock", errnum, err);
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
    server_build(&program);
    return status == SNAPCELL_OK ? sandbox_install(&program, true, err) : status;
}
