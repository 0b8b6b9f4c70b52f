#include "wire_host.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "cleanup.h"

void wire_value_write(wire_writer *writer, const snapcell_value *value)
{
    wire_put_u8(writer, (uint8_t)value->type);
    switch (value->type) {
    case SNAPCELL_VALUE_UNDEFINED:
    case SNAPCELL_VALUE_NULL:
        break;
    case SNAPCELL_VALUE_BOOLEAN:
        wire_put_u8(writer, value->boolean);
        break;
    case SNAPCELL_VALUE_NUMBER:
        wire_put_double(writer, value->number);
        break;
    case SNAPCELL_VALUE_STRING:
    case SNAPCELL_VALUE_BYTES:
    case SNAPCELL_VALUE_JSON:
        wire_put_bytes(writer, value->data, value->size_bytes);
        break;
    }
}

static void wire_value_get(wire_reader *reader, snapcell_value *out)
{
    uint8_t type = wire_get_u8(reader);
    *out = (snapcell_value){.type = (snapcell_value_type)type};
    switch (type) {
    case SNAPCELL_VALUE_UNDEFINED:
    case SNAPCELL_VALUE_NULL:
        break;
    case SNAPCELL_VALUE_BOOLEAN:
        out->boolean = wire_get_u8(reader) != 0;
        break;
    case SNAPCELL_VALUE_NUMBER:
        out->number = wire_get_double(reader);
        break;
    case SNAPCELL_VALUE_STRING:
    case SNAPCELL_VALUE_JSON:
        out->data = wire_get_bytes(reader, &out->size_bytes);
        if (out->data == NULL || u8_check((const uint8_t *)out->data, out->size_bytes) != NULL)
            reader->failed = true;
        break;
    case SNAPCELL_VALUE_BYTES:
        out->data = wire_get_bytes(reader, &out->size_bytes);
        break;
    default:
        reader->failed = true;
    }
}

bool wire_value_read(const void *body, size_t size_bytes, snapcell_value *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    wire_value_get(&reader, out);
    return wire_reader_done(&reader);
}

void wire_host_call_write(wire_writer *writer, const wire_host_call *call)
{
    wire_put_u32(writer, call->index);
    wire_put_u32(writer, call->argument_count);
    for (uint32_t i = 0; i < call->argument_count; i++)
        wire_value_write(writer, &call->arguments[i]);
}

int wire_host_call_forward(wire_writer *writer, uint32_t index, snapcell_host_call *call)
{
    const size_t count = snapcell_host_argument_count(call);
    if (count > WIRE_ARGUMENT_COUNT_MAX)
        return snapcell_host_throw(call, "too many arguments for a host function");
    cleanup_free snapcell_value *arguments = calloc(count + 1, sizeof(*arguments));
    if (arguments == NULL) return snapcell_host_throw(call, "no memory for the arguments");
    for (size_t i = 0; i < count; i++)
        arguments[i] = snapcell_host_argument(call, i);
    wire_host_call_write(writer, &(wire_host_call){index, arguments, (uint32_t)count});
    return 0;
}

bool wire_host_call_read(const void *body, size_t size_bytes, wire_host_call *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (wire_host_call){.index = wire_get_u32(&reader)};
    out->argument_count = wire_get_count(&reader, 1, WIRE_ARGUMENT_COUNT_MAX);
    out->arguments = calloc(out->argument_count + 1u, sizeof(*out->arguments));
    if (out->arguments == NULL) return false;
    for (uint32_t i = 0; i < out->argument_count; i++)
        wire_value_get(&reader, &out->arguments[i]);
    if (wire_reader_done(&reader)) return true;
    free(out->arguments);
    *out = (wire_host_call){0};
    return false;
}

void wire_throw_write(wire_writer *writer, const char *message)
{
    wire_put_text(writer, message);
}

const char *wire_throw_read(const void *body, size_t size_bytes)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    const char *message = wire_get_text(&reader);
    return wire_reader_done(&reader) ? message : NULL;
}
