#include "serve_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monotonic.h"
#include "serve_address.h"

/* What came and was not looked at yet; above this, reading stops. */
#define CONNECTION_INPUT_MAX ((size_t)65536)
/* Bytes of responses under way; above this, no more are taken from workers. */
#define CONNECTION_BACKLOG_MAX ((size_t)262144)
/* A client that sends no more may still want its answer; or it has gone away, which looks the same.
 */
#define CONNECTION_HALF_OPEN_NS (500 * NS_PER_MS)
/* After the last response: what comes until then is read, so that no reset overtakes that. */
#define CONNECTION_LINGER_NS NS_PER_SECOND

struct serve_connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    serve_front *front;
    serve_connection *next;
    serve_connection *previous;
    serve_parser parser;
    serve_buffer input;
    serve_exchange *exchange;
    bool is_admin;
    bool is_pipe;
    bool is_trusted;
    bool is_reading;
    bool is_processing;
    bool is_closing;
    bool has_ended;  /* the client sends no more */
    bool has_failed; /* it takes no more */
    bool closes;     /* after what is under way was sent */
    bool lingers;
    bool expects_continue;
    bool wants_room;
    size_t backlog_bytes;
    uint64_t since_ns; /* of what is waited for: when it began, or last went on */
    uint64_t wrote_ns; /* when a client last took something */
    uv_shutdown_t shutdown;
    char address[SERVE_ADDRESS_SIZE];
};

typedef struct connection_write {
    uv_write_t request;
    serve_connection *connection;
    size_t size_bytes;
    char data[];
} connection_write;

static void connection_process(serve_connection *connection);

/* --- Ends --- */

static void connection_on_closed(uv_handle_t *handle)
{
    serve_connection *connection = handle->data;
    serve_buffer_release(&connection->input);
    free(connection);
}

static void connection_unlink(serve_connection *connection)
{
    serve_front *front = connection->front;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        front->connections = connection->next;
    if (connection->next != NULL) connection->next->previous = connection->previous;
    front->count--;
    front->context->metrics.connections_open = front->count;
}

/* `resets`: what was sent must not look complete. */
static void connection_close(serve_connection *connection, bool resets)
{
    if (connection->is_closing) return;
    connection->is_closing = true;
    serve_exchange *exchange = connection->exchange;
    connection->exchange = NULL;
    connection_unlink(connection);
    bool is_reset = resets && !connection->is_pipe &&
                    uv_tcp_close_reset(&connection->uv.tcp, connection_on_closed) == 0;
    if (!is_reset) uv_close(&connection->uv.handle, connection_on_closed);
    if (exchange != NULL) serve_exchange_client_gone(exchange);
}

static void connection_on_shutdown(uv_shutdown_t *request, int status)
{
    serve_connection *connection = request->data;
    if (connection->is_closing) return;
    if (status < 0 || connection->has_ended) {
        connection_close(connection, false);
        return;
    }
    connection->lingers = true;
    connection->since_ns = monotonic_now_ns();
}

/* Once all is written, no more is sent; then the client closes, or time does. */
static void connection_finish(serve_connection *connection)
{
    if (connection->shutdown.data != NULL || connection->is_closing) return;
    connection->shutdown.data = connection;
    if (uv_shutdown(&connection->shutdown, &connection->uv.stream, connection_on_shutdown) != 0)
        connection_close(connection, false);
}

/* --- Writing --- */

static void connection_on_written(uv_write_t *request, int status)
{
    connection_write *written = (connection_write *)(void *)request;
    serve_connection *connection = written->connection;
    connection->backlog_bytes -= written->size_bytes;
    free(written);
    if (connection->is_closing) return;
    if (status < 0) {
        connection_close(connection, false);
        return;
    }
    connection->wrote_ns = monotonic_now_ns();
    if (!connection->wants_room || connection->backlog_bytes >= CONNECTION_BACKLOG_MAX) return;
    connection->wants_room = false;
    if (connection->exchange != NULL) serve_exchange_drained(connection->exchange);
}

