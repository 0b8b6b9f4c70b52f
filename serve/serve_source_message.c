#include "serve_source_message.h"

#include <errno.h>
#include <sys/socket.h>

bool serve_source_send(int fd, const serve_source_message *message)
{
    ssize_t size;
    do
        size = send(fd, message, sizeof(*message), MSG_NOSIGNAL);
    while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof(*message);
}

serve_source_got serve_source_receive(int fd, serve_source_message *out)
{
    ssize_t size;
    do
        size = recv(fd, out, sizeof(*out), 0);
    while (size < 0 && errno == EINTR);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return SERVE_SOURCE_GOT_NONE;
    if (size != (ssize_t)sizeof(*out)) return SERVE_SOURCE_GOT_END;
    out->release[sizeof(out->release) - 1] = '\0';
    out->digest[sizeof(out->digest) - 1] = '\0';
    out->text[sizeof(out->text) - 1] = '\0';
    return SERVE_SOURCE_GOT_ONE;
}
