/* Addresses: of listeners, as they are written, and of clients. Internal to serve/. */
#ifndef SNAPCELL_SERVE_ADDRESS_H
#define SNAPCELL_SERVE_ADDRESS_H

#include <sys/socket.h>
#include <uv.h>

#include "serve_config.h"

#define SERVE_ADDRESS_SIZE 64

typedef struct serve_address {
    struct sockaddr_storage socket; /* of TCP */
    const char *path;               /* of a Unix socket, in the text; else NULL */
} serve_address;

/* Reads "HOST:PORT", "[::1]:PORT", ":PORT", "PORT", "localhost:PORT" or "unix:PATH". Errors:
 * E_USAGE.
 */
int serve_address_parse(const char *text, serve_address *out, snapcell_error *err);

/* "127.0.0.1", "::1"; "" when it is not known. */
void serve_address_of_peer(const uv_tcp_t *tcp, char out[SERVE_ADDRESS_SIZE]);

/* "127.0.0.1:80", "[::1]:80", as in a URL. */
void serve_address_of_listener(const uv_tcp_t *tcp, char out[SERVE_ADDRESS_SIZE]);

/* Whether what stands in a list of addresses makes sense: "127.0.0.1", "10.0.0.0/8", "unix". */
int serve_address_check_range(const char *text, snapcell_error *err);

/* Whether a client's address is in one of the ranges; "" is "unix". */
bool serve_address_is_in(const serve_strings *ranges, const char *address);

#endif
