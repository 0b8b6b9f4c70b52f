/* The child's side of a worker, in pieces: what each way of serving calls (restore, reload, keep)
 * shares. Internal to workers/. */
#ifndef SNAPCELL_CELL_CHILD_H
#define SNAPCELL_CELL_CHILD_H

#include "cell_protocol.h"
#include "engine.h"
#include "outer_memory.h"

/* Sends a message to the host; `user` is the child's `send_user`. False: the host is gone. */
typedef bool cell_send_fn(void *user, cell_message_type type, const wire_writer *body);

typedef struct cell_child {
    int fd;
    const cell_load *load;
    cell_send_fn *send;
    void *send_user;
    snapcell_loader *loader; /* goes with the process */
    snapcell_cell *cell;     /* for the next call; NULL: to be loaded */
    bool is_quiet;           /* what functions log is dropped */
} cell_child;

/* --- Messages --- */

bool cell_child_send_error(cell_child *child, const snapcell_error *error);
bool cell_child_send_ready(cell_child *child, const cell_ready *ready);

/* Receives a LOAD into outer memory, where it stays: a restore leaves it as it is. False: it is
 * none, or the host is gone. */
bool cell_child_receive_load(int fd, outer_buffer *body, cell_load *out);

/* --- Steps --- */

/* Opens the child's loader. `exhausted`: as loader_open_restoring(), or NULL; `overrun`: as in
 * snapcell_loader_options. */
int cell_child_open_loader(cell_child *child, engine_exhausted_fn *exhausted, void *user,
                           snapcell_overrun_fn *overrun, snapcell_error *err);

/* No core dumps, and unless the load says otherwise the sandbox. `files`: of a checkpoint, for
 * sandbox_enter_restoring(); NULL for a process that has none. */
int cell_child_enter_sandbox(const cell_load *load, const int *files, size_t file_count,
                             snapcell_error *err);

/* Runs one call in the child's cell and sends what came of it. Returns the call's status; `*sent`:
 * whether the host is still there. */
int cell_child_answer(cell_child *child, const cell_call *call, bool *sent);

/* --- Ways of serving: each returns the process's exit status --- */

/* A fresh cell for each call, or one for all. */
int cell_child_reload(cell_child *child);

/* Memory is restored after each call. `control_fd`: of the socket by which the host cancels calls.
 */
int cell_child_restore(cell_child *child, int control_fd);

#endif
