/* When a function's warm-up requests are repeated, and when they have been repeated enough: a call
 * gets faster while V8 compiles and optimizes what it runs, and then no more. Internal to workers/.
 */
#ifndef SNAPCELL_CELL_HEAT_H
#define SNAPCELL_CELL_HEAT_H

#include <stdbool.h>
#include <stdint.h>

/* Lives in outer memory. Zeroed, and with `is_done` set where there is nothing to repeat. */
typedef struct cell_heat {
    uint32_t rounds;      /* of all warm-up requests, so far */
    uint32_t slices;      /* so far; each ends with a checkpoint */
    uint32_t calls_since; /* that came since the last slice */
    uint64_t spent_ns;
    uint64_t best_ns; /* a round's median, of the best slice */
    bool is_done;
} cell_heat;

/* How many rounds the next slice has, at most; 0: enough. `wanted`: as warm_calls in
 * snapcell_workers_options. `slices_max`: as many can be taken. */
uint32_t cell_heat_next(const cell_heat *heat, uint32_t wanted, uint32_t slices_max);

/* Whether a slice that runs since `spent_ns` goes on for another round. */
bool cell_heat_goes_on(uint32_t wanted, uint64_t spent_ns);

/* After a slice of `count` rounds, whose times are sorted by this. */
void cell_heat_end_slice(cell_heat *heat, uint32_t wanted, uint64_t *round_ns, uint32_t count);

#endif
