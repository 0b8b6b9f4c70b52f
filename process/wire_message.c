#include "wire_message.h"

#include <string.h>
#include <unistr.h>

/* "SNCW", as bytes. */
#define HEADER_MAGIC UINT32_C(0x57434e53)

/* --- Headers --- */

void wire_header_write(const wire_header *header, uint8_t out[WIRE_HEADER_SIZE])
{
    uint32_t magic = HEADER_MAGIC;
    uint64_t size = header->body_size_bytes;
    memcpy(out, &magic, sizeof(magic));
    memcpy(out + 4, &header->type, sizeof(header->type));
    memcpy(out + 8, &size, sizeof(size));
}

bool wire_header_read(const uint8_t data[WIRE_HEADER_SIZE], wire_size_max_fn *size_max,
                      wire_header *out)
{
    wire_reader reader = wire_reader_over(data, WIRE_HEADER_SIZE);
    uint32_t magic = wire_get_u32(&reader);
    uint32_t type = wire_get_u32(&reader);
    uint64_t size = wire_get_u64(&reader);
    if (magic != HEADER_MAGIC || size == 0 || size > size_max(type)) return false;
    *out = (wire_header){type, size};
    return true;
}

/* --- Hello --- */

void wire_hello_write(wire_writer *writer, uint32_t magic, const wire_hello *hello)
{
    wire_put_u32(writer, magic);
    wire_put_u32(writer, hello->protocol_version);
    wire_put_raw(writer, hello->engine.bytes, sizeof(hello->engine.bytes));
}

bool wire_hello_read(const void *body, size_t size_bytes, uint32_t magic, uint32_t version,
                     wire_hello *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    if (wire_get_u32(&reader) != magic) return false;
    out->protocol_version = wire_get_u32(&reader);
    const void *engine = wire_get_raw(&reader, sizeof(out->engine.bytes));
    if (engine == NULL) return false;
    memcpy(out->engine.bytes, engine, sizeof(out->engine.bytes));
    /* Later versions may say more; that they are later is what the reader has to know. */
    return out->protocol_version != version || wire_reader_done(&reader);
}

/* --- Console output --- */

void wire_log_write(wire_writer *writer, const wire_log *log)
{
    wire_put_u32(writer, log->level);
    wire_put_bytes(writer, log->text, log->text_size_bytes);
}

bool wire_log_read(const void *body, size_t size_bytes, wire_log *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    uint32_t level = wire_get_u32(&reader);
    out->level = (snapcell_log_level)level;
    out->text = wire_get_bytes(&reader, &out->text_size_bytes);
    return wire_reader_done(&reader) && level <= SNAPCELL_LOG_ERROR &&
           u8_check((const uint8_t *)out->text, out->text_size_bytes) == NULL;
}

/* --- Errors --- */

void wire_error_write(wire_writer *writer, const snapcell_error *error)
{
    wire_put_u32(writer, (uint32_t)error->code);
    wire_put_u32(writer, error->line);
    wire_put_u32(writer, error->column);
    wire_put_bytes(writer, error->file, strlen(error->file));
    wire_put_bytes(writer, error->message, strlen(error->message));
    wire_put_bytes(writer, error->stack, strlen(error->stack));
}

/* An error must come through, even one whose text is not quite UTF-8. */
static void wire_error_field(wire_reader *reader, char *out, size_t capacity_bytes)
{
    size_t size;
    const char *text = wire_get_bytes(reader, &size);
    if (text == NULL || size >= capacity_bytes || memchr(text, 0, size) != NULL) {
        reader->failed = true;
        return;
    }
    memcpy(out, text, size + 1);
    const uint8_t *bad;
    while ((bad = u8_check((const uint8_t *)out, size)) != NULL)
        out[bad - (const uint8_t *)out] = '?';
}

/* One of the codes that there are, and not "done". */
static bool wire_is_error(int32_t code)
{
    switch (code) {
#define WIRE_ERROR_CASE(name, value, text) case SNAPCELL_##name:
        SNAPCELL_ERROR_MAP(WIRE_ERROR_CASE)
#undef WIRE_ERROR_CASE
        return code != SNAPCELL_OK;
    default:
        return false;
    }
}

bool wire_error_read(const void *body, size_t size_bytes, snapcell_error *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    memset(out, 0, sizeof(*out));
    out->code = (int32_t)wire_get_u32(&reader);
    out->line = wire_get_u32(&reader);
    out->column = wire_get_u32(&reader);
    wire_error_field(&reader, out->file, sizeof(out->file));
    wire_error_field(&reader, out->message, sizeof(out->message));
    wire_error_field(&reader, out->stack, sizeof(out->stack));
    return wire_reader_done(&reader) && wire_is_error(out->code);
}
