/* The warm-up requests that an artifact was compiled with, as its manifest has them. Internal to
 * the libraries. */
#ifndef SNAPCELL_WARM_REQUESTS_H
#define SNAPCELL_WARM_REQUESTS_H

#include <stdbool.h>

#include "snapcell/http.h"

#define WARM_COUNT_MAX 64
#define WARM_HEADER_COUNT_MAX 256

struct json_t; /* jansson's */

/* Owned: warm_requests_release(). */
typedef struct warm_requests {
    snapcell_request *requests;
    size_t count;
    void *texts; /* what they point into */
} warm_requests;

/* Of the manifest's array. `size_bytes_max`: that of all texts in it. False: it is none, or there
 * is no memory; `out` is empty then. */
bool warm_requests_read(const struct json_t *json, size_t size_bytes_max, warm_requests *out);

/* The same of a whole manifest. */
bool warm_requests_of_manifest(const char *manifest, size_t size_bytes, warm_requests *out);

void warm_requests_release(warm_requests *warm);

#endif
