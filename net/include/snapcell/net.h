/* A client for fetch() that speaks HTTP, using libcurl, in a process of its own.
 *
 * The process is the program `snapcell-net`. It alone has network access, and the list of allowed
 * hosts. Talking to it takes only a socket, so a sandboxed process can fetch, too. It supports
 * HTTP/1.1 and HTTP/2, and keeps and shares connections. Certificates are checked against the
 * system's, or those of $SSL_CERT_FILE and $SSL_CERT_DIR. There are no cookies, and no proxies
 * unless an option says so. The engine follows redirects; each is a new request that is checked
 * again. */
#ifndef SNAPCELL_NET_H
#define SNAPCELL_NET_H

#include <stdbool.h>

#include <sys/types.h>

#include "snapcell/fetch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snapcell_net snapcell_net;

/* Zero means the default, everywhere. Borrowed during the call that takes it. */
typedef struct snapcell_net_options {
    size_t struct_size; /* sizeof(snapcell_net_options) */

    /* Allowed hosts: "example.org", "example.org:8443", "*.example.org" (any name below it),
     * "127.0.0.1:8080", "[::1]", "*" (any). Without a port: any port. NULL if there are none: every
     * request is then refused. */
    const char *const *allow;
    size_t allow_count;

    /* Names may resolve to loopback, link-local and private addresses, too. Without this, only
     * "localhost" may, and an address that is itself in `allow`. */
    bool allow_private;

    /* `snapcell-net`. NULL: next to this program or library, or in ../libexec/snapcell from it. */
    const char *program_path;

    /* Run the process without its sandbox, for kernels or container policies that refuse it: it can
     * then start programs and write files, like any process of its user. */
    bool no_sandbox;

    /* Use the proxies that $HTTPS_PROXY, $http_proxy, $ALL_PROXY and $NO_PROXY name, as curl does.
     * Proxies resolve names themselves: needs allow_private. */
    bool use_proxies;

    /* A file of certificates that are trusted, instead of $SSL_CERT_FILE's; those in the system's
     * folder still are. NULL: none. */
    const char *ca_file;
} snapcell_net_options;

#define SNAPCELL_NET_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .struct_size = sizeof(snapcell_net_options)                                                \
    }

/* --- Simple: a process that fetches for this one ---------------------------------------------- */

/* Purpose: start the process, and be its client. `options`: NULL for the defaults. `*out`: Owned,
 * snapcell_net_close(). NULL on failure. Thread: any. Errors: E_USAGE (an invalid host),
 * E_NOT_FOUND (the program), E_IO, E_NOMEM. A process that cannot go on says why on standard error,
 * and fetches are rejected. */
SNAPCELL_API int snapcell_net_open(const snapcell_net_options *options, snapcell_net **out,
                                   snapcell_error *err);

/* Purpose: what snapcell_loader_options.fetch_client takes; for any number of loaders and threads.
 * `net`: not NULL. Returns: Borrowed until snapcell_net_close(). Thread: any. Errors: none. */
SNAPCELL_API const snapcell_fetch_client *snapcell_net_client(snapcell_net *net);

/* Purpose: close the client and end the process; NULL is allowed. The loaders that use the client
 * must be closed first. Thread: any, once. Errors: none. */
SNAPCELL_API void snapcell_net_close(snapcell_net *net);

/* --- Advanced: a process that fetches for another one ----------------------------------------- */

/* Purpose: check a host as in `allow`. `host`: not NULL. Thread: any. Errors: E_USAGE, with what is
 * wrong with it. */
SNAPCELL_API int snapcell_net_check_host(const char *host, snapcell_error *err);

/* Purpose: start the process that serves the other end of the socket `fd` (a stream socket; the
 * caller still owns it and may close it at once). It ends when that end is closed. `*pid`: the
 * child, to be waited for after that; NULL is allowed. `options`: NULL for the defaults. Thread:
 * any. Errors: as snapcell_net_open(). */
SNAPCELL_API int snapcell_net_serve(const snapcell_net_options *options, int fd, pid_t *pid,
                                    snapcell_error *err);

/* Purpose: become the client of a process that serves the other end of the socket `fd`. Takes
 * ownership of `fd`, also on failure. `*out`: as snapcell_net_open(). A thread is started with the
 * first request. Thread: any. Errors: E_NOMEM. */
SNAPCELL_API int snapcell_net_attach(int fd, snapcell_net **out, snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
