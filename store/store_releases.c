/* Releases: made, activated, rolled back, removed, listed. Each change is one transaction. */
#include "store_releases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "artifact_reader.h"
#include "cleanup.h"
#include "error_set.h"

/* What a change is about. */
typedef struct release_work {
    const char *release;
    const char *who;
    const snapcell_release_item *items;
    size_t count;
    bool pinned;
    char out[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    const snapcell_release_policy *policy;
} release_work;

static int release_missing(const store_environment *environment, const char *release,
                           snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_NOT_FOUND,
                     "no release '%s' in the store %s; `snapcell release ls` lists them", release,
                     environment->path);
}

static int release_load(const store_environment *environment, MDB_txn *txn, const char *name,
                        store_release *out, snapcell_error *err)
{
    const int status = store_release_get(environment, txn, name, out);
    return status == MDB_NOTFOUND ? release_missing(environment, name, err) : status;
}

static int release_note(store_environment *environment, MDB_txn *txn, store_release_state *state,
                        snapcell_release_event event, const release_work *work)
{
    event.time_s = (int64_t)time(NULL);
    event.who = work->who;
    const int status = store_release_event_put(environment, txn, state, &event);
    return status == MDB_SUCCESS ? store_release_state_put(environment, txn, state) : status;
}

/* --- Making one --- */

static int item_compare(const void *a, const void *b)
{
    const store_release_item *left = a, *right = b;
    const int order = strcmp(left->name, right->name);
    return order != 0 ? order : memcmp(&left->engine, &right->engine, sizeof(left->engine));
}

static int release_take_item(const store_environment *environment, MDB_txn *txn,
                             const snapcell_release_item *from, store_release_item *out,
                             snapcell_error *err)
{
    MDB_val value;
    artifact_view view;
    MDB_val key = store_key_value(&from->key);
    const int status = mdb_get(txn, environment->artifacts, &key, &value);
    if (status == MDB_NOTFOUND) {
        char hex[SNAPCELL_KEY_HEX_SIZE];
        snapcell_key_format(&from->key, hex);
        return error_set(err, SNAPCELL_E_NOT_FOUND, "no artifact %s for '%s' in the store %s", hex,
                         from->name, environment->path);
    }
    if (status != MDB_SUCCESS) return status;
    const int read =
        artifact_read(value.mv_data, value.mv_size, ARTIFACT_CHECK_CHECKSUM, &view, err);
    if (read != SNAPCELL_OK) return read;
    strcpy(out->name, from->name);
    out->key = from->key;
    out->engine = view.info.engine;
    return SNAPCELL_OK;
}

static int release_take_items(const store_environment *environment, MDB_txn *txn,
                              const release_work *work, store_release *out, snapcell_error *err)
{
    out->items = calloc(work->count, sizeof(*out->items));
    if (out->items == NULL) return ENOMEM;
    out->count = work->count;
    int status = SNAPCELL_OK;
    for (size_t i = 0; status == SNAPCELL_OK && i < work->count; i++)
        status = release_take_item(environment, txn, &work->items[i], &out->items[i], err);
    if (status != SNAPCELL_OK) return status;
    qsort(out->items, out->count, sizeof(*out->items), item_compare);
    for (size_t i = 1; i < out->count; i++)
        if (item_compare(&out->items[i - 1], &out->items[i]) == 0)
            return error_set(err, SNAPCELL_E_USAGE,
                             "'%s' would stand for two artifacts of one engine in the release",
                             out->items[i].name);
    return SNAPCELL_OK;
}

static bool release_is_same(const store_release *a, const store_release *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (item_compare(&a->items[i], &b->items[i]) != 0 ||
            memcmp(&a->items[i].key, &b->items[i].key, sizeof(a->items[i].key)) != 0)
            return false;
    return a->count == b->count;
}

static int release_create_write(store_environment *environment, MDB_txn *txn, void *argument,
                                snapcell_error *err)
{
    const release_work *work = argument;
    store_release_state state;
    store_release cleanup_store_release made = {.created_s = (int64_t)time(NULL)};
    store_release cleanup_store_release there = {0};
    strcpy(made.name, work->release);
    strcpy(made.who, work->who);
    int status = release_take_items(environment, txn, work, &made, err);
    if (status != SNAPCELL_OK) return status;
    status = store_release_get(environment, txn, work->release, &there);
    if (status == MDB_SUCCESS)
        return release_is_same(&made, &there)
                   ? SNAPCELL_OK
                   : error_set(err, SNAPCELL_E_EXISTS,
                               "the release '%s' exists and holds something else; a release never "
                               "changes: choose another name",
                               work->release);
    if (status == MDB_NOTFOUND) status = store_release_put(environment, txn, &made);
    if (status == MDB_SUCCESS) status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS) return status;
    const snapcell_release_event event = {
        .action = SNAPCELL_RELEASE_CREATED, .release = work->release, .from = ""};
    return release_note(environment, txn, &state, event, work);
}

/* --- Activating one --- */

typedef struct change_list {
    snapcell_release_change *items; /* Owned */
    size_t count;
} change_list;

