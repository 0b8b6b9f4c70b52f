/* The loader: turns a name or key into a ready isolate.
 *
 * Simple: open a loader, load a cell, call it, dispose of it. A cell is a function made ready from
 * its snapshot, in an isolate of its own. Loads run in parallel on any number of threads; a cell is
 * used by one thread at a time. */
#ifndef SNAPCELL_LOADER_H
#define SNAPCELL_LOADER_H

#include <stdbool.h>

#include "snapcell/artifact.h"
#include "snapcell/defaults.h"
#include "snapcell/fetch.h"
#include "snapcell/host.h"
#include "snapcell/http.h"
#include "snapcell/log.h"
#include "snapcell/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_loader snapcell_loader;
typedef struct snapcell_cell snapcell_cell;

/* For cache_size_bytes: no cache. For in_place_count_max: always a copy. */
#define SNAPCELL_CACHE_NONE UINT64_MAX
#define SNAPCELL_IN_PLACE_NONE UINT32_MAX

/* Handles a call that is still running 10 ms past its CPU or wall limit (by that limit's clock):
 * the engine is in an operation that cannot be interrupted, such as parsing a 100 MB text. `code`:
 * E_CPU_LIMIT or E_WALL_LIMIT. Called on one of the engine's threads with locks held, once per
 * call. All it can do is end the process with _exit(), so use it only in a process that can afford
 * it. */
typedef void snapcell_overrun_fn(void *user, int code);

/* Zero means the default, everywhere. Strings and tables are Borrowed until the loader is closed.
 */
typedef struct snapcell_loader_options {
    size_t struct_size;        /* sizeof(snapcell_loader_options) */
    const char *store_path;    /* NULL: $SNAPCELL_STORE, else "./snapcell-store" */
    const snapcell_host *host; /* NULL: no host functions */
    snapcell_log_fn *log;      /* console output of functions; NULL: dropped */
    void *log_user;

    /* Memory for decoded functions, kept for the next time they are loaded; the least recently used
     * are evicted first. The store is still consulted each time: what was removed or replaced there
     * is not loaded from the cache. 0: 64 MiB, about 50 functions. */
    uint64_t cache_size_bytes;

    /* Spare cells: for each function that was loaded before (with the same limits; env is set when
     * a spare is taken), a thread of the loader makes up to this many fresh instances in advance.
     * It also disposes of cells. Only for snapshots: a `code` artifact is evaluated when it is
     * loaded, not in advance. 0: none, and no thread. */
    uint32_t spare_cells_per_function;

    /* How many artifacts compiled with `raw` may run in place in the store's pages at once. Each
     * keeps a view of the store open while its cells live. Open views keep the store from reusing
     * freed pages and this process from opening it for writing, and they take reader slots, which
     * all processes share. Artifacts beyond this number are copied into memory. 0: 64. */
    uint32_t in_place_count_max;

    /* Memory for spare cells and what they are made from; the least recently used functions are
     * evicted. 0: 256 MiB. */
    uint64_t spare_size_bytes;

    /* Memory of disposed cells, zeroed and kept for the next ones. One value for the whole process:
     * the first loader sets it. 0: 64 MiB. */
    uint64_t page_size_bytes;
    /* Use 2 MiB pages for it: loads take about 2 to 8 % less time, and each cell more memory. */
    bool huge_pages;

    snapcell_overrun_fn *overrun; /* NULL: such a call runs to its end */
    void *overrun_user;

    /* Carries out the functions' fetch() calls; see snapcell/fetch.h. NULL: fetch() is rejected,
     * except for data: URLs. Borrowed until the loader is closed. */
    const snapcell_fetch_client *fetch_client;

    /* Whose artifacts may be loaded. With a set, an artifact that is unsigned, signed by another or
     * a revoked key or for another name or tenant, or altered in any byte gives E_SIGNATURE or
     * E_CORRUPT before any of it is decoded. NULL: anyone who can write the store is trusted.
     * Copied; see snapcell_loader_set_trust(). */
    const snapcell_trust *trust;

    /* How many functions get spare cells, counted with their limits; the least recently used are
     * evicted. 0: 1,024. */
    uint32_t spare_function_count_max;
} snapcell_loader_options;

