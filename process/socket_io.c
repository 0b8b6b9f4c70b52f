#include "socket_io.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

bool socket_write_all(int fd, const void *data, size_t size_bytes)
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

bool socket_read_all(int fd, void *data, size_t size_bytes)
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
