/* Functions in worker processes: a host that never starts the engine itself loads functions into
 * sandboxed processes and calls them there.
 *
 * Simple: open a group, load a worker, call it, free it. A worker is one process (the program
 * `snapcell`, started, not forked, or launched from an image of such a process) with one function
 * and nothing else: no store, no file, one socket to the host, and no network, unless it is given a
 * list of hosts. Whatever a function does to its process, its caller gets an error, and the next
 * call gets a new process.
 *
 * For event loops: start a worker, wait for its descriptor, let it advance, start a call, and take
 * what comes of it in pieces; see "Event loops" below. Nothing there waits, and nothing that a
 * worker sends, or does not send, makes its host wait or take more memory than is said there. */
#ifndef SNAPCELL_WORKER_H
#define SNAPCELL_WORKER_H

#include <stdbool.h>

#include "snapcell/http.h"
#include "snapcell/loader.h"
#include "snapcell/net.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_workers snapcell_workers;
typedef struct snapcell_worker snapcell_worker;

/* What an instance is for a call. */
typedef enum snapcell_workers_policy {
    /* Fresh for each call: the process's memory is put back as it was after the function was
     * loaded, in some hundredths of a millisecond. Where that cannot be done, as RELOAD. */
    SNAPCELL_WORKERS_RESTORE = 0,
    SNAPCELL_WORKERS_RELOAD = 1, /* fresh for each call: loaded again */
    SNAPCELL_WORKERS_KEEP = 2,   /* one for all calls of a process */
} snapcell_workers_policy;

/* How a process that restores its memory finds out what a call wrote. */
typedef enum snapcell_restore_tier {
    SNAPCELL_RESTORE_NONE = 0,     /* it does not restore */
    SNAPCELL_RESTORE_SCANNED = 1,  /* the kernel lists it, by PAGEMAP_SCAN (Linux 6.7) */
    SNAPCELL_RESTORE_LISTED = 2,   /* the kernel tells it of each page, in /proc/self/pagemap */
    SNAPCELL_RESTORE_COMPARED = 3, /* the kernel does not tell: all memory is compared */
} snapcell_restore_tier;

/* For warm_calls: none. */
#define SNAPCELL_WARM_CALLS_NONE UINT32_MAX
/* For warm_calls: none, and nothing else is done ahead of the first call to make later ones faster:
 * for functions that are loaded for few calls, as while they are developed. */
#define SNAPCELL_WARM_CALLS_UNPREPARED (UINT32_MAX - 1)

