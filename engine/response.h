/* Building a snapcell_response. Internal to the engine. */
#ifndef SNAPCELL_RESPONSE_H
#define SNAPCELL_RESPONSE_H

#include "snapcell/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A response with room for a body of `body_size_bytes` (zero-terminated already). NULL when out of
 * memory. */
snapcell_response *response_new(int status, size_t body_size_bytes);

/* The body's bytes, to be written. */
void *response_body_buffer(snapcell_response *response);

/* Appends to the body of one that was made with none; `*response` moves. Returns 0, or -1 when out
 * of memory. */
int response_append_body(snapcell_response **response, const void *data, size_t size_bytes);

/* Appends a header (copied, given as pointer and size). Returns 0, or -1 when out of memory. */
int response_add_header(snapcell_response *response, const char *name, size_t name_size_bytes,
                        const char *value, size_t value_size_bytes);

#ifdef __cplusplus
}
#endif
#endif
