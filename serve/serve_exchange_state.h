/* What the exchange's files share. Internal to the exchange. */
#ifndef SNAPCELL_SERVE_EXCHANGE_STATE_H
#define SNAPCELL_SERVE_EXCHANGE_STATE_H

#include "serve_exchange.h"
#include "serve_response.h"

/* A body up to this size is read before a worker is requested: slow senders occupy none. */
#define EXCHANGE_COLLECT_MAX ((uint64_t)65536)
/* Of a streamed body, so much waits here for the function. */
#define EXCHANGE_BODY_WINDOW ((size_t)65536)

/* For the log alone: the client went away. */
#define EXCHANGE_CLIENT_GONE 499

typedef enum exchange_response_state {
    EXCHANGE_NO_RESPONSE = 0,
    EXCHANGE_HELD,      /* its head is in `out`, and not sent */
    EXCHANGE_STREAMING, /* the head is sent */
    EXCHANGE_COMPLETE,
} exchange_response_state;

struct serve_exchange {
    serve_ticket ticket;
    serve_context *context;
    serve_pool *pool;
    serve_settings *settings;
    serve_function *function;   /* NULL: there is none */
    const serve_client *client; /* NULL: it has the response, or has gone away */
    void *user;
    serve_head head;
    char address[64];
    bool is_trusted;
    char id[SERVE_ID_SIZE];
    char trace[SERVE_TRACE_SIZE];
    uint64_t started_ns;

    bool has_asked; /* for a worker; the ticket is in use until it is over */
    bool is_calling;
    bool collects;     /* the body is read before it asks */
    bool drops_body;   /* nobody gets it */
    bool streams_body; /* the body goes to the worker as it comes */
    bool body_is_whole;
    bool body_ended; /* the worker was told */
    bool is_again;   /* its first worker died: there is a second one, and no third */
    bool asks_again; /* once that worker is out of the way */
    serve_buffer body;
    uint64_t body_bytes;

    exchange_response_state state;
    int status;
    bool keeps_alive;
    bool has_date;
    bool has_length; /* the function said one */
    uint64_t length_bytes;
    serve_framing framing;
    serve_buffer out;
    serve_buffer piece; /* of the response's body */
    uint64_t sent_bytes;
    bool has_ended; /* all of the response has come */
    bool is_logged;
};

/* Strings for a request: scheme and host, and headers. Release with exchange_request_release(). */
typedef struct exchange_request {
    snapcell_request request;
    snapcell_header headers[SERVE_HEADER_COUNT_MAX + 8];
    serve_buffer text;
} exchange_request;

/* As the request names it: of a trusted proxy what that says. */
const char *exchange_host(const serve_exchange *exchange);

/* What the function is to see. False when memory is short. (serve_exchange_request.c) */
bool exchange_request_init(exchange_request *out, const serve_exchange *exchange);
void exchange_request_release(exchange_request *request);

/* The event of a function that takes JSON: its body, else the request. NULL when memory is short.
 * Owned: free(). */
char *exchange_request_event(const serve_exchange *exchange, const exchange_request *request);

/* Whether a name is in a header's list, as of Connection. */
bool exchange_list_has(const char *list, const char *name);

/* --- Responses (serve_exchange_response.c) --- */

void exchange_response_head(serve_exchange *exchange, int status, const snapcell_header *headers,
                            size_t count);
size_t exchange_response_body(serve_exchange *exchange, const void *data, size_t size_bytes);
void exchange_response_end(serve_exchange *exchange);

/* Sends what has come. */
void exchange_response_flush(serve_exchange *exchange);

/* An answer of the server's own: an error, for the most part. `extra`: header lines. */
void exchange_answer(serve_exchange *exchange, int status, const char *extra, const char *text);

/* The call has failed: an error page, or a response that breaks off. */
void exchange_fail(serve_exchange *exchange, const snapcell_error *error, unsigned retry_after_s);

/* The line of the access log, once. */
void exchange_log(serve_exchange *exchange, int status);

#endif
