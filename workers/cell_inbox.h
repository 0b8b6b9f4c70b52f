/* Messages from the host, received outside of what is restored, so that a cut call cannot tear
 * them: the next call finds where one ends. Internal to workers/. */
#ifndef SNAPCELL_CELL_INBOX_H
#define SNAPCELL_CELL_INBOX_H

#include "cell_cut.h"
#include "cell_protocol.h"
#include "outer_memory.h"

/* Lives in outer memory. */
typedef struct cell_inbox {
    int fd;
    cell_cut *cut; /* NULL: calls are not cut */
    outer_buffer bytes;
    volatile size_t base;  /* what is before it is a CALL, which stays where it is */
    volatile size_t start; /* of what was received and not taken yet */
    volatile size_t end;
    volatile size_t skip_bytes; /* as many more are of no use to anybody */
    bool is_broken;             /* what was received between calls makes no sense */
} cell_inbox;

/* A message in place, until the next call of a function of this header. */
typedef struct cell_inbox_message {
    uint32_t type;
    const uint8_t *body;
    size_t body_size_bytes;
} cell_inbox_message;

/* `call_size_max`: of a CALL. False: no memory. */
bool cell_inbox_init(cell_inbox *inbox, int fd, cell_cut *cut, uint64_t call_size_max);

/* Puts a CALL there as if it had been received just now. False: it is too large, or something else
 * was received. */
bool cell_inbox_put_call(cell_inbox *inbox, const cell_call *call, cell_inbox_message *out);

/* Waits for the next CALL, and leaves out what is left of those before. The call's body is in place
 * until cell_inbox_forget(). False: the host is gone, or sent what makes no sense. */
bool cell_inbox_receive_call(cell_inbox *inbox, cell_inbox_message *out);

/* Receives what there is, without waiting, during a call. False: as above. */
bool cell_inbox_receive(cell_inbox *inbox);

/* Takes the next whole message that was received. False: there is none; `*broken`: nor will be, as
 * what was received makes no sense. */
bool cell_inbox_take(cell_inbox *inbox, cell_inbox_message *out, bool *broken);

/* Between calls: clears what was received, and skips the rest of a message that did not come as a
 * whole. */
void cell_inbox_forget(cell_inbox *inbox);

#endif
