/* Records of releases, in the database "meta"; docs/releases.md has their bytes. Internal to store/
 * and its tests. */
#ifndef SNAPCELL_STORE_RELEASES_H
#define SNAPCELL_STORE_RELEASES_H

#include "snapcell/release.h"
#include "store_internal.h"

#define STORE_RELEASE_STACK_MAX 32
#define STORE_RELEASE_EVENTS_MAX 1000

typedef struct store_release_item {
    char name[SNAPCELL_NAME_SIZE_MAX + 1];
    snapcell_fingerprint engine;
    snapcell_key key;
} store_release_item;

typedef struct store_release {
    char name[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    char who[SNAPCELL_RELEASE_WHO_SIZE_MAX + 1];
    int64_t created_s;
    bool pinned;
    store_release_item *items; /* Owned; by name and engine */
    size_t count;
} store_release;

/* What concerns all releases. */
typedef struct store_release_state {
    snapcell_release_policy policy;
    uint64_t event_count; /* so many have been written */
    char stack[STORE_RELEASE_STACK_MAX][SNAPCELL_RELEASE_NAME_SIZE_MAX + 1]; /* active one first */
    size_t depth;
} store_release_state;

/* --- store_release_records.c: from and to bytes; LMDB's codes, MDB_CORRUPTED for damage --- */

/* MDB_NOTFOUND when there is none. Release on success. */
int store_release_get(const store_environment *environment, MDB_txn *txn, const char *name,
                      store_release *out);
int store_release_put(store_environment *environment, MDB_txn *txn, const store_release *release);
int store_release_delete(const store_environment *environment, MDB_txn *txn, const char *name);
void store_release_release(store_release *release);
#define cleanup_store_release cleanup(store_release_release)

/* Zeroed when there is none. */
int store_release_state_get(const store_environment *environment, MDB_txn *txn,
                            store_release_state *out);
int store_release_state_put(store_environment *environment, MDB_txn *txn,
                            const store_release_state *state);

/* Adds an event, and drops the oldest ones; changes `state`, which the caller then puts. */
int store_release_event_put(store_environment *environment, MDB_txn *txn,
                            store_release_state *state, const snapcell_release_event *event);

/* Every release, by name. A non-zero return of `each` ends it, in `*said`. */
typedef int store_release_each_fn(void *user, store_release *release);
int store_release_walk(const store_environment *environment, MDB_txn *txn,
                       store_release_each_fn *each, void *user, int *said);
int store_release_walk_events(const store_environment *environment, MDB_txn *txn,
                              snapcell_release_event_fn *each, void *user, int *said);

/* Looks at every record. LMDB's code. */
int store_releases_check(const store_environment *environment, MDB_txn *txn);

/* --- store_release_held.c: for removing and collecting --- */

/* Applies the policy: removes releases that it does not keep. */
int store_release_expire(store_environment *environment, MDB_txn *txn);
/* The keys that releases hold, appended to `*keys` (Owned), which has `*count`. */
int store_release_keys(const store_environment *environment, MDB_txn *txn, snapcell_key **keys,
                       size_t *count);
/* Whether any release holds the artifact, or the active one the name: E_HELD, with which one. */
int store_release_check_key(const store_environment *environment, MDB_txn *txn,
                            const snapcell_key *key, snapcell_error *err);
int store_release_check_name(const store_environment *environment, MDB_txn *txn, const char *name,
                             snapcell_error *err);

#endif
