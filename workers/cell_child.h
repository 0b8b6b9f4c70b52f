/* The child's side of a worker, in pieces: what each way of serving calls (restore, reload, keep)
 * shares. Internal to workers/. */
#ifndef SNAPCELL_CELL_CHILD_H
#define SNAPCELL_CELL_CHILD_H

#include "cell_inbox.h"
#include "cell_net.h"
#include "cell_outbox.h"
#include "cell_protocol.h"
#include "engine.h"
#include "outer_memory.h"

/* What is on its way; none of it is restored. */
typedef struct cell_boxes {
    cell_inbox inbox;
    cell_outbox outbox;
    outer_buffer body; /* of a request, that nobody read yet; of CELL_WINDOW_SIZE */
    cell_net net;
} cell_boxes;

struct child_exchange;

typedef struct cell_child {
    int fd;
    int net_fd; /* that came with the load; -1: none */
    const cell_load *load;
    cell_net *net;
    cell_inbox *inbox; /* these three are of cell_child_open_boxes() */
    cell_outbox *outbox;
    outer_buffer *body;
    snapcell_loader *loader;         /* goes with the process */
    snapcell_cell *cell;             /* for the next call; NULL: to be loaded */
    struct child_exchange *exchange; /* the call that runs; NULL: none */
    bool is_trimmed; /* memory that was there ahead, and not needed, was given back */
    bool is_quiet;   /* what functions log is dropped */
} cell_child;

/* --- Messages --- */

/* Sends a message to the host; of no call, or of the one that the outbox began. */
bool cell_child_send(cell_child *child, cell_message_type type, const wire_writer *body);
bool cell_child_send_error(cell_child *child, const snapcell_error *error);
bool cell_child_send_ready(cell_child *child, const cell_ready *ready);

/* Receives a LOAD into outer memory, where it stays: a restore leaves it as it is. `*net_fd`: the
 * descriptor that came with it; -1: none. False: it is none, or the host is gone. */
bool cell_child_receive_load(int fd, outer_buffer *body, cell_load *out, int *net_fd);

/* --- Steps --- */

/* `boxes`: in outer memory, where they stay. `cut`: as theirs. False: no memory. */
bool cell_child_open_boxes(cell_child *child, cell_boxes *boxes, cell_cut *cut);

/* Opens the child's loader. `exhausted`: as loader_open_restoring(), or NULL; `overrun`: as in
 * snapcell_loader_options. */
int cell_child_open_loader(cell_child *child, engine_exhausted_fn *exhausted, void *user,
                           snapcell_overrun_fn *overrun, snapcell_error *err);

/* No core dumps, and unless the load says otherwise the sandbox. `files`: of a checkpoint, for
 * sandbox_enter_restoring(); NULL for a process that has none. */
int cell_child_enter_sandbox(const cell_load *load, const int *files, size_t file_count,
                             snapcell_error *err);

/* The host's functions, of the load. `*out`: NULL when there are none; goes with the process. */
int cell_child_make_host(cell_child *child, const snapcell_host **out, snapcell_error *err);

/* Takes a message of the host that is part of the call that runs. */
void cell_child_take(cell_child *child, const cell_inbox_message *message);

/* Runs one call in the child's cell and sends what comes of it. Returns the call's status; `*sent`:
 * whether the host is still there. */
int cell_child_answer(cell_child *child, const cell_call *call, bool *sent);

/* Answers a request for nobody. Returns the call's status. */
int cell_child_rehearse(cell_child *child, const snapcell_request *request, bool streams);

/* --- Ways of serving: each returns the process's exit status --- */

/* A fresh cell for each call, or one for all. */
int cell_child_reload(cell_child *child);

/* Memory is restored after each call. `control_fd`: of the socket by which the host cancels calls.
 */
int cell_child_restore(cell_child *child, int control_fd);

#endif
