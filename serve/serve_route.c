#include "serve_route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error_set.h"

/* --- Patterns --- */

static int route_check(const char *pattern, const char *host, size_t host_size, const char *path,
                       snapcell_error *err)
{
    const char *star = memchr(host, '*', host_size);
    if (star != NULL && star != host)
        return error_set(err, SNAPCELL_E_USAGE,
                         "the pattern '%s' may have '*' only at its host's beginning", pattern);
    if (memchr(host, ':', host_size) != NULL && host[0] != '[')
        return error_set(err, SNAPCELL_E_USAGE, "the pattern '%s' may not name a port", pattern);
    if (host_size == 0 && *path == '\0')
        return error_set(err, SNAPCELL_E_USAGE,
                         "a pattern is a host, a path, or both, as example.com/api/"
                         "*");
    if (strpbrk(path, "?#") != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "the pattern '%s' may not have a query", pattern);
    star = strchr(path, '*');
    if (star != NULL && star[1] != '\0')
        return error_set(err, SNAPCELL_E_USAGE,
                         "the pattern '%s' may have '*' only at its path's end", pattern);
    return SNAPCELL_OK;
}

/* Into `route`, whose strings are freed by the caller. */
static bool route_fill(serve_route *route, const char *host, size_t host_size, const char *path,
                       const char *function)
{
    route->host_is_open = host_size == 0 || host[0] == '*';
    if (host_size > 0 && host[0] == '*') {
        host++;
        host_size--;
    }
    size_t path_size = strlen(path);
    route->path_is_open = path_size == 0 || path[path_size - 1] == '*';
    if (path_size > 0 && route->path_is_open) path_size--;
    route->host = strndup(host, host_size);
    route->path = strndup(path, path_size);
    route->function = strdup(function);
    if (route->host == NULL || route->path == NULL || route->function == NULL) return false;
    for (char *c = route->host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

static void route_release(serve_route *route)
{
    free(route->host);
    free(route->path);
    free(route->function);
}

int serve_routes_add(serve_routes *routes, const char *pattern, const char *function,
                     snapcell_error *err)
{
    const char *host = pattern;
    if (strncasecmp(host, "http://", 7) == 0) host += 7;
    if (strncasecmp(host, "https://", 8) == 0) host += 8;
    size_t host_size = strcspn(host, "/");
    int status = route_check(pattern, host, host_size, host + host_size, err);
    if (status != SNAPCELL_OK) return status;
    serve_route *items = realloc(routes->items, (routes->count + 1) * sizeof(*items));
    if (items == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a route");
    routes->items = items;
    serve_route route = {0};
    if (!route_fill(&route, host, host_size, host + host_size, function)) {
        route_release(&route);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a route");
    }
    items[routes->count++] = route;
    return SNAPCELL_OK;
}

void serve_routes_release(serve_routes *routes)
{
    for (size_t i = 0; i < routes->count; i++)
        route_release(&routes->items[i]);
    free(routes->items);
    *routes = (serve_routes){0};
}

/* --- Matching --- */

/* Longer paths first; of two that are the same, the one without '*'. */
static int route_compare_paths(const serve_route *a, const serve_route *b)
{
    size_t a_size = strlen(a->path);
    size_t b_size = strlen(b->path);
    if (a_size != b_size) return a_size > b_size ? -1 : 1;
    return (int)a->path_is_open - (int)b->path_is_open;
}

static int route_compare(const void *left, const void *right)
{
    const serve_route *a = left;
    const serve_route *b = right;
    if (a->host_is_open != b->host_is_open) return a->host_is_open ? 1 : -1;
    size_t a_size = strlen(a->host);
    size_t b_size = strlen(b->host);
    if (a->host_is_open && a_size != b_size) return a_size > b_size ? -1 : 1;
    int order = strcmp(a->host, b->host);
    return order != 0 ? order : route_compare_paths(a, b);
}

void serve_routes_sort(serve_routes *routes)
{
    if (routes->count > 0)
        qsort(routes->items, routes->count, sizeof(*routes->items), route_compare);
    routes->whole_count = 0;
    while (routes->whole_count < routes->count && !routes->items[routes->whole_count].host_is_open)
        routes->whole_count++;
}

static bool route_has_path(const serve_route *route, const char *path, size_t path_size)
{
    size_t size = strlen(route->path);
    if (path_size < size || memcmp(route->path, path, size) != 0) return false;
    return route->path_is_open || path_size == size;
}

static bool route_has_host(const serve_route *route, const char *host)
{
    size_t size = strlen(host);
    size_t wanted = strlen(route->host);
    return size >= wanted && memcmp(host + size - wanted, route->host, wanted) == 0;
}

/* The first route of a whole host. */
static size_t route_seek(const serve_routes *routes, const char *host)
{
    size_t low = 0;
    size_t high = routes->whole_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(routes->items[middle].host, host) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *serve_routes_find(const serve_routes *routes, const char *host, const char *path,
                              size_t path_size_bytes)
{
    for (size_t i = route_seek(routes, host); i < routes->whole_count; i++) {
        if (strcmp(routes->items[i].host, host) != 0) break;
        if (route_has_path(&routes->items[i], path, path_size_bytes))
            return routes->items[i].function;
    }
    for (size_t i = routes->whole_count; i < routes->count; i++)
        if (route_has_host(&routes->items[i], host) &&
            route_has_path(&routes->items[i], path, path_size_bytes))
            return routes->items[i].function;
    return NULL;
}
