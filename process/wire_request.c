#include "wire_request.h"

#include <stdlib.h>
#include <string.h>

void wire_request_write(wire_writer *writer, const snapcell_request *request)
{
    wire_put_text(writer, request->method);
    wire_put_text(writer, request->url);
    wire_put_u32(writer, (uint32_t)request->header_count);
    for (size_t i = 0; i < request->header_count; i++) {
        const snapcell_header *header = &request->headers[i];
        wire_put_text(writer, header->name);
        /* A header's value need not be UTF-8. */
        wire_put_string(writer, header->value);
    }
    wire_put_u8(writer, request->body != NULL);
    if (request->body != NULL) wire_put_bytes(writer, request->body, request->body_size_bytes);
}

static snapcell_header *wire_headers_read(wire_reader *reader, uint32_t count)
{
    snapcell_header *headers = calloc(count + 1u, sizeof(*headers));
    if (headers == NULL) {
        reader->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        headers[i].name = wire_get_text(reader);
        size_t value_size;
        headers[i].value = wire_get_bytes(reader, &value_size);
        if (headers[i].name == NULL || headers[i].value == NULL) reader->failed = true;
    }
    return headers;
}

void wire_request_read(wire_reader *reader, uint32_t header_count_max, snapcell_request *out)
{
    *out = (snapcell_request){.struct_size = sizeof(*out)};
    out->method = wire_get_text(reader);
    out->url = wire_get_text(reader);
    out->header_count = wire_get_count(reader, 11, header_count_max);
    out->headers = wire_headers_read(reader, (uint32_t)out->header_count);
    if (wire_get_u8(reader) != 0) out->body = wire_get_bytes(reader, &out->body_size_bytes);
}

void wire_request_release(snapcell_request *request)
{
    free((void *)request->headers);
    request->headers = NULL;
}
