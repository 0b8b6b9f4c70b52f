/* The history of a name: which artifacts it was made to point to by putting them, when, by whom,
 * and where they came from. What releases did to it is among their events (snapcell/release.h). */
#ifndef SNAPCELL_HISTORY_H
#define SNAPCELL_HISTORY_H

#include "snapcell/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* So many changes of a name are kept, for all engines together. */
#define SNAPCELL_HISTORY_COUNT_MAX 50
/* Longer texts are cut, at a character's end. In bytes of UTF-8. */
#define SNAPCELL_HISTORY_WHO_SIZE_MAX 200
#define SNAPCELL_HISTORY_ORIGIN_SIZE_MAX 400

typedef enum snapcell_history_action {
    SNAPCELL_HISTORY_NONE = 0, /* nothing is noted */
    SNAPCELL_HISTORY_COMPILED = 1,
    SNAPCELL_HISTORY_IMPORTED = 2,
    SNAPCELL_HISTORY_PULLED = 3,
    SNAPCELL_HISTORY_RECOMPILED = 4
} snapcell_history_action;

/* A change of a name. Pointers are Borrowed during the callback. */
typedef struct snapcell_history_event {
    int64_t time_s; /* since 1970 */
    snapcell_history_action action;
    const char *who;    /* "": not known */
    const char *origin; /* a file, or a reference in a registry; "": not known */
    snapcell_fingerprint engine;
    snapcell_key from; /* zero: the name was new for this engine */
    snapcell_key to;
} snapcell_history_event;

/* A non-zero return ends the listing, which then returns that value. It must not write to the
 * store.
 */
typedef int snapcell_history_fn(void *user, const snapcell_history_event *event);

/* Purpose: what is noted of a name, the oldest first; nothing for a name that is not known. `name`
 * and `each`: not NULL. Thread: any. Errors: E_USAGE (a bad name), E_STORE_CORRUPT, E_BUSY, E_IO,
 * or what `each` returned. */
SNAPCELL_API int snapcell_history_each(snapcell_store *store, const char *name,
                                       snapcell_history_fn *each, void *user, snapcell_error *err);

/* How artifacts are put; see snapcell_store_put_items(). */
typedef struct snapcell_put_options {
    size_t struct_size;
    bool replace;                   /* as snapcell_store_replace() */
    snapcell_history_action action; /* what to note of names that change */
    const char *who;                /* Borrowed during the call; NULL: nobody */
} snapcell_put_options;

#define SNAPCELL_PUT_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .struct_size = sizeof(snapcell_put_options)                                                \
    }

/* Purpose: as snapcell_store_put_all(), with a note in the history of each name that is made to
 * point to another artifact. `options`: NULL for the defaults. Thread and errors: as
 * snapcell_store_put_all(). */
SNAPCELL_API int snapcell_store_put_items(snapcell_store *store, const snapcell_store_item *items,
                                          size_t count, const snapcell_put_options *options,
                                          snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
