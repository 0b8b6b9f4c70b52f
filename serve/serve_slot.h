/* A worker in the event loop. Internal to serve/. */
#ifndef SNAPCELL_SERVE_SLOT_H
#define SNAPCELL_SERVE_SLOT_H

#include "serve_pool.h"

typedef enum serve_slot_state {
    SERVE_SLOT_STARTING = 0,
    SERVE_SLOT_IDLE,
    SERVE_SLOT_BUSY,
    SERVE_SLOT_DYING, /* it was idle, and its process closed its end */
} serve_slot_state;

/* What the pool does when a worker has changed. None of them is called from a worker's event. */
typedef struct serve_slot_events {
    void (*ready)(serve_slot *slot);   /* it has started */
    void (*settled)(serve_slot *slot); /* its call is over, and it is free */
    void (*dying)(serve_slot *slot);   /* it was idle, and takes no call any more */
    void (*ended)(serve_slot *slot, const snapcell_error *why); /* it is of no more use */
} serve_slot_events;

/* Workers of one kind, whatever their functions: they share images, and launchers that wait. */
typedef struct serve_group {
    uint32_t policy;
    uint32_t warm_calls;
    snapcell_workers *workers;
    struct serve_group *next;
} serve_group;

/* What a worker is started for. */
typedef enum serve_turn {
    SERVE_TURN_ANY = 0,
    SERVE_TURN_FIRST,  /* somebody waits for its function, which has none */
    SERVE_TURN_SECOND, /* to take the place of the first */
    SERVE_TURN_AHEAD,  /* to wait for the next version, with the prelude of the last one */
} serve_turn;

struct serve_slot {
    const serve_slot_events *events;
    serve_function *function;
    snapcell_worker *worker; /* NULL: the slot is freed, all but its handle */
    serve_slot_state state;
    serve_ticket *ticket; /* while it is BUSY */
    bool is_stale;        /* ends after its call */
    bool is_early;        /* went on with a text that the store does not have */
    uint32_t call_count;
    uint64_t started_ns;
    uint64_t idle_ns; /* since when */
    uint64_t memory_bytes;
    serve_settings *settings; /* it was started by */
    snapcell_key key;         /* of the function, then */
    uv_poll_t poll;
    serve_slot *next; /* in the list of all */
    serve_slot *previous;
    serve_slot *next_idle; /* of its function */
};

/* The group of this kind, of the list. NULL on failure. Errors: those of snapcell_workers_open().
 */
serve_group *serve_group_find(serve_group **groups, const serve_context *context,
                              const serve_function_config *config, snapcell_error *err);

/* Has each of them keep a process waiting for the next function. */
void serve_group_prepare_all(const serve_group *groups);

/* After all of their workers. */
void serve_group_free_all(serve_group *groups);

/* Starts a worker of an artifact, under a name. `*out`: Owned. Errors: those of
 * snapcell_worker_start(). */
int serve_slot_start_worker(const serve_name *item, snapcell_workers *workers, bool no_sandbox,
                            const serve_function_config *config, serve_turn turn,
                            snapcell_worker **out, snapcell_error *err);

/* Starts a worker of a function, with a place. NULL on failure. Errors: those of
 * snapcell_worker_start(). */
serve_slot *serve_slot_start(serve_function *function, snapcell_workers *workers, serve_turn turn,
                             const serve_slot_events *events, const serve_context *context,
                             snapcell_error *err);

/* Lets it do what it can, and calls what comes of it. The slot may be freed by that. */
void serve_slot_advance(serve_slot *slot);

/* Whether its worker wants to advance because its time is over. */
bool serve_slot_is_due(const serve_slot *slot);

/* Ends its process, if that still lives, and frees it. */
void serve_slot_free(serve_slot *slot);

/* Looks how much memory its process has to itself. */
void serve_slot_measure(serve_slot *slot);

/* Whether its process waits for something, and uses no CPU. */
bool serve_slot_sleeps(const serve_slot *slot);

#endif
