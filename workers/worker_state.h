/* A host's workers: what the files of workers/ share on the host's side. Internal. */
#ifndef SNAPCELL_WORKER_STATE_H
#define SNAPCELL_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cell_protocol.h"
#include "child_process.h"
#include "snapcell/worker.h"
#include "worker_images.h"

/* As snapcell_workers_counts. */
typedef struct worker_counters {
    _Atomic uint64_t starts;
    _Atomic uint64_t calls;
    _Atomic uint64_t restores;
    _Atomic uint64_t restored_pages;
    _Atomic uint64_t restore_ns;
    _Atomic uint64_t cuts;
    _Atomic uint64_t deaths;
    _Atomic uint64_t anomalies;
    _Atomic uint64_t fallbacks;
    _Atomic uint64_t cancelled;
    _Atomic uint32_t tier;
} worker_counters;

struct snapcell_workers {
    snapcell_workers_options options; /* its pointers are to what is below, or NULL */
    char *store_path;
    char *worker_path;
    char *zone;         /* "TZ=...", or NULL */
    char *image_folder; /* NULL: none */
    snapcell_trust *trust;
    worker_images *images; /* NULL: none */
    worker_counters counters;
};

struct snapcell_worker {
    snapcell_workers *workers;
    char *ref;
    wire_writer load;       /* the LOAD message, for each process that it takes */
    wire_writer image_load; /* that of a process that makes its image; empty: it has none */
    uint64_t memory_limit_bytes;
    uint64_t call_size_max;
    uint64_t answer_size_max;
    uint32_t cpu_limit_ms;
    uint32_t wall_limit_ms;
    snapcell_handler_shape shape;
    cell_policy wanted;          /* of the next process */
    cell_policy policy;          /* by which its process serves */
    worker_image_outcome launch; /* what became of its process, when it came from an image */
    bool running;
    bool called; /* what it does now is a call */
    child_process process;

    pthread_mutex_t lock; /* of what follows, and of what a cancelling thread does to the process */
    uint64_t call_number; /* of its process's calls */
    bool calling;
    bool cancelled;
};

static inline void worker_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

/* --- What ends a process --- */

/* Ends the process, if there is one. */
void worker_stop(snapcell_worker *worker);

/* Says what went wrong with a process, and ends it. */
int worker_fail(snapcell_worker *worker, child_outcome outcome, snapcell_error *err);

/* One that died, or spoke without being asked, is ended before the next call; counts why. */
void worker_drop(snapcell_worker *worker);

#endif
