/* Records of releases. */
#include "store_record.h"
#include "store_releases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define RELEASE_PREFIX "release:"
#define EVENT_PREFIX "event:"
#define STATE_KEY "releases"

/* Programs that know nothing of releases must not collect what they hold. */
static int release_record_put(store_environment *environment, MDB_txn *txn, MDB_val *key,
                              record_writer *writer)
{
    const int status = store_format_raise(txn, environment->meta, STORE_FORMAT_VERSION_RELEASES);
    return status == MDB_SUCCESS ? record_put(environment, txn, key, writer) : status;
}

/* --- A release --- */

typedef struct release_key {
    char text[sizeof(RELEASE_PREFIX) + SNAPCELL_RELEASE_NAME_SIZE_MAX];
} release_key;

static MDB_val release_key_of(const char *name, release_key *buffer)
{
    (void)snprintf(buffer->text, sizeof(buffer->text), RELEASE_PREFIX "%s", name);
    return (MDB_val){.mv_size = strlen(buffer->text), .mv_data = buffer->text};
}

void store_release_release(store_release *release)
{
    free(release->items);
    release->items = NULL;
    release->count = 0;
}

static int release_read(const MDB_val *key, record_reader *reader, store_release *out)
{
    const size_t prefix = strlen(RELEASE_PREFIX);
    memset(out, 0, sizeof(*out));
    if (key->mv_size <= prefix || key->mv_size - prefix >= sizeof(out->name)) return MDB_CORRUPTED;
    memcpy(out->name, (const char *)key->mv_data + prefix, key->mv_size - prefix);
    out->pinned = (record_take_number(reader, 1) & 1) != 0;
    out->created_s = (int64_t)record_take_number(reader, 8);
    record_take_text(reader, out->who, sizeof(out->who));
    const size_t count =
        record_take_count(reader, 2 + sizeof(snapcell_key) + sizeof(snapcell_fingerprint));
    if (reader->failed) return MDB_CORRUPTED;
    out->items = calloc(count + 1, sizeof(*out->items));
    if (out->items == NULL) return ENOMEM;
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        record_take_text(reader, out->items[i].name, sizeof(out->items[i].name));
        record_take_into(reader, &out->items[i].engine, sizeof(out->items[i].engine));
        record_take_into(reader, &out->items[i].key, sizeof(out->items[i].key));
    }
    if (record_is_read(reader)) return MDB_SUCCESS;
    store_release_release(out);
    return MDB_CORRUPTED;
}

int store_release_get(const store_environment *environment, MDB_txn *txn, const char *name,
                      store_release *out)
{
    release_key buffer = {{0}};
    record_reader reader;
    MDB_val key = release_key_of(name, &buffer);
    memset(out, 0, sizeof(*out));
    const int status = record_get(environment, txn, &key, &reader);
    return status == MDB_SUCCESS ? release_read(&key, &reader, out) : status;
}

int store_release_put(store_environment *environment, MDB_txn *txn, const store_release *release)
{
    release_key buffer = {{0}};
    record_writer cleanup_record_writer writer = {0};
    MDB_val key = release_key_of(release->name, &buffer);
    record_add_number(&writer, 1, release->pinned ? 1 : 0);
    record_add_number(&writer, 8, (uint64_t)release->created_s);
    record_add_text(&writer, release->who);
    record_add_number(&writer, 4, release->count);
    for (size_t i = 0; i < release->count; i++) {
        record_add_text(&writer, release->items[i].name);
        record_add_bytes(&writer, &release->items[i].engine, sizeof(release->items[i].engine));
        record_add_bytes(&writer, &release->items[i].key, sizeof(release->items[i].key));
    }
    return release_record_put(environment, txn, &key, &writer);
}

int store_release_delete(const store_environment *environment, MDB_txn *txn, const char *name)
{
    release_key buffer = {{0}};
    MDB_val key = release_key_of(name, &buffer);
    return mdb_del(txn, environment->meta, &key, NULL);
}

/* --- What concerns all of them --- */

