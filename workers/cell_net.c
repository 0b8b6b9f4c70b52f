#include "cell_net.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "error_set.h"
#include "net_fetch.h"

#define FRAME_SIZE_MAX (sizeof(net_frame_header) + NET_FRAME_SIZE_MAX)
/* Received at once. */
#define RECEIVE_SIZE ((size_t)64 << 10)

struct cell_fetch {
    cell_net *net;
    cell_fetch *next;
    uint32_t id;
    snapcell_fetch *fetch; /* NULL once it was given back */
};

static void net_hold(const cell_net *net)
{
    if (net->cut != NULL) cell_cut_hold(net->cut);
}

static void net_release(const cell_net *net)
{
    if (net->cut != NULL) cell_cut_release(net->cut);
}

bool cell_net_init(cell_net *net, int fd, cell_cut *cut, cell_outbox *outbox,
                   const bool *is_refused)
{
    *net = (cell_net){.fd = fd, .cut = cut, .outbox = outbox, .is_refused = is_refused};
    return outer_buffer_init(&net->in, FRAME_SIZE_MAX + RECEIVE_SIZE) &&
           outer_buffer_init(&net->out, 2 * FRAME_SIZE_MAX);
}

/* --- Receiving --- */

static void net_break(cell_net *net)
{
    net->is_broken = true;
    for (cell_fetch *fetch = net->fetches; fetch != NULL; fetch = fetch->next)
        if (fetch->fetch != NULL)
            net_fetch_fail(&fetch->fetch, "", "the process that has the network ended");
}

static cell_fetch *net_find(const cell_net *net, uint32_t id)
{
    cell_fetch *found = net->fetches;
    while (found != NULL && found->id != id)
        found = found->next;
    return found != NULL && found->fetch != NULL ? found : NULL;
}

static bool net_take_frame(cell_net *net, const net_frame_header *header, const uint8_t *data)
{
    cell_fetch *fetch = net_find(net, header->id);
    if (fetch == NULL) return true; /* of one that was given up */
    wire_reader body = wire_reader_over(data, header->size_bytes);
    bool is_sound = net_fetch_take(&fetch->fetch, (net_frame_type)header->type, &body);
    if (fetch->fetch == NULL) net->open_count--;
    return is_sound;
}

/* The next frame that is here as a whole, or NULL. */
static const uint8_t *net_next_frame(cell_net *net, net_frame_header *header)
{
    size_t here = net->in_end - net->in_start;
    const uint8_t *at = net->in.data + net->in_start;
    if (here < sizeof(*header)) return NULL;
    memcpy(header, at, sizeof(*header));
    if (header->size_bytes > NET_FRAME_SIZE_MAX) {
        net->is_broken = true;
        return NULL;
    }
    if (here - sizeof(*header) < header->size_bytes) return NULL;
    net->in_start += sizeof(*header) + header->size_bytes;
    return at + sizeof(*header);
}

/* What was received is counted before a cut can happen. Returns as recv(). */
static ssize_t net_receive_some(cell_net *net)
{
    net_hold(net);
    size_t here = net->in_end - net->in_start;
    if (here > 0 && net->in_start > 0) memmove(net->in.data, net->in.data + net->in_start, here);
    net->in_start = 0;
    net->in_end = here;
    ssize_t got = recv(net->fd, net->in.data + here, RECEIVE_SIZE, MSG_DONTWAIT);
    int problem = errno;
    if (got > 0) {
        outer_buffer_use(&net->in, here + (size_t)got);
        net->in_end += (size_t)got;
        size_t here_now = net->in_end;
        size_t dropped = here_now < net->in_skip_bytes ? here_now : net->in_skip_bytes;
        net->in_start += dropped;
        net->in_skip_bytes -= dropped;
    }
    net_release(net);
    errno = problem;
    return got;
}

void cell_net_receive(cell_net *net)
{
    net_frame_header header;
    const uint8_t *data;
    if (net->fd < 0 || net->is_broken) return;
    ssize_t got = net_receive_some(net);
    bool is_sound = got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
    while (is_sound && (data = net_next_frame(net, &header)) != NULL)
        is_sound = net_take_frame(net, &header, data);
    if (!is_sound || net->is_broken) net_break(net);
}

/* --- Sending --- */

/* Without waiting. False: the other side has gone. */
static bool net_send_some(cell_net *net)
{
    net_hold(net);
    ssize_t sent = send(net->fd, net->out.data + net->out_sent, net->out_size_bytes - net->out_sent,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    int problem = errno;
    if (sent > 0) net->out_sent += (size_t)sent;
    if (net->out_sent == net->out_size_bytes) net->out_sent = net->out_size_bytes = 0;
    net_release(net);
    return sent >= 0 || problem == EAGAIN || problem == EINTR;
}

/* Receives meanwhile, since the other side may wait for that. */
static void net_flush(cell_net *net)
{
    while (net->out_size_bytes > 0 && !net->is_broken) {
        if (!net_send_some(net)) {
            net_break(net);
            return;
        }
        if (net->out_size_bytes == 0) return;
        struct pollfd polled = {.fd = net->fd, .events = POLLIN | POLLOUT};
        if (poll(&polled, 1, -1) > 0 && (polled.revents & POLLIN) != 0) cell_net_receive(net);
    }
}

static void net_send_frame(cell_net *net, net_frame_type type, uint32_t id, const void *body,
                           size_t size_bytes)
{
    net_frame_header header = {(uint32_t)type, id, (uint32_t)size_bytes};
    size_t at = net->out_size_bytes;
    size_t end = at + sizeof(header) + size_bytes;
    if (net->fd < 0 || net->is_broken || !outer_buffer_use(&net->out, end)) return;
    memcpy(net->out.data + at, &header, sizeof(header));
    if (size_bytes > 0) memcpy(net->out.data + at + sizeof(header), body, size_bytes);
    net_hold(net);
    net->out_size_bytes = end;
    net_release(net);
    net_flush(net);
}

/* --- The client --- */

static int net_check(const cell_net *net, snapcell_error *err)
{
    if (*net->is_refused)
        return error_set(err, SNAPCELL_E_USAGE,
                         "there is no network in a warm-up request: what came would be in every "
                         "instance");
    if (net->fd >= 0 && !net->is_broken) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_IO, "the process that has the network ended");
}

