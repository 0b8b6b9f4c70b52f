#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapcell/sandbox.h"

static int attempt_file = -1; /* of something that may be read */
static int attempt_datagram = -1;
static pid_t attempt_parent; /* of the process that tries; asking for it would be one call more */
static char attempt_memory[4096];

/* The name of a function that makes a raw system call. */
#define ATTEMPT(name, ...)                                                                         \
    static long try_##name(void)                                                                   \
    {                                                                                              \
        return syscall(__VA_ARGS__);                                                               \
    }

/* Files. */
ATTEMPT(openat, SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0)
ATTEMPT(openat_self, SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR, 0)
ATTEMPT(openat_create, SYS_openat, AT_FDCWD, "/tmp/snapcell-attempt", O_CREAT | O_WRONLY, 0600)
ATTEMPT(statx, SYS_statx, AT_FDCWD, "/etc", 0, 0, attempt_memory)
ATTEMPT(newfstatat, SYS_newfstatat, AT_FDCWD, "/etc", attempt_memory, 0)
ATTEMPT(readlinkat, SYS_readlinkat, AT_FDCWD, "/proc/self/exe", attempt_memory, 100)
ATTEMPT(faccessat, SYS_faccessat, AT_FDCWD, "/etc", F_OK)
ATTEMPT(getcwd, SYS_getcwd, attempt_memory, sizeof(attempt_memory))
ATTEMPT(chdir, SYS_chdir, "/")
ATTEMPT(unlinkat, SYS_unlinkat, AT_FDCWD, "/tmp/snapcell-attempt", 0)
ATTEMPT(renameat2, SYS_renameat2, AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0)
ATTEMPT(mkdirat, SYS_mkdirat, AT_FDCWD, "/tmp/snapcell-attempt", 0700)
ATTEMPT(linkat, SYS_linkat, AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0)
ATTEMPT(symlinkat, SYS_symlinkat, "/etc", AT_FDCWD, "/tmp/snapcell-attempt")
ATTEMPT(mknodat, SYS_mknodat, AT_FDCWD, "/tmp/snapcell-attempt", S_IFIFO | 0600, 0)
ATTEMPT(fchmodat, SYS_fchmodat, AT_FDCWD, "/tmp", 0777)
ATTEMPT(fchownat, SYS_fchownat, AT_FDCWD, "/tmp", 0, 0, 0)
ATTEMPT(truncate, SYS_truncate, "/tmp/a", 0L)
ATTEMPT(ftruncate, SYS_ftruncate, attempt_file, 0L)
ATTEMPT(getdents64, SYS_getdents64, attempt_file, attempt_memory, sizeof(attempt_memory))
ATTEMPT(getxattr, SYS_getxattr, "/etc", "user.a", attempt_memory, 10)
ATTEMPT(inotify_init1, SYS_inotify_init1, 0)
ATTEMPT(fanotify_init, SYS_fanotify_init, 0, 0)
ATTEMPT(open_by_handle_at, SYS_open_by_handle_at, AT_FDCWD, attempt_memory, O_RDONLY)
ATTEMPT(name_to_handle_at, SYS_name_to_handle_at, AT_FDCWD, "/etc", attempt_memory, attempt_memory,
        0)
ATTEMPT(flock, SYS_flock, attempt_file, 2)
ATTEMPT(fcntl_lock, SYS_fcntl, attempt_file, F_SETLK, attempt_memory)
ATTEMPT(sync, SYS_sync)
ATTEMPT(mmap_file, SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE, attempt_file, 0L)

