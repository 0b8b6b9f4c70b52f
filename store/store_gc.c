/* Garbage collection: removes artifacts without a name, then gives pages back to the file system.
 *
 * LMDB never makes data.mdb smaller, so that a compact copy takes its place. That is safe because
 * every environment of snapcell's holds the use lock on the very data.mdb that it has open, shared:
 * the copy is made and renamed under the exclusive lock, which nobody else's use allows, with LMDB
 * closed in this process before the rename. A process that opens it meanwhile waits for the lock on
 * the old file, then finds that the directory names another one, and starts over
 * (store_file_open()). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_internal.h"
#include "store_pages.h"
#include "store_releases.h"

/* Less than this is not worth a copy: every transaction leaves some pages free. */
#define STORE_COMPACT_SIZE_BYTES_MIN ((uint64_t)128 << 10)

/* --- Removing
 * -------------------------------------------------------------------------------------------------
 */

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
    if (status == MDB_SUCCESS) status = store_gc_list_used(environment, txn, gc);
    if (status == MDB_SUCCESS) status = mdb_cursor_open(txn, environment->artifacts, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = store_gc_remove_unused(cursor, gc);
    mdb_cursor_close(cursor);
    return status;
}

/* --- Compacting
 * -------------------------------------------------------------------------------------------------
 */

/* The copy belongs to whom the original belongs, also when root makes it. */
static int store_copy_owner(int from, int to)
{
    struct stat facts;
    if (fstat(from, &facts) != 0) return errno;
    if (fchown(to, facts.st_uid, facts.st_gid) != 0) return errno;
    if (fchmod(to, facts.st_mode & 07777) != 0) return errno;
    return 0;
}

static int store_compact_copy(const store_environment *environment)
{
    unlinkat(environment->directory_file, STORE_COMPACT_FILE, 0);
    cleanup_close int file = openat(environment->directory_file, STORE_COMPACT_FILE,
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    int status = mdb_env_copyfd2(environment->env, file, MDB_CP_COMPACT);
    if (status == MDB_SUCCESS) status = store_copy_owner(environment->data_file, file);
    if (status == MDB_SUCCESS && fsync(file) != 0) status = errno;
    return status;
}

/* Whether the copy is sound: it is about to replace everything there is. */
static int store_compact_check(const store_environment *environment, snapcell_error *err)
{
    cleanup_close int file =
        openat(environment->directory_file, STORE_COMPACT_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return errno;
    int status = store_file_check(file, environment->path, err);
    if (status != SNAPCELL_OK) return status;
    return store_check_structure(file, environment->path, STORE_CHECK_ALL_PAGES, err);
}

/* Under the exclusive use lock and with the gate closed. A copy that cannot be given to the owner
 * of the original is not put in place, and that is not an error. */
static int store_compact_replace(store_environment *environment, snapcell_error *err)
{
    store_signal_guard guard;
    store_signal_guard_begin(&guard);
    int status = store_compact_copy(environment);
    store_signal_guard_end(&guard);
    if (status == MDB_SUCCESS) status = store_compact_check(environment, err);
    if (status != MDB_SUCCESS) {
        unlinkat(environment->directory_file, STORE_COMPACT_FILE, 0);
        if (status == EPERM) return SNAPCELL_OK;
        return store_error_any(environment, status,
                               "making a compact copy, after what had no name was removed", err);
    }
    store_environment_close_lmdb(environment);
    if (renameat(environment->directory_file, STORE_COMPACT_FILE, environment->directory_file,
                 STORE_DATA_FILE) != 0) {
        status = store_error(environment, errno, "putting the compact copy in place", err);
        unlinkat(environment->directory_file, STORE_COMPACT_FILE, 0);
    }
    store_file_close(environment);
    /* Also brings the new name to disk. */
    int connected = store_environment_connect(environment, environment->writable,
                                              STORE_MAP_SIZE_BYTES_MIN, err);
    return status != SNAPCELL_OK ? status : connected;
}

static int store_file_size(const store_environment *environment, uint64_t *out)
{
    struct stat facts;
    if (fstat(environment->data_file, &facts) != 0) return errno;
    *out = (uint64_t)facts.st_size;
    return 0;
}

static int store_compact_exclusive(store_environment *environment, uint64_t *out_freed_size_bytes,
                                   snapcell_error *err)
{
    uint64_t before = 0;
    uint64_t after = 0;
    ino_t inode = 0;
    struct stat facts;
    /* Moved, removed or replaced by hand: nothing of it may be renamed over. */
    if (store_file_inode(environment->directory_file, &inode) != 0 ||
        fstat(environment->data_file, &facts) != 0 || facts.st_ino != inode) {
        return SNAPCELL_OK;
    }
    if (store_file_size(environment, &before) != 0) return SNAPCELL_OK;
    int status = store_compact_replace(environment, err);
    if (status != SNAPCELL_OK) return status;
    if (store_file_size(environment, &after) == 0 && after < before) {
        *out_freed_size_bytes = before - after;
    }
    return SNAPCELL_OK;
}

/* Whether this directory can be written at all: a store can be, in one that cannot. */
static bool store_can_rename(const store_environment *environment)
{
    return faccessat(environment->directory_file, ".", W_OK, AT_EACCESS) == 0;
}

/* Does nothing, and that is not an error, when views or other processes use the store. */
static int store_compact(store_environment *environment, uint64_t *out_freed_size_bytes,
                         snapcell_error *err)
{
    int status = store_gate_close(environment, 0, NULL);
    if (status != SNAPCELL_OK) return status == SNAPCELL_E_BUSY ? SNAPCELL_OK : status;
    if (environment->env != NULL && environment->byte_lock && store_can_rename(environment) &&
        store_lock_set(environment->data_file, STORE_LOCK_USE, F_WRLCK, 0) == 0) {
        status = store_compact_exclusive(environment, out_freed_size_bytes, err);
        /* Back to shared; after a replacement this is another file, which is shared already. */
        if (environment->data_file >= 0) {
            store_lock_set(environment->data_file, STORE_LOCK_USE, F_RDLCK, 0);
        }
    }
    store_gate_open(environment);
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
        status = store_compact(store->environment, &result.freed_size_bytes, err);
    }
    if (out != NULL) *out = result;
    return status;
}
