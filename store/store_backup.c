/* A backup: a compact copy of the store's file, made while others read and write, of which
 * everything is checked before it is called one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact_reader.h"
#include "error_set.h"
#include "store_history.h"
#include "store_releases.h"

/* LMDB opens by path, and the copy may have no name. Nobody else knows it, so that it needs no lock
 * file. */
static int backup_open(int file, MDB_env **out)
{
    char path[64];
    struct stat facts;
    MDB_env *env;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (fstat(file, &facts) != 0) return EIO;
    int status = mdb_env_create(&env);
    if (status != MDB_SUCCESS) return status;
    status = mdb_env_set_maxdbs(env, 3);
    if (status == MDB_SUCCESS)
        status = mdb_env_set_mapsize(env, (size_t)facts.st_size + STORE_MAP_SIZE_BYTES_MIN);
    if (status == MDB_SUCCESS) {
        status = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY | MDB_NOTLS,
                              STORE_FILE_MODE);
    }
    if (status == MDB_SUCCESS) {
        *out = env;
    } else {
        mdb_env_close(env);
    }
    return status;
}

static int backup_check_artifact(const MDB_val *key, const MDB_val *value, snapcell_error *err)
{
    artifact_view view;
    snapcell_error cause;
    snapcell_key stored;
    char hex[SNAPCELL_KEY_HEX_SIZE];
    if (key->mv_size != sizeof(stored)) return MDB_CORRUPTED;
    memcpy(&stored, key->mv_data, sizeof(stored));
    int status =
        artifact_read(value->mv_data, value->mv_size, ARTIFACT_CHECK_DIGEST, &view, &cause);
    if (status == SNAPCELL_OK) return SNAPCELL_OK;
    snapcell_key_format(&stored, hex);
    return error_set(
        err, status,
        "the store has a damaged artifact, %s, and a backup would, too (%s): remove it "
        "with `snapcell rm`, or use `snapcell salvage`",
        hex, cause.message);
}

static int backup_check_artifacts(const store_environment *copy, MDB_txn *txn,
                                  snapcell_store_backup_result *out, snapcell_error *err)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int status = mdb_cursor_open(txn, copy->artifacts, &cursor);
    if (status != MDB_SUCCESS) return status;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        status = backup_check_artifact(&key, &value, err);
        if (status != SNAPCELL_OK) break;
        out->artifact_count++;
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

static int backup_check_in(store_environment *copy, MDB_txn *txn, snapcell_store_backup_result *out,
                           snapcell_error *err)
{
    MDB_stat stat;
    int status = mdb_dbi_open(txn, "artifacts", 0, &copy->artifacts);
    if (status == MDB_SUCCESS) status = mdb_dbi_open(txn, "names", 0, &copy->names);
    if (status == MDB_SUCCESS) status = mdb_dbi_open(txn, "meta", 0, &copy->meta);
    if (status == MDB_SUCCESS) status = mdb_stat(txn, copy->names, &stat);
    if (status != MDB_SUCCESS) return status;
    out->name_count = stat.ms_entries;
    status = backup_check_artifacts(copy, txn, out, err);
    if (status == MDB_SUCCESS) status = store_names_check(copy, txn);
    if (status == MDB_SUCCESS) status = store_releases_check(copy, txn);
    if (status == MDB_SUCCESS) status = store_history_check(copy, txn);
    return status;
}

/* What the copy holds, read from the copy. */
static int backup_check(const store_environment *environment, int file,
                        snapcell_store_backup_result *out, snapcell_error *err)
{
    MDB_txn *txn;
    struct stat facts;
    store_environment copy = {.path = environment->path, .data_file = file};
    int status = backup_open(file, &copy.env);
    if (status != MDB_SUCCESS) return status;
    status = mdb_txn_begin(copy.env, NULL, MDB_RDONLY, &txn);
    if (status == MDB_SUCCESS) {
        status = backup_check_in(&copy, txn, out, err);
        mdb_txn_abort(txn);
    }
    mdb_env_close(copy.env);
    if (status == MDB_SUCCESS && fstat(file, &facts) == 0)
        out->size_bytes = (uint64_t)facts.st_size;
    return status;
}

int snapcell_store_backup(snapcell_store *store, int file, snapcell_store_backup_result *out,
                          snapcell_error *err)
{
    MDB_txn *txn;
    store_environment *environment = store->environment;
    snapcell_store_backup_result result = {0};
    if (out != NULL) memset(out, 0, sizeof(*out));
    int status = store_listing_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_copy_compact(environment, file, 0, err);
    if (status == SNAPCELL_OK) status = backup_check(environment, file, &result, err);
    /* What is said of room is said of the copy. */
    const store_environment copy = {.path = environment->path, .data_file = file};
    status = store_error_any(&copy, status, "making a backup", err);
    store_listing_end(environment, txn);
    if (status == SNAPCELL_OK && out != NULL) *out = result;
    return status;
}
