#include "net_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* --- Writing --- */

static bool writer_make_room(net_writer *writer, size_t size_bytes)
{
    size_t needed = writer->size_bytes + size_bytes;
    if (writer->failed || size_bytes > NET_FRAME_SIZE_MAX || needed > NET_FRAME_SIZE_MAX)
        return false;
    if (needed <= writer->capacity) return true;
    size_t capacity = needed * 2;
    char *data = realloc(writer->data, capacity);
    if (data == NULL) return false;
    writer->data = data;
    writer->capacity = capacity;
    return true;
}

void net_write(net_writer *writer, const void *data, size_t size_bytes)
{
    if (!writer_make_room(writer, size_bytes)) {
        writer->failed = true;
        return;
    }
    if (size_bytes > 0) memcpy(writer->data + writer->size_bytes, data, size_bytes);
    writer->size_bytes += size_bytes;
}

void net_write_u32(net_writer *writer, uint32_t value)
{
    net_write(writer, &value, sizeof(value));
}

void net_write_text(net_writer *writer, const char *text)
{
    size_t size_bytes = strlen(text) + 1;
    net_write_u32(writer, size_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)size_bytes);
    net_write(writer, text, size_bytes);
}

void net_write_headers(net_writer *writer, const snapcell_header *headers, size_t count)
{
    net_write_u32(writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        net_write_text(writer, headers[i].name);
        net_write_text(writer, headers[i].value);
    }
}

void net_writer_release(net_writer *writer)
{
    free(writer->data);
    *writer = (net_writer){0};
}

/* --- Reading --- */

static const char *reader_take(net_reader *reader, size_t size_bytes)
{
    if (reader->failed || size_bytes > reader->size_bytes) {
        reader->failed = true;
        return NULL;
    }
    const char *data = reader->at;
    reader->at += size_bytes;
    reader->size_bytes -= size_bytes;
    return data;
}

uint32_t net_read_u32(net_reader *reader)
{
    uint32_t value = 0;
    const char *data = reader_take(reader, sizeof(value));
    if (data != NULL) memcpy(&value, data, sizeof(value));
    return value;
}

int64_t net_read_i64(net_reader *reader)
{
    int64_t value = 0;
    const char *data = reader_take(reader, sizeof(value));
    if (data != NULL) memcpy(&value, data, sizeof(value));
    return value;
}

const char *net_read_text(net_reader *reader)
{
    size_t size_bytes = net_read_u32(reader);
    const char *text = reader_take(reader, size_bytes);
    if (text != NULL && size_bytes > 0 && memchr(text, '\0', size_bytes) == text + size_bytes - 1)
        return text;
    reader->failed = true;
    return "";
}

size_t net_read_headers(net_reader *reader, snapcell_header **out)
{
    *out = NULL;
    size_t count = net_read_u32(reader);
    if (count == 0) return 0;
    /* Each takes ten bytes at least. */
    if (count <= reader->size_bytes / 10) *out = calloc(count, sizeof(**out));
    if (*out == NULL) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        (*out)[i].name = net_read_text(reader);
        (*out)[i].value = net_read_text(reader);
    }
    return count;
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
