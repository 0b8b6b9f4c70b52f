/* The list of system calls, as a program for seccomp. Internal to the sandbox. */
#ifndef SNAPCELL_SANDBOX_FILTER_H
#define SNAPCELL_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define SANDBOX_FILTER_LENGTH_MAX 512

typedef struct sandbox_filter {
    struct sock_filter code[SANDBOX_FILTER_LENGTH_MAX];
    unsigned short length;
    bool overflow;
} sandbox_filter;

/* `violation`: what seccomp is to return for a call that is not on the list. `pid`: the process
 * that the filter is for. False when this file's tables have outgrown the program. */
bool sandbox_filter_build(sandbox_filter *out, uint32_t violation, uint32_t pid);

#endif
