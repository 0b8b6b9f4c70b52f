/* Ids of requests, and the W3C's trace context. Internal to serve/. */
#ifndef SNAPCELL_SERVE_IDENTITY_H
#define SNAPCELL_SERVE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#define SERVE_ID_SIZE 33    /* 32 hex digits and a zero */
#define SERVE_TRACE_SIZE 56 /* "00-TRACE-PARENT-FLAGS" and a zero */

/* Unique, and hard to guess. */
void serve_identity_make(char out[SERVE_ID_SIZE]);

/* What a request passes on: the caller's trace with an id of its own as the parent, or a new one
 * where `given` (may be NULL) is none. */
void serve_identity_trace(const char *given, char out[SERVE_TRACE_SIZE]);

#endif
