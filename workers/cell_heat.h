/* How often a function's warm-up requests are repeated: a call gets faster while V8 compiles and
 * optimizes what it runs, and then no more. Internal to workers/. */
#ifndef SNAPCELL_CELL_HEAT_H
#define SNAPCELL_CELL_HEAT_H

#include <stdbool.h>
#include <stdint.h>

/* Lives in outer memory. Zeroed, and with `is_done` set where there is nothing to repeat. */
typedef struct cell_heat {
    uint32_t rounds;      /* of all warm-up requests, so far */
    uint32_t slices;      /* so far; each ends with a checkpoint */
    uint32_t calls_since; /* that came since the last slice */
    uint32_t failures;    /* slices that came to nothing */
    uint64_t spent_ns;
    bool is_done;
} cell_heat;

/* What the next slice may take; a slice has one round at least. */
typedef struct cell_heat_slice {
    uint32_t rounds_max;
    uint64_t ns_max;
} cell_heat_slice;

/* False: it is hot enough. `wanted`: as warm_calls in snapcell_workers_options. `slices_max`: as
 * many can be taken. `is_idle`: no call waits, and the slice ends when one comes. */
bool cell_heat_next(const cell_heat *heat, uint32_t wanted, uint32_t slices_max, bool is_idle,
                    cell_heat_slice *out);

/* Whether a slice that a call put an end to is worth a checkpoint. */
bool cell_heat_is_worth(uint64_t spent_ns);

/* After a slice whose memory may keep random values: another may not. */
void cell_heat_fail_slice(cell_heat *heat, uint32_t wanted);

/* After a slice of `rounds`. */
void cell_heat_end_slice(cell_heat *heat, uint32_t wanted, uint32_t rounds, uint64_t spent_ns);

#endif
