/* Workers in the pool's lists, and room for more of them. */
#include "monotonic.h"
#include "serve_pool_state.h"

/* What a worker is taken to have before it was measured. */
#define POOL_WORKER_SIZE_GUESS (UINT64_C(24) << 20)
/* So many calls, and a worker may idle for as long as its function says; after fewer, for less. */
#define POOL_IDLE_CALLS 10u

/* --- Slots --- */

void serve_pool_link(serve_pool *pool, serve_slot *slot)
{
    slot->previous = NULL;
    slot->next = pool->slots;
    if (pool->slots != NULL) pool->slots->previous = slot;
    pool->slots = slot;
    pool->slot_count++;
    pool->memory_bytes += POOL_WORKER_SIZE_GUESS;
    slot->memory_bytes = POOL_WORKER_SIZE_GUESS;
    slot->function->worker_count++;
    slot->function->tenant->worker_count++;
}

void serve_pool_unlink(serve_slot *slot)
{
    serve_pool *pool = slot->function->pool;
    if (slot->previous != NULL)
        slot->previous->next = slot->next;
    else
        pool->slots = slot->next;
    if (slot->next != NULL) slot->next->previous = slot->previous;
    pool->slot_count--;
    pool->memory_bytes -=
        slot->memory_bytes < pool->memory_bytes ? slot->memory_bytes : pool->memory_bytes;
    slot->function->worker_count--;
    if (slot->function->first == slot) slot->function->first = NULL;
    slot->function->tenant->worker_count--;
}

void serve_pool_remove_idle(serve_slot *slot)
{
    serve_slot **link = &slot->function->idle;
    while (*link != NULL && *link != slot)
        link = &(*link)->next_idle;
    if (*link != NULL) *link = slot->next_idle;
    slot->next_idle = NULL;
}

/* Ends a worker that has no call. */
void serve_pool_retire(serve_slot *slot, serve_end why)
{
    serve_function *function = slot->function;
    if (slot->state == SERVE_SLOT_IDLE) serve_pool_remove_idle(slot);
    if (slot->state == SERVE_SLOT_STARTING) function->starting_count--;
    function->metrics.ends[why]++;
    serve_pool_unlink(slot);
    serve_slot_free(slot);
}

/* --- Room for one more --- */

/* Which of two idle workers goes first. */
static bool pool_goes_first(const serve_slot *a, const serve_slot *b)
{
    if (b == NULL) return true;
    uint32_t a_share = a->function->tenant->worker_count;
    uint32_t b_share = b->function->tenant->worker_count;
    if (a_share != b_share && a->function->tenant != b->function->tenant) return a_share > b_share;
    return a->idle_ns < b->idle_ns;
}

static serve_slot *pool_find_idle(const serve_pool *pool, const serve_function *except)
{
    serve_slot *found = NULL;
    for (serve_slot *slot = pool->slots; slot != NULL; slot = slot->next)
        if (slot->state == SERVE_SLOT_IDLE && slot->function != except &&
            pool_goes_first(slot, found))
            found = slot;
    return found;
}

static bool pool_is_full(const serve_pool *pool)
{
    return pool->slot_count >= pool->context->settings->config.workers_max ||
           pool->memory_bytes + POOL_WORKER_SIZE_GUESS > pool->memory_max_bytes;
}

/* The tenant with the most workers owes one to a tenant that has none. */
static void pool_claim(serve_pool *pool, const serve_tenant *tenant)
{
    serve_tenant *most = NULL;
    for (serve_tenant *other = pool->tenants; other != NULL; other = other->next)
        if (most == NULL || other->worker_count > most->worker_count) most = other;
    if (most != NULL && most != tenant && most->owed == 0 &&
        most->worker_count > tenant->worker_count + 1)
        most->owed = 1;
}

/* False: not now; it is tried again when a worker has ended. */
bool serve_pool_make_room(serve_pool *pool, const serve_function *function)
{
    while (pool_is_full(pool)) {
        serve_slot *idle = pool_find_idle(pool, function);
        if (idle == NULL) {
            pool_claim(pool, function->tenant);
            return pool->slot_count == 0;
        }
        serve_pool_retire(idle, SERVE_END_PRESSURE);
    }
    return true;
}

/* --- Memory and time --- */

void serve_pool_measure(serve_pool *pool)
{
    uint64_t sum = 0;
    for (serve_slot *slot = pool->slots; slot != NULL; slot = slot->next) {
        if (slot->state != SERVE_SLOT_STARTING) serve_slot_measure(slot);
        sum += slot->memory_bytes;
    }
    pool->memory_bytes = sum;
    while (pool->memory_bytes > pool->memory_max_bytes) {
        serve_slot *idle = pool_find_idle(pool, NULL);
        if (idle == NULL) return;
        serve_pool_retire(idle, SERVE_END_PRESSURE);
    }
}

/* A start costs about as much as some tens of calls: what was hardly used is not kept for what it
 * would save. */
static uint64_t pool_idle_limit_ns(const serve_slot *slot)
{
    uint64_t calls = slot->call_count < POOL_IDLE_CALLS ? slot->call_count : POOL_IDLE_CALLS;
    if (calls == 0) calls = 1;
    return slot->function->config->idle_ms * NS_PER_MS * calls / POOL_IDLE_CALLS;
}

void serve_pool_retire_idle(serve_pool *pool, uint64_t now_ns)
{
    serve_slot *next;
    for (serve_slot *slot = pool->slots; slot != NULL; slot = next) {
        next = slot->next;
        if (slot->state == SERVE_SLOT_IDLE && now_ns - slot->idle_ns > pool_idle_limit_ns(slot) &&
            slot->function->worker_count > slot->function->config->workers_min)
            serve_pool_retire(slot, SERVE_END_IDLE);
    }
}
