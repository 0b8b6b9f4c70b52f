/* The store: artifacts by key, names to keys, in one LMDB environment.
 *
 * A store is a directory with data.mdb and lock.mdb. Several processes may read and write it at
 * once. A name maps to one artifact for each engine, so artifacts for several engines can share a
 * name.
 *
 * Simple: open, put, get, close. Advanced: views, listing, gc. */
#ifndef SNAPCELL_STORE_H
#define SNAPCELL_STORE_H

#include <stdbool.h>

#include "snapcell/artifact.h"
#include "snapcell/defaults.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest name of a function, in bytes of UTF-8. Control characters and '/' are refused, too. */
#define SNAPCELL_NAME_SIZE_MAX SNAPCELL_ARTIFACT_NAME_SIZE_MAX

typedef struct snapcell_store snapcell_store;

typedef enum snapcell_store_mode {
    SNAPCELL_STORE_READ = 0,  /* must exist; needs no write access */
    SNAPCELL_STORE_WRITE = 1, /* must exist */
    SNAPCELL_STORE_CREATE = 2 /* as WRITE, but made if missing, without its parent directories */
} snapcell_store_mode;

/* --- Simple ----------------------------------------------------------------------------------- */

/* Purpose: the default place of a store: $SNAPCELL_STORE, unless it is empty, else
 * SNAPCELL_STORE_PATH_DEFAULT. Returns: Borrowed, until the environment is changed. Thread: any,
 * while no thread changes the environment. Errors: none. */
SNAPCELL_API const char *snapcell_store_default_path(void);

/* Purpose: open the store in directory `path` (UTF-8, not NULL). A handle serves all threads; a
 * process may open the same store several times. After fork() the child opens it again: with an
 * inherited handle every function but the two closing ones gives E_USAGE. Where the lock file
 * cannot be used (a read-only directory, a full disk, the same process id in another PID
 * namespace), READ does without it: views are copies then.
 * `*out`: Owned, close with snapcell_store_close(). NULL on failure.
 * Thread: any. Errors: E_NOT_FOUND, E_NOT_A_STORE, E_STORE_CORRUPT, E_READ_ONLY, E_FULL, E_BUSY
 * (WRITE while this process reads it through open views, or with a process id that is in use),
 * E_USAGE, E_IO, E_NOMEM. */
SNAPCELL_API int snapcell_store_open(const char *path, snapcell_store_mode mode,
                                     snapcell_store **out, snapcell_error *err);

/* Purpose: close a store; NULL is allowed. No view of it may be open. In a forked child it only
 * frees the handle. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_store_close(snapcell_store *store);

/* Purpose: have the writes of this handle wait until they are on the disk, as they do by default,
 * or not. Without, the kernel writes when it likes: the end of a process loses nothing, but a
 * machine that stops may leave a store that is damaged. For stores that can be made again.
 * Thread: any, while no other uses the store. Errors: none. */
SNAPCELL_API void snapcell_store_set_sync(snapcell_store *store, bool sync);

/* Purpose: put an artifact (checked first, as snapcell_artifact_inspect does) and, where `name` is
 * not NULL, make the name point to it for the artifact's engine. One transaction, durable when this
 * returns SNAPCELL_OK. Putting the same bytes again is not an error. Neither is putting an unsigned
 * artifact where the same one is already signed; the signed one stays. `bytes`: Borrowed during the
 * call, not NULL. Thread: any; writers wait for each other. Errors: E_EXISTS (same key, other
 * bytes), E_CORRUPT, E_FORMAT, E_TOO_LARGE, E_USAGE (bad name), E_FULL, E_READ_ONLY, E_BUSY (a
 * reader without the lock file has read for 10 seconds, or the map must grow while views stay
 * open), E_STORE_CORRUPT, E_NOMEM, E_IO. Nothing is changed on failure. */
SNAPCELL_API int snapcell_store_put(snapcell_store *store, const void *bytes, size_t size_bytes,
                                    const char *name, snapcell_error *err);

