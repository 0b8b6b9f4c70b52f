/* Bytes of a message: fixed-width little-endian fields, texts with their size in front and a zero
 * after them. Internal. */
#ifndef SNAPCELL_WIRE_H
#define SNAPCELL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/* Collects bytes. Once something failed (no memory), nothing more is written and `failed` stays.
 * Zeroed is empty; wire_writer_release() ends it. */
typedef struct wire_writer {
    uint8_t *data; /* Owned */
    size_t size_bytes;
    size_t capacity_bytes;
    bool counts_only; /* set when only the size is wanted: nothing is kept */
    bool failed;
} wire_writer;

void wire_writer_release(wire_writer *writer);
#define cleanup_writer cleanup(wire_writer_release)
void wire_put_u8(wire_writer *writer, uint8_t value);
void wire_put_u32(wire_writer *writer, uint32_t value);
void wire_put_u64(wire_writer *writer, uint64_t value);
void wire_put_double(wire_writer *writer, double value);
void wire_put_raw(wire_writer *writer, const void *data, size_t size_bytes);
/* Size, bytes, and a zero. */
void wire_put_bytes(wire_writer *writer, const void *data, size_t size_bytes);
void wire_put_string(wire_writer *writer, const char *string);
/* As wire_put_string, of UTF-8, or NULL; NULL is kept apart from "". */
void wire_put_text(wire_writer *writer, const char *text);

/* Reads what a writer wrote, from bytes that nobody vouches for. Once something failed (bytes
 * missing, a size that lies), every read gives zero and `failed` stays. */
typedef struct wire_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} wire_reader;

wire_reader wire_reader_over(const void *data, size_t size_bytes);
uint8_t wire_get_u8(wire_reader *reader);
uint32_t wire_get_u32(wire_reader *reader);
uint64_t wire_get_u64(wire_reader *reader);
double wire_get_double(wire_reader *reader);
/* `size_bytes` bytes in place, or NULL. */
const void *wire_get_raw(wire_reader *reader, size_t size_bytes);
/* Bytes in place with a zero after them, or NULL. */
const char *wire_get_bytes(wire_reader *reader, size_t *size_bytes);
/* As wire_get_bytes, without a zero among them: what was written of a string, of any encoding. */
const char *wire_get_string(wire_reader *reader);
/* Zero-terminated UTF-8 without a zero in it, in place; NULL where NULL was written. */
const char *wire_get_text(wire_reader *reader);
/* A number of things that take at least `item_size_bytes` each: fails when they cannot be there. */
uint32_t wire_get_count(wire_reader *reader, size_t item_size_bytes, uint32_t count_max);
/* True when all was read, without failure. */
bool wire_reader_done(const wire_reader *reader);

#endif
