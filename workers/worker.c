/* The host's side: starts processes, asks them, and takes what they say for what it is. */
#include "snapcell/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistr.h>

#include "cleanup.h"
#include "engine.h"
#include "error_set.h"
#include "launch_protocol.h"
#include "public_struct.h"
#include "request_check.h"
#include "trust_set.h"
#include "worker_state.h"

#define MIB (UINT64_C(1) << 20)

/* In addition to a body: headers, and the fields of a message. */
#define MESSAGE_SLACK_BYTES (16 * MIB)
/* In addition to heap, ArrayBuffers and messages: the engine's own memory, and threads' stacks. */
#define DATA_SLACK_BYTES (512 * MIB)

/* Launchers that collide with an image; another one lies elsewhere. */
#define LAUNCH_TRIES 3

static const child_kind cell_kind = {"cell-worker", cell_body_size_max, true};

static void message_cleanup(child_message *message)
{
    free(message->body);
}
#define cleanup_message cleanup(message_cleanup)

/* --- Talking --- */

static int worker_on_log(snapcell_worker *worker, const child_message *message, snapcell_error *err)
{
    const snapcell_workers_options *options = &worker->workers->options;
    wire_log log;
    if (options->log == NULL || !wire_log_read(message->body, message->body_size_bytes, &log))
        return worker_fail(worker, CHILD_NONSENSE, err);
    options->log(options->log_user, log.level, worker->ref, log.text, log.text_size_bytes);
    return SNAPCELL_OK;
}

static int worker_on_restored(snapcell_worker *worker, const child_message *message,
                              snapcell_error *err)
{
    worker_counters *counters = &worker->workers->counters;
    cell_restored restored;
    if (worker->policy != CELL_POLICY_RESTORE ||
        !cell_restored_read(message->body, message->body_size_bytes, &restored))
        return worker_fail(worker, CHILD_NONSENSE, err);
    worker_count(&counters->restores, restored.restores);
    worker_count(&counters->restored_pages, restored.pages);
    worker_count(&counters->restore_ns, restored.ns);
    worker_count(&counters->cuts, restored.cuts);
    return SNAPCELL_OK;
}

/* The launcher could not become the worker. */
static int worker_on_launch_failed(snapcell_worker *worker, const child_message *message,
                                   snapcell_error *err)
{
    launch_failed failed;
    if (message->body_size_bytes == sizeof(failed)) {
        memcpy(&failed, message->body, sizeof(failed));
        worker->launch =
            failed.failure == LAUNCH_COLLIDED ? WORKER_IMAGE_COLLIDED : WORKER_IMAGE_REFUSED;
    }
    return worker_fail(worker, CHILD_NONSENSE, err);
}

/* What comes before an answer. */
static int worker_on_aside(snapcell_worker *worker, const child_message *message,
                           snapcell_error *err)
{
    if (message->type == CELL_MESSAGE_LOG) return worker_on_log(worker, message, err);
    if (message->type == CELL_MESSAGE_RESTORED) return worker_on_restored(worker, message, err);
    if (message->type == LAUNCH_MESSAGE_BLANK) return SNAPCELL_OK;
    if (message->type == LAUNCH_MESSAGE_FAILED)
        return worker_on_launch_failed(worker, message, err);
    return worker_fail(worker, CHILD_NONSENSE, err);
}

static int worker_on_error(snapcell_worker *worker, const child_message *message,
                           snapcell_error *err)
{
    snapcell_error told;
    if (!wire_error_read(message->body, message->body_size_bytes, &told))
        return worker_fail(worker, CHILD_NONSENSE, err);
    if (err != NULL) *err = told;
    return told.code;
}

/* Receives until an answer comes; an ERROR is a failure. */
static int worker_receive(snapcell_worker *worker, cell_message_type wanted, child_message *out,
                          snapcell_error *err)
{
    for (;;) {
        cleanup_message child_message message = {0};
        child_outcome outcome = child_process_receive(&worker->process, &message);
        if (outcome != CHILD_OK) return worker_fail(worker, outcome, err);
        if (message.type == wanted) {
            *out = message;
            message.body = NULL;
            return SNAPCELL_OK;
        }
        if (message.type == CELL_MESSAGE_ERROR) return worker_on_error(worker, &message, err);
        int status = worker_on_aside(worker, &message, err);
        if (status != SNAPCELL_OK) return status;
    }
}

