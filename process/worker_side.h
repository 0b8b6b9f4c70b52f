/* The worker's end of the socket, which blocks. Internal. */
#ifndef SNAPCELL_WORKER_SIDE_H
#define SNAPCELL_WORKER_SIDE_H

#include "wire_message.h"

/* Whether it was written without failure, and is not too large. */
bool worker_side_fits(uint32_t type, const wire_writer *body, wire_size_max_fn *size_max);

/* False when it does not fit, or nobody is at the other end. */
bool worker_side_send(int fd, uint32_t type, const wire_writer *body, wire_size_max_fn *size_max);

/* `*body`: Owned, free(), after failure, too. */
bool worker_side_receive(int fd, wire_header *header, void **body, wire_size_max_fn *size_max);

#endif
