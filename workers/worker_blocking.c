/* Calls that wait for their end: small loops around the machine. */
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "cleanup.h"
#include "error_set.h"
#include "public_struct.h"
#include "response.h"
#include "worker_state.h"

/* While the embedder's side of a stream is not ready. */
#define STREAM_WAIT_MS 5
#define STREAM_NAP_MS 2

/* --- Waiting --- */

static int blocking_wait_until_ready(snapcell_worker *worker, snapcell_error *err)
{
    while (worker_state(worker) == SNAPCELL_WORKER_STARTING) {
        worker_wait(worker, -1);
        worker_step(worker);
    }
    if (worker_state(worker) == SNAPCELL_WORKER_READY) return SNAPCELL_OK;
    if (err != NULL) *err = worker->ended;
    return worker->ended.code;
}

int worker_become_ready(snapcell_worker *worker, snapcell_error *err)
{
    if (worker->running && !child_process_is_ours(&worker->process))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: this process was forked after the worker was loaded: load another "
                         "one here",
                         worker->title);
    if (worker->exchange.is_active)
        return error_set(err, SNAPCELL_E_USAGE, "%s: the worker is being called", worker->title);
    if (worker->stage == WORKER_STAGE_SERVING) worker_step(worker);
    while (worker->stage == WORKER_STAGE_DYING) {
        worker_wait(worker, -1);
        worker_step(worker);
    }
    if (worker_state(worker) == SNAPCELL_WORKER_ENDED) {
        int status = worker_begin_start(worker, err);
        if (status != SNAPCELL_OK) return status;
    }
    return blocking_wait_until_ready(worker, err);
}

/* --- A call whose answer is kept as a whole --- */

typedef struct blocking_call {
    snapcell_worker *worker;
    bool is_done;
    int status;
    snapcell_error *err;
    snapcell_response *response; /* of a FETCH; Owned */
    wire_writer text;            /* of others; Owned */
    size_t size_bytes;
    child_outcome outcome; /* what is wrong with the answer */
} blocking_call;

static void blocking_release(blocking_call *call)
{
    snapcell_response_free(call->response);
    wire_writer_release(&call->text);
}

static snapcell_response *blocking_new_head(int status, const snapcell_header *headers,
                                            size_t header_count)
{
    snapcell_response *response = response_new(status, 0);
    for (size_t i = 0; response != NULL && i < header_count; i++) {
        const char *name = headers[i].name;
        const char *value = headers[i].value;
        if (response_add_header(response, name, strlen(name), value, strlen(value)) == 0) continue;
        snapcell_response_free(response);
        return NULL;
    }
    return response;
}

static void blocking_on_head(void *user, int status, const snapcell_header *headers,
                             size_t header_count)
{
    blocking_call *call = user;
    call->response = blocking_new_head(status, headers, header_count);
    if (call->response == NULL) call->outcome = CHILD_NO_MEMORY;
}

static size_t blocking_on_body(void *user, const void *data, size_t size_bytes)
{
    blocking_call *call = user;
    call->size_bytes += size_bytes;
    if (call->size_bytes > call->worker->answer_size_max) call->outcome = CHILD_NONSENSE;
    if (call->outcome != CHILD_OK) return size_bytes;
    if (call->response == NULL) {
        wire_put_raw(&call->text, data, size_bytes);
        if (call->text.failed) call->outcome = CHILD_NO_MEMORY;
    } else if (response_append_body(&call->response, data, size_bytes) != 0) {
        call->outcome = CHILD_NO_MEMORY;
    }
    return size_bytes;
}

static void blocking_on_done(void *user, int status, const snapcell_error *error)
{
    blocking_call *call = user;
    call->is_done = true;
    call->status = status;
    if (error != NULL && call->err != NULL) *call->err = *error;
}

/* What came is no answer, no matter what comes after it. */
static int blocking_refuse(const blocking_call *call, child_outcome outcome)
{
    snapcell_worker *worker = call->worker;
    worker_lose(worker, outcome);
    worker_deliver(worker);
    while (worker->stage == WORKER_STAGE_DYING) {
        worker_wait(worker, -1);
        worker_step(worker);
    }
    if (call->err != NULL) *call->err = worker->ended;
    return worker->ended.code;
}