static void change_list_release(change_list *list)
{
    free(list->items);
}
#define cleanup_change_list cleanup(change_list_release)

static int switch_in(store_environment *environment, MDB_txn *txn, const store_release_item *item,
                     change_list *changes)
{
    snapcell_release_change *change = &changes->items[changes->count];
    MDB_val value;
    MDB_val key = store_key_value(&item->key);
    int status = mdb_get(txn, environment->artifacts, &key, &value);
    if (status != MDB_SUCCESS) return status == MDB_NOTFOUND ? MDB_CORRUPTED : status;
    *change =
        (snapcell_release_change){.name = item->name, .engine = item->engine, .to = item->key};
    status = store_name_get(environment, txn, item->name, &item->engine, &change->from);
    if (status == MDB_SUCCESS && memcmp(&change->from, &item->key, sizeof(item->key)) == 0)
        return MDB_SUCCESS;
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return status;
    changes->count++;
    return store_name_put(environment, txn, item->name, &item->engine, &item->key);
}

/* A name that only the old release held, and that still is what it was made then. */
static int switch_out(store_environment *environment, MDB_txn *txn, const store_release *release,
                      const store_release_item *item, change_list *changes)
{
    snapcell_release_change *change = &changes->items[changes->count];
    if (bsearch(item, release->items, release->count, sizeof(*item), item_compare) != NULL)
        return MDB_SUCCESS;
    *change = (snapcell_release_change){.name = item->name, .engine = item->engine};
    const int status = store_name_get(environment, txn, item->name, &item->engine, &change->from);
    if (status == MDB_NOTFOUND) return MDB_SUCCESS;
    if (status != MDB_SUCCESS || memcmp(&change->from, &item->key, sizeof(item->key)) != 0)
        return status;
    changes->count++;
    return store_name_delete(environment, txn, item->name, &item->engine);
}

static int switch_all(store_environment *environment, MDB_txn *txn, const store_release *release,
                      const store_release *before, change_list *changes)
{
    int status = MDB_SUCCESS;
    changes->items = calloc(release->count + before->count + 1, sizeof(*changes->items));
    if (changes->items == NULL) return ENOMEM;
    for (size_t i = 0; status == MDB_SUCCESS && i < release->count; i++)
        status = switch_in(environment, txn, &release->items[i], changes);
    for (size_t i = 0; status == MDB_SUCCESS && i < before->count; i++)
        status = switch_out(environment, txn, release, &before->items[i], changes);
    return status;
}

static void stack_remove(store_release_state *state, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->depth; i++) {
        if (strcmp(state->stack[i], name) == 0) continue;
        if (kept != i) memcpy(state->stack[kept], state->stack[i], sizeof(state->stack[i]));
        kept++;
    }
    state->depth = kept;
}

static void stack_push(store_release_state *state, const char *name)
{
    stack_remove(state, name);
    if (state->depth == STORE_RELEASE_STACK_MAX) state->depth--;
    memmove(state->stack[1], state->stack[0], state->depth * sizeof(state->stack[0]));
    memset(state->stack[0], 0, sizeof(state->stack[0]));
    strcpy(state->stack[0], name);
    state->depth++;
}

static int release_switch(store_environment *environment, MDB_txn *txn, store_release_state *state,
                          const release_work *work, snapcell_release_action action,
                          snapcell_error *err)
{
    store_release cleanup_store_release release = {0};
    store_release cleanup_store_release before = {0};
    change_list cleanup_change_list changes = {0};
    char from[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    strcpy(from, state->depth > 0 ? state->stack[0] : "");
    int status = release_load(environment, txn, work->release, &release, err);
    if (status == MDB_SUCCESS && from[0] != '\0')
        status = release_load(environment, txn, from, &before, err);
    if (status == MDB_SUCCESS) status = switch_all(environment, txn, &release, &before, &changes);
    if (status != MDB_SUCCESS) return status;
    if (action == SNAPCELL_RELEASE_ROLLED_BACK) stack_remove(state, from);
    stack_push(state, work->release);
    const snapcell_release_event event = {.action = action,
                                          .release = work->release,
                                          .from = from,
                                          .changes = changes.items,
                                          .change_count = changes.count};
    return release_note(environment, txn, state, event, work);
}

static int release_activate_write(store_environment *environment, MDB_txn *txn, void *argument,
                                  snapcell_error *err)
{
    const release_work *work = argument;
    store_release_state state;
    const int status = store_release_state_get(environment, txn, &state);
    return status == MDB_SUCCESS
               ? release_switch(environment, txn, &state, work, SNAPCELL_RELEASE_ACTIVATED, err)
               : status;
}

static int release_rollback_write(store_environment *environment, MDB_txn *txn, void *argument,
                                  snapcell_error *err)
{
    release_work *work = argument;
    store_release_state state;
    const int status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS) return status;
    if (state.depth < 2)
        return error_set(
            err, SNAPCELL_E_NOT_FOUND, "there is no release to roll back to in the store %s: %s",
            environment->path, state.depth == 0 ? "none is active" : "none was active before");
    strcpy(work->out, state.stack[1]);
    work->release = work->out;
    return release_switch(environment, txn, &state, work, SNAPCELL_RELEASE_ROLLED_BACK, err);
}