static int worker_send(snapcell_worker *worker, cell_message_type type, const wire_writer *body,
                       snapcell_error *err)
{
    child_outcome outcome = child_process_send(&worker->process, type, body);
    return outcome == CHILD_OK ? SNAPCELL_OK : worker_fail(worker, outcome, err);
}

/* 0, no limit, when there are not so many bytes. */
static uint64_t worker_data_limit(const snapcell_worker *worker)
{
    uint64_t data = worker->workers->options.data_limit_bytes;
    if (data > 0) return data;
    if (__builtin_mul_overflow(worker->memory_limit_bytes, 6, &data) ||
        __builtin_add_overflow(data, DATA_SLACK_BYTES, &data))
        return 0;
    return data;
}

/* --- Starting --- */

static int worker_hello(snapcell_worker *worker, snapcell_error *err)
{
    cleanup_message child_message message = {0};
    int status = worker_receive(worker, CELL_MESSAGE_HELLO, &message, err);
    if (status != SNAPCELL_OK) return status;
    wire_hello hello;
    if (!cell_hello_read(message.body, message.body_size_bytes, &hello) ||
        hello.protocol_version != CELL_PROTOCOL_VERSION)
        return worker_fail(worker, CHILD_NONSENSE, err);
    snapcell_fingerprint own = engine_fingerprint();
    if (memcmp(own.bytes, hello.engine.bytes, sizeof(own.bytes)) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL,
                     "%s: the worker %s has another engine than this library; set "
                     "$SNAPCELL_WORKER to the `snapcell` program of this build",
                     worker->ref, worker->workers->worker_path);
}

static int worker_ready(snapcell_worker *worker, snapcell_error *err)
{
    cleanup_message child_message message = {0};
    int status = worker_receive(worker, CELL_MESSAGE_READY, &message, err);
    if (status != SNAPCELL_OK) return status;
    cell_ready ready;
    if (!cell_ready_read(message.body, message.body_size_bytes, &ready) ||
        (ready.policy != worker->wanted && ready.policy != CELL_POLICY_RELOAD))
        return worker_fail(worker, CHILD_NONSENSE, err);
    worker->shape = ready.shape;
    worker->policy = ready.policy;
    atomic_store_explicit(&worker->workers->counters.tier, ready.tier, memory_order_relaxed);
    return SNAPCELL_OK;
}

static void worker_take_process(snapcell_worker *worker, const child_process *process)
{
    worker_count(&worker->workers->counters.starts, 1);
    pthread_mutex_lock(&worker->lock);
    worker->process = *process;
    worker->process.body_size_max = worker->answer_size_max;
    worker->call_number = 0;
    worker->running = true;
    pthread_mutex_unlock(&worker->lock);
}

/* A worker from an image. SNAPCELL_OK, or else it has no process: the function is to be loaded. */
static int worker_launch(snapcell_worker *worker)
{
    snapcell_workers *workers = worker->workers;
    const worker_image_wish wish = {
        .ref = worker->ref,
        .load = &worker->image_load,
        .scope = {workers->options.no_sandbox, worker_data_limit(worker)},
    };
    worker_image_launch launch;
    if (worker->wanted != CELL_POLICY_RESTORE || worker->image_load.size_bytes == 0 ||
        !worker_images_launch(workers->images, &wish, &launch))
        return SNAPCELL_E_NOT_FOUND;
    worker->called = false;
    worker->launch = WORKER_IMAGE_BROKEN; /* until it is known better */
    worker_take_process(worker, &launch.process);
    child_process_renew(&worker->process, workers->options.start_limit_ms);
    int status = worker_send(worker, CELL_MESSAGE_LOAD, &worker->load, NULL);
    if (status == SNAPCELL_OK) status = worker_ready(worker, NULL);
    if (status == SNAPCELL_OK) worker->launch = WORKER_IMAGE_LAUNCHED;
    worker_images_tell(workers->images, &launch.key, worker->launch);
    if (status != SNAPCELL_OK) worker_stop(worker);
    return status;
}

static int worker_start_process(snapcell_worker *worker, snapcell_error *err)
{
    snapcell_workers *workers = worker->workers;
    child_process process;
    worker->called = false;
    int status = child_process_start(workers->worker_path, &cell_kind, workers->zone,
                                     workers->options.start_limit_ms, &process, err);
    if (status != SNAPCELL_OK) return status;
    worker_take_process(worker, &process);
    status = worker_hello(worker, err);
    if (status == SNAPCELL_OK) status = worker_send(worker, CELL_MESSAGE_LOAD, &worker->load, err);
    if (status == SNAPCELL_OK) status = worker_ready(worker, err);
    if (status != SNAPCELL_OK) worker_stop(worker);
    return status;
}

