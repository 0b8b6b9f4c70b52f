#include "stack_call.h"

/* The ABIs' red zone is below the stack pointer of what was interrupted; a caller that parks itself
 * on a stack leaves more than that. */
#define STACK_PARKING_BYTES 512

#if defined(__x86_64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".hidden stack_switch\n"
        ".globl stack_switch\n"
        ".type stack_switch, @function\n"
        "stack_switch:\n" /* (top, function, user) */
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    pushq %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbp, -16\n"
        "    movq %rsp, %rbp\n"
        "    .cfi_def_cfa_register %rbp\n"
        "    movq %rdi, %rsp\n"
        "    movq %rdx, %rdi\n"
        "    callq *%rsi\n"
        "    movq %rbp, %rsp\n"
        "    popq %rbp\n"
        "    .cfi_def_cfa %rsp, 8\n"
        "    retq\n"
        "    .cfi_endproc\n"
        ".size stack_switch, . - stack_switch\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");

#elif defined(__aarch64__)

__asm__(".text\n"
        ".p2align 4\n"
        ".hidden stack_switch\n"
        ".globl stack_switch\n"
        ".type stack_switch, %function\n"
        "stack_switch:\n" /* (top, function, user) */
        "    .cfi_startproc\n"
        "    bti c\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset x29, -16\n"
        "    .cfi_offset x30, -8\n"
        "    mov x29, sp\n"
        "    .cfi_def_cfa_register x29\n"
        "    mov sp, x0\n"
        "    mov x0, x2\n"
        "    blr x1\n"
        "    mov sp, x29\n"
        "    ldp x29, x30, [sp], #16\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size stack_switch, . - stack_switch\n");

#else
#error "no stack switch is known for this architecture"
#endif

void stack_switch(void *top, void (*function)(void *user), void *user);

void stack_call(void *top, void (*function)(void *user), void *user)
{
    stack_switch(top, function, user);
}

__attribute__((noinline)) void *stack_here(void)
{
    return (char *)__builtin_frame_address(0) - STACK_PARKING_BYTES;
}

/* The compiler's own, and not siglongjmp(): glibc's fortified one takes a jump to another stack for
 * an attack. */
__attribute__((noinline)) bool stack_call_catching(void *top, void (*function)(void *user),
                                                   void *user, stack_point *point)
{
    if (__builtin_setjmp(point->words) != 0) return false;
    stack_switch(top, function, user);
    return true;
}

__attribute__((noinline)) _Noreturn void stack_jump(stack_point *point)
{
    __builtin_longjmp(point->words, 1);
}