/* For image_bytes_max: none. */
#define SNAPCELL_IMAGES_NONE UINT64_MAX
/* For image_launchers: none. */
#define SNAPCELL_IMAGE_LAUNCHERS_NONE UINT32_MAX
#define SNAPCELL_IMAGE_LAUNCHERS_DEFAULT 2u
#define SNAPCELL_IMAGE_LAUNCHERS_MAX 64u
#define SNAPCELL_IMAGE_BYTES_MAX_DEFAULT (UINT64_C(256) << 20)
#define SNAPCELL_IMAGE_FOLDER_BYTES_MAX_DEFAULT (UINT64_C(1) << 30)
#define SNAPCELL_IMAGE_AGE_MAX_MS_DEFAULT (UINT64_C(60) * 60 * 1000)

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
    /* The `snapcell` program of this build; NULL: $SNAPCELL_WORKER, else found next to the library,
     * in ../bin or ../../bin from it, or on $PATH. Copied. */
    const char *worker_path;
    uint32_t start_limit_ms; /* for a process to be ready for its first call; 0: 10,000 */
    /* After a call's wall limit: a worker that has not answered by then is killed. Without a
     * wall limit a call may take forever. 0: 1,000 */
    uint32_t grace_ms;
    /* Memory of a process that can be written to; see snapcell/sandbox.h. 0: six times the memory
     * limit, for heap, ArrayBuffers and messages, and 512 MiB for the engine. */
    uint64_t data_limit_bytes;
    /* As the policy KEEP, which it outweighs: one cell for all calls of a process, which keeps its
     * state from call to call. A cell that hit a limit is replaced either way. */
    bool keep_cell;
    /* Worker processes may do all that the host's user may: for debugging. */
    bool no_sandbox;
    snapcell_workers_policy policy;
    /* Of the policy RESTORE: how often the warm-up requests that the function was compiled with are
     * repeated before its memory becomes what is restored, so that instances begin with code that
     * is optimized. 0: as often as V8 wants for that, some thousand times, while the worker has
     * nothing to do; SNAPCELL_WARM_CALLS_NONE or _UNPREPARED: never. A function without warm-up
     * requests begins as loaded. */
    uint32_t warm_calls;
    /* No better tier than this is used: for tests, and to look into a kernel's trouble. 0: the best
     * that there is. */
    snapcell_restore_tier restore_tier;
    /* Of the policy RESTORE: how much memory images may take, of which the least recently used one
     * goes first. A function's image is its process's memory, hot and ready, written down by a
     * process that is started for that alone when a second worker of the function is started; from
     * then on workers are launched from it, in a millisecond instead of ten, and share its pages.
     * Where no image fits, a worker loads its function as ever. Where all have their place, a new
     * one takes that of an image that was not used since its own function was last started, or is
     * not made. 0: 256 MiB; SNAPCELL_IMAGES_NONE:
     * there are no images, and no thread and process for them. */
    uint64_t image_bytes_max;
    /* A folder in which images outlive the group; made when it is missing, with mode 0700. It must
     * be the host's user's alone, and on a disk that nobody else writes: an image is native code.
     * NULL: none. Copied. */
    const char *image_folder;
    uint64_t image_folder_bytes_max; /* 0: 1 GiB */
    /* An older image is not used, and made again: workers of one image share the layout of their
     * memory and V8's hash seed. 0: an hour */
    uint64_t image_age_max_ms;
    /* How many launchers wait, blank, to become a worker: 100 KiB each. 0: two;
     * SNAPCELL_IMAGE_LAUNCHERS_NONE: one is started when it is needed, which takes a millisecond.
     * At most 64. */
    uint32_t image_launchers;
    /* Host functions: the table that the group's functions were compiled with. They are called in
     * the host, on the thread that calls or advances the worker, which waits for each; arguments of
     * a call may have 1 MiB, and its result 16 MiB. NULL: none. Borrowed until the group is closed.
     */
    const snapcell_host *host;
    /* How many workers of a function are started before its image is made: one that is started once
     * would not pay for it. A folder is looked into from the first on. 0: two; with a folder one,
     * since the next host profits from it. */
    uint32_t image_starts_min;
    /* With the policy RESTORE: snapcell_workers_prepare() makes ready for workers with `soon`, and
     * for no others. */
    bool prepare_soon;
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

/* Purpose: have one process of the group wait for the next function that is to be loaded, which
 * then is there in less than half of the time. One that will not restore has the engine started and
 * has answered a request of its own by then. Does nothing when one waits. For a host's idle
 * moments: it starts a process, of some MB. `workers`: not NULL. Thread: any, several at once.
 * Errors: E_INTERNAL (the program cannot be started), E_IO. */
SNAPCELL_API int snapcell_workers_prepare(snapcell_workers *workers, snapcell_error *err);

/* What a group's workers did since it was opened; to be exported as metrics. */
typedef struct snapcell_workers_counts {
    uint64_t starts; /* of processes */
    uint64_t calls;
    uint64_t restores;         /* of memory, by the policy RESTORE */
    uint64_t restored_pages;   /* of 4 KiB */
    uint64_t restore_ns;       /* that restores took, in all */
    uint64_t cuts;             /* calls that were ended at a limit, or on an order, and restored */
    uint64_t deaths;           /* processes that ended by themselves, or had to be ended */
    uint64_t anomalies;        /* of them, those that could not restore their memory */
    uint64_t fallbacks;        /* processes that reload although they should restore */
    uint64_t cancelled;        /* calls */
    uint32_t restore_tier;     /* a snapcell_restore_tier: of the process that started last */
    uint64_t images;           /* that were made */
    uint64_t image_bytes;      /* that they take in memory now */
    uint64_t launches;         /* of `starts`, from an image */
    uint64_t image_misses;     /* starts for which there was no image */
    uint64_t image_collisions; /* launchers that lay where an image has memory, and were replaced */
    uint64_t image_failures;   /* images that could not be made, or not be used */
    uint64_t image_reads;      /* images that were taken from the folder */
} snapcell_workers_counts;

