/* Requests and responses in the shape of HTTP, for warm-up at build time and for calls at run time.
 */
#ifndef SNAPCELL_HTTP_H
#define SNAPCELL_HTTP_H

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

/* A request to hand to a function. Everything is Borrowed during the call that takes it. */
typedef struct snapcell_request {
    size_t struct_size; /* sizeof(snapcell_request) */
    const char *method; /* NULL: "GET", or "POST" when there is a body */
    const char *url;    /* absolute, or a path, which is put behind "http://localhost"; NULL: "/" */
    const snapcell_header *headers; /* NULL when there are none */
    size_t header_count;
    const void *body; /* NULL when there is none */
    size_t body_size_bytes;
} snapcell_request;

#define SNAPCELL_REQUEST_INIT                                                                      \
    {                                                                                              \
        sizeof(snapcell_request), NULL, NULL, NULL, 0, NULL, 0                                     \
    }

/* What a function answered. Opaque; Owned by whoever got it from a call. */
typedef struct snapcell_response snapcell_response;

/* Purpose: the status code, 200 to 599. `response`: not NULL. Thread: one at a time. Errors: none.
 */
SNAPCELL_API int snapcell_response_status(const snapcell_response *response);

/* Purpose: the body's bytes; `*size_bytes` (may be NULL) is set to their number. `response`: not
 * NULL. Returns: never NULL, zero-terminated behind the last byte. Borrowed until
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

#ifdef __cplusplus
}
#endif
#endif
