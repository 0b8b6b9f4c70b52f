#include "cell_child.h"

bool cell_child_send(cell_child *child, cell_message_type type, const wire_writer *body)
{
    return !body->failed &&
           cell_outbox_add(child->outbox, type, body->data, body->size_bytes, NULL, 0) &&
           cell_outbox_flush(child->outbox);
}

bool cell_child_send_error(cell_child *child, const snapcell_error *error)
{
    cleanup_writer wire_writer writer = {0};
    wire_error_write(&writer, error);
    return cell_child_send(child, CELL_MESSAGE_ERROR, &writer);
}

bool cell_child_send_ready(cell_child *child, const cell_ready *ready)
{
    cleanup_writer wire_writer writer = {0};
    cell_ready_write(&writer, ready);
    return cell_child_send(child, CELL_MESSAGE_READY, &writer);
}
