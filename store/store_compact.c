/* A compact copy takes the place of data.mdb while others read and write: a new generation.
 *
 * The copy is made of one state of the store while writers go on. Then, as a writer, so that nobody
 * else writes, it is put in place by rename() if the store still is in that state; else another
 * copy is made, the last one with writers waiting. The rename is all that happens: before it there
 * is the old generation and a file to be removed, after it the new one.
 *
 * Both share lock.mdb. That is sound because the copy bears the number of the transaction that it
 * holds, so that the lock file's last transaction, its readers' and its locks mean the same in
 * both: who reads the old file keeps no page of the new one from anything but reuse, and nobody
 * writes the old one, as each writer looks, under STORE_LOCK_WRITER, whether the directory still
 * names the file that it has open. */
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

/* The last attempt makes writers wait. */
#define STORE_COMPACT_ATTEMPTS 3

/* --- The copy
 * -------------------------------------------------------------------------------------------------
 */

/* The state that LMDB has written as transaction 1 becomes `transaction`, and, so that the other
 * first page follows it, the one before as well. */
static int store_copy_stamp(int file, uint64_t transaction)
{
    store_lmdb_meta metas[2];
    if (!store_file_read(file, &metas[0], sizeof(metas[0]), 0) ||
        !store_file_read(file, &metas[1], sizeof(metas[1]), metas[0].trees[0].pad))
        return EIO;
    const store_lmdb_meta newest = metas[metas[1].transaction > metas[0].transaction];
    const uint32_t page_size = newest.trees[0].pad;
    for (uint64_t i = 0; i < STORE_LMDB_META_PAGES; i++) {
        metas[i] = newest;
        metas[i].page.number = i;
        metas[i].transaction = transaction % 2 == i ? transaction : transaction - 1;
        const ssize_t wrote = pwrite(file, &metas[i], sizeof(metas[i]), (off_t)(i * page_size));
        if (wrote != (ssize_t)sizeof(metas[i])) return wrote < 0 ? errno : EIO;
    }
    return 0;
}

int store_copy_compact(store_environment *environment, int file, uint64_t transaction,
                       snapcell_error *err)
{
    store_signal_guard guard;
    store_signal_guard_begin(&guard);
    int status = mdb_env_copyfd2(environment->env, file, MDB_CP_COMPACT);
    if (status == MDB_SUCCESS && transaction > 0) status = store_copy_stamp(file, transaction);
    if (status == MDB_SUCCESS && fsync(file) != 0) status = errno;
    store_signal_guard_end(&guard);
    if (status != MDB_SUCCESS) return status;
    status = store_file_check(file, environment->path, err);
    if (status != SNAPCELL_OK) return status;
    return store_check_structure(file, environment->path, STORE_CHECK_ALL_PAGES, err);
}

/* --- In its place
 * -------------------------------------------------------------------------------------------------
 */

typedef struct compact_work {
    int original;         /* data.mdb, when this began; holds STORE_LOCK_COMPACT */
    struct stat facts;    /* of it */
    uint64_t transaction; /* that the copy has; 0: there is none */
    uint64_t size_bytes;  /* of the copy */
    bool must_copy;       /* the last attempt */
    bool give_up;
    bool done;
} compact_work;

/* The copy belongs to whom the original belongs, also when root makes it. */
static int compact_copy_owner(const compact_work *work, int copy)
{
    if (fchown(copy, work->facts.st_uid, work->facts.st_gid) != 0) return errno;
    if (fchmod(copy, work->facts.st_mode & 07777) != 0) return errno;
    return 0;
}

