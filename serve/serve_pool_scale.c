/* When a function gets one more worker. */
#include "monotonic.h"
#include "serve_pool_state.h"

/* Another worker is started for calls that have waited so long; above the number of CPUs, where
 * those that there are use them, for calls that have waited longer. */
#define POOL_SCALE_NS (3 * NS_PER_MS)
#define POOL_SCALE_MORE_NS (100 * NS_PER_MS)

/* Whether most of a function's calls wait themselves, as for an answer to fetch(): more workers
 * take no CPU from those. */
static bool scale_calls_wait(const serve_function *function)
{
    uint32_t waiting_count = 0;
    for (const serve_slot *slot = function->pool->slots; slot != NULL; slot = slot->next)
        if (slot->function == function && slot->state == SERVE_SLOT_BUSY && serve_slot_sleeps(slot))
            waiting_count++;
    return waiting_count * 2 > function->busy_count;
}

bool serve_pool_is_at_maximum(const serve_function *function)
{
    const serve_tenant *tenant = function->tenant;
    return function->worker_count >= function->config->workers_max ||
           (tenant->workers_max > 0 && tenant->worker_count >= tenant->workers_max);
}

bool serve_pool_wants_worker(const serve_function *function, uint64_t now_ns)
{
    const serve_function_config *config = function->config;
    if (function->queue_first == NULL) return function->worker_count < config->workers_min;
    if (function->starting_count > 0 || serve_pool_is_at_maximum(function)) return false;
    if (function->worker_count == 0) return true;
    uint64_t waited = now_ns - function->queue_first->asked_ns;
    if (waited < POOL_SCALE_NS) return false;
    return function->worker_count < function->pool->cpu_count || waited >= POOL_SCALE_MORE_NS ||
           scale_calls_wait(function);
}
