/* What releases keep from being removed and collected. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_releases.h"

/* --- Which keys are held --- */

typedef struct key_list {
    snapcell_key *keys; /* Owned */
    size_t count;
} key_list;

static int list_keys(void *user, store_release *release)
{
    key_list *list = user;
    snapcell_key *keys =
        realloc(list->keys, (list->count + release->count + 1) * sizeof(*list->keys));
    if (keys == NULL) return ENOMEM;
    for (size_t i = 0; i < release->count; i++)
        keys[list->count++] = release->items[i].key;
    list->keys = keys;
    return 0;
}

int store_release_keys(const store_environment *environment, MDB_txn *txn, snapcell_key **keys,
                       size_t *count)
{
    int said = 0;
    key_list list = {.keys = *keys, .count = *count};
    const int status = store_release_walk(environment, txn, list_keys, &list, &said);
    *keys = list.keys;
    *count = list.count;
    return status != MDB_SUCCESS ? status : said;
}

/* --- Whether one is held --- */

typedef struct holder_search {
    const snapcell_key *key;
    char found[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
} holder_search;

static int find_holder(void *user, store_release *release)
{
    holder_search *search = user;
    for (size_t i = 0; i < release->count; i++) {
        if (memcmp(&release->items[i].key, search->key, sizeof(*search->key)) != 0) continue;
        strcpy(search->found, release->name);
        return 1;
    }
    return 0;
}

int store_release_check_key(const store_environment *environment, MDB_txn *txn,
                            const snapcell_key *key, snapcell_error *err)
{
    int said = 0;
    holder_search search = {.key = key};
    const int status = store_release_walk(environment, txn, find_holder, &search, &said);
    if (status != MDB_SUCCESS || said == 0) return status;
    char hex[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(key, hex);
    return error_set(err, SNAPCELL_E_HELD,
                     "the release '%s' holds %s; `snapcell release rm %s` gives it up",
                     search.found, hex, search.found);
}

int store_release_check_name(const store_environment *environment, MDB_txn *txn, const char *name,
                             snapcell_error *err)
{
    store_release_state state;
    store_release cleanup_store_release active = {0};
    int status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS || state.depth == 0) return status;
    status = store_release_get(environment, txn, state.stack[0], &active);
    if (status != MDB_SUCCESS) return status == MDB_NOTFOUND ? MDB_CORRUPTED : status;
    for (size_t i = 0; i < active.count; i++)
        if (strcmp(active.items[i].name, name) == 0)
            return error_set(err, SNAPCELL_E_HELD,
                             "the active release '%s' holds '%s'; activate one without it first",
                             active.name, name);
    return MDB_SUCCESS;
}

/* --- Which releases gc keeps --- */

typedef struct expiry {
    char name[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    int64_t created_s;
} expiry;

typedef struct expiry_list {
    const store_release_state *state;
    expiry *items; /* Owned */
    size_t count;
} expiry_list;

static int list_expiry(void *user, store_release *release)
{
    expiry_list *list = user;
    if (release->pinned) return 0;
    for (size_t i = 0; i < list->state->depth && i < 2; i++) /* the active one, and the way back */
        if (strcmp(list->state->stack[i], release->name) == 0) return 0;
    expiry *items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (items == NULL) return ENOMEM;
    list->items = items;
    strcpy(items[list->count].name, release->name);
    items[list->count++].created_s = release->created_s;
    return 0;
}

static int expiry_compare(const void *a, const void *b)
{
    const expiry *left = a, *right = b;
    if (left->created_s != right->created_s) return left->created_s > right->created_s ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* The way back does not lead through what has been removed. */
static void state_forget(store_release_state *state, const char *name)
{
    for (size_t i = 0; i < state->depth;) {
        if (strcmp(state->stack[i], name) != 0) {
            i++;
            continue;
        }
        state->depth--;
        memmove(state->stack[i], state->stack[i + 1], (state->depth - i) * sizeof(state->stack[0]));
    }
}

static int expire_listed(store_environment *environment, MDB_txn *txn, store_release_state *state,
                         const expiry_list *list)
{
    const int64_t now = (int64_t)time(NULL);
    const snapcell_release_policy *policy = &state->policy;
    for (size_t i = 0; i < list->count; i++) {
        const int64_t age = now - list->items[i].created_s;
        const bool is_young = age < 0 || (uint64_t)age < policy->keep_seconds;
        if (i < policy->keep_count || is_young) continue;
        const int status = store_release_delete(environment, txn, list->items[i].name);
        if (status != MDB_SUCCESS) return status;
        state_forget(state, list->items[i].name);
    }
    return store_release_state_put(environment, txn, state);
}

int store_release_expire(store_environment *environment, MDB_txn *txn)
{
    int said = 0;
    store_release_state state;
    int status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS) return status;
    if (state.policy.keep_count == 0 && state.policy.keep_seconds == 0) return MDB_SUCCESS;
    expiry_list list = {.state = &state};
    status = store_release_walk(environment, txn, list_expiry, &list, &said);
    if (status == MDB_SUCCESS) status = said;
    if (status == MDB_SUCCESS && list.count > 0) {
        qsort(list.items, list.count, sizeof(*list.items), expiry_compare);
        status = expire_listed(environment, txn, &state, &list);
    }
    free(list.items);
    return status;
}