/* --- Removing and pinning --- */

static int release_remove_write(store_environment *environment, MDB_txn *txn, void *argument,
                                snapcell_error *err)
{
    const release_work *work = argument;
    store_release_state state;
    store_release cleanup_store_release release = {0};
    int status = release_load(environment, txn, work->release, &release, err);
    if (status == MDB_SUCCESS) status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS) return status;
    if (state.depth > 0 && strcmp(state.stack[0], work->release) == 0)
        return error_set(err, SNAPCELL_E_HELD,
                         "the release '%s' is active; activate another one first", work->release);
    if (release.pinned)
        return error_set(err, SNAPCELL_E_HELD,
                         "the release '%s' is pinned; `snapcell release unpin %s` first",
                         work->release, work->release);
    status = store_release_delete(environment, txn, work->release);
    if (status != MDB_SUCCESS) return status;
    stack_remove(&state, work->release);
    const snapcell_release_event event = {
        .action = SNAPCELL_RELEASE_REMOVED, .release = work->release, .from = ""};
    return release_note(environment, txn, &state, event, work);
}

static int release_pin_write(store_environment *environment, MDB_txn *txn, void *argument,
                             snapcell_error *err)
{
    const release_work *work = argument;
    store_release cleanup_store_release release = {0};
    const int status = release_load(environment, txn, work->release, &release, err);
    if (status != MDB_SUCCESS || release.pinned == work->pinned) return status;
    release.pinned = work->pinned;
    return store_release_put(environment, txn, &release);
}

static int release_policy_write(store_environment *environment, MDB_txn *txn, void *argument,
                                snapcell_error *err)
{
    const release_work *work = argument;
    store_release_state state;
    (void)err;
    const int status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS) return status;
    state.policy = *work->policy;
    return store_release_state_put(environment, txn, &state);
}

/* --- What programs call --- */

static int work_check(release_work *work, snapcell_error *err)
{
    if (work->release == NULL) return error_set(err, SNAPCELL_E_USAGE, "no release: NULL");
    if (work->who == NULL) work->who = "";
    if (strlen(work->who) > SNAPCELL_RELEASE_WHO_SIZE_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "who makes a release has at most %d bytes",
                         SNAPCELL_RELEASE_WHO_SIZE_MAX);
    return snapcell_name_check(work->release, err);
}

int snapcell_release_create(snapcell_store *store, const char *release, const char *who,
                            const snapcell_release_item *items, size_t count, snapcell_error *err)
{
    release_work work = {.release = release, .who = who, .items = items, .count = count};
    int status = work_check(&work, err);
    if (status == SNAPCELL_OK && count == 0)
        status = error_set(err, SNAPCELL_E_USAGE, "a release of nothing");
    if (status == SNAPCELL_OK && count > SNAPCELL_RELEASE_ITEM_COUNT_MAX)
        status = error_set(err, SNAPCELL_E_TOO_LARGE, "a release has at most %d names",
                           SNAPCELL_RELEASE_ITEM_COUNT_MAX);
    for (size_t i = 0; status == SNAPCELL_OK && i < count; i++)
        status = snapcell_name_check(items[i].name, err);
    return status == SNAPCELL_OK
               ? store_write(store, release_create_write, &work, "making a release", err)
               : status;
}

int snapcell_release_activate(snapcell_store *store, const char *release, const char *who,
                              snapcell_error *err)
{
    release_work work = {.release = release, .who = who};
    const int status = work_check(&work, err);
    return status == SNAPCELL_OK
               ? store_write(store, release_activate_write, &work, "activating a release", err)
               : status;
}

int snapcell_release_rollback(snapcell_store *store, const char *who,
                              char out[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1], snapcell_error *err)
{
    release_work work = {.release = "any", .who = who};
    int status = work_check(&work, err);
    if (status == SNAPCELL_OK)
        status = store_write(store, release_rollback_write, &work, "rolling back", err);
    if (status == SNAPCELL_OK && out != NULL) strcpy(out, work.out);
    return status;
}

int snapcell_release_remove(snapcell_store *store, const char *release, const char *who,
                            snapcell_error *err)
{
    release_work work = {.release = release, .who = who};
    const int status = work_check(&work, err);
    return status == SNAPCELL_OK
               ? store_write(store, release_remove_write, &work, "removing a release", err)
               : status;
}

int snapcell_release_pin(snapcell_store *store, const char *release, bool pinned,
                         snapcell_error *err)
{
    release_work work = {.release = release, .pinned = pinned};
    const int status = work_check(&work, err);
    return status == SNAPCELL_OK
               ? store_write(store, release_pin_write, &work, "pinning a release", err)
               : status;
}

int snapcell_release_policy_set(snapcell_store *store, const snapcell_release_policy *policy,
                                snapcell_error *err)
{
    release_work work = {.policy = policy};
    return store_write(store, release_policy_write, &work, "saying which releases are kept", err);
}
