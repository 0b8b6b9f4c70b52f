#include "cell_inbox.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A small call is received by one system call, and so is what comes during one. */
#define RECEIVE_SIZE ((size_t)64 << 10)
/* In addition to a call: what the windows let the host send, and what is received at once. */
#define ROOM_SIZE (CELL_WINDOW_SIZE + CELL_HOST_RESULT_SIZE_MAX + 4 * RECEIVE_SIZE)

static void inbox_hold(const cell_inbox *inbox)
{
    if (inbox->cut != NULL) cell_cut_hold(inbox->cut);
}

static void inbox_release(const cell_inbox *inbox)
{
    if (inbox->cut != NULL) cell_cut_release(inbox->cut);
}

bool cell_inbox_init(cell_inbox *inbox, int fd, cell_cut *cut, uint64_t call_size_max)
{
    *inbox = (cell_inbox){.fd = fd, .cut = cut};
    return outer_buffer_init(&inbox->bytes, call_size_max + WIRE_HEADER_SIZE + ROOM_SIZE);
}

/* --- Receiving --- */

/* Moves what was received to the front: there is always room for what may come during a call. */
static void inbox_compact(cell_inbox *inbox)
{
    size_t size = inbox->end - inbox->start;
    if (inbox->start == inbox->base) return;
    if (size > 0) memmove(inbox->bytes.data + inbox->base, inbox->bytes.data + inbox->start, size);
    inbox->start = inbox->base;
    inbox->end = inbox->base + size;
}

static void inbox_drop_skipped(cell_inbox *inbox)
{
    size_t here = inbox->end - inbox->start;
    size_t dropped = here < inbox->skip_bytes ? here : inbox->skip_bytes;
    inbox->start += dropped;
    inbox->skip_bytes -= dropped;
}

/* One system call; what was received is counted before a cut can happen. Returns as recv(). */
static ssize_t inbox_receive_some(cell_inbox *inbox, size_t room, int flags)
{
    ssize_t got = 0;
    int problem = 0;
    inbox_hold(inbox);
    inbox_compact(inbox);
    if (inbox->end + room <= inbox->bytes.capacity_bytes) {
        got = recv(inbox->fd, inbox->bytes.data + inbox->end, room, flags);
        problem = errno;
    }
    if (got > 0) {
        outer_buffer_use(&inbox->bytes, inbox->end + (size_t)got);
        inbox->end += (size_t)got;
        inbox_drop_skipped(inbox);
    }
    inbox_release(inbox);
    errno = problem;
    return got;
}

bool cell_inbox_receive(cell_inbox *inbox)
{
    for (;;) {
        ssize_t got = inbox_receive_some(inbox, RECEIVE_SIZE, MSG_DONTWAIT);
        if (got == (ssize_t)RECEIVE_SIZE) return true; /* and more, another time */
        if (got < 0 && errno == EINTR) continue;
        return got > 0 || (got < 0 && errno == EAGAIN);
    }
}

/* --- Messages --- */

/* False: there is no whole header; `*broken`: what is there is none. */
static bool inbox_header(const cell_inbox *inbox, wire_header *header, bool *broken)
{
    *broken = inbox->is_broken;
    if (*broken || inbox->end - inbox->start < WIRE_HEADER_SIZE) return false;
    *broken = !wire_header_read(inbox->bytes.data + inbox->start, cell_body_size_max, header);
    return !*broken;
}

bool cell_inbox_take(cell_inbox *inbox, cell_inbox_message *out, bool *broken)
{
    wire_header header;
    if (!inbox_header(inbox, &header, broken)) return false;
    size_t whole = WIRE_HEADER_SIZE + header.body_size_bytes;
    if (inbox->end - inbox->start < whole) return false;
    const uint8_t *body = inbox->bytes.data + inbox->start + WIRE_HEADER_SIZE;
    *out = (cell_inbox_message){header.type, body, header.body_size_bytes};
    inbox->start += whole;
    return true;
}

/* Waits for more: all that is missing of a message, or as much as there is. */
static bool inbox_await(cell_inbox *inbox)
{
    wire_header header;
    bool broken;
    size_t room = RECEIVE_SIZE;
    if (inbox_header(inbox, &header, &broken)) {
        size_t missing = WIRE_HEADER_SIZE + header.body_size_bytes - (inbox->end - inbox->start);
        if (missing > room) room = missing;
    }
    if (broken) return false;
    ssize_t got;
    do
        got = inbox_receive_some(inbox, room, 0);
    while (got < 0 && errno == EINTR);
    return got > 0;
}

bool cell_inbox_receive_call(cell_inbox *inbox, cell_inbox_message *out)
{
    bool broken = false;
    do {
        while (!cell_inbox_take(inbox, out, &broken))
            if (broken || !inbox_await(inbox)) return false;
    } while (out->type >= CELL_MESSAGE_BODY && out->type <= CELL_MESSAGE_HOST_THROW);
    inbox->base = inbox->start;
    return out->type == CELL_MESSAGE_CALL;
}

bool cell_inbox_put_call(cell_inbox *inbox, const cell_call *call, cell_inbox_message *out)
{
    wire_writer size = {.counts_only = true};
    cell_call_write(&size, call);
    if (size.failed || inbox->end != inbox->start || inbox->skip_bytes > 0 ||
        !outer_buffer_use(&inbox->bytes, size.size_bytes))
        return false;
    wire_writer writer = {.data = inbox->bytes.data,
                          .capacity_bytes = inbox->bytes.capacity_bytes}; /* never grows */
    cell_call_write(&writer, call);
    *out = (cell_inbox_message){CELL_MESSAGE_CALL, inbox->bytes.data, writer.size_bytes};
    inbox->base = inbox->start = inbox->end = writer.size_bytes;
    return !writer.failed;
}

/* Nothing of the next call can be here: the host sends it when this one is over for it. */
void cell_inbox_forget(cell_inbox *inbox)
{
    cell_inbox_message message;
    bool broken;
    uint8_t begun[WIRE_HEADER_SIZE];
    wire_header header;
    while (cell_inbox_take(inbox, &message, &broken))
        continue;
    inbox->is_broken = broken;
    size_t here = broken ? 0 : inbox->end - inbox->start;
    if (!broken && inbox_header(inbox, &header, &broken)) {
        inbox->skip_bytes = WIRE_HEADER_SIZE + header.body_size_bytes - here;
        here = 0;
    }
    memcpy(begun, inbox->bytes.data + inbox->start, here);
    outer_buffer_wipe(&inbox->bytes);
    memcpy(inbox->bytes.data, begun, here);
    outer_buffer_use(&inbox->bytes, here);
    inbox->base = inbox->start = 0;
    inbox->end = here;
}
