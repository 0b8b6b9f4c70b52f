#include "cell_child_image.h"

#include "cleanup.h"
#include "error_set.h"

void cell_child_make_image(cell_child *child, checkpoint *cp, const process_image_request *request,
                           snapcell_error *err)
{
    cleanup_writer wire_writer writer = {0};
    cell_image_made made = {.key = snapcell_cell_info(child->cell)->key};
    int status =
        process_image_write(cp, request, child->fd + CELL_IMAGE_FD_OFFSET, &made.size_bytes, err);
    if (status != SNAPCELL_OK) {
        cell_child_send_error(child, err);
        return;
    }
    cell_image_made_write(&writer, &made);
    cell_child_send(child, CELL_MESSAGE_IMAGE, &writer);
}

bool cell_child_arrive(cell_child *child, checkpoint *cp, cell_cut *cut,
                       const process_image_arrival *arrival, cell_load *load)
{
    outer_buffer body;
    if (!cell_cut_arrive(cut)) return false;
    /* Before the list of mappings is read: this one stays. */
    if (!cell_child_receive_load(child->fd, &body, load, &child->net->fd)) return false;
    return process_image_arrive(cp, arrival, NULL) == SNAPCELL_OK;
}