/* Purpose: a group's counters. `workers` and `out`: not NULL. `out_size_bytes`: sizeof(*out), so
 * that the struct can grow: what only one of the two sides knows of is left out, and zero. What a
 * worker did after its last answer is counted with its next. Thread: any. Errors: none. */
SNAPCELL_API void snapcell_workers_counters(const snapcell_workers *workers,
                                            snapcell_workers_counts *out, size_t out_size_bytes);

/* Purpose: release a group; NULL is allowed. Its workers must be freed first. Thread: any, once.
 * Errors: none. */
SNAPCELL_API void snapcell_workers_close(snapcell_workers *workers);

/* Purpose: start a process with function `ref` (a name, a key, or a unique key prefix), ready for
 * calls. `options`: its limits and environment, copied; NULL for the defaults. A process that takes
 * the place of one that died looks `ref` up again: a name may be another version then, a key never
 * is. The function's fetch() is rejected, unless snapcell_worker_start() gave it hosts. `*out`:
 * Owned,
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
 * crashed, was killed, or said what makes no sense); E_CANCELLED. */
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

/* Purpose: end the call that a worker is serving, wherever it is: it returns E_CANCELLED. With the
 * policy RESTORE the process lives on, else it is ended. Without a call, or when its answer is on
 * the way, nothing happens. `worker`: not NULL. Thread: any, while the worker is not freed. Errors:
 * none. */
SNAPCELL_API void snapcell_worker_cancel(snapcell_worker *worker);

/* Purpose: end a worker's process and release it; NULL is allowed. Thread: one at a time, once.
 * Errors: none. */
SNAPCELL_API void snapcell_worker_free(snapcell_worker *worker);

/* Purpose: the shape of the function, as its process told it. `worker`: not NULL. Thread: one at a
 * time. Errors: none. */
SNAPCELL_API snapcell_handler_shape snapcell_worker_shape(const snapcell_worker *worker);

/* Purpose: as snapcell_worker_fetch(), with streaming bodies, as snapcell_cell_stream(): the
 * request's body is read as the function reads it, at most SNAPCELL_WORKER_WINDOW_SIZE ahead, the
 * response's is written as it comes, with `head` and `write`. Waits
 * until promises that were passed to waitUntil() have settled, too. `request`: NULL for "GET /";
 * with `stream->read` it has no body of its own. `stream`: not NULL. A reader that wants no more
 * is not an error. Thread: one at a time; the callbacks run on it. Errors: as
 * snapcell_worker_fetch(). */
SNAPCELL_API int snapcell_worker_stream(snapcell_worker *worker, const snapcell_request *request,
                                        const snapcell_stream *stream, snapcell_error *err);

/* --- Event loops ---------------------------------------------------------------------------------
 *
 *   snapcell_worker_start()         returns at once
 *   loop: wait until snapcell_worker_fd() is readable, or snapcell_worker_timeout_ms() is over;
 *         snapcell_worker_advance() does what can be done and says how the worker is
 *   READY: snapcell_worker_call_start() sends a call; its events come out of _advance()
 *   ENDED: snapcell_worker_free(); another worker takes its place
 *
 * What a worker takes of its host, whatever it sends: the largest message (a response's headers or
 * a line of log), SNAPCELL_WORKER_MESSAGE_SIZE_MAX; a response's body that nobody took yet, twice
 * SNAPCELL_WORKER_WINDOW_SIZE; and as much of a request's body on its way. An idle worker takes
 * next to nothing. */

/* Bytes of a body that are on their way and were not taken yet, at most. */
#define SNAPCELL_WORKER_WINDOW_SIZE ((size_t)256 << 10)
/* The largest message of a worker. A response with more headers fails with E_TOO_LARGE. */
#define SNAPCELL_WORKER_MESSAGE_SIZE_MAX (((size_t)1 << 20) + 256)

typedef enum snapcell_worker_state {
    SNAPCELL_WORKER_STARTING = 1, /* or about to end */
    SNAPCELL_WORKER_READY = 2,    /* idle */
    SNAPCELL_WORKER_CALLING = 3,  /* a call was started, and its `done` was not called yet */
    SNAPCELL_WORKER_ENDED = 4,    /* it is of no more use, and has no process */
} snapcell_worker_state;