#define SNAPCELL_LOADER_OPTIONS_INIT                                                               \
    {                                                                                              \
        .struct_size = sizeof(snapcell_loader_options)                                             \
    }

/* A name and a value that a function sees as env.NAME. */
typedef struct snapcell_env {
    const char *name;
    const char *value;
} snapcell_env;

/* Limits of a cell. The memory limit applies to its whole life; the other limits apply to each
 * call. Once a limit is hit the cell is condemned: further calls give E_DISPOSED. Zero means the
 * default. Borrowed during the load. */
typedef struct snapcell_cell_options {
    size_t struct_size; /* sizeof(snapcell_cell_options) */
    uint64_t
        memory_limit_bytes;  /* JavaScript heap, and as much again for ArrayBuffers; 0: 128 MiB */
    uint32_t cpu_limit_ms;   /* 0: none */
    uint32_t wall_limit_ms;  /* 0: none */
    const snapcell_env *env; /* NULL when there is none */
    size_t env_count;
    /* With a trust set: the tenant that the artifact must be signed for. NULL: no particular
     * tenant. */
    const char *tenant;
    /* Bytes of a response's body or of a JSON result. 0: memory_limit_bytes if it is not streamed,
     * no limit if it is. */
    uint64_t response_limit_bytes;
    /* Timers that may be pending at once; one more is a RangeError in the function. 0: 10,000 */
    uint32_t timer_limit;
    /* Date and performance.now() stand still while JavaScript runs, and catch up when it waits, so
     * that a function cannot measure its own time, as side-channel attacks do. */
    bool frozen_clock;
    /* As `env`, but each value is the text of a JSON value, which env.NAME then is. */
    const snapcell_env *json_env;
    size_t json_env_count;
    /* With a trust set, for a load by key: the name that the artifact must be signed for. A host
     * that looked the name up itself gets what it found, though the store changes meanwhile. NULL:
     * any; not read for a load by name. */
    const char *signed_name;
} snapcell_cell_options;

#define SNAPCELL_CELL_OPTIONS_INIT                                                                 \
    {                                                                                              \
        .struct_size = sizeof(snapcell_cell_options)                                               \
    }

/* --- Simple ----------------------------------------------------------------------------------- */

/* Purpose: open a store for loading, and start the engine when this is the process's first loader.
 * `options`: NULL for the defaults. `*out`: Owned, close with snapcell_loader_close(). NULL on
 * failure. After fork() in a process that has started the engine, every function of this header
 * that can fail gives E_USAGE in the child, which can only dispose of cells and close the loader.
 * Thread: any. Errors: those of snapcell_store_open() for reading, E_INTERNAL, E_NOMEM. */
SNAPCELL_API int snapcell_loader_open(const snapcell_loader_options *options, snapcell_loader **out,
                                      snapcell_error *err);

/* Purpose: close a loader; NULL is allowed. Its cells must be disposed of first. Waits for the
 * thread that makes spare cells, which may be in the middle of one. In a forked child it only frees
 * the handle. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_loader_close(snapcell_loader *loader);

/* Purpose: make function `ref` (a name, a key, or a unique key prefix) ready to be called.
 * `options`: NULL for the defaults. `*out`: Owned, dispose of with snapcell_cell_dispose(). NULL on
 * failure. Thread: any, several at once; the cell may move between threads between calls. Errors:
 * E_NOT_FOUND, E_AMBIGUOUS, E_OTHER_ENGINE, E_OTHER_HOST, E_CORRUPT, E_FORMAT, E_TOO_LARGE,
 * E_SIGNATURE (with a trust set; a name has to be the one that was signed, and a key to be whole),
 * E_NOMEM (also when SNAPCELL_CELLS_MAX cells live), E_MEMORY_LIMIT, E_SCRIPT (a `code` artifact
 * whose top level fails), E_USAGE (a value of json_env is not JSON; too little stack is left, or it
 * is not the thread's own, as with any call), E_IO, E_INTERNAL. */
SNAPCELL_API int snapcell_cell_load(snapcell_loader *loader, const char *ref,
                                    const snapcell_cell_options *options, snapcell_cell **out,
                                    snapcell_error *err);

