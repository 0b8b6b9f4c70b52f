/* Names: for each name and engine a key. The record's key is the name, a zero byte and the engine's
 * fingerprint, so that the entries of one name stand together and names are in byte order. Its
 * value is the artifact's key and a checksum of the record: nothing else tells a name from one with
 * another bit. Stores of format 1 have records without. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "artifact_reader.h"
#include "error_set.h"
#include "store_releases.h"

#define STORE_NAME_KEY_SIZE_MAX (SNAPCELL_NAME_SIZE_MAX + 1 + sizeof(snapcell_fingerprint))

/* `engine` NULL: just the name and its zero byte, where its entries begin. */
static MDB_val store_name_key(const char *name, const snapcell_fingerprint *engine,
                              uint8_t buffer[STORE_NAME_KEY_SIZE_MAX])
{
    size_t size = strnlen(name, SNAPCELL_NAME_SIZE_MAX);
    memcpy(buffer, name, size);
    buffer[size++] = 0;
    if (engine != NULL) {
        memcpy(buffer + size, engine->bytes, sizeof(engine->bytes));
        size += sizeof(engine->bytes);
    }
    return (MDB_val){.mv_size = size, .mv_data = buffer};
}

/* What a record's value holds, as it is in the file. */
typedef struct store_name_value {
    snapcell_key key;
    uint8_t checksum[sizeof(XXH64_canonical_t)]; /* XXH3-64 of the record's key and `key` */
} store_name_value;

static_assert(sizeof(store_name_value) == 24, "a name's value has no padding");

static store_name_value store_name_value_of(const MDB_val *record, const snapcell_key *key)
{
    uint8_t bytes[STORE_NAME_KEY_SIZE_MAX + sizeof(*key)];
    store_name_value value = {.key = *key};
    XXH64_canonical_t checksum;
    memcpy(bytes, record->mv_data, record->mv_size);
    memcpy(bytes + record->mv_size, key, sizeof(*key));
    XXH64_canonicalFromHash(&checksum, XXH3_64bits(bytes, record->mv_size + sizeof(*key)));
    memcpy(value.checksum, checksum.digest, sizeof(value.checksum));
    return value;
}

static bool store_name_value_is_whole(const MDB_val *record, const MDB_val *value)
{
    snapcell_key key;
    if (value->mv_size == sizeof(key)) return true; /* format 1 */
    if (value->mv_size != sizeof(store_name_value)) return false;
    memcpy(&key, value->mv_data, sizeof(key));
    const store_name_value expected = store_name_value_of(record, &key);
    return memcmp(value->mv_data, &expected, sizeof(expected)) == 0;
}

int store_name_parse(const MDB_val *key, const MDB_val *value, store_name_entry *out)
{
    const char *bytes = key->mv_data;
    if (key->mv_size < 2 + sizeof(*out->engine) || key->mv_size > STORE_NAME_KEY_SIZE_MAX ||
        !store_name_value_is_whole(key, value)) {
        return MDB_CORRUPTED;
    }
    const size_t size = key->mv_size - sizeof(*out->engine) - 1;
    if (strnlen(bytes, size + 1) != size) return MDB_CORRUPTED;
    out->name = bytes;
    out->engine = (const void *)(bytes + size + 1);
    out->key = value->mv_data;
    return MDB_SUCCESS;
}

