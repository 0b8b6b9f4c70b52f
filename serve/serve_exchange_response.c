/* Responses: put together from what a worker sends, and sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monotonic.h"
#include "serve_exchange_state.h"
#include "serve_slot.h"

static bool response_is_bodiless(const serve_exchange *exchange)
{
    return strcmp(exchange->head.method, "HEAD") == 0 || serve_status_is_bare(exchange->status);
}

/* The client has what it gets; the call may go on. */
static void response_finish(serve_exchange *exchange, bool is_whole)
{
    const serve_client *client = exchange->client;
    void *user = exchange->user;
    exchange->state = EXCHANGE_COMPLETE;
    exchange->client = NULL;
    exchange_log(exchange, exchange->status);
    if (is_whole)
        client->finished(user, exchange->keeps_alive);
    else
        client->broken(user);
}

/* --- From the worker --- */

static void response_take_length(serve_exchange *exchange, const char *value)
{
    char *end;
    if (*value < '0' || *value > '9') return;
    unsigned long long length = strtoull(value, &end, 10);
    if (*end != '\0') return;
    exchange->has_length = true;
    exchange->length_bytes = length;
}

static void response_take_header(serve_exchange *exchange, const snapcell_header *header)
{
    if (serve_header_is_local(header->name)) return;
    if (strcasecmp(header->name, "content-length") == 0)
        response_take_length(exchange, header->value);
    else if (strcasecmp(header->name, "x-request-id") != 0)
        serve_response_header(&exchange->out, header->name, header->value);
}

/* Whether the connection can be used again: if the request's body has come, or comes while the
 * function answers. When it has not come by the response's end, the connection is closed all the
 * same. */
static bool response_keeps_alive(const serve_exchange *exchange)
{
    bool comes = exchange->body_is_whole || (exchange->streams_body && exchange->is_calling);
    return exchange->head.keeps_alive && comes && !exchange->context->drains;
}

void exchange_response_head(serve_exchange *exchange, int status, const snapcell_header *headers,
                            size_t count)
{
    bool has_date = false;
    if (exchange->client == NULL || exchange->state != EXCHANGE_NO_RESPONSE) return;
    for (size_t i = 0; i < count && !has_date; i++)
        has_date = strcasecmp(headers[i].name, "date") == 0;
    exchange->status = status;
    exchange->state = EXCHANGE_HELD;
    serve_response_begin(&exchange->out, status, has_date);
    for (size_t i = 0; i < count; i++)
        response_take_header(exchange, &headers[i]);
    serve_response_header(&exchange->out, "x-request-id", exchange->id);
}

size_t exchange_response_body(serve_exchange *exchange, const void *data, size_t size_bytes)
{
    if (exchange->client == NULL || exchange->state == EXCHANGE_COMPLETE) return size_bytes;
    if (response_is_bodiless(exchange)) {
        exchange->sent_bytes += size_bytes; /* only counted */
        return size_bytes;
    }
    if (!exchange->client->has_room(exchange->user)) return 0;
    serve_buffer_add(&exchange->piece, data, size_bytes);
    return size_bytes;
}

void exchange_response_end(serve_exchange *exchange)
{
    uint64_t now_ns = monotonic_now_ns();
    exchange->has_ended = true;
    exchange->ticket.answered_ns = now_ns;
    serve_histogram_add(&exchange->function->metrics.phases[SERVE_PHASE_CALL],
                        now_ns - exchange->ticket.granted_ns);
}

/* --- To the client --- */

static serve_framing response_framing(const serve_exchange *exchange)
{
    if (serve_status_is_bare(exchange->status)) return SERVE_FRAMING_NONE;
    /* Of an answer to HEAD it says what there would be, where that is known. */
    if (strcmp(exchange->head.method, "HEAD") == 0)
        return exchange->has_length || exchange->sent_bytes > 0 ? SERVE_FRAMING_LENGTH
                                                                : SERVE_FRAMING_NONE;
    if (exchange->has_ended || exchange->has_length) return SERVE_FRAMING_LENGTH;
    return exchange->head.minor > 0 ? SERVE_FRAMING_CHUNKED : SERVE_FRAMING_CLOSE;
}

/* What is all there has a length, whatever the function said. */
static uint64_t response_length(const serve_exchange *exchange)
{
    bool is_head = strcmp(exchange->head.method, "HEAD") == 0;
    if (is_head && exchange->has_length) return exchange->length_bytes;
    if (!exchange->has_ended) return exchange->length_bytes;
    return is_head ? exchange->sent_bytes : exchange->piece.size_bytes;
}

static void response_send_head(serve_exchange *exchange)
{
    exchange->framing = response_framing(exchange);
    exchange->length_bytes = response_length(exchange);
    exchange->keeps_alive =
        response_keeps_alive(exchange) && exchange->framing != SERVE_FRAMING_CLOSE;
    serve_response_finish(&exchange->out, exchange->framing, exchange->length_bytes,
                          exchange->keeps_alive, exchange->head.minor);
    exchange->state = EXCHANGE_STREAMING;
}

