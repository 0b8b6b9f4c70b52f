/* Releases, and histories of names, into the store that salvage makes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_releases.h"
#include "store_salvage.h"

void salvage_releases_release(salvage_releases *releases)
{
    free(releases->lost);
    free(releases->kept);
    memset(releases, 0, sizeof(*releases));
}

static int put_raw(const store_environment *environment, MDB_txn *txn, const salvage_finds *finds)
{
    int status = MDB_SUCCESS;
    for (size_t i = 0; status == MDB_SUCCESS && i < finds->record_count; i++) {
        const salvage_record *record = &finds->records[i];
        MDB_val key = {.mv_size = record->key_size_bytes,
                       .mv_data = (void *)(uintptr_t)record->key};
        MDB_val value = {.mv_size = record->value_size_bytes, .mv_data = record->value};
        status = mdb_put(txn, environment->meta, &key, &value, MDB_NOOVERWRITE);
        if (status == MDB_KEYEXIST) status = MDB_SUCCESS; /* that one is believed more */
    }
    return status;
}

typedef struct release_sorting {
    const store_environment *environment;
    MDB_txn *txn;
    salvage_releases *releases;
} release_sorting;

static int sort_release(void *user, store_release *release)
{
    release_sorting *sorting = user;
    salvage_releases *out = sorting->releases;
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < release->count; i++) {
        MDB_val key = store_key_value(&release->items[i].key);
        MDB_val value;
        is_whole = mdb_get(sorting->txn, sorting->environment->artifacts, &key, &value) == 0;
    }
    char(**list)[SNAPCELL_NAME_SIZE_MAX + 1] = is_whole ? &out->kept : &out->lost;
    size_t *count = is_whole ? &out->kept_count : &out->lost_count;
    void *grown = reallocarray(*list, *count + 1, sizeof(**list));
    if (grown == NULL) return ENOMEM;
    *list = grown;
    memcpy((*list)[*count], release->name, sizeof(release->name));
    ++*count;
    return 0;
}

static bool is_kept(const salvage_releases *releases, const char *name)
{
    for (size_t i = 0; i < releases->kept_count; i++) {
        if (strcmp(releases->kept[i], name) == 0) return true;
    }
    return false;
}

/* The active release, and those that rollback leads to, as far as they are left. */
static int put_state(store_environment *environment, MDB_txn *txn, const salvage_releases *releases)
{
    store_release_state state;
    size_t depth = 0;
    int status = store_release_state_get(environment, txn, &state);
    if (status != MDB_SUCCESS || state.depth == 0) return status;
    for (size_t i = 0; i < state.depth; i++) {
        if (!is_kept(releases, state.stack[i])) continue;
        if (i != depth) memcpy(state.stack[depth], state.stack[i], sizeof(state.stack[i]));
        depth++;
    }
    if (depth == state.depth) return MDB_SUCCESS;
    state.depth = depth;
    return store_release_state_put(environment, txn, &state);
}

typedef struct put_records_argument {
    const salvage_finds *finds;
    salvage_releases *out;
} put_records_argument;

static int put_records(store_environment *environment, MDB_txn *txn, void *argument,
                       snapcell_error *err)
{
    int said = 0;
    const put_records_argument *put = argument;
    release_sorting sorting = {.environment = environment, .txn = txn, .releases = put->out};
    (void)err;
    salvage_releases_release(put->out);
    int status = put_raw(environment, txn, put->finds);
    if (status == MDB_SUCCESS)
        status = store_release_walk(environment, txn, sort_release, &sorting, &said);
    if (status == MDB_SUCCESS) status = said;
    for (size_t i = 0; status == MDB_SUCCESS && i < put->out->lost_count; i++)
        status = store_release_delete(environment, txn, put->out->lost[i]);
    return status == MDB_SUCCESS ? put_state(environment, txn, put->out) : status;
}

int salvage_put_records(snapcell_store *to, const salvage_finds *finds, salvage_releases *out,
                        snapcell_error *err)
{
    put_records_argument put = {.finds = finds, .out = out};
    memset(out, 0, sizeof(*out));
    if (finds->record_count == 0) return SNAPCELL_OK;
    return store_write(to, put_records, &put, "putting releases", err);
}
