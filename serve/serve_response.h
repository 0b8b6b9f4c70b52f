/* Answers in HTTP/1.1's words. Internal to serve/. */
#ifndef SNAPCELL_SERVE_RESPONSE_H
#define SNAPCELL_SERVE_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "serve_buffer.h"
#include "serve_phrase.h"
#include "snapcell/http.h"

/* How a body's end is told. */
typedef enum serve_framing {
    SERVE_FRAMING_LENGTH = 0,
    SERVE_FRAMING_CHUNKED,
    SERVE_FRAMING_CLOSE, /* by the connection's end, for HTTP/1.0 */
    SERVE_FRAMING_NONE,  /* there is no body, and no length of one */
} serve_framing;

/* A status whose answer never has a body. */
bool serve_status_is_bare(int status);

/* Whether a header is between two neighbours alone, and not passed on. */
bool serve_header_is_local(const char *name);

/* Status line and Date. */
void serve_response_begin(serve_buffer *out, int status, bool has_date);
void serve_response_header(serve_buffer *out, const char *name, const char *value);
/* What tells of the body and the connection, and the empty line. `length_bytes`: for LENGTH. */
void serve_response_finish(serve_buffer *out, serve_framing framing, uint64_t length_bytes,
                           bool keeps_alive, uint8_t minor);

/* A whole answer in plain text. `extra`: header lines, or "". */
void serve_response_plain(serve_buffer *out, int status, const char *extra, const char *text,
                          bool has_body, bool keeps_alive, uint8_t minor);

#endif
