/* Garbage collection: removes artifacts without a name, then gives pages back to the file system,
 * for which LMDB, that never makes data.mdb smaller, needs a compact copy (store_compact.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_history.h"
#include "store_releases.h"

/* Less than this is not worth a copy: every transaction leaves some pages free. */
#define STORE_COMPACT_SIZE_BYTES_MIN ((uint64_t)128 << 10)

typedef struct store_gc_argument {
    snapcell_key *used; /* Owned, sorted */
    size_t used_count;
    uint64_t removed_count;
    uint64_t removed_size_bytes;
} store_gc_argument;

static int store_key_compare(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(snapcell_key));
}

static int store_gc_list_used(const store_environment *environment, MDB_txn *txn,
                              store_gc_argument *gc)
{
    MDB_stat stat;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    store_name_entry entry;
    int status = mdb_stat(txn, environment->names, &stat);
    if (status != MDB_SUCCESS) return status;
    free(gc->used);
    gc->used_count = 0;
    gc->used = calloc(stat.ms_entries + 1, sizeof(*gc->used));
    if (gc->used == NULL) return ENOMEM;
    status = mdb_cursor_open(txn, environment->names, &cursor);
    if (status != MDB_SUCCESS) return status;
    while (gc->used_count < stat.ms_entries &&
           (status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        status = store_name_parse(&key, &value, &entry);
        if (status != MDB_SUCCESS) break;
        gc->used[gc->used_count++] = *entry.key;
    }
    mdb_cursor_close(cursor);
    /* Fewer names than the tree says: better keep everything than remove what is in use. */
    if (status == MDB_NOTFOUND) return MDB_CORRUPTED;
    if (status == MDB_SUCCESS)
        status = store_release_keys(environment, txn, &gc->used, &gc->used_count);
    qsort(gc->used, gc->used_count, sizeof(*gc->used), store_key_compare);
    return status;
}

static int store_gc_remove_unused(MDB_cursor *cursor, store_gc_argument *gc)
{
    MDB_val key;
    MDB_val value;
    int status;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        if (key.mv_size != sizeof(snapcell_key)) return MDB_CORRUPTED;
        if (bsearch(key.mv_data, gc->used, gc->used_count, sizeof(*gc->used), store_key_compare)) {
            continue;
        }
        gc->removed_count++;
        gc->removed_size_bytes += value.mv_size;
        status = store_artifact_check_pages(mdb_cursor_txn(cursor), mdb_cursor_dbi(cursor), &value);
        if (status == MDB_SUCCESS) status = mdb_cursor_del(cursor, 0);
        if (status != MDB_SUCCESS) return status;
    }
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

static int store_gc_write(store_environment *environment, MDB_txn *txn, void *argument,
                          snapcell_error *err)
{
    store_gc_argument *gc = argument;
    MDB_cursor *cursor;
    (void)err;
    gc->removed_count = 0;
    gc->removed_size_bytes = 0;
    int status = store_release_expire(environment, txn);
    if (status == MDB_SUCCESS) status = store_history_expire(environment, txn);
    if (status == MDB_SUCCESS) status = store_gc_list_used(environment, txn, gc);
    if (status == MDB_SUCCESS) status = mdb_cursor_open(txn, environment->artifacts, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = store_gc_remove_unused(cursor, gc);
    mdb_cursor_close(cursor);
    return status;
}

int snapcell_store_gc(snapcell_store *store, snapcell_store_gc_result *out, snapcell_error *err)
{
    store_gc_argument gc = {0};
    snapcell_store_stat stat;
    snapcell_store_gc_result result = {0};
    int status = store_write(store, store_gc_write, &gc, "removing artifacts without a name", err);
    free(gc.used);
    if (status == SNAPCELL_OK) {
        result.removed_count = gc.removed_count;
        result.removed_size_bytes = gc.removed_size_bytes;
        status = snapcell_store_stat_get(store, &stat, err);
    }
    if (status == SNAPCELL_OK && stat.free_size_bytes >= STORE_COMPACT_SIZE_BYTES_MIN) {
        status = store_compact(store, &result.freed_size_bytes, err);
    }
    if (out != NULL) *out = result;
    return status;
}
