#include "net_call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"
#include "net_wire.h"
#include "process_spawn.h"
#include "snapcell/fetch.h"
#include "socket_io.h"

struct net_line {
    int fd;
    pid_t pid;
    uint32_t last_id;
    char *frame; /* room for the largest */
};

int net_line_open(const snapcell_net_options *options, net_line **out, snapcell_error *err)
{
    int ends[2];
    *out = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open a socket");
    cleanup_close int its_fd = ends[1];
    net_line *line = calloc(1, sizeof(*line));
    if (line != NULL) {
        *line = (net_line){.fd = ends[0], .frame = malloc(NET_FRAME_SIZE_MAX)};
        if (line->frame != NULL) {
            const int status = snapcell_net_serve(options, its_fd, &line->pid, err);
            if (status == SNAPCELL_OK)
                *out = line;
            else
                net_line_close(line);
            return status;
        }
        free(line);
    }
    close(ends[0]);
    return error_set(err, SNAPCELL_E_NOMEM, "no memory for the network's client");
}

void net_line_close(net_line *line)
{
    if (line == NULL) return;
    close(line->fd);
    if (line->pid > 0) process_wait(line->pid);
    free(line->frame);
    free(line);
}

/* --- One request --- */

typedef struct call_state {
    net_line *line;
    const net_call *call;
    net_call_failure *failure;
    size_t sent_size_bytes;
    uint64_t end_ns; /* of the wall limit; 0: none */
} call_state;

static net_call_end call_fail(const call_state *state, net_call_end end, const char *code,
                              const char *message)
{
    error_text_copy(state->failure->code, sizeof(state->failure->code), code, strlen(code));
    error_text_copy(state->failure->message, sizeof(state->failure->message), message,
                    strlen(message));
    return end;
}

static net_call_end call_lost(const call_state *state)
{
    return call_fail(state, NET_CALL_LOST, "",
                     "the process that has the network ended; see its messages");
}

static bool call_send_start(const call_state *state)
{
    const net_call *call = state->call;
    cleanup_writer wire_writer body = {0};
    wire_put_u64(&body, (uint64_t)(call->has_body ? (int64_t)call->body_size_bytes
                                                  : (int64_t)SNAPCELL_BODY_NONE));
    wire_put_string(&body, call->method);
    wire_put_string(&body, call->url);
    net_put_headers(&body, call->headers, call->header_count);
    return net_body_fits(&body) &&
           net_send(state->line->fd, NET_START, state->line->last_id, body.data, body.size_bytes);
}

static bool call_send_piece(call_state *state)
{
    const net_call *call = state->call;
    const size_t left = call->body_size_bytes - state->sent_size_bytes;
    const size_t size = left < SNAPCELL_FETCH_PIECE_BYTES ? left : SNAPCELL_FETCH_PIECE_BYTES;
    const uint8_t *piece = (const uint8_t *)call->body + state->sent_size_bytes;
    state->sent_size_bytes += size;
    if (call->sent != NULL) call->sent(call->user, state->sent_size_bytes);
    return net_send(state->line->fd, size == left ? NET_BODY_LAST : NET_BODY, state->line->last_id,
                    piece, size);
}

static void call_close(const call_state *state)
{
    (void)net_send(state->line->fd, NET_CLOSE, state->line->last_id, NULL, 0);
}

/* Waits for a frame as long as the limits allow. */
static bool call_wait(const call_state *state)
{
    uint64_t wait_ns = state->call->idle_limit_ms * NS_PER_MS;
    const uint64_t now = monotonic_now_ns();
    if (state->end_ns != 0 && now >= state->end_ns) return false;
    if (state->end_ns != 0 && state->end_ns - now < wait_ns) wait_ns = state->end_ns - now;
    struct pollfd waited = {.fd = state->line->fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&waited, 1, (int)(wait_ns / NS_PER_MS) + 1);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* One of what a frame may lead to: -1 when the request goes on. */
#define CALL_GOES_ON (-1)

static int call_take_head(const call_state *state, wire_reader *body)
{
    const int status = (int)wire_get_u32(body);
    (void)wire_get_string(body);
    cleanup_free snapcell_header *headers = NULL;
    const size_t count = net_get_headers(body, &headers);
    if (body->failed) return (int)call_lost(state);
    if (state->call->head(state->call->user, status, headers, count)) return CALL_GOES_ON;
    call_close(state);
    return NET_CALL_STOPPED;
}

static int call_take_data(const call_state *state, const void *data, size_t size_bytes)
{
    const uint32_t credit = (uint32_t)size_bytes;
    if (!state->call->data(state->call->user, data, size_bytes)) {
        call_close(state);
        return NET_CALL_STOPPED;
    }
    if (net_send(state->line->fd, NET_CREDIT, state->line->last_id, &credit, sizeof(credit)))
        return CALL_GOES_ON;
    return (int)call_lost(state);
}

static int call_take_failure(const call_state *state, wire_reader *body)
{
    const char *code = wire_get_string(body);
    const char *message = wire_get_string(body);
    if (body->failed) return (int)call_lost(state);
    return (int)call_fail(state, NET_CALL_FAILED, code, message);
}

static int call_take(call_state *state, const net_frame_header *header)
{
    wire_reader body = wire_reader_over(state->line->frame, header->size_bytes);
    switch ((net_frame_type)header->type) {
    case NET_PULL:
        return call_send_piece(state) ? CALL_GOES_ON : (int)call_lost(state);
    case NET_HEAD:
        return call_take_head(state, &body);
    case NET_DATA:
        return call_take_data(state, state->line->frame, header->size_bytes);
    case NET_END:
        return NET_CALL_DONE;
    case NET_FAIL:
        return call_take_failure(state, &body);
    default:
        return (int)call_lost(state);
    }
}

static int call_receive(call_state *state)
{
    net_frame_header header;
    if (!call_wait(state)) {
        call_close(state);
        return (int)call_fail(state, NET_CALL_FAILED, "ETIMEDOUT", "there was no answer in time");
    }
    if (!socket_read_all(state->line->fd, &header, sizeof(header)) ||
        header.size_bytes > NET_FRAME_SIZE_MAX ||
        !socket_read_all(state->line->fd, state->line->frame, header.size_bytes))
        return (int)call_lost(state);
    /* What was on its way when an earlier request was given up. */
    if (header.id != state->line->last_id) return CALL_GOES_ON;
    return call_take(state, &header);
}

net_call_end net_call_run(net_line *line, const net_call *call, net_call_failure *failure)
{
    call_state state = {.line = line, .call = call, .failure = failure};
    memset(failure, 0, sizeof(*failure));
    if (call->wall_limit_ms != 0)
        state.end_ns = monotonic_now_ns() + call->wall_limit_ms * NS_PER_MS;
    line->last_id++;
    if (!call_send_start(&state)) return call_lost(&state);
    int end;
    do
        end = call_receive(&state);
    while (end == CALL_GOES_ON);
    return (net_call_end)end;
}
