#include "cell_outbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "child_side.h"

void cell_outbox_begin(cell_outbox *outbox)
{
    outbox->answered = false;
}

/* One piece, without waiting. What was sent is counted before a cut can happen. */
static bool outbox_send_piece(cell_outbox *outbox, bool *would_wait)
{
    cell_cut_hold(outbox->cut);
    ssize_t sent = send(outbox->fd, outbox->bytes.data + outbox->sent_bytes,
                        outbox->size_bytes - outbox->sent_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    int problem = errno;
    if (sent > 0) outbox->sent_bytes += (size_t)sent;
    if (outbox->sent_bytes == outbox->size_bytes) outbox->sent_bytes = outbox->size_bytes = 0;
    cell_cut_release(outbox->cut);
    *would_wait = sent < 0 && problem == EAGAIN;
    return sent >= 0 || problem == EAGAIN || problem == EINTR;
}

bool cell_outbox_finish(cell_outbox *outbox)
{
    while (outbox->size_bytes > 0) {
        bool would_wait;
        if (!outbox_send_piece(outbox, &would_wait)) return false;
        struct pollfd polled = {.fd = outbox->fd, .events = POLLOUT};
        if (would_wait && poll(&polled, 1, -1) < 0 && errno != EINTR) return false;
    }
    return true;
}

static bool outbox_is_answer(cell_message_type type)
{
    return type == CELL_MESSAGE_RESPONSE || type == CELL_MESSAGE_RESULT ||
           type == CELL_MESSAGE_ERROR;
}

/* Appends to what is there; returns where the next message goes, or 0: no room. */
static size_t outbox_append(cell_outbox *outbox, size_t at, cell_message_type type,
                            const wire_writer *body)
{
    if (!child_side_fits(type, body, cell_body_size_max) ||
        !outer_buffer_use(&outbox->bytes, at + WIRE_HEADER_SIZE + body->size_bytes))
        return 0;
    wire_header_write(&(wire_header){type, body->size_bytes}, outbox->bytes.data + at);
    if (body->size_bytes > 0)
        memcpy(outbox->bytes.data + at + WIRE_HEADER_SIZE, body->data, body->size_bytes);
    return at + WIRE_HEADER_SIZE + body->size_bytes;
}

/* What was restored goes with an answer, which is sent in any case. */
static size_t outbox_append_restored(cell_outbox *outbox)
{
    uint8_t bytes[sizeof(cell_restored)];
    wire_writer writer = {.data = bytes, .capacity_bytes = sizeof(bytes)}; /* never grows */
    cell_restored_write(&writer, &outbox->restored);
    return outbox_append(outbox, 0, CELL_MESSAGE_RESTORED, &writer);
}

bool cell_outbox_send(void *user, cell_message_type type, const wire_writer *body)
{
    cell_outbox *outbox = user;
    bool is_answer = outbox_is_answer(type);
    size_t at = is_answer && outbox->restored.restores > 0 ? outbox_append_restored(outbox) : 0;
    size_t size = outbox_append(outbox, at, type, body);
    if (size == 0) return false;
    cell_cut_hold(outbox->cut);
    outbox->sent_bytes = 0;
    outbox->size_bytes = size;
    if (is_answer) outbox->answered = true;
    if (at > 0) outbox->restored = (cell_restored){0};
    cell_cut_release(outbox->cut);
    return cell_outbox_finish(outbox);
}