/* Purpose: a copy of the artifact under `key`, not checked. No pointer may be NULL. `*out`: Owned,
 * free(). NULL on failure. Thread: any. Errors: E_NOT_FOUND, E_NOMEM, E_BUSY, E_STORE_CORRUPT,
 * E_IO. */
SNAPCELL_API int snapcell_store_get(snapcell_store *store, const snapcell_key *key, void **out,
                                    size_t *out_size_bytes, snapcell_error *err);

/* Purpose: resolve what a person types to a key: the whole key of an artifact, else a name, else a
 * unique key prefix of 4 digits or more. So a name never hides a key, and a prefix never hides a
 * name. `engine`: for a name, the engine whose artifact is wanted; NULL takes any engine when the
 * name has just one. A key or prefix is found whatever its engine. `out`: not NULL, untouched on
 * failure. Thread: any. Errors: E_NOT_FOUND, E_AMBIGUOUS (a prefix of several keys; a name of
 * several engines), E_OTHER_ENGINE (the name exists, for other engines only: the message says which
 * and that `recompile` makes the missing one), E_USAGE, E_BUSY, E_STORE_CORRUPT, E_IO. */
SNAPCELL_API int snapcell_store_resolve(snapcell_store *store, const char *ref,
                                        const snapcell_fingerprint *engine, snapcell_key *out,
                                        snapcell_error *err);

/* --- Advanced --------------------------------------------------------------------------------- */

/* A read transaction and an artifact in it, in place in the mapped file. */
typedef struct snapcell_store_view {
    const void *bytes; /* Borrowed until snapcell_store_view_close() */
    size_t size_bytes;
    void *transaction; /* the store's own; not to be touched */
} snapcell_store_view;

/* Purpose: see the artifact under `key` in place, without a copy. Keep views short: an open view
 * keeps freed pages from reuse, and the map from growing. A view may be closed on another thread.
 * `out`: not NULL, zeroed on failure. Thread: any. Errors: E_NOT_FOUND, E_BUSY (too many readers),
 * E_NOMEM, E_STORE_CORRUPT, E_IO. */
SNAPCELL_API int snapcell_store_view_open(snapcell_store *store, const snapcell_key *key,
                                          snapcell_store_view *out, snapcell_error *err);

/* Purpose: end a view and zero it; a zeroed one is allowed. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_store_view_close(snapcell_store *store, snapcell_store_view *view);

/* One name for one engine. Pointers are Borrowed during the callback. */
typedef struct snapcell_store_name {
    const char *name;
    snapcell_fingerprint engine;
    snapcell_key key;
} snapcell_store_name;

/* A non-zero return ends the listing, which then returns that value. It may read the store, but
 * must not write to it. */
typedef int snapcell_store_name_fn(void *user, const snapcell_store_name *entry);
typedef int snapcell_store_artifact_fn(void *user, const snapcell_key *key, const void *bytes,
                                       size_t size_bytes);

/* Purpose: every name, in byte order, within one read transaction. `each`: not NULL; `user` is
 * handed to it. Thread: any. Errors: E_STORE_CORRUPT, E_BUSY, E_IO, or what `each` returned. */
SNAPCELL_API int snapcell_store_each_name(snapcell_store *store, snapcell_store_name_fn *each,
                                          void *user, snapcell_error *err);

/* Purpose: every artifact, in key order, within one read transaction; bytes are in place and not
 * checked. `each`: not NULL. Thread: any. Errors: E_STORE_CORRUPT, E_BUSY, E_IO, or what `each`
 * returned. */
SNAPCELL_API int snapcell_store_each_artifact(snapcell_store *store,
                                              snapcell_store_artifact_fn *each, void *user,
                                              snapcell_error *err);

/* Purpose: as snapcell_store_put(), but replaces what is stored under the artifact's key: for a new
 * signature, as when a key is rotated. Readers of the old bytes keep them until they finish. Thread
 * and errors: as snapcell_store_put(), without E_EXISTS. */
