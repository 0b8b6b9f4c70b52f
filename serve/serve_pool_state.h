/* What the pool's files share. Internal to the pool. */
#ifndef SNAPCELL_SERVE_POOL_STATE_H
#define SNAPCELL_SERVE_POOL_STATE_H

#include "serve_slot.h"

#define SERVE_FUNCTION_HASH_SIZE 1024u

typedef struct serve_tenant {
    char *name;
    uint32_t workers_max; /* 0: as many as there are */
    uint32_t worker_count;
    uint32_t owed; /* workers that it gives up, once their calls are over */
    struct serve_tenant *next;
} serve_tenant;

struct serve_pool {
    serve_context *context;
    serve_function *functions[SERVE_FUNCTION_HASH_SIZE];
    serve_tenant *tenants;
    serve_function *waiting; /* those with a queue */
    serve_group *groups;
    serve_slot *slots;
    uint32_t slot_count;
    uint32_t cpu_count;
    uint64_t memory_bytes; /* of all workers, as last measured */
    uint64_t memory_max_bytes;
    uint64_t measured_ns;
    uv_timer_t timer; /* runs while somebody waits */
    bool timer_runs;
};

/* --- Functions (serve_pool_function.c) --- */

/* The tenant of this name; NULL is one, too. NULL when memory is short. */
serve_tenant *serve_pool_tenant(serve_pool *pool, const char *name);

/* Takes the settings that hold now. */
void serve_function_configure(serve_function *function);

void serve_function_free(serve_function *function);

/* Remembers why it could not be served. */
void serve_function_set_failure(serve_function *function, const snapcell_error *why);
/* That, or that memory is short. */
const snapcell_error *serve_function_failure(const serve_function *function);

/* --- Queues (serve_pool_queue.c) --- */

void serve_pool_enqueue(serve_ticket *ticket);
void serve_pool_dequeue(serve_ticket *ticket);

/* A ticket that is in no queue gets no worker. */
void serve_pool_refuse(serve_ticket *ticket, const snapcell_error *why, unsigned retry_after_s);
void serve_pool_refuse_all(serve_function *function, const snapcell_error *why);

/* Refuses those that have waited for too long. */
void serve_pool_expire(serve_function *function, uint64_t now_ns);

/* In how many seconds there is use in another try. */
unsigned serve_pool_retry_after(const serve_function *function, uint64_t now_ns);

/* Whether a worker cannot be started for a reason that another try does not remove. */
bool serve_pool_is_lasting(int code);

/* Whether it, or its tenant, has as many workers as it may have. */
bool serve_pool_is_at_maximum(const serve_function *function);

/* Whether one more worker is to be started for those that wait. */
bool serve_pool_wants_worker(const serve_function *function, uint64_t now_ns);

/* --- Workers and room (serve_pool_room.c) --- */

void serve_pool_link(serve_pool *pool, serve_slot *slot);
void serve_pool_unlink(serve_slot *slot);
void serve_pool_remove_idle(serve_slot *slot);

/* Ends a worker that has no call. */
void serve_pool_retire(serve_slot *slot, serve_end why);

/* Room for a worker of this function. False: not now; it is tried again when a worker has ended. */
bool serve_pool_make_room(serve_pool *pool, const serve_function *function);

/* Looks how much memory there is in use, and ends idle workers where that is too much. */
void serve_pool_measure(serve_pool *pool);

/* Ends workers that nobody has needed for long. */
void serve_pool_retire_idle(serve_pool *pool, uint64_t now_ns);

/* --- While developing, a worker that waits for the next version (serve_pool_ahead.c) --- */

/* A worker is ready: the next one may have the same prelude. */
void serve_pool_note_prelude(const serve_slot *slot);

/* In idle time: has one wait for each function whose version had a prelude. */
void serve_pool_prepare_ahead(serve_pool *pool);

/* The one that waits, with the function's version to go on with; NULL when there is none, or this
 * version is not for it. Owned by the caller, who gives it other events. */
serve_slot *serve_pool_take_ahead(serve_function *function);

/* The same with a text of no version; it stands for itself in the slot's key. Errors: as
 * serve_pool_serve_early(). */
int serve_pool_take_early(serve_function *function, const snapcell_worker_text *text,
                          serve_slot **out, snapcell_error *err);

void serve_pool_end_ahead(serve_function *function);

#define SERVE_EACH_FUNCTION(pool, function)                                                        \
    for (size_t bucket_ = 0; bucket_ < SERVE_FUNCTION_HASH_SIZE; bucket_++)                        \
        for (serve_function * (function) = (pool)->functions[bucket_]; (function) != NULL;         \
             (function) = (function)->next)

#endif
