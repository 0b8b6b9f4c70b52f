/* Artifacts by key. */
#include <string.h>
#include <time.h>

#include "artifact_reader.h"
#include "artifact_signature.h"
#include "cleanup.h"
#include "error_set.h"
#include "public_struct.h"
#include "store_history.h"
#include "store_internal.h"
#include "store_pages.h"
#include "store_releases.h"

static int store_missing(const store_environment *environment, const snapcell_key *key,
                         snapcell_error *err)
{
    char hex[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(key, hex);
    return error_set(err, SNAPCELL_E_NOT_FOUND, "no artifact %s in the store %s", hex,
                     environment->path);
}

/* --- Putting
 * -------------------------------------------------------------------------------------------------
 */

typedef struct store_put_argument {
    const void *bytes; /* NULL: what is there is named */
    size_t size_bytes;
    const char *name;
    snapcell_key key;
    snapcell_fingerprint engine;
    bool replace;
    snapcell_history_event event; /* to be noted if the name changes; no action: none */
} store_put_argument;

/* `*out_write`: the bytes that are there are to be replaced. */
static int store_put_exists(const store_environment *environment, const store_put_argument *put,
                            const MDB_val *found, bool *out_write, snapcell_error *err)
{
    if (found->mv_size == put->size_bytes &&
        memcmp(found->mv_data, put->bytes, put->size_bytes) == 0) {
        return SNAPCELL_OK;
    }
    if (put->replace) {
        *out_write = true;
        return SNAPCELL_OK;
    }
    bool covered = false;
    const int status = artifact_is_unsigned_copy(put->bytes, put->size_bytes, found->mv_data,
                                                 found->mv_size, &covered, err);
    if (status != SNAPCELL_OK || covered) return status;
    char hex[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&put->key, hex);
    return error_set(err, SNAPCELL_E_EXISTS,
                     "the store %s has another artifact under the key %s: the same input gives the "
                     "same bytes, so that one of the two was altered, or signed by another key; "
                     "`snapcell rm` the old one, or `snapcell import --replace` the new one",
                     environment->path, hex);
}

static int store_put_bytes(store_environment *environment, MDB_txn *txn,
                           const store_put_argument *put, snapcell_error *err)
{
    MDB_val found;
    MDB_val key = store_key_value(&put->key);
    int status = mdb_get(txn, environment->artifacts, &key, &found);
    bool write = status == MDB_NOTFOUND;
    if (write)
        status = MDB_SUCCESS;
    else if (status == MDB_SUCCESS)
        status = store_put_exists(environment, put, &found, &write, err);
    if (status != MDB_SUCCESS || !write) return status;
    MDB_val value = {.mv_size = put->size_bytes, .mv_data = (void *)(uintptr_t)put->bytes};
    return mdb_put(txn, environment->artifacts, &key, &value, 0);
}

/* The engine of an artifact that is there. */
static int store_put_look(const store_environment *environment, MDB_txn *txn,
                          store_put_argument *put, snapcell_error *err)
{
    MDB_val found;
    artifact_view view;
    int status = store_artifact_find(environment, txn, &put->key, &found, err);
    if (status != SNAPCELL_OK) return status;
    status = artifact_read(found.mv_data, found.mv_size, ARTIFACT_CHECK_CHECKSUM, &view, err);
    if (status == SNAPCELL_OK) put->engine = view.info.engine;
    return status;
}

static int store_put_note(store_environment *environment, MDB_txn *txn,
                          const store_put_argument *put)
{
    snapcell_history_event event = put->event;
    if (event.action == SNAPCELL_HISTORY_NONE) return MDB_SUCCESS;
    memset(&event.from, 0, sizeof(event.from));
    int status = store_name_get(environment, txn, put->name, &put->engine, &event.from);
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return status;
    if (memcmp(&event.from, &put->key, sizeof(put->key)) == 0) return MDB_SUCCESS;
    event.engine = put->engine;
    event.to = put->key;
    return store_history_add(environment, txn, put->name, &event);
}

static int store_put_write(store_environment *environment, MDB_txn *txn, void *argument,
                           snapcell_error *err)
{
    store_put_argument *put = argument;
    int status = put->bytes != NULL ? store_put_bytes(environment, txn, put, err)
                                    : store_put_look(environment, txn, put, err);
    if (status != MDB_SUCCESS || put->name == NULL) return status;
    status = store_put_note(environment, txn, put);
    if (status != MDB_SUCCESS) return status;
    return store_name_put(environment, txn, put->name, &put->engine, &put->key);
}

/* Checks an artifact that is to be put, and its name. */
static int store_put_prepare(const snapcell_store_item *item, bool replace, store_put_argument *out,
                             snapcell_error *err)
{
    artifact_view view;
    if (item->bytes == NULL) return error_set(err, SNAPCELL_E_USAGE, "no artifact to put: NULL");
    int status = item->name == NULL ? SNAPCELL_OK : snapcell_name_check(item->name, err);
    if (status == SNAPCELL_OK) {
        status = artifact_read(item->bytes, item->size_bytes, ARTIFACT_CHECK_DIGEST, &view, err);
    }
    if (status != SNAPCELL_OK) return status;
    *out = (store_put_argument){.bytes = item->bytes,
                                .size_bytes = item->size_bytes,
                                .name = item->name,
                                .key = view.info.key,
                                .engine = view.info.engine,
                                .replace = replace};
    return SNAPCELL_OK;
}

static int store_put(snapcell_store *store, const void *bytes, size_t size_bytes, const char *name,
                     bool replace, snapcell_error *err)
{
    store_put_argument put;
    const snapcell_store_item item = {.bytes = bytes, .size_bytes = size_bytes, .name = name};
    int status = store_put_prepare(&item, replace, &put, err);
    if (status != SNAPCELL_OK) return status;
    return store_write(store, store_put_write, &put, "putting an artifact", err);
}

typedef struct store_put_list {
    store_put_argument *puts; /* Owned */
    size_t count;
} store_put_list;

static int store_put_list_write(store_environment *environment, MDB_txn *txn, void *argument,
                                snapcell_error *err)
{
    store_put_list *list = argument;
    int status = MDB_SUCCESS;
    for (size_t i = 0; status == MDB_SUCCESS && i < list->count; i++) {
        status = store_put_write(environment, txn, &list->puts[i], err);
    }
    return status;
}

/* As store_put_prepare(), also for what is in the store already. */
static int store_put_prepare_item(const snapcell_store_item *item,
                                  const snapcell_put_options *options, store_put_argument *out,
                                  snapcell_error *err)
{
    int status = SNAPCELL_OK;
    if (item->bytes == NULL && item->name != NULL) {
        status = snapcell_name_check(item->name, err);
        *out = (store_put_argument){.name = item->name, .key = item->key};
    } else {
        status = store_put_prepare(item, options->replace, out, err);
    }
    out->event = (snapcell_history_event){.time_s = (int64_t)time(NULL),
                                          .action = options->action,
                                          .who = options->who,
                                          .origin = item->origin};
    return status;
}

int snapcell_store_put_all(snapcell_store *store, const snapcell_store_item *items, size_t count,
                           bool replace, snapcell_error *err)
{
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    options.replace = replace;
    return snapcell_store_put_items(store, items, count, &options, err);
}

int snapcell_store_put_items(snapcell_store *store, const snapcell_store_item *items, size_t count,
                             const snapcell_put_options *options, snapcell_error *err)
{
    snapcell_put_options own = SNAPCELL_PUT_OPTIONS_INIT;
    int status = public_struct_read(&own, sizeof(own), options, "snapcell_put_options", err);
    if (status != SNAPCELL_OK || count == 0) return status;
    cleanup_free store_put_argument *puts = calloc(count, sizeof(*puts));
    if (puts == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory for a list of %zu artifacts", count);
    }
    for (size_t i = 0; status == SNAPCELL_OK && i < count; i++) {
        status = store_put_prepare_item(&items[i], &own, &puts[i], err);
    }
    if (status != SNAPCELL_OK) return status;
    store_put_list list = {.puts = puts, .count = count};
    return store_write(store, store_put_list_write, &list, "putting artifacts", err);
}

int snapcell_store_put(snapcell_store *store, const void *bytes, size_t size_bytes,
                       const char *name, snapcell_error *err)
{
    return store_put(store, bytes, size_bytes, name, false, err);
}

int snapcell_store_replace(snapcell_store *store, const void *bytes, size_t size_bytes,
                           const char *name, snapcell_error *err)
{
    return store_put(store, bytes, size_bytes, name, true, err);
}

/* --- Reading
 * -------------------------------------------------------------------------------------------------
 */

int store_artifact_find(const store_environment *environment, MDB_txn *txn, const snapcell_key *key,
                        MDB_val *out, snapcell_error *err)
{
    MDB_val key_value = store_key_value(key);
    int status = mdb_get(txn, environment->artifacts, &key_value, out);
    if (status == MDB_NOTFOUND) return store_missing(environment, key, err);
    if (status != MDB_SUCCESS) return store_error(environment, status, "reading an artifact", err);
    return SNAPCELL_OK;
}

int store_artifact_copy(const MDB_val *value, void **out, size_t *out_size_bytes,
                        snapcell_error *err)
{
    void *copy = malloc(value->mv_size > 0 ? value->mv_size : 1);
    if (copy == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory for an artifact of %llu bytes",
                         (unsigned long long)value->mv_size);
    }
    memcpy(copy, value->mv_data, value->mv_size);
    *out = copy;
    *out_size_bytes = value->mv_size;
    return SNAPCELL_OK;
}

