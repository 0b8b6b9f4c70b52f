/* Starting a worker's process, without waiting for it: HELLO, LOAD, READY. */
#include <string.h>

#include "engine.h"
#include "error_set.h"
#include "launch_protocol.h"
#include "monotonic.h"
#include "worker_state.h"

/* Launchers that collide with an image; another one lies elsewhere. */
#define LAUNCH_TRIES 3

static const child_kind cell_kind = {"cell-worker", cell_worker_size_max, true};

/* --- Processes --- */

/* From now on the process is the worker's. */
static int start_take_process(snapcell_worker *worker, const child_process *process,
                              worker_stage stage, snapcell_error *err)
{
    const snapcell_workers *workers = worker->workers;
    worker_count(&worker->workers->counters.starts, 1);
    pthread_mutex_lock(&worker->lock);
    worker->process = *process;
    worker->call_number = 0;
    worker->running = true;
    pthread_mutex_unlock(&worker->lock);
    worker->called = false;
    worker->deadline_ns = monotonic_now_ns() + workers->options.start_limit_ms * NS_PER_MS;
    worker->stage = stage;
    worker_link_open(&worker->link, process->socket_fd);
    worker->host_answer_end = 0;
    int status = worker_net_open(worker, &worker->link.out_file, err);
    if (status == SNAPCELL_OK && !worker_watch(worker))
        status = error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for a worker", worker->title);
    if (status != SNAPCELL_OK) worker_stop(worker);
    return status;
}

static bool start_send_load(snapcell_worker *worker)
{
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_LOAD);
    wire_put_raw(out, worker->load.data, worker->load.size_bytes);
    if (!worker_link_commit(&worker->link)) return false;
    worker->stage = WORKER_STAGE_LOADING;
    worker_push(worker);
    return true;
}

int worker_start_program(const snapcell_workers *workers, uint32_t limit_ms, child_process *out,
                         snapcell_error *err)
{
    return child_process_start(workers->worker_path, &cell_kind, workers->zone, limit_ms, out, err);
}

static void start_set_policy(snapcell_worker *worker, cell_policy policy)
{
    worker->wanted = policy;
    cell_load_set_policy(&worker->load, policy);
}

static int start_program(snapcell_worker *worker, snapcell_error *err)
{
    snapcell_workers *workers = worker->workers;
    child_process process;
    worker->origin = SNAPCELL_WORKER_FROM_ARTIFACT;
    int status =
        worker_spare_take(workers, worker->wanted, &process)
            ? SNAPCELL_OK
            : worker_start_program(workers, workers->options.start_limit_ms, &process, err);
    return status == SNAPCELL_OK ? start_take_process(worker, &process, WORKER_STAGE_HELLO, err)
                                 : status;
}

/* A process from an image. False: there is none, and the function is to be loaded. */
static bool start_launch(snapcell_worker *worker)
{
    const snapcell_workers *workers = worker->workers;
    const worker_image_wish wish = {
        .ref = worker->ref,
        .load = &worker->image_load,
        .scope = {workers->options.no_sandbox, worker_data_limit(worker)},
        .is_counted = worker->is_counted,
    };
    worker_image_launch launch;
    if (worker->wanted != CELL_POLICY_RESTORE || worker->image_load.size_bytes == 0 ||
        !worker_images_launch(workers->images, &wish, &launch))
        return false;
    worker->launch_key = launch.key;
    worker->origin =
        launch.has_waited ? SNAPCELL_WORKER_FROM_IMAGE : SNAPCELL_WORKER_FROM_IMAGE_BY_NEW_LAUNCHER;
    worker->launch = WORKER_IMAGE_BROKEN; /* until it is known better */
    worker->is_launching = true;
    if (start_take_process(worker, &launch.process, WORKER_STAGE_LOADING, NULL) == SNAPCELL_OK &&
        start_send_load(worker))
        return true;
    worker_stop(worker);
    worker->is_launching = false;
    return false;
}

static int start_next(snapcell_worker *worker, snapcell_error *err)
{
    if (worker->launches_left > 0 && start_launch(worker)) return SNAPCELL_OK;
    worker->launches_left = 0;
    if (worker->is_soon) start_set_policy(worker, CELL_POLICY_RELOAD);
    return start_program(worker, err);
}

int worker_begin_start(snapcell_worker *worker, snapcell_error *err)
{
    workers_reap(worker->workers, false);
    worker->launches_left = LAUNCH_TRIES;
    return start_next(worker, err);
}

void worker_launch_again(snapcell_worker *worker)
{
    snapcell_error error;
    worker_images_tell(worker->workers->images, &worker->launch_key, worker->launch);
    if (worker->launch == WORKER_IMAGE_BROKEN) worker_count(&worker->workers->counters.deaths, 1);
    worker->is_launching = false;
    worker->launches_left -= 1;
    if (worker->launch != WORKER_IMAGE_COLLIDED) worker->launches_left = 0;
    worker_stop(worker);
    if (start_next(worker, &error) != SNAPCELL_OK) worker_end(worker, &error);
}

