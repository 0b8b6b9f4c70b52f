/* Opening and closing a store, and figures about it. */
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

static int store_directory_error(const char *path, int errnum, snapcell_error *err)
{
    switch (errnum) {
    case ENOENT:
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "no store in %s: there is no such directory; `snapcell compile` makes one",
                         path);
    case ENOTDIR:
        return error_set(err, SNAPCELL_E_NOT_A_STORE,
                         "%s is not a store: expected a directory with " STORE_DATA_FILE, path);
    default:
        return error_set_errno(err, SNAPCELL_E_IO, errnum, "cannot open the store %s", path);
    }
}

static int store_create_error_errno(const char *path, int errnum, snapcell_error *err)
{
    const bool refused = errnum == EACCES || errnum == EPERM || errnum == EROFS;
    if (errnum == ENOENT) {
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "cannot make the store %s: the directory above it does not exist", path);
    }
    return error_set_errno(err, refused ? SNAPCELL_E_READ_ONLY : SNAPCELL_E_IO, errnum,
                           "cannot make the store %s", path);
}

static int store_open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int store_open_existing(const char *path, bool writable, store_environment **out,
                               snapcell_error *err)
{
    int directory_file = store_open_directory(path);
    if (directory_file < 0) return store_directory_error(path, errno, err);
    return store_registry_acquire(path, directory_file, writable, out, err);
}

static int store_open_or_create(const char *path, store_environment **out, snapcell_error *err)
{
    bool made = mkdir(path, STORE_DIRECTORY_MODE) == 0;
    const int errnum = errno;
    int directory_file = store_open_directory(path);
    if (directory_file < 0) {
        if (errno != ENOENT) return store_directory_error(path, errno, err);
        return store_create_error_errno(path, errnum, err);
    }
    store_signal_guard guard;
    store_signal_guard_begin(&guard);
    int rc = store_create(path, directory_file, err);
    store_signal_guard_end(&guard);
    if (rc != SNAPCELL_OK) {
        close(directory_file);
        if (made) rmdir(path); /* only when nothing is in it */
        return rc;
    }
    return store_registry_acquire(path, directory_file, true, out, err);
}

static int store_open_check(const char *path, snapcell_store_mode mode, snapcell_error *err)
{
    if (path == NULL || path[0] == '\0') {
        return error_set(err, SNAPCELL_E_USAGE, "a store needs a path: it is missing or empty");
    }
    if (mode != SNAPCELL_STORE_READ && mode != SNAPCELL_STORE_WRITE &&
        mode != SNAPCELL_STORE_CREATE) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "a store is opened to read (0), write (1) or create (2): got mode %d",
                         (int)mode);
    }
    return SNAPCELL_OK;
}

int snapcell_store_open(const char *path, snapcell_store_mode mode, snapcell_store **out,
                        snapcell_error *err)
{
    if (out == NULL) return error_set(err, SNAPCELL_E_USAGE, "a store needs a place to go: NULL");
    *out = NULL;
    int rc = store_open_check(path, mode, err);
    if (rc != SNAPCELL_OK) return rc;
    cleanup_free snapcell_store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while opening the store %s", path);
    }
    store->writable = mode != SNAPCELL_STORE_READ;
    if (mode == SNAPCELL_STORE_CREATE) {
        rc = store_open_or_create(path, &store->environment, err);
    } else {
        rc = store_open_existing(path, store->writable, &store->environment, err);
    }
    if (rc == SNAPCELL_OK) *out = steal_pointer(&store);
    return rc;
}

void snapcell_store_close(snapcell_store *store)
{
    if (store == NULL) return;
    store_registry_release(store->environment);
    free(store);
}

/* --- Figures
 * -------------------------------------------------------------------------------------------------
 */

static int store_stat_tree(MDB_txn *txn, MDB_dbi dbi, uint64_t *out_entries)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, dbi, &stat);
    if (rc == MDB_SUCCESS) *out_entries = stat.ms_entries;
    return rc;
}

