/* Sockets that a server listens at. Internal to serve/. */
#ifndef SNAPCELL_SERVE_LISTEN_H
#define SNAPCELL_SERVE_LISTEN_H

#include "serve_connection.h"

typedef struct serve_listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    serve_front *front;
    bool is_pipe;
    bool is_admin;
    bool is_open;
    char *path; /* of a Unix socket that is to be removed */
    char url[160];
    struct serve_listener *next;
} serve_listener;

/* Opens one and puts it into the list. Errors: E_USAGE (no such address), E_IO (it is in use, or
 * may not be used), E_NOMEM. */
int serve_listen(serve_front *front, const char *address, bool is_admin, serve_listener **list,
                 snapcell_error *err);

/* Takes over the sockets that systemd opened (LISTEN_FDS); those with the name "metrics" are for
 * the metrics. `*count`: how many there were. Errors: as serve_listen(). */
int serve_listen_inherited(serve_front *front, serve_listener **list, size_t *count,
                           snapcell_error *err);

/* Stops listening; the list stays until serve_listen_free(), after the loop has run. */
void serve_listen_close(serve_listener *list);
void serve_listen_free(serve_listener *list);

/* Tells systemd, if it is there: "READY=1", "STOPPING=1". */
void serve_notify(const char *state);

#endif
