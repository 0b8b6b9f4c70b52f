/* A child: a process that was started with one end of a socket and nothing else of its parent.
 * Internal; one thread uses a process at a time. */
#ifndef SNAPCELL_CHILD_PROCESS_H
#define SNAPCELL_CHILD_PROCESS_H

#include <sys/types.h>

#include "wire_message.h"

/* As much of what a child writes to stderr is kept: V8's last words come early in it. */
#define CHILD_WORDS_SIZE_MAX 16384

/* What a child is for. Everything is Borrowed forever. */
typedef struct child_kind {
    const char *command; /* of the program: its first argument; the socket's number is the second */
    wire_size_max_fn *size_max; /* of what it may send */
    bool has_control;           /* a second socket to it, PROCESS_SOCKET_FD + 1 there */
} child_kind;

typedef struct child_process {
    const child_kind *kind;
    pid_t parent; /* that started it */
    pid_t pid;
    int socket_fd;
    int words_fd;           /* the child's stderr */
    int control_fd;         /* to order it about while it works; does not block; -1: none */
    uint64_t deadline_ns;   /* of the monotonic clock; UINT64_MAX: none */
    uint64_t body_size_max; /* of what it sends, in addition to what its kind allows */
    char words[CHILD_WORDS_SIZE_MAX + 1];
    size_t words_size_bytes;
} child_process;

/* A message as it came. `body` is Owned: free(). */
typedef struct child_message {
    uint32_t type;
    void *body;
    size_t body_size_bytes;
} child_message;

typedef enum child_outcome {
    CHILD_OK = 0,
    CHILD_GONE = 1,      /* it closed its end, or died */
    CHILD_TIMEOUT = 2,   /* the deadline has passed */
    CHILD_NONSENSE = 3,  /* what it sent is not a message */
    CHILD_NO_MEMORY = 4, /* here, not there */
} child_outcome;

/* Starts program `path` as a child that has `wall_limit_ms` for all it does. Its environment is
 * the time zone `zone`, as "TZ=UTC", alone. Once started, to be ended by child_process_end().
 * Errors: E_INTERNAL (it cannot be started), E_IO. Thread: any, several at once; no lock is held in
 * the child. */
int child_process_start(const char *path, const child_kind *kind, const char *zone,
                        uint32_t wall_limit_ms, child_process *out, snapcell_error *err);

/* The same; `file_fd` is given to the child as the descriptor after its sockets; -1: none. */
int child_process_start_with(const char *path, const child_kind *kind, const char *zone,
                             uint32_t wall_limit_ms, int file_fd, child_process *out,
                             snapcell_error *err);

/* Of a child that does one thing after another: gives it `limit_ms` (0: no limit) for the next
 * one, and forgets what it wrote to stderr before. */
void child_process_renew(child_process *process, uint32_t limit_ms);

/* Whether it lives and has sent nothing that was not received. */
bool child_process_is_quiet(const child_process *process);

child_outcome child_process_send(child_process *process, uint32_t type, const wire_writer *body);
/* The same, and `fd` goes with it. Only for a small message. */
child_outcome child_process_send_file(child_process *process, uint32_t type,
                                      const wire_writer *body, int fd);
child_outcome child_process_receive(child_process *process, child_message *out);

/* How a process ended; exactly one of the first two is not negative, none when it is not known. */
typedef struct child_end {
    int exit_status;
    int signal;
    uint64_t cpu_ms; /* that it used; 0 when it is not known */
} child_end;

/* Waits for a child that closed its end, for a moment, and tells how it ended. To be followed by
 * child_process_end(). */
child_end child_process_wait(child_process *process);

/* The same, without waiting. False: it has not ended yet. */
bool child_process_has_ended(child_process *process, child_end *end);

/* False in a process that was forked after the child was started: it is its parent's, who talks to
 * it by the same socket. */
bool child_process_is_ours(const child_process *process);

/* Kills the child if it is still there, and ours, and releases what a started process holds. Once.
 */
void child_process_end(child_process *process);

/* The same, without waiting. Returns the process that is to be waited for; 0: none. */
pid_t child_process_kill(child_process *process);

#endif
