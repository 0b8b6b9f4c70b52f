/* The list is what glibc, V8 and the program do between the start of the engine and the end of the
 * process. No call on it takes a path, makes a descriptor, or names another process. */
#include "sandbox_filter.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#ifdef __x86_64__
#include <asm/prctl.h>
#endif

#define FILTER_COUNT(table) (sizeof(table) / sizeof(table)[0])

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define FILTER_TCGETS 0x5401u           /* is it a terminal? */
#define FILTER_PAGEMAP_SCAN 0xc0606610u /* which pages were written? Linux 6.7 */
#define FILTER_F_ADD_SEALS 1033u

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

static void filter_add_threads(sandbox_program *out, uint32_t violation)
{
    const uint32_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    const uint32_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                            CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
    program_for_arguments(out, __NR_clone, &(program_test){0, thread | spaces, thread}, 1,
                          violation);
}

/* A checkpoint is mapped privately, or to be read: it is sealed once it was written. */
static void filter_add_restoring(sandbox_program *out, const sandbox_restoring *restoring)
{
    for (size_t i = 0; i < restoring->count; i++)
        program_allow_arguments(out, __NR_mmap,
                                &(program_test){4, UINT32_MAX, (uint32_t)restoring->files[i]}, 1);
    program_allow_arguments(out, __NR_ioctl, &(program_test){1, UINT32_MAX, FILTER_PAGEMAP_SCAN},
                            1);
    program_allow_arguments(out, __NR_fcntl, &(program_test){1, UINT32_MAX, FILTER_F_ADD_SEALS}, 1);
    program_for_call(out, __NR_setitimer, SECCOMP_RET_ALLOW);
}

/* What the kernel knows of a process's memory and its thread: nothing that another one could be
 * reached by. */
static void filter_add_launching(sandbox_program *out)
{
    const program_test sets_layout[] = {{0, UINT32_MAX, PR_SET_MM}, {1, UINT32_MAX, PR_SET_MM_MAP}};
    program_allow_arguments(out, __NR_prctl, sets_layout, 2);
    program_for_call(out, __NR_set_tid_address, SECCOMP_RET_ALLOW);
#ifdef __x86_64__
    program_allow_arguments(out, __NR_arch_prctl, &(program_test){0, UINT32_MAX, ARCH_SET_FS}, 1);
#endif
}

static void filter_add_conditional(sandbox_program *out, uint32_t violation, uint32_t pid)
{
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    /* Memory may be executable, since V8 compiles; no file can be mapped. */
    program_for_arguments(out, __NR_mmap, &(program_test){3, MAP_ANONYMOUS, MAP_ANONYMOUS}, 1,
                          SECCOMP_RET_ERRNO | EACCES);
    program_for_arguments(out, __NR_tgkill, &(program_test){0, UINT32_MAX, pid}, 1, violation);
    program_for_null(out, __NR_prlimit64, 2, refuse); /* reading them, not setting */
    program_for_null(out, __NR_sendto, 4, violation); /* to any address */
    program_for_values(out, __NR_fcntl, 1, (const uint32_t[]){1, 3}, 2, refuse); /* get */
    program_for_values(out, __NR_ioctl, 1, (const uint32_t[]){FILTER_TCGETS}, 1,
                       SECCOMP_RET_ERRNO | ENOTTY);
    program_for_values(out, __NR_prctl, 0, (const uint32_t[]){PR_SET_NAME, PR_GET_NAME, PR_SET_VMA},
                       3, refuse);
}

void sandbox_filter_build(sandbox_program *out, uint32_t violation, uint32_t pid,
                          const sandbox_restoring *restoring)
{
    program_begin(out, violation);
    for (size_t i = 0; i < FILTER_COUNT(filter_allowed); i++)
        program_for_call(out, filter_allowed[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < FILTER_COUNT(filter_refused); i++)
        program_for_call(out, filter_refused[i].number,
                         SECCOMP_RET_ERRNO | filter_refused[i].error);
    if (restoring != NULL)
        filter_add_restoring(out, restoring);
    else
        filter_add_threads(out, violation);
    if (restoring != NULL && restoring->launches) filter_add_launching(out);
    filter_add_conditional(out, violation, pid);
    program_return(out, violation); /* those of the x32 ABI, too */
}
