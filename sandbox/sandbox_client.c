/* What is forbidden is listed here, and not what is allowed: which calls libcurl, OpenSSL and the
 * resolver's modules make differs between systems, and none of them runs untrusted code. A call
 * that is forbidden fails, and the process goes on: a resolver's module may do without. */
#include "sandbox_client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_forbidden.h"
#include "sandbox_landlock.h"
#include "sandbox_steps.h"

#define CLIENT_COUNT(table) (sizeof(table) / sizeof(table)[0])
#define CLIENT_READABLE_MAX 32

/* Descriptors: a connection, a transfer's pipe, the resolver's. */
#define CLIENT_FILES_MAX 2048

/* Where resolvers and TLS have their configuration, libraries and certificates, whatever the
 * system. Files in /etc may be links to elsewhere, and are replaced by others while we run. */
static const char *const client_readable[] = {
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/nix/store",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/var/lib/ca-certificates",
    "/dev/null",
    "/dev/urandom",
};

static const int client_forbidden[] = {
    /* programs and processes */
    __NR_execve,
    __NR_execveat,
    __NR_kill,
    __NR_tkill,
    __NR_rt_sigqueueinfo,
    __NR_rt_tgsigqueueinfo,
    __NR_pidfd_send_signal,
    __NR_pidfd_open,
    __NR_setpriority,
    __NR_sched_setscheduler,
    /* servers */
    __NR_listen,
    __NR_accept,
    __NR_accept4,
    /* files that are made, renamed, removed, or changed */
    __NR_unlinkat,
    __NR_utimensat,
    /* the system */
    __NR_personality,
#ifdef __x86_64__
    __NR_fork,
    __NR_vfork,
    __NR_unlink,
    __NR_utime,
    __NR_utimes,
    __NR_futimesat,
#endif
};

static void client_build(sandbox_program *out, uint32_t pid)
{
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    const uint32_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    const program_test reads = {2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY};
    program_begin(out, SECCOMP_RET_KILL_PROCESS);
    program_for_call(out, __NR_clone3, SECCOMP_RET_ERRNO | ENOSYS); /* glibc falls back on clone */
#ifdef __NR_openat2
    program_for_call(out, __NR_openat2, SECCOMP_RET_ERRNO | ENOSYS);
#endif
    for (size_t i = 0; i < CLIENT_COUNT(client_forbidden); i++)
        program_for_call(out, client_forbidden[i], refuse);
    sandbox_forbid(out, refuse);
    sandbox_forbid_naming(out, refuse);
    program_for_arguments(out, __NR_clone, &(program_test){0, thread, thread}, 1, refuse);
    program_for_arguments(out, __NR_tgkill, &(program_test){0, UINT32_MAX, pid}, 1, refuse);
    program_for_arguments(out, __NR_openat, &reads, 1, refuse);
#ifdef __x86_64__
    program_for_arguments(out, __NR_open,
                          &(program_test){1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}, 1, refuse);
#endif
    sandbox_forbid_x32(out);
    program_return(out, SECCOMP_RET_ALLOW);
}

/* Root becomes nobody only where nobody can read what the program needs. */
static bool client_keeps_user(const char *const *readable, size_t count)
{
    if (geteuid() != 0 || seteuid(SANDBOX_NOBODY) != 0) return false;
    bool keeps = false;
    for (size_t i = 0; i < count; i++)
        keeps |= readable[i] != NULL && faccessat(AT_FDCWD, readable[i], R_OK, AT_EACCESS) != 0 &&
                 errno == EACCES;
    return seteuid(0) != 0 || keeps;
}

static int client_restrict_files(const char *const *readable, size_t count, snapcell_error *err)
{
    const char *all[CLIENT_READABLE_MAX];
    size_t all_count = 0;
    for (size_t i = 0; i < CLIENT_COUNT(client_readable); i++)
        all[all_count++] = client_readable[i];
    for (size_t i = 0; i < count && all_count < CLIENT_READABLE_MAX; i++)
        if (readable[i] != NULL) all[all_count++] = readable[i];
    int abi = sandbox_landlock_abi();
    int errnum = abi > 0 ? sandbox_landlock_restrict_client(abi, all, all_count) : 0;
    return errnum == 0 ? SNAPCELL_OK : sandbox_refused("Landlock", errnum, err);
}

int sandbox_client_enter(const char *const *readable, size_t count, snapcell_error *err)
{
    sandbox_program program;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sandbox_refused("to give up new privileges", errno, err);
    bool keeps_user = client_keeps_user(readable, count);
    int status = client_restrict_files(readable, count, err);
    if (status == SNAPCELL_OK)
        status = sandbox_limit(RLIMIT_CORE, 0, "to do without core dumps", err);
    if (status == SNAPCELL_OK)
        status = sandbox_limit(RLIMIT_NOFILE, CLIENT_FILES_MAX, "a limit of descriptors", err);
    if (status == SNAPCELL_OK) status = sandbox_change_user(keeps_user, err);
    client_build(&program, (uint32_t)getpid());
    return status == SNAPCELL_OK ? sandbox_install(&program, true, err) : status;
}
