/* A client of fetch() for tests: a server in this process, which answers by the path of the URL, on
 * a thread for each fetch. */
#ifndef SNAPCELL_TESTS_FAKE_CLIENT_H
#define SNAPCELL_TESTS_FAKE_CLIENT_H

#include "snapcell/fetch.h"

/* What it did since fake_client_reset(). */
typedef struct fake_counts {
    unsigned started;
    unsigned closed;   /* calls of `close` */
    unsigned given_up; /* of these, before the client gave the fetch back */
    size_t most_ahead; /* the most bytes of one response that were taken and not read */
    char last[1024];   /* "METHOD URL\nname: value\n..." of the last request */
} fake_counts;

extern const snapcell_fetch_client fake_client;

/* Waits until no fetch is open, and gives the counts. */
fake_counts fake_client_counts(void);
void fake_client_reset(void);

#endif
