/* fetch() from functions: requests go to a client that the embedder supplies.
 *
 * The engine implements what all clients share: Request and Response, redirects, data: URLs,
 * streaming bodies, AbortSignal. A client sends one request to a server and returns its response.
 * The client decides, for each request, which servers a function may reach; a redirect is a new
 * request.
 *
 * A snapcell_fetch is one request and its response. The engine calls the client on the thread that
 * runs the cell; the client calls snapcell_fetch_*() from any thread, also while it is being
 * called, and each call wakes the cell. The wall time limit of a call includes this wait.
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

/* Most bytes in flight to the cell for one fetch. The buffer is allocated when the fetch starts,
 * and counts toward the cell's memory limit. */
#define SNAPCELL_FETCH_WINDOW_BYTES ((size_t)128 << 10)

/* Largest piece of a request's body. */
#define SNAPCELL_FETCH_PIECE_BYTES ((size_t)64 << 10)

/* Values of snapcell_fetch_request.body_size_bytes. */
#define SNAPCELL_BODY_NONE INT64_C(-1)
#define SNAPCELL_BODY_STREAM INT64_C(-2) /* its size is not known before its end */

/* A request to send. Everything is Borrowed during `start`. */
typedef struct snapcell_fetch_request {
    size_t struct_size; /* as the engine knows it */
    const char *method; /* a token of RFC 9110 */
    const char *url;    /* absolute, http: or https:, as the URL standard writes it; no fragment */
    const snapcell_header *headers; /* valid, in lower case; no connection-specific headers */
    size_t header_count;
    int64_t body_size_bytes; /* or SNAPCELL_BODY_NONE, SNAPCELL_BODY_STREAM */
} snapcell_fetch_request;

/* A client. The functions are called on the cell's thread; cells on other threads may call them at
 * the same time. They must not block on a server. `fetch_user` is what `start` set. */
typedef struct snapcell_fetch_client {
    size_t struct_size; /* sizeof(snapcell_fetch_client) */
    void *user;         /* Borrowed for as long as a loader uses the client; NULL is allowed */

    /* Sends a request. `fetch`: the client's until it calls snapcell_fetch_end() or _fail(),
     * exactly once, if this succeeds. `*fetch_user`: NULL before. Returns SNAPCELL_OK, or a code
     * and fills in `err`; fetch() is then rejected with its message, and the client must not use
     * `fetch`. */
    int (*start)(void *user, snapcell_fetch *fetch, const snapcell_fetch_request *request,
                 void **fetch_user, snapcell_error *err);

    /* A piece of the request's body, of at most SNAPCELL_FETCH_PIECE_BYTES, that
     * snapcell_fetch_pull() requested. The last one has `is_last` set and may be empty. `data`:
     * Borrowed during the call. */
    void (*send)(void *fetch_user, const void *data, size_t size_bytes, bool is_last);

    /* The function read `size_bytes` of what snapcell_fetch_write() took, so there is room again.
     */
    void (*read)(void *fetch_user, size_t size_bytes);

    /* Always the last call for a fetch, and made exactly once. If the client has not returned the
     * fetch yet, its response is no longer wanted, because it was aborted or the call has ended:
     * the client stops, and calls snapcell_fetch_fail() soon. */
    void (*close)(void *fetch_user);

    /* Of a client without threads: waits until something may have come for a fetch, for at most
     * `timeout_ms`, and hands it over. Called when the cell has nothing else to do, and with 0 now
     * and then. NULL: snapcell_fetch_*() is called from other threads, and wakes the cell. */
    void (*wait)(void *user, uint32_t timeout_ms);
} snapcell_fetch_client;

#define SNAPCELL_FETCH_CLIENT_INIT                                                                 \
    {                                                                                              \
        sizeof(snapcell_fetch_client), NULL, NULL, NULL, NULL, NULL, NULL                          \
    }

/* Purpose: request the next piece of the request's body: `send` is called once for each call of
 * this. `fetch`: not NULL, not yet returned. No effect if there is no body, or no more of it, or if
 * the fetch was cancelled. Thread: any. Errors: none. */
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
 * bytes were taken from the front, limited by the room that is left; `read` reports when there is
 * room again. If the fetch was cancelled: all of them. Thread: any, for one fetch one at a time.
 * Errors: none. */
SNAPCELL_API size_t snapcell_fetch_write(snapcell_fetch *fetch, const void *data,
                                         size_t size_bytes);

/* Purpose: end a fetch whose response is complete, and return it. `fetch`: not NULL; must not be
 * used afterwards. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_fetch_end(snapcell_fetch *fetch);

/* Purpose: end a fetch that failed or was cancelled, and return it. fetch() is rejected, or the
 * body's stream fails, with a TypeError whose message is `message` (UTF-8; copied) and whose cause
 * has `code`, e.g. "ECONNREFUSED" (NULL: none). `fetch`: not NULL; must not be used afterwards.
 * Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_fetch_fail(snapcell_fetch *fetch, const char *code, const char *message);

#ifdef __cplusplus
}
#endif
#endif