/* A process that cannot restore its memory says so, and one that reloads takes its place. */
static int worker_start(snapcell_worker *worker, snapcell_error *err)
{
    for (int i = 0; i < LAUNCH_TRIES; i++) {
        int launched = worker_launch(worker);
        if (launched == SNAPCELL_OK) return SNAPCELL_OK;
        if (launched == SNAPCELL_E_NOT_FOUND || worker->launch != WORKER_IMAGE_COLLIDED) break;
    }
    int status = worker_start_process(worker, err);
    if (status != SNAPCELL_OK || worker->policy == worker->wanted) return status;
    worker_count(&worker->workers->counters.fallbacks, 1);
    worker_stop(worker);
    worker->wanted = worker->policy;
    cell_load_set_policy(&worker->load, worker->policy);
    return worker_start_process(worker, err);
}

/* --- Loading --- */

static int worker_check_env(const snapcell_env *env, size_t count, snapcell_error *err)
{
    if (count > 0 && env == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "there are %zu variables, but env is NULL", count);
    for (size_t i = 0; i < count; i++)
        if (env[i].name == NULL || env[i].value == NULL)
            return error_set(err, SNAPCELL_E_USAGE, "variable %zu of env: its %s is NULL", i,
                             env[i].name == NULL ? "name" : "value");
    return SNAPCELL_OK;
}

static int worker_check_options(const snapcell_cell_options *options, snapcell_error *err)
{
    int status = worker_check_env(options->env, options->env_count, err);
    return status == SNAPCELL_OK ? worker_check_env(options->json_env, options->json_env_count, err)
                                 : status;
}

