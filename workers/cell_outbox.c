#include "cell_outbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* More than the largest message, and in the ordinary case all of a call's. */
#define OUTBOX_CAPACITY ((size_t)2 << 20)
/* To the body of a message: its header, and another message before it. */
#define ADDED_SIZE_MAX ((size_t)2 * WIRE_HEADER_SIZE + sizeof(cell_restored))

static void outbox_hold(const cell_outbox *outbox)
{
    if (outbox->cut != NULL) cell_cut_hold(outbox->cut);
}

static void outbox_release(const cell_outbox *outbox)
{
    if (outbox->cut != NULL) cell_cut_release(outbox->cut);
}

bool cell_outbox_init(cell_outbox *outbox, int fd, cell_cut *cut)
{
    *outbox = (cell_outbox){.fd = fd, .cut = cut};
    return outer_buffer_init(&outbox->bytes, OUTBOX_CAPACITY);
}

void cell_outbox_begin(cell_outbox *outbox, uint64_t call)
{
    outbox->answered = false;
    outbox->call = call;
}

/* --- Sending --- */

/* One piece, without waiting. What was sent is counted before a cut can happen. */
static bool outbox_send_piece(cell_outbox *outbox, bool *would_wait)
{
    outbox_hold(outbox);
    ssize_t sent = send(outbox->fd, outbox->bytes.data + outbox->sent_bytes,
                        outbox->size_bytes - outbox->sent_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    int problem = errno;
    if (sent > 0) outbox->sent_bytes += (size_t)sent;
    if (outbox->sent_bytes == outbox->size_bytes) outbox->sent_bytes = outbox->size_bytes = 0;
    outbox_release(outbox);
    *would_wait = sent < 0 && problem == EAGAIN;
    return sent >= 0 || problem == EAGAIN || problem == EINTR;
}

bool cell_outbox_flush(cell_outbox *outbox)
{
    if (outbox->is_muted) outbox->size_bytes = 0;
    while (outbox->size_bytes > 0) {
        bool would_wait;
        if (!outbox_send_piece(outbox, &would_wait)) return false;
        struct pollfd polled = {.fd = outbox->fd, .events = POLLOUT};
        if (would_wait && poll(&polled, 1, -1) < 0 && errno != EINTR) return false;
    }
    return true;
}

/* --- Adding --- */

static bool outbox_is_answer(cell_message_type type)
{
    return type == CELL_MESSAGE_SETTLED || type == CELL_MESSAGE_ERROR;
}

bool cell_outbox_fits(cell_message_type type, size_t body_size_bytes)
{
    return body_size_bytes <= cell_body_size_max(type) - CELL_NUMBER_SIZE;
}

static size_t outbox_put(const cell_outbox *outbox, size_t at, const void *data, size_t size_bytes)
{
    if (size_bytes > 0) memcpy(outbox->bytes.data + at, data, size_bytes);
    return at + size_bytes;
}

static size_t outbox_put_header(const cell_outbox *outbox, size_t at, cell_message_type type,
                                size_t size_bytes)
{
    wire_header_write(&(wire_header){type, size_bytes}, outbox->bytes.data + at);
    return at + WIRE_HEADER_SIZE;
}

/* What was restored goes with the next message, which is sent in any case. */
static size_t outbox_put_restored(const cell_outbox *outbox, size_t at)
{
    if (outbox->restored.restores == 0) return at;
    uint8_t bytes[sizeof(cell_restored)] = {0};
    wire_writer writer = {.data = bytes, .capacity_bytes = sizeof(bytes)}; /* never grows */
    cell_restored_write(&writer, &outbox->restored);
    at = outbox_put_header(outbox, at, CELL_MESSAGE_RESTORED, writer.size_bytes);
    return outbox_put(outbox, at, bytes, writer.size_bytes);
}

bool cell_outbox_add(cell_outbox *outbox, cell_message_type type, const void *first,
                     size_t first_size_bytes, const void *second, size_t second_size_bytes)
{
    size_t body = CELL_NUMBER_SIZE + first_size_bytes + second_size_bytes;
    size_t most = body + ADDED_SIZE_MAX;
    if (body > cell_body_size_max(type)) return false;
    if (outbox->size_bytes + most > OUTBOX_CAPACITY && !cell_outbox_flush(outbox)) return false;
    size_t at = outbox->size_bytes;
    if (!outer_buffer_use(&outbox->bytes, at + most)) return false;
    const bool tells_restored = outbox->call != 0 && !outbox->is_muted;
    if (tells_restored) at = outbox_put_restored(outbox, at);
    at = outbox_put_header(outbox, at, type, body);
    at = outbox_put(outbox, at, &outbox->call, CELL_NUMBER_SIZE);
    at = outbox_put(outbox, at, first, first_size_bytes);
    at = outbox_put(outbox, at, second, second_size_bytes);
    outbox_hold(outbox);
    outbox->size_bytes = at;
    if (outbox_is_answer(type)) outbox->answered = true;
    if (tells_restored) outbox->restored = (cell_restored){0};
    outbox_release(outbox);
    return true;
}
