/* The child's side: one function, call after call, until the host is gone. */
#include <errno.h>
#include <sys/socket.h>

#include "cell_child.h"
#include "cell_restore.h"
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

/* The type of the next message, which stays where it is, with what came along. 0: there is none. */
static uint32_t child_next_type(int fd)
{
    uint8_t data[WIRE_HEADER_SIZE];
    wire_header header;
    ssize_t got;
    do
        got = recv(fd, data, sizeof(data), MSG_PEEK | MSG_WAITALL);
    while (got < 0 && errno == EINTR);
    bool is_whole = got == (ssize_t)sizeof(data);
    return is_whole && wire_header_read(data, cell_body_size_max, &header) ? header.type : 0;
}

/* What goes wrong with it shows when a function is loaded. */
static bool child_prepare(int fd)
{
    wire_header header;
    uint8_t number[CELL_NUMBER_SIZE];
    if (!child_side_receive_header(fd, &header, cell_body_size_max) ||
        header.body_size_bytes != sizeof(number) || !child_side_receive_body(fd, &header, number))
        return false;
    loader_rehearse();
    return true;
}

int snapcell_cell_worker(int socket_fd)
{
    outer_buffer body = {0};
    cell_load load;
    cell_child child = {.fd = socket_fd, .net_fd = -1, .load = &load};
    if (!child_send_hello(socket_fd)) return 1;
    bool is_prepared = child_next_type(socket_fd) == CELL_MESSAGE_PREPARE;
    if ((is_prepared && !child_prepare(socket_fd)) ||
        !cell_child_receive_load(socket_fd, &body, &load, &child.net_fd) ||
        (is_prepared && load.policy == CELL_POLICY_RESTORE))
        return 1;
    int status = load.policy == CELL_POLICY_RESTORE ? cell_child_restore(&child, socket_fd + 1)
                                                    : cell_child_reload(&child);
    return status;
}