/* False when it is more, or less, than was said. */
static bool response_add_piece(serve_exchange *exchange)
{
    serve_buffer *piece = &exchange->piece;
    bool is_chunked = exchange->framing == SERVE_FRAMING_CHUNKED;
    exchange->sent_bytes += piece->size_bytes;
    if (exchange->framing == SERVE_FRAMING_LENGTH &&
        (exchange->sent_bytes > exchange->length_bytes ||
         (exchange->has_ended && exchange->sent_bytes < exchange->length_bytes)))
        return false;
    if (piece->size_bytes > 0) {
        if (is_chunked) serve_buffer_format(&exchange->out, "%zx\r\n", piece->size_bytes);
        serve_buffer_add(&exchange->out, piece->data, piece->size_bytes);
        if (is_chunked) serve_buffer_add(&exchange->out, "\r\n", 2);
    }
    if (is_chunked && exchange->has_ended) serve_buffer_add(&exchange->out, "0\r\n\r\n", 5);
    serve_buffer_drop(piece, piece->size_bytes);
    return true;
}

/* An answer to HEAD says how long a body would be, if that is known soon. */
static bool response_waits_for_length(const serve_exchange *exchange)
{
    return exchange->state == EXCHANGE_HELD && !exchange->has_ended && !exchange->has_length &&
           exchange->sent_bytes == 0 && !serve_status_is_bare(exchange->status) &&
           strcmp(exchange->head.method, "HEAD") == 0;
}

void exchange_response_flush(serve_exchange *exchange)
{
    if (exchange->client == NULL || exchange->state == EXCHANGE_NO_RESPONSE) return;
    if (response_waits_for_length(exchange)) return;
    if (exchange->state == EXCHANGE_HELD) response_send_head(exchange);
    bool is_bodiless = response_is_bodiless(exchange);
    bool is_right = is_bodiless || response_add_piece(exchange);
    if (exchange->out.failed || exchange->piece.failed) is_right = false;
    if (exchange->out.size_bytes > 0)
        exchange->client->send(exchange->user, exchange->out.data, exchange->out.size_bytes);
    exchange->function->metrics.sent_bytes += exchange->out.size_bytes;
    serve_buffer_drop(&exchange->out, exchange->out.size_bytes);
    if (is_right && !is_bodiless && !exchange->has_ended) return;
    if (!exchange->has_ended && exchange->ticket.slot != NULL)
        snapcell_worker_abandon(exchange->ticket.slot->worker);
    response_finish(exchange, is_right);
}

/* --- The server's own answers --- */

void exchange_answer(serve_exchange *exchange, int status, const char *extra, const char *text)
{
    if (exchange->client == NULL) return;
    exchange->status = status;
    exchange->keeps_alive = response_keeps_alive(exchange) && exchange->body_is_whole;
    serve_buffer_drop(&exchange->out, exchange->out.size_bytes);
    bool is_head = strcmp(exchange->head.method, "HEAD") == 0;
    serve_response_plain(&exchange->out, status, extra, text, !is_head, exchange->keeps_alive,
                         exchange->head.minor);
    exchange->client->send(exchange->user, exchange->out.data, exchange->out.size_bytes);
    exchange->sent_bytes = is_head ? 0 : strlen(text);
    if (exchange->function != NULL)
        exchange->function->metrics.sent_bytes += exchange->out.size_bytes;
    serve_buffer_drop(&exchange->out, exchange->out.size_bytes);
    response_finish(exchange, true);
}

static int response_status_of(int code, bool was_granted)
{
    if (code == SNAPCELL_E_USAGE && was_granted) return 400;
    if (was_granted) return code == SNAPCELL_E_WALL_LIMIT ? 504 : 500;
    if (code == SNAPCELL_E_NOT_FOUND) return 404;
    return 503;
}

static void response_log_failure(const serve_exchange *exchange, const snapcell_error *error)
{
    serve_log *log = &exchange->context->log;
    serve_log_begin(log, "error", "failure");
    serve_log_text(log, "request", exchange->id);
    serve_log_text(log, "function", exchange->function->name);
    serve_log_text(log, "code", snapcell_error_name(error->code));
    serve_log_text(log, "error", error->message);
    if (error->line > 0) {
        serve_log_text(log, "file", error->file);
        serve_log_number(log, "line", error->line);
        serve_log_number(log, "column", error->column);
    }
    if (error->stack[0] != '\0') serve_log_text(log, "stack", error->stack);
    serve_log_end(log);
}

/* The function was not called: the URL is none, or its event's JSON. That is the client's doing. */
static void response_bad_request(serve_exchange *exchange, const snapcell_error *error)
{
    serve_log *log = &exchange->context->log;
    exchange->context->metrics.bad_requests++;
    serve_log_begin(log, "warn", "bad_request");
    serve_log_text(log, "request", exchange->id);
    serve_log_text(log, "function", exchange->function->name);
    serve_log_number(log, "status", 400);
    serve_log_text(log, "error", error->message);
    serve_log_end(log);
}

