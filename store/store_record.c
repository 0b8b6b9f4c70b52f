#include "store_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "artifact_layout.h"

#define CHECKSUM_SIZE sizeof(XXH64_canonical_t)

void record_writer_release(record_writer *writer)
{
    free(writer->data);
}

void record_add_bytes(record_writer *writer, const void *bytes, size_t size_bytes)
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

void record_add_number(record_writer *writer, size_t size_bytes, uint64_t value)
{
    uint8_t bytes[8];
    le_set(bytes, size_bytes, value);
    record_add_bytes(writer, bytes, size_bytes);
}

void record_add_text(record_writer *writer, const char *text)
{
    const size_t size = strlen(text);
    record_add_number(writer, 2, size);
    record_add_bytes(writer, text, size);
}

static const uint8_t *record_take_bytes(record_reader *reader, size_t size_bytes)
{
    const uint8_t *at = reader->at;
    if ((size_t)(reader->end - reader->at) < size_bytes) reader->failed = true;
    if (reader->failed) return NULL;
    reader->at += size_bytes;
    return at;
}

uint64_t record_take_number(record_reader *reader, size_t size_bytes)
{
    const uint8_t *bytes = record_take_bytes(reader, size_bytes);
    return bytes != NULL ? le_get(bytes, size_bytes) : 0;
}

void record_take_into(record_reader *reader, void *out, size_t size_bytes)
{
    const uint8_t *bytes = record_take_bytes(reader, size_bytes);
    if (bytes != NULL) memcpy(out, bytes, size_bytes);
}

void record_take_text(record_reader *reader, char *out, size_t capacity_bytes)
{
    const size_t size = (size_t)record_take_number(reader, 2);
    if (size >= capacity_bytes) reader->failed = true;
    const uint8_t *bytes = record_take_bytes(reader, size);
    out[0] = '\0';
    if (bytes == NULL) return;
    memcpy(out, bytes, size);
    out[size] = '\0';
    if (strlen(out) != size) reader->failed = true;
}

size_t record_take_count(record_reader *reader, size_t item_size_bytes)
{
    const uint64_t count = record_take_number(reader, 4);
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

int record_put(store_environment *environment, MDB_txn *txn, MDB_val *key, record_writer *writer)
{
    XXH64_canonical_t checksum;
    if (writer->failed) return ENOMEM;
    checksum_of(key, writer->data, writer->size_bytes, &checksum);
    record_add_bytes(writer, checksum.digest, sizeof(checksum.digest));
    if (writer->failed) return ENOMEM;
    MDB_val value = {.mv_size = writer->size_bytes, .mv_data = writer->data};
    return mdb_put(txn, environment->meta, key, &value, 0);
}

int record_open(const MDB_val *key, const MDB_val *value, record_reader *out)
{
    XXH64_canonical_t checksum;
    if (value->mv_size < CHECKSUM_SIZE) return MDB_CORRUPTED;
    const size_t size = value->mv_size - CHECKSUM_SIZE;
    *out = (record_reader){.at = value->mv_data, .end = (const uint8_t *)value->mv_data + size};
    checksum_of(key, out->at, size, &checksum);
    return memcmp(out->end, checksum.digest, sizeof(checksum.digest)) == 0 ? MDB_SUCCESS
                                                                           : MDB_CORRUPTED;
}

int record_get(const store_environment *environment, MDB_txn *txn, MDB_val *key, record_reader *out)
{
    MDB_val value;
    const int status = mdb_get(txn, environment->meta, key, &value);
    return status == MDB_SUCCESS ? record_open(key, &value, out) : status;
}

bool record_is_read(const record_reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}

void record_number_key(uint8_t out[8], uint64_t number)
{
    for (size_t i = 0; i < sizeof(number); i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}
