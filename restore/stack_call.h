/* Running a function on another stack, and leaving it by a jump from wherever it is. Internal.
 *
 * Neither touches the signal mask: code that leaves a signal handler by stack_jump() sets it. */
#ifndef SNAPCELL_STACK_CALL_H
#define SNAPCELL_STACK_CALL_H

#include <stdbool.h>

/* A place to jump to. */
typedef struct stack_point {
    void *words[8];
} stack_point;

/* Calls `function(user)` with the stack pointer at `top` (aligned to 16), and returns when it
 * does. */
void stack_call(void *top, void (*function)(void *user), void *user);

/* The caller's stack pointer, below which nothing of the caller's is. */
void *stack_here(void);

/* As stack_call(); until it returns, stack_jump(point) makes it return at once, on this stack.
 * False when it was left so. */
bool stack_call_catching(void *top, void (*function)(void *user), void *user, stack_point *point);

/* Thread: that of stack_call_catching(), also from a signal handler on it. */
_Noreturn void stack_jump(stack_point *point);

#endif
