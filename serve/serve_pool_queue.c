/* Those that wait for a worker: in, out, refused. */
#include "error_set.h"
#include "monotonic.h"
#include "serve_pool_state.h"

static void pool_add_waiting(serve_function *function)
{
    serve_pool *pool = function->pool;
    if (function->waits) return;
    function->waits = true;
    function->next_waiting = pool->waiting;
    pool->waiting = function;
}

static void pool_remove_waiting(serve_function *function)
{
    serve_function **link = &function->pool->waiting;
    while (*link != NULL && *link != function)
        link = &(*link)->next_waiting;
    if (*link != NULL) *link = function->next_waiting;
    function->waits = false;
}

void serve_pool_enqueue(serve_ticket *ticket)
{
    serve_function *function = ticket->function;
    ticket->next = NULL;
    ticket->previous = function->queue_last;
    if (function->queue_last != NULL)
        function->queue_last->next = ticket;
    else
        function->queue_first = ticket;
    function->queue_last = ticket;
    function->queue_count++;
    pool_add_waiting(function);
}

void serve_pool_dequeue(serve_ticket *ticket)
{
    serve_function *function = ticket->function;
    if (ticket->previous != NULL)
        ticket->previous->next = ticket->next;
    else
        function->queue_first = ticket->next;
    if (ticket->next != NULL)
        ticket->next->previous = ticket->previous;
    else
        function->queue_last = ticket->previous;
    ticket->next = NULL;
    ticket->previous = NULL;
    if (--function->queue_count == 0) pool_remove_waiting(function);
}

void serve_pool_refuse(serve_ticket *ticket, const snapcell_error *why, unsigned retry_after_s)
{
    ticket->function->metrics.refusals++;
    ticket->events->refused(ticket, why, retry_after_s);
}

unsigned serve_pool_retry_after(const serve_function *function, uint64_t now_ns)
{
    uint64_t wait = function->retry_ns > now_ns ? function->retry_ns - now_ns : 0;
    return (unsigned)(wait / NS_PER_SECOND) + 1;
}

bool serve_pool_is_lasting(int code)
{
    switch (code) {
    case SNAPCELL_E_NOMEM:
    case SNAPCELL_E_IO:
    case SNAPCELL_E_BUSY:
    case SNAPCELL_E_WORKER_DIED:
    case SNAPCELL_E_WALL_LIMIT:
        return false;
    default:
        return true;
    }
}

void serve_pool_refuse_all(serve_function *function, const snapcell_error *why)
{
    unsigned retry =
        serve_pool_is_lasting(why->code) ? 0 : serve_pool_retry_after(function, monotonic_now_ns());
    while (function->queue_first != NULL) {
        serve_ticket *ticket = function->queue_first;
        serve_pool_dequeue(ticket);
        serve_pool_refuse(ticket, why, retry);
    }
}

void serve_pool_expire(serve_function *function, uint64_t now_ns)
{
    snapcell_error error;
    uint64_t limit_ns = function->config->queue_ms * NS_PER_MS;
    while (function->queue_first != NULL && now_ns - function->queue_first->asked_ns > limit_ns) {
        serve_ticket *ticket = function->queue_first;
        serve_pool_dequeue(ticket);
        error_set(&error, SNAPCELL_E_BUSY, "no worker was free for %u ms",
                  function->config->queue_ms);
        serve_pool_refuse(ticket, &error, 1);
    }
}
