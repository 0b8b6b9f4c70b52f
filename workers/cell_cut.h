/* Ending a call wherever it is: by limits of time, on an order of the host, or for lack of memory.
 * A signal, or V8 itself, leaves the call by a jump; the memory that it leaves in any state is
 * restored then. Internal to workers/; for a process with one thread. */
#ifndef SNAPCELL_CELL_CUT_H
#define SNAPCELL_CELL_CUT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "snapcell/error.h"
#include "stack_call.h"

/* Lives in outer memory. */
typedef struct cell_cut {
    stack_point point; /* where a call is left to */
    void *signal_stack;
    int control_fd;
    volatile uint64_t call;     /* the number of the one that runs; 0: it has none */
    volatile uint64_t ordered;  /* the number of the last one that the host cancelled */
    volatile uint32_t too_soon; /* so many timers went off when nothing was armed */
    volatile sig_atomic_t used; /* a handler ran: what it interrupted is on its stack */
    volatile sig_atomic_t armed;
    volatile sig_atomic_t busy;   /* in a piece that must be whole: the cut waits for its end */
    volatile sig_atomic_t reason; /* a snapcell_status; 0: none */
} cell_cut;

/* Takes over SIGALRM, SIGPROF and SIGIO, on a stack of its own in outer memory. The host orders by
 * writing the number of a call to the socket `control_fd`; when its end is closed, the process is
 * killed. `cut`: stays where it is. Errors: E_INTERNAL, E_NOMEM. */
int cell_cut_init(cell_cut *cut, int control_fd, snapcell_error *err);

/* The same for a process that goes on as an image: all but the signals' stack and what was ordered
 * comes with it. False: the kernel refused. */
bool cell_cut_arrive(cell_cut *cut);

/* What runs within limits. `call`: as in cell_cut; limits: 0 is none. */
typedef struct cell_cut_piece {
    void (*run)(void *user);
    void *user;
    uint64_t call;
    uint32_t cpu_limit_ms;
    uint32_t wall_limit_ms;
} cell_cut_piece;

/* Runs a piece on the stack that ends at `top`. False: it was left before its end, for
 * `cut->reason`. */
bool cell_cut_run(cell_cut *cut, void *top, const cell_cut_piece *piece);

/* A piece that is not left in the middle; at its end a cut that waited happens. */
void cell_cut_hold(cell_cut *cut);
void cell_cut_release(cell_cut *cut);

/* Leaves the call from inside. */
_Noreturn void cell_cut_leave(cell_cut *cut, int reason);

/* After a piece: clears what the handlers' stack holds of it. */
void cell_cut_wipe(cell_cut *cut);

#endif
