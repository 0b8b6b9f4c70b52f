/* The child's side: one function, call after call, until the host is gone. */
#include "cell_child.h"
#include "child_side.h"
#include "cleanup.h"
#include "outer_memory.h"
#include "snapcell/worker.h"

static bool child_send_hello(int fd)
{
    cleanup_writer wire_writer writer = {0};
    cell_hello_write(&writer, &(wire_hello){CELL_PROTOCOL_VERSION, engine_fingerprint()});
    return child_side_send(fd, CELL_MESSAGE_HELLO, &writer, cell_body_size_max);
}

int snapcell_cell_worker(int socket_fd)
{
    outer_buffer body = {0};
    cell_load load;
    cell_child child = {.fd = socket_fd, .net_fd = -1, .load = &load};
    if (!child_send_hello(socket_fd) ||
        !cell_child_receive_load(socket_fd, &body, &load, &child.net_fd))
        return 1;
    int status = load.policy == CELL_POLICY_RESTORE ? cell_child_restore(&child, socket_fd + 1)
                                                    : cell_child_reload(&child);
    return status;
}
