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
    cell_cut *cut;
    outer_buffer bytes;
    volatile size_t size_bytes; /* of the message that is being sent; 0: none */
    volatile size_t sent_bytes;
    volatile bool answered; /* it, or one before it, is what the host waits for */
    cell_restored restored; /* to be told with the next answer */
} cell_outbox;

/* Before a call. */
void cell_outbox_begin(cell_outbox *outbox);

/* Sends a message from inside of a call, as a cell_send_fn; `user` is the outbox. False: there is
 * no memory, it does not fit, or the host is gone. */
bool cell_outbox_send(void *user, cell_message_type type, const wire_writer *body);

/* Sends the rest of a message; outside of calls. False: the host is gone. */
bool cell_outbox_finish(cell_outbox *outbox);

#endif