SNAPCELL_API int snapcell_store_replace(snapcell_store *store, const void *bytes, size_t size_bytes,
                                        const char *name, snapcell_error *err);

/* An artifact to be put, with the name that is to point to it; NULL: none. Borrowed. */
typedef struct snapcell_store_item {
    const void *bytes; /* NULL: the store has `key`, and the name alone is to be set */
    size_t size_bytes;
    const char *name;
    const char *origin; /* for the history (snapcell/history.h); NULL: not known */
    snapcell_key key;   /* not read when there are bytes */
} snapcell_store_item;

/* Purpose: put several artifacts with their names in one transaction: all of them, or none. Each as
 * snapcell_store_put(), or with `replace` as snapcell_store_replace(). `items`: Borrowed during the
 * call; not NULL unless `count` is 0. Thread and errors: as snapcell_store_put(). */
SNAPCELL_API int snapcell_store_put_all(snapcell_store *store, const snapcell_store_item *items,
                                        size_t count, bool replace, snapcell_error *err);

/* Purpose: make `name` point to the stored artifact `key` for that artifact's engine, in one
 * transaction. Thread: any. Errors: E_NOT_FOUND, E_USAGE, E_CORRUPT or E_FORMAT (of the stored
 * artifact), E_FULL, E_READ_ONLY, E_BUSY, E_IO. */
SNAPCELL_API int snapcell_store_name_set(snapcell_store *store, const char *name,
                                         const snapcell_key *key, snapcell_error *err);

/* Purpose: remove a name for every engine, and those of its artifacts that no other name points to,
 * in one transaction; those that releases hold stay. Thread: any. Errors: E_NOT_FOUND, E_HELD (the
 * active release has the name), E_USAGE, E_READ_ONLY, E_FULL, E_BUSY, E_IO. */
SNAPCELL_API int snapcell_store_remove_name(snapcell_store *store, const char *name,
                                            snapcell_error *err);

/* Purpose: remove an artifact and every name that points to it, in one transaction.
 * Thread: any. Errors: E_NOT_FOUND, E_HELD (a release has it), E_READ_ONLY, E_FULL, E_BUSY, E_IO.
 */
SNAPCELL_API int snapcell_store_remove(snapcell_store *store, const snapcell_key *key,
                                       snapcell_error *err);

typedef struct snapcell_store_gc_result {
    uint64_t removed_count;      /* artifacts that no name pointed to */
    uint64_t removed_size_bytes; /* of those artifacts */
    uint64_t freed_size_bytes;   /* by which data.mdb shrank */
} snapcell_store_gc_result;

/* Purpose: remove releases that are not kept (snapcell/release.h), and artifacts that neither a
 * name nor a release has, and return the space to the file system, which briefly needs room for a
 * compact copy next to the store. Others go on meanwhile: they move to the copy with their next
 * operation, and open views keep what they have until they are closed. Where the store cannot be
 * replaced (a directory that cannot be written, a file system without locks, another gc under way,
 * a program of before format 4 that has it open), the space is only free for reuse and
 * freed_size_bytes is 0, which is not an error. `out` may be NULL; it is filled in even if the copy
 * then fails. Thread: any. Errors: E_READ_ONLY, E_FULL, E_BUSY,
 * E_NOMEM, E_IO, E_STORE_CORRUPT. */
SNAPCELL_API int snapcell_store_gc(snapcell_store *store, snapcell_store_gc_result *out,
                                   snapcell_error *err);

typedef struct snapcell_store_backup_result {
    uint64_t artifact_count;
    uint64_t name_count;
    uint64_t size_bytes; /* of the file */
} snapcell_store_backup_result;

