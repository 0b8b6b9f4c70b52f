/* fetch() out of functions: what a function asks for goes to a client that the embedder gives.
 *
 * The engine does what is the same for all: Request and Response, redirects, data: URLs, bodies as
 * streams, AbortSignal. A client carries one request to a server and its response back; which
 * servers a function may reach is the client's to decide, for each request: a redirect is a new
 * one.
 *
 * A snapcell_fetch is one request and its response. The engine calls the client on the thread that
 * runs the cell; the client calls snapcell_fetch_*() from any thread, also while it is being
 * called, and each call wakes the cell. A call's wall time limit holds while it waits.
 *
 * snapcell/net.h is a client that speaks HTTP. */
#ifndef SNAPCELL_FETCH_H
#define SNAPCELL_FETCH_H

#include <stdbool.h>

#include "snapcell/http.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_fetch snapcell_fetch;

/* What is on its way to the cell of one fetch is at most this: the fetch has room for it from
 * the start, and it counts for the cell's memory limit. */
#define SNAPCELL_FETCH_WINDOW_BYTES ((size_t)128 << 10)

/* A piece of a request's body is at most this. */
#define SNAPCELL_FETCH_PIECE_BYTES ((size_t)64 << 10)

/* Of snapcell_fetch_request.body_size_bytes. */
#define SNAPCELL_BODY_NONE INT64_C(-1)
#define SNAPCELL_BODY_STREAM INT64_C(-2) /* its size is not known before its end */

/* A request to send. Everything is Borrowed during `start`. */
typedef struct snapcell_fetch_request {
    size_t struct_size; /* as the engine knows it */
    const char *method; /* a token of RFC 9110 */
    const char *url;    /* absolute, http: or https:, as the URL standard writes it; no fragment */
    const snapcell_header *headers; /* valid, in lower case; none that is the connection's own */
    size_t header_count;
    int64_t body_size_bytes; /* or SNAPCELL_BODY_NONE, SNAPCELL_BODY_STREAM */
} snapcell_fetch_request;

/* A client. The functions are called on the cell's thread, for cells of other threads at the same
 * time. They must not wait for a server. `fetch_user` is what `start` set. */
typedef struct snapcell_fetch_client {
    size_t struct_size; /* sizeof(snapcell_fetch_client) */
    void *user;         /* Borrowed for as long as a loader uses the client; NULL is allowed */

    /* Sends a request. `fetch`: the client's until it calls snapcell_fetch_end() or _fail(),
     * exactly once, after success of this. `*fetch_user`: NULL before. Returns SNAPCELL_OK, or a
     * code and fills in `err`, whose message fetch() is then rejected with; `fetch` is not the
     * client's then. */
    int (*start)(void *user, snapcell_fetch *fetch, const snapcell_fetch_request *request,
                 void **fetch_user, snapcell_error *err);

    /* A piece of the request's body, of at most SNAPCELL_FETCH_PIECE_BYTES, that
     * snapcell_fetch_pull() requested; the last one, which may be empty, has `is_last`. `data`:
     * Borrowed during the call. */
    void (*send)(void *fetch_user, const void *data, size_t size_bytes, bool is_last);

    /* The function read `size_bytes` of what snapcell_fetch_write() took: there is room again.
     */
    void (*read)(void *fetch_user, size_t size_bytes);

    /* The last call for this fetch, always, once. When the client has not given it back yet,
     * nobody wants its response any more, since it was aborted or the call has ended: the client
     * stops, and calls snapcell_fetch_fail() soon. */
    void (*close)(void *fetch_user);
} snapcell_fetch_client;

#define SNAPCELL_FETCH_CLIENT_INIT                                                                 \
    {                                                                                              \
        sizeof(snapcell_fetch_client), NULL, NULL, NULL, NULL, NULL                                \
    }

/* Purpose: ask for the next piece of the request's body: `send` is called once for each time.
 * `fetch`: not NULL, and not given back yet. Without effect when there is no body, or no more of
 * it, or the fetch was cancelled. Thread: any. Errors: none. */
SNAPCELL_API void snapcell_fetch_pull(snapcell_fetch *fetch);

/* Purpose: hand over the head of the final response. `fetch`: as snapcell_fetch_pull().
 * `status`: 200 to 599. `status_text`: NULL is "". `headers`: copied; NULL when there are none.
 * Thread: any. Errors: E_USAGE (no such status, no such header, a second head), E_NOMEM: the client
 * then fails the fetch. */
SNAPCELL_API int snapcell_fetch_head(snapcell_fetch *fetch, int status, const char *status_text,
                                     const snapcell_header *headers, size_t header_count,
                                     snapcell_error *err);

/* Purpose: hand over bytes of the response's body, after its head. `fetch`: as
 * snapcell_fetch_pull(). `data`: copied; NULL is allowed when there are none. Returns: how many
 * bytes were taken, from the first on: as many as there is room for. `read` tells when there is
 * more. All, when the fetch was cancelled. Thread: any, for one fetch one at a time. Errors:
 * none. */
SNAPCELL_API size_t snapcell_fetch_write(snapcell_fetch *fetch, const void *data,
                                         size_t size_bytes);

/* Purpose: end an fetch whose response is whole, and give it back. `fetch`: not NULL, not to
 * be used any more. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_fetch_end(snapcell_fetch *fetch);

/* Purpose: end an fetch that failed, or that was cancelled, and give it back. fetch() is
 * rejected, or the body's stream fails, with a TypeError of `message` (UTF-8; copied) whose cause
 * has `code`, as "ECONNREFUSED" (NULL: none). `fetch`: not NULL, not to be used any more.
 * Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_fetch_fail(snapcell_fetch *fetch, const char *code, const char *message);

#ifdef __cplusplus
}
#endif
#endif
