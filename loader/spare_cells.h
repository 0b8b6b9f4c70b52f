/* Spare cells: fresh instances that wait for the next load of functions which were loaded before,
 * made on a thread of the loader's own, which also disposes of cells. Internal to the loader.
 *
 * Only snapshots have spares: a `code` artifact would run its top level for no one. */
#ifndef SNAPCELL_SPARE_CELLS_H
#define SNAPCELL_SPARE_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>
#include <sys/types.h>

#include "image.h"
#include "snapcell/loader.h"

/* What of a cell's options is fixed when it is made. Compared as bytes: no padding. */
typedef struct cell_limits {
    uint64_t memory_bytes;
    uint64_t response_bytes;
    uint32_t cpu_ms;
    uint32_t wall_ms;
    uint32_t timers;
    uint32_t frozen_clock; /* a bool */
} cell_limits;

typedef struct cell_reading cell_reading;
typedef struct spare_function spare_function;

/* How much there may be, at most. */
typedef struct spare_bounds {
    uint32_t cells_per_function; /* 0: there are none, and no thread */
    uint32_t functions;
    uint64_t size_bytes;
} spare_bounds;

typedef struct spare_cells {
    snapcell_loader *loader;
    spare_bounds bounds;
    pid_t pid; /* where the thread is */

    pthread_mutex_t mutex; /* all below */
    pthread_cond_t changed;
    pthread_t thread;
    bool stopping;
    uint64_t size_bytes;
    uint32_t ready_count;
    spare_function **buckets; /* by key */
    uint32_t bucket_mask;
    spare_function *newest; /* by last use */
    spare_function *oldest;
    uint32_t function_count;
    bool settled; /* no function can have another one: not looked at again before a change */
    snapcell_cell *leaving; /* to be disposed of */
    uint32_t leaving_count;
} spare_cells;

/* Starts the thread, unless there are to be none. `spares`: zeroed. Errors: E_INTERNAL, E_NOMEM. */
int spare_cells_start(spare_cells *spares, snapcell_loader *loader, const spare_bounds *bounds,
                      snapcell_error *err);

/* Ends the thread and disposes of everything. In a forked child there is no thread, and what it
 * left is left alone. Zeroed ones are allowed. */
void spare_cells_stop(spare_cells *spares);

/* Hands out a spare that was made of these very bytes with these limits, or NULL. Thread: any. */
snapcell_cell *spare_cells_take(spare_cells *spares, const cell_reading *reading,
                                const cell_limits *limits);

/* Notes that this function is in use: spares are to be made of it. Thread: any. */
void spare_cells_want(spare_cells *spares, image *from, const cell_limits *limits);

/* Leaves a cell to the thread to dispose of. False when the caller has to. Thread: any. */
bool spare_cells_dispose(spare_cells *spares, snapcell_cell *cell);

/* How many wait, and the memory of all this. Thread: any. */
void spare_cells_count(spare_cells *spares, uint64_t *ready_count, uint64_t *size_bytes);

#endif
