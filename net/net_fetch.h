/* A fetch at the client's end of the socket: what all clients of snapcell-net do with its frames.
 * Internal. */
#ifndef SNAPCELL_NET_FETCH_H
#define SNAPCELL_NET_FETCH_H

#include "net_wire.h"
#include "snapcell/fetch.h"

/* The body of a NET_START. Errors: E_TOO_LARGE. */
int net_fetch_write_start(wire_writer *body, const snapcell_fetch_request *request,
                          snapcell_error *err);

/* Hands over what a frame says; `*fetch` is NULL when it was given back. False when the frame makes
 * no sense. */
bool net_fetch_take(snapcell_fetch **fetch, net_frame_type type, wire_reader *body);

/* Gives a fetch back that failed. `code`: "" is none. */
void net_fetch_fail(snapcell_fetch **fetch, const char *code, const char *message);

#endif