/* Descriptors. */
ATTEMPT(dup, SYS_dup, 1)
ATTEMPT(dup3, SYS_dup3, 1, 7, 0)
ATTEMPT(fcntl_dup, SYS_fcntl, 1, F_DUPFD, 0)
ATTEMPT(pipe2, SYS_pipe2, attempt_memory, 0)
ATTEMPT(memfd_create, SYS_memfd_create, "a", 0)
ATTEMPT(memfd_secret, SYS_memfd_secret, 0)
ATTEMPT(eventfd2, SYS_eventfd2, 0, 0)
ATTEMPT(epoll_create1, SYS_epoll_create1, 0)
ATTEMPT(signalfd4, SYS_signalfd4, -1, attempt_memory, 8, 0)
ATTEMPT(timerfd_create, SYS_timerfd_create, 0, 0)
ATTEMPT(userfaultfd, SYS_userfaultfd, 0)
ATTEMPT(ioctl_tiocsti, SYS_ioctl, 0, TIOCSTI, "x")
ATTEMPT(splice, SYS_splice, 0, NULL, 1, NULL, 1L, 0)
ATTEMPT(sendfile, SYS_sendfile, 1, attempt_file, NULL, 1L)
ATTEMPT(copy_file_range, SYS_copy_file_range, attempt_file, NULL, 1, NULL, 1L, 0)

/* Network. */
static struct sockaddr_in try_address = {.sin_family = AF_INET};
ATTEMPT(socket_inet, SYS_socket, AF_INET, SOCK_STREAM, 0)
ATTEMPT(socket_inet6, SYS_socket, AF_INET6, SOCK_DGRAM, 0)
ATTEMPT(socket_unix, SYS_socket, AF_UNIX, SOCK_STREAM, 0)
ATTEMPT(socket_netlink, SYS_socket, AF_NETLINK, SOCK_RAW, 0)
ATTEMPT(socketpair, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, attempt_memory)
ATTEMPT(connect, SYS_connect, attempt_datagram, &try_address, sizeof(try_address))
ATTEMPT(bind, SYS_bind, attempt_datagram, &try_address, sizeof(try_address))
ATTEMPT(listen, SYS_listen, attempt_datagram, 1)
ATTEMPT(accept4, SYS_accept4, attempt_datagram, NULL, NULL, 0)
ATTEMPT(sendto, SYS_sendto, attempt_datagram, "x", 1L, 0, &try_address, sizeof(try_address))
ATTEMPT(setsockopt, SYS_setsockopt, attempt_datagram, 1, 1, attempt_memory, 4)

/* Processes. */
static char *const try_arguments[] = {"true", NULL};
ATTEMPT(execve, SYS_execve, "/bin/true", try_arguments, try_arguments + 1)
ATTEMPT(execveat, SYS_execveat, AT_FDCWD, "/bin/true", try_arguments, try_arguments + 1, 0)
ATTEMPT(clone, SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L)
ATTEMPT(clone_vfork, SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0L, 0L, 0L, 0L)
ATTEMPT(clone_space, SYS_clone, (long)(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER), 0L,
        0L, 0L, 0L)
ATTEMPT(unshare, SYS_unshare, CLONE_NEWUSER)
ATTEMPT(setns, SYS_setns, attempt_file, 0)
ATTEMPT(wait4, SYS_wait4, -1, NULL, WNOHANG, NULL)
ATTEMPT(kill_parent, SYS_kill, attempt_parent, 0)
ATTEMPT(kill_all, SYS_kill, -1, 0)
ATTEMPT(tgkill_parent, SYS_tgkill, attempt_parent, attempt_parent, 0)
ATTEMPT(tkill, SYS_tkill, attempt_parent, 0)
ATTEMPT(rt_sigqueueinfo, SYS_rt_sigqueueinfo, attempt_parent, 0, attempt_memory)
ATTEMPT(pidfd_open, SYS_pidfd_open, attempt_parent, 0)
ATTEMPT(ptrace, SYS_ptrace, PTRACE_ATTACH, attempt_parent, NULL, NULL)
ATTEMPT(process_vm_readv, SYS_process_vm_readv, attempt_parent, attempt_memory, 1L, attempt_memory,
        1L, 0L)
ATTEMPT(process_vm_writev, SYS_process_vm_writev, attempt_parent, attempt_memory, 1L,
        attempt_memory, 1L, 0L)
