/* Records in the database "meta": their bytes. Numbers are little-endian; a text has its size
 * before it, in 16 bits; the last eight bytes are a checksum of all before them, seeded with one of
 * the record's key. Internal to store/. */
#ifndef SNAPCELL_STORE_RECORD_H
#define SNAPCELL_STORE_RECORD_H

#include "cleanup.h"
#include "store_internal.h"

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

void record_writer_release(record_writer *writer);
#define cleanup_record_writer cleanup(record_writer_release)

void record_add_bytes(record_writer *writer, const void *bytes, size_t size_bytes);
void record_add_number(record_writer *writer, size_t size_bytes, uint64_t value);
void record_add_text(record_writer *writer, const char *text);

/* A reader that failed gives zeros and empty texts. */
uint64_t record_take_number(record_reader *reader, size_t size_bytes);
void record_take_into(record_reader *reader, void *out, size_t size_bytes);
void record_take_text(record_reader *reader, char *out, size_t capacity_bytes);
/* A count of items that take so many bytes at least. */
size_t record_take_count(record_reader *reader, size_t item_size_bytes);
bool record_is_read(const record_reader *reader);

/* LMDB's codes; MDB_CORRUPTED when the checksum does not fit. */
int record_put(store_environment *environment, MDB_txn *txn, MDB_val *key, record_writer *writer);
int record_open(const MDB_val *key, const MDB_val *value, record_reader *out);
int record_get(const store_environment *environment, MDB_txn *txn, MDB_val *key,
               record_reader *out);
/* Big-endian, so that numbered records are in order. */
void record_number_key(uint8_t out[8], uint64_t number);

#endif