/* For a person who develops the function, all that is known; for others, an id. */
static void response_error_text(const serve_exchange *exchange, int status,
                                const snapcell_error *error, serve_buffer *out)
{
    serve_buffer_format(out, "%d %s\n", status, serve_status_phrase(status));
    if (exchange->context->dev) {
        serve_buffer_format(out, "\n%s: %s\n", exchange->function->name, error->message);
        if (error->line > 0)
            serve_buffer_format(out, "    at %s:%u:%u\n", error->file, error->line, error->column);
        if (error->stack[0] != '\0') serve_buffer_format(out, "\n%s\n", error->stack);
        serve_buffer_text(out, "\n");
    }
    serve_buffer_format(out, "request id: %s\n", exchange->id);
    serve_buffer_add(out, "", 1);
}

void exchange_fail(serve_exchange *exchange, const snapcell_error *error, unsigned retry_after_s)
{
    bool was_granted = exchange->is_calling;
    int status = response_status_of(error->code, was_granted);
    if (status == 400)
        response_bad_request(exchange, error);
    else if (was_granted || error->code != SNAPCELL_E_BUSY)
        response_log_failure(exchange, error);
    if (exchange->client == NULL) return;
    if (exchange->state == EXCHANGE_STREAMING) {
        response_finish(exchange, false);
        return;
    }
    exchange->state = EXCHANGE_NO_RESPONSE;
    char extra[128];
    size_t size = (size_t)snprintf(extra, sizeof(extra), "x-request-id: %s\r\n", exchange->id);
    if (retry_after_s > 0)
        snprintf(extra + size, sizeof(extra) - size, "retry-after: %u\r\n", retry_after_s);
    serve_buffer text = {0};
    response_error_text(exchange, status, error, &text);
    exchange_answer(exchange, status, extra, text.failed ? "" : text.data);
    serve_buffer_release(&text);
}

/* --- The log --- */

static void response_count(serve_exchange *exchange, int status)
{
    serve_function *function = exchange->function;
    if (function == NULL) {
        exchange->context->metrics.unrouted++;
        return;
    }
    function->metrics.received_bytes += exchange->body_bytes;
    function->metrics.answers[status == EXCHANGE_CLIENT_GONE ? 0 : status / 100 % 6]++;
    uint64_t granted_ns = exchange->ticket.granted_ns;
    serve_watch_count(&exchange->context->watch, &function->watch, status >= 500,
                      granted_ns > 0 ? granted_ns : exchange->started_ns);
}

void exchange_log(serve_exchange *exchange, int status)
{
    if (exchange->is_logged) return;
    exchange->is_logged = true;
    response_count(exchange, status);
    serve_log *log = &exchange->context->log;
    if (!exchange->settings->config.access_log) return;
    uint64_t now_ns = monotonic_now_ns();
    serve_log_begin(log, "info", "request");
    serve_log_text(log, "request", exchange->id);
    serve_log_bytes(log, "trace", exchange->trace + 3, 32);
    if (exchange->function != NULL) serve_log_text(log, "function", exchange->function->name);
    if (*exchange->address != '\0') serve_log_text(log, "client", exchange->address);
    serve_log_text(log, "method", exchange->head.method);
    serve_log_text(log, "host", exchange_host(exchange));
    serve_log_text(log, "path", exchange->head.path);
    serve_log_number(log, "status", (uint64_t)status);
    serve_log_number(log, "received_bytes", exchange->body_bytes);
    serve_log_number(log, "sent_bytes", exchange->sent_bytes);
    if (exchange->ticket.granted_ns > 0)
        serve_log_milliseconds(log, "queue_ms",
                               exchange->ticket.granted_ns - exchange->ticket.asked_ns);
    serve_log_milliseconds(log, "total_ms", now_ns - exchange->started_ns);
    serve_log_end(log);
}

void serve_exchange_reject(serve_context *context, const serve_refusal *refusal,
                           const char *address, serve_buffer *out)
{
    serve_buffer text = {0};
    serve_buffer_format(&text, "%d %s: %s\n", refusal->status, serve_status_phrase(refusal->status),
                        refusal->reason);
    serve_buffer_add(&text, "", 1);
    serve_response_plain(out, refusal->status, "", text.failed ? "" : text.data, true, false, 1);
    serve_buffer_release(&text);
    context->metrics.bad_requests++;
    serve_log_begin(&context->log, "warn", "bad_request");
    if (*address != '\0') serve_log_text(&context->log, "client", address);
    serve_log_number(&context->log, "status", (uint64_t)refusal->status);
    serve_log_text(&context->log, "error", refusal->reason);
    serve_log_end(&context->log);
}
