/* A host's workers: what the files of workers/ share on the host's side. Internal. */
#ifndef SNAPCELL_WORKER_STATE_H
#define SNAPCELL_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cell_protocol.h"
#include "child_process.h"
#include "snapcell/worker.h"
#include "worker_images.h"
#include "worker_link.h"

/* As snapcell_workers_counts. */
typedef struct worker_counters {
    _Atomic uint64_t starts;
    _Atomic uint64_t calls;
    _Atomic uint64_t restores;
    _Atomic uint64_t restored_pages;
    _Atomic uint64_t restore_ns;
    _Atomic uint64_t cuts;
    _Atomic uint64_t deaths;
    _Atomic uint64_t anomalies;
    _Atomic uint64_t fallbacks;
    _Atomic uint64_t cancelled;
    _Atomic uint32_t tier;
} worker_counters;

/* Processes that were ended, and that nobody waits for before they are dead. */
typedef struct worker_dying {
    pthread_mutex_t lock;
    pid_t *pids;
    size_t count;
    size_t capacity;
} worker_dying;

/* A process of the program that has no function yet. */
typedef struct worker_spare {
    pthread_mutex_t lock; /* of the rest */
    bool is_there;
    child_process process; /* Owned */
} worker_spare;

struct snapcell_workers {
    snapcell_workers_options options; /* its pointers are to what is below, or NULL */
    char *store_path;
    char *worker_path;
    char *zone;         /* "TZ=...", or NULL */
    char *image_folder; /* NULL: none */
    snapcell_trust *trust;
    worker_images *images; /* NULL: none */
    worker_counters counters;
    worker_dying dying;
    worker_spare spare;
};

/* What a worker's function may reach. */
typedef struct worker_net {
    bool is_wanted;
    snapcell_net_options options; /* what it points to is Owned */
    int fd;                       /* snapcell-net's end of the socket, until it starts; -1: none */
    pid_t pid;                    /* 0: none */
    int exit_fd;                  /* tells of its death; -1: none, or nobody can tell */
} worker_net;

/* How the process of a worker is. */
typedef enum worker_stage {
    WORKER_STAGE_NONE = 0, /* there is none */
    WORKER_STAGE_HELLO = 1,
    WORKER_STAGE_LOADING = 2,
    WORKER_STAGE_SERVING = 3,
    WORKER_STAGE_DYING = 4,   /* it has closed its end, and its exit status is not known yet */
    WORKER_STAGE_ENDED = 5,   /* as NONE, and `ended` says why */
    WORKER_STAGE_WAITING = 6, /* it has evaluated a prelude: worker_go_on.c */
} worker_stage;

/* A request's body that comes in pieces. */
typedef struct worker_upload {
    bool is_open;
    bool wants_room; /* less was taken than was given */
    uint64_t room_bytes;
} worker_upload;

/* A response's body, or a result. */
typedef struct worker_download {
    bool has_head;
    bool has_ended;
    bool end_told;
    bool abandoned;
    wire_writer queue; /* what nobody took yet, from `queue_start` on */
    size_t queue_start;
    size_t unpaid_bytes; /* received without credit for as many more */
    size_t taken_bytes;  /* of them, those that may be paid for */
} worker_download;

/* A call. */
typedef struct worker_exchange {
    bool is_active; /* `done` is still to come */
    bool is_over;   /* for the worker */
    int status;     /* then */
    cell_call_kind kind;
    snapcell_worker_events events;
    worker_upload upload;
    worker_download download;
} worker_exchange;

