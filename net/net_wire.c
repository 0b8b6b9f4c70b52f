#include "net_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* A name and a value: their sizes, and the zeros after them. */
#define HEADER_SIZE_MIN (2 * (sizeof(uint64_t) + 1))

void net_put_headers(wire_writer *writer, const snapcell_header *headers, size_t count)
{
    wire_put_u32(writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_string(writer, headers[i].name);
        wire_put_string(writer, headers[i].value);
    }
}

size_t net_get_headers(wire_reader *reader, snapcell_header **out)
{
    *out = NULL;
    size_t count = wire_get_count(reader, HEADER_SIZE_MIN, NET_FRAME_SIZE_MAX);
    if (count == 0) return 0;
    *out = calloc(count, sizeof(**out));
    if (*out == NULL) reader->failed = true;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        (*out)[i].name = wire_get_string(reader);
        (*out)[i].value = wire_get_string(reader);
    }
    return reader->failed ? 0 : count;
}

bool net_body_fits(const wire_writer *body)
{
    return !body->failed && body->size_bytes <= NET_FRAME_SIZE_MAX;
}

/* --- Frames --- */

bool net_send(int fd, net_frame_type type, uint32_t id, const void *body, size_t size_bytes)
{
    net_frame_header header = {(uint32_t)type, id, (uint32_t)size_bytes};
    struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)body, size_bytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    size_t left = sizeof(header) + size_bytes;
    while (left > 0) {
        ssize_t count = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        left -= (size_t)count;
        for (size_t i = 0; i < 2; i++) {
            size_t taken = (size_t)count < parts[i].iov_len ? (size_t)count : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + taken;
            parts[i].iov_len -= taken;
            count -= (ssize_t)taken;
        }
    }
    return true;
}
