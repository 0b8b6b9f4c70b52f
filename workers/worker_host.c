/* Host functions that a worker's function calls: the host answers, while the worker waits. */
#include <stdlib.h>

#include "cleanup.h"
#include "host_table.h"
#include "wire_host.h"
#include "worker_state.h"

static child_outcome host_send_throw(snapcell_worker *worker, uint64_t call, const char *message)
{
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_HOST_THROW);
    cell_number_write(out, call);
    wire_throw_write(out, message);
    return worker_link_commit(&worker->link) ? CHILD_OK : CHILD_NO_MEMORY;
}

static child_outcome host_send_result(snapcell_worker *worker, uint64_t call,
                                      const snapcell_value *result)
{
    if (result->size_bytes > CELL_HOST_RESULT_SIZE_MAX)
        return host_send_throw(worker, call, "the host function's result is too large");
    wire_writer *out = worker_link_begin(&worker->link, CELL_MESSAGE_HOST_RETURN);
    cell_number_write(out, call);
    wire_value_write(out, result);
    return worker_link_commit(&worker->link) ? CHILD_OK : CHILD_NO_MEMORY;
}

/* A worker waits for each answer before it calls again; one that does not would pile them up. */
child_outcome worker_take_host_call(snapcell_worker *worker, uint64_t call, const void *body,
                                    size_t size_bytes)
{
    const snapcell_host *host = worker->workers->options.host;
    wire_host_call asked;
    if (host == NULL || worker->link.sent_bytes < worker->host_answer_end ||
        !wire_host_call_read(body, size_bytes, &asked))
        return CHILD_NONSENSE;
    cleanup_free snapcell_value *arguments = asked.arguments;
    if (asked.index >= host->count) return CHILD_NONSENSE;
    const host_function *function = &host->functions[asked.index];
    snapcell_host_call made = {.arguments = arguments, .argument_count = asked.argument_count};
    bool thrown = function->callback(function->user, &made) != 0;
    child_outcome outcome = thrown ? host_send_throw(worker, call, made.error_message)
                                   : host_send_result(worker, call, &made.result);
    free((char *)made.result.data);
    worker->host_answer_end = worker_link_end_bytes(&worker->link);
    return outcome;
}