/* The first fetch of a process asks the host for a process that serves the socket's other end. */
static int net_ask_host(cell_net *net, snapcell_error *err)
{
    if (net->was_asked) return SNAPCELL_OK;
    if (!cell_outbox_add(net->outbox, CELL_MESSAGE_NET, NULL, 0, NULL, 0) ||
        !cell_outbox_flush(net->outbox))
        return error_set(err, SNAPCELL_E_IO, "the host has gone");
    net->was_asked = true;
    return SNAPCELL_OK;
}

static int net_start(void *user, snapcell_fetch *given, const snapcell_fetch_request *request,
                     void **fetch_user, snapcell_error *err)
{
    cell_net *net = user;
    cleanup_writer wire_writer body = {0};
    int status = net_check(net, err);
    if (status == SNAPCELL_OK) status = net_fetch_write_start(&body, request, err);
    if (status == SNAPCELL_OK) status = net_ask_host(net, err);
    if (status != SNAPCELL_OK) return status;
    cell_fetch *fetch = calloc(1, sizeof(*fetch));
    if (fetch == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a request");
    *fetch = (cell_fetch){.net = net, .next = net->fetches, .id = ++net->last_id, .fetch = given};
    net->fetches = fetch;
    net->open_count++;
    *fetch_user = fetch;
    net_send_frame(net, NET_START, fetch->id, body.data, body.size_bytes);
    return SNAPCELL_OK;
}

static void net_send_body(void *fetch_user, const void *data, size_t size_bytes, bool is_last)
{
    cell_fetch *fetch = fetch_user;
    if (fetch->fetch == NULL) return;
    net_send_frame(fetch->net, is_last ? NET_BODY_LAST : NET_BODY, fetch->id, data, size_bytes);
}

static void net_read(void *fetch_user, size_t size_bytes)
{
    cell_fetch *fetch = fetch_user;
    uint32_t credit = (uint32_t)size_bytes;
    if (fetch->fetch == NULL) return;
    net_send_frame(fetch->net, NET_CREDIT, fetch->id, &credit, sizeof(credit));
}

static void net_close(void *fetch_user)
{
    cell_fetch *fetch = fetch_user;
    cell_net *net = fetch->net;
    cell_fetch **at = &net->fetches;
    while (*at != NULL && *at != fetch)
        at = &(*at)->next;
    if (*at != NULL) *at = fetch->next;
    if (fetch->fetch != NULL) {
        net_fetch_fail(&fetch->fetch, "", "it was given up");
        net_send_frame(net, NET_CLOSE, fetch->id, NULL, 0);
        net->open_count--;
    }
    free(fetch);
}

static void net_wait(void *user, uint32_t timeout_ms)
{
    cell_net *net = user;
    struct pollfd polled = {.fd = net->fd, .events = POLLIN};
    if (net->fd < 0 || net->is_broken) return;
    if (poll(&polled, 1, (int)timeout_ms) > 0) cell_net_receive(net);
}

snapcell_fetch_client cell_net_client(cell_net *net)
{
    return (snapcell_fetch_client){
        .struct_size = sizeof(snapcell_fetch_client),
        .user = net,
        .start = net_start,
        .send = net_send_body,
        .read = net_read,
        .close = net_close,
        .wait = net_wait,
    };
}

/* --- Between calls --- */

/* Skips the rest of a frame that did not come as a whole. */
static void net_wipe_in(cell_net *net)
{
    net_frame_header header;
    uint8_t begun[sizeof(header)];
    while (net_next_frame(net, &header) != NULL)
        continue;
    size_t here = net->in_end - net->in_start;
    if (here >= sizeof(header)) {
        net->in_skip_bytes = sizeof(header) + header.size_bytes - here;
        here = 0;
    }
    memcpy(begun, net->in.data + net->in_start, here);
    outer_buffer_wipe(&net->in);
    memcpy(net->in.data, begun, here);
    outer_buffer_use(&net->in, here);
    net->in_start = 0;
    net->in_end = here;
}

void cell_net_forget(cell_net *net)
{
    if (net->last_id == 0 || net->fd < 0) return;
    net->fetches = NULL;
    net_flush(net);
    if (net->open_count > 0) net_send_frame(net, NET_RESET, 0, NULL, 0);
    net->open_count = 0;
    net_wipe_in(net);
    outer_buffer_wipe(&net->out);
}
