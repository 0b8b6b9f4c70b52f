#include "sandbox_forbidden.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

static const int forbidden[] = {
    /* other processes */
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_kcmp,
    /* files that are made or changed */
    __NR_mknodat,
    __NR_mkdirat,
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

static const int naming[] = {
    __NR_renameat2, __NR_linkat,
#ifdef __x86_64__
    __NR_rename,    __NR_renameat, __NR_link,
#endif
};

static void forbid_calls(sandbox_program *out, const int *calls, size_t count, uint32_t action)
{
    for (size_t i = 0; i < count; i++)
        program_for_call(out, calls[i], action);
}

void sandbox_forbid(sandbox_program *out, uint32_t action)
{
    forbid_calls(out, forbidden, sizeof(forbidden) / sizeof(forbidden[0]), action);
}

void sandbox_forbid_naming(sandbox_program *out, uint32_t action)
{
    forbid_calls(out, naming, sizeof(naming) / sizeof(naming[0]), action);
}

/* Of the x32 ABI, whose numbers have this bit, none is allowed. */
#define FORBIDDEN_X32_BIT 0x40000000u

void sandbox_forbid_x32(sandbox_program *out)
{
#ifdef __x86_64__
    program_from_number(out, FORBIDDEN_X32_BIT, SECCOMP_RET_KILL_PROCESS);
#else
    (void)out;
#endif
}
