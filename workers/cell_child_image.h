/* The child's side of images: a worker that writes one of itself, and one that goes on as it.
 * Internal to workers/. */
#ifndef SNAPCELL_CELL_CHILD_IMAGE_H
#define SNAPCELL_CELL_CHILD_IMAGE_H

#include "cell_child.h"
#include "cell_cut.h"
#include "process_image.h"

/* The file that a worker with `makes_image` writes to: after its two sockets. */
#define CELL_IMAGE_FD_OFFSET 2

/* Writes the image and tells the host; what went wrong is told as an error. */
void cell_child_make_image(cell_child *child, checkpoint *cp, const process_image_request *request,
                           snapcell_error *err);

/* In a process that goes on as an image: takes over the checkpoint and the signals, and receives
 * its own LOAD. False: it must end. */
bool cell_child_arrive(cell_child *child, checkpoint *cp, cell_cut *cut,
                       const process_image_arrival *arrival, cell_load *load);

#endif
