/* Messages to the host that a cut call cannot tear: each is put together outside of what is
 * restored, and what was begun is finished, no matter by whom. Internal to workers/. */
#ifndef SNAPCELL_CELL_OUTBOX_H
#define SNAPCELL_CELL_OUTBOX_H

#include "cell_cut.h"
#include "cell_protocol.h"
#include "outer_memory.h"

/* Lives in outer memory. */
typedef struct cell_outbox {
    int fd;
    cell_cut *cut; /* NULL: calls are not cut */
    outer_buffer bytes;
    volatile size_t size_bytes; /* of messages that are whole */
    volatile size_t sent_bytes; /* of them */
    bool is_muted;              /* what was added is dropped when it would be sent */
    volatile bool answered;     /* the host was told, or will be, that the call is over */
    uint64_t call;              /* its number */
    cell_restored restored;     /* to be told with the next message */
} cell_outbox;

/* False: no memory. */
bool cell_outbox_init(cell_outbox *outbox, int fd, cell_cut *cut);

/* Before a call; `call` is its number, 0 for what belongs to none. */
void cell_outbox_begin(cell_outbox *outbox, uint64_t call);

/* Adds a message of the call, whose number it begins with, from two parts, either of which may be
 * empty; it is sent by the next cell_outbox_flush(), or when there is no more room. False: it does
 * not fit, or the host is gone. */
bool cell_outbox_add(cell_outbox *outbox, cell_message_type type, const void *first,
                     size_t first_size_bytes, const void *second, size_t second_size_bytes);

/* Sends what was added, and waits for room. False: the host is gone. */
bool cell_outbox_flush(cell_outbox *outbox);

/* Whether a message with such a body fits. */
bool cell_outbox_fits(cell_message_type type, size_t body_size_bytes);

#endif
