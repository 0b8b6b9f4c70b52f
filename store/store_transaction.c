/* Transactions: a pool of read transactions, because beginning a new one takes a lock and a slot,
 * and write transactions that run again when the map must grow. */
#include <errno.h>
#include <fcntl.h>

#include "error_set.h"
#include "store_internal.h"

/* --- Reading
 * -------------------------------------------------------------------------------------------------
 */

static MDB_txn *store_pool_take(store_environment *environment)
{
    MDB_txn *txn = NULL;
    pthread_mutex_lock(&environment->mutex);
    if (environment->pool_count > 0) txn = environment->pool[--environment->pool_count];
    pthread_mutex_unlock(&environment->mutex);
    return txn;
}

void store_pool_give(store_environment *environment, MDB_txn *txn)
{
    if (environment->pool_count < STORE_POOL_MAX) {
        environment->pool[environment->pool_count++] = txn;
        return;
    }
    mdb_txn_abort(txn);
}

/* One lock for all unlocked readers of this environment: the first takes it, the last gives it
 * back. */
static int store_unlocked_begin(store_environment *environment)
{
    int status = 0;
    pthread_mutex_lock(&environment->mutex);
    if (environment->unlocked_readers == 0) {
        status =
            store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_RDLCK, STORE_LOCK_WAIT_MS);
    }
    if (status == 0) environment->unlocked_readers++;
    pthread_mutex_unlock(&environment->mutex);
    return status;
}

static void store_unlocked_end(store_environment *environment)
{
    pthread_mutex_lock(&environment->mutex);
    environment->unlocked_readers--;
    if (environment->unlocked_readers == 0) {
        store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_UNLCK, 0);
    }
    pthread_mutex_unlock(&environment->mutex);
}

static int store_txn_begin_read(store_environment *environment, MDB_txn **out)
{
    int status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, out);
    int dead = 0;
    if (status != MDB_READERS_FULL) return status;
    /* Slots of processes that were killed. */
    mdb_reader_check(environment->env, &dead);
    return mdb_txn_begin(environment->env, NULL, MDB_RDONLY, out);
}

static int store_txn_read(store_environment *environment, MDB_txn **out)
{
    int status = 0;
    if (environment->unlocked) status = store_unlocked_begin(environment);
    if (status != 0) return status;
    MDB_txn *txn = store_pool_take(environment);
    if (txn == NULL) {
        status = store_txn_begin_read(environment, &txn);
    } else {
        status = mdb_txn_renew(txn);
        if (status != MDB_SUCCESS) mdb_txn_abort(txn);
    }
    if (status != MDB_SUCCESS && environment->unlocked) store_unlocked_end(environment);
    if (status == MDB_SUCCESS) *out = txn;
    return status;
}

/* Leaves the gate after a failure. SNAPCELL_OK: LMDB was opened again, since its map was too small
 * (maybe for what another process wrote) or an earlier write had failed; the caller tries again. */
static int store_leave_to_reopen(store_environment *environment, int status, const char *doing,
                                 snapcell_error *err)
{
    const size_t seen_size_bytes = environment->map_size_bytes;
    const unsigned seen_generation = environment->generation;
    const bool must_grow = status == MDB_MAP_FULL || status == MDB_MAP_RESIZED;
    if (!must_grow && status != MDB_PANIC && status != STORE_SUPERSEDED)
        status = store_error_any(environment, status, doing, err);
    store_gate_leave(environment);
    if (status == STORE_SUPERSEDED)
        return store_environment_follow(environment, seen_generation, true, err);
    if (must_grow) return store_environment_grow(environment, seen_size_bytes, err);
    if (status == MDB_PANIC) return store_environment_recover(environment, seen_generation, err);
    return status;
}

int store_read_begin(store_environment *environment, MDB_txn **out, snapcell_error *err)
{
    bool stay = false; /* with a listing of this process, in a superseded file */
    for (;;) {
        int status = store_gate_enter(environment, err);
        if (status != SNAPCELL_OK) return status;
        status = store_txn_read(environment, out);
        if (status == MDB_SUCCESS) {
            /* Asked only now: what the transaction sees was then the newest there was. */
            if (stay || !store_file_is_superseded(environment)) return SNAPCELL_OK;
            const unsigned seen_generation = environment->generation;
            store_read_end(environment, *out);
            status = store_environment_follow(environment, seen_generation, false, err);
            stay = status == SNAPCELL_E_BUSY;
            if (stay) status = SNAPCELL_OK;
        } else {
            status = store_leave_to_reopen(environment, status, "reading", err);
        }
        if (status != SNAPCELL_OK) return status;
    }
}

