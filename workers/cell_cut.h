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
    uint64_t call; /* the number of the one that runs */
    volatile sig_atomic_t armed;
    volatile sig_atomic_t busy;   /* in a piece that must be whole: the cut waits for its end */
    volatile sig_atomic_t reason; /* a snapcell_status; 0: none */
} cell_cut;

/* Takes over SIGALRM, SIGPROF and SIGIO, on a stack of its own in outer memory. The host orders by
 * writing the number of a call to the socket `control_fd`; when its end is closed, the process is
 * killed. `cut`: stays where it is. Errors: E_INTERNAL, E_NOMEM. */
int cell_cut_init(cell_cut *cut, int control_fd, snapcell_error *err);

/* From here on, until cell_cut_disarm(), what runs may be left. Limits: 0 is none. */
void cell_cut_arm(cell_cut *cut, uint64_t call, uint32_t cpu_limit_ms, uint32_t wall_limit_ms);
void cell_cut_disarm(cell_cut *cut);

/* A piece that is not left in the middle; at its end a cut that waited happens. */
void cell_cut_hold(cell_cut *cut);
void cell_cut_release(cell_cut *cut);

/* Leaves the call from inside. */
_Noreturn void cell_cut_leave(cell_cut *cut, int reason);

/* After a call was left: what of the processor's state memory does not hold is as it should be, and
 * what the handler's stack holds of the call is cleared. */
void cell_cut_recover(cell_cut *cut);

#endif
