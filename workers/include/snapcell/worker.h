/* Functions in worker processes: a host that never starts the engine itself loads functions into
 * sandboxed processes and calls them there.
 *
 * Simple: open a group, load a worker, call it, free it. A worker is one process (the program
 * `snapcell`, started anew, not a fork) with one function and nothing else: no store, no file, no
 * network, one socket to the host. Whatever a function does to its process, its caller gets an
 * error, and the next call gets a new process. */
#ifndef SNAPCELL_WORKER_H
#define SNAPCELL_WORKER_H

#include <stdbool.h>

#include "snapcell/http.h"
#include "snapcell/loader.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_workers snapcell_workers;
typedef struct snapcell_worker snapcell_worker;

/* Zero means the default, everywhere. */
typedef struct snapcell_workers_options {
    size_t struct_size;     /* sizeof(snapcell_workers_options) */
    const char *store_path; /* NULL: $SNAPCELL_STORE, else "./snapcell-store". Copied */
    /* Whose artifacts are loaded, as in snapcell_loader_options. Copied. */
    const snapcell_trust *trust;
    /* Console output of functions, on the thread of the call; NULL: dropped. What a worker sends
     * there is valid UTF-8, and nothing more may be relied upon. */
    snapcell_log_fn *log;
    void *log_user;
    /* The `snapcell` program of this build; NULL: $SNAPCELL_WORKER, else found beside the library,
     * in ../bin or ../../bin from it, or on $PATH. Copied. */
    const char *worker_path;
    uint32_t start_limit_ms; /* for a process to be ready for its first call; 0: 10,000 */
    /* Behind a call's wall limit: a worker that has not answered then is killed. Without a wall
     * limit it may take for ever. 0: 1,000 */
    uint32_t grace_ms;
    /* Memory of a process that can be written to; see snapcell/sandbox.h. 0: six times the memory
     * limit, for heap, ArrayBuffers and messages, and 512 MiB for the engine. */
    uint64_t data_limit_bytes;
    /* One cell for all calls of a process, which keeps its state from call to call; false: a fresh
     * one for each. A cell that hit a limit is replaced either way. */
    bool keep_cell;
    /* Worker processes may do all that the host's user may: for debugging. */
    bool no_sandbox;
} snapcell_workers_options;

#define SNAPCELL_WORKERS_OPTIONS_INIT                                                              \
    {                                                                                              \
        .struct_size = sizeof(snapcell_workers_options)                                            \
    }

/* Purpose: say how workers are to be. Starts no process. `options`: NULL for the defaults. `*out`:
 * Owned, close with snapcell_workers_close(). NULL on failure. Thread: any. Errors: E_NOT_FOUND
 * (there is no store), E_IO, E_USAGE, E_INTERNAL (the program is not found), E_NOMEM. */
SNAPCELL_API int snapcell_workers_open(const snapcell_workers_options *options,
                                       snapcell_workers **out, snapcell_error *err);

/* Purpose: release a group; NULL is allowed. Its workers must be freed first. Thread: any, once.
 * Errors: none. */
SNAPCELL_API void snapcell_workers_close(snapcell_workers *workers);

/* Purpose: start a process with function `ref` (a name, a key, or a unique key prefix), ready for
 * calls. `options`: its limits and environment, copied; NULL for the defaults. A process that takes
 * the place of one that died looks `ref` up again: a name may be another version then, a key never
 * is. Functions of a worker have no host functions, and their fetch() is rejected. `*out`: Owned,
 * free with snapcell_worker_free(). NULL on failure. Thread: any, several at once; the worker may
 * move between threads between calls. Errors: those of snapcell_loader_open() and
 * snapcell_cell_load(), E_SANDBOX, E_WALL_LIMIT (it was not ready in time), E_WORKER_DIED, E_USAGE,
 * E_IO, E_NOMEM, E_INTERNAL (the program cannot be started, or is of another build). */
SNAPCELL_API int snapcell_worker_load(snapcell_workers *workers, const char *ref,
                                      const snapcell_cell_options *options, snapcell_worker **out,
                                      snapcell_error *err);

/* Purpose: as snapcell_cell_fetch(), in the worker's process; one that died is replaced first.
 * `request`: NULL for "GET /"; its body may have as many bytes as the memory limit. In a child that
 * was forked after the worker was loaded it gives E_USAGE: the process is the parent's. `*out`:
 * Owned, free with snapcell_response_free(). NULL on failure. Thread: one at a time. Errors: those
 * of snapcell_cell_fetch() but E_DISPOSED, and of snapcell_worker_load(); E_MEMORY_LIMIT, also
 * where the engine ended its process for lack of memory; E_CPU_LIMIT and E_WALL_LIMIT, also where
 * the process had to be ended; E_SANDBOX (it was ended for a system call); E_WORKER_DIED (it
 * crashed, was killed, or said what makes no sense). */
SNAPCELL_API int snapcell_worker_fetch(snapcell_worker *worker, const snapcell_request *request,
                                       snapcell_response **out, snapcell_error *err);

/* Purpose: as snapcell_cell_invoke(), in the worker's process. `event_json`: NULL for "{}". `*out`:
 * the result, zero-terminated UTF-8: to be parsed as input from outside; Owned, free(). NULL on
 * failure. `out_size_bytes` may be NULL. Thread and errors: as snapcell_worker_fetch(). */
SNAPCELL_API int snapcell_worker_invoke(snapcell_worker *worker, const char *event_json, char **out,
                                        size_t *out_size_bytes, snapcell_error *err);

/* Purpose: as snapcell_cell_call(), in the worker's process: a handler by its name, as "scheduled"
 * or "queue". `handler`: not NULL. `event_json`, `*out`, `out_size_bytes`: as
 * snapcell_worker_invoke(). Thread: one at a time. Errors: E_NO_HANDLER, and as
 * snapcell_worker_fetch(). */
SNAPCELL_API int snapcell_worker_call(snapcell_worker *worker, const char *handler,
                                      const char *event_json, char **out, size_t *out_size_bytes,
                                      snapcell_error *err);

/* Purpose: end a worker's process and release it; NULL is allowed. Thread: one at a time, once.
 * Errors: none. */
SNAPCELL_API void snapcell_worker_free(snapcell_worker *worker);

/* Purpose: the shape of the function, as its process told it. `worker`: not NULL. Thread: one at a
 * time. Errors: none. */
SNAPCELL_API snapcell_handler_shape snapcell_worker_shape(const snapcell_worker *worker);

/* --- Advanced
 * -----------------------------------------------------------------------------------------------
 */

/* Purpose: the worker's process, as for putting it into a control group; 0 while there is none,
 * after a call that ended it. `worker`: not NULL. Thread: one at a time. Errors: none. */
SNAPCELL_API int snapcell_worker_process_id(const snapcell_worker *worker);

/* Purpose: be the worker process; called by a program that was started as one, with the socket's
 * descriptor. Returns: the process's exit status. Thread: the main one, once, before anything else.
 * Errors: sent to the host. */
SNAPCELL_API int snapcell_cell_worker(int socket_fd);

#ifdef __cplusplus
}
#endif
#endif
