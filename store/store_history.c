/* The histories of names: a record for each change, under the name and a number that counts on. */
#include "store_history.h"

#include <stdio.h>
#include <string.h>

#include "error_set.h"
#include "store_record.h"

#define HISTORY_PREFIX "history:"
#define HISTORY_PREFIX_SIZE (sizeof(HISTORY_PREFIX) - 1)
#define HISTORY_NUMBER_SIZE sizeof(uint64_t)

typedef struct history_key {
    uint8_t bytes[HISTORY_PREFIX_SIZE + SNAPCELL_NAME_SIZE_MAX + 1 + HISTORY_NUMBER_SIZE];
} history_key;

static MDB_val history_key_of(const char *name, uint64_t number, history_key *buffer)
{
    const size_t size = strnlen(name, SNAPCELL_NAME_SIZE_MAX);
    uint8_t *at = buffer->bytes;
    memcpy(at, HISTORY_PREFIX, HISTORY_PREFIX_SIZE);
    at += HISTORY_PREFIX_SIZE;
    memcpy(at, name, size);
    at[size] = 0;
    record_number_key(at + size + 1, number);
    return (MDB_val){.mv_size = HISTORY_PREFIX_SIZE + size + 1 + HISTORY_NUMBER_SIZE,
                     .mv_data = buffer->bytes};
}

/* The name in a record's key. False when it is none of a history. */
static bool history_key_read(const MDB_val *key, const char **out_name, uint64_t *out_number)
{
    const uint8_t *bytes = key->mv_data;
    if (key->mv_size < HISTORY_PREFIX_SIZE + 1 + HISTORY_NUMBER_SIZE ||
        memcmp(bytes, HISTORY_PREFIX, HISTORY_PREFIX_SIZE) != 0)
        return false;
    const size_t size = key->mv_size - HISTORY_PREFIX_SIZE - 1 - HISTORY_NUMBER_SIZE;
    *out_name = (const char *)bytes + HISTORY_PREFIX_SIZE;
    if (size > SNAPCELL_NAME_SIZE_MAX || strnlen(*out_name, size + 1) != size) return false;
    *out_number = 0;
    for (size_t i = 0; i < HISTORY_NUMBER_SIZE; i++)
        *out_number = *out_number << 8 | bytes[key->mv_size - HISTORY_NUMBER_SIZE + i];
    return true;
}

/* --- Adding --- */

/* Cut at a character's end. */
static void history_cut(const char *text, size_t size_max, char *out)
{
    size_t size = text == NULL ? 0 : strnlen(text, size_max + 1);
    if (size > size_max) {
        size = size_max;
        while (size > 0 && ((uint8_t)text[size] & 0xC0) == 0x80) {
            size--;
        }
    }
    if (size > 0) memcpy(out, text, size);
    out[size] = '\0';
}

