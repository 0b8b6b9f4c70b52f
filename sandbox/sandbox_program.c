/* Written by hand, not with libseccomp: the lists are short, and no library is needed for them. */
#include "sandbox_program.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define PROGRAM_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define PROGRAM_ARCH AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows no system calls of this architecture"
#endif

static void program_add(sandbox_program *out, struct sock_filter instruction)
{
    if (out->length == SANDBOX_PROGRAM_LENGTH_MAX)
        out->overflow = true;
    else
        out->code[out->length++] = instruction;
}

void program_return(sandbox_program *out, uint32_t value)
{
    program_add(out, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

static void program_load(sandbox_program *out, size_t offset)
{
    program_add(out, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* The lower or upper half of argument `index`; both architectures are little-endian. */
static void program_load_argument(sandbox_program *out, unsigned index, bool upper)
{
    program_load(out,
                 offsetof(struct seccomp_data, args) + sizeof(uint64_t) * index + (upper ? 4 : 0));
}

/* Goes on when the value is (not) `expected`, else skips `count` instructions. */
static void program_unless_equal_skip(sandbox_program *out, uint32_t expected, uint8_t count)
{
    program_add(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, expected, 0, count));
}

void program_begin(sandbox_program *out, uint32_t foreign)
{
    out->length = 0;
    out->overflow = false;
    program_load(out, offsetof(struct seccomp_data, arch));
    program_add(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROGRAM_ARCH, 1, 0));
    program_return(out, foreign);
    program_load(out, offsetof(struct seccomp_data, nr));
}

void program_from_number(sandbox_program *out, uint32_t number, uint32_t value)
{
    program_add(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, number, 0, 1));
    program_return(out, value);
}

void program_for_call(sandbox_program *out, int number, uint32_t value)
{
    program_unless_equal_skip(out, (uint32_t)number, 1);
    program_return(out, value);
}

/* To be followed by `rest` instructions: for a call of this number when a test fails. */
static void program_test_arguments(sandbox_program *out, int number, const program_test *tests,
                                   uint8_t count, uint8_t rest)
{
    program_unless_equal_skip(out, (uint32_t)number, (uint8_t)(3 * count + 1 + rest));
    for (uint8_t i = 0; i < count; i++) {
        program_load_argument(out, tests[i].argument, false);
        program_add(out, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, tests[i].mask));
        program_unless_equal_skip(out, tests[i].wanted, (uint8_t)(3 * (count - 1 - i) + 1));
    }
    program_return(out, SECCOMP_RET_ALLOW);
}

void program_allow_arguments(sandbox_program *out, int number, const program_test *tests,
                             uint8_t count)
{
    program_test_arguments(out, number, tests, count, 1);
    program_load(out, offsetof(struct seccomp_data, nr));
}

void program_for_arguments(sandbox_program *out, int number, const program_test *tests,
                           uint8_t count, uint32_t otherwise)
{
    program_test_arguments(out, number, tests, count, 1);
    program_return(out, otherwise);
}

void program_for_values(sandbox_program *out, int number, unsigned argument, const uint32_t *values,
                        uint8_t count, uint32_t otherwise)
{
    program_unless_equal_skip(out, (uint32_t)number, (uint8_t)(2 * count + 2));
    program_load_argument(out, argument, false);
    for (uint8_t i = 0; i < count; i++)
        program_for_call(out, (int)values[i], SECCOMP_RET_ALLOW);
    program_return(out, otherwise);
}

void program_for_null(sandbox_program *out, int number, unsigned argument, uint32_t otherwise)
{
    program_unless_equal_skip(out, (uint32_t)number, 6);
    program_load_argument(out, argument, false);
    program_unless_equal_skip(out, 0, 3);
    program_load_argument(out, argument, true);
    program_unless_equal_skip(out, 0, 1);
    program_return(out, SECCOMP_RET_ALLOW);
    program_return(out, otherwise);
}
