#include "serve_exchange.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error_set.h"
#include "monotonic.h"
#include "serve_exchange_state.h"
#include "serve_slot.h"

static serve_exchange *exchange_of(serve_ticket *ticket)
{
    return (serve_exchange *)(void *)ticket; /* its first member */
}

static void exchange_free(serve_exchange *exchange)
{
    serve_head_release(&exchange->head);
    serve_buffer_release(&exchange->body);
    serve_buffer_release(&exchange->out);
    serve_buffer_release(&exchange->piece);
    serve_settings_drop(exchange->settings);
    free(exchange);
}

/* It is needed as long as it has a client, or a ticket that is not over. */
static void exchange_release(serve_exchange *exchange)
{
    if (exchange->client == NULL && !exchange->has_asked) exchange_free(exchange);
}

/* Nobody wants what the call still gives. */
static void exchange_stop_call(serve_exchange *exchange)
{
    snapcell_worker *worker = exchange->ticket.slot->worker;
    if (exchange->function->config->policy == SNAPCELL_WORKERS_RESTORE)
        snapcell_worker_cancel(worker);
    else
        snapcell_worker_abandon(worker); /* a process that is to be kept is not ended */
}

/* --- A worker's events --- */

static void exchange_on_head(void *user, int status, const snapcell_header *headers, size_t count)
{
    exchange_response_head(user, status, headers, count);
}

static size_t exchange_on_body(void *user, const void *data, size_t size_bytes)
{
    serve_exchange *exchange = user;
    static const snapcell_header json = {"content-type", "application/json"};
    if (exchange->function->shape == SNAPCELL_SHAPE_JSON)
        exchange_response_head(exchange, 200, &json, 1);
    return exchange_response_body(exchange, data, size_bytes);
}

static void exchange_on_end(void *user)
{
    exchange_response_end(user);
}

/* Gives the worker what is here of the body. */
static void exchange_send_body(serve_exchange *exchange)
{
    snapcell_worker *worker = exchange->ticket.slot->worker;
    serve_buffer *body = &exchange->body;
    if (!exchange->streams_body || exchange->body_ended) return;
    if (body->size_bytes > 0)
        serve_buffer_drop(body, snapcell_worker_send_body(worker, body->data, body->size_bytes));
    if (body->size_bytes > 0 || !exchange->body_is_whole) return;
    exchange->body_ended = true;
    snapcell_worker_end_body(worker, true);
}

static void exchange_on_room(void *user)
{
    serve_exchange *exchange = user;
    exchange_send_body(exchange);
    if (exchange->client != NULL && exchange->body.size_bytes == 0 && !exchange->body_is_whole)
        exchange->client->wants_body(exchange->user);
}

static void exchange_on_log(void *user, snapcell_log_level level, const char *text,
                            size_t text_size_bytes)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    serve_exchange *exchange = user;
    serve_log *log = &exchange->context->log;
    serve_log_begin(log, levels[level], "console");
    serve_log_text(log, "request", exchange->id);
    serve_log_text(log, "function", exchange->function->name);
    serve_log_bytes(log, "text", text, text_size_bytes);
    serve_log_end(log);
}

static void exchange_count_failure(serve_exchange *exchange, int status)
{
    serve_function_metrics *metrics = &exchange->function->metrics;
    if (status == SNAPCELL_E_CANCELLED) metrics->cancelled++;
    if (status == SNAPCELL_E_CANCELLED || status == SNAPCELL_E_USAGE || status == SNAPCELL_OK)
        return;
    metrics->failures++;
    if (status == SNAPCELL_E_MEMORY_LIMIT) metrics->limits[0]++;
    if (status == SNAPCELL_E_CPU_LIMIT) metrics->limits[1]++;
    if (status == SNAPCELL_E_WALL_LIMIT) metrics->limits[2]++;
}

/* What waitUntil() was given took too long, or the server ends. */
static bool exchange_is_cut_short(const serve_exchange *exchange, int status)
{
    return status == SNAPCELL_E_CANCELLED && exchange->client == NULL;
}

/* A worker that died said nothing yet that the client has, and the request may be repeated without
 * harm, as its method says. */