static int compact_copy(store_environment *environment, compact_work *work, uint64_t transaction,
                        snapcell_error *err)
{
    struct stat facts = {0};
    work->transaction = 0;
    unlinkat(environment->directory_file, STORE_COMPACT_FILE, 0);
    cleanup_close int copy = openat(environment->directory_file, STORE_COMPACT_FILE,
                                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (copy < 0) return errno;
    int status = store_copy_compact(environment, copy, transaction, err);
    if (status == SNAPCELL_OK) status = compact_copy_owner(work, copy);
    if (status == SNAPCELL_OK && fstat(copy, &facts) != 0) status = errno;
    if (status != SNAPCELL_OK) return status;
    work->size_bytes = (uint64_t)facts.st_size;
    work->transaction = transaction;
    return SNAPCELL_OK;
}

static int compact_copy_ahead(store_environment *environment, compact_work *work,
                              snapcell_error *err)
{
    MDB_txn *txn;
    int status = store_listing_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    work->give_up = environment->data_inode != work->facts.st_ino;
    if (!work->give_up) {
        status = compact_copy(environment, work, mdb_txn_id(txn), err);
        status = store_error_any(environment, status,
                                 "making a compact copy, after what had no name was removed", err);
    }
    store_listing_end(environment, txn);
    return status;
}

/* Whether no program that knows nothing of generations has the store open. None opens it any more,
 * once it has the newest format. */
static bool compact_is_known_to_all(const store_environment *environment)
{
    return environment->format_version >= STORE_FORMAT_VERSION_GENERATIONS ||
           store_lock_set(environment->data_file, STORE_LOCK_USE, F_WRLCK, 0) == 0;
}

static int compact_rename(const store_environment *environment, compact_work *work,
                          snapcell_error *err)
{
    const int directory = environment->directory_file;
    int status = store_lock_setup(directory, true);
    if (status == 0 && renameat(directory, STORE_COMPACT_FILE, directory, STORE_DATA_FILE) != 0)
        status = errno;
    work->done = status == 0;
    /* If this fails, the next to open the store for writing does it before anything is written. */
    if (status == 0 && fsync(directory) != 0 && errno != EINVAL) status = errno;
    store_lock_setup(directory, false);
    return status == 0 ? SNAPCELL_OK
                       : store_error(environment, status, "putting the compact copy in place", err);
}

/* As a writer. Changes nothing in the old file, so that there is nothing to commit. */
static int compact_switch(store_environment *environment, MDB_txn *txn, void *argument,
                          snapcell_error *err)
{
    compact_work *work = argument;
    work->give_up = environment->data_inode != work->facts.st_ino;
    if (work->give_up) return SNAPCELL_OK;
    const uint64_t transaction = mdb_txn_id(txn) - 1;
    if (work->transaction != transaction) {
        if (!work->must_copy) return SNAPCELL_OK;
        int status = compact_copy(environment, work, transaction, err);
        if (status != SNAPCELL_OK) return status;
    }
    work->give_up = !compact_is_known_to_all(environment);
    if (work->give_up) return SNAPCELL_OK;
    int status = compact_rename(environment, work, err);
    if (environment->format_version < STORE_FORMAT_VERSION_GENERATIONS)
        store_lock_set(environment->data_file, STORE_LOCK_USE, F_RDLCK, 0);
    return status;
}

static int compact_attempts(snapcell_store *store, compact_work *work, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    for (int i = 1; status == SNAPCELL_OK && !work->done && !work->give_up; i++) {
        work->must_copy = i == STORE_COMPACT_ATTEMPTS;
        if (!work->must_copy) status = compact_copy_ahead(store->environment, work, err);
        if (status != SNAPCELL_OK || work->give_up) break;
        status = store_write(store, compact_switch, work, "putting a compact copy in place", err);
    }
    return status;
}

/* From here on no program opens the store that knows nothing of generations. */
static int compact_raise_format(store_environment *environment, MDB_txn *txn, void *argument,
                                snapcell_error *err)
{
    (void)argument;
    (void)err;
    return store_format_raise(txn, environment->meta, STORE_FORMAT_VERSION_GENERATIONS);
}

/* data.mdb once more, for a lock that outlives a closing of LMDB. Who has the lock of the file that
 * the directory names is the only one to replace it, and the only one to touch the copy. */
static bool compact_begin(const store_environment *environment, compact_work *work)
{
    ino_t inode = 0;
    work->original = openat(environment->directory_file, STORE_DATA_FILE,
                            O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (work->original < 0) return false;
    if (fstat(work->original, &work->facts) == 0 &&
        store_lock_set(work->original, STORE_LOCK_COMPACT, F_WRLCK, 0) == 0 &&
        store_file_inode(environment->directory_file, &inode) == 0 && inode == work->facts.st_ino)
        return true;
    close(work->original);
    return false;
}

/* Whether this directory can be written at all: a store can be, in one that cannot. */
static bool compact_can_rename(const store_environment *environment)
{
    return environment->byte_lock &&
           faccessat(environment->directory_file, ".", W_OK, AT_EACCESS) == 0;
}

int store_compact(snapcell_store *store, uint64_t *out_freed_size_bytes, snapcell_error *err)
{
    store_environment *environment = store->environment;
    compact_work work = {0};
    int status = SNAPCELL_OK;
    if (!compact_can_rename(environment) || !compact_begin(environment, &work)) return SNAPCELL_OK;
    if (environment->format_version < STORE_FORMAT_VERSION_GENERATIONS)
        status = store_write(store, compact_raise_format, NULL, "changing the format", err);
    if (status == SNAPCELL_OK) status = compact_attempts(store, &work, err);
    if (!work.done) unlinkat(environment->directory_file, STORE_COMPACT_FILE, 0);
    if (work.done && (uint64_t)work.facts.st_size > work.size_bytes)
        *out_freed_size_bytes = (uint64_t)work.facts.st_size - work.size_bytes;
    close(work.original);
    return status == SNAPCELL_E_READ_ONLY ? SNAPCELL_OK : status;
}