static int blocking_run(blocking_call *call, cell_call *what)
{
    snapcell_worker *worker = call->worker;
    const snapcell_worker_events events = {
        .user = call, .head = blocking_on_head, .body = blocking_on_body, .done = blocking_on_done};
    int status = worker_become_ready(worker, call->err);
    if (status == SNAPCELL_OK) status = worker_begin_call(worker, what, &events, call->err);
    if (status != SNAPCELL_OK) return status;
    while (!call->is_done && call->outcome == CHILD_OK) {
        worker_wait(worker, -1);
        worker_step(worker);
    }
    return call->outcome == CHILD_OK ? call->status : blocking_refuse(call, call->outcome);
}

int snapcell_worker_fetch(snapcell_worker *worker, const snapcell_request *request,
                          snapcell_response **out, snapcell_error *err)
{
    *out = NULL;
    cell_call what = {.kind = CELL_CALL_FETCH};
    int status =
        public_struct_read(&what.request, sizeof(what.request), request, "snapcell_request", err);
    if (status == SNAPCELL_OK) status = worker_check_request(worker, &what.request, false, err);
    if (status != SNAPCELL_OK) return status;
    cleanup(blocking_release) blocking_call call = {.worker = worker, .err = err};
    status = blocking_run(&call, &what);
    if (status == SNAPCELL_OK) *out = steal_pointer(&call.response);
    return status;
}

static int blocking_call_json(snapcell_worker *worker, cell_call *what, char **out,
                              size_t *out_size_bytes, snapcell_error *err)
{
    *out = NULL;
    cleanup(blocking_release) blocking_call call = {.worker = worker, .err = err};
    int status = blocking_run(&call, what);
    if (status != SNAPCELL_OK) return status;
    size_t size = call.text.size_bytes;
    wire_put_u8(&call.text, 0);
    if (call.text.failed) return blocking_refuse(&call, CHILD_NO_MEMORY);
    if (memchr(call.text.data, 0, size) != NULL || u8_check(call.text.data, size) != NULL)
        return blocking_refuse(&call, CHILD_NONSENSE);
    *out = (char *)steal_pointer(&call.text.data);
    if (out_size_bytes != NULL) *out_size_bytes = size;
    return SNAPCELL_OK;
}

int snapcell_worker_invoke(snapcell_worker *worker, const char *event_json, char **out,
                           size_t *out_size_bytes, snapcell_error *err)
{
    cell_call call = {.kind = CELL_CALL_INVOKE, .event_json = event_json};
    return blocking_call_json(worker, &call, out, out_size_bytes, err);
}

int snapcell_worker_call(snapcell_worker *worker, const char *handler, const char *event_json,
                         char **out, size_t *out_size_bytes, snapcell_error *err)
{
    *out = NULL;
    if (handler == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "%s: a handler's name is needed, got NULL",
                         worker->title);
    cell_call call = {.kind = CELL_CALL_HANDLER, .handler = handler, .event_json = event_json};
    return blocking_call_json(worker, &call, out, out_size_bytes, err);
}

/* --- A call with streams --- */

typedef struct blocking_stream {
    snapcell_worker *worker;
    snapcell_stream stream;
    snapcell_error *err;
    bool is_done;
    int status;
    bool write_waits;
    bool read_waits;
    bool read_ended;
    uint8_t piece[CELL_PIECE_SIZE_MAX]; /* of the request's body */
    size_t piece_start;
    size_t piece_end;
} blocking_stream;

static void stream_on_head(void *user, int status, const snapcell_header *headers,
                           size_t header_count)
{
    blocking_stream *stream = user;
    if (stream->stream.head == NULL) return;
    snapcell_response *head = blocking_new_head(status, headers, header_count);
    if (head == NULL)
        worker_lose(stream->worker, CHILD_NO_MEMORY);
    else if (stream->stream.head(stream->stream.user, head) != 0)
        snapcell_worker_abandon(stream->worker);
    snapcell_response_free(head);
}

