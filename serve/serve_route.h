/* Which function answers a request: patterns of hosts and paths. Internal to serve/.
 *
 * As "*.example.com/api*": a host and a path, with '*' at the host's beginning, the path's end, or
 * both. A pattern without a path is all of its host; one that begins with '/' is for any host. */
#ifndef SNAPCELL_SERVE_ROUTE_H
#define SNAPCELL_SERVE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapcell/error.h"

typedef struct serve_route {
    char *host; /* lower case; what follows the '*', when there is one */
    char *path; /* what precedes the '*', when there is one */
    bool host_is_open;
    bool path_is_open;
    char *function;
} serve_route;

typedef struct serve_routes {
    serve_route *items; /* those of whole hosts first, by host; the most specific first */
    size_t count;
    size_t whole_count;
} serve_routes;

/* Errors: E_USAGE (what is wrong with the pattern), E_NOMEM. */
int serve_routes_add(serve_routes *routes, const char *pattern, const char *function,
                     snapcell_error *err);

/* After the last one was added. */
void serve_routes_sort(serve_routes *routes);

/* The function for a host, lower case and without its port, and a path, which ends before '?'. NULL
 * when there is none. Borrowed until the routes are released. */
const char *serve_routes_find(const serve_routes *routes, const char *host, const char *path,
                              size_t path_size_bytes);

void serve_routes_release(serve_routes *routes);

#endif