/* Purpose: write the store, as it is at one moment, into an empty regular file that is open for
 * reading and writing, while others read and write the store; then read all of it back and check
 * it: structure, artifacts, names, releases. Named data.mdb in a folder of its own, the file is a
 * store. It is synced; its folder is not. `out` may be NULL; zeroed on failure, when the file holds
 * something or other. Thread: any. Errors: E_CORRUPT or E_FORMAT (an artifact of the store is
 * damaged), E_STORE_CORRUPT, E_FULL, E_BUSY, E_NOMEM, E_IO. */
SNAPCELL_API int snapcell_store_backup(snapcell_store *store, int file,
                                       snapcell_store_backup_result *out, snapcell_error *err);

typedef struct snapcell_store_stat {
    uint64_t artifact_count;
    uint64_t name_count;
    uint64_t artifact_size_bytes; /* sum over the artifacts */
    uint64_t file_size_bytes;     /* of data.mdb */
    uint64_t free_size_bytes;     /* pages in data.mdb that can be reused */
    uint64_t map_size_bytes;
    uint32_t reader_count; /* open views and other read transactions, of all processes */
    uint32_t reader_max;   /* 0 where the lock file is not used: see READ */
} snapcell_store_stat;

/* Purpose: figures about the store. `out`: not NULL, zeroed on failure. Thread: any. Errors:
 * E_STORE_CORRUPT, E_BUSY, E_IO. */
SNAPCELL_API int snapcell_store_stat_get(snapcell_store *store, snapcell_store_stat *out,
                                         snapcell_error *err);

/* Purpose: check the structure of the store's file, page by page, trusting none of it: every page
 * is in the file, has one use and is where its tree says; keys are in order; names are as they were
 * written. Opening checks less. snapcell_artifact_inspect() checks what the artifacts hold. Thread:
 * any. Errors: E_STORE_CORRUPT (the first damage that was found), E_BUSY, E_NOMEM, E_IO. */
SNAPCELL_API int snapcell_store_check(snapcell_store *store, snapcell_error *err);

/* What salvage reports: an artifact, a name for one engine, or a release. */
typedef struct snapcell_salvage_item {
    const char *name; /* Borrowed during the callback, as is `release`; NULL: it is an artifact */
    snapcell_key key; /* the artifact's, or what the name points to */
    uint64_t size_bytes;
    bool lost;    /* it existed, but is damaged; for a name: its artifact is damaged, or it is
                     unclear which of several artifacts it pointed to */
    bool guessed; /* the name's record is lost; the artifact was compiled under this name */
    const char *release; /* not NULL: it is a release; lost, when one of its artifacts is */
} snapcell_salvage_item;

typedef void snapcell_salvage_fn(void *user, const snapcell_salvage_item *item);

typedef struct snapcell_salvage_result {
    uint64_t artifact_count; /* intact, and in the new store */
    uint64_t artifact_lost_count;
    uint64_t name_count; /* in the new store */
    uint64_t name_guessed_count;
    uint64_t name_lost_count;
    bool damaged;  /* the file's structure is damaged */
    bool complete; /* every artifact and name of the store is counted here; else more may be lost */
    uint64_t release_count; /* in the new store */
    uint64_t release_lost_count;
    uint64_t
        record_lost_count; /* of releases, their events, and histories; what they said is lost */
    bool records_complete; /* all of those records are counted here */
} snapcell_salvage_result;

/* Purpose: recover what is intact in the store `from`, however damaged, into a new store `to`,
 * which is created and must be empty. The old file is read byte by byte, without LMDB, and not
 * changed. `each` and `out` may be NULL; `user` is handed to `each`. Thread: any. Errors:
 * E_NOT_FOUND, E_NOT_A_STORE, E_EXISTS (`to` holds something), E_BUSY, E_USAGE, E_NOMEM, E_IO, and
 * those of opening and putting, of `to`. Anything recovered before a failure stays in `to`. */
SNAPCELL_API int snapcell_store_salvage(const char *from, const char *to, snapcell_salvage_fn *each,
                                        void *user, snapcell_salvage_result *out,
                                        snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