static size_t stream_on_body(void *user, const void *data, size_t size_bytes)
{
    blocking_stream *stream = user;
    ptrdiff_t taken = stream->stream.write(stream->stream.user, data, size_bytes);
    stream->write_waits = taken == SNAPCELL_STREAM_LATER || taken == 0;
    if (stream->write_waits) return 0;
    if (taken > 0 && (size_t)taken <= size_bytes) return (size_t)taken;
    snapcell_worker_abandon(stream->worker);
    return size_bytes;
}

static void stream_on_end(void *user)
{
    blocking_stream *stream = user;
    (void)stream->stream.write(stream->stream.user, "", 0);
}

static void stream_on_done(void *user, int status, const snapcell_error *error)
{
    blocking_stream *stream = user;
    stream->is_done = true;
    stream->status = status;
    if (error != NULL && stream->err != NULL) *stream->err = *error;
}

static void stream_read(blocking_stream *stream)
{
    ptrdiff_t got = stream->stream.read(stream->stream.user, stream->piece, sizeof(stream->piece));
    stream->read_waits = got == SNAPCELL_STREAM_LATER;
    stream->read_ended =
        !stream->read_waits && (got <= 0 || got > (ptrdiff_t)sizeof(stream->piece));
    if (stream->read_ended) snapcell_worker_end_body(stream->worker, got == 0);
    stream->piece_start = 0;
    stream->piece_end = got > 0 && !stream->read_ended ? (size_t)got : 0;
}

/* Until the window is full, or there is nothing to send now. */
static void stream_send_body(blocking_stream *stream)
{
    const worker_upload *upload = &stream->worker->exchange.upload;
    stream->read_waits = false;
    while (!stream->is_done && !stream->read_ended && !stream->read_waits &&
           upload->room_bytes > 0) {
        if (stream->piece_start == stream->piece_end) stream_read(stream);
        size_t size = stream->piece_end - stream->piece_start;
        size_t taken =
            snapcell_worker_send_body(stream->worker, stream->piece + stream->piece_start, size);
        stream->piece_start += taken;
        if (taken < size) return;
    }
}

static void stream_wait(const blocking_stream *stream)
{
    const snapcell_stream *given = &stream->stream;
    if (!stream->read_waits && !stream->write_waits)
        worker_wait(stream->worker, -1);
    else if (given->wait == NULL)
        worker_wait(stream->worker, STREAM_NAP_MS);
    else
        given->wait(given->user, stream->read_waits, stream->write_waits, STREAM_WAIT_MS);
}

static int stream_run(blocking_stream *stream, cell_call *what)
{
    snapcell_worker *worker = stream->worker;
    const snapcell_worker_events events = {.user = stream,
                                           .head = stream_on_head,
                                           .body = stream_on_body,
                                           .end = stream_on_end,
                                           .done = stream_on_done};
    int status = worker_become_ready(worker, stream->err);
    if (status == SNAPCELL_OK) status = worker_begin_call(worker, what, &events, stream->err);
    if (status != SNAPCELL_OK) return status;
    while (!stream->is_done) {
        if (what->streams_body) stream_send_body(stream);
        stream_wait(stream);
        stream->write_waits = false;
        worker_step(worker);
    }
    return stream->status;
}

int snapcell_worker_stream(snapcell_worker *worker, const snapcell_request *request,
                           const snapcell_stream *stream, snapcell_error *err)
{
    snapcell_stream given;
    int status = public_struct_read(&given, sizeof(given), stream, "snapcell_stream", err);
    if (status == SNAPCELL_OK && given.write == NULL)
        status = error_set(err, SNAPCELL_E_USAGE,
                           "snapcell_stream.write is NULL: it takes the response's body");
    cell_call what = {.kind = CELL_CALL_FETCH, .streams = true, .streams_body = given.read != NULL};
    if (status == SNAPCELL_OK)
        status = public_struct_read(&what.request, sizeof(what.request), request,
                                    "snapcell_request", err);
    if (status == SNAPCELL_OK)
        status = worker_check_request(worker, &what.request, what.streams_body, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free blocking_stream *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for a call", worker->title);
    call->worker = worker;
    call->stream = given;
    call->err = err;
    return stream_run(call, &what);
}