/* Zero means the default, everywhere. */
typedef struct snapcell_worker_options {
    size_t struct_size; /* sizeof(snapcell_worker_options) */
    /* Limits and environment of the function; NULL: the defaults. Copied. */
    const snapcell_cell_options *cell;
    /* Console output is wanted, though the group has no `log`: it comes as events of calls. */
    bool logs;
    /* What the function's fetch() may reach: a process snapcell-net, which alone has a network and
     * this list, is started for the worker when its function first fetches. NULL: fetch() is
     * rejected. Copied. */
    const snapcell_net_options *net;
    /* With the policy RESTORE, for a function's first worker, on which somebody waits: where there
     * is no image (snapcell_worker_get_origin() says), its process reloads for each call. It is
     * there much sooner than one that restores, whose calls after the first are much faster. */
    bool soon;
    /* It takes the place of one with `soon`: that its function is started again does not make an
     * image worth while (image_starts_min). */
    bool after_soon;
    /* Of a `code` artifact with a prelude (snapcell_compile_options), that alone is evaluated: the
     * worker stays STARTING and takes no call before snapcell_worker_go_on(). Its process reloads
     * for each call. */
    bool prelude_only;
} snapcell_worker_options;

#define SNAPCELL_WORKER_OPTIONS_INIT                                                               \
    {                                                                                              \
        .struct_size = sizeof(snapcell_worker_options)                                             \
    }

/* Purpose: start a process with function `ref`, as snapcell_worker_load(), without waiting for it.
 * `options`: NULL for the defaults. `*out`: Owned, free with snapcell_worker_free(). NULL on
 * failure. Thread: any, several at once; the worker is used by one at a time. Errors: E_USAGE,
 * E_NOMEM, E_IO, E_INTERNAL (the program cannot be started). What goes wrong later, such as
 * E_NOT_FOUND, snapcell_worker_advance() tells. */
SNAPCELL_API int snapcell_worker_start(snapcell_workers *workers, const char *ref,
                                       const snapcell_worker_options *options,
                                       snapcell_worker **out, snapcell_error *err);

/* Purpose: give a worker with `prelude_only`, which waits, an artifact with the same prelude: its
 * process evaluates the rest. Where that cannot be, or goes wrong, another process loads the
 * artifact from the store, so that the outcome is the same. `worker`: not NULL. `ref`: the whole
 * key of the artifact, as that of the worker is. `bytes`: the artifact, which is checked as one of
 * the store; copied. Thread: one at a time; not from an event. Errors: E_USAGE (it does not wait,
 * or is not of a whole key), E_TOO_LARGE, E_NOMEM; the worker is unchanged. */
SNAPCELL_API int snapcell_worker_go_on(snapcell_worker *worker, const char *ref, const void *bytes,
                                       size_t size_bytes, snapcell_error *err);

#define SNAPCELL_WORKER_SHA256_SIZE 32

/* What comes after a bundle's prelude. Everything is Borrowed during the call. */
typedef struct snapcell_worker_text {
    size_t struct_size; /* sizeof(snapcell_worker_text) */
    const void *text;   /* an ES module that imports snapcell:prelude */
    size_t text_size_bytes;
    /* UTF-16 in little-endian order, as the prelude is kept; else both are Latin-1. */
    bool is_utf16;
    const void *prelude_sha256; /* 32 bytes: SHA-256 of the prelude's, in that encoding */
    const char *source_map;     /* JSON, of the text alone; NULL: none */
    size_t source_map_size_bytes;
} snapcell_worker_text;

#define SNAPCELL_WORKER_TEXT_INIT                                                                  \
    {                                                                                              \
        .struct_size = sizeof(snapcell_worker_text)                                                \
    }

/* Purpose: while developing, as snapcell_worker_go_on(), with a text of which no artifact was made
 * yet. The worker has no key then: where the text cannot be evaluated, it ends with that error, and
 * a process that ends is not replaced. `worker` and `text`: not NULL. Thread: one at a time; not
 * from an event. Errors: E_USAGE (it does not wait, or its group has keys to trust), E_TOO_LARGE,
 * E_NOMEM; the worker is unchanged. */
SNAPCELL_API int snapcell_worker_go_on_with_text(snapcell_worker *worker,
                                                 const snapcell_worker_text *text,
                                                 snapcell_error *err);

