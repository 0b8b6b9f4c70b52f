/* What goes over the socket between a client and snapcell-net: frames of a header and a body. Both
 * are of one build and one machine, so that numbers are as they lie; sizes are checked all the
 * same, since the client's process runs strangers' code. Internal to net/. */
#ifndef SNAPCELL_NET_WIRE_H
#define SNAPCELL_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/http.h"

typedef enum net_frame_type {
    /* To snapcell-net. */
    NET_START = 1,     /* i64 size of the body, text method, text URL, headers */
    NET_BODY = 2,      /* a piece of the request's body */
    NET_BODY_LAST = 3, /* the last one */
    NET_CREDIT = 4,    /* u32: as many more bytes may be sent */
    NET_CLOSE = 5,     /* the response is not wanted any more */
    /* To the client. */
    NET_PULL = 16, /* a piece of the body is wanted */
    NET_HEAD = 17, /* u32 status, text status text, headers */
    NET_DATA = 18, /* bytes of the response's body, within the credit */
    NET_END = 19,
    NET_FAIL = 20, /* text code, text message */
} net_frame_type;

typedef struct net_frame_header {
    uint32_t type;
    uint32_t id; /* of the request */
    uint32_t size_bytes;
} net_frame_header;

#define NET_FRAME_SIZE_MAX ((uint32_t)1 << 20)

/* A frame's body that grows; zeroed it is empty. Owned: net_writer_release(). */
typedef struct net_writer {
    char *data;
    size_t size_bytes;
    size_t capacity;
    bool failed; /* no memory, or too large */
} net_writer;

void net_write(net_writer *writer, const void *data, size_t size_bytes);
void net_write_u32(net_writer *writer, uint32_t value);
void net_write_text(net_writer *writer, const char *text);
void net_write_headers(net_writer *writer, const snapcell_header *headers, size_t count);
void net_writer_release(net_writer *writer);

/* What is left of a frame's body. Texts have a zero behind them on the wire and are Borrowed. */
typedef struct net_reader {
    const char *at;
    size_t size_bytes;
    bool failed;
} net_reader;

uint32_t net_read_u32(net_reader *reader);
int64_t net_read_i64(net_reader *reader);
const char *net_read_text(net_reader *reader); /* "" after a failure */
/* `*out`: Owned, free(); NULL when there are none. */
size_t net_read_headers(net_reader *reader, snapcell_header **out);

/* Sends a whole frame; waits for room. False when the other side has gone. */
bool net_send(int fd, net_frame_type type, uint32_t id, const void *body, size_t size_bytes);

#endif
