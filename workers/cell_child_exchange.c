/* One call: what the host sends of it is taken while it runs, and what comes of it is sent as it
 * comes. All that is kept here goes with the call; what is on its way is in the boxes. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "cell_child.h"
#include "cleanup.h"
#include "engine.h"
#include "error_set.h"

/* The host may send as much more of a body at once. */
#define PULL_SIZE_MIN (CELL_WINDOW_SIZE / 4)

typedef struct child_exchange {
    cell_child *child;
    const cell_call *call;
    uint64_t credit_bytes; /* of the response, that may be sent */
    size_t body_start;     /* of what nobody read yet, in the child's body */
    size_t body_end;
    size_t read_bytes; /* that the host was not told of */
    bool body_ended;
    bool body_broke;
    bool abandoned;
    bool host_is_gone;
    snapcell_error problem; /* with the answer */
} child_exchange;

/* --- What comes --- */

static bool exchange_take_body(child_exchange *exchange, const uint8_t *data, size_t size_bytes)
{
    outer_buffer *body = exchange->child->body;
    size_t here = exchange->body_end - exchange->body_start;
    if (exchange->body_end + size_bytes > CELL_WINDOW_SIZE) {
        memmove(body->data, body->data + exchange->body_start, here);
        exchange->body_start = 0;
        exchange->body_end = here;
    }
    if (!outer_buffer_use(body, exchange->body_end + size_bytes)) return false;
    memcpy(body->data + exchange->body_end, data, size_bytes);
    exchange->body_end += size_bytes;
    return true;
}

static bool exchange_take_body_end(child_exchange *exchange, const uint8_t *data, size_t size_bytes)
{
    bool is_whole;
    if (!cell_body_end_read(data, size_bytes, &is_whole)) return false;
    exchange->body_ended = true;
    exchange->body_broke = !is_whole;
    return true;
}

static bool exchange_take_credit(child_exchange *exchange, const uint8_t *data, size_t size_bytes)
{
    uint32_t amount;
    if (!cell_credit_read(data, size_bytes, &amount)) return false;
    exchange->credit_bytes += amount;
    return true;
}

/* False when it makes no sense; what is left of a call before does. */
static bool exchange_take(child_exchange *exchange, const cell_inbox_message *message)
{
    const uint8_t *body = message->body;
    size_t size_bytes = message->body_size_bytes;
    uint64_t number;
    if (!cell_number_read(&body, &size_bytes, &number)) return false;
    if (number != exchange->call->number) return number < exchange->call->number;
    switch (message->type) {
    case CELL_MESSAGE_BODY:
        return exchange_take_body(exchange, body, size_bytes);
    case CELL_MESSAGE_BODY_END:
        return exchange_take_body_end(exchange, body, size_bytes);
    case CELL_MESSAGE_CREDIT:
        return exchange_take_credit(exchange, body, size_bytes);
    case CELL_MESSAGE_ABANDON:
        exchange->abandoned = true;
        return true;
    default:
        return false;
    }
}

void cell_child_take(cell_child *child, const cell_inbox_message *message)
{
    child_exchange *exchange = child->exchange;
    if (exchange != NULL && !exchange_take(exchange, message)) exchange->host_is_gone = true;
}

/* In a rehearsal, what comes is the next call's. */
static void exchange_receive(child_exchange *exchange)
{
    if (exchange->child->is_quiet) return;
    cell_inbox *inbox = exchange->child->inbox;
    cell_inbox_message message;
    bool broken = false;
    if (!cell_inbox_receive(inbox)) exchange->host_is_gone = true;
    while (cell_inbox_take(inbox, &message, &broken))
        if (!exchange_take(exchange, &message)) exchange->host_is_gone = true;
    if (broken) exchange->host_is_gone = true;
}

/* Waits for something to come; -1: without a limit. */
static void exchange_wait(child_exchange *exchange, int timeout_ms)
{
    cell_net *net = exchange->child->net;
    struct pollfd polled[] = {
        {.fd = exchange->child->is_quiet ? -1 : exchange->child->fd, .events = POLLIN},
        {.fd = net->is_broken ? -1 : net->fd, .events = POLLIN},
    };
    if (!cell_outbox_flush(exchange->child->outbox)) exchange->host_is_gone = true;
    if (exchange->host_is_gone || poll(polled, 2, timeout_ms) <= 0) return;
    if (polled[0].revents != 0) exchange_receive(exchange);
    if (polled[1].revents != 0) cell_net_receive(net);
}