/* Purpose: pass a request to a function of shape FETCH and run it until its response is complete.
 * `request`: NULL for "GET /". `*out`: Owned, free with snapcell_response_free(). NULL on failure.
 * Thread: one at a time. Errors: E_SCRIPT, E_WRONG_SHAPE, E_MEMORY_LIMIT, E_CPU_LIMIT,
 * E_WALL_LIMIT, E_RESPONSE_LIMIT, E_DISPOSED, E_TOO_LARGE, E_USAGE (an invalid request), E_NOMEM.
 * After E_SCRIPT the cell can be called again. */
SNAPCELL_API int snapcell_cell_fetch(snapcell_cell *cell, const snapcell_request *request,
                                     snapcell_response **out, snapcell_error *err);

/* Purpose: the same, with streaming bodies: the request's is read when the function reads it, the
 * response's is written as the function produces it, and the function waits for a slow reader.
 * `request`: NULL for "GET /"; with `stream->read` it has no body of its own. `stream`: not NULL. A
 * reader that wants no more (head, write) is not an error. After an error, whether `head` was
 * called tells if the function had already answered. Thread and errors: as snapcell_cell_fetch().
 */
SNAPCELL_API int snapcell_cell_stream(snapcell_cell *cell, const snapcell_request *request,
                                      const snapcell_stream *stream, snapcell_error *err);

/* Purpose: call a function of shape JSON with an event. `event_json`: JSON text, zero-terminated;
 * NULL for "{}".
 * `*out`: the result as JSON text ("null" for undefined), zero-terminated; Owned, free(). NULL on
 * failure. `out_size_bytes` may be NULL. Thread and errors: as snapcell_cell_fetch(). */
SNAPCELL_API int snapcell_cell_invoke(snapcell_cell *cell, const char *event_json, char **out,
                                      size_t *out_size_bytes, snapcell_error *err);

/* Purpose: call a handler by name, such as "scheduled" or "queue": a method of the default export,
 * a named export, or the listeners for that event. The function may have any shape. `handler`: not
 * NULL. `event_json`, `*out`, `out_size_bytes`: as snapcell_cell_invoke(); docs/web-api.md says
 * what "scheduled" and "queue" take and return; any other handler gets (event, env, context).
 * Returns after promises passed to waitUntil() have settled, too. Thread: one at a time. Errors:
 * E_NO_HANDLER (the message lists the existing ones), and as snapcell_cell_fetch(). */
SNAPCELL_API int snapcell_cell_call(snapcell_cell *cell, const char *handler,
                                    const char *event_json, char **out, size_t *out_size_bytes,
                                    snapcell_error *err);

/* Purpose: end a cell and free its memory; NULL is allowed. With spare cells this happens a little
 * later, on the loader's thread. Thread: one at a time, once. Errors: none. */
SNAPCELL_API void snapcell_cell_dispose(snapcell_cell *cell);

/* --- Advanced --------------------------------------------------------------------------------- */

/* Purpose: look up, check and decode one function, and close the loader's store: from then on the
 * loader loads only this function, by the same `ref`, without a store. For a process that then
 * enters a sandbox (snapcell/sandbox.h): code that breaks out of the engine finds no other function
 * there. `options`: its tenant and signed_name are used; NULL for the defaults. The loader must
 * have no cells and no spare cells, and is unchanged on failure. Thread: any, alone with the
 * loader. Errors: those of snapcell_cell_load() before the engine, E_USAGE, E_NOMEM. */
SNAPCELL_API int snapcell_loader_seal(snapcell_loader *loader, const char *ref,
                                      const snapcell_cell_options *options, snapcell_error *err);

/* Purpose: the facts of a cell's artifact. Returns: Borrowed until the cell is disposed of; its
 * manifest is NULL. Thread: one at a time. Errors: none. */
SNAPCELL_API const snapcell_artifact_info *snapcell_cell_info(const snapcell_cell *cell);

/* How long each phase of a load and of the first call took, on the monotonic clock, in nanoseconds.
 * With the cache, verify and decompress are 0. With a spare cell isolate is 0, too, and context is
 * the time to set its env. */