static int store_stat_artifacts(const store_environment *environment, MDB_txn *txn,
                                uint64_t *out_size_bytes)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn, environment->artifacts, &cursor);
    if (rc != MDB_SUCCESS) return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        *out_size_bytes += value.mv_size;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/* LMDB keeps the free pages in its tree 0: a transaction each, the list's length first. */
static int store_stat_free(MDB_txn *txn, uint64_t *out_size_bytes)
{
    MDB_stat stat;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int rc = mdb_stat(txn, 0, &stat);
    if (rc == MDB_SUCCESS) rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc != MDB_SUCCESS) return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        size_t pages;
        if (value.mv_size < sizeof(pages)) {
            rc = MDB_CORRUPTED;
            break;
        }
        memcpy(&pages, value.mv_data, sizeof(pages));
        *out_size_bytes += (uint64_t)pages * stat.ms_psize;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/* LMDB tells its reader slots as text: a heading, then a line each, ending in "-" when idle. */
static int store_stat_reader(const char *line, void *count)
{
    const size_t size = strlen(line);
    if (strstr(line, "pid") != NULL || strstr(line, "no active") != NULL) return 0;
    if (size >= 2 && line[size - 2] != '-') ++*(uint32_t *)count;
    return 0;
}

static int store_stat_fill(const store_environment *environment, MDB_txn *txn,
                           snapcell_store_stat *out)
{
    MDB_envinfo info;
    struct stat file;
    if (fstat(environment->data_file, &file) != 0) return errno;
    int rc = mdb_env_info(environment->env, &info);
    if (rc != MDB_SUCCESS) return rc;
    out->file_size_bytes = (uint64_t)file.st_size;
    out->map_size_bytes = info.me_mapsize;
    out->reader_max = environment->unlocked ? 0 : info.me_maxreaders;
    rc = store_stat_tree(txn, environment->artifacts, &out->artifact_count);
    if (rc == MDB_SUCCESS) rc = store_stat_tree(txn, environment->names, &out->name_count);
    if (rc == MDB_SUCCESS) rc = store_stat_artifacts(environment, txn, &out->artifact_size_bytes);
    if (rc == MDB_SUCCESS) rc = store_stat_free(txn, &out->free_size_bytes);
    if (environment->unlocked || rc != MDB_SUCCESS) return rc;
    mdb_reader_list(environment->env, store_stat_reader, &out->reader_count);
    if (out->reader_count > 0) out->reader_count--; /* this one */
    return rc;
}

int snapcell_store_stat_get(snapcell_store *store, snapcell_store_stat *out, snapcell_error *err)
{
    MDB_txn *txn;
    store_environment *environment = store->environment;
    memset(out, 0, sizeof(*out));
    int rc = store_read_begin(environment, &txn, err);
    if (rc != SNAPCELL_OK) return rc;
    rc = store_stat_fill(environment, txn, out);
    if (rc != MDB_SUCCESS) {
        memset(out, 0, sizeof(*out));
        rc = store_error(environment, rc, "reading figures", err);
    }
    store_read_end(environment, txn);
    return rc;
}

int snapcell_store_check(snapcell_store *store, snapcell_error *err)
{
    MDB_txn *txn;
    store_environment *environment = store->environment;
    int rc = store_read_begin(environment, &txn, err);
    if (rc != SNAPCELL_OK) return rc;
    rc = store_file_check(environment->data_file, environment->path, err);
    if (rc == SNAPCELL_OK) {
        rc = store_check_structure(environment->data_file, environment->path, STORE_CHECK_ALL_PAGES,
                                   err);
    }
    if (rc == SNAPCELL_OK) {
        rc = store_names_check(environment, txn);
        if (rc != MDB_SUCCESS) rc = store_error(environment, rc, "checking names", err);
    }
    store_read_end(environment, txn);
    return rc;
}