/* --- What goes --- */

static void exchange_send(child_exchange *exchange, cell_message_type type, const void *data,
                          size_t size_bytes)
{
    if (!cell_outbox_add(exchange->child->outbox, type, data, size_bytes, NULL, 0))
        exchange->host_is_gone = true;
}

static void exchange_flush(child_exchange *exchange)
{
    if (!cell_outbox_flush(exchange->child->outbox)) exchange->host_is_gone = true;
}

/* Within the credit; returns how many bytes. */
static size_t exchange_send_data(child_exchange *exchange, const uint8_t *data, size_t size_bytes)
{
    size_t done = 0;
    while (done < size_bytes && exchange->credit_bytes > 0) {
        size_t piece = size_bytes - done;
        if (piece > CELL_PIECE_SIZE_MAX) piece = CELL_PIECE_SIZE_MAX;
        if (piece > exchange->credit_bytes) piece = (size_t)exchange->credit_bytes;
        exchange_send(exchange, CELL_MESSAGE_DATA, data + done, piece);
        exchange->credit_bytes -= piece;
        done += piece;
    }
    return done;
}

/* Waits for the host to take it. */
static void exchange_send_all_data(child_exchange *exchange, const void *data, size_t size_bytes)
{
    const uint8_t *at = data;
    while (size_bytes > 0 && !exchange->abandoned && !exchange->host_is_gone) {
        size_t sent = exchange_send_data(exchange, at, size_bytes);
        at += sent;
        size_bytes -= sent;
        if (size_bytes > 0) exchange_wait(exchange, -1);
    }
}

static void exchange_send_end(child_exchange *exchange)
{
    if (exchange->problem.code == SNAPCELL_OK) exchange_send(exchange, CELL_MESSAGE_END, NULL, 0);
}

/* False: it cannot be sent. */
static bool exchange_send_head(child_exchange *exchange, const snapcell_response *head)
{
    cleanup_writer wire_writer writer = {0};
    cell_head_write(&writer, head);
    if (writer.failed)
        error_set(&exchange->problem, SNAPCELL_E_NOMEM, "no memory in the worker for the answer");
    else if (!cell_outbox_fits(CELL_MESSAGE_HEAD, writer.size_bytes))
        error_set(&exchange->problem, SNAPCELL_E_TOO_LARGE,
                  "the response's headers have %zu bytes; there may be %zu", writer.size_bytes,
                  CELL_HEAD_SIZE_MAX);
    else
        exchange_send(exchange, CELL_MESSAGE_HEAD, writer.data, writer.size_bytes);
    return exchange->problem.code == SNAPCELL_OK && !exchange->host_is_gone;
}

/* --- The function's side of a stream --- */

/* The host is told now and then, so that it goes on. */
static void exchange_pull(child_exchange *exchange)
{
    if (exchange->body_ended || exchange->read_bytes < PULL_SIZE_MIN) return;
    cleanup_writer wire_writer writer = {0};
    cell_credit_write(&writer, (uint32_t)exchange->read_bytes);
    if (writer.failed) return; /* with the next piece */
    exchange_send(exchange, CELL_MESSAGE_PULL, writer.data, writer.size_bytes);
    exchange_flush(exchange);
    exchange->read_bytes = 0;
}

static ptrdiff_t exchange_read(void *user, void *buffer, size_t size_bytes)
{
    child_exchange *exchange = user;
    size_t here = exchange->body_end - exchange->body_start;
    if (here == 0 && !exchange->body_ended) exchange_receive(exchange);
    here = exchange->body_end - exchange->body_start;
    if (here == 0 && exchange->body_broke) return SNAPCELL_STREAM_FAILED;
    if (here == 0 && exchange->body_ended) return 0;
    if (here == 0) return exchange->host_is_gone ? SNAPCELL_STREAM_FAILED : SNAPCELL_STREAM_LATER;
    size_t size = here < size_bytes ? here : size_bytes;
    memcpy(buffer, exchange->child->body->data + exchange->body_start, size);
    exchange->body_start += size;
    exchange->read_bytes += size;
    exchange_pull(exchange);
    return (ptrdiff_t)size;
}

static int exchange_head(void *user, const snapcell_response *head)
{
    child_exchange *exchange = user;
    exchange_receive(exchange);
    if (exchange->abandoned || !exchange_send_head(exchange, head)) return -1;
    exchange_flush(exchange);
    return 0;
}