void store_read_end(store_environment *environment, MDB_txn *txn)
{
    mdb_txn_reset(txn);
    if (environment->unlocked) store_unlocked_end(environment);
    pthread_mutex_lock(&environment->mutex);
    store_pool_give(environment, txn);
    environment->active--;
    if (environment->active == 0) pthread_cond_broadcast(&environment->changed);
    pthread_mutex_unlock(&environment->mutex);
}

int store_listing_begin(store_environment *environment, MDB_txn **out, snapcell_error *err)
{
    int status = store_read_begin(environment, out, err);
    if (status == SNAPCELL_OK) store_gate_list(environment, true);
    return status;
}

void store_listing_end(store_environment *environment, MDB_txn *txn)
{
    store_gate_list(environment, false);
    store_read_end(environment, txn);
}

/* --- Writing
 * -------------------------------------------------------------------------------------------------
 */

/* LMDB's transaction and, against readers that go without its lock file, the byte lock. */
static int store_txn_begin_locked(store_environment *environment, MDB_txn **out)
{
    int status = mdb_txn_begin(environment->env, NULL, 0, out);
    if (status != MDB_SUCCESS || !environment->byte_lock) return status;
    status = store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_WRLCK, STORE_LOCK_WAIT_MS);
    if (status != 0) mdb_txn_abort(*out);
    return status;
}

static void store_txn_unlock(store_environment *environment)
{
    if (!environment->byte_lock) return;
    store_lock_set(environment->data_file, STORE_LOCK_WRITE, F_UNLCK, 0);
    store_lock_set(environment->data_file, STORE_LOCK_WRITER, F_UNLCK, 0);
}

/* A superseded file must not even be locked by LMDB: after a writer's death it takes the number of
 * the last transaction, which all generations share, from the file of the next one to come. */
static int store_txn_begin_write(store_environment *environment, MDB_txn **out)
{
    int status = 0;
    if (environment->byte_lock) {
        status = store_lock_set(environment->data_file, STORE_LOCK_WRITER, F_WRLCK,
                                STORE_LOCK_WAIT_FOREVER);
    }
    if (status != 0) return status;
    status = store_file_is_superseded(environment) ? STORE_SUPERSEDED
                                                   : store_txn_begin_locked(environment, out);
    if (status != MDB_SUCCESS) store_txn_unlock(environment);
    return status;
}

/* Of the transaction that the caller has begun: nobody else writes. */
static int store_txn_set_sync(store_environment *environment, bool no_sync)
{
    unsigned flags = 0;
    int status = mdb_env_get_flags(environment->env, &flags);
    if (status != MDB_SUCCESS || ((flags & MDB_NOSYNC) != 0) == no_sync) return status;
    return mdb_env_set_flags(environment->env, MDB_NOSYNC, no_sync);
}

static int store_write_in(snapcell_store *store, MDB_txn *txn, store_write_fn *write,
                          void *argument, snapcell_error *err)
{
    int status = store_txn_set_sync(store->environment, store->no_sync);
    if (status == MDB_SUCCESS) status = write(store->environment, txn, argument, err);
    if (status == SNAPCELL_OK) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return status;
}

static int store_write_once(snapcell_store *store, store_write_fn *write, void *argument,
                            snapcell_error *err)
{
    store_environment *environment = store->environment;
    store_signal_guard guard;
    MDB_txn *txn;
    /* The byte lock is one for all threads: they must not hold it at the same time. */
    pthread_mutex_lock(&environment->writer);
    store_signal_guard_begin(&guard);
    int status = store_txn_begin_write(environment, &txn);
    if (status == MDB_SUCCESS) {
        status = store_write_in(store, txn, write, argument, err);
        store_txn_unlock(environment);
    }
    store_signal_guard_end(&guard);
    pthread_mutex_unlock(&environment->writer);
    return status;
}

int store_write(snapcell_store *store, store_write_fn *write, void *argument, const char *doing,
                snapcell_error *err)
{
    store_environment *environment = store->environment;
    if (!store->writable) {
        return error_set(err, SNAPCELL_E_READ_ONLY,
                         "%s in %s: the store was opened for reading; open it with "
                         "SNAPCELL_STORE_WRITE",
                         doing, environment->path);
    }
    for (;;) {
        int status = store_gate_enter(environment, err);
        if (status != SNAPCELL_OK) return status;
        status = store_write_once(store, write, argument, err);
        if (status == SNAPCELL_OK) {
            store_gate_leave(environment);
            return status;
        }
        status = store_leave_to_reopen(environment, status, doing, err);
        if (status != SNAPCELL_OK) return status;
    }
}