int store_release_state_get(const store_environment *environment, MDB_txn *txn,
                            store_release_state *out)
{
    record_reader reader;
    MDB_val key = {.mv_size = strlen(STATE_KEY), .mv_data = (char *){STATE_KEY}};
    memset(out, 0, sizeof(*out));
    const int status = record_get(environment, txn, &key, &reader);
    if (status == MDB_NOTFOUND) return MDB_SUCCESS;
    if (status != MDB_SUCCESS) return status;
    out->policy.keep_count = (uint32_t)record_take_number(&reader, 4);
    out->policy.keep_seconds = record_take_number(&reader, 8);
    out->event_count = record_take_number(&reader, 8);
    out->depth = record_take_count(&reader, 2);
    if (out->depth > STORE_RELEASE_STACK_MAX) return MDB_CORRUPTED;
    for (size_t i = 0; i < out->depth; i++)
        record_take_text(&reader, out->stack[i], sizeof(out->stack[i]));
    return record_is_read(&reader) ? MDB_SUCCESS : MDB_CORRUPTED;
}

int store_release_state_put(store_environment *environment, MDB_txn *txn,
                            const store_release_state *state)
{
    record_writer cleanup_record_writer writer = {0};
    MDB_val key = {.mv_size = strlen(STATE_KEY), .mv_data = (char *){STATE_KEY}};
    record_add_number(&writer, 4, state->policy.keep_count);
    record_add_number(&writer, 8, state->policy.keep_seconds);
    record_add_number(&writer, 8, state->event_count);
    record_add_number(&writer, 4, state->depth);
    for (size_t i = 0; i < state->depth; i++)
        record_add_text(&writer, state->stack[i]);
    return release_record_put(environment, txn, &key, &writer);
}

/* --- Events --- */

typedef struct event_key {
    uint8_t bytes[sizeof(EVENT_PREFIX) - 1 + sizeof(uint64_t)];
} event_key;

/* The number is big-endian: the oldest comes first. */
static MDB_val event_key_of(uint64_t number, event_key *buffer)
{
    const size_t prefix = strlen(EVENT_PREFIX);
    memcpy(buffer->bytes, EVENT_PREFIX, prefix);
    record_number_key(buffer->bytes + prefix, number);
    return (MDB_val){.mv_size = sizeof(buffer->bytes), .mv_data = buffer->bytes};
}

