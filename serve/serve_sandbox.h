/* The server's own sandbox. Internal to serve/. */
#ifndef SNAPCELL_SERVE_SANDBOX_H
#define SNAPCELL_SERVE_SANDBOX_H

#include "serve_context.h"

/* Once the sockets are open: gives up root, and files and calls that serving does not need.
 * `config_path`: to be read again; NULL: none. `socket_paths`: of Unix sockets, to be removed.
 * Errors: E_SANDBOX, E_NOMEM, and those of finding the program of workers. */
int serve_sandbox_enter(serve_context *context, const char *config_path,
                        const serve_strings *socket_paths, snapcell_error *err);

#endif
