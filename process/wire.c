#include "wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they are");

/* --- Writing --- */

void wire_writer_release(wire_writer *writer)
{
    free(writer->data);
    *writer = (wire_writer){0};
}

static bool wire_grow(wire_writer *writer, size_t size_bytes)
{
    if (writer->failed) return false;
    size_t needed;
    if (__builtin_add_overflow(writer->size_bytes, size_bytes, &needed)) goto fail;
    if (writer->counts_only) return true;
    if (needed <= writer->capacity_bytes) return true;

    size_t capacity = writer->capacity_bytes < SIZE_MAX / 2 ? writer->capacity_bytes * 2 : needed;
    if (capacity < needed) capacity = needed;
    if (capacity < 64) capacity = 64;
    uint8_t *grown = realloc(writer->data, capacity);
    if (grown == NULL) goto fail;
    writer->data = grown;
    writer->capacity_bytes = capacity;
    return true;

fail:
    writer->failed = true;
    return false;
}

void wire_put_raw(wire_writer *writer, const void *data, size_t size_bytes)
{
    if (!wire_grow(writer, size_bytes) || size_bytes == 0) return;
    if (!writer->counts_only) memcpy(writer->data + writer->size_bytes, data, size_bytes);
    writer->size_bytes += size_bytes;
}

void wire_put_u8(wire_writer *writer, uint8_t value)
{
    wire_put_raw(writer, &value, sizeof(value));
}

void wire_put_u32(wire_writer *writer, uint32_t value)
{
    wire_put_raw(writer, &value, sizeof(value));
}

void wire_put_u64(wire_writer *writer, uint64_t value)
{
    wire_put_raw(writer, &value, sizeof(value));
}

void wire_put_double(wire_writer *writer, double value)
{
    wire_put_raw(writer, &value, sizeof(value));
}

void wire_put_bytes(wire_writer *writer, const void *data, size_t size_bytes)
{
    wire_put_u64(writer, size_bytes);
    wire_put_raw(writer, data, size_bytes);
    wire_put_u8(writer, 0);
}

void wire_put_string(wire_writer *writer, const char *string)
{
    wire_put_bytes(writer, string, strlen(string));
}

void wire_put_text(wire_writer *writer, const char *text)
{
    wire_put_u8(writer, text != NULL);
    if (text != NULL) wire_put_string(writer, text);
}

/* --- Reading --- */

wire_reader wire_reader_over(const void *data, size_t size_bytes)
{
    const uint8_t *start = data;
    return (wire_reader){.at = start, .end = start + size_bytes};
}

const void *wire_get_raw(wire_reader *reader, size_t size_bytes)
{
    if (reader->failed || (size_t)(reader->end - reader->at) < size_bytes) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *data = reader->at;
    reader->at += size_bytes;
    return data;
}

static void wire_copy(wire_reader *reader, void *out, size_t size_bytes)
{
    const void *data = wire_get_raw(reader, size_bytes);
    if (data == NULL)
        memset(out, 0, size_bytes);
    else
        memcpy(out, data, size_bytes);
}

uint8_t wire_get_u8(wire_reader *reader)
{
    uint8_t value;
    wire_copy(reader, &value, sizeof(value));
    return value;
}

uint32_t wire_get_u32(wire_reader *reader)
{
    uint32_t value;
    wire_copy(reader, &value, sizeof(value));
    return value;
}

uint64_t wire_get_u64(wire_reader *reader)
{
    uint64_t value;
    wire_copy(reader, &value, sizeof(value));
    return value;
}

double wire_get_double(wire_reader *reader)
{
    double value;
    wire_copy(reader, &value, sizeof(value));
    return value;
}

const char *wire_get_bytes(wire_reader *reader, size_t *size_bytes)
{
    *size_bytes = 0;
    uint64_t size = wire_get_u64(reader);
    const char *data = wire_get_raw(reader, size);
    uint8_t terminator = wire_get_u8(reader);
    if (reader->failed || terminator != 0) {
        reader->failed = true;
        return NULL;
    }
    *size_bytes = size;
    return data;
}

const char *wire_get_string(wire_reader *reader)
{
    size_t size_bytes;
    const char *string = wire_get_bytes(reader, &size_bytes);
    if (string == NULL || strlen(string) == size_bytes) return string;
    reader->failed = true;
    return NULL;
}

const char *wire_get_text(wire_reader *reader)
{
    uint8_t present = wire_get_u8(reader);
    if (present > 1) reader->failed = true;
    if (present != 1) return NULL;
    const char *text = wire_get_string(reader);
    if (text == NULL || u8_check((const uint8_t *)text, strlen(text)) == NULL) return text;
    reader->failed = true;
    return NULL;
}

uint32_t wire_get_count(wire_reader *reader, size_t item_size_bytes, uint32_t count_max)
{
    uint32_t count = wire_get_u32(reader);
    size_t left = (size_t)(reader->end - reader->at);
    if (reader->failed || count > count_max || count > left / item_size_bytes) {
        reader->failed = true;
        return 0;
    }
    return count;
}

bool wire_reader_done(const wire_reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}