int store_release_event_put(store_environment *environment, MDB_txn *txn,
                            store_release_state *state, const snapcell_release_event *event)
{
    event_key buffer;
    record_writer cleanup_record_writer writer = {0};
    MDB_val key = event_key_of(state->event_count, &buffer);
    record_add_number(&writer, 1, event->action);
    record_add_number(&writer, 8, (uint64_t)event->time_s);
    record_add_text(&writer, event->who);
    record_add_text(&writer, event->release);
    record_add_text(&writer, event->from);
    record_add_number(&writer, 4, event->change_count);
    for (size_t i = 0; i < event->change_count; i++) {
        record_add_text(&writer, event->changes[i].name);
        record_add_bytes(&writer, &event->changes[i].engine, sizeof(event->changes[i].engine));
        record_add_bytes(&writer, &event->changes[i].from, sizeof(event->changes[i].from));
        record_add_bytes(&writer, &event->changes[i].to, sizeof(event->changes[i].to));
    }
    int status = release_record_put(environment, txn, &key, &writer);
    if (status != MDB_SUCCESS || state->event_count++ < STORE_RELEASE_EVENTS_MAX) return status;
    key = event_key_of(state->event_count - 1 - STORE_RELEASE_EVENTS_MAX, &buffer);
    status = mdb_del(txn, environment->meta, &key, NULL);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

/* An event whose texts are here. */
typedef struct event_texts {
    char who[SNAPCELL_RELEASE_WHO_SIZE_MAX + 1];
    char release[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    char from[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    char (*names)[SNAPCELL_NAME_SIZE_MAX + 1]; /* Owned */
    snapcell_release_change *changes;          /* Owned */
} event_texts;

static void event_texts_release(event_texts *texts)
{
    free(texts->names);
    free(texts->changes);
}
#define cleanup_event_texts cleanup(event_texts_release)

static int event_read(record_reader *reader, event_texts *texts, snapcell_release_event *out)
{
    memset(out, 0, sizeof(*out));
    out->action = (snapcell_release_action)record_take_number(reader, 1);
    out->time_s = (int64_t)record_take_number(reader, 8);
    record_take_text(reader, texts->who, sizeof(texts->who));
    record_take_text(reader, texts->release, sizeof(texts->release));
    record_take_text(reader, texts->from, sizeof(texts->from));
    const size_t count =
        record_take_count(reader, 2 + 2 * sizeof(snapcell_key) + sizeof(snapcell_fingerprint));
    texts->names = calloc(count + 1, sizeof(*texts->names));
    texts->changes = calloc(count + 1, sizeof(*texts->changes));
    if (texts->names == NULL || texts->changes == NULL) return ENOMEM;
    for (size_t i = 0; i < count; i++) {
        record_take_text(reader, texts->names[i], sizeof(texts->names[i]));
        texts->changes[i].name = texts->names[i];
        record_take_into(reader, &texts->changes[i].engine, sizeof(texts->changes[i].engine));
        record_take_into(reader, &texts->changes[i].from, sizeof(texts->changes[i].from));
        record_take_into(reader, &texts->changes[i].to, sizeof(texts->changes[i].to));
    }
    out->who = texts->who;
    out->release = texts->release;
    out->from = texts->from;
    out->changes = texts->changes;
    out->change_count = count;
    return record_is_read(reader) ? MDB_SUCCESS : MDB_CORRUPTED;
}

/* --- Walks --- */

typedef struct record_walk {
    const char *prefix;
    int (*take)(const struct record_walk *walk, const MDB_val *key, record_reader *reader,
                int *said);
    store_release_each_fn *each;
    snapcell_release_event_fn *each_event;
    void *user;
} record_walk;

static int take_release(const record_walk *walk, const MDB_val *key, record_reader *reader,
                        int *said)
{
    store_release cleanup_store_release release = {0};
    const int status = release_read(key, reader, &release);
    if (status == MDB_SUCCESS) *said = walk->each(walk->user, &release);
    return status;
}

static int take_event(const record_walk *walk, const MDB_val *key, record_reader *reader, int *said)
{
    event_texts cleanup_event_texts texts = {0};
    snapcell_release_event event;
    (void)key;
    const int status = event_read(reader, &texts, &event);
    if (status == MDB_SUCCESS) *said = walk->each_event(walk->user, &event);
    return status;
}

static int walk_records(const store_environment *environment, MDB_txn *txn, const record_walk *walk,
                        int *said)
{
    MDB_cursor *cursor;
    MDB_val value;
    record_reader reader;
    const size_t prefix = strlen(walk->prefix);
    MDB_val key = {.mv_size = prefix, .mv_data = (char *)(uintptr_t)walk->prefix};
    *said = 0;
    int status = mdb_cursor_open(txn, environment->meta, &cursor);
    if (status != MDB_SUCCESS) return status;
    status = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (status == MDB_SUCCESS && *said == 0 && key.mv_size > prefix &&
           memcmp(key.mv_data, walk->prefix, prefix) == 0) {
        status = record_open(&key, &value, &reader);
        if (status == MDB_SUCCESS) status = walk->take(walk, &key, &reader, said);
        if (status == MDB_SUCCESS) status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? MDB_SUCCESS : status;
}

int store_release_walk(const store_environment *environment, MDB_txn *txn,
                       store_release_each_fn *each, void *user, int *said)
{
    const record_walk walk = {
        .prefix = RELEASE_PREFIX, .take = take_release, .each = each, .user = user};
    return walk_records(environment, txn, &walk, said);
}

int store_release_walk_events(const store_environment *environment, MDB_txn *txn,
                              snapcell_release_event_fn *each, void *user, int *said)
{
    const record_walk walk = {
        .prefix = EVENT_PREFIX, .take = take_event, .each_event = each, .user = user};
    return walk_records(environment, txn, &walk, said);
}

static int pass_release(void *user, store_release *release)
{
    (void)user;
    (void)release;
    return 0;
}

static int pass_event(void *user, const snapcell_release_event *event)
{
    (void)user;
    (void)event;
    return 0;
}

int store_releases_check(const store_environment *environment, MDB_txn *txn)
{
    int said = 0;
    store_release_state state;
    int status = store_release_state_get(environment, txn, &state);
    if (status == MDB_SUCCESS)
        status = store_release_walk(environment, txn, pass_release, NULL, &said);
    if (status == MDB_SUCCESS)
        status = store_release_walk_events(environment, txn, pass_event, NULL, &said);
    return status;
}