static void connection_send(void *user, const void *data, size_t size_bytes)
{
    serve_connection *connection = user;
    if (connection->is_closing || connection->has_failed) return;
    size_t sent = 0;
    if (connection->backlog_bytes == 0) {
        uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data, (unsigned)size_bytes);
        int result = uv_try_write(&connection->uv.stream, &buffer, 1);
        if (result < 0 && result != UV_EAGAIN) connection->has_failed = true;
        if (result > 0) sent = (size_t)result;
        if (sent == size_bytes || connection->has_failed) return;
        connection->wrote_ns = monotonic_now_ns();
    }
    connection_write *write = malloc(sizeof(*write) + size_bytes - sent);
    if (write == NULL) {
        connection->has_failed = true;
        return;
    }
    write->connection = connection;
    write->size_bytes = size_bytes - sent;
    memcpy(write->data, (const char *)data + sent, write->size_bytes);
    uv_buf_t buffer = uv_buf_init(write->data, (unsigned)write->size_bytes);
    connection->backlog_bytes += write->size_bytes;
    if (uv_write(&write->request, &connection->uv.stream, &buffer, 1, connection_on_written) == 0)
        return;
    connection->backlog_bytes -= write->size_bytes;
    connection->has_failed = true;
    free(write);
}

/* --- What an exchange says --- */

static bool connection_has_room(void *user)
{
    serve_connection *connection = user;
    if (connection->backlog_bytes < CONNECTION_BACKLOG_MAX || connection->has_failed) return true;
    connection->wants_room = true;
    return false;
}

static void connection_on_wants_body(void *user)
{
    serve_connection *connection = user;
    connection->since_ns = monotonic_now_ns();
    connection_process(connection);
}

static void connection_on_finished(void *user, bool keeps_alive)
{
    serve_connection *connection = user;
    connection->exchange = NULL;
    connection->since_ns = monotonic_now_ns();
    if (keeps_alive && connection->parser.state == SERVE_PARSER_DONE)
        serve_parser_next(&connection->parser);
    else
        connection->closes = true;
    connection_process(connection);
}

static void connection_on_broken(void *user)
{
    serve_connection *connection = user;
    connection->exchange = NULL;
    connection_close(connection, true);
}

static const serve_client connection_client = {
    .send = connection_send,
    .has_room = connection_has_room,
    .wants_body = connection_on_wants_body,
    .finished = connection_on_finished,
    .broken = connection_on_broken,
};

/* --- Requests --- */

static void connection_reject(serve_connection *connection, const serve_refusal *refusal)
{
    serve_buffer out = {0};
    serve_exchange_reject(connection->front->context, refusal, connection->address, &out);
    if (!out.failed) connection_send(connection, out.data, out.size_bytes);
    serve_buffer_release(&out);
    connection->closes = true;
}

static void connection_answer(serve_connection *connection, serve_head *head)
{
    serve_buffer out = {0};
    connection->front->answer(connection->front->answer_user, head, &out);
    if (!out.failed) connection_send(connection, out.data, out.size_bytes);
    serve_buffer_release(&out);
    if (connection->parser.state == SERVE_PARSER_DONE && head->keeps_alive)
        serve_parser_next(&connection->parser);
    else
        connection->closes = true;
    serve_head_release(head);
}

static void connection_start(serve_connection *connection, serve_head *head)
{
    serve_front *front = connection->front;
    serve_origin origin = {connection->address, connection->is_trusted};
    connection->expects_continue = head->expects_continue;
    connection->exchange = serve_exchange_new(front->context, front->pool, head, &origin,
                                              &connection_client, connection);
    if (connection->exchange == NULL) {
        static const serve_refusal no_memory = {503, "memory is short"};
        serve_head_release(head);
        connection_reject(connection, &no_memory);
        return;
    }
    bool is_whole = connection->parser.state == SERVE_PARSER_DONE;
    serve_exchange_start(connection->exchange, NULL, 0, is_whole);
}

static void connection_count_body(void *user, const char *data, size_t size_bytes)
{
    serve_connection *connection = user;
    if (connection->exchange != NULL) serve_exchange_body(connection->exchange, data, size_bytes);
}

/* False: more must come first. */
static bool connection_read_head(serve_connection *connection)
{
    serve_head head;
    serve_parser *parser = &connection->parser;
    const serve_config *config = &connection->front->context->settings->config;
    size_t taken = serve_parser_read_head(parser, connection->input.data,
                                          connection->input.size_bytes, config->head_bytes, &head);
    if (parser->state == SERVE_PARSER_BROKEN) {
        connection_reject(connection, &parser->refusal);
        return true;
    }
    if (taken == 0) return false;
    serve_buffer_drop(&connection->input, taken);
    connection->since_ns = monotonic_now_ns();
    if (connection->is_admin)
        connection_answer(connection, &head);
    else
        connection_start(connection, &head);
    return true;
}

