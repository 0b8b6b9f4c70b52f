/* Whole pieces over a stream socket that blocks. Internal. */
#ifndef SNAPCELL_SOCKET_IO_H
#define SNAPCELL_SOCKET_IO_H

#include <stdbool.h>
#include <stddef.h>

/* False when nobody is at the other end any more, or it failed; no signal is raised then. */
bool socket_write_all(int fd, const void *data, size_t size_bytes);
/* False when the other end closed before all was there, or it failed. */
bool socket_read_all(int fd, void *data, size_t size_bytes);

#endif