ATTEMPT(process_madvise, SYS_process_madvise, attempt_file, attempt_memory, 1L, 0, 0)
ATTEMPT(kcmp, SYS_kcmp, attempt_parent, attempt_parent, 0, 0L, 0L)
ATTEMPT(setpgid, SYS_setpgid, 0, 0)
ATTEMPT(setsid, SYS_setsid)
ATTEMPT(sched_setaffinity, SYS_sched_setaffinity, 0, 8L, attempt_memory)
ATTEMPT(setpriority, SYS_setpriority, 0, 0, -20)
ATTEMPT(shmget, SYS_shmget, 1, 4096L, 01600)
ATTEMPT(msgget, SYS_msgget, 1, 01600)
ATTEMPT(semget, SYS_semget, 1, 1, 01600)
ATTEMPT(mq_open, SYS_mq_open, "/a", O_RDWR, 0, NULL)

/* Privileges and limits. */
static struct rlimit try_limit = {RLIM_INFINITY, RLIM_INFINITY};
ATTEMPT(setuid, SYS_setuid, 0)
ATTEMPT(setresuid, SYS_setresuid, 0, 0, 0)
ATTEMPT(setgid, SYS_setgid, 0)
ATTEMPT(setgroups, SYS_setgroups, 0, NULL)
ATTEMPT(capset, SYS_capset, attempt_memory, attempt_memory)
ATTEMPT(prctl_dumpable, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
ATTEMPT(prctl_pdeathsig, SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0)
ATTEMPT(prctl_ptracer, SYS_prctl, 0x59616d61, -1L, 0, 0, 0)
ATTEMPT(prlimit_raise, SYS_prlimit64, 0, RLIMIT_NOFILE, &try_limit, NULL)
ATTEMPT(prlimit_parent, SYS_prlimit64, attempt_parent, RLIMIT_CPU, &try_limit, NULL)
ATTEMPT(setrlimit, SYS_setrlimit, RLIMIT_CORE, &try_limit)
ATTEMPT(seccomp, SYS_seccomp, 0, 0, NULL)
ATTEMPT(personality, SYS_personality, 0x0040000)

/* The kernel. */
ATTEMPT(mount, SYS_mount, "none", "/tmp", "tmpfs", 0L, NULL)
ATTEMPT(umount2, SYS_umount2, "/tmp", 0)
ATTEMPT(move_mount, SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/mnt", 0)
ATTEMPT(fsopen, SYS_fsopen, "tmpfs", 0)
ATTEMPT(pivot_root, SYS_pivot_root, "/", "/")
ATTEMPT(chroot, SYS_chroot, "/tmp")
ATTEMPT(bpf, SYS_bpf, 0, attempt_memory, 48)
ATTEMPT(perf_event_open, SYS_perf_event_open, attempt_memory, 0, -1, -1, 0L)
ATTEMPT(io_uring_setup, SYS_io_uring_setup, 1, attempt_memory)
ATTEMPT(io_uring_enter, SYS_io_uring_enter, 1, 0, 0, 0, NULL, 0L)
ATTEMPT(io_setup, SYS_io_setup, 1, attempt_memory)
ATTEMPT(keyctl, SYS_keyctl, 0, 0L, 0L, 0L, 0L)
ATTEMPT(add_key, SYS_add_key, "user", "a", "b", 1L, -2)
ATTEMPT(request_key, SYS_request_key, "user", "a", NULL, -2)
ATTEMPT(init_module, SYS_init_module, attempt_memory, 1L, "")
ATTEMPT(finit_module, SYS_finit_module, attempt_file, "", 0)
ATTEMPT(kexec_load, SYS_kexec_load, 0L, 0L, NULL, 0L)
ATTEMPT(reboot, SYS_reboot, 0, 0, 0, NULL)
ATTEMPT(swapon, SYS_swapon, "/tmp/a", 0)
ATTEMPT(syslog, SYS_syslog, 3, attempt_memory, 10)
ATTEMPT(sethostname, SYS_sethostname, "a", 1L)
ATTEMPT(settimeofday, SYS_settimeofday, attempt_memory, NULL)
ATTEMPT(clock_settime, SYS_clock_settime, 0, attempt_memory)
ATTEMPT(adjtimex, SYS_adjtimex, attempt_memory)
ATTEMPT(acct, SYS_acct, NULL)
ATTEMPT(quotactl, SYS_quotactl, 0, "/", 0, NULL)
ATTEMPT(uname, SYS_uname, attempt_memory)
ATTEMPT(landlock, SYS_landlock_create_ruleset, NULL, 0L, 1)
ATTEMPT(unknown, 4000)

#ifdef __x86_64__
ATTEMPT(open, SYS_open, "/etc/passwd", O_RDONLY, 0)
ATTEMPT(stat, SYS_stat, "/etc", attempt_memory)
ATTEMPT(fork, SYS_fork)
ATTEMPT(vfork, SYS_clone, CLONE_VFORK | SIGCHLD, 0L, 0L, 0L, 0L)
ATTEMPT(dup2, SYS_dup2, 1, 7)
ATTEMPT(pipe, SYS_pipe, attempt_memory)
ATTEMPT(iopl, SYS_iopl, 3)
ATTEMPT(modify_ldt, SYS_modify_ldt, 0, attempt_memory, 16L)
ATTEMPT(arch_prctl, SYS_arch_prctl, 0x1003, attempt_memory)
ATTEMPT(x32_getpid, 0x40000000L + SYS_getpid)

/* By the door of 32-bit programs, where the numbers mean other calls: 20 is getpid. */
static bool int80_is_missing; /* a kernel without such programs answers with another signal */
static long int80(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    if (result >= 0) return result;
    errno = (int)-result;
    return -1;
}

static long try_int80(void)
{
    return int80_is_missing ? syscall(4000) : int80();
}
#endif

void attempts_prepare(void)
{
    attempt_file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    attempt_datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    attempt_parent = getpid();
#ifdef __x86_64__
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) _exit(int80() > 0 ? 0 : 1);
    if (pid > 0) waitpid(pid, &status, 0);
    int80_is_missing = WIFSIGNALED(status);
#endif
}

const attempt attempts[] = {
#define KILLED(name)                                                                               \
    {                                                                                              \
#name, try_##name, 0                                                                       \
    }
#define REFUSED(name, error)                                                                       \
    {                                                                                              \
#name, try_##name, error                                                                   \
    }
    REFUSED(openat, EACCES),
    REFUSED(openat_self, EACCES),
    REFUSED(openat_create, EACCES),
    REFUSED(statx, EACCES),
    REFUSED(newfstatat, EACCES),
    REFUSED(readlinkat, EACCES),
    REFUSED(faccessat, EACCES),
    REFUSED(getcwd, EACCES),
    KILLED(chdir),
    KILLED(unlinkat),
    KILLED(renameat2),
    KILLED(mkdirat),
    KILLED(linkat),
    KILLED(symlinkat),
    KILLED(mknodat),
    KILLED(fchmodat),
    KILLED(fchownat),
    KILLED(truncate),
    KILLED(ftruncate),
    KILLED(getdents64),
    KILLED(getxattr),
    KILLED(inotify_init1),
    KILLED(fanotify_init),
    KILLED(open_by_handle_at),
    KILLED(name_to_handle_at),
    KILLED(flock),
    REFUSED(fcntl_lock, EPERM),
    KILLED(sync),
    REFUSED(mmap_file, EACCES),

    KILLED(dup),
    KILLED(dup3),
    REFUSED(fcntl_dup, EPERM),
    KILLED(pipe2),
    KILLED(memfd_create),
    KILLED(memfd_secret),
    KILLED(eventfd2),
    KILLED(epoll_create1),
    KILLED(signalfd4),
    KILLED(timerfd_create),
    KILLED(userfaultfd),
    REFUSED(ioctl_tiocsti, ENOTTY),
    KILLED(splice),
    KILLED(sendfile),
    KILLED(copy_file_range),

    KILLED(socket_inet),
    KILLED(socket_inet6),
    KILLED(socket_unix),
    KILLED(socket_netlink),
    KILLED(socketpair),
    KILLED(connect),
    KILLED(bind),
    KILLED(listen),
    KILLED(accept4),
    KILLED(sendto),
    KILLED(setsockopt),

    KILLED(execve),
    KILLED(execveat),
    KILLED(clone),
    KILLED(clone_vfork),
    KILLED(clone_space),
    KILLED(unshare),
    KILLED(setns),
    KILLED(wait4),
    KILLED(kill_parent),
    KILLED(kill_all),
    KILLED(tgkill_parent),
    KILLED(tkill),
    KILLED(rt_sigqueueinfo),
    KILLED(pidfd_open),
    KILLED(ptrace),
    KILLED(process_vm_readv),
    KILLED(process_vm_writev),
    KILLED(process_madvise),
    KILLED(kcmp),
    KILLED(setpgid),
    KILLED(setsid),
    KILLED(sched_setaffinity),
    KILLED(setpriority),
    KILLED(shmget),
    KILLED(msgget),
    KILLED(semget),
    KILLED(mq_open),

    KILLED(setuid),
    KILLED(setresuid),
    KILLED(setgid),
    KILLED(setgroups),
    KILLED(capset),
    REFUSED(prctl_dumpable, EPERM),
    REFUSED(prctl_pdeathsig, EPERM),
    REFUSED(prctl_ptracer, EPERM),
    REFUSED(prlimit_raise, EPERM),
    REFUSED(prlimit_parent, EPERM),
    KILLED(setrlimit),
    KILLED(seccomp),
    KILLED(personality),

    KILLED(mount),
    KILLED(umount2),
    KILLED(move_mount),
    KILLED(fsopen),
    KILLED(pivot_root),
    KILLED(chroot),
    KILLED(bpf),
    KILLED(perf_event_open),
    KILLED(io_uring_setup),
    KILLED(io_uring_enter),
    KILLED(io_setup),
    KILLED(keyctl),
    KILLED(add_key),
    KILLED(request_key),
    KILLED(init_module),
    KILLED(finit_module),
    KILLED(kexec_load),
    KILLED(reboot),
    KILLED(swapon),
    KILLED(syslog),
    KILLED(sethostname),
    KILLED(settimeofday),
    KILLED(clock_settime),
    KILLED(adjtimex),
    KILLED(acct),
    KILLED(quotactl),
    REFUSED(uname, EPERM),
    KILLED(landlock),
    KILLED(unknown),
#ifdef __x86_64__
    REFUSED(open, EACCES),
    REFUSED(stat, EACCES),
    KILLED(fork),
    KILLED(vfork),
    KILLED(dup2),
    KILLED(pipe),
    KILLED(iopl),
    KILLED(modify_ldt),
    KILLED(arch_prctl),
    KILLED(x32_getpid),
    KILLED(int80),
#endif
};
const size_t attempt_count = sizeof(attempts) / sizeof(attempts[0]);

/* --- Trying --- */

enum { CHILD_DONE = 10, CHILD_NO_SANDBOX = 11, CHILD_DENIED = 12, CHILD_OTHER_ERROR = 13 };

static _Noreturn void attempt_child(const attempt *one, const snapcell_sandbox_options *options)
{
    snapcell_error err;
    if (snapcell_sandbox_enter(options, &err) != SNAPCELL_OK) _exit(CHILD_NO_SANDBOX);
    errno = 0;
    if (one->call() != -1) _exit(CHILD_DONE);
    int expected = one->refused != 0 ? one->refused : EPERM;
    _exit(errno == expected ? CHILD_DENIED : CHILD_OTHER_ERROR);
}

attempt_end attempt_try(const attempt *one, const snapcell_sandbox_options *options)
{
    pid_t pid = fork();
    if (pid < 0) return ATTEMPT_TROUBLE;
    if (pid == 0) attempt_child(one, options);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return ATTEMPT_TROUBLE;
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? ATTEMPT_KILLED : ATTEMPT_TROUBLE;
    if (WEXITSTATUS(status) == CHILD_DENIED) return ATTEMPT_DENIED;
    /* A call that fails for a reason of its own has reached the kernel. */
    return WEXITSTATUS(status) == CHILD_NO_SANDBOX ? ATTEMPT_TROUBLE : ATTEMPT_DONE;
}

bool attempt_is_held(const attempt *one, const snapcell_sandbox_options *options)
{
    bool kills = options == NULL || options->violation == SNAPCELL_SANDBOX_KILL;
    attempt_end expected = one->refused == 0 && kills ? ATTEMPT_KILLED : ATTEMPT_DENIED;
    return attempt_try(one, options) == expected;
}