static void connection_continue(serve_connection *connection)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!connection->expects_continue) return;
    connection->expects_continue = false;
    if (connection->input.size_bytes == 0) connection_send(connection, line, sizeof(line) - 1);
}

static bool connection_read_body(serve_connection *connection)
{
    serve_parser *parser = &connection->parser;
    size_t appetite = serve_exchange_appetite(connection->exchange);
    if (appetite == 0) return false;
    connection_continue(connection);
    size_t size = connection->input.size_bytes;
    if (size == 0) return false;
    if (size > appetite) size = appetite;
    const serve_config *config = &connection->front->context->settings->config;
    size_t taken = serve_parser_read_body(parser, connection->input.data, size, config->head_bytes,
                                          connection_count_body, connection);
    serve_buffer_drop(&connection->input, taken);
    if (connection->exchange == NULL) return true; /* it was refused */
    if (parser->state == SERVE_PARSER_BROKEN)
        serve_exchange_refuse(connection->exchange, &parser->refusal);
    else if (parser->state == SERVE_PARSER_DONE)
        serve_exchange_body_end(connection->exchange);
    return taken > 0;
}

/* Whether there may be more to do. */
static bool connection_step(serve_connection *connection)
{
    if (connection->is_closing || connection->closes) return false;
    if (connection->exchange == NULL)
        return connection->input.size_bytes > 0 && connection_read_head(connection);
    return connection->parser.state != SERVE_PARSER_DONE && connection_read_body(connection);
}

/* --- Reading --- */

static void connection_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    serve_connection *connection = handle->data;
    (void)suggested;
    *out = uv_buf_init(connection->front->read_buffer, sizeof(connection->front->read_buffer));
}

static void connection_on_end(serve_connection *connection, ssize_t why)
{
    uv_read_stop(&connection->uv.stream);
    connection->is_reading = false;
    connection->has_ended = true;
    bool waits = connection->exchange != NULL && connection->parser.state == SERVE_PARSER_DONE &&
                 why == UV_EOF;
    if (waits)
        connection->since_ns = monotonic_now_ns();
    else if (!connection->closes || connection->lingers)
        connection_close(connection, false);
}

static void connection_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    serve_connection *connection = stream->data;
    if (size == 0) return;
    if (size < 0) {
        connection_on_end(connection, size);
        return;
    }
    if (connection->closes) return; /* what comes now is not looked at any more */
    if (connection->exchange == NULL && connection->input.size_bytes == 0)
        connection->since_ns = monotonic_now_ns();
    if (connection->exchange != NULL && connection->parser.state != SERVE_PARSER_DONE)
        connection->since_ns = monotonic_now_ns();
    serve_buffer_add(&connection->input, buffer->base, (size_t)size);
    if (connection->input.failed)
        connection_close(connection, true);
    else
        connection_process(connection);
}

static void connection_set_reading(serve_connection *connection)
{
    bool wants = !connection->has_ended &&
                 (connection->closes || connection->input.size_bytes < CONNECTION_INPUT_MAX);
    if (wants == connection->is_reading) return;
    connection->is_reading = wants;
    if (wants)
        uv_read_start(&connection->uv.stream, connection_on_alloc, connection_on_read);
    else
        uv_read_stop(&connection->uv.stream);
}

static void connection_process(serve_connection *connection)
{
    if (connection->is_processing || connection->is_closing) return;
    connection->is_processing = true;
    while (connection_step(connection))
        continue;
    connection->is_processing = false;
    if (connection->is_closing) return;
    if (connection->exchange == NULL && connection->has_ended) connection->closes = true;
    if (connection->closes && connection->exchange == NULL) connection_finish(connection);
    if (!connection->is_closing) connection_set_reading(connection);
}

/* --- Beginnings --- */

static bool connection_open(serve_connection *connection, uv_stream_t *listener, bool is_pipe)
{
    uv_loop_t *loop = connection->front->context->loop;
    int problem = is_pipe ? uv_pipe_init(loop, &connection->uv.pipe, 0)
                          : uv_tcp_init(loop, &connection->uv.tcp);
    if (problem != 0) return false;
    connection->uv.handle.data = connection;
    return uv_accept(listener, &connection->uv.stream) == 0;
}

