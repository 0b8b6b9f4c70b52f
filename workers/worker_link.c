#include "worker_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Received at once, and what a link has room for in the ordinary case. */
#define IN_CAPACITY ((size_t)64 << 10)
/* More than this is not kept for the next messages. */
#define OUT_KEPT_CAPACITY ((size_t)4 << 10)

void worker_link_open(worker_link *link, int fd)
{
    *link = (worker_link){.fd = fd, .out_file = -1};
}

static void link_drop_in(worker_link *link)
{
    free(link->in);
    link->in = NULL;
    link->in_start = link->in_end = link->in_capacity_bytes = 0;
}

/* What was sent may hold a function's secrets. */
static void link_drop_out(worker_link *link)
{
    wire_writer *out = &link->out;
    if (out->capacity_bytes > 0) explicit_bzero(out->data, out->size_bytes);
    out->size_bytes = 0;
    link->out_sent = 0;
    if (out->capacity_bytes > OUT_KEPT_CAPACITY) wire_writer_release(out);
}

static void link_drop_file(worker_link *link)
{
    if (link->out_file >= 0) close(link->out_file);
    link->out_file = -1;
}

void worker_link_close(worker_link *link)
{
    link_drop_in(link);
    link_drop_out(link);
    wire_writer_release(&link->out);
    link_drop_file(link);
    link->fd = -1;
}

void worker_link_rest(worker_link *link)
{
    if (link->in_start == link->in_end) link_drop_in(link);
}

/* --- Sending --- */

wire_writer *worker_link_begin(worker_link *link, cell_message_type type)
{
    uint8_t header[WIRE_HEADER_SIZE];
    link->out_message = link->out.size_bytes;
    wire_header_write(&(wire_header){(uint32_t)type, 0}, header);
    wire_put_raw(&link->out, header, sizeof(header));
    return &link->out;
}

bool worker_link_commit(worker_link *link)
{
    wire_writer *out = &link->out;
    if (out->failed) {
        out->failed = false;
        out->size_bytes = link->out_message;
        return false;
    }
    wire_header header;
    uint8_t *at = out->data + link->out_message;
    memcpy(&header.type, at + 4, sizeof(header.type));
    header.body_size_bytes = out->size_bytes - link->out_message - WIRE_HEADER_SIZE;
    wire_header_write(&header, at);
    return true;
}

static ssize_t link_send(const worker_link *link)
{
    return send(link->fd, link->out.data + link->out_sent, link->out.size_bytes - link->out_sent,
                MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t link_send_with_file(worker_link *link)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &link->out_file, sizeof(int));
    struct iovec part = {link->out.data + link->out_sent, link->out.size_bytes - link->out_sent};
    const struct msghdr message = {.msg_iov = &part,
                                   .msg_iovlen = 1,
                                   .msg_control = &control,
                                   .msg_controllen = sizeof(control.bytes)};
    ssize_t sent = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) link_drop_file(link);
    return sent;
}

child_outcome worker_link_flush(worker_link *link)
{
    while (worker_link_is_sending(link)) {
        ssize_t sent = link->out_file >= 0 ? link_send_with_file(link) : link_send(link);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN ? CHILD_OK : CHILD_GONE;
        link->out_sent += (size_t)sent;
        link->sent_bytes += (uint64_t)sent;
    }
    link_drop_out(link);
    return CHILD_OK;
}

uint64_t worker_link_end_bytes(const worker_link *link)
{
    return link->sent_bytes + (link->out.size_bytes - link->out_sent);
}

bool worker_link_is_sending(const worker_link *link)
{
    return link->out_sent < link->out.size_bytes;
}

/* --- Receiving --- */

/* Room for `size_bytes` from `in_start` on. */
static bool link_make_room(worker_link *link, size_t size_bytes)
{
    size_t used = link->in_end - link->in_start;
    if (link->in_start > 0 && used > 0) memmove(link->in, link->in + link->in_start, used);
    link->in_start = 0;
    link->in_end = used;
    if (size_bytes < IN_CAPACITY) size_bytes = IN_CAPACITY;
    if (size_bytes <= link->in_capacity_bytes) return true;
    uint8_t *grown = realloc(link->in, size_bytes);
    if (grown == NULL) return false;
    link->in = grown;
    link->in_capacity_bytes = size_bytes;
    return true;
}

worker_link_got worker_link_receive(worker_link *link)
{
    if (link->in_end == link->in_capacity_bytes && !link_make_room(link, 0))
        return WORKER_LINK_NO_MEMORY;
    size_t room = link->in_capacity_bytes - link->in_end;
    ssize_t got;
    do
        got = recv(link->fd, link->in + link->in_end, room, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return WORKER_LINK_NOTHING;
    if (got <= 0) return WORKER_LINK_GONE;
    link->in_end += (size_t)got;
    return (size_t)got == room ? WORKER_LINK_MORE : WORKER_LINK_SOME;
}

bool worker_link_next(worker_link *link, worker_message *out, child_outcome *outcome)
{
    wire_header header;
    size_t here = link->in_end - link->in_start;
    *outcome = CHILD_OK;
    if (here == 0) link->in_start = link->in_end = 0;
    if (here < WIRE_HEADER_SIZE) return false;
    if (!wire_header_read(link->in + link->in_start, cell_worker_size_max, &header)) {
        *outcome = CHILD_NONSENSE;
        return false;
    }
    size_t whole = WIRE_HEADER_SIZE + header.body_size_bytes;
    if (here < whole) {
        if (!link_make_room(link, whole)) *outcome = CHILD_NO_MEMORY;
        return false;
    }
    *out = (worker_message){header.type, link->in + link->in_start + WIRE_HEADER_SIZE,
                            header.body_size_bytes};
    link->in_start += whole;
    return true;
}
