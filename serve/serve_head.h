/* The head of an HTTP/1.1 request: which bytes are one, and what it says. Internal to serve/.
 *
 * A proxy that reads a request otherwise than we do lets a client smuggle one past it. So all that
 * may be read in two ways is refused here, before the parser sees it: lines that end with anything
 * but CR LF, folded lines, blanks before a colon, control characters, several lengths, or a length
 * and a transfer coding. */
#ifndef SNAPCELL_SERVE_HEAD_H
#define SNAPCELL_SERVE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapcell/http.h"

#define SERVE_HEADER_COUNT_MAX 128

/* Why a request is not taken. */
typedef struct serve_refusal {
    int status;         /* of the answer; 0: it is not refused */
    const char *reason; /* for a person; Borrowed forever */
} serve_refusal;

/* A head that was taken. Strings are in `block`, zero-terminated. Release with
 * serve_head_release(). */
typedef struct serve_head {
    char *block;
    const char *method;
    const char *target;
    const char *host; /* of the target, when that is absolute, else of the header; "" for none */
    const char *path; /* of the target: from its first '/' on, or "?...", or "" */
    bool target_is_https;
    uint8_t minor; /* of HTTP/1.x */
    bool keeps_alive;
    bool is_chunked;
    bool has_length;
    uint64_t length_bytes;
    bool expects_continue;
    bool expects_other;
    size_t header_count;
    snapcell_header headers[SERVE_HEADER_COUNT_MAX]; /* last: what is before it is zeroed */
} serve_head;

void serve_head_release(serve_head *head);

/* Where the head at the beginning of `data` ends: the bytes up to and with the empty line; 0 when
 * that has not come yet. `*seen_bytes`: how much was looked at before, 0 at first. A line feed
 * without a carriage return before it counts, so that it is not waited for: the check refuses it.
 */
size_t serve_head_end(const char *data, size_t size_bytes, size_t *seen_bytes);

/* Whether these bytes, up to and with the empty line, are lines of a header block as they must be;
 * `first` lines of them are left out, the request line for one. False fills in `*refusal`. */
bool serve_head_check_lines(const char *data, size_t size_bytes, size_t first,
                            serve_refusal *refusal);

/* Looks at what the headers say together, and fills in host, lengths and the like. */
bool serve_head_check_fields(serve_head *head, serve_refusal *refusal);

/* Whether text can stand in a Host header. */
bool serve_head_is_host(const char *host);

/* The value of a header, NULL when there is none. `name`: lower case. */
const char *serve_head_find(const serve_head *head, const char *name);

#endif
