/* Every system call of the process passes through a handler: a seccomp filter
 * traps all but those of one instruction, with which the handler makes them itself. So each can be
 * counted, and made to fail, without privileges, in the sandbox as well. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "lab_worker.h"

#define HOST_FD 3

/* All that has to outlive restores is in it. */
static lab_report *the_report;
long lab_system_call(long number, const long *arguments);
extern const char lab_system_call_end[];

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl lab_system_call\n"
        ".globl lab_system_call_end\n"
        ".type lab_system_call, @function\n"
        "lab_system_call:\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %r11\n"
        "    movq (%r11), %rdi\n"
        "    movq 8(%r11), %rsi\n"
        "    movq 16(%r11), %rdx\n"
        "    movq 24(%r11), %r10\n"
        "    movq 32(%r11), %r8\n"
        "    movq 40(%r11), %r9\n"
        "    syscall\n"
        "lab_system_call_end:\n"
        "    retq\n"
        ".size lab_system_call, . - lab_system_call\n");

static void registers_read(const ucontext_t *context, long arguments[6])
{
    const greg_t *registers = context->uc_mcontext.gregs;
    const int names[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    for (size_t i = 0; i < 6; i++)
        arguments[i] = registers[names[i]];
}

static void registers_answer(ucontext_t *context, long answer)
{
    context->uc_mcontext.gregs[REG_RAX] = answer;
}
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl lab_system_call\n"
        ".globl lab_system_call_end\n"
        ".type lab_system_call, %function\n"
        "lab_system_call:\n"
        "    mov x8, x0\n"
        "    mov x9, x1\n"
        "    ldp x0, x1, [x9]\n"
        "    ldp x2, x3, [x9, #16]\n"
        "    ldp x4, x5, [x9, #32]\n"
        "    svc #0\n"
        "lab_system_call_end:\n"
        "    ret\n"
        ".size lab_system_call, . - lab_system_call\n");

static void registers_read(const ucontext_t *context, long arguments[6])
{
    for (size_t i = 0; i < 6; i++)
        arguments[i] = (long)context->uc_mcontext.regs[i];
}

static void registers_answer(ucontext_t *context, long answer)
{
    context->uc_mcontext.regs[0] = (unsigned long)answer;
}
#endif

/* A message to the host ends a round and begins the next. */
static void begin_round(void)
{
    if (++the_report->round == the_report->fault_round) the_report->call_count = 0;
}

static bool is_due(long number)
{
    if (the_report->is_paused || the_report->round != the_report->fault_round) return false;
    const uint32_t at = the_report->call_count++;
    if (at < LAB_CALLS_MAX) the_report->calls[at] = (uint16_t)number;
    if (at + 1 != the_report->fault_at) return false;
    the_report->faults++;
    the_report->failed_restoring = the_report->is_restoring;
    return true;
}

static void on_trap(int signal_number, siginfo_t *info, void *user)
{
    (void)signal_number;
    ucontext_t *context = user;
    long arguments[6];
    const long number = info->si_syscall;
    registers_read(context, arguments);
    if (is_due(number)) {
        /* A break that is not set is answered with the one that there is. */
        const long none[6] = {0};
        registers_answer(context, number == SYS_brk ? lab_system_call(number, none)
                                                    : -(long)the_report->fault_errno);
        return;
    }
    const long answer = lab_system_call(number, arguments);
    registers_answer(context, answer);
    if (number == SYS_sendto && arguments[0] == HOST_FD && answer > 0) begin_round();
}

#define ALLOW_CALL(number)                                                                         \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What a handler could not do in another's place: what has to do with signals, and with stacks. */
bool lab_faults_begin(lab_report *report)
{
    const uint64_t place = (uint64_t)(uintptr_t)lab_system_call_end;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW_CALL(SYS_rt_sigreturn),
        ALLOW_CALL(SYS_rt_sigprocmask),
        ALLOW_CALL(SYS_sigaltstack),
        ALLOW_CALL(SYS_clone),
        ALLOW_CALL(SYS_clone3),
        ALLOW_CALL(SYS_exit),
        ALLOW_CALL(SYS_exit_group),
        /* glibc 2.41 blocks all signals, and so the trap's, while it sets what SIGABRT does. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGABRT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)place, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(place >> 32), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    const struct sock_fprog program = {sizeof(code) / sizeof(*code), code};
    struct sigaction action = {.sa_sigaction = on_trap,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    the_report = report;
    report->call_count = report->round = 0;
    report->is_paused = report->is_restoring = false;
    return sigaction(SIGSYS, &action, NULL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void lab_faults_pause(bool is_paused)
{
    if (the_report != NULL) the_report->is_paused = is_paused;
}