typedef struct snapcell_timings {
    uint64_t lookup_ns;     /* reference to key */
    uint64_t read_ns;       /* key to the artifact's bytes */
    uint64_t verify_ns;     /* structure, checksum, digest, engine and host table */
    uint64_t decompress_ns; /* decoding blob and source */
    uint64_t isolate_ns;    /* the isolate from the blob */
    uint64_t context_ns;    /* the context in it, and its handler */
    uint64_t call_ns;       /* of the last call, request to response; 0 before it */
    uint64_t total_ns;      /* from the start of lookup to the end of the first call (to readiness,
                               before it) */
} snapcell_timings;

/* Purpose: the timings of a cell. `out`: not NULL. `out_size_bytes`: sizeof(*out), so that the
 * struct can grow: members that only one side knows are left out or zero. Thread: one at a time.
 * Errors: none. */
SNAPCELL_API void snapcell_cell_timings(const snapcell_cell *cell, snapcell_timings *out,
                                        size_t out_size_bytes);

/* Purpose: return memory that is kept for later loads to the kernel: that of disposed cells (for
 * the whole process), and of decoding. The cache is kept. Call it when the program expects to be
 * idle; with spare cells it happens automatically after ten seconds. `loader`: not NULL. Thread:
 * any. Errors: none. */
SNAPCELL_API void snapcell_loader_trim(snapcell_loader *loader);

/* Purpose: replace the trust set of a loader that was opened with one, for instance when a key is
 * rotated or revoked. Loads that begin later use the new set, also for cached functions and spare
 * cells; existing cells live on. `trust`: copied, not NULL. Thread: any. Errors: E_USAGE, E_NOMEM;
 * the set is then unchanged. */
SNAPCELL_API int snapcell_loader_set_trust(snapcell_loader *loader, const snapcell_trust *trust,
                                           snapcell_error *err);

/* What a loader has done since it was opened, and what it holds now; meant for metrics. */
typedef struct snapcell_counters {
    uint64_t loads;         /* cells made */
    uint64_t load_failures; /* loads that ended with an error */
    uint64_t calls;
    uint64_t call_failures;
    uint64_t live_cells;
    uint64_t read_size_bytes;    /* of artifacts read */
    uint64_t decoded_size_bytes; /* of blobs decoded */
    uint64_t memory_limits_hit;
    uint64_t cpu_limits_hit;
    uint64_t wall_limits_hit;
    uint64_t cache_hits;        /* loads found in the cache */
    uint64_t cache_misses;      /* loads not found there; not counted without a cache */
    uint64_t cache_size_bytes;  /* in the cache now */
    uint64_t spare_hits;        /* loads that got a spare cell */
    uint64_t spare_misses;      /* loads that found none; not counted without spare cells */
    uint64_t spares_ready;      /* waiting now; not among live_cells */
    uint64_t spares_size_bytes; /* taken now by them and what they are made from */
    uint64_t in_place_count;    /* running in place in the store now */
    uint64_t response_limits_hit;
    /* Cells of all loaders in the process, spares included. At the maximum, SNAPCELL_CELLS_MAX,
     * loads fail with E_NOMEM. */
    uint64_t process_cells;
    uint64_t process_cells_max;
} snapcell_counters;

/* Purpose: a loader's counters. `out`: not NULL. `out_size_bytes`: sizeof(*out), as above.
 * Thread: any. Errors: none. */
SNAPCELL_API void snapcell_loader_counters(const snapcell_loader *loader, snapcell_counters *out,
                                           size_t out_size_bytes);

/* What artifacts are bound to, and what people want to know about the engine. Pointers are constant
 * strings. */
typedef struct snapcell_engine_info {
    snapcell_fingerprint fingerprint;
    const char *v8_version;   /* as "13.6.233.17" */
    const char *v8_flags;     /* that snapcell sets, separated by blanks */
    const char *architecture; /* as "x86_64" */
    uint32_t format_version;  /* of artifacts */
} snapcell_engine_info;

/* Purpose: facts about the engine in this build; V8 is not started. `out`: not NULL.
 * `out_size_bytes`: sizeof(*out), as above. Thread: any. Errors: none. */
SNAPCELL_API void snapcell_engine_info_get(snapcell_engine_info *out, size_t out_size_bytes);

#ifdef __cplusplus
}
#endif
#endif
