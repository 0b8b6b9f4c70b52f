#include "child_side.h"

#include <stdlib.h>

#include "socket_io.h"

bool child_side_fits(uint32_t type, const wire_writer *body, wire_size_max_fn *size_max)
{
    return !body->failed && body->size_bytes <= size_max(type);
}

bool child_side_send(int fd, uint32_t type, const wire_writer *body, wire_size_max_fn *size_max)
{
    if (!child_side_fits(type, body, size_max)) return false;
    uint8_t header[WIRE_HEADER_SIZE];
    wire_header_write(&(wire_header){type, body->size_bytes}, header);
    return socket_write_all(fd, header, sizeof(header)) &&
           socket_write_all(fd, body->data, body->size_bytes);
}

bool child_side_receive_header(int fd, wire_header *header, wire_size_max_fn *size_max)
{
    uint8_t data[WIRE_HEADER_SIZE];
    return socket_read_all(fd, data, sizeof(data)) && wire_header_read(data, size_max, header);
}

bool child_side_receive_body(int fd, const wire_header *header, void *body)
{
    return socket_read_all(fd, body, header->body_size_bytes);
}

bool child_side_receive(int fd, wire_header *header, void **body, wire_size_max_fn *size_max)
{
    *body = NULL;
    if (!child_side_receive_header(fd, header, size_max)) return false;
    *body = malloc(header->body_size_bytes);
    return *body != NULL && child_side_receive_body(fd, header, *body);
}
