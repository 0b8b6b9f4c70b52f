/* The sandbox: irrevocably takes from a process everything that running a function does not need.
 *
 * Inside it, neither JavaScript nor code that breaks out of the engine can open a file, reach the
 * network, start a process, or touch another one. Time, memory, randomness and the descriptors that
 * are already open remain. Enter it after starting the engine (snapcell_loader_open()) and before
 * untrusted code runs, ideally in a separate process that does nothing else and whose death its
 * parent expects. */
#ifndef SNAPCELL_SANDBOX_H
#define SNAPCELL_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What happens on a system call that is not allowed. Opening and examining files fails with EACCES
 * either way: libraries look for files that they can do without. */
typedef enum snapcell_sandbox_violation {
    SNAPCELL_SANDBOX_KILL = 0, /* the process is ended by SIGSYS */
    SNAPCELL_SANDBOX_DENY = 1  /* the call fails with EPERM, and the process goes on */
} snapcell_sandbox_violation;

/* What the sandbox covers: the process, or only the calling thread and those it starts from then
 * on, if other threads need more. The latter is weak protection: threads share their memory. */
typedef enum snapcell_sandbox_scope {
    SNAPCELL_SANDBOX_PROCESS = 0,
    SNAPCELL_SANDBOX_THREAD = 1
} snapcell_sandbox_scope;

/* Zero means the default, everywhere. */
typedef struct snapcell_sandbox_options {
    size_t struct_size; /* sizeof(snapcell_sandbox_options) */
    snapcell_sandbox_violation violation;
    snapcell_sandbox_scope scope;
    /* Limit on the process's writable memory (RLIMIT_DATA), for what the engine's own limits do not
     * see. Exceeding it ends the process. Be generous: the engine takes 200 MiB of address space in
     * addition to its heap. 0: no such limit. Not with the scope THREAD, and not in builds with
     * AddressSanitizer. */
    uint64_t data_limit_bytes;
} snapcell_sandbox_options;

#define SNAPCELL_SANDBOX_OPTIONS_INIT                                                              \
    {                                                                                              \
        .struct_size = sizeof(snapcell_sandbox_options)                                            \
    }

/* Purpose: enter the sandbox; there is no way back. It applies, in this order: no new privileges;
 * for the scope PROCESS no core dumps, no debugger, no more descriptors, the data limit, and, for a
 * process of root, no capabilities and the user and group 65534 (nobody), if the user namespace has
 * them; Landlock without any file, port or signal, if the kernel has it (for the calling thread and
 * those it starts); seccomp with an allowlist. `options`: NULL for the defaults. Thread: any, once.
 * Errors: E_SANDBOX (the kernel refuses; the message says what. The process may be partly
 * restricted already, and must not run untrusted code), E_USAGE. */
SNAPCELL_API int snapcell_sandbox_enter(const snapcell_sandbox_options *options,
                                        snapcell_error *err);

/* What this kernel, or a container's policy, lets the sandbox use. */
typedef struct snapcell_sandbox_support {
    bool seccomp;     /* needed */
    int landlock_abi; /* 0: none; a second layer next to seccomp */
} snapcell_sandbox_support;

/* Purpose: report what the sandbox could use, without entering it. `out`: not NULL. Thread: any.
 * Errors: none. */
SNAPCELL_API void snapcell_sandbox_probe(snapcell_sandbox_support *out);

#ifdef __cplusplus
}
#endif
#endif
