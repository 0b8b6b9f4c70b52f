/* While developing: versions of functions come on standard input, and are served before the store
 * has them. Internal to serve/.
 *
 * Each is a line of JSON, {"function": NAME, "prelude_sha256": HEX, "encoding": "latin1" or
 * "utf-16le", "text_bytes": N, "map_bytes": N}, then the text, which comes after this prelude, and
 * the text's source map. It is for the worker that has evaluated the prelude and waits; the log
 * says what becomes of it, version_served or version_declined. Who gives a version puts it into
 * the store after that. */
#ifndef SNAPCELL_SERVE_VERSIONS_H
#define SNAPCELL_SERVE_VERSIONS_H

#include <uv.h>

#include "serve_buffer.h"
#include "serve_pool.h"

/* What a line says. */
typedef struct serve_version {
    char *name; /* of the function; NULL: there was no line yet */
    uint8_t prelude_sha256[SNAPCELL_WORKER_SHA256_SIZE];
    bool is_utf16;
    size_t text_size_bytes;
    size_t map_size_bytes;
} serve_version;

/* Zeroed: closed. */
typedef struct serve_versions {
    serve_context *context;
    serve_pool *pool;
    uv_poll_t poll;
    int fd; /* 0: none */
    serve_buffer bytes;
    serve_version version; /* that comes */
    void (*ended)(void *user);
    void *user;
} serve_versions;

/* Standard input is the empty file from then on. `ended`: called when what gives versions has
 * closed it. Errors: E_IO. */
int serve_versions_open(serve_versions *versions, serve_context *context, serve_pool *pool,
                        void (*ended)(void *user), void *user, snapcell_error *err);

/* Again, or closed: does nothing. */
void serve_versions_close(serve_versions *versions);

#endif
