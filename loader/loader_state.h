/* The inside of a loader and of a cell. Internal to the loader. */
#ifndef SNAPCELL_LOADER_STATE_H
#define SNAPCELL_LOADER_STATE_H

#include <stdatomic.h>

#include "image.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"
#include "verified_set.h"

/* As snapcell_counters. Each counts for itself; no order among them is promised. */
typedef struct loader_counters {
    _Atomic uint64_t loads;
    _Atomic uint64_t load_failures;
    _Atomic uint64_t calls;
    _Atomic uint64_t call_failures;
    _Atomic uint64_t live_cells;
    _Atomic uint64_t read_size_bytes;
    _Atomic uint64_t decoded_size_bytes;
    _Atomic uint64_t memory_limits_hit;
    _Atomic uint64_t cpu_limits_hit;
    _Atomic uint64_t wall_limits_hit;
} loader_counters;

struct snapcell_loader {
    snapcell_store *store;
    const snapcell_host *host;
    snapcell_fingerprint engine;
    snapcell_fingerprint host_fingerprint;
    snapcell_log_fn *log;
    void *log_user;
    verified_set verified;
    loader_counters counters;
};

struct snapcell_cell {
    snapcell_loader *loader;
    image *image;
    engine_cell *engine;
    snapcell_timings timings;
    uint64_t start_ns; /* of the load */
    bool called;
    int condemned; /* the code of the error that ended the cell; SNAPCELL_OK while it lives */
};

static inline void loader_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

/* Counts `code` when it says that a limit was hit. */
void loader_count_limit(snapcell_loader *loader, int code);

/* Copies an options struct of a caller that may know fewer members, or more, into a zeroed one of
 * `size_bytes`; `from` NULL leaves the zeros. `what` names the struct in the message. Errors:
 * E_USAGE, when its struct_size is 0. */
int loader_copy_options(void *to, size_t size_bytes, const void *from, const char *what,
                        snapcell_error *err);

/* The monotonic clock. */
uint64_t loader_now_ns(void);

/* Finds, checks and decodes what `ref` names, and fills in the timings of that. `*out`: Owned,
 * image_release(). Errors: those of snapcell_cell_load() up to the engine. */
int cell_image_load(snapcell_loader *loader, const char *ref, snapcell_timings *timings,
                    image **out, snapcell_error *err);

#endif
