/* What goes over the socket between a client and snapcell-net: frames of a header, as it lies in
 * memory, since both are of one build and one machine, and a body, whose bytes are those of wire.h.
 * Sizes are checked all the same: the client's process runs untrusted code. Internal to net/. */
#ifndef SNAPCELL_NET_WIRE_H
#define SNAPCELL_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/http.h"
#include "wire.h"

typedef enum net_frame_type {
    /* To snapcell-net. */
    NET_START = 1,     /* u64 size of the body, strings method and URL, headers */
    NET_BODY = 2,      /* a piece of the request's body */
    NET_BODY_LAST = 3, /* the last one */
    NET_CREDIT = 4,    /* u32: as many more bytes may be sent */
    NET_CLOSE = 5,     /* the response is not wanted any more */
    NET_RESET = 6,     /* nor is any other */
    /* To the client. */
    NET_PULL = 16, /* a piece of the body is wanted */
    NET_HEAD = 17, /* u32 status, string status text, headers */
    NET_DATA = 18, /* bytes of the response's body, within the credit */
    NET_END = 19,
    NET_FAIL = 20, /* strings code and message */
} net_frame_type;

typedef struct net_frame_header {
    uint32_t type;
    uint32_t id; /* of the request */
    uint32_t size_bytes;
} net_frame_header;

#define NET_FRAME_SIZE_MAX ((uint32_t)1 << 20)

/* Names and values, as they come from outside. */
void net_put_headers(wire_writer *writer, const snapcell_header *headers, size_t count);
/* `*out`: Owned, free(), after failure, too; NULL when there are none. Borrows from the body. */
size_t net_get_headers(wire_reader *reader, snapcell_header **out);

/* Whether a frame's body was written as a whole, and is not too large for a frame. */
bool net_body_fits(const wire_writer *body);

/* Sends a whole frame; waits for room. False when the other side has gone. */
bool net_send(int fd, net_frame_type type, uint32_t id, const void *body, size_t size_bytes);

#endif