static bool exchange_may_ask_again(const serve_exchange *exchange, int status)
{
    const char *method = exchange->head.method;
    bool is_safe = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    return status == SNAPCELL_E_WORKER_DIED && is_safe && exchange->client != NULL &&
           !exchange->is_again && (exchange->body_bytes == 0 || exchange->drops_body) &&
           !exchange->streams_body && exchange->state <= EXCHANGE_HELD;
}

static void exchange_on_done(void *user, int status, const snapcell_error *error)
{
    serve_exchange *exchange = user;
    exchange->ticket.is_over = true;
    exchange->ticket.status = status;
    exchange->asks_again = exchange_may_ask_again(exchange, status);
    if (exchange->asks_again) return;
    bool is_deserted = exchange->client == NULL && !exchange->has_ended;
    if (!is_deserted || status == SNAPCELL_E_CANCELLED) exchange_count_failure(exchange, status);
    if (status == SNAPCELL_OK || is_deserted || exchange_is_cut_short(exchange, status)) return;
    if (exchange->has_ended)
        exchange_response_flush(exchange); /* what failed came after the response */
    exchange_fail(exchange, error, 0);
}

/* --- The pool's events --- */

static bool exchange_start_call(serve_exchange *exchange, snapcell_worker *worker,
                                const exchange_request *request, snapcell_error *err)
{
    snapcell_worker_events events = SNAPCELL_WORKER_EVENTS_INIT;
    events.user = exchange;
    events.head = exchange_on_head;
    events.body = exchange_on_body;
    events.end = exchange_on_end;
    events.room = exchange_on_room;
    events.log = exchange_on_log;
    events.done = exchange_on_done;
    snapcell_worker_task task = SNAPCELL_WORKER_TASK_INIT;
    char *event = NULL;
    task.request = &request->request;
    task.streams_body = exchange->streams_body;
    if (exchange->function->shape == SNAPCELL_SHAPE_JSON) {
        task.kind = SNAPCELL_WORKER_CALL_INVOKE;
        event = exchange_request_event(exchange, request);
        task.event_json = event;
        if (event == NULL) error_set(err, SNAPCELL_E_NOMEM, "no memory for an event");
    }
    bool can = task.kind == SNAPCELL_WORKER_CALL_FETCH || event != NULL;
    bool started = can && snapcell_worker_call_start(worker, &task, &events, err) == SNAPCELL_OK;
    free(event);
    return started;
}

static bool exchange_on_granted(serve_ticket *ticket, snapcell_worker *worker)
{
    serve_exchange *exchange = exchange_of(ticket);
    snapcell_error error = {0};
    exchange_request request;
    bool started = false;
    if (exchange_request_init(&request, exchange)) {
        if (!exchange->streams_body && exchange->body.size_bytes > 0) {
            request.request.body = exchange->body.data;
            request.request.body_size_bytes = exchange->body.size_bytes;
        }
        started = exchange_start_call(exchange, worker, &request, &error);
        exchange_request_release(&request);
    } else {
        error_set(&error, SNAPCELL_E_NOMEM, "no memory for a request");
    }
    exchange->is_calling = true;
    if (started) {
        if (exchange->streams_body && exchange->client != NULL)
            exchange->client->wants_body(exchange->user);
        else if (!exchange->streams_body)
            serve_buffer_release(&exchange->body);
        return true;
    }
    exchange->has_asked = false;
    exchange_fail(exchange, &error, 0);
    exchange_release(exchange);
    return false;
}

static void exchange_on_refused(serve_ticket *ticket, const snapcell_error *why,
                                unsigned retry_after_s)
{
    serve_exchange *exchange = exchange_of(ticket);
    exchange->has_asked = false;
    exchange_fail(exchange, why, retry_after_s);
    exchange_release(exchange);
}

static void exchange_on_advanced(serve_ticket *ticket)
{
    exchange_response_flush(exchange_of(ticket));
}

static const serve_ticket_events exchange_ticket_events;

static void exchange_ask(serve_exchange *exchange)
{
    exchange->has_asked = true;
    serve_pool_ask(&exchange->ticket, exchange->function, &exchange_ticket_events);
}

/* As it was before it was asked, except for what is counted. */
static void exchange_ask_again(serve_exchange *exchange)
{
    exchange->is_again = true;
    exchange->is_calling = false;
    exchange->has_ended = false;
    exchange->has_length = false;
    exchange->state = EXCHANGE_NO_RESPONSE;
    serve_buffer_drop(&exchange->out, exchange->out.size_bytes);
    serve_buffer_drop(&exchange->piece, exchange->piece.size_bytes);
    exchange->sent_bytes = 0;
    exchange->function->metrics.repeats++;
    exchange_ask(exchange);
}

