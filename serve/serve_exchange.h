/* A request that a function answers: from its head to the end of its call, which may be after its
 * client has got the response, or went away. Internal to serve/. */
#ifndef SNAPCELL_SERVE_EXCHANGE_H
#define SNAPCELL_SERVE_EXCHANGE_H

#include "serve_head.h"
#include "serve_identity.h"
#include "serve_pool.h"

typedef struct serve_exchange serve_exchange;

/* The client's side. None of these may call the exchange. */
typedef struct serve_client {
    /* Takes bytes of the response, however many are under way already. */
    void (*send)(void *user, const void *data, size_t size_bytes);
    /* Whether the client takes what it is sent; serve_exchange_drained() follows when it was not
     * so. */
    bool (*has_room)(void *user);
    /* More of the request's body is wanted now. */
    void (*wants_body)(void *user);
    /* The response is complete; the exchange is the client's no more. */
    void (*finished)(void *user, bool keeps_alive);
    /* The response broke off: its end must not look like one. The exchange is the client's no more.
     */
    void (*broken)(void *user);
} serve_client;

/* Where a request came from. Borrowed during serve_exchange_start(). */
typedef struct serve_origin {
    const char *address; /* "" for a Unix socket's */
    bool is_trusted;     /* a proxy, which says who its client is */
} serve_origin;

/* Begins. `head` is taken over: its block is stolen. `body`, when `body_is_whole`: all of the
 * request's body; Borrowed. NULL when memory is short. A response may come at once. */
serve_exchange *serve_exchange_new(serve_context *context, serve_pool *pool, serve_head *head,
                                   const serve_origin *origin, const serve_client *client,
                                   void *user);

/* Finds the function, and asks for a worker. `body`: see serve_exchange_body(); here, all of it,
 * when `is_whole`. */
void serve_exchange_start(serve_exchange *exchange, const void *body, size_t size_bytes,
                          bool is_whole);

/* How much of the body it takes now. */
size_t serve_exchange_appetite(const serve_exchange *exchange);

/* The next bytes of the body, no more than its appetite. */
void serve_exchange_body(serve_exchange *exchange, const char *data, size_t size_bytes);

/* The body is complete; or, when not `is_whole`, what came was none: the client is answered with
 * `refusal`. */
void serve_exchange_body_end(serve_exchange *exchange);
void serve_exchange_refuse(serve_exchange *exchange, const serve_refusal *refusal);

/* The client takes more again. Not from a callback of the client's. */
void serve_exchange_drained(serve_exchange *exchange);

/* The client is not there any more. */
void serve_exchange_client_gone(serve_exchange *exchange);

/* An answer without a function: to a request that was not even one. Adds it to `out`, and a line to
 * the log. */
void serve_exchange_reject(serve_context *context, const serve_refusal *refusal,
                           const char *address, serve_buffer *out);

#endif