/* What the next record of a name is called. */
static int history_next(const store_environment *environment, MDB_txn *txn, const char *name,
                        uint64_t *out)
{
    MDB_cursor *cursor;
    MDB_val value;
    history_key buffer = {{0}};
    const char *found;
    uint64_t number;
    MDB_val key = history_key_of(name, UINT64_MAX, &buffer);
    *out = 0;
    int status = mdb_cursor_open(txn, environment->meta, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    status = mdb_cursor_get(cursor, &key, &value, status == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    if (status == MDB_SUCCESS && history_key_read(&key, &found, &number) &&
        strcmp(found, name) == 0)
        *out = number + 1;
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

int store_history_add(store_environment *environment, MDB_txn *txn, const char *name,
                      const snapcell_history_event *event)
{
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    char origin[SNAPCELL_HISTORY_ORIGIN_SIZE_MAX + 1];
    uint64_t number;
    history_key buffer = {{0}};
    record_writer cleanup_record_writer writer = {0};
    int status = history_next(environment, txn, name, &number);
    if (status != MDB_SUCCESS) return status;
    history_cut(event->who, sizeof(who) - 1, who);
    history_cut(event->origin, sizeof(origin) - 1, origin);
    record_add_number(&writer, 1, event->action);
    record_add_number(&writer, 8, (uint64_t)event->time_s);
    record_add_text(&writer, who);
    record_add_text(&writer, origin);
    record_add_bytes(&writer, &event->engine, sizeof(event->engine));
    record_add_bytes(&writer, &event->from, sizeof(event->from));
    record_add_bytes(&writer, &event->to, sizeof(event->to));
    MDB_val key = history_key_of(name, number, &buffer);
    status = record_put(environment, txn, &key, &writer);
    if (status != MDB_SUCCESS || number < SNAPCELL_HISTORY_COUNT_MAX) return status;
    key = history_key_of(name, number - SNAPCELL_HISTORY_COUNT_MAX, &buffer);
    status = mdb_del(txn, environment->meta, &key, NULL);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

/* --- Reading --- */

typedef struct history_texts {
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    char origin[SNAPCELL_HISTORY_ORIGIN_SIZE_MAX + 1];
} history_texts;

static int history_read(const MDB_val *key, const MDB_val *value, history_texts *texts,
                        snapcell_history_event *out)
{
    record_reader reader;
    const int status = record_open(key, value, &reader);
    if (status != MDB_SUCCESS) return status;
    out->action = (snapcell_history_action)record_take_number(&reader, 1);
    out->time_s = (int64_t)record_take_number(&reader, 8);
    record_take_text(&reader, texts->who, sizeof(texts->who));
    record_take_text(&reader, texts->origin, sizeof(texts->origin));
    record_take_into(&reader, &out->engine, sizeof(out->engine));
    record_take_into(&reader, &out->from, sizeof(out->from));
    record_take_into(&reader, &out->to, sizeof(out->to));
    out->who = texts->who;
    out->origin = texts->origin;
    return record_is_read(&reader) ? MDB_SUCCESS : MDB_CORRUPTED;
}

/* `name` NULL: of all names. */
static int history_walk(const store_environment *environment, MDB_txn *txn, const char *name,
                        snapcell_history_fn *each, void *user, int *said)
{
    MDB_cursor *cursor;
    MDB_val value;
    history_key buffer = {{0}};
    const char *found;
    uint64_t number;
    MDB_val key = history_key_of(name != NULL ? name : "", 0, &buffer);
    if (name == NULL) key.mv_size = HISTORY_PREFIX_SIZE;
    *said = 0;
    int status = mdb_cursor_open(txn, environment->meta, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (status == MDB_SUCCESS && *said == 0 && history_key_read(&key, &found, &number) &&
           (name == NULL || strcmp(found, name) == 0)) {
        history_texts texts;
        snapcell_history_event event;
        status = history_read(&key, &value, &texts, &event);
        if (status == MDB_SUCCESS && each != NULL) *said = each(user, &event);
        if (status == MDB_SUCCESS) status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

int store_history_check(const store_environment *environment, MDB_txn *txn)
{
    int said;
    return history_walk(environment, txn, NULL, NULL, NULL, &said);
}

int snapcell_history_each(snapcell_store *store, const char *name, snapcell_history_fn *each,
                          void *user, snapcell_error *err)
{
    MDB_txn *txn;
    int said = 0;
    store_environment *environment = store->environment;
    if (name == NULL) return error_set(err, SNAPCELL_E_USAGE, "no name: NULL");
    int status = snapcell_name_check(name, err);
    if (status == SNAPCELL_OK) status = store_listing_begin(environment, &txn, err);
    if (status != SNAPCELL_OK) return status;
    status = history_walk(environment, txn, name, each, user, &said);
    store_listing_end(environment, txn);
    if (status != MDB_SUCCESS) return store_error(environment, status, "reading a history", err);
    return said;
}

/* --- Dropping --- */

int store_history_expire(const store_environment *environment, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val value;
    const char *name;
    uint64_t number;
    MDB_val key = {.mv_size = HISTORY_PREFIX_SIZE, .mv_data = (char *){HISTORY_PREFIX}};
    int status = mdb_cursor_open(txn, environment->meta, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (status == MDB_SUCCESS && history_key_read(&key, &name, &number)) {
        bool is_there = false;
        status = store_name_exists(environment, txn, name, &is_there);
        if (status == MDB_SUCCESS && !is_there) status = mdb_cursor_del(cursor, 0);
        if (status == MDB_SUCCESS) status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}
