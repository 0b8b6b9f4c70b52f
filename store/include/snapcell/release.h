/* Releases: sets of names with their artifacts, switched as one.
 *
 * A release is made from artifacts of a store, and never changes. To activate one sets all of its
 * names in one transaction: a reader sees the old set or the new one, never a mixture. What a
 * release holds is not collected, and a name that the active one holds is not removed. docs/
 * releases.md has the rules and the bytes. */
#ifndef SNAPCELL_RELEASE_H
#define SNAPCELL_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/artifact.h"
#include "snapcell/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest name of a release and of who made it, in bytes of UTF-8; a release's name follows the
 * rules of functions' names. */
#define SNAPCELL_RELEASE_NAME_SIZE_MAX SNAPCELL_NAME_SIZE_MAX
#define SNAPCELL_RELEASE_WHO_SIZE_MAX 200
#define SNAPCELL_RELEASE_ITEM_COUNT_MAX 65536

/* A name, and the artifact that it stands for in a release. Borrowed. */
typedef struct snapcell_release_item {
    const char *name;
    snapcell_key key;
    snapcell_fingerprint engine; /* not read by snapcell_release_create() */
} snapcell_release_item;

/* What is known of a release. Pointers are Borrowed during the callback. */
typedef struct snapcell_release_info {
    const char *name;
    const char *who;   /* made it */
    int64_t created_s; /* since 1970 */
    size_t item_count;
    bool active;
    bool previous; /* to which rollback leads */
    bool pinned;
} snapcell_release_info;

typedef enum snapcell_release_action {
    SNAPCELL_RELEASE_CREATED = 1,
    SNAPCELL_RELEASE_ACTIVATED = 2,
    SNAPCELL_RELEASE_ROLLED_BACK = 3, /* activated by rollback */
    SNAPCELL_RELEASE_REMOVED = 4
} snapcell_release_action;

/* A name that an activation set or took away. Borrowed. */
typedef struct snapcell_release_change {
    const char *name;
    snapcell_fingerprint engine;
    snapcell_key from; /* zero: there was none */
    snapcell_key to;   /* zero: it was taken away */
} snapcell_release_change;

/* What happened, and when. Pointers are Borrowed during the callback. */
typedef struct snapcell_release_event {
    int64_t time_s;
    snapcell_release_action action;
    const char *who;
    const char *release;
    const char *from; /* that was active before; "": none */
    const snapcell_release_change *changes;
    size_t change_count;
} snapcell_release_event;

/* Which releases gc keeps, in addition to those that are active, pinned, or lead back. With both 0
 * it keeps all. */
typedef struct snapcell_release_policy {
    uint32_t keep_count;   /* as many of the newest; 0: none for that reason */
    uint64_t keep_seconds; /* those that are younger; 0: none for that reason */
} snapcell_release_policy;

/* A non-zero return ends the listing, which then returns that value. None may write to the store.
 */
typedef int snapcell_release_fn(void *user, const snapcell_release_info *info);
typedef int snapcell_release_item_fn(void *user, const snapcell_release_item *item);
typedef int snapcell_release_event_fn(void *user, const snapcell_release_event *event);

/* Purpose: make a release of artifacts that the store has. The same again is not an error. `who`:
 * NULL for nobody. No other pointer may be NULL; all are Borrowed during the call. Thread: any.
 * Errors: E_EXISTS (a release of that name holds something else), E_NOT_FOUND (an artifact),
 * E_USAGE (a bad name; nothing in it; a name twice for one engine), E_TOO_LARGE, and those of
 * snapcell_store_put() for writing. */
SNAPCELL_API int snapcell_release_create(snapcell_store *store, const char *release,
                                         const char *who, const snapcell_release_item *items,
                                         size_t count, snapcell_error *err);

/* Purpose: set all names of a release, and take away those that only the one before it held, in one
 * transaction. `who`: NULL for nobody. Thread: any. Errors: E_NOT_FOUND, E_STORE_CORRUPT, E_FULL,
 * E_READ_ONLY, E_BUSY, E_NOMEM, E_IO. */
SNAPCELL_API int snapcell_release_activate(snapcell_store *store, const char *release,
                                           const char *who, snapcell_error *err);

/* Purpose: activate the release that was active before; once more leads back further. `out` (NULL
 * is allowed): which one. Thread: any. Errors: as snapcell_release_activate(); E_NOT_FOUND when
 * there is none. */
SNAPCELL_API int snapcell_release_rollback(snapcell_store *store, const char *who,
                                           char out[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1],
                                           snapcell_error *err);

/* Purpose: remove a release; its artifacts stay until gc. Thread: any. Errors: E_NOT_FOUND, E_HELD
 * (it is active or pinned), and those of writing. */
SNAPCELL_API int snapcell_release_remove(snapcell_store *store, const char *release,
                                         const char *who, snapcell_error *err);

/* Purpose: pin a release, so that neither gc nor remove takes it away, or no longer. Thread: any.
 * Errors: E_NOT_FOUND, and those of writing. */
SNAPCELL_API int snapcell_release_pin(snapcell_store *store, const char *release, bool pinned,
                                      snapcell_error *err);

/* Purpose: every release, in byte order of their names. `each`: not NULL. Thread: any. Errors:
 * E_STORE_CORRUPT, E_BUSY, E_NOMEM, E_IO, or what `each` returned. */
SNAPCELL_API int snapcell_release_each(snapcell_store *store, snapcell_release_fn *each, void *user,
                                       snapcell_error *err);

/* Purpose: what a release holds, by name and engine. `each`: not NULL. Thread: any. Errors:
 * E_NOT_FOUND, and as snapcell_release_each(). */
SNAPCELL_API int snapcell_release_each_item(snapcell_store *store, const char *release,
                                            snapcell_release_item_fn *each, void *user,
                                            snapcell_error *err);

/* Purpose: what happened, the oldest first; the last 1,000 events are kept. `each`: not NULL.
 * Thread: any. Errors: as snapcell_release_each(). */
SNAPCELL_API int snapcell_release_each_event(snapcell_store *store, snapcell_release_event_fn *each,
                                             void *user, snapcell_error *err);

/* Purpose: say which releases gc keeps. `policy`: not NULL. Thread: any. Errors: those of writing.
 */
SNAPCELL_API int snapcell_release_policy_set(snapcell_store *store,
                                             const snapcell_release_policy *policy,
                                             snapcell_error *err);

/* Purpose: which releases gc keeps. `out`: not NULL, zeroed on failure. Thread: any. Errors:
 * E_STORE_CORRUPT, E_BUSY, E_NOMEM, E_IO. */
SNAPCELL_API int snapcell_release_policy_get(snapcell_store *store, snapcell_release_policy *out,
                                             snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
