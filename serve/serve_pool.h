/* Workers of many functions: who waits for one, who gets one, which are started and ended. Internal
 * to serve/.
 *
 * A function has a queue, and workers between its minimum and maximum. One more is started when
 * those that wait have done so for a while. All functions share the bounds of the server, tenants
 * equally: where there is no room, the worker that was idle for longest goes, and where none is
 * idle, one of the tenant that has the most goes as soon as its call is over. */
#ifndef SNAPCELL_SERVE_POOL_H
#define SNAPCELL_SERVE_POOL_H

#include "serve_context.h"

typedef struct serve_pool serve_pool;
typedef struct serve_function serve_function;
typedef struct serve_slot serve_slot; /* a worker's place */
typedef struct serve_ticket serve_ticket;

typedef struct serve_ticket_events {
    /* A worker is there: start a call on it. False: it was not started, and the ticket is over. */
    bool (*granted)(serve_ticket *ticket, snapcell_worker *worker);
    /* There is none, and the ticket is over. `retry_after_s`: 0 when there is no use in that. */
    void (*refused)(serve_ticket *ticket, const snapcell_error *why, unsigned retry_after_s);
    /* The worker has advanced: what it gave may be passed on. */
    void (*advanced)(serve_ticket *ticket);
    /* The call is over, and so is the ticket. */
    void (*settled)(serve_ticket *ticket);
} serve_ticket_events;

/* A call, from the queue to its end; part of what wants it. */
struct serve_ticket {
    const serve_ticket_events *events;
    serve_function *function;
    serve_slot *slot;  /* while it calls */
    uint64_t asked_ns; /* when it began to wait */
    uint64_t granted_ns;
    uint64_t answered_ns; /* the response's end; 0: not yet */
    bool is_over;         /* its owner has seen `done` */
    int status;           /* of the call, then */
    serve_ticket *next;   /* in the queue */
    serve_ticket *previous;
};

/* A function as the pool sees it. */
struct serve_function {
    serve_pool *pool;
    char *name;
    serve_settings *settings; /* by which it is run */
    const serve_function_config *config;
    snapcell_key key;       /* of the version that is served */
    snapcell_key store_key; /* of the store's version, when it was last looked at */
    snapcell_handler_shape shape;
    bool is_known; /* the store has the function, and its shape was read */
    bool is_early; /* `key` stands for a text that the store is still to get; one worker has it */
    bool waits;    /* it is in the pool's list of those that wait */
    struct serve_tenant *tenant;
    serve_ticket *queue_first;
    serve_ticket *queue_last;
    uint32_t queue_count;
    uint32_t worker_count; /* in all states */
    uint32_t starting_count;
    uint32_t busy_count;
    uint32_t failure_count;   /* starts and deaths, one after the other */
    uint64_t retry_ns;        /* no worker is started before; 0: at once */
    snapcell_error *failure;  /* Owned: the last one; NULL: none */
    serve_slot *first;        /* its first worker, which reloads; NULL: none, or others do */
    bool first_failed;        /* a call ended it: the next one restores */
    serve_slot *ahead;        /* in no list: it waits for the next version; NULL: none does */
    snapcell_key prelude_key; /* of the version that had a prelude last */
    bool wants_ahead;
    serve_slot *idle; /* the one that was used last is first */
    serve_function_metrics metrics;
    serve_function_watch watch;
    serve_function *next; /* of the same hash */
    serve_function *next_waiting;
};

/* `*out`: Owned, serve_pool_free(). Errors: E_NOMEM, E_IO. */
int serve_pool_new(serve_context *context, serve_pool **out, snapcell_error *err);

/* Ends all workers. Handles are closed when the loop runs for the last time. */
void serve_pool_free(serve_pool *pool);

/* The function of this name, which the store has. NULL when memory is short. */
serve_function *serve_pool_function(serve_pool *pool, const serve_name *name);

/* Asks for a worker. `granted` or `refused` may be called at once. */
void serve_pool_ask(serve_ticket *ticket, serve_function *function,
                    const serve_ticket_events *events);

/* Waits no longer. */
void serve_pool_forget(serve_ticket *ticket);

/* The worker has something to do, though nothing came of it: somebody can take a body again. Not
 * from a worker's event. */
void serve_pool_push(serve_ticket *ticket);

/* Starts the workers that functions have at least, whether somebody asks or not. */
void serve_pool_prepare(serve_pool *pool);

/* While developing: has the worker that waits for the function's next version serve this text,
 * before the store has it. Until then no other worker is started. Whether it can, the log tells
 * later: version_served, or version_declined, after which the version before is served. Errors:
 * E_BUSY (none waits), and those of snapcell_worker_go_on_with_text(). */
int serve_pool_serve_early(serve_function *function, const snapcell_worker_text *text,
                           snapcell_error *err);

/* The store or the settings have changed: workers of what is no longer so are replaced. */
void serve_pool_renew(serve_pool *pool);

/* Now and then, every 100 ms or so. */
void serve_pool_tick(serve_pool *pool, uint64_t now_ns);

/* No more workers, except for those that wait; idle ones end. */
void serve_pool_drain(serve_pool *pool);

/* Whether no call goes on, and none waits. */
bool serve_pool_is_idle(const serve_pool *pool);

/* Cancels all calls. */
void serve_pool_cancel(serve_pool *pool);

void serve_pool_report(const serve_pool *pool, serve_buffer *out);

#endif
