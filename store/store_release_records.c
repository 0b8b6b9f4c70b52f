/* Records of releases. Numbers are little-endian; a text has its size before it, in 16 bits; the
 * last eight bytes are a checksum of all before them, seeded with one of the record's key. */
#include "store_releases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "artifact_layout.h"
#include "cleanup.h"

#define RELEASE_PREFIX "release:"
#define EVENT_PREFIX "event:"
#define STATE_KEY "releases"
#define CHECKSUM_SIZE sizeof(XXH64_canonical_t)

/* --- Bytes --- */

typedef struct record_writer {
    uint8_t *data; /* Owned */
    size_t size_bytes;
    size_t capacity_bytes;
    bool failed;
} record_writer;

typedef struct record_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} record_reader;

static void record_writer_release(record_writer *writer)
{
    free(writer->data);
}
#define cleanup_record_writer cleanup(record_writer_release)

static void put_bytes(record_writer *writer, const void *bytes, size_t size_bytes)
{
    const size_t size = writer->size_bytes + size_bytes;
    if (!writer->failed && size > writer->capacity_bytes) {
        const size_t capacity = 2 * size + 64;
        uint8_t *grown = realloc(writer->data, capacity);
        writer->failed = grown == NULL;
        if (grown != NULL) {
            writer->data = grown;
            writer->capacity_bytes = capacity;
        }
    }
    if (writer->failed) return;
    if (size_bytes > 0) memcpy(writer->data + writer->size_bytes, bytes, size_bytes);
    writer->size_bytes = size;
}

static void put_number(record_writer *writer, size_t size_bytes, uint64_t value)
{
    uint8_t bytes[8];
    le_set(bytes, size_bytes, value);
    put_bytes(writer, bytes, size_bytes);
}

static void put_text(record_writer *writer, const char *text)
{
    const size_t size = strlen(text);
    put_number(writer, 2, size);
    put_bytes(writer, text, size);
}

static const uint8_t *get_bytes(record_reader *reader, size_t size_bytes)
{
    const uint8_t *at = reader->at;
    if ((size_t)(reader->end - reader->at) < size_bytes) reader->failed = true;
    if (reader->failed) return NULL;
    reader->at += size_bytes;
    return at;
}

static uint64_t get_number(record_reader *reader, size_t size_bytes)
{
    const uint8_t *bytes = get_bytes(reader, size_bytes);
    return bytes != NULL ? le_get(bytes, size_bytes) : 0;
}

static void get_into(record_reader *reader, void *out, size_t size_bytes)
{
    const uint8_t *bytes = get_bytes(reader, size_bytes);
    if (bytes != NULL) memcpy(out, bytes, size_bytes);
}

static void get_text(record_reader *reader, char *out, size_t capacity_bytes)
{
    const size_t size = (size_t)get_number(reader, 2);
    if (size >= capacity_bytes) reader->failed = true;
    const uint8_t *bytes = get_bytes(reader, size);
    out[0] = '\0';
    if (bytes == NULL) return;
    memcpy(out, bytes, size);
    out[size] = '\0';
    if (strlen(out) != size) reader->failed = true;
}

static size_t get_count(record_reader *reader, size_t item_size_bytes)
{
    const uint64_t count = get_number(reader, 4);
    if (count > (size_t)(reader->end - reader->at) / item_size_bytes) reader->failed = true;
    return reader->failed ? 0 : (size_t)count;
}

/* --- Records --- */

static void checksum_of(const MDB_val *key, const void *bytes, size_t size_bytes,
                        XXH64_canonical_t *out)
{
    const XXH64_hash_t seed = XXH3_64bits(key->mv_data, key->mv_size);
    XXH64_canonicalFromHash(out, XXH3_64bits_withSeed(bytes, size_bytes, seed));
}

static int record_put(store_environment *environment, MDB_txn *txn, MDB_val *key,
                      record_writer *writer)
{
    XXH64_canonical_t checksum;
    if (writer->failed) return ENOMEM;
    checksum_of(key, writer->data, writer->size_bytes, &checksum);
    put_bytes(writer, checksum.digest, sizeof(checksum.digest));
    if (writer->failed) return ENOMEM;
    MDB_val value = {.mv_size = writer->size_bytes, .mv_data = writer->data};
    const int status = store_format_raise(txn, environment->meta, STORE_FORMAT_VERSION_RELEASES);
    return status == MDB_SUCCESS ? mdb_put(txn, environment->meta, key, &value, 0) : status;
}

static int record_open(const MDB_val *key, const MDB_val *value, record_reader *out)
{
    XXH64_canonical_t checksum;
    if (value->mv_size < CHECKSUM_SIZE) return MDB_CORRUPTED;
    const size_t size = value->mv_size - CHECKSUM_SIZE;
    *out = (record_reader){.at = value->mv_data, .end = (const uint8_t *)value->mv_data + size};
    checksum_of(key, out->at, size, &checksum);
    return memcmp(out->end, checksum.digest, sizeof(checksum.digest)) == 0 ? MDB_SUCCESS
                                                                           : MDB_CORRUPTED;
}