/* The keys' bytes stay in the group's set. `*out`: Owned, free(). */
static int worker_list_keys(const snapcell_trust *trust, cell_load *load, snapcell_error *err)
{
    load->has_trust = trust != NULL;
    load->key_count = trust != NULL ? (uint32_t)trust_entry_count(trust) : 0;
    load->keys = calloc(load->key_count + 1u, sizeof(*load->keys));
    if (load->keys == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for keys");
    for (uint32_t i = 0; i < load->key_count; i++) {
        cell_trust_key *key = &load->keys[i];
        key->public_key = trust_entry(trust, i, &key->revoked, &key->comment);
    }
    return SNAPCELL_OK;
}

/* Nothing of the host that must not be in an image is told to who makes it. */
static void worker_write_image_load(wire_writer *writer, cell_load load)
{
    load.makes_image = true;
    load.options.env_count = 0;
    load.options.json_env_count = 0;
    load.options.cpu_limit_ms = 0;
    load.options.wall_limit_ms = 0;
    cell_load_write(writer, &load);
}

static int worker_write_load(snapcell_worker *worker, const snapcell_cell_options *options,
                             snapcell_error *err)
{
    const snapcell_workers *workers = worker->workers;
    cell_load load = {
        .store_path = workers->store_path,
        .ref = worker->ref,
        .logs = workers->options.log != NULL,
        .policy = worker->wanted,
        .warm_calls = workers->options.warm_calls,
        .tier = workers->options.restore_tier,
        .call_size_max = worker->call_size_max,
        .answer_size_max = worker->answer_size_max,
        .no_sandbox = workers->options.no_sandbox,
        .data_limit_bytes = worker_data_limit(worker),
        .options = *options,
    };
    int status = worker_list_keys(workers->trust, &load, err);
    if (status == SNAPCELL_OK) cell_load_write(&worker->load, &load);
    if (status == SNAPCELL_OK && workers->images != NULL)
        worker_write_image_load(&worker->image_load, load);
    free(load.keys);
    if (status == SNAPCELL_OK && (worker->load.failed || worker->image_load.failed))
        status = error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
    return status;
}

/* Of a message with so much in it, or the largest that there can be. */
static uint64_t worker_message_size(uint64_t content_bytes)
{
    uint64_t size_max = cell_body_size_max(CELL_MESSAGE_CALL);
    return content_bytes < size_max - MESSAGE_SLACK_BYTES ? content_bytes + MESSAGE_SLACK_BYTES
                                                          : size_max;
}

static void worker_set_limits(snapcell_worker *worker, const snapcell_cell_options *options)
{
    worker->cpu_limit_ms = options->cpu_limit_ms;
    worker->wall_limit_ms = options->wall_limit_ms;
    worker->memory_limit_bytes = options->memory_limit_bytes > 0
                                     ? options->memory_limit_bytes
                                     : SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT;
    uint64_t answer = options->response_limit_bytes > 0 ? options->response_limit_bytes
                                                        : worker->memory_limit_bytes;
    worker->answer_size_max = worker_message_size(answer);
    worker->call_size_max = worker_message_size(worker->memory_limit_bytes);
}

static void worker_cleanup(snapcell_worker **worker)
{
    snapcell_worker_free(*worker);
}

int snapcell_worker_load(snapcell_workers *workers, const char *ref,
                         const snapcell_cell_options *options, snapcell_worker **out,
                         snapcell_error *err)
{
    *out = NULL;
    if (ref == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "a function's name or key is needed, got NULL");
    snapcell_cell_options given;
    int status = public_struct_read(&given, sizeof(given), options, "snapcell_cell_options", err);
    if (status == SNAPCELL_OK) status = worker_check_options(&given, err);
    if (status != SNAPCELL_OK) return status;

    snapcell_worker *worker cleanup(worker_cleanup) = calloc(1, sizeof(*worker));
    if (worker != NULL) worker->ref = strdup(ref);
    if (worker == NULL || worker->ref == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
    worker->workers = workers;
    worker->wanted = (cell_policy)workers->options.policy;
    if (pthread_mutex_init(&worker->lock, NULL) != 0)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
    worker_set_limits(worker, &given);
    status = worker_write_load(worker, &given, err);
    if (status == SNAPCELL_OK) status = worker_start(worker, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&worker);
    return status;
}

/* The environment of a function may hold secrets. */
void snapcell_worker_free(snapcell_worker *worker)
{
    if (worker == NULL) return;
    worker_stop(worker);
    if (worker->load.size_bytes > 0) explicit_bzero(worker->load.data, worker->load.size_bytes);
    wire_writer_release(&worker->load);
    wire_writer_release(&worker->image_load);
    if (worker->workers != NULL) pthread_mutex_destroy(&worker->lock);
    free(worker->ref);
    free(worker);
}

snapcell_handler_shape snapcell_worker_shape(const snapcell_worker *worker)
{
    return worker->shape;
}

int snapcell_worker_process_id(const snapcell_worker *worker)
{
    return worker->running ? worker->process.pid : 0;
}

/* --- Calls --- */

/* One that died since the last call is replaced, and so is one that spoke without being asked. */
static int worker_revive(snapcell_worker *worker, snapcell_error *err)
{
    if (worker->running && !child_process_is_quiet(&worker->process)) worker_drop(worker);
    return worker->running ? SNAPCELL_OK : worker_start(worker, err);
}

static uint32_t worker_call_limit_ms(const snapcell_worker *worker)
{
    uint32_t limit_ms;
    if (worker->wall_limit_ms == 0) return 0;
    if (__builtin_add_overflow(worker->wall_limit_ms, worker->workers->options.grace_ms, &limit_ms))
        return UINT32_MAX;
    return limit_ms;
}

/* Looks at the size before anything is copied. */
static int worker_write_call(const snapcell_worker *worker, const cell_call *call,
                             wire_writer *writer, snapcell_error *err)
{
    wire_writer size = {.counts_only = true};
    cell_call_write(&size, call);
    if (size.failed || size.size_bytes > worker->call_size_max)
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "%s: a call may have as many bytes as the memory limit, here %" PRIu64
                         "; this one has %zu",
                         worker->ref, worker->memory_limit_bytes, size.size_bytes);
    cell_call_write(writer, call);
    if (!writer->failed) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for a call", worker->ref);
}

static void worker_begin_call(snapcell_worker *worker)
{
    worker_count(&worker->workers->counters.calls, 1);
    pthread_mutex_lock(&worker->lock);
    worker->call_number++;
    worker->cancelled = false;
    worker->calling = true;
    pthread_mutex_unlock(&worker->lock);
}

static void worker_end_call(snapcell_worker *worker, int status)
{
    pthread_mutex_lock(&worker->lock);
    worker->calling = false;
    pthread_mutex_unlock(&worker->lock);
    if (status == SNAPCELL_E_CANCELLED) worker_count(&worker->workers->counters.cancelled, 1);
}

static int worker_ask(snapcell_worker *worker, const cell_call *call, cell_message_type wanted,
                      child_message *out, snapcell_error *err)
{
    if (worker->running && !child_process_is_ours(&worker->process))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: this process was forked after the worker was loaded: load another "
                         "one here",
                         worker->ref);
    cleanup_writer wire_writer writer = {0};
    int status = worker_write_call(worker, call, &writer, err);
    if (status == SNAPCELL_OK) status = worker_revive(worker, err);
    if (status != SNAPCELL_OK) return status;
    worker->called = true;
    child_process_renew(&worker->process, worker_call_limit_ms(worker));
    worker_begin_call(worker);
    status = worker_send(worker, CELL_MESSAGE_CALL, &writer, err);
    if (status == SNAPCELL_OK) status = worker_receive(worker, wanted, out, err);
    worker_end_call(worker, status);
    return status;
}

