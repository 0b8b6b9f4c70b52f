/* The inside of a loader and of a cell. Internal to the loader. */
#ifndef SNAPCELL_LOADER_STATE_H
#define SNAPCELL_LOADER_STATE_H

#include <stdatomic.h>

#include <sys/types.h>
#include <unistd.h>

#include "artifact_checksum.h"
#include "image_cache.h"
#include "image_rest.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"
#include "spare_cells.h"
#include "trust_set.h"
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
    _Atomic uint64_t response_limits_hit;
    _Atomic uint64_t cache_hits;
    _Atomic uint64_t cache_misses;
    _Atomic uint64_t spare_hits;
    _Atomic uint64_t spare_misses;
} loader_counters;

/* What a sealed loader has; `image` is NULL while it is not sealed. */
typedef struct loader_seal {
    char *ref;
    image *image;
    char *manifest; /* zero-terminated */
    size_t manifest_size_bytes;
    snapcell_timings timings; /* of finding and decoding it; for the first load to tell */
} loader_seal;

struct snapcell_loader {
    snapcell_store *store;
    const snapcell_host *host;
    pid_t pid; /* that opened it; 0: it is any process's */
    snapcell_fingerprint engine;
    snapcell_fingerprint host_fingerprint;
    snapcell_log_fn *log;
    void *log_user;
    snapcell_overrun_fn *overrun;
    void *overrun_user;
    engine_exhausted_fn *exhausted; /* NULL: the process does not restore its memory */
    void *exhausted_user;
    snapcell_fetch_client fetch_client; /* struct_size 0: none */
    pthread_rwlock_t trust_lock;
    snapcell_trust *trust; /* its own copy; NULL: everything is trusted. Under the lock */
    bool has_trust;        /* from opening on */
    uint8_t tag_key[ARTIFACT_TAG_KEY_SIZE];
    verified_set verified;
    image_context images;
    image_cache cache;
    spare_cells spares;
    loader_seal seal;
    loader_counters counters;
};

struct snapcell_cell {
    snapcell_loader *loader;
    snapcell_cell *next; /* in a list of spares, or of what is to be disposed of */
    image *image;
    struct image *prelude_image; /* whose prelude was evaluated, if it is another one */
    engine_cell *engine;
    snapcell_timings timings;
    uint64_t start_ns;   /* of the load */
    uint64_t size_bytes; /* of a spare: its heap */
    bool called;
    int condemned; /* the code of the error that ended the cell; SNAPCELL_OK while it lives */
};

static inline void loader_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

/* False in a forked child, where threads that are not there may hold any of the locks. */
static inline bool loader_is_here(const snapcell_loader *loader)
{
    return loader->pid == 0 || loader->pid == getpid();
}

/* Counts `code` when it says that a limit was hit. */
static inline void loader_count_limit(snapcell_loader *loader, int code)
{
    loader_counters *counters = &loader->counters;
    if (code == SNAPCELL_E_MEMORY_LIMIT) loader_count(&counters->memory_limits_hit, 1);
    if (code == SNAPCELL_E_CPU_LIMIT) loader_count(&counters->cpu_limits_hit, 1);
    if (code == SNAPCELL_E_WALL_LIMIT) loader_count(&counters->wall_limits_hit, 1);
    if (code == SNAPCELL_E_RESPONSE_LIMIT) loader_count(&counters->response_limits_hit, 1);
}

/* Gives memory that is kept for later loads to the kernel. */
static inline void loader_give_back(snapcell_loader *loader)
{
    buffer_pool_trim(&loader->images.buffers);
    buffer_pool_end_ready();
    engine_trim_pages(0);
}

/* An artifact in the store, found and not checked, and the reference that requested it. Zeroed, it
 * is none. */
struct cell_reading {
    const char *ref;
    const char *tenant;      /* NULL: none */
    const char *signed_name; /* of what is loaded by key; NULL: any */
    snapcell_store *store;
    snapcell_key key;
    snapcell_store_view view;
};

/* Finds what `ref` names, and fills in the timings of that. `ref` and what `options` points
 * to are Borrowed.
 * `*out`: zeroed by the caller; Owned, cell_reading_release() after success and failure. Errors:
 * those of snapcell_store_resolve() and snapcell_store_view_open(). */
int cell_reading_open(snapcell_loader *loader, const char *ref,
                      const snapcell_cell_options *options, snapcell_timings *timings,
                      cell_reading *out, snapcell_error *err);
void cell_reading_release(cell_reading *reading);

/* Whether the artifact's bytes are those that the image was made of, by checksum and digest. */
bool cell_reading_is_of(const cell_reading *reading, const image *shared);

/* Whether the trust set that the loader has now accepts a verified image for what was requested.
 * Asked at each load: the set may change, and one artifact may be requested under several names.
 * Errors: E_SIGNATURE. */
int cell_image_admit(snapcell_loader *loader, const cell_reading *reading, const image *shared,
                     snapcell_error *err);

/* The image of what was found: from the cache, or checked and decoded, and fills in the timings of
 * that. The view may be taken over. `*out`: Owned, image_release(). Errors:
 * those of snapcell_cell_load() up to the engine. */
int cell_image_load(snapcell_loader *loader, cell_reading *reading, snapcell_timings *timings,
                    image **out, snapcell_error *err);

/* Of a sealed loader: the image, once more referenced, if `ref` is what it was sealed with. Errors:
 * E_NOT_FOUND. */
int loader_seal_take(snapcell_loader *loader, const char *ref, snapcell_timings *timings,
                     image **out, snapcell_error *err);
void loader_seal_release(loader_seal *seal);

/* Checks and decodes an artifact that is not of the store, and puts it in place of what the loader
 * was sealed with. `options`, of which nothing is kept: whom it must be signed for. `ref`: its
 * whole key. Errors: E_USAGE, and those of snapcell_loader_seal(); nothing has changed then. */
int loader_seal_renew(snapcell_loader *loader, const char *ref,
                      const snapcell_cell_options *options, const void *bytes, size_t size_bytes,
                      snapcell_error *err);

/* The same with a text of no artifact, in place of what comes after the prelude. Errors: E_USAGE,
 * and those of image_new_with_rest(). */
int loader_seal_renew_rest(snapcell_loader *loader, const image_rest *rest, snapcell_error *err);

/* A cell of an image, whose reference it takes over, also on failure; not counted among the live
 * ones. `prelude_only`: as in engine_cell_options. `*out`: Owned, cell_free(). Errors: those of
 * engine_cell_new(), E_MEMORY_LIMIT, E_NOMEM. */
int cell_new(snapcell_loader *loader, image *from, const cell_limits *limits, const engine_env *env,
             size_t env_count, bool prelude_only, snapcell_cell **out, snapcell_error *err);

/* A cell that has served no one, without an env, not counted among the live ones. `from`: gets one
 * more reference. `*out`: Owned, cell_free(). Errors: those of engine_cell_new(), E_NOMEM. */
int cell_new_spare(snapcell_loader *loader, image *from, const cell_limits *limits,
                   snapcell_cell **out, snapcell_error *err);

/* Frees a cell here and now; NULL is allowed. */
void cell_free(snapcell_cell *cell);

#endif
