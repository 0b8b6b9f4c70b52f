/* What an embedder hands over as a request, checked and completed before JavaScript sees it.
 * Internal to the engine. */
#ifndef SNAPCELL_REQUEST_CHECK_H
#define SNAPCELL_REQUEST_CHECK_H

#include <stdbool.h>

#include "snapcell/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A request with every default filled in. `url` is Owned: request_release(); the rest is Borrowed
 * from the original. */
typedef struct checked_request {
    const char *method;
    char *url;
    const snapcell_header *headers;
    size_t header_count;
    const void *body; /* NULL when there is none */
    size_t body_size_bytes;
} checked_request;

/* Checks `request` (NULL: "GET /"). `streamed`: its body comes from elsewhere. Errors: E_USAGE with
 * what is wrong, E_NOMEM; nothing to release then. */
int request_check(const snapcell_request *request, bool streamed, checked_request *out,
                  snapcell_error *err);

/* Checks that names are tokens and values have no line breaks. Errors: E_USAGE with what is wrong.
 */
int headers_check(const snapcell_header *headers, size_t count, snapcell_error *err);

void request_release(checked_request *request);

#ifdef __cplusplus
}
#endif
#endif