static void exchange_on_settled(serve_ticket *ticket)
{
    serve_exchange *exchange = exchange_of(ticket);
    if (exchange->asks_again && exchange->client != NULL) {
        exchange->asks_again = false;
        exchange_ask_again(exchange);
        return;
    }
    if (exchange->has_ended && ticket->status == SNAPCELL_OK)
        serve_histogram_add(&exchange->function->metrics.phases[SERVE_PHASE_RESTORE],
                            monotonic_now_ns() - ticket->answered_ns);
    exchange->has_asked = false;
    exchange_response_flush(exchange);
    exchange_release(exchange);
}

static const serve_ticket_events exchange_ticket_events = {
    .granted = exchange_on_granted,
    .refused = exchange_on_refused,
    .advanced = exchange_on_advanced,
    .settled = exchange_on_settled,
};

/* --- Routes --- */

/* Lower case, without port and final dot. */
static void exchange_plain_host(const char *host, char *out, size_t out_size)
{
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (size >= out_size) size = out_size - 1;
    if (size > 0 && host[size - 1] == '.') size--;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)tolower((unsigned char)host[i]);
    out[size] = '\0';
}

static const serve_name *exchange_route(const serve_exchange *exchange)
{
    const serve_context *context = exchange->context;
    const serve_names *names = &context->names;
    const serve_settings *settings = exchange->settings;
    if (context->single != NULL)
        return serve_names_find(names, context->single, strlen(context->single));
    char host[256];
    exchange_plain_host(exchange_host(exchange), host, sizeof(host));
    const char *path = exchange->head.path;
    size_t path_size = strcspn(path, "?#");
    if (path_size == 0) {
        path = "/";
        path_size = 1;
    }
    const char *function = serve_routes_find(&settings->routes, host, path, path_size);
    if (function != NULL) return serve_names_find(names, function, strlen(function));
    return settings->config.by_host ? serve_names_find(names, host, strcspn(host, ".")) : NULL;
}

/* --- The client's side --- */

serve_exchange *serve_exchange_new(serve_context *context, serve_pool *pool, serve_head *head,
                                   const serve_origin *origin, const serve_client *client,
                                   void *user)
{
    serve_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL) return NULL;
    exchange->context = context;
    exchange->pool = pool;
    exchange->settings = serve_settings_keep(context->settings);
    exchange->client = client;
    exchange->user = user;
    exchange->head = *head;
    head->block = NULL;
    strncpy(exchange->address, origin->address, sizeof(exchange->address) - 1);
    exchange->is_trusted = origin->is_trusted;
    exchange->started_ns = monotonic_now_ns();
    const char *id = serve_head_find(&exchange->head, "x-request-id");
    serve_identity_make(exchange->id);
    if (origin->is_trusted && id != NULL && strlen(id) == SERVE_ID_SIZE - 1)
        memcpy(exchange->id, id, SERVE_ID_SIZE);
    serve_identity_trace(serve_head_find(&exchange->head, "traceparent"), exchange->trace);
    return exchange;
}

/* Answers what no function is asked about. */
static bool exchange_answers_itself(serve_exchange *exchange)
{
    const char *method = exchange->head.method;
    if (strcmp(exchange->head.path, "*") == 0 && strcmp(method, "OPTIONS") == 0)
        exchange_answer(exchange, 204, "", "");
    else if (strcmp(exchange->head.path, "*") == 0)
        exchange_answer(exchange, 400, "", "400 Bad Request: only OPTIONS has the target *\n");
    else if (strcmp(method, "TRACE") == 0 || strcmp(method, "CONNECT") == 0)
        exchange_answer(exchange, 405, "", "405 Method Not Allowed\n");
    else
        return false;
    return true;
}

static bool exchange_find(serve_exchange *exchange)
{
    const serve_name *name = exchange_route(exchange);
    if (name == NULL) {
        exchange_answer(exchange, 404, "", "404 Not Found: no function answers here\n");
        return false;
    }
    exchange->function = serve_pool_function(exchange->pool, name);
    if (exchange->function == NULL) {
        exchange_answer(exchange, 503, "retry-after: 1\r\n", "503 Service Unavailable\n");
        return false;
    }
    if (exchange->head.has_length &&
        exchange->head.length_bytes > exchange->function->config->body_bytes) {
        exchange_answer(exchange, 413, "", "413 Content Too Large\n");
        return false;
    }
    return true;
}

