/* The sandbox of a server that parses what clients send, runs no untrusted code, and starts workers
 * that do. Internal: for the command `serve`. */
#ifndef SNAPCELL_SANDBOX_SERVER_H
#define SNAPCELL_SANDBOX_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "snapcell/error.h"

/* What the server must still reach, itself or by its workers. Paths that are not there, and NULL
 * entries, are passed over. */
typedef struct sandbox_server_files {
    const char *const *readable; /* files and folders */
    size_t readable_count;
    const char *const *writable; /* folders whose files may be read and written, not made */
    size_t writable_count;
    const char *const *programs; /* that may be started */
    size_t program_count;
    const char *const *removable; /* folders of which files may be removed: the server's sockets */
    size_t removable_count;
    const char *changeable; /* a folder in which files may be made, too; NULL: none */
} sandbox_server_files;

/* Purpose: before the process makes an event loop, take from it the making of rings of io_uring,
 * which the sandbox would not let it use afterwards: libuv goes without when it gets none. Also
 * gives up new privileges. Thread: any, before others are started. Errors: E_SANDBOX, E_INTERNAL.
 */
int sandbox_server_begin(snapcell_error *err);

/* Purpose: leave a process its sockets, the network, the named files, and starting the named
 * programs; what it starts inherits the same. It loses: making, renaming and removing other files,
 * other files altogether where the kernel has Landlock, tracing and reading other processes,
 * changing the system, and privileges: root becomes nobody, unless nobody cannot read what is
 * named;
 * `*keeps_user` tells. Thread: any, once, before others are started. Errors: E_SANDBOX, E_INTERNAL.
 */
int sandbox_server_enter(const sandbox_server_files *files, bool *keeps_user, snapcell_error *err);

#endif
