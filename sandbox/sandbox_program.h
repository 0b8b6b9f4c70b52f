/* Writing a program for seccomp: which system call, with which arguments, gets which answer.
 * Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_PROGRAM_H
#define SNAPCELL_SANDBOX_PROGRAM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define SANDBOX_PROGRAM_LENGTH_MAX 512

typedef struct sandbox_program {
    struct sock_filter code[SANDBOX_PROGRAM_LENGTH_MAX];
    unsigned short length;
    bool overflow; /* it did not all fit, and must not be used */
} sandbox_program;

/* Empties it. Calls of another architecture than ours get `foreign`; then the number is loaded. */
void program_begin(sandbox_program *out, uint32_t foreign);

void program_return(sandbox_program *out, uint32_t value);

/* Calls of this number and above get `value`. */
void program_from_number(sandbox_program *out, uint32_t number, uint32_t value);

/* The call gets `value`, whatever its arguments. */
void program_for_call(sandbox_program *out, int number, uint32_t value);

/* One test of an argument's lower half: its bits under `mask` are `wanted`. */
typedef struct program_test {
    uint8_t argument;
    uint32_t mask;
    uint32_t wanted;
} program_test;

/* The call is allowed when all tests hold; else what follows decides. */
void program_allow_arguments(sandbox_program *out, int number, const program_test *tests,
                             uint8_t count);

/* The call is allowed when all tests hold, else it gets `otherwise`. */
void program_for_arguments(sandbox_program *out, int number, const program_test *tests,
                           uint8_t count, uint32_t otherwise);

/* The call is allowed when argument `argument` is one of some values. */
void program_for_values(sandbox_program *out, int number, unsigned argument, const uint32_t *values,
                        uint8_t count, uint32_t otherwise);

/* The call is allowed when a pointer of its arguments is NULL. */
void program_for_null(sandbox_program *out, int number, unsigned argument, uint32_t otherwise);

#endif