/* Purpose: whether a worker that is READY has loaded an artifact with a prelude. `worker`: not
 * NULL. Thread: one at a time. Errors: none. */
SNAPCELL_API bool snapcell_worker_has_prelude(const snapcell_worker *worker);

/* Purpose: what to wait for: a descriptor that is readable (EPOLLIN) when snapcell_worker_advance()
 * has something to do. It may be so for nothing. It is the worker's, stays the same until
 * snapcell_worker_free(), which closes it, and is for poll() and epoll alone. Level-triggered.
 * `worker`: not NULL. Returns: the descriptor. Thread: one at a time. Errors: none. */
SNAPCELL_API int snapcell_worker_fd(const snapcell_worker *worker);

/* Purpose: when snapcell_worker_advance() must be called, even if nothing comes: the limit of a
 * start, or of a call and its grace. Changes with each start of a call and each advance. `worker`:
 * not NULL. Returns: milliseconds from now, as poll() takes them; -1: never. Thread: one at a time.
 * Errors: none. */
SNAPCELL_API int snapcell_worker_timeout_ms(const snapcell_worker *worker);

/* Purpose: do what can be done without waiting: receive, send, offer the pieces of a body that were
 * not taken yet, call events, end a process that is over its limit. It does a bounded amount of
 * work; the descriptor stays readable when there is more. `worker`: not NULL. Returns: how the
 * worker is; with ENDED the reason is in `err`, each time: an error of snapcell_worker_load() for
 * one that never was READY, else one of snapcell_worker_fetch(), E_WORKER_DIED for an idle one.
 * Thread: one at a time; not from an event. Errors: see there. */
SNAPCELL_API snapcell_worker_state snapcell_worker_advance(snapcell_worker *worker,
                                                           snapcell_error *err);

/* What comes of a call, in this order: `head`, any number of `body`, `end`, `done`; a call that is
 * not FETCH has no head. An error may come instead of each, as `done`: a response without `end` is
 * not whole. `log` comes at any time before `done`. All are called by snapcell_worker_advance(), on
 * its thread. They may call snapcell_worker_send_body(), _end_body(), _abandon(), _cancel() and
 * what only asks; `done` also snapcell_worker_call_start(). They must not free the worker. NULL:
 * not wanted, and what would come is dropped. The struct is copied; `user` is Borrowed until
 * `done`, after which nothing is called. What a worker sends is untrusted: only what is said here
 * is sure. */
typedef struct snapcell_worker_events {
    size_t struct_size; /* sizeof(snapcell_worker_events) */
    void *user;

    /* The response's status, 200 to 599, and its headers, which are valid. Borrowed. */
    void (*head)(void *user, int status, const snapcell_header *headers, size_t header_count);

    /* The next bytes of the response's body, or of a result's JSON text (to be parsed as input from
     * outside). Returns how many of them were taken; the others are offered again by each
     * snapcell_worker_advance(), and meanwhile the function waits when it has more. */
    size_t (*body)(void *user, const void *data, size_t size_bytes);

    /* The response, or the result, is complete. Promises passed to waitUntil() may go on. */
    void (*end)(void *user);

    /* snapcell_worker_send_body() has room again, after it took less than it was given. */
    void (*room)(void *user);

    /* Console output: valid UTF-8, zero-terminated. NULL: goes to the group's log, if it has one.
     */
    void (*log)(void *user, snapcell_log_level level, const char *text, size_t text_size_bytes);

    /* The call is over, waitUntil() included. `status` is SNAPCELL_OK, or an error's code, with
     * `error` Borrowed. The worker is READY, or ENDED. */
    void (*done)(void *user, int status, const snapcell_error *error);
} snapcell_worker_events;

#define SNAPCELL_WORKER_EVENTS_INIT                                                                \
    {                                                                                              \
        sizeof(snapcell_worker_events), NULL, NULL, NULL, NULL, NULL, NULL, NULL                   \
    }

typedef enum snapcell_worker_call_kind {
    SNAPCELL_WORKER_CALL_FETCH = 0,   /* `request`: as snapcell_cell_stream() */
    SNAPCELL_WORKER_CALL_INVOKE = 1,  /* `event_json`: as snapcell_cell_invoke() */
    SNAPCELL_WORKER_CALL_HANDLER = 2, /* `handler`, `event_json`: as snapcell_cell_call() */
} snapcell_worker_call_kind;

