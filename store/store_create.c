/* Making a new store. It is filled under another name and then renamed, so that nobody ever sees a
 * store that is half made. That the name is on disk is seen to when it is opened: see
 * store_file_sync_names(). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "store_internal.h"

int store_format_raise(MDB_txn *txn, MDB_dbi meta, unsigned version)
{
    struct {
        char magic[sizeof(STORE_MAGIC)];
        uint8_t version;
    } format = {.magic = STORE_MAGIC, .version = (uint8_t)version};
    MDB_val key = {.mv_size = strlen("format"), .mv_data = (char *){"format"}};
    MDB_val value;
    const int status = mdb_get(txn, meta, &key, &value);
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return status;
    if (status == MDB_SUCCESS && value.mv_size == sizeof(format) &&
        ((const uint8_t *)value.mv_data)[sizeof(STORE_MAGIC)] >= version) {
        return MDB_SUCCESS;
    }
    value = (MDB_val){.mv_size = sizeof(format), .mv_data = &format};
    return mdb_put(txn, meta, &key, &value, 0);
}

static int store_fill(MDB_env *env)
{
    static const char *const names[] = {"artifacts", "names", "meta"};
    MDB_txn *txn;
    MDB_dbi dbi = 0;
    int status = mdb_txn_begin(env, NULL, 0, &txn);
    if (status != MDB_SUCCESS) return status;
    for (size_t i = 0; status == MDB_SUCCESS && i < sizeof(names) / sizeof(names[0]); i++) {
        status = mdb_dbi_open(txn, names[i], MDB_CREATE, &dbi);
    }
    if (status == MDB_SUCCESS) {
        /* the last one was "meta" */
        status = store_format_raise(txn, dbi, STORE_FORMAT_VERSION_MAX);
    }
    if (status != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return status;
    }
    return mdb_txn_commit(txn);
}

/* Nobody else knows the file, so that it needs no lock file. */
static int store_create_file(const char *path)
{
    MDB_env *env;
    int status = mdb_env_create(&env);
    if (status != MDB_SUCCESS) return status;
    status = mdb_env_set_maxdbs(env, 3);
    if (status == MDB_SUCCESS) status = mdb_env_set_mapsize(env, STORE_MAP_SIZE_BYTES_MIN);
    if (status == MDB_SUCCESS) {
        status = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, STORE_FILE_MODE);
    }
    if (status == MDB_SUCCESS) status = store_fill(env);
    mdb_env_close(env);
    return status;
}

static int store_create_error(const char *path, int status, snapcell_error *err)
{
    const store_environment nowhere = {.path = (char *)(uintptr_t)path, .data_file = -1};
    return store_error(&nowhere, status, "making a new store", err);
}

static int store_create_locked(const char *path, int directory_file, snapcell_error *err)
{
    ino_t inode;
    cleanup_free char *new_path = NULL;
    if (store_file_inode(directory_file, &inode) != ENOENT) return SNAPCELL_OK;
    if (asprintf(&new_path, "%s/" STORE_NEW_FILE, path) < 0) {
        new_path = NULL;
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while making a store in %s", path);
    }
    /* What is there under this name is left over from a process that died: others wait. */
    unlinkat(directory_file, STORE_NEW_FILE, 0);
    int status = store_create_file(new_path);
    if (status == MDB_SUCCESS &&
        renameat(directory_file, STORE_NEW_FILE, directory_file, STORE_DATA_FILE) != 0) {
        status = errno;
    }
    if (status == MDB_SUCCESS) return SNAPCELL_OK;
    unlinkat(directory_file, STORE_NEW_FILE, 0);
    return store_create_error(path, status, err);
}

int store_create(const char *path, int directory_file, snapcell_error *err)
{
    int status = store_lock_setup(directory_file, true);
    if (status != 0) return error_set_errno(err, SNAPCELL_E_IO, status, "cannot lock %s", path);
    status = store_create_locked(path, directory_file, err);
    store_lock_setup(directory_file, false);
    return status;
}
