/* The sandbox: takes from a process, for good, all that running a function does not need.
 *
 * After it neither JavaScript nor code that breaks out of the engine can open a file, reach the
 * network, start a process, or touch another one. What is left: time, memory, randomness, and the
 * descriptors that are open already. To be entered after the engine was started
 * (snapcell_loader_open()) and before strangers' code runs; best by a process of its own, which
 * does nothing else and whose death its parent expects. */
#ifndef SNAPCELL_SANDBOX_H
#define SNAPCELL_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of a system call that is not allowed. Opening files and asking about them fails with
 * EACCES either way: libraries look for things that they can do without. */
typedef enum snapcell_sandbox_violation {
    SNAPCELL_SANDBOX_KILL = 0, /* the process is ended by SIGSYS */
    SNAPCELL_SANDBOX_DENY = 1  /* the call fails with EPERM, and the process goes on */
} snapcell_sandbox_violation;

/* What is limited to the calling thread and those it starts from then on, in a process whose other
 * threads need more. A weak wall: threads share their memory. */
typedef enum snapcell_sandbox_scope {
    SNAPCELL_SANDBOX_PROCESS = 0,
    SNAPCELL_SANDBOX_THREAD = 1
} snapcell_sandbox_scope;

/* Zero means the default, everywhere. */
typedef struct snapcell_sandbox_options {
    size_t struct_size; /* sizeof(snapcell_sandbox_options) */
    snapcell_sandbox_violation violation;
    snapcell_sandbox_scope scope;
    /* Memory of the process that can be written to (RLIMIT_DATA): what the engine's own limits do
     * not see ends there, and with it the process. Ample: the engine takes 200 MiB of address space
     * beside its heap. 0: no such limit. Not with the scope THREAD, and not in builds with
     * AddressSanitizer. */
    uint64_t data_limit_bytes;
} snapcell_sandbox_options;

#define SNAPCELL_SANDBOX_OPTIONS_INIT                                                              \
    {                                                                                              \
        .struct_size = sizeof(snapcell_sandbox_options)                                            \
    }

/* Purpose: enter the sandbox; there is no way back. In this order: no new privileges; for the scope
 * PROCESS no core dumps, no debugger, no more descriptors, the data limit, and, for a process of
 * root, no capabilities and the user and group 65534 (nobody), where the user namespace has them;
 * Landlock without any file, port or signal, where the kernel has it (for the calling thread and
 * those it starts); seccomp with a list of what is allowed. `options`: NULL for the defaults.
 * Thread: any, once. Errors: E_SANDBOX (the kernel refuses: the message says what; the process may
 * have lost a part already, and must not run strangers' code), E_USAGE. */
SNAPCELL_API int snapcell_sandbox_enter(const snapcell_sandbox_options *options,
                                        snapcell_error *err);

/* What this kernel, or a container's policy, lets the sandbox use. */
typedef struct snapcell_sandbox_support {
    bool seccomp;     /* needed */
    int landlock_abi; /* 0: none; a second wall after seccomp */
} snapcell_sandbox_support;

/* Purpose: look what the sandbox would find, without entering it. `out`: not NULL. Thread: any.
 * Errors: none. */
SNAPCELL_API void snapcell_sandbox_probe(snapcell_sandbox_support *out);

#ifdef __cplusplus
}
#endif
#endif
