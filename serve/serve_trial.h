/* A release is tried before it is served: every function of it is loaded once, one after the other,
 * as its workers would load it. Internal to serve/. */
#ifndef SNAPCELL_SERVE_TRIAL_H
#define SNAPCELL_SERVE_TRIAL_H

#include "serve_names.h"
#include "serve_pool.h"

/* How it went: `why` is NULL when all were loaded, else of the function `name`. Borrowed. */
typedef void serve_trial_fn(void *user, const char *name, const snapcell_error *why);

/* Zeroed is none. */
typedef struct serve_trial {
    serve_pool *pool;
    serve_name *items; /* Owned */
    size_t count;
    size_t next;
    snapcell_worker *worker; /* of the one before `next`; NULL: none */
    uv_poll_t *poll;
    serve_trial_fn *done;
    void *user;
} serve_trial;

/* Begins. `done` is called once, maybe at once. Errors: those of reading the release, E_NOT_FOUND
 * (it has nothing for this engine), E_NOMEM. */
int serve_trial_begin(serve_trial *trial, serve_pool *pool, const char *release,
                      serve_trial_fn *done, void *user, snapcell_error *err);

/* Now and then: a worker that takes too long wants to be noticed. */
void serve_trial_tick(serve_trial *trial);

/* Ends it without a word. Handles are closed when the loop runs next. */
void serve_trial_end(serve_trial *trial);

#endif
