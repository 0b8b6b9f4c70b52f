/* The store: artifacts by key, names to keys, in one LMDB environment.
 *
 * A store is a directory with data.mdb and lock.mdb. Several processes may read and write it at
 * once. A name maps to one artifact for each engine, so that artifacts for several engines stand
 * side by side under it.
 *
 * Simple: open, put, get, close. Advanced: views, listing, gc. */
#ifndef SNAPCELL_STORE_H
#define SNAPCELL_STORE_H

#include <stdbool.h>

#include "snapcell/artifact.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest name of a function, in bytes of UTF-8. Control characters and '/' are refused. */
#define SNAPCELL_NAME_SIZE_MAX 200

typedef struct snapcell_store snapcell_store;

typedef enum snapcell_store_mode {
    SNAPCELL_STORE_READ = 0,  /* must exist; works in a directory that cannot be written, too */
    SNAPCELL_STORE_WRITE = 1, /* must exist */
    SNAPCELL_STORE_CREATE = 2 /* made when missing, parent directories excluded */
} snapcell_store_mode;

/* --- Simple
 * -------------------------------------------------------------------------------------------------
 */

/* Purpose: open the store in directory `path` (UTF-8, not NULL). One process opens a store once; a
 * handle serves all its threads. Not to be used after fork().
 * `*out`: Owned, close with snapcell_store_close(). NULL on failure.
 * Thread: any. Errors: E_NOT_FOUND, E_NOT_A_STORE, E_STORE_CORRUPT, E_READ_ONLY, E_FULL, E_IO,
 * E_NOMEM. */
SNAPCELL_API int snapcell_store_open(const char *path, snapcell_store_mode mode,
                                     snapcell_store **out, snapcell_error *err);

/* Purpose: close a store; NULL is allowed. No view of it may be open. Thread: any, once. Errors:
 * none. */
SNAPCELL_API void snapcell_store_close(snapcell_store *store);

/* Purpose: put an artifact (checked first, as snapcell_artifact_inspect does) and, where `name` is
 * not NULL, make the name point to it for the artifact's engine. One transaction, durable when this
 * returns SNAPCELL_OK. Putting the same bytes again is no error. `bytes`: Borrowed during the call.
 * Thread: any; writers wait for each other. Errors: E_EXISTS (same key, other bytes), E_CORRUPT,
 * E_FORMAT, E_TOO_LARGE, E_USAGE (bad name), E_FULL, E_READ_ONLY, E_IO. Nothing is changed on
 * failure. */
SNAPCELL_API int snapcell_store_put(snapcell_store *store, const void *bytes, size_t size_bytes,
                                    const char *name, snapcell_error *err);

/* Purpose: a copy of the artifact under `key`, not checked. `*out`: Owned, free(). NULL on failure.
 * Thread: any. Errors: E_NOT_FOUND, E_NOMEM, E_STORE_CORRUPT, E_IO. */
SNAPCELL_API int snapcell_store_get(snapcell_store *store, const snapcell_key *key, void **out,
                                    size_t *out_size_bytes, snapcell_error *err);

/* Purpose: turn what a person types into a key: a name, else a key, else a unique key prefix of 4
 * digits or more. `engine`: for a name, the engine whose artifact is wanted; NULL takes any engine
 * when the name has just one. Thread: any. Errors: E_NOT_FOUND, E_AMBIGUOUS, E_OTHER_ENGINE (the
 * name exists, for other engines only: the message says which and that `recompile` makes the
 * missing one), E_STORE_CORRUPT, E_IO. */
SNAPCELL_API int snapcell_store_resolve(snapcell_store *store, const char *ref,
                                        const snapcell_fingerprint *engine, snapcell_key *out,
                                        snapcell_error *err);

/* --- Advanced
 * -----------------------------------------------------------------------------------------------
 */

/* A read transaction and an artifact in it, in place in the mapped file. */
typedef struct snapcell_store_view {
    const void *bytes; /* Borrowed until snapcell_store_view_close() */
    size_t size_bytes;
    void *transaction; /* the store's own; not to be touched */
} snapcell_store_view;

