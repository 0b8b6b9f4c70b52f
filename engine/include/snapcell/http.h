/* HTTP-like requests and responses, for warm-ups at build time and calls at run time. */
#ifndef SNAPCELL_HTTP_H
#define SNAPCELL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_header {
    const char *name;  /* a token of RFC 9110, any case; not NULL */
    const char *value; /* bytes without CR, LF and NUL; not NULL */
} snapcell_header;

/* A request to pass to a function. Everything is Borrowed during the call that takes it. */
typedef struct snapcell_request {
    size_t struct_size; /* sizeof(snapcell_request) */
    const char *method; /* NULL: "GET", or "POST" when there is a body */
    /* Absolute, or a path, which is appended to "http://localhost"; NULL: "/". A function sees it
     * as a URL parser normalizes it. */
    const char *url;
    const snapcell_header *headers; /* NULL when there are none */
    size_t header_count;
    const void *body; /* NULL when there is none */
    size_t body_size_bytes;
} snapcell_request;

#define SNAPCELL_REQUEST_INIT                                                                      \
    {                                                                                              \
        sizeof(snapcell_request), NULL, NULL, NULL, 0, NULL, 0                                     \
    }

/* What a function answered. Opaque; Owned by the caller. */
typedef struct snapcell_response snapcell_response;

/* Purpose: the status code, 200 to 599. `response`: not NULL. Thread: one at a time. Errors: none.
 */
SNAPCELL_API int snapcell_response_status(const snapcell_response *response);

/* Purpose: the body's bytes; `*size_bytes` (may be NULL) is set to their number. `response`: not
 * NULL. Returns: never NULL, zero-terminated after the last byte. Borrowed until
 * snapcell_response_free(). Thread: one at a time. Errors: none. */
SNAPCELL_API const void *snapcell_response_body(const snapcell_response *response,
                                                size_t *size_bytes);

/* Purpose: how many headers there are. `response`: not NULL. Thread: one at a time. Errors: none.
 */
SNAPCELL_API size_t snapcell_response_header_count(const snapcell_response *response);

/* Purpose: header number `index`, in the order of the Fetch standard (sorted by name, set-cookie
 * apart). Returns: a header whose pointers are Borrowed until snapcell_response_free(); both NULL
 * when out of range. Thread: one at a time. Errors: none. */
SNAPCELL_API snapcell_header snapcell_response_header(const snapcell_response *response,
                                                      size_t index);

/* Purpose: release a response; NULL is allowed. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_response_free(snapcell_response *response);

/* --- Advanced: streaming bodies ------------------------------------------------------------- */

/* Returned by `read` and `write` instead of a number of bytes. */
#define SNAPCELL_STREAM_LATER (-1)  /* nothing now: ask again */
#define SNAPCELL_STREAM_FAILED (-2) /* the other side has gone away */

/* The embedder's side of a call with streaming bodies. The callbacks run on the thread of the call,
 * and must not call back into the cell. If they would block they return LATER instead, so that the
 * function's timers go on and limits hold. The struct and `user` are Borrowed during the call. */
typedef struct snapcell_stream {
    size_t struct_size; /* sizeof(snapcell_stream) */
    void *user;

    /* The request's body, requested as the function reads it; NULL: the request's own `body`, if
     * any. Puts up to `size_bytes` into `buffer` and returns their number; 0 at the end, after
     * which it is not called again; LATER; or FAILED, which the function sees as a TypeError. */
    ptrdiff_t (*read)(void *user, void *buffer, size_t size_bytes);

    /* The response's status and headers, before the first `write`; its body is empty. Called once,
     * unless the function fails first. `head` is Borrowed during the callback. Returns 0, or
     * non-zero when the body is not wanted. NULL is allowed. */
    int (*head)(void *user, const snapcell_response *head);

    /* The next bytes of the response's body. Returns how many of them it took, which may be fewer;
     * LATER; or FAILED: then the function's stream is cancelled and its request's signal aborted.
     * `size_bytes` is 0 once, when the body is complete; the return value is then ignored. Promises
     * passed to waitUntil() may run on after that. Never NULL. */
    ptrdiff_t (*write)(void *user, const void *data, size_t size_bytes);

    /* Waits until the side that returned LATER (`reading`, `writing`) can make progress, for at
     * most `timeout_ms`. NULL: the engine polls every 2 ms. */
    void (*wait)(void *user, bool reading, bool writing, uint32_t timeout_ms);

    /* A response that the function gave as a whole, before `head`: status, headers and body. True:
     * it was taken, so that neither `head` nor `write` with bytes is called. `response` is Borrowed
     * during the callback. NULL: never. */
    bool (*whole)(void *user, const snapcell_response *response);

    /* The body is complete, and promises passed to waitUntil() go on now. NULL is allowed. */
    void (*settling)(void *user);
} snapcell_stream;

#define SNAPCELL_STREAM_INIT                                                                       \
    {                                                                                              \
        sizeof(snapcell_stream), NULL, NULL, NULL, NULL, NULL, NULL, NULL                          \
    }

#ifdef __cplusplus
}
#endif
#endif
