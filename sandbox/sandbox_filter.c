/* Written by hand, not with libseccomp: the list is short, and no library is needed for it.
 *
 * The list is what glibc, V8 and the program do between the start of the engine and the end of the
 * process. No call on it takes a path, makes a descriptor, or names another process. */
#include "sandbox_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows no system calls of this architecture"
#endif

#define FILTER_COUNT(table) (sizeof(table) / sizeof(table)[0])

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define FILTER_TCGETS 0x5401u /* is it a terminal? */

static const int filter_allowed[] = {
    /* memory */
    __NR_brk,
    __NR_madvise,
    __NR_mincore,
    __NR_mprotect,
    __NR_mremap,
    __NR_munmap,
    /* descriptors that are open */
    __NR_close,
    __NR_fstat,
    __NR_lseek,
    __NR_ppoll,
    __NR_pread64,
    __NR_read,
    __NR_readv,
    __NR_recvfrom,
    __NR_recvmsg,
    __NR_sendmsg,
    __NR_shutdown,
    __NR_write,
    __NR_writev,
    /* time and randomness */
    __NR_clock_getres,
    __NR_clock_gettime,
    __NR_clock_nanosleep,
    __NR_getrandom,
    __NR_gettimeofday,
    __NR_nanosleep,
    /* this process and its threads */
    __NR_exit,
    __NR_exit_group,
    __NR_futex,
    __NR_getcpu,
    __NR_getegid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getpid,
    __NR_getrusage,
    __NR_gettid,
    __NR_getuid,
    __NR_membarrier,
    __NR_restart_syscall,
    __NR_rseq,
    __NR_rt_sigaction,
    __NR_rt_sigpending,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_rt_sigtimedwait,
    __NR_sched_getaffinity,
    __NR_sched_yield,
    __NR_set_robust_list,
    __NR_sigaltstack,
    __NR_sysinfo, /* qsort() asks how much memory there is */
#ifdef __x86_64__
    __NR_poll,
    __NR_time,
#endif
};

/* What libraries try, and can do without. */
static const struct {
    int number;
    uint16_t error;
} filter_refused[] = {
    {__NR_clone3, ENOSYS}, /* its arguments are in memory; glibc falls back on clone */
    {__NR_faccessat, EACCES},
#ifdef __NR_faccessat2
    {__NR_faccessat2, EACCES},
#endif
    {__NR_fstatfs, EACCES},    {__NR_getcwd, EACCES}, {__NR_newfstatat, EACCES},
    {__NR_openat, EACCES},
#ifdef __NR_openat2
    {__NR_openat2, EACCES},
#endif
    {__NR_readlinkat, EACCES}, {__NR_statfs, EACCES}, {__NR_statx, EACCES},
    {__NR_uname, EPERM},
#ifdef __x86_64__
    {__NR_access, EACCES},     {__NR_lstat, EACCES},  {__NR_open, EACCES},
    {__NR_readlink, EACCES},   {__NR_stat, EACCES},
#endif
};

static void filter_add(sandbox_filter *out, struct sock_filter instruction)
{
    if (out->length == SANDBOX_FILTER_LENGTH_MAX)
        out->overflow = true;
    else
        out->code[out->length++] = instruction;
}

