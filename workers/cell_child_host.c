/* Host functions in a worker: each call is sent to the host, and waits for its answer. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "cell_child.h"
#include "cleanup.h"
#include "error_set.h"
#include "wire_host.h"

typedef struct child_stub {
    cell_child *child;
    uint32_t index;
} child_stub;

/* --- The answer --- */

static int stub_take_answer(const cell_inbox_message *message, snapcell_host_call *call)
{
    const uint8_t *body = message->body;
    size_t size = message->body_size_bytes;
    uint64_t number;
    snapcell_value value;
    if (!cell_number_read(&body, &size, &number))
        return snapcell_host_throw(call, "the host gave no answer");
    if (message->type == CELL_MESSAGE_HOST_RETURN && wire_value_read(body, size, &value)) {
        if (snapcell_host_return(call, &value, NULL) == SNAPCELL_OK) return 0;
        return snapcell_host_throw(call, "no memory for the host function's result");
    }
    const char *text =
        message->type == CELL_MESSAGE_HOST_THROW ? wire_throw_read(body, size) : NULL;
    return snapcell_host_throw(call, text != NULL ? text : "the host gave no answer");
}

static bool stub_is_answer(const cell_child *child, const cell_inbox_message *message)
{
    const uint8_t *body = message->body;
    size_t size = message->body_size_bytes;
    uint64_t number;
    return (message->type == CELL_MESSAGE_HOST_RETURN ||
            message->type == CELL_MESSAGE_HOST_THROW) &&
           cell_number_read(&body, &size, &number) && number == child->outbox->call;
}

/* What else comes of the call meanwhile is taken as well. */
static bool stub_await(cell_child *child, cell_inbox_message *out)
{
    bool broken = false;
    struct pollfd polled = {.fd = child->fd, .events = POLLIN};
    for (;;) {
        while (cell_inbox_take(child->inbox, out, &broken)) {
            if (stub_is_answer(child, out)) return true;
            cell_child_take(child, out);
        }
        if (broken || (poll(&polled, 1, -1) < 0 && errno != EINTR)) return false;
        if (!cell_inbox_receive(child->inbox)) return false;
    }
}

/* --- The call --- */

static int stub_send(cell_child *child, uint32_t index, snapcell_host_call *call)
{
    cleanup_writer wire_writer writer = {0};
    if (wire_host_call_forward(&writer, index, call) != 0) return -1;
    if (writer.failed || !cell_outbox_fits(CELL_MESSAGE_HOST_CALL, writer.size_bytes))
        return snapcell_host_throw(call, "the arguments are too large to be handed to the host");
    if (cell_child_send(child, CELL_MESSAGE_HOST_CALL, &writer)) return 0;
    return snapcell_host_throw(call, "the host is gone");
}

static int stub_call(void *user, snapcell_host_call *call)
{
    const child_stub *stub = user;
    cell_child *child = stub->child;
    cell_inbox_message answer;
    if (child->is_quiet)
        return snapcell_host_throw(
            call, "host functions are not called when warm-up requests are repeated");
    if (stub_send(child, stub->index, call) != 0) return -1;
    if (!stub_await(child, &answer)) return snapcell_host_throw(call, "the host is gone");
    return stub_take_answer(&answer, call);
}

/* The stubs and the table go with the process. */
int cell_child_make_host(cell_child *child, const snapcell_host **out, snapcell_error *err)
{
    const cell_load *load = child->load;
    *out = NULL;
    if (load->host_name_count == 0) return SNAPCELL_OK;
    snapcell_host *host = NULL;
    child_stub *stubs = calloc(load->host_name_count, sizeof(*stubs));
    int status = stubs != NULL ? snapcell_host_new(&host, err)
                               : error_set(err, SNAPCELL_E_NOMEM, "no memory for host functions");
    for (uint32_t i = 0; i < load->host_name_count && status == SNAPCELL_OK; i++) {
        stubs[i] = (child_stub){child, i};
        status = snapcell_host_add(host, load->host_names[i], stub_call, &stubs[i], err);
    }
    if (status == SNAPCELL_OK) {
        *out = host;
        return SNAPCELL_OK;
    }
    snapcell_host_free(host);
    free(stubs);
    return status;
}
