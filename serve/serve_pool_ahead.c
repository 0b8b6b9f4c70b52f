/* While developing: a worker of a function that has evaluated its prelude, and goes on with the
 * next version. It is in no list of the pool's and counts for nothing before that. */
#include <string.h>

#include "error_set.h"
#include "monotonic.h"
#include "serve_pool_state.h"

static void ahead_on_ended(serve_slot *slot, const snapcell_error *why)
{
    (void)why; /* a worker that loads the function will say so */
    serve_pool_end_ahead(slot->function);
}

/* It is never ready, and has no call. */
static const serve_slot_events ahead_slot_events = {.ended = ahead_on_ended};

void serve_pool_end_ahead(serve_function *function)
{
    if (function->ahead != NULL) serve_slot_free(function->ahead);
    function->ahead = NULL;
}

void serve_pool_note_prelude(const serve_slot *slot)
{
    serve_function *function = slot->function;
    if (!function->pool->context->dev || !snapcell_worker_has_prelude(slot->worker) ||
        function->config->policy != SNAPCELL_WORKERS_RESTORE) /* else nobody would take it */
        return;
    function->prelude_key = slot->key;
    function->wants_ahead = true;
}

/* One that fails is not tried again before there is another version. */
static void ahead_start(serve_function *function)
{
    serve_pool *pool = function->pool;
    serve_group *group = serve_group_find(&pool->groups, pool->context, function->config, NULL);
    function->wants_ahead = false;
    if (group == NULL) return;
    function->ahead = serve_slot_start(function, group->workers, SERVE_TURN_AHEAD,
                                       &ahead_slot_events, pool->context, NULL);
}

void serve_pool_prepare_ahead(serve_pool *pool)
{
    if (!pool->context->dev) return;
    SERVE_EACH_FUNCTION(pool, function)
    {
        if (function->ahead != NULL && serve_slot_is_due(function->ahead))
            serve_slot_advance(function->ahead);
        if (function->wants_ahead && function->ahead == NULL && function->starting_count == 0 &&
            function->busy_count == 0)
            ahead_start(function);
    }
}

static bool ahead_go_on(serve_slot *slot, const snapcell_store_view *view)
{
    char ref[SNAPCELL_KEY_HEX_SIZE];
    snapcell_artifact_info info;
    snapcell_key_format(&slot->function->key, ref);
    return snapcell_artifact_describe(view->bytes, view->size_bytes, &info, NULL) == SNAPCELL_OK &&
           info.prelude_length > 0 &&
           snapcell_worker_go_on(slot->worker, ref, view->bytes, view->size_bytes, NULL) ==
               SNAPCELL_OK;
}

/* By the settings of now; NULL: none waits. */
static serve_slot *ahead_find(serve_function *function)
{
    if (function->ahead != NULL && function->ahead->settings != function->settings)
        serve_pool_end_ahead(function);
    return function->ahead;
}

static void ahead_take(serve_slot *slot, const snapcell_key *key)
{
    slot->function->ahead = NULL;
    slot->key = *key;
    slot->started_ns = monotonic_now_ns();
}

serve_slot *serve_pool_take_ahead(serve_function *function)
{
    serve_slot *slot = ahead_find(function);
    snapcell_store *store;
    snapcell_store_view view;
    const char *path = function->pool->context->names.store_path;
    if (slot == NULL || snapcell_store_open(path, SNAPCELL_STORE_READ, &store, NULL) != SNAPCELL_OK)
        return NULL;
    bool goes_on = false;
    if (snapcell_store_view_open(store, &function->key, &view, NULL) == SNAPCELL_OK) {
        goes_on = ahead_go_on(slot, &view);
        snapcell_store_view_close(store, &view);
    }
    snapcell_store_close(store);
    if (!goes_on) return NULL;
    ahead_take(slot, &function->key);
    return slot;
}

/* No artifact has such a key, but by a chance of 2^-64. */
static snapcell_key ahead_new_key(void)
{
    static uint64_t count;
    snapcell_key key = {{0}};
    count++;
    memcpy(key.bytes, &count, sizeof(count));
    return key;
}

int serve_pool_take_early(serve_function *function, const snapcell_worker_text *text,
                          serve_slot **out, snapcell_error *err)
{
    *out = ahead_find(function);
    if (*out == NULL)
        return error_set(err, SNAPCELL_E_BUSY, "%s: no process waits for a version",
                         function->name);
    int status = snapcell_worker_go_on_with_text((*out)->worker, text, err);
    const snapcell_key key = ahead_new_key();
    if (status == SNAPCELL_OK) ahead_take(*out, &key);
    return status;
}