/* A call to be started. All pointers are Borrowed during snapcell_worker_call_start(). */
typedef struct snapcell_worker_task {
    size_t struct_size; /* sizeof(snapcell_worker_task) */
    snapcell_worker_call_kind kind;
    const snapcell_request *request; /* NULL: "GET /" */
    /* The request's body comes by snapcell_worker_send_body(), until _end_body(); the request has
     * none of its own, which would be sent, and if need be kept, as a whole. */
    bool streams_body;
    const char *handler;
    const char *event_json; /* NULL: "{}" */
} snapcell_worker_task;

#define SNAPCELL_WORKER_TASK_INIT                                                                  \
    {                                                                                              \
        .struct_size = sizeof(snapcell_worker_task)                                                \
    }

/* Purpose: start a call on a worker that is READY. `task`: NULL for "GET /". `events`: not NULL.
 * When it fails the worker is as before, and no event comes. Thread: one at a time; from events
 * only from `done`. Errors: E_USAGE (an invalid request, or not READY), E_TOO_LARGE, E_NOMEM. */
SNAPCELL_API int snapcell_worker_call_start(snapcell_worker *worker,
                                            const snapcell_worker_task *task,
                                            const snapcell_worker_events *events,
                                            snapcell_error *err);

/* Purpose: send bytes of the request's body, of a task with `streams_body`. `data`: copied.
 * Returns: how many were taken from the front, limited by what the function has read of those
 * before; `room` tells when there is room again. When the call is over: all of them, which are
 * dropped. `worker`: not NULL. Thread: one at a time. Errors: none. */
SNAPCELL_API size_t snapcell_worker_send_body(snapcell_worker *worker, const void *data,
                                              size_t size_bytes);

/* Purpose: end the request's body. `is_whole`: false when its sender is gone: the function's read
 * fails with a TypeError. `worker`: not NULL. Thread: one at a time. Errors: none. */
SNAPCELL_API void snapcell_worker_end_body(snapcell_worker *worker, bool is_whole);

/* Purpose: nobody wants the response any more: no `head`, `body` or `end` comes. The function's
 * stream is cancelled and its request's signal aborted when it next writes or waits for a body; it
 * goes on otherwise, and so does what it passed to waitUntil(). snapcell_worker_cancel() ends it
 * instead. Without a call nothing happens. `worker`: not NULL. Thread: one at a time. Errors: none.
 */
SNAPCELL_API void snapcell_worker_abandon(snapcell_worker *worker);

/* --- Advanced
 * -----------------------------------------------------------------------------------------------
 */

/* Purpose: the best tier that this kernel gives to a process of this user; NONE when the library
 * cannot restore memory. Returns: the tier. Thread: any. Errors: none. */
SNAPCELL_API snapcell_restore_tier snapcell_restore_probe(void);

/* Purpose: the worker's process, as for putting it into a control group; 0 while there is none,
 * after a call that ended it. `worker`: not NULL. Thread: one at a time. Errors: none. */
SNAPCELL_API int snapcell_worker_process_id(const snapcell_worker *worker);

/* Where a process has its function from. */
typedef enum snapcell_worker_origin {
    SNAPCELL_WORKER_FROM_ARTIFACT = 0, /* a process was started, and loaded it */
    SNAPCELL_WORKER_FROM_IMAGE = 1,    /* a launcher that waited became an image of it */
    SNAPCELL_WORKER_FROM_IMAGE_BY_NEW_LAUNCHER = 2, /* none waited: one was started first */
} snapcell_worker_origin;

/* Purpose: where the worker's process has its function from; of one that was READY. `worker`: not
 * NULL. Returns: the origin. Thread: one at a time. Errors: none. */
SNAPCELL_API snapcell_worker_origin snapcell_worker_get_origin(const snapcell_worker *worker);

/* Purpose: be the worker process; called by a program that was started as one, with the socket's
 * descriptor. Returns: the process's exit status. Thread: the main one, once, before anything else.
 * Errors: sent to the host. */
SNAPCELL_API int snapcell_cell_worker(int socket_fd);

#ifdef __cplusplus
}
#endif
#endif
