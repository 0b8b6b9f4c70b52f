/* Requests one after another, for the thread that makes them: what the client of registries needs
 * of snapcell-net. Internal. */
#ifndef SNAPCELL_NET_CALL_H
#define SNAPCELL_NET_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"
#include "snapcell/http.h"
#include "snapcell/net.h"

/* A process that has the network, and the socket to it. One thread at a time. */
typedef struct net_line net_line;

/* `*out`: Owned, net_line_close(). Errors: as snapcell_net_open(). */
int net_line_open(const snapcell_net_options *options, net_line **out, snapcell_error *err);
void net_line_close(net_line *line);

/* A request, and who takes its response. Everything is Borrowed during the call. */
typedef struct net_call {
    const char *method;
    const char *url;
    const snapcell_header *headers;
    size_t header_count;
    bool has_body;
    const void *body;
    size_t body_size_bytes;
    uint32_t idle_limit_ms; /* without anything of a response */
    uint32_t wall_limit_ms; /* for all of it; 0: none */
    /* Either gives false when nothing more is wanted. `sent` may be NULL. */
    bool (*head)(void *user, int status, const snapcell_header *headers, size_t count);
    bool (*data)(void *user, const void *data, size_t size_bytes);
    void (*sent)(void *user, size_t size_bytes); /* of the body, in all */
    void *user;
} net_call;

typedef enum net_call_end {
    NET_CALL_DONE = 0,
    NET_CALL_STOPPED = 1, /* by `head` or `data` */
    NET_CALL_FAILED = 2,  /* the connection; another try may go well */
    NET_CALL_LOST = 3,    /* the process that has the network has ended */
} net_call_end;

typedef struct net_call_failure {
    char code[32]; /* as "ECONNRESET"; "" where there is none */
    char message[512];
} net_call_failure;

/* `failure`: filled in unless it is done or stopped. */
net_call_end net_call_run(net_line *line, const net_call *call, net_call_failure *failure);

#endif
