/* The worker's client of fetch(): talks to a process snapcell-net of its own, which alone has a
 * network and the list of hosts, over a socket that the host gave. Without threads, since memory is
 * restored; what is on its way, and what the other side knows, is in outer memory. Internal to
 * workers/. */
#ifndef SNAPCELL_CELL_NET_H
#define SNAPCELL_CELL_NET_H

#include "cell_outbox.h"
#include "outer_memory.h"
#include "snapcell/fetch.h"

/* A fetch of the call that runs. */
typedef struct cell_fetch cell_fetch;

/* Lives in outer memory, except for what `fetches` lists. */
typedef struct cell_net {
    int fd; /* -1: none */
    cell_cut *cut;
    cell_outbox *outbox; /* by which the host is asked to start snapcell-net */
    bool was_asked;
    volatile bool is_broken; /* the other side has gone */
    outer_buffer in;
    volatile size_t in_start;
    volatile size_t in_end;
    volatile size_t in_skip_bytes; /* as many more are of no use to anybody */
    outer_buffer out;
    volatile size_t out_sent;
    volatile size_t out_size_bytes;
    uint32_t last_id; /* none is used twice */
    /* At most so many are open on the other side. */
    volatile uint32_t open_count;
    cell_fetch *fetches;    /* of the call that runs */
    const bool *is_refused; /* true: nothing is fetched now */
} cell_net;

/* `fd`: -1 for none, which may come later. `is_refused`: Borrowed. False: no memory. */
bool cell_net_init(cell_net *net, int fd, cell_cut *cut, cell_outbox *outbox,
                   const bool *is_refused);

/* The client, for the cell's loader. `user` is the net. */
snapcell_fetch_client cell_net_client(cell_net *net);

/* Takes what has come, without waiting. */
void cell_net_receive(cell_net *net);

/* After a call, wherever it was left: the other side gives up what is still open, and nothing that
 * it sends for that will be taken for another's. */
void cell_net_forget(cell_net *net);

#endif
