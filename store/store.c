/* Opening and closing a store, and figures about it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_history.h"
#include "store_pages.h"
#include "store_releases.h"

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
    int status = store_create(path, directory_file, err);
    store_signal_guard_end(&guard);
    if (status != SNAPCELL_OK) {
        close(directory_file);
        if (made) rmdir(path); /* only when nothing is in it */
        return status;
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

const char *snapcell_store_default_path(void)
{
    const char *path = getenv("SNAPCELL_STORE");
    return path != NULL && path[0] != '\0' ? path : SNAPCELL_STORE_PATH_DEFAULT;
}

int snapcell_store_open(const char *path, snapcell_store_mode mode, snapcell_store **out,
                        snapcell_error *err)
{
    if (out == NULL) return error_set(err, SNAPCELL_E_USAGE, "a store needs a place to go: NULL");
    *out = NULL;
    int status = store_open_check(path, mode, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free snapcell_store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while opening the store %s", path);
    }
    store->writable = mode != SNAPCELL_STORE_READ;
    if (mode == SNAPCELL_STORE_CREATE) {
        status = store_open_or_create(path, &store->environment, err);
    } else {
        status = store_open_existing(path, store->writable, &store->environment, err);
    }
    if (status == SNAPCELL_OK) *out = steal_pointer(&store);
    return status;
}

void snapcell_store_close(snapcell_store *store)
{
    if (store == NULL) return;
    store_registry_release(store->environment);
    free(store);
}

void snapcell_store_set_sync(snapcell_store *store, bool sync)
{
    store->no_sync = !sync;
}

/* --- Figures
 * -------------------------------------------------------------------------------------------------
 */

static int store_stat_tree(MDB_txn *txn, MDB_dbi dbi, uint64_t *out_entries)
{
    MDB_stat stat;
    int status = mdb_stat(txn, dbi, &stat);
    if (status == MDB_SUCCESS) *out_entries = stat.ms_entries;
    return status;
}

static int store_stat_artifacts(const store_environment *environment, MDB_txn *txn,
                                uint64_t *out_size_bytes)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int status = mdb_cursor_open(txn, environment->artifacts, &cursor);
    if (status != MDB_SUCCESS) return status;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        *out_size_bytes += value.mv_size;
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

/* LMDB keeps the free pages in its tree 0: a transaction each, the list's length first. */
static int store_stat_free(MDB_txn *txn, uint64_t *out_size_bytes)
{
    MDB_stat stat;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int status = mdb_stat(txn, 0, &stat);
    if (status == MDB_SUCCESS) status = mdb_cursor_open(txn, 0, &cursor);
    if (status != MDB_SUCCESS) return status;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        size_t pages;
        if (value.mv_size < sizeof(pages)) {
            status = MDB_CORRUPTED;
            break;
        }
        memcpy(&pages, value.mv_data, sizeof(pages));
        *out_size_bytes += (uint64_t)pages * stat.ms_psize;
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
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
    int status = mdb_env_info(environment->env, &info);
    if (status != MDB_SUCCESS) return status;
    out->file_size_bytes = (uint64_t)file.st_size;
    out->map_size_bytes = info.me_mapsize;
    out->reader_max = environment->unlocked ? 0 : info.me_maxreaders;
    status = store_stat_tree(txn, environment->artifacts, &out->artifact_count);
    if (status == MDB_SUCCESS) status = store_stat_tree(txn, environment->names, &out->name_count);
    if (status == MDB_SUCCESS)
        status = store_stat_artifacts(environment, txn, &out->artifact_size_bytes);
    if (status == MDB_SUCCESS) status = store_stat_free(txn, &out->free_size_bytes);
    if (environment->unlocked || status != MDB_SUCCESS) return status;
    mdb_reader_list(environment->env, store_stat_reader, &out->reader_count);
    if (out->reader_count > 0) out->reader_count--; /* this one */
    return status;
}

int snapcell_store_stat_get(snapcell_store *store, snapcell_store_stat *out, snapcell_error *err)
{
    MDB_txn *txn;
    store_environment *environment = store->environment;
    memset(out, 0, sizeof(*out));
    int status = store_read_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_stat_fill(environment, txn, out);
    if (status != MDB_SUCCESS) {
        memset(out, 0, sizeof(*out));
        status = store_error(environment, status, "reading figures", err);
    }
    store_read_end(environment, txn);
    return status;
}

int snapcell_store_check(snapcell_store *store, snapcell_error *err)
{
    MDB_txn *txn;
    store_environment *environment = store->environment;
    int status = store_listing_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_file_check(environment->data_file, environment->path, err);
    if (status == SNAPCELL_OK) {
        status = store_check_structure(environment->data_file, environment->path,
                                       STORE_CHECK_ALL_PAGES, err);
    }
    if (status == SNAPCELL_OK) {
        status = store_names_check(environment, txn);
        if (status == MDB_SUCCESS) status = store_releases_check(environment, txn);
        if (status == MDB_SUCCESS) status = store_history_check(environment, txn);
        if (status != MDB_SUCCESS)
            status = store_error(environment, status, "checking names and releases", err);
    }
    store_listing_end(environment, txn);
    return status;
}
