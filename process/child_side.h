/* The child's end of the socket, which blocks. Internal. */
#ifndef SNAPCELL_CHILD_SIDE_H
#define SNAPCELL_CHILD_SIDE_H

#include "wire_message.h"

/* Whether it was written without failure, and is not too large. */
bool child_side_fits(uint32_t type, const wire_writer *body, wire_size_max_fn *size_max);

/* False when it does not fit, or nobody is at the other end. */
bool child_side_send(int fd, uint32_t type, const wire_writer *body, wire_size_max_fn *size_max);

/* As child_side_receive_header(), with a descriptor that came with it; -1: none did. `*file`:
 * Owned. */
bool child_side_receive_header_file(int fd, wire_header *header, wire_size_max_fn *size_max,
                                    int *file);

/* The same in two steps, for a body that goes into memory of the caller's. */
bool child_side_receive_header(int fd, wire_header *header, wire_size_max_fn *size_max);
bool child_side_receive_body(int fd, const wire_header *header, void *body);

/* `*body`: Owned, free(), after failure, too. */
bool child_side_receive(int fd, wire_header *header, void **body, wire_size_max_fn *size_max);

#endif
