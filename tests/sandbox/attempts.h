/* What is tried from inside the sandbox: system calls of each family that it takes away. */
#ifndef SNAPCELL_TEST_ATTEMPTS_H
#define SNAPCELL_TEST_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "snapcell/sandbox.h"

typedef struct attempt {
    const char *name;
    /* What the call gives: -1 with errno set when it was refused. */
    long (*call)(void);
    /* errno of a call that is refused without the process being ended for it; 0: it is ended. */
    int refused;
} attempt;

extern const attempt attempts[];
extern const size_t attempt_count;

/* Opens what attempts need before the sandbox is entered. */
void attempts_prepare(void);

/* Enters the sandbox in a child and calls. */
typedef enum attempt_end {
    ATTEMPT_DENIED,  /* EPERM, or what attempt.refused says */
    ATTEMPT_KILLED,  /* by SIGSYS */
    ATTEMPT_DONE,    /* the call was let through */
    ATTEMPT_TROUBLE, /* the sandbox was not entered, or the child died of something else */
} attempt_end;

attempt_end attempt_try(const attempt *one, const snapcell_sandbox_options *options);

/* As it should be: never let through. */
bool attempt_is_held(const attempt *one, const snapcell_sandbox_options *options);

#endif
