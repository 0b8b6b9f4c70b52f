/* A call as its host makes it: what goes to the worker. */
#include <inttypes.h>
#include <string.h>
#include <unistr.h>

#include "error_set.h"
#include "monotonic.h"
#include "public_struct.h"
#include "request_check.h"
#include "worker_state.h"

/* --- Starting a call --- */

int worker_check_request(const snapcell_worker *worker, const snapcell_request *request,
                         bool streams_body, snapcell_error *err)
{
    checked_request checked;
    int status = request_check(request, streams_body, &checked, err);
    if (status != SNAPCELL_OK) return status;
    request_release(&checked);
    const char *url = request->url;
    if (url != NULL && u8_check((const uint8_t *)url, strlen(url)) != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "%s: the request's URL is not UTF-8",
                         worker->title);
    if (streams_body && request->body != NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: the request has a body of its own, and another that comes in pieces",
                         worker->title);
    if (request->header_count <= CELL_HEADER_COUNT_MAX) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "%s: a request may have %d headers, and this has %zu",
                     worker->title, CELL_HEADER_COUNT_MAX, request->header_count);
}

/* Looks at the size before anything is copied. */
static int exchange_write_call(snapcell_worker *worker, const cell_call *call, snapcell_error *err)
{
    wire_writer size = {.counts_only = true};
    cell_call_write(&size, call);
    if (size.failed || size.size_bytes > worker->call_size_max)
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "%s: a call may have as many bytes as the memory limit, here %" PRIu64
                         "; this one has %zu",
                         worker->title, worker->memory_limit_bytes, size.size_bytes);
    cell_call_write(worker_link_begin(&worker->link, CELL_MESSAGE_CALL), call);
    if (worker_link_commit(&worker->link)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for a call", worker->title);
}

static uint64_t exchange_deadline_ns(const snapcell_worker *worker)
{
    if (worker->wall_limit_ms == 0) return UINT64_MAX;
    uint64_t limit_ms = (uint64_t)worker->wall_limit_ms + worker->workers->options.grace_ms;
    return monotonic_now_ns() + limit_ms * NS_PER_MS;
}

int worker_begin_call(snapcell_worker *worker, cell_call *call,
                      const snapcell_worker_events *events, snapcell_error *err)
{
    worker_exchange *exchange = &worker->exchange;
    call->number = worker->call_number + 1;
    int status = exchange_write_call(worker, call, err);
    if (status != SNAPCELL_OK) return status;
    *exchange = (worker_exchange){.is_active = true, .kind = call->kind, .events = *events};
    exchange->upload.is_open = call->streams_body;
    exchange->upload.room_bytes = CELL_WINDOW_SIZE;
    worker->deadline_ns = exchange_deadline_ns(worker);
    worker_count(&worker->workers->counters.calls, 1);
    pthread_mutex_lock(&worker->lock);
    worker->call_number++;
    worker->cancelled = false;
    worker->calling = true;
    pthread_mutex_unlock(&worker->lock);
    worker_push(worker);
    return SNAPCELL_OK;
}

static int call_check_state(const snapcell_worker *worker, snapcell_error *err)
{
    if (worker->running && !child_process_is_ours(&worker->process))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: this process was forked after the worker was loaded: load another "
                         "one here",
                         worker->title);
    if (worker_state(worker) == SNAPCELL_WORKER_READY) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "%s: the worker is not ready for a call",
                     worker->title);
}

static int call_of_task(const snapcell_worker *worker, const snapcell_worker_task *task,
                        cell_call *call, snapcell_error *err)
{
    *call = (cell_call){.streams = true,
                        .streams_body = task->streams_body,
                        .handler = task->handler,
                        .event_json = task->event_json};
    switch (task->kind) {
    case SNAPCELL_WORKER_CALL_FETCH: {
        call->kind = CELL_CALL_FETCH;
        int status = public_struct_read(&call->request, sizeof(call->request), task->request,
                                        "snapcell_request", err);
        if (status != SNAPCELL_OK) return status;
        return worker_check_request(worker, &call->request, call->streams_body, err);
    }
    case SNAPCELL_WORKER_CALL_INVOKE:
        call->kind = CELL_CALL_INVOKE;
        return SNAPCELL_OK;
    case SNAPCELL_WORKER_CALL_HANDLER:
        call->kind = CELL_CALL_HANDLER;
        if (task->handler != NULL) return SNAPCELL_OK;
        return error_set(err, SNAPCELL_E_USAGE, "%s: a handler's name is needed, got NULL",
                         worker->title);
    }
    return error_set(err, SNAPCELL_E_USAGE, "snapcell_worker_task.kind is %d: no such",
                     (int)task->kind);
}

int snapcell_worker_call_start(snapcell_worker *worker, const snapcell_worker_task *task,
                               const snapcell_worker_events *events, snapcell_error *err)
{
    snapcell_worker_task given;
    snapcell_worker_events wanted;
    cell_call call;
    int status = call_check_state(worker, err);
    if (status == SNAPCELL_OK)
        status = public_struct_read(&given, sizeof(given), task, "snapcell_worker_task", err);
    if (status == SNAPCELL_OK)
        status = public_struct_read(&wanted, sizeof(wanted), events, "snapcell_worker_events", err);
    if (status == SNAPCELL_OK) status = call_of_task(worker, &given, &call, err);
    return status == SNAPCELL_OK ? worker_begin_call(worker, &call, &wanted, err) : status;
}

/* --- While it lasts --- */

static bool upload_is_wanted(const worker_exchange *exchange)
{
    return exchange->is_active && !exchange->is_over && exchange->upload.is_open;
}

/* Returns whether it was taken. */
static bool upload_send_piece(snapcell_worker *worker, const uint8_t *data, size_t size_bytes)
{
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_BODY);
    cell_number_write(out, worker->call_number);
    wire_put_raw(out, data, size_bytes);
    return worker_link_commit(&worker->link);
}

size_t snapcell_worker_send_body(snapcell_worker *worker, const void *data, size_t size_bytes)
{
    worker_upload *upload = &worker->exchange.upload;
    const uint8_t *at = data;
    size_t left = size_bytes;
    if (!upload_is_wanted(&worker->exchange)) return size_bytes;
    while (left > 0 && upload->room_bytes > 0) {
        size_t piece = left < CELL_PIECE_SIZE_MAX ? left : CELL_PIECE_SIZE_MAX;
        if (piece > upload->room_bytes) piece = (size_t)upload->room_bytes;
        if (!upload_send_piece(worker, at, piece)) break;
        at += piece;
        left -= piece;
        upload->room_bytes -= piece;
    }
    upload->wants_room = left > 0;
    worker_push(worker);
    return size_bytes - left;
}

void snapcell_worker_end_body(snapcell_worker *worker, bool is_whole)
{
    if (!upload_is_wanted(&worker->exchange)) return;
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_BODY_END);
    cell_number_write(out, worker->call_number);
    cell_body_end_write(out, is_whole);
    if (!worker_link_commit(&worker->link)) return;
    worker->exchange.upload.is_open = false;
    worker_push(worker);
}

void snapcell_worker_abandon(snapcell_worker *worker)
{
    worker_exchange *exchange = &worker->exchange;
    worker_download *download = &exchange->download;
    if (!exchange->is_active || download->abandoned) return;
    download->abandoned = true;
    worker_drop_queue(worker);
    if (exchange->is_over || download->has_ended) return;
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_ABANDON);
    cell_number_write(out, worker->call_number);
    if (worker_link_commit(&worker->link)) worker_push(worker);
}