static void filter_return(sandbox_filter *out, uint32_t value)
{
    filter_add(out, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

static void filter_load(sandbox_filter *out, size_t offset)
{
    filter_add(out, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* The lower or upper half of argument `index`; both architectures are little-endian. */
static void filter_load_argument(sandbox_filter *out, unsigned index, bool upper)
{
    filter_load(out,
                offsetof(struct seccomp_data, args) + sizeof(uint64_t) * index + (upper ? 4 : 0));
}

/* Goes on when the value is (not) `expected`, else skips `count` instructions. */
static void filter_unless_equal_skip(sandbox_filter *out, uint32_t expected, uint8_t count)
{
    filter_add(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, expected, 0, count));
}

static void filter_for_call(sandbox_filter *out, int number, uint32_t value)
{
    filter_unless_equal_skip(out, (uint32_t)number, 1);
    filter_return(out, value);
}

/* One test of an argument's lower half: its bits under `mask` are `wanted`. */
typedef struct filter_test {
    uint8_t argument;
    uint32_t mask;
    uint32_t wanted;
} filter_test;

/* The call is allowed when all tests hold, else it gets `otherwise`. */
static void filter_for_arguments(sandbox_filter *out, int number, const filter_test *tests,
                                 uint8_t count, uint32_t otherwise)
{
    filter_unless_equal_skip(out, (uint32_t)number, (uint8_t)(3 * count + 2));
    for (uint8_t i = 0; i < count; i++) {
        filter_load_argument(out, tests[i].argument, false);
        filter_add(out, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, tests[i].mask));
        filter_unless_equal_skip(out, tests[i].wanted, (uint8_t)(3 * (count - 1 - i) + 1));
    }
    filter_return(out, SECCOMP_RET_ALLOW);
    filter_return(out, otherwise);
}

/* The call is allowed when argument `argument` is one of some values. */
static void filter_for_values(sandbox_filter *out, int number, unsigned argument,
                              const uint32_t *values, uint8_t count, uint32_t otherwise)
{
    filter_unless_equal_skip(out, (uint32_t)number, (uint8_t)(2 * count + 2));
    filter_load_argument(out, argument, false);
    for (uint8_t i = 0; i < count; i++)
        filter_for_call(out, (int)values[i], SECCOMP_RET_ALLOW);
    filter_return(out, otherwise);
}

/* The call is allowed when a pointer of its arguments is NULL. */
static void filter_for_null(sandbox_filter *out, int number, unsigned argument, uint32_t otherwise)
{
    filter_unless_equal_skip(out, (uint32_t)number, 6);
    filter_load_argument(out, argument, false);
    filter_unless_equal_skip(out, 0, 3);
    filter_load_argument(out, argument, true);
    filter_unless_equal_skip(out, 0, 1);
    filter_return(out, SECCOMP_RET_ALLOW);
    filter_return(out, otherwise);
}

static void filter_add_conditional(sandbox_filter *out, uint32_t violation, uint32_t pid)
{
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    const uint32_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    const uint32_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                            CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
    filter_for_arguments(out, __NR_clone, &(filter_test){0, thread | spaces, thread}, 1, violation);
    /* Memory may be executable, since V8 compiles; no file can be mapped. */
    filter_for_arguments(out, __NR_mmap, &(filter_test){3, MAP_ANONYMOUS, MAP_ANONYMOUS}, 1,
                         SECCOMP_RET_ERRNO | EACCES);
    filter_for_arguments(out, __NR_tgkill, &(filter_test){0, UINT32_MAX, pid}, 1, violation);
    filter_for_null(out, __NR_prlimit64, 2, refuse); /* reading them, not setting */
    filter_for_null(out, __NR_sendto, 4, violation); /* to whoever is at the other end */
    filter_for_values(out, __NR_fcntl, 1, (const uint32_t[]){1, 3}, 2, refuse); /* get */
    filter_for_values(out, __NR_ioctl, 1, (const uint32_t[]){FILTER_TCGETS}, 1,
                      SECCOMP_RET_ERRNO | ENOTTY);
    filter_for_values(out, __NR_prctl, 0, (const uint32_t[]){PR_SET_NAME, PR_GET_NAME, PR_SET_VMA},
                      3, refuse);
}

bool sandbox_filter_build(sandbox_filter *out, uint32_t violation, uint32_t pid)
{
    out->length = 0;
    out->overflow = false;
    filter_load(out, offsetof(struct seccomp_data, arch));
    filter_add(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0));
    filter_return(out, violation);
    filter_load(out, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < FILTER_COUNT(filter_allowed); i++)
        filter_for_call(out, filter_allowed[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < FILTER_COUNT(filter_refused); i++)
        filter_for_call(out, filter_refused[i].number, SECCOMP_RET_ERRNO | filter_refused[i].error);
    filter_add_conditional(out, violation, pid);
    filter_return(out, violation); /* those of the x32 ABI, too */
    return !out->overflow;
}