/* Purpose: see the artifact under `key` in place, without a copy. Keep views short: an open view
 * keeps freed pages from reuse. A view may be closed on another thread. `out`: not NULL, zeroed on
 * failure. Thread: any. Errors: E_NOT_FOUND, E_BUSY (too many readers), E_STORE_CORRUPT, E_IO. */
SNAPCELL_API int snapcell_store_view_open(snapcell_store *store, const snapcell_key *key,
                                          snapcell_store_view *out, snapcell_error *err);

/* Purpose: end a view; a zeroed one is allowed. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_store_view_close(snapcell_store *store, snapcell_store_view *view);

/* One name for one engine. Pointers are Borrowed during the callback. */
typedef struct snapcell_store_name {
    const char *name;
    snapcell_fingerprint engine;
    snapcell_key key;
} snapcell_store_name;

/* A non-zero return ends the listing, which then returns that value. It must not write to the
 * store. */
typedef int snapcell_store_name_fn(void *user, const snapcell_store_name *entry);
typedef int snapcell_store_artifact_fn(void *user, const snapcell_key *key, const void *bytes,
                                       size_t size_bytes);

/* Purpose: every name, in byte order, within one read transaction. `each`: not NULL; `user` is
 * handed to it. Thread: any. Errors: E_STORE_CORRUPT, E_IO, or what `each` returned. */
SNAPCELL_API int snapcell_store_each_name(snapcell_store *store, snapcell_store_name_fn *each,
                                          void *user, snapcell_error *err);

/* Purpose: every artifact, in key order, within one read transaction; bytes are in place and not
 * checked. Thread: any. Errors: E_STORE_CORRUPT, E_IO, or what `each` returned. */
SNAPCELL_API int snapcell_store_each_artifact(snapcell_store *store,
                                              snapcell_store_artifact_fn *each, void *user,
                                              snapcell_error *err);

/* Purpose: make `name` point to the stored artifact `key` for that artifact's engine, in one
 * transaction. Thread: any. Errors: E_NOT_FOUND, E_USAGE, E_FULL, E_READ_ONLY, E_IO. */
SNAPCELL_API int snapcell_store_name_set(snapcell_store *store, const char *name,
                                         const snapcell_key *key, snapcell_error *err);

/* Purpose: remove a name for every engine, and the artifacts that no other name points to, in one
 * transaction. Thread: any. Errors: E_NOT_FOUND, E_READ_ONLY, E_FULL, E_IO. */
SNAPCELL_API int snapcell_store_remove_name(snapcell_store *store, const char *name,
                                            snapcell_error *err);

/* Purpose: remove an artifact and every name that points to it, in one transaction.
 * Thread: any. Errors: E_NOT_FOUND, E_READ_ONLY, E_FULL, E_IO. */
SNAPCELL_API int snapcell_store_remove(snapcell_store *store, const snapcell_key *key,
                                       snapcell_error *err);

typedef struct snapcell_store_gc_result {
    uint64_t removed_count;      /* artifacts that no name pointed to */
    uint64_t removed_size_bytes; /* of those artifacts */
    uint64_t freed_size_bytes;   /* by which data.mdb became smaller */
} snapcell_store_gc_result;

/* Purpose: remove artifacts that no name points to, and give the space back to the file system
 * where no other process has the store open. `out` may be NULL. Thread: any. Errors: E_READ_ONLY,
 * E_FULL, E_IO, E_STORE_CORRUPT. */
SNAPCELL_API int snapcell_store_gc(snapcell_store *store, snapcell_store_gc_result *out,
                                   snapcell_error *err);

typedef struct snapcell_store_stat {
    uint64_t artifact_count;
    uint64_t name_count;
    uint64_t artifact_size_bytes; /* sum over the artifacts */
    uint64_t file_size_bytes;     /* of data.mdb */
    uint64_t free_size_bytes;     /* pages in data.mdb that can be reused */
    uint64_t map_size_bytes;
    uint32_t reader_count; /* open read transactions, of all processes */
    uint32_t reader_max;
} snapcell_store_stat;

/* Purpose: figures about the store. `out`: not NULL. Thread: any. Errors: E_STORE_CORRUPT, E_IO. */
SNAPCELL_API int snapcell_store_stat_get(snapcell_store *store, snapcell_store_stat *out,
                                         snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