int store_names_check(const store_environment *environment, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    store_name_entry entry;
    int status = mdb_cursor_open(txn, environment->names, &cursor);
    if (status != MDB_SUCCESS) return status;
    do {
        status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (status == MDB_SUCCESS) status = store_name_parse(&key, &value, &entry);
    } while (status == MDB_SUCCESS);
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

/* --- Writing
 * -------------------------------------------------------------------------------------------------
 */

int store_name_put(store_environment *environment, MDB_txn *txn, const char *name,
                   const snapcell_fingerprint *engine, const snapcell_key *key)
{
    uint8_t buffer[STORE_NAME_KEY_SIZE_MAX];
    MDB_val name_key = store_name_key(name, engine, buffer);
    store_name_value record = store_name_value_of(&name_key, key);
    MDB_val value;
    int status = mdb_get(txn, environment->names, &name_key, &value);
    if (status == MDB_SUCCESS && value.mv_size == sizeof(record) &&
        memcmp(value.mv_data, &record, sizeof(record)) == 0) {
        return MDB_SUCCESS;
    }
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return status;
    if (environment->format_version < STORE_FORMAT_VERSION_NAMES) {
        status = store_format_raise(txn, environment->meta, STORE_FORMAT_VERSION_NAMES);
        if (status != MDB_SUCCESS) return status;
    }
    value = (MDB_val){.mv_size = sizeof(record), .mv_data = &record};
    return mdb_put(txn, environment->names, &name_key, &value, 0);
}

int store_name_get(const store_environment *environment, MDB_txn *txn, const char *name,
                   const snapcell_fingerprint *engine, snapcell_key *out)
{
    uint8_t buffer[STORE_NAME_KEY_SIZE_MAX];
    MDB_val key = store_name_key(name, engine, buffer);
    MDB_val value;
    store_name_entry entry = {0};
    int status = mdb_get(txn, environment->names, &key, &value);
    if (status == MDB_SUCCESS) status = store_name_parse(&key, &value, &entry);
    if (status == MDB_SUCCESS) *out = *entry.key;
    return status;
}

int store_name_delete(const store_environment *environment, MDB_txn *txn, const char *name,
                      const snapcell_fingerprint *engine)
{
    uint8_t buffer[STORE_NAME_KEY_SIZE_MAX];
    MDB_val key = store_name_key(name, engine, buffer);
    return mdb_del(txn, environment->names, &key, NULL);
}

int store_name_exists(const store_environment *environment, MDB_txn *txn, const char *name,
                      bool *out)
{
    uint8_t buffer[STORE_NAME_KEY_SIZE_MAX];
    MDB_cursor *cursor;
    MDB_val value;
    store_name_entry entry = {0};
    MDB_val key = store_name_key(name, NULL, buffer);
    *out = false;
    int status = mdb_cursor_open(txn, environment->names, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (status == MDB_SUCCESS) status = store_name_parse(&key, &value, &entry);
    if (status == MDB_SUCCESS) *out = strcmp(entry.name, name) == 0;
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

typedef struct store_name_argument {
    const char *name;
    snapcell_key key;
} store_name_argument;

static int store_name_set_write(store_environment *environment, MDB_txn *txn, void *argument,
                                snapcell_error *err)
{
    const store_name_argument *set = argument;
    MDB_val key = {.mv_size = sizeof(set->key), .mv_data = (void *)(uintptr_t)&set->key};
    MDB_val artifact;
    artifact_view view;
    int status = mdb_get(txn, environment->artifacts, &key, &artifact);
    if (status == MDB_NOTFOUND) {
        char hex[SNAPCELL_KEY_HEX_SIZE];
        snapcell_key_format(&set->key, hex);
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "cannot name '%s': no artifact %s in the store %s", set->name, hex,
                         environment->path);
    }
    if (status != MDB_SUCCESS) return status;
    status = artifact_read(artifact.mv_data, artifact.mv_size, ARTIFACT_CHECK_CHECKSUM, &view, err);
    if (status != SNAPCELL_OK) return status;
    return store_name_put(environment, txn, set->name, &view.info.engine, &set->key);
}

int snapcell_store_name_set(snapcell_store *store, const char *name, const snapcell_key *key,
                            snapcell_error *err)
{
    if (name == NULL) return error_set(err, SNAPCELL_E_USAGE, "no name to set: NULL");
    int status = snapcell_name_check(name, err);
    if (status != SNAPCELL_OK) return status;
    store_name_argument set = {.name = name, .key = *key};
    return store_write(store, store_name_set_write, &set, "setting a name", err);
}

/* --- Removing
 * -------------------------------------------------------------------------------------------------
 */

typedef struct store_key_list {
    snapcell_key *keys; /* Owned */
    size_t count;
} store_key_list;

static int store_key_list_add(store_key_list *list, const snapcell_key *key)
{
    snapcell_key *keys = realloc(list->keys, (list->count + 1) * sizeof(*keys));
    if (keys == NULL) return ENOMEM;
    keys[list->count++] = *key;
    list->keys = keys;
    return MDB_SUCCESS;
}

static void store_key_list_drop(store_key_list *list, const snapcell_key *key)
{
    for (size_t i = 0; i < list->count;) {
        if (memcmp(&list->keys[i], key, sizeof(*key)) == 0) {
            list->keys[i] = list->keys[--list->count];
        } else {
            i++;
        }
    }
}

/* Removes the entries of `name`, and lists the keys that they held. */
static int store_name_remove_entries(MDB_cursor *cursor, const char *name, store_key_list *list)
{
    uint8_t buffer[STORE_NAME_KEY_SIZE_MAX];
    store_name_entry entry;
    MDB_val key = store_name_key(name, NULL, buffer);
    MDB_val value;
    int status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (status == MDB_SUCCESS) {
        status = store_name_parse(&key, &value, &entry);
        if (status != MDB_SUCCESS) return status;
        if (strcmp(entry.name, name) != 0) return MDB_SUCCESS;
        status = store_key_list_add(list, entry.key);
        if (status == MDB_SUCCESS) status = mdb_cursor_del(cursor, 0);
        if (status == MDB_SUCCESS) status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

/* Takes from the list what other names point to. */
static int store_name_keep_used(MDB_cursor *cursor, store_key_list *list)
{
    store_name_entry entry;
    MDB_val key;
    MDB_val value;
    int status = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (status == MDB_SUCCESS && list->count > 0) {
        status = store_name_parse(&key, &value, &entry);
        if (status != MDB_SUCCESS) return status;
        store_key_list_drop(list, entry.key);
        status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

/* Takes from the list what releases hold. */
static int store_name_keep_held(const store_environment *environment, MDB_txn *txn,
                                store_key_list *list)
{
    snapcell_key *held = NULL;
    size_t count = 0;
    const int status = store_release_keys(environment, txn, &held, &count);
    for (size_t i = 0; status == MDB_SUCCESS && i < count; i++) {
        store_key_list_drop(list, &held[i]);
    }
    free(held);
    return status;
}

static int store_remove_listed(const store_environment *environment, MDB_txn *txn,
                               const store_key_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        int status = store_artifact_delete(environment, txn, &list->keys[i]);
        /* Two engines may share a key, and then the second one finds nothing. */
        if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return status;
    }
    return MDB_SUCCESS;
}

static int store_remove_name_write(store_environment *environment, MDB_txn *txn, void *argument,
                                   snapcell_error *err)
{
    const char *name = argument;
    store_key_list list = {0};
    MDB_cursor *cursor;
    int status = store_release_check_name(environment, txn, name, err);
    if (status != MDB_SUCCESS) return status;
    status = mdb_cursor_open(txn, environment->names, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = store_name_remove_entries(cursor, name, &list);
    if (status == MDB_SUCCESS && list.count == 0) {
        status = error_set(err, SNAPCELL_E_NOT_FOUND, "no function '%s' in the store %s", name,
                           environment->path);
    }
    if (status == MDB_SUCCESS) status = store_name_keep_used(cursor, &list);
    mdb_cursor_close(cursor);
    if (status == MDB_SUCCESS) status = store_name_keep_held(environment, txn, &list);
    if (status == MDB_SUCCESS) status = store_remove_listed(environment, txn, &list);
    free(list.keys);
    return status;
}

int snapcell_store_remove_name(snapcell_store *store, const char *name, snapcell_error *err)
{
    if (name == NULL) return error_set(err, SNAPCELL_E_USAGE, "no name to remove: NULL");
    if (strnlen(name, SNAPCELL_NAME_SIZE_MAX + 1) > SNAPCELL_NAME_SIZE_MAX) {
        return error_set(err, SNAPCELL_E_NOT_FOUND, "no function '%.40s...' in the store %s", name,
                         store->environment->path);
    }
    return store_write(store, store_remove_name_write, (void *)(uintptr_t)name, "removing a name",
                       err);
}

/* --- Listing
 * -------------------------------------------------------------------------------------------------
 */

static int store_walk_names(const store_environment *environment, MDB_cursor *cursor,
                            snapcell_store_name_fn *each, void *user, snapcell_error *err)
{
    store_name_entry entry;
    MDB_val key;
    MDB_val value;
    int status;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        status = store_name_parse(&key, &value, &entry);
        if (status != MDB_SUCCESS) break;
        const snapcell_store_name public_entry = {
            .name = entry.name, .engine = *entry.engine, .key = *entry.key};
        int said = each(user, &public_entry);
        if (said != 0) return said;
    }
    if (status == MDB_NOTFOUND) return SNAPCELL_OK;
    return store_error(environment, status, "listing names", err);
}

int snapcell_store_each_name(snapcell_store *store, snapcell_store_name_fn *each, void *user,
                             snapcell_error *err)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    store_environment *environment = store->environment;
    int status = store_listing_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = mdb_cursor_open(txn, environment->names, &cursor);
    if (status == MDB_SUCCESS) {
        status = store_walk_names(environment, cursor, each, user, err);
        mdb_cursor_close(cursor);
    } else {
        status = store_error(environment, status, "listing names", err);
    }
    store_listing_end(environment, txn);
    return status;
}