/* --- What it says --- */

/* The launcher could not become the worker. */
static child_outcome start_take_launch_failed(snapcell_worker *worker,
                                              const worker_message *message)
{
    launch_failed failed;
    if (message->body_size_bytes == sizeof(failed)) {
        memcpy(&failed, message->body, sizeof(failed));
        worker->launch =
            failed.failure == LAUNCH_COLLIDED ? WORKER_IMAGE_COLLIDED : WORKER_IMAGE_REFUSED;
    }
    return CHILD_NONSENSE;
}

static child_outcome start_take_hello(snapcell_worker *worker, const worker_message *message)
{
    wire_hello hello;
    if (message->type != CELL_MESSAGE_HELLO ||
        !cell_hello_read(message->body, message->body_size_bytes, &hello) ||
        hello.protocol_version != CELL_PROTOCOL_VERSION)
        return CHILD_NONSENSE;
    snapcell_fingerprint own = engine_fingerprint();
    if (memcmp(own.bytes, hello.engine.bytes, sizeof(own.bytes)) != 0) {
        snapcell_error error;
        error_set(&error, SNAPCELL_E_INTERNAL,
                  "%s: the worker %s has another engine than this library; set "
                  "$SNAPCELL_WORKER to the `snapcell` program of this build",
                  worker->title, worker->workers->worker_path);
        worker_end(worker, &error);
        return CHILD_OK;
    }
    return start_send_load(worker) ? CHILD_OK : CHILD_NO_MEMORY;
}

/* A process that cannot restore its memory says so, and one that reloads takes its place. */
static child_outcome start_fall_back(snapcell_worker *worker, cell_policy policy)
{
    snapcell_error error;
    worker_count(&worker->workers->counters.fallbacks, 1);
    worker_stop(worker);
    start_set_policy(worker, policy);
    if (worker_begin_start(worker, &error) != SNAPCELL_OK) worker_end(worker, &error);
    return CHILD_OK;
}

static child_outcome start_take_ready(snapcell_worker *worker, const uint8_t *body,
                                      size_t size_bytes)
{
    cell_ready ready;
    if (worker->stage != WORKER_STAGE_LOADING || !cell_ready_read(body, size_bytes, &ready) ||
        (ready.policy != worker->wanted && ready.policy != CELL_POLICY_RELOAD))
        return CHILD_NONSENSE;
    worker->policy = ready.policy;
    if (ready.policy != worker->wanted && worker->is_launching) return CHILD_NONSENSE;
    if (ready.policy != worker->wanted) return start_fall_back(worker, ready.policy);
    if (worker->is_launching) {
        worker->is_launching = false;
        worker_images_tell(worker->workers->images, &worker->launch_key, WORKER_IMAGE_LAUNCHED);
    }
    worker->shape = ready.shape;
    worker->called = true;
    worker->has_prelude = ready.has_prelude;
    worker->is_going_on = false;
    worker->stage = worker->prelude_only ? WORKER_STAGE_WAITING : WORKER_STAGE_SERVING;
    worker->deadline_ns = UINT64_MAX;
    atomic_store_explicit(&worker->workers->counters.tier, ready.tier, memory_order_relaxed);
    return CHILD_OK;
}

static child_outcome start_take_error(snapcell_worker *worker, const uint8_t *body,
                                      size_t size_bytes)
{
    snapcell_error error;
    if (worker->is_launching || worker->is_going_on || !wire_error_read(body, size_bytes, &error))
        return CHILD_NONSENSE;
    worker_end(worker, &error);
    return CHILD_OK;
}

static child_outcome start_take_loading(snapcell_worker *worker, const worker_message *message)
{
    const uint8_t *body = message->body;
    size_t size_bytes = message->body_size_bytes;
    uint64_t call;
    if (worker->is_launching && message->type == LAUNCH_MESSAGE_BLANK) return CHILD_OK;
    if (worker->is_launching && message->type == LAUNCH_MESSAGE_FAILED)
        return start_take_launch_failed(worker, message);
    if (!cell_number_read(&body, &size_bytes, &call) || call != 0) return CHILD_NONSENSE;
    if (message->type == CELL_MESSAGE_READY) return start_take_ready(worker, body, size_bytes);
    if (message->type == CELL_MESSAGE_LOG) return worker_take_log(worker, body, size_bytes);
    if (message->type == CELL_MESSAGE_HOST_CALL)
        return worker_take_host_call(worker, 0, body, size_bytes);
    if (message->type == CELL_MESSAGE_NET) return worker_net_start(worker);
    if (message->type == CELL_MESSAGE_ERROR) return start_take_error(worker, body, size_bytes);
    return CHILD_NONSENSE;
}

child_outcome worker_take_start(snapcell_worker *worker, const worker_message *message)
{
    return worker->stage == WORKER_STAGE_HELLO ? start_take_hello(worker, message)
                                               : start_take_loading(worker, message);
}
