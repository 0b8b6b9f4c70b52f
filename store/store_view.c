/* Views: artifacts in place. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "store_internal.h"

/* From operation to view: out of the gate, with the transaction. */
static void store_view_keep(store_environment *environment, store_pin *pin)
{
    pthread_mutex_lock(&environment->mutex);
    store_pin_add(environment, pin);
    environment->views++;
    environment->active--;
    if (environment->active == 0) pthread_cond_broadcast(&environment->changed);
    pthread_mutex_unlock(&environment->mutex);
}

/* A pin for an artifact, with a map where its bytes are. NULL: there is no memory, or no map. */
static store_pin *store_view_pin(store_environment *environment, MDB_txn *txn, const MDB_val *value,
                                 snapcell_store_view *out)
{
    cleanup_free store_pin *pin = calloc(1, sizeof(*pin));
    if (pin == NULL) return NULL;
    out->bytes = store_mapping_find(environment, value, &pin->mapping);
    if (out->bytes == NULL) return NULL;
    pin->txn = txn;
    out->size_bytes = value->mv_size;
    out->transaction = pin;
    return steal_pointer(&pin);
}

/* Without LMDB's lock file a writer could reuse the pages under a view, and the byte lock would
 * stop all writers for as long as it is open: such a view is a copy, without a transaction. So is
 * one that cannot be mapped. */
static int store_view_copy(store_environment *environment, MDB_txn *txn, const MDB_val *value,
                           snapcell_store_view *out, snapcell_error *err)
{
    void *copy = NULL;
    int status = store_artifact_copy(value, &copy, &out->size_bytes, err);
    if (status == SNAPCELL_OK) {
        pthread_mutex_lock(&environment->mutex);
        environment->views++;
        pthread_mutex_unlock(&environment->mutex);
        out->bytes = copy;
    }
    store_read_end(environment, txn);
    return status;
}

int snapcell_store_view_open(snapcell_store *store, const snapcell_key *key,
                             snapcell_store_view *out, snapcell_error *err)
{
    MDB_txn *txn;
    MDB_val value;
    store_environment *environment = store->environment;
    memset(out, 0, sizeof(*out));
    int status = store_read_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_artifact_find(environment, txn, key, &value, err);
    if (status != SNAPCELL_OK) {
        store_read_end(environment, txn);
        return status;
    }
    store_pin *pin = environment->unlocked ? NULL : store_view_pin(environment, txn, &value, out);
    if (pin == NULL) return store_view_copy(environment, txn, &value, out, err);
    store_view_keep(environment, pin);
    return SNAPCELL_OK;
}

void snapcell_store_view_close(snapcell_store *store, snapcell_store_view *view)
{
    if (view->bytes == NULL) return;
    store_environment *environment = store->environment;
    const snapcell_store_view closing = *view;
    memset(view, 0, sizeof(*view));
    /* In a forked child it is the parent's. */
    if (environment->pid != getpid()) return;
    pthread_mutex_lock(&environment->mutex);
    if (closing.transaction != NULL) {
        MDB_txn *txn = store_pin_remove(environment, closing.transaction);
        if (txn != NULL) {
            mdb_txn_reset(txn);
            store_pool_give(environment, txn);
        }
    } else {
        free((void *)(uintptr_t)closing.bytes);
    }
    environment->views--;
    pthread_cond_broadcast(&environment->changed);
    pthread_mutex_unlock(&environment->mutex);
}
