/* Connections of clients: requests in, responses out. Internal to serve/. */
#ifndef SNAPCELL_SERVE_CONNECTION_H
#define SNAPCELL_SERVE_CONNECTION_H

#include "serve_exchange.h"
#include "serve_parser.h"

typedef struct serve_connection serve_connection;
typedef struct serve_source serve_source;

/* Answers a request by itself: a whole response is added to `out`. */
typedef void serve_answer_fn(void *user, const serve_head *head, serve_buffer *out);

/* What connections have in common. */
typedef struct serve_front {
    serve_context *context;
    serve_pool *pool;
    serve_source *source; /* Borrowed; not NULL */
    serve_connection *connections;
    uint64_t count;
    serve_answer_fn *answer; /* for those of the metrics' listener */
    void *answer_user;
    char read_buffer[65536];
} serve_front;

/* Accepts one. `is_admin`: what it requests goes to `answer`. */
void serve_connection_accept(serve_front *front, uv_stream_t *listener, bool is_pipe,
                             bool is_admin);

/* Looks at deadlines; every 100 ms or so. */
void serve_connection_sweep(serve_front *front, uint64_t now_ns);

/* Whether a client still waits for an answer, or for the rest of one. */
bool serve_connection_is_busy(const serve_front *front);

/* Closes those that have no request; with `all`, the others, too. */
void serve_connection_close_all(serve_front *front, bool all);

#endif
