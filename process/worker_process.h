/* A worker: a child process with one end of a socket, and nothing else of its parent. Internal; one
 * thread uses a process at a time. */
#ifndef SNAPCELL_WORKER_PROCESS_H
#define SNAPCELL_WORKER_PROCESS_H

#include <sys/types.h>

#include "wire_message.h"

/* As much of what a worker writes to stderr is kept: V8's last words come early in it. */
#define WORKER_WORDS_SIZE_MAX 16384

/* What a worker is for. Everything is Borrowed for ever. */
typedef struct worker_kind {
    const char *command; /* of the program: its first argument; the socket's number is the second */
    wire_size_max_fn *size_max; /* of what it may send */
} worker_kind;

typedef struct worker_process {
    const worker_kind *kind;
    pid_t pid;
    int socket_fd;
    int words_fd;           /* the worker's stderr */
    uint64_t deadline_ns;   /* of the monotonic clock; UINT64_MAX: none */
    uint64_t body_size_max; /* of what it sends, beside what its kind allows */
    char words[WORKER_WORDS_SIZE_MAX + 1];
    size_t words_size_bytes;
} worker_process;

/* A message as it came. `body` is Owned: free(). */
typedef struct worker_message {
    uint32_t type;
    void *body;
    size_t body_size_bytes;
} worker_message;

typedef enum worker_status {
    WORKER_OK = 0,
    WORKER_GONE = 1,      /* it closed its end, or died */
    WORKER_TIMEOUT = 2,   /* the deadline has passed */
    WORKER_NONSENSE = 3,  /* what it sent is no message */
    WORKER_NO_MEMORY = 4, /* here, not there */
} worker_status;

/* Starts program `path` as a worker that has `wall_limit_ms` for all it does. Its environment is
 * the time zone `zone`, as "TZ=UTC", alone. Once started, to be ended by worker_process_end().
 * Errors: E_INTERNAL (it cannot be started), E_IO. Thread: any, several at once; no lock is held in
 * the child. */
int worker_process_start(const char *path, const worker_kind *kind, const char *zone,
                         uint32_t wall_limit_ms, worker_process *out, snapcell_error *err);

/* Of a worker that does one thing after another: gives it `limit_ms` (0: no limit) for the next
 * one, and forgets what it wrote to stderr before. */
void worker_process_renew(worker_process *process, uint32_t limit_ms);

/* Whether it lives and has sent nothing that was not received. */
bool worker_process_is_quiet(const worker_process *process);

worker_status worker_process_send(worker_process *process, uint32_t type, const wire_writer *body);
worker_status worker_process_receive(worker_process *process, worker_message *out);

/* How a process ended; exactly one of the two is not negative, none when it is not known. */
typedef struct worker_end {
    int exit_status;
    int signal;
} worker_end;

/* Waits for a worker that closed its end, for a moment, and tells how it ended. To be followed by
 * worker_process_end(). */
worker_end worker_process_wait(worker_process *process);

/* Kills the worker if it is still there, and releases what a started process holds. Once. */
void worker_process_end(worker_process *process);

#endif
