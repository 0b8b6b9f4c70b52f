/* The sandbox of a program that has the network and no untrusted code: it reads what unknown
 * servers send, with libraries of which a fault will be found some day. Internal: for snapcell-net.
 */
#ifndef SNAPCELL_SANDBOX_CLIENT_H
#define SNAPCELL_SANDBOX_CLIENT_H

#include <stddef.h>

#include "snapcell/error.h"

/* Purpose: leave a process the client's side of the network, threads, and reading the system's
 * configuration and certificates. It loses: writing or making files, starting programs and
 * processes, being a server, other processes, privileges (root becomes nobody, when nobody can read
 * what is named), and, where the kernel has Landlock, reading anything else. `readable`: files and
 * folders that it must be able to read besides the system's; NULL entries are passed over. Thread:
 * any, once, before others are started. Errors: E_SANDBOX, E_INTERNAL. */
int sandbox_client_enter(const char *const *readable, size_t count, snapcell_error *err);

#endif