void serve_exchange_start(serve_exchange *exchange, const void *body, size_t size_bytes,
                          bool is_whole)
{
    const char *method = exchange->head.method;
    exchange->body_is_whole = is_whole;
    if (exchange_answers_itself(exchange) || !exchange_find(exchange)) {
        exchange_release(exchange);
        return;
    }
    /* A Request of the Fetch API has none then. */
    exchange->drops_body = exchange->function->shape != SNAPCELL_SHAPE_JSON &&
                           (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
    if (is_whole) {
        if (!exchange->drops_body) serve_buffer_add(&exchange->body, body, size_bytes);
        exchange->body_bytes = size_bytes;
        exchange_ask(exchange);
        return;
    }
    exchange->collects =
        exchange->drops_body || exchange->function->shape == SNAPCELL_SHAPE_JSON ||
        (exchange->head.has_length && exchange->head.length_bytes <= EXCHANGE_COLLECT_MAX);
    exchange->streams_body = !exchange->collects;
    if (!exchange->collects) exchange_ask(exchange);
}

size_t serve_exchange_appetite(const serve_exchange *exchange)
{
    if (exchange->collects) return EXCHANGE_BODY_WINDOW;
    if (!exchange->is_calling || exchange->body.size_bytes >= EXCHANGE_BODY_WINDOW) return 0;
    return EXCHANGE_BODY_WINDOW - exchange->body.size_bytes;
}

void serve_exchange_body(serve_exchange *exchange, const char *data, size_t size_bytes)
{
    if (exchange->client == NULL) return;
    exchange->body_bytes += size_bytes;
    if (exchange->body_bytes > exchange->function->config->body_bytes) {
        static const serve_refusal too_large = {413, "the body is too large"};
        serve_exchange_refuse(exchange, &too_large);
        return;
    }
    if (exchange->drops_body) return;
    serve_buffer_add(&exchange->body, data, size_bytes);
    if (exchange->ticket.slot != NULL) exchange_send_body(exchange);
}

void serve_exchange_body_end(serve_exchange *exchange)
{
    exchange->body_is_whole = true;
    if (exchange->collects) {
        exchange->collects = false;
        exchange_ask(exchange);
    } else if (exchange->ticket.slot != NULL) {
        exchange_send_body(exchange);
    }
}

/* From the queue, or from its worker. */
static void exchange_leave(serve_exchange *exchange)
{
    if (!exchange->has_asked) return;
    if (!exchange->is_calling) {
        serve_pool_forget(&exchange->ticket);
        exchange->has_asked = false;
    } else if (exchange->ticket.slot != NULL && !exchange->has_ended) {
        if (exchange->streams_body && !exchange->body_ended) {
            exchange->body_ended = true;
            snapcell_worker_end_body(exchange->ticket.slot->worker, false);
        }
        exchange_stop_call(exchange);
    }
}

void serve_exchange_refuse(serve_exchange *exchange, const serve_refusal *refusal)
{
    if (exchange->client == NULL) return;
    exchange_leave(exchange);
    if (exchange->state == EXCHANGE_NO_RESPONSE || exchange->state == EXCHANGE_HELD) {
        serve_buffer text = {0};
        serve_buffer_format(&text, "%d %s: %s\n", refusal->status,
                            serve_status_phrase(refusal->status), refusal->reason);
        serve_buffer_add(&text, "", 1);
        exchange_answer(exchange, refusal->status, "", text.failed ? "" : text.data);
        serve_buffer_release(&text);
    } else {
        const serve_client *client = exchange->client;
        exchange->client = NULL;
        exchange_log(exchange, refusal->status);
        client->broken(exchange->user);
    }
    exchange_release(exchange);
}

void serve_exchange_drained(serve_exchange *exchange)
{
    serve_pool_push(&exchange->ticket);
}

void serve_exchange_client_gone(serve_exchange *exchange)
{
    exchange->client = NULL;
    exchange_log(exchange, EXCHANGE_CLIENT_GONE);
    exchange_leave(exchange);
    exchange_release(exchange);
}