static int record_get(const store_environment *environment, MDB_txn *txn, MDB_val *key,
                      record_reader *out)
{
    MDB_val value;
    const int status = mdb_get(txn, environment->meta, key, &value);
    return status == MDB_SUCCESS ? record_open(key, &value, out) : status;
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
    out->pinned = (get_number(reader, 1) & 1) != 0;
    out->created_s = (int64_t)get_number(reader, 8);
    get_text(reader, out->who, sizeof(out->who));
    const size_t count = get_count(reader, 2 + sizeof(snapcell_key) + sizeof(snapcell_fingerprint));
    if (reader->failed) return MDB_CORRUPTED;
    out->items = calloc(count + 1, sizeof(*out->items));
    if (out->items == NULL) return ENOMEM;
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        get_text(reader, out->items[i].name, sizeof(out->items[i].name));
        get_into(reader, &out->items[i].engine, sizeof(out->items[i].engine));
        get_into(reader, &out->items[i].key, sizeof(out->items[i].key));
    }
    if (!reader->failed && reader->at == reader->end) return MDB_SUCCESS;
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
    put_number(&writer, 1, release->pinned ? 1 : 0);
    put_number(&writer, 8, (uint64_t)release->created_s);
    put_text(&writer, release->who);
    put_number(&writer, 4, release->count);
    for (size_t i = 0; i < release->count; i++) {
        put_text(&writer, release->items[i].name);
        put_bytes(&writer, &release->items[i].engine, sizeof(release->items[i].engine));
        put_bytes(&writer, &release->items[i].key, sizeof(release->items[i].key));
    }
    return record_put(environment, txn, &key, &writer);
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
    out->policy.keep_count = (uint32_t)get_number(&reader, 4);
    out->policy.keep_seconds = get_number(&reader, 8);
    out->event_count = get_number(&reader, 8);
    out->depth = get_count(&reader, 2);
    if (out->depth > STORE_RELEASE_STACK_MAX) return MDB_CORRUPTED;
    for (size_t i = 0; i < out->depth; i++)
        get_text(&reader, out->stack[i], sizeof(out->stack[i]));
    return !reader.failed && reader.at == reader.end ? MDB_SUCCESS : MDB_CORRUPTED;
}

int store_release_state_put(store_environment *environment, MDB_txn *txn,
                            const store_release_state *state)
{
    record_writer cleanup_record_writer writer = {0};
    MDB_val key = {.mv_size = strlen(STATE_KEY), .mv_data = (char *){STATE_KEY}};
    put_number(&writer, 4, state->policy.keep_count);
    put_number(&writer, 8, state->policy.keep_seconds);
    put_number(&writer, 8, state->event_count);
    put_number(&writer, 4, state->depth);
    for (size_t i = 0; i < state->depth; i++)
        put_text(&writer, state->stack[i]);
    return record_put(environment, txn, &key, &writer);
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
    for (size_t i = 0; i < sizeof(number); i++)
        buffer->bytes[prefix + i] = (uint8_t)(number >> (56 - 8 * i));
    return (MDB_val){.mv_size = sizeof(buffer->bytes), .mv_data = buffer->bytes};
}

int store_release_event_put(store_environment *environment, MDB_txn *txn,
                            store_release_state *state, const snapcell_release_event *event)
{
    event_key buffer;
    record_writer cleanup_record_writer writer = {0};
    MDB_val key = event_key_of(state->event_count, &buffer);
    put_number(&writer, 1, event->action);
    put_number(&writer, 8, (uint64_t)event->time_s);
    put_text(&writer, event->who);
    put_text(&writer, event->release);
    put_text(&writer, event->from);
    put_number(&writer, 4, event->change_count);
    for (size_t i = 0; i < event->change_count; i++) {
        put_text(&writer, event->changes[i].name);
        put_bytes(&writer, &event->changes[i].engine, sizeof(event->changes[i].engine));
        put_bytes(&writer, &event->changes[i].from, sizeof(event->changes[i].from));
        put_bytes(&writer, &event->changes[i].to, sizeof(event->changes[i].to));
    }
    int status = record_put(environment, txn, &key, &writer);
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
    out->action = (snapcell_release_action)get_number(reader, 1);
    out->time_s = (int64_t)get_number(reader, 8);
    get_text(reader, texts->who, sizeof(texts->who));
    get_text(reader, texts->release, sizeof(texts->release));
    get_text(reader, texts->from, sizeof(texts->from));
    const size_t count =
        get_count(reader, 2 + 2 * sizeof(snapcell_key) + sizeof(snapcell_fingerprint));
    texts->names = calloc(count + 1, sizeof(*texts->names));
    texts->changes = calloc(count + 1, sizeof(*texts->changes));
    if (texts->names == NULL || texts->changes == NULL) return ENOMEM;
    for (size_t i = 0; i < count; i++) {
        get_text(reader, texts->names[i], sizeof(texts->names[i]));
        texts->changes[i].name = texts->names[i];
        get_into(reader, &texts->changes[i].engine, sizeof(texts->changes[i].engine));
        get_into(reader, &texts->changes[i].from, sizeof(texts->changes[i].from));
        get_into(reader, &texts->changes[i].to, sizeof(texts->changes[i].to));
    }
    out->who = texts->who;
    out->release = texts->release;
    out->from = texts->from;
    out->changes = texts->changes;
    out->change_count = count;
    return !reader->failed && reader->at == reader->end ? MDB_SUCCESS : MDB_CORRUPTED;
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
