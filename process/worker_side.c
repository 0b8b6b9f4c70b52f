#include "worker_side.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool side_write(int fd, const void *data, size_t size_bytes)
{
    const uint8_t *at = data;
    while (size_bytes > 0) {
        ssize_t count = send(fd, at, size_bytes, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        size_bytes -= (size_t)count;
    }
    return true;
}

static bool side_read(int fd, void *data, size_t size_bytes)
{
    uint8_t *at = data;
    while (size_bytes > 0) {
        ssize_t count = recv(fd, at, size_bytes, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        size_bytes -= (size_t)count;
    }
    return true;
}

bool worker_side_fits(uint32_t type, const wire_writer *body, wire_size_max_fn *size_max)
{
    return !body->failed && body->size_bytes <= size_max(type);
}

bool worker_side_send(int fd, uint32_t type, const wire_writer *body, wire_size_max_fn *size_max)
{
    if (!worker_side_fits(type, body, size_max)) return false;
    uint8_t header[WIRE_HEADER_SIZE];
    wire_header_write(&(wire_header){type, body->size_bytes}, header);
    return side_write(fd, header, sizeof header) && side_write(fd, body->data, body->size_bytes);
}

bool worker_side_receive(int fd, wire_header *header, void **body, wire_size_max_fn *size_max)
{
    uint8_t data[WIRE_HEADER_SIZE];
    *body = NULL;
    if (!side_read(fd, data, sizeof data) || !wire_header_read(data, size_max, header))
        return false;
    *body = malloc(header->body_size_bytes);
    return *body != NULL && side_read(fd, *body, header->body_size_bytes);
}
