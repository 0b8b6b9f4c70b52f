/* The host's end of a worker's socket: messages out and in, without waiting, within bounds.
 * Internal to workers/. */
#ifndef SNAPCELL_WORKER_LINK_H
#define SNAPCELL_WORKER_LINK_H

#include "cell_protocol.h"
#include "child_process.h"

/* Zeroed is none, except for `fd`. */
typedef struct worker_link {
    int fd; /* Borrowed: of the process; -1: none */
    uint8_t *in;
    size_t in_start; /* of what was received and not understood yet */
    size_t in_end;
    size_t in_capacity_bytes;
    wire_writer out; /* messages that are to be sent, from `out_sent` on */
    size_t out_sent;
    uint64_t sent_bytes; /* in all */
    size_t out_message;  /* where the one begins that is being written */
    int out_file;        /* Owned: to be sent with the next byte; -1: none */
} worker_link;

/* A message in place, until the next call of a function of this header. */
typedef struct worker_message {
    uint32_t type;
    const uint8_t *body;
    size_t body_size_bytes;
} worker_message;

/* A link that has nothing to send and nothing received. */
void worker_link_open(worker_link *link, int fd);
/* Releases what it holds, which is cleared before. */
void worker_link_close(worker_link *link);
/* Releases what it does not need while nothing is on its way. */
void worker_link_rest(worker_link *link);

/* --- Sending --- */

/* Begins a message; its body is written to what this returns, and then it is committed. */
wire_writer *worker_link_begin(worker_link *link, cell_message_type type);
/* False: memory is short, and it is as if the message had not been begun. */
bool worker_link_commit(worker_link *link);
/* Sends as much as the socket takes. CHILD_OK or CHILD_GONE. */
child_outcome worker_link_flush(worker_link *link);
/* As `sent_bytes`, when all that is there is sent. */
uint64_t worker_link_end_bytes(const worker_link *link);
/* Whether something could not be sent yet. */
bool worker_link_is_sending(const worker_link *link);

/* --- Receiving --- */

typedef enum worker_link_got {
    WORKER_LINK_NOTHING = 0,
    WORKER_LINK_SOME = 1, /* all that there was */
    WORKER_LINK_MORE = 2, /* as much as there was room for */
    WORKER_LINK_GONE = 3,
    WORKER_LINK_NO_MEMORY = 4,
} worker_link_got;

/* Receives once. */
worker_link_got worker_link_receive(worker_link *link);

/* Takes the next message that is here as a whole. False: there is none, or what is here is none,
 * then `*outcome` is not CHILD_OK. */
bool worker_link_next(worker_link *link, worker_message *out, child_outcome *outcome);

#endif