int snapcell_store_get(snapcell_store *store, const snapcell_key *key, void **out,
                       size_t *out_size_bytes, snapcell_error *err)
{
    MDB_txn *txn;
    MDB_val value;
    *out = NULL;
    *out_size_bytes = 0;
    int status = store_read_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_artifact_find(store->environment, txn, key, &value, err);
    if (status == SNAPCELL_OK) status = store_artifact_copy(&value, out, out_size_bytes, err);
    store_read_end(store->environment, txn);
    return status;
}

static int store_walk_artifacts(store_environment *environment, MDB_txn *txn,
                                snapcell_store_artifact_fn *each, void *user, snapcell_error *err)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int said = 0;
    int status = mdb_cursor_open(txn, environment->artifacts, &cursor);
    if (status != MDB_SUCCESS) return store_error(environment, status, "listing artifacts", err);
    while (said == 0 && (status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        if (key.mv_size != sizeof(snapcell_key)) {
            status = MDB_CORRUPTED;
            break;
        }
        said = each(user, key.mv_data, value.mv_data, value.mv_size);
    }
    mdb_cursor_close(cursor);
    if (said != 0) return said;
    return status == MDB_NOTFOUND ? SNAPCELL_OK
                                  : store_error(environment, status, "listing artifacts", err);
}

