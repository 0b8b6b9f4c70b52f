/* Listing releases, what they hold, and what happened. */
#include <string.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_releases.h"

typedef struct release_listing {
    const store_release_state *state;
    snapcell_release_fn *each;
    void *user;
} release_listing;

static int list_release(void *user, store_release *release)
{
    const release_listing *listing = user;
    const store_release_state *state = listing->state;
    const snapcell_release_info info = {
        .name = release->name,
        .who = release->who,
        .created_s = release->created_s,
        .item_count = release->count,
        .active = state->depth > 0 && strcmp(state->stack[0], release->name) == 0,
        .previous = state->depth > 1 && strcmp(state->stack[1], release->name) == 0,
        .pinned = release->pinned,
    };
    return listing->each(listing->user, &info);
}

int snapcell_release_each(snapcell_store *store, snapcell_release_fn *each, void *user,
                          snapcell_error *err)
{
    int said = 0;
    MDB_txn *txn;
    store_release_state state;
    int status = store_listing_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_release_state_get(store->environment, txn, &state);
    release_listing listing = {.state = &state, .each = each, .user = user};
    if (status == MDB_SUCCESS)
        status = store_release_walk(store->environment, txn, list_release, &listing, &said);
    store_listing_end(store->environment, txn);
    if (status != MDB_SUCCESS)
        return store_error(store->environment, status, "listing releases", err);
    return said;
}

int snapcell_release_each_item(snapcell_store *store, const char *release,
                               snapcell_release_item_fn *each, void *user, snapcell_error *err)
{
    MDB_txn *txn;
    store_release cleanup_store_release found = {0};
    int status = release == NULL ? error_set(err, SNAPCELL_E_USAGE, "no release: NULL")
                                 : snapcell_name_check(release, err);
    if (status != SNAPCELL_OK) return status;
    status = store_read_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_release_get(store->environment, txn, release, &found);
    store_read_end(store->environment, txn);
    if (status == MDB_NOTFOUND)
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "no release '%s' in the store %s; `snapcell release ls` lists them",
                         release, store->environment->path);
    if (status != MDB_SUCCESS)
        return store_error(store->environment, status, "reading a release", err);
    int said = 0;
    for (size_t i = 0; said == 0 && i < found.count; i++) {
        const snapcell_release_item item = {.name = found.items[i].name,
                                            .key = found.items[i].key,
                                            .engine = found.items[i].engine};
        said = each(user, &item);
    }
    return said;
}

int snapcell_release_each_event(snapcell_store *store, snapcell_release_event_fn *each, void *user,
                                snapcell_error *err)
{
    int said = 0;
    MDB_txn *txn;
    int status = store_listing_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_release_walk_events(store->environment, txn, each, user, &said);
    store_listing_end(store->environment, txn);
    if (status != MDB_SUCCESS)
        return store_error(store->environment, status, "reading the history", err);
    return said;
}

int snapcell_release_policy_get(snapcell_store *store, snapcell_release_policy *out,
                                snapcell_error *err)
{
    MDB_txn *txn;
    store_release_state state;
    memset(out, 0, sizeof(*out));
    int status = store_read_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_release_state_get(store->environment, txn, &state);
    store_read_end(store->environment, txn);
    if (status != MDB_SUCCESS)
        return store_error(store->environment, status, "reading which releases are kept", err);
    *out = state.policy;
    return SNAPCELL_OK;
}