/* What the function's process would refuse is refused here, where it is known to be well-formed. */
static int worker_check_request(const snapcell_worker *worker, const snapcell_request *request,
                                snapcell_error *err)
{
    checked_request checked;
    int status = request_check(request, false, &checked, err);
    if (status != SNAPCELL_OK) return status;
    request_release(&checked);
    const char *url = request->url;
    if (url != NULL && u8_check((const uint8_t *)url, strlen(url)) != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "%s: the request's URL is not UTF-8", worker->ref);
    if (request->header_count <= CELL_HEADER_COUNT_MAX) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "%s: a request may have %d headers, and this has %zu",
                     worker->ref, CELL_HEADER_COUNT_MAX, request->header_count);
}

int snapcell_worker_fetch(snapcell_worker *worker, const snapcell_request *request,
                          snapcell_response **out, snapcell_error *err)
{
    *out = NULL;
    cell_call call = {.kind = CELL_CALL_FETCH};
    int status =
        public_struct_read(&call.request, sizeof(call.request), request, "snapcell_request", err);
    if (status == SNAPCELL_OK) status = worker_check_request(worker, &call.request, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_message child_message message = {0};
    status = worker_ask(worker, &call, CELL_MESSAGE_RESPONSE, &message, err);
    if (status != SNAPCELL_OK) return status;
    bool no_memory;
    if (cell_response_read(message.body, message.body_size_bytes, out, &no_memory))
        return SNAPCELL_OK;
    return worker_fail(worker, no_memory ? CHILD_NO_MEMORY : CHILD_NONSENSE, err);
}

static int worker_call_json(snapcell_worker *worker, const cell_call *call, char **out,
                            size_t *out_size_bytes, snapcell_error *err)
{
    *out = NULL;
    cleanup_message child_message message = {0};
    int status = worker_ask(worker, call, CELL_MESSAGE_RESULT, &message, err);
    if (status != SNAPCELL_OK) return status;
    size_t size;
    const char *text = cell_result_read(message.body, message.body_size_bytes, &size);
    if (text == NULL) return worker_fail(worker, CHILD_NONSENSE, err);
    *out = strdup(text);
    if (*out == NULL) return worker_fail(worker, CHILD_NO_MEMORY, err);
    if (out_size_bytes != NULL) *out_size_bytes = size;
    return SNAPCELL_OK;
}

int snapcell_worker_invoke(snapcell_worker *worker, const char *event_json, char **out,
                           size_t *out_size_bytes, snapcell_error *err)
{
    cell_call call = {.kind = CELL_CALL_INVOKE, .event_json = event_json};
    return worker_call_json(worker, &call, out, out_size_bytes, err);
}

int snapcell_worker_call(snapcell_worker *worker, const char *handler, const char *event_json,
                         char **out, size_t *out_size_bytes, snapcell_error *err)
{
    *out = NULL;
    if (handler == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "%s: a handler's name is needed, got NULL",
                         worker->ref);
    cell_call call = {.kind = CELL_CALL_HANDLER, .handler = handler, .event_json = event_json};
    return worker_call_json(worker, &call, out, out_size_bytes, err);
}

void snapcell_worker_cancel(snapcell_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->calling && worker->running && !worker->cancelled) {
        worker->cancelled = true;
        const child_process *process = &worker->process;
        uint64_t call = worker->call_number;
        bool told =
            worker->policy == CELL_POLICY_RESTORE &&
            send(process->control_fd, &call, sizeof(call), MSG_NOSIGNAL) == (ssize_t)sizeof(call);
        if (!told && process->pid > 0) kill(process->pid, SIGKILL);
    }
    pthread_mutex_unlock(&worker->lock);
}