int snapcell_store_each_artifact(snapcell_store *store, snapcell_store_artifact_fn *each,
                                 void *user, snapcell_error *err)
{
    MDB_txn *txn;
    int status = store_listing_begin(store->environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = store_walk_artifacts(store->environment, txn, each, user, err);
    store_listing_end(store->environment, txn);
    return status;
}

/* --- Removing
 * -------------------------------------------------------------------------------------------------
 */

static int store_remove_names_of(const store_environment *environment, MDB_txn *txn,
                                 const snapcell_key *artifact)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    store_name_entry entry;
    int status = mdb_cursor_open(txn, environment->names, &cursor);
    if (status != MDB_SUCCESS) return status;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        status = store_name_parse(&key, &value, &entry);
        if (status == MDB_SUCCESS && memcmp(entry.key, artifact, sizeof(*artifact)) == 0) {
            status = mdb_cursor_del(cursor, 0);
        }
        if (status != MDB_SUCCESS) break;
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

static int store_remove_write(store_environment *environment, MDB_txn *txn, void *argument,
                              snapcell_error *err)
{
    const snapcell_key *artifact = argument;
    int status = store_release_check_key(environment, txn, artifact, err);
    if (status == MDB_SUCCESS) status = store_artifact_delete(environment, txn, artifact);
    if (status == MDB_NOTFOUND) return store_missing(environment, artifact, err);
    return status != MDB_SUCCESS ? status : store_remove_names_of(environment, txn, artifact);
}

int snapcell_store_remove(snapcell_store *store, const snapcell_key *key, snapcell_error *err)
{
    snapcell_key artifact = *key;
    return store_write(store, store_remove_write, &artifact, "removing an artifact", err);
}