struct snapcell_worker {
    snapcell_workers *workers;
    char *ref;              /* what is loaded */
    char *title;            /* what messages call it: the name of what is loaded by key */
    wire_writer load;       /* the LOAD message, for each process that it takes */
    wire_writer image_load; /* that of a process that makes its image; empty: it has none */
    uint64_t memory_limit_bytes;
    uint64_t call_size_max;
    uint64_t answer_size_max;
    uint32_t cpu_limit_ms;
    uint32_t wall_limit_ms;
    snapcell_handler_shape shape;
    cell_policy wanted;            /* of the next process */
    cell_policy policy;            /* by which its process serves */
    worker_image_outcome launch;   /* what became of a process from an image */
    image_key launch_key;          /* of the image */
    snapcell_worker_origin origin; /* of its process */
    bool is_launching;             /* the process comes from an image, and is not ready yet */
    uint32_t launches_left;
    bool is_soon;      /* it reloads where it cannot be launched from an image */
    bool is_counted;   /* among the starts of its function, for an image */
    bool is_async;     /* nobody waits for its processes' end */
    bool prelude_only; /* it waits for an artifact to go on with */
    bool is_going_on;  /* it got one, and is not ready yet */
    bool has_prelude;  /* what its process has loaded does */
    bool logs;
    worker_stage stage;
    bool running; /* it has a process */
    bool called;  /* its process was ready */
    child_process process;
    worker_link link;
    worker_net net;
    uint64_t host_answer_end; /* of the last answer to a host call, in the link's bytes */
    int poll_fd;              /* an epoll descriptor; -1: none */
    int exit_fd;              /* of a process that is dying; -1: none */
    bool polls_room;          /* whether poll_fd tells when the link can send, too */
    uint64_t deadline_ns;     /* UINT64_MAX: none */
    worker_exchange exchange;
    snapcell_error error; /* of the exchange, once it is over */
    snapcell_error ended; /* why it ended */

    pthread_mutex_t lock; /* of what follows, and of what a cancelling thread does to the process */
    uint64_t call_number; /* of its process's calls */
    bool calling;
    bool cancelled;
};

static inline void worker_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

/* Each part calls those above it. */

/* --- Groups (worker_group.c) --- */

/* Takes over a process that was killed: it is waited for when that takes no time. */
void workers_bury(snapcell_workers *workers, pid_t pid);
/* Waits for those that are dead; with `all`, for the others, too. */
void workers_reap(snapcell_workers *workers, bool all);

/* --- A process that waits (worker_spare.c) --- */

/* Whether it is for processes that restore, or for those that do not. */
bool worker_spare_restores(const snapcell_workers *workers);
/* The one that waits, if there is one that lives, and is for this policy: Owned by the caller. */
bool worker_spare_take(snapcell_workers *workers, cell_policy policy, child_process *out);
bool worker_spare_is_there(snapcell_workers *workers);
/* `process`: taken over. */
void worker_spare_put(snapcell_workers *workers, child_process *process);
void worker_spare_end(snapcell_workers *workers);

/* --- The network (worker_net.c) --- */

/* `options`: copied; NULL: none. Errors: E_USAGE, E_NOMEM. */
int worker_net_set(snapcell_worker *worker, const snapcell_net_options *options,
                   snapcell_error *err);
void worker_net_release(snapcell_worker *worker);
/* Before a process begins to load. `*its_fd`: the worker's end of the socket, Owned by the caller;
 * -1: it has no network. Errors: E_IO. */
int worker_net_open(snapcell_worker *worker, int *its_fd, snapcell_error *err);
/* The worker's function fetches for the first time. */
child_outcome worker_net_start(snapcell_worker *worker);
/* Ends what serves the worker's process. */
void worker_net_close(snapcell_worker *worker);
/* What served it has ended: no fetch of its process will succeed. */
bool worker_net_is_lost(const snapcell_worker *worker);

/* --- Host functions (worker_host.c) --- */

/* A call of one; `call`: of which call it is part, 0 of a load. */
child_outcome worker_take_host_call(snapcell_worker *worker, uint64_t call, const void *body,
                                    size_t size_bytes);

/* --- Waiting (worker_poll.c) --- */

