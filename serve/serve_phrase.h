/* The words of statuses of HTTP (RFC 9110). */
#ifndef SNAPCELL_SERVE_PHRASE_H
#define SNAPCELL_SERVE_PHRASE_H

/* "OK" for 200; "" for what has no phrase. */
const char *serve_status_phrase(int status);

#endif