static bool exchange_whole(void *user, const snapcell_response *response)
{
    child_exchange *exchange = user;
    size_t size;
    const void *body = snapcell_response_body(response, &size);
    if (size > exchange->credit_bytes) return false;
    if (exchange_send_head(exchange, response)) exchange_send_data(exchange, body, size);
    return true;
}

static ptrdiff_t exchange_write(void *user, const void *data, size_t size_bytes)
{
    child_exchange *exchange = user;
    if (size_bytes == 0) {
        exchange_send_end(exchange);
        return 0;
    }
    exchange_receive(exchange); /* a slow stream would use up its credit in hours */
    if (exchange->abandoned || exchange->host_is_gone) return SNAPCELL_STREAM_FAILED;
    size_t sent = exchange_send_data(exchange, data, size_bytes);
    exchange_flush(exchange);
    return sent > 0 ? (ptrdiff_t)sent : SNAPCELL_STREAM_LATER;
}

static void exchange_on_wait(void *user, bool reading, bool writing, uint32_t timeout_ms)
{
    (void)reading;
    (void)writing;
    exchange_wait(user, (int)timeout_ms);
}

static void exchange_settling(void *user)
{
    exchange_flush(user);
}

/* --- The three kinds of calls --- */

static int exchange_run_stream(child_exchange *exchange, snapcell_error *err)
{
    const snapcell_stream stream = {
        .struct_size = sizeof(stream),
        .user = exchange,
        .read = exchange->call->streams_body ? exchange_read : NULL,
        .head = exchange_head,
        .write = exchange_write,
        .wait = exchange_on_wait,
        .whole = exchange_whole,
        .settling = exchange_settling,
    };
    return snapcell_cell_stream(exchange->child->cell, &exchange->call->request, &stream, err);
}

static int exchange_run_fetch(child_exchange *exchange, snapcell_error *err)
{
    snapcell_response *response = NULL;
    const snapcell_request *request = &exchange->call->request;
    int status = snapcell_cell_fetch(exchange->child->cell, request, &response, err);
    if (status == SNAPCELL_OK && exchange_send_head(exchange, response)) {
        size_t size;
        const void *body = snapcell_response_body(response, &size);
        exchange_send_all_data(exchange, body, size);
        exchange_send_end(exchange);
    }
    snapcell_response_free(response);
    return status;
}

static int exchange_run_json(child_exchange *exchange, snapcell_error *err)
{
    const cell_call *call = exchange->call;
    snapcell_cell *cell = exchange->child->cell;
    cleanup_free char *text = NULL;
    size_t size = 0;
    int status = call->kind == CELL_CALL_INVOKE
                     ? snapcell_cell_invoke(cell, call->event_json, &text, &size, err)
                     : snapcell_cell_call(cell, call->handler, call->event_json, &text, &size, err);
    if (status != SNAPCELL_OK) return status;
    exchange_send_all_data(exchange, text, size);
    exchange_send_end(exchange);
    return status;
}

static int exchange_run(child_exchange *exchange, snapcell_error *err)
{
    if (exchange->call->kind != CELL_CALL_FETCH) return exchange_run_json(exchange, err);
    return exchange->call->streams ? exchange_run_stream(exchange, err)
                                   : exchange_run_fetch(exchange, err);
}

int cell_child_answer(cell_child *child, const cell_call *call, bool *sent)
{
    snapcell_error error = {0};
    child_exchange exchange = {.child = child,
                               .call = call,
                               .credit_bytes = child->is_quiet ? UINT64_MAX : CELL_WINDOW_SIZE};
    child->exchange = &exchange;
    int status = exchange_run(&exchange, &error);
    child->exchange = NULL;
    const snapcell_error *told = status != SNAPCELL_OK ? &error : &exchange.problem;
    if (told->code != SNAPCELL_OK) {
        *sent = cell_child_send_error(child, told);
        return status;
    }
    exchange_send(&exchange, CELL_MESSAGE_SETTLED, NULL, 0);
    exchange_flush(&exchange);
    *sent = !exchange.host_is_gone;
    return status;
}

/* --- Rehearsals --- */

int cell_child_rehearse(cell_child *child, const snapcell_request *request, bool streams)
{
    if (streams) return snapcell_cell_stream(child->cell, request, &engine_dropped_stream, NULL);
    snapcell_response *response = NULL;
    int status = snapcell_cell_fetch(child->cell, request, &response, NULL);
    snapcell_response_free(response);
    return status;
}