void serve_connection_accept(serve_front *front, uv_stream_t *listener, bool is_pipe, bool is_admin)
{
    serve_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) return; /* it stays in the kernel's queue */
    connection->front = front;
    connection->is_pipe = is_pipe;
    connection->is_admin = is_admin;
    connection->since_ns = monotonic_now_ns();
    serve_parser_init(&connection->parser);
    bool opened = connection_open(connection, listener, is_pipe);
    front->context->metrics.connections++;
    const serve_config *config = &front->context->settings->config;
    if (!opened || (front->count >= config->connections_max && !is_admin)) {
        front->context->metrics.connections_refused++;
        uv_close(&connection->uv.handle, connection_on_closed);
        return;
    }
    if (!is_pipe) uv_tcp_nodelay(&connection->uv.tcp, 1);
    if (!is_pipe) serve_address_of_peer(&connection->uv.tcp, connection->address);
    connection->is_trusted = serve_address_is_in(&config->trusted_proxies, connection->address);
    connection->next = front->connections;
    if (front->connections != NULL) front->connections->previous = connection;
    front->connections = connection;
    front->context->metrics.connections_open = ++front->count;
    connection_set_reading(connection);
}

/* --- Deadlines --- */

static void connection_time_out(serve_connection *connection)
{
    static const serve_refusal too_slow = {408, "the request did not come in time"};
    connection->front->context->metrics.timeouts++;
    if (connection->exchange != NULL)
        serve_exchange_refuse(connection->exchange, &too_slow);
    else
        connection_reject(connection, &too_slow);
    if (!connection->is_closing) connection_process(connection);
}

/* A response that a client does not take. */
static bool connection_is_stuck(const serve_connection *connection, const serve_config *config,
                                uint64_t now_ns)
{
    return connection->has_failed || (connection->backlog_bytes > 0 &&
                                      now_ns - connection->wrote_ns > config->write_ms * NS_PER_MS);
}

static void connection_check(serve_connection *connection, const serve_config *config,
                             uint64_t now_ns)
{
    uint64_t waited_ns = now_ns - connection->since_ns;
    bool in_body = connection->exchange != NULL && connection->parser.state != SERVE_PARSER_DONE;
    if (connection_is_stuck(connection, config, now_ns)) {
        connection_close(connection, true);
    } else if (connection->lingers) {
        if (waited_ns > CONNECTION_LINGER_NS) connection_close(connection, false);
    } else if (connection->closes) {
        return;
    } else if (connection->exchange == NULL && connection->input.size_bytes > 0) {
        if (waited_ns > config->head_ms * NS_PER_MS) connection_time_out(connection);
    } else if (connection->exchange == NULL) {
        serve_buffer_release(&connection->input);
        if (waited_ns > config->idle_ms * NS_PER_MS) connection_close(connection, false);
    } else if (in_body && serve_exchange_appetite(connection->exchange) > 0) {
        if (waited_ns > config->body_ms * NS_PER_MS) connection_time_out(connection);
    } else if (connection->has_ended && waited_ns > CONNECTION_HALF_OPEN_NS) {
        connection_close(connection, false);
    }
}

/* Closing one takes none but it out of the list. */
void serve_connection_sweep(serve_front *front, uint64_t now_ns)
{
    const serve_config *config = &front->context->settings->config;
    serve_connection *next;
    for (serve_connection *connection = front->connections; connection != NULL; connection = next) {
        next = connection->next;
        connection_check(connection, config, now_ns);
    }
}

void serve_connection_close_all(serve_front *front, bool all)
{
    serve_connection *next;
    for (serve_connection *connection = front->connections; connection != NULL; connection = next) {
        next = connection->next;
        bool is_idle = connection->exchange == NULL && connection->input.size_bytes == 0;
        if (all)
            connection_close(connection, true);
        else if (is_idle && !connection->closes && !connection->is_admin)
            connection_close(connection, false);
    }
}

bool serve_connection_is_busy(const serve_front *front)
{
    for (const serve_connection *connection = front->connections; connection != NULL;
         connection = connection->next)
        if (!connection->is_admin && !connection->lingers) return true;
    return false;
}
