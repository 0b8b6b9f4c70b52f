/* A call with standard input and output for its bodies: read when the function reads, written as
 * it gives. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "error_set.h"
#include "serve_phrase.h"

/* --- The head --- */

void cli_print_head(const snapcell_response *response)
{
    int status = snapcell_response_status(response);
    const char *reason = serve_status_phrase(status);
    cli_print("HTTP/1.1 %d%s%s\n", status, reason[0] ? " " : "", reason);
    for (size_t i = 0; i < snapcell_response_header_count(response); i++) {
        snapcell_header header = snapcell_response_header(response, i);
        cli_print("%s: %s\n", header.name, header.value);
    }
    cli_print("\n");
}

/* --- The callbacks --- */

/* A descriptor that is closed, or whose other end is gone, is ready: using it reports that. */
static bool exchange_is_ready(int fd, short events)
{
    struct pollfd polled = {.fd = fd, .events = events};
    return poll(&polled, 1, 0) != 0;
}

static ptrdiff_t exchange_read(void *user, void *buffer, size_t size_bytes)
{
    cli_exchange *self = user;
    if (!exchange_is_ready(STDIN_FILENO, POLLIN)) return SNAPCELL_STREAM_LATER;
    ssize_t got = read(STDIN_FILENO, buffer, size_bytes);
    if (got >= 0) return got;
    if (errno == EINTR || errno == EAGAIN) return SNAPCELL_STREAM_LATER;
    self->read_errno = errno;
    return SNAPCELL_STREAM_FAILED;
}

static int exchange_head(void *user, const snapcell_response *head)
{
    const cli_exchange *self = user;
    if (self->prints && self->include) cli_print_head(head);
    cli_flush();
    return 0;
}

static ptrdiff_t exchange_write(void *user, const void *data, size_t size_bytes)
{
    const cli_exchange *self = user;
    if (!self->prints || size_bytes == 0) return (ptrdiff_t)size_bytes;
    if (!exchange_is_ready(STDOUT_FILENO, POLLOUT)) return SNAPCELL_STREAM_LATER;
    return cli_write_some(data, size_bytes);
}

static void exchange_wait(void *user, bool reading, bool writing, uint32_t timeout_ms)
{
    (void)user;
    struct pollfd polled[2];
    nfds_t count = 0;
    if (reading) polled[count++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    if (writing) polled[count++] = (struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT};
    poll(polled, count, (int)timeout_ms);
}

int cli_exchange_run(cli_exchange *exchange, snapcell_cell *cell, const snapcell_request *request,
                     snapcell_error *err)
{
    snapcell_stream stream = SNAPCELL_STREAM_INIT;
    stream.user = exchange;
    stream.read = exchange->reads ? exchange_read : NULL;
    stream.head = exchange_head;
    stream.write = exchange_write;
    stream.wait = exchange_wait;
    int status = snapcell_cell_stream(cell, request, &stream, err);
    if (exchange->read_errno != 0)
        return error_set_errno(err, SNAPCELL_E_IO, exchange->read_errno,
                               "cannot read standard input");
    return status;
}
