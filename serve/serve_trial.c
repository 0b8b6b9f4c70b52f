#include "serve_trial.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error_set.h"
#include "serve_pool_state.h"
#include "serve_slot.h"
#include "snapcell/loader.h"
#include "snapcell/release.h"

/* --- What there is to try --- */

typedef struct trial_reader {
    serve_trial *trial;
    snapcell_fingerprint engine;
} trial_reader;

static int trial_add(void *user, const snapcell_release_item *item)
{
    const trial_reader *reader = user;
    serve_trial *trial = reader->trial;
    if (memcmp(&item->engine, &reader->engine, sizeof(item->engine)) != 0) return SNAPCELL_OK;
    serve_name *items = realloc(trial->items, (trial->count + 1) * sizeof(*items));
    if (items == NULL) return SNAPCELL_E_NOMEM;
    trial->items = items;
    items[trial->count] = (serve_name){.name = strdup(item->name), .key = item->key};
    if (items[trial->count].name == NULL) return SNAPCELL_E_NOMEM;
    trial->count++;
    return SNAPCELL_OK;
}

static void trial_store_cleanup(snapcell_store **store)
{
    snapcell_store_close(*store);
}

static int trial_read(serve_trial *trial, const char *release, snapcell_error *err)
{
    snapcell_engine_info info;
    snapcell_engine_info_get(&info, sizeof(info));
    trial_reader reader = {trial, info.fingerprint};
    const char *path = trial->pool->context->names.store_path;
    snapcell_store *store cleanup(trial_store_cleanup) = NULL;
    int status = snapcell_store_open(path, SNAPCELL_STORE_READ, &store, err);
    if (status == SNAPCELL_OK)
        status = snapcell_release_each_item(store, release, trial_add, &reader, err);
    if (status == SNAPCELL_E_NOMEM) error_set(err, status, "no memory for a release's functions");
    if (status == SNAPCELL_OK && trial->count == 0)
        status = error_set(err, SNAPCELL_E_NOT_FOUND,
                           "the release %s has no function for this engine", release);
    return status;
}

/* --- One after the other --- */

static void trial_next(serve_trial *trial);

static void trial_on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void trial_drop_worker(serve_trial *trial)
{
    if (trial->poll != NULL) {
        uv_poll_stop(trial->poll);
        uv_close((uv_handle_t *)trial->poll, trial_on_closed);
    }
    trial->poll = NULL;
    snapcell_worker_free(trial->worker);
    trial->worker = NULL;
}

static void trial_finish(serve_trial *trial, const char *name, const snapcell_error *why)
{
    serve_trial ended = *trial;
    *trial = (serve_trial){0};
    ended.done(ended.user, name, why);
    serve_trial_end(&ended);
}

static void trial_advance(serve_trial *trial)
{
    snapcell_error error = {0};
    snapcell_worker_state state = snapcell_worker_advance(trial->worker, &error);
    if (state != SNAPCELL_WORKER_READY && state != SNAPCELL_WORKER_ENDED) return;
    trial_drop_worker(trial);
    if (state == SNAPCELL_WORKER_READY)
        trial_next(trial);
    else
        trial_finish(trial, trial->items[trial->next - 1].name, &error);
}

static void trial_on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    trial_advance(poll->data);
}

static int trial_watch(serve_trial *trial, snapcell_error *err)
{
    uv_poll_t *poll = calloc(1, sizeof(*poll));
    if (poll == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory to try a release");
    int problem = uv_poll_init(trial->pool->context->loop, poll, snapcell_worker_fd(trial->worker));
    if (problem != 0) {
        free(poll);
        return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for a worker");
    }
    poll->data = trial;
    trial->poll = poll;
    problem = uv_poll_start(poll, UV_READABLE, trial_on_readable);
    if (problem == 0) return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for a worker");
}

static int trial_start(serve_trial *trial, const serve_name *item, snapcell_error *err)
{
    serve_pool *pool = trial->pool;
    const serve_context *context = pool->context;
    const serve_function_config *config =
        serve_config_function(&context->settings->config, item->name);
    const serve_group *group = serve_group_find(&pool->groups, context, config, err);
    if (group == NULL) return err->code;
    int status = serve_slot_start_worker(item, group->workers, context->no_sandbox, config,
                                         SERVE_TURN_ANY, &trial->worker, err);
    return status == SNAPCELL_OK ? trial_watch(trial, err) : status;
}

static void trial_next(serve_trial *trial)
{
    snapcell_error error = {0};
    if (trial->next == trial->count) {
        trial_finish(trial, NULL, NULL);
        return;
    }
    const serve_name *item = &trial->items[trial->next++];
    if (trial_start(trial, item, &error) != SNAPCELL_OK) trial_finish(trial, item->name, &error);
}

/* --- What others call --- */

int serve_trial_begin(serve_trial *trial, serve_pool *pool, const char *release,
                      serve_trial_fn *done, void *user, snapcell_error *err)
{
    *trial = (serve_trial){.pool = pool, .done = done, .user = user};
    int status = trial_read(trial, release, err);
    if (status == SNAPCELL_OK)
        trial_next(trial);
    else
        serve_trial_end(trial);
    return status;
}

void serve_trial_tick(serve_trial *trial)
{
    if (trial->worker != NULL && snapcell_worker_timeout_ms(trial->worker) == 0)
        trial_advance(trial);
}

void serve_trial_end(serve_trial *trial)
{
    trial_drop_worker(trial);
    for (size_t i = 0; i < trial->count; i++)
        free(trial->items[i].name);
    free(trial->items);
    *trial = (serve_trial){0};
}
