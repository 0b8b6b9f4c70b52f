#include "child_side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

static void side_take_file(struct msghdr *message, int *file)
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (control != NULL && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
        control->cmsg_len == CMSG_LEN(sizeof(*file)))
        memcpy(file, CMSG_DATA(control), sizeof(*file));
}

bool child_side_receive_header_file(int fd, wire_header *header, wire_size_max_fn *size_max,
                                    int *file)
{
    uint8_t data[WIRE_HEADER_SIZE];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {data, sizeof(data)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t got;
    *file = -1;
    do
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    side_take_file(&message, file);
    return socket_read_all(fd, data + got, sizeof(data) - (size_t)got) &&
           wire_header_read(data, size_max, header);
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
