/* contained [OPTION...] PROGRAM ARGUMENTS...: runs a program where things are denied, as they are
 * in containers and on other kernels.
 *
 *   --profile          what Docker's default profile denies, by seccomp
 *   --no-scan          the PAGEMAP_SCAN ioctl, which kernels before 6.7 do not know
 *   --no-pagemap       /proc/PID/pagemap, as where the kernel has none
 *   --no-capabilities  all of root's capabilities
 *   --nobody           being root
 *   --tier N           sets $SNAPCELL_EXPECTED_TIER for the program: what is left of restoring
 *
 * Status 77, which tests take for skipped: this process may not do that. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox_program.h"

#define SKIPPED 77
#define NOBODY 65534
#define PAGEMAP_SCAN 0xc0606610u

typedef struct container {
    bool has_profile;
    bool has_no_scan;
    bool has_no_pagemap;
    bool has_no_capabilities;
    bool is_nobody;
} container;

static _Noreturn void skip(const char *what)
{
    fprintf(stderr, "contained: %s: %s\n", what, strerror(errno));
    exit(SKIPPED);
}

/* --- Denying system calls --- */

static const int denied[] = {
    SYS_acct,
    SYS_add_key,
    SYS_bpf,
    SYS_chroot,
    SYS_clock_adjtime,
    SYS_clock_settime,
    SYS_delete_module,
    SYS_finit_module,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fsopen,
    SYS_fspick,
    SYS_get_mempolicy,
    SYS_init_module,
    SYS_io_uring_enter,
    SYS_io_uring_setup,
    SYS_kcmp,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_lookup_dcookie,
    SYS_mbind,
    SYS_mount,
    SYS_move_mount,
    SYS_move_pages,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_perf_event_open,
    SYS_pivot_root,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_ptrace,
    SYS_quotactl,
    SYS_reboot,
    SYS_request_key,
    SYS_set_mempolicy,
    SYS_sethostname,
    SYS_setns,
    SYS_settimeofday,
    SYS_swapoff,
    SYS_swapon,
    SYS_syslog,
    SYS_umount2,
    SYS_unshare,
    SYS_userfaultfd,
    SYS_vhangup,
};

static void deny_profile(sandbox_program *out)
{
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    const uint32_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                            CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
    for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++)
        program_for_call(out, denied[i], refuse);
    program_for_call(out, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    program_for_arguments(out, SYS_clone, &(program_test){0, spaces, 0}, 1, refuse);
    program_for_values(out, SYS_personality, 0,
                       (const uint32_t[]){0, 8, 0x20000, 0x20008, UINT32_MAX}, 5, refuse);
}

/* Returns a descriptor that calls are asked of, if `has_no_pagemap`; else 0. */
static int deny(const container *what)
{
    sandbox_program program;
    program_begin(&program, SECCOMP_RET_KILL_PROCESS);
    if (what->has_profile) deny_profile(&program);
    /* No other ioctl of its number is made of any descriptor that there is. */
    if (what->has_no_scan) {
        program_allow_arguments(&program, SYS_ioctl, &(program_test){1, 0xffff, 0x5401}, 1);
        program_for_call(&program, SYS_ioctl, SECCOMP_RET_ERRNO | ENOTTY);
    }
    if (what->has_no_pagemap) program_for_call(&program, SYS_openat, SECCOMP_RET_USER_NOTIF);
    program_return(&program, SECCOMP_RET_ALLOW);
    const struct sock_fprog code = {program.length, program.code};
    const unsigned flags = what->has_no_pagemap ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    if (program.overflow || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) skip("no new privileges");
    const long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &code);
    if (fd < 0) skip("seccomp");
    return (int)fd;
}

/* --- Denying a file: each open of the program is asked of its parent --- */

static void send_descriptor(int socket_fd, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {(char[]){'f'}, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    if (sendmsg(socket_fd, &message, 0) != 1) skip("sendmsg");
}

static int receive_descriptor(int socket_fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    int fd = -1;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    if (recvmsg(socket_fd, &message, 0) == 1 && message.msg_controllen > 0)
        memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

static bool is_pagemap(uint32_t pid, uint64_t address)
{
    char text[256] = "";
    char path[64];
    snprintf(path, sizeof(path), "/proc/%u/mem", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd >= 0 ? pread(fd, text, sizeof(text) - 1, (off_t)address) : -1;
    if (fd >= 0) close(fd);
    const size_t size = got > 0 ? strnlen(text, (size_t)got) : 0;
    return size >= 8 && strcmp(text + size - 8, "/pagemap") == 0;
}

/* Until no process with the filter is left. */
static void answer_opens(int listener)
{
    struct pollfd polled = {.fd = listener, .events = POLLIN};
    while (poll(&polled, 1, -1) > 0 || errno == EINTR) {
        if ((polled.revents & POLLIN) == 0) return;
        struct seccomp_notif asked = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
        const bool is_denied = is_pagemap(asked.pid, asked.data.args[1]);
        struct seccomp_notif_resp answer = {
            .id = asked.id,
            .error = is_denied ? -ENOENT : 0,
            .flags = is_denied ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE,
        };
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* --- Who runs it --- */

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    for (int i = 0; i < 64; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno == EPERM) skip("capabilities");
    if (syscall(SYS_capset, &header, data) != 0) skip("capabilities");
}

static void become(const container *what)
{
    if (what->is_nobody && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        skip("to be nobody");
    if (what->has_no_capabilities) drop_capabilities();
}

static char **read_options(char **argv, container *out)
{
    char **at = argv + 1;
    for (; *at != NULL && strncmp(*at, "--", 2) == 0; at++) {
        const char *name = *at + 2;
        if (strcmp(name, "profile") == 0)
            out->has_profile = true;
        else if (strcmp(name, "no-scan") == 0)
            out->has_no_scan = true;
        else if (strcmp(name, "no-pagemap") == 0)
            out->has_no_pagemap = true;
        else if (strcmp(name, "no-capabilities") == 0)
            out->has_no_capabilities = true;
        else if (strcmp(name, "nobody") == 0)
            out->is_nobody = true;
        else if (strcmp(name, "tier") == 0 && at[1] != NULL)
            setenv("SNAPCELL_EXPECTED_TIER", *++at, 1);
        else
            return NULL;
    }
    return *at != NULL ? at : NULL;
}

static _Noreturn void run(const container *what, char **program, int socket_fd)
{
    become(what);
    const int listener = deny(what);
    if (what->has_no_pagemap) send_descriptor(socket_fd, listener);
    close(socket_fd);
    if (what->has_no_pagemap) close(listener);
    execv(program[0], program);
    fprintf(stderr, "contained: %s: %s\n", program[0], strerror(errno));
    _exit(126);
}

int main(int argc, char **argv)
{
    container what = {0};
    int sockets[2];
    int status = 0;
    char **program = argc > 1 ? read_options(argv, &what) : NULL;
    if (program == NULL) {
        fprintf(stderr, "usage: contained [OPTION...] PROGRAM ARGUMENTS...\n");
        return 2;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) skip("sockets");
    const pid_t child = fork();
    if (child < 0) skip("fork");
    if (child == 0) run(&what, program, sockets[1]);
    close(sockets[1]);
    const int listener = what.has_no_pagemap ? receive_descriptor(sockets[0]) : -1;
    if (listener >= 0) answer_opens(listener);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