/* The process is there, and both sides may talk. */
bool worker_is_connected(const snapcell_worker *worker);
snapcell_worker_state worker_state(const snapcell_worker *worker);
/* From now on the descriptor tells of a new process. False: there is no memory. */
bool worker_watch(snapcell_worker *worker);
/* Then, of its death. */
void worker_watch_death(snapcell_worker *worker);
void worker_unwatch(snapcell_worker *worker);
/* Sends what there is to send, and sees to it that the rest will be. */
void worker_push(snapcell_worker *worker);
/* Waits until the next step has something to do, for at most `limit_ms`; -1: no limit. */
void worker_wait(const snapcell_worker *worker, int limit_ms);

/* --- What comes of a call (worker_events.c) --- */

/* A message of a call. */
child_outcome worker_take_exchange(snapcell_worker *worker, const worker_message *message);
/* Console output; `size_bytes` without the call's number. */
child_outcome worker_take_log(snapcell_worker *worker, const void *body, size_t size_bytes);
/* Calls the events that are due. */
void worker_deliver(snapcell_worker *worker);
/* Sends credit for what was taken. */
void worker_pay(snapcell_worker *worker);
/* The process will say no more of a call. `error`: NULL when nothing went wrong. */
void worker_exchange_over(snapcell_worker *worker, const snapcell_error *error);
/* Forgets what nobody took yet of a response. */
void worker_drop_queue(snapcell_worker *worker);
/* Releases what an exchange holds; no event is called. */
void worker_release_exchange(snapcell_worker *worker);

/* --- Calls (worker_call.c) --- */

/* As snapcell_worker_call_start(); the call's number is filled in. */
int worker_begin_call(snapcell_worker *worker, cell_call *call,
                      const snapcell_worker_events *events, snapcell_error *err);
/* What a function's process would refuse is refused here, where it is known to be well-formed. */
int worker_check_request(const snapcell_worker *worker, const snapcell_request *request,
                         bool streams_body, snapcell_error *err);

/* --- What ends a process (worker_ends.c) --- */

/* Ends the process, if there is one, without a word. */
void worker_stop(snapcell_worker *worker);
/* Says what went wrong with a process, in `err`. `end`: how it ended, of CHILD_GONE. */
int worker_describe_end(const snapcell_worker *worker, child_outcome outcome, const child_end *end,
                        snapcell_error *err);
/* Ends the process for a reason, and with it its call. */
void worker_end(snapcell_worker *worker, const snapcell_error *error);

/* --- Starts (worker_load.c, worker_start.c) --- */

int worker_check_options(const snapcell_cell_options *options, snapcell_error *err);
void worker_set_limits(snapcell_worker *worker, const snapcell_cell_options *options);
/* 0, no limit, when there are not so many bytes. */
uint64_t worker_data_limit(const snapcell_worker *worker);
/* Writes the LOAD message, and that of its image. */
int worker_write_load(snapcell_worker *worker, const snapcell_cell_options *options,
                      snapcell_error *err);
/* A process of the program, which will say HELLO. */
int worker_start_program(const snapcell_workers *workers, uint32_t limit_ms, child_process *out,
                         snapcell_error *err);
/* Takes a new process, which begins to load. */
int worker_begin_start(snapcell_worker *worker, snapcell_error *err);
/* A process from an image is of no use: another one, or the program, takes its place. */
void worker_launch_again(snapcell_worker *worker);
/* The process that was to go on could not: one that loads everything takes its place. */
void worker_start_over(snapcell_worker *worker);
/* A message of a process that is not ready. What ends the process, as an ERROR, leaves it ENDED. */
child_outcome worker_take_start(snapcell_worker *worker, const worker_message *message);

/* --- The machine (worker_advance.c) --- */

/* As snapcell_worker_advance(), without what it says. */
void worker_step(snapcell_worker *worker);
/* Ends a process that did something wrong. */
void worker_lose(snapcell_worker *worker, child_outcome outcome);

/* --- Calls that wait (worker_blocking.c) --- */

/* Waits until a worker can be called; one that died since the last call is replaced, and so is one
 * that spoke without being asked. */
int worker_become_ready(snapcell_worker *worker, snapcell_error *err);

#endif
