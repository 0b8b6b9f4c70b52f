#include "serve_pool.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error_set.h"
#include "monotonic.h"
#include "serve_pool_state.h"

/* While somebody waits, the queues are looked at so often. */
#define POOL_TIMER_MS 5
#define POOL_MEASURE_NS NS_PER_SECOND
/* One after the other, so many starts or deaths are let pass before a function is backed off. */
#define POOL_FAILURES_FREE 2u
#define POOL_BACKOFF_MIN_NS (100 * NS_PER_MS)
#define POOL_BACKOFF_MAX_NS (30 * NS_PER_SECOND)

static const serve_slot_events pool_slot_events;

/* --- Starts --- */

static void pool_back_off(serve_function *function, const snapcell_error *why)
{
    serve_function_set_failure(function, why);
    function->failure_count++;
    if (function->failure_count <= POOL_FAILURES_FREE && !serve_pool_is_lasting(why->code)) return;
    uint32_t steps = function->failure_count > POOL_FAILURES_FREE
                         ? function->failure_count - POOL_FAILURES_FREE - 1
                         : 0;
    uint64_t wait = POOL_BACKOFF_MIN_NS << (steps < 12 ? steps : 12);
    function->retry_ns =
        monotonic_now_ns() + (wait < POOL_BACKOFF_MAX_NS ? wait : POOL_BACKOFF_MAX_NS);
    serve_log *log = &function->pool->context->log;
    serve_log_begin(log, "warn", "backoff");
    serve_log_text(log, "function", function->name);
    serve_log_text(log, "error", why->message);
    serve_log_number(log, "failures", function->failure_count);
    serve_log_milliseconds(log, "wait_ms", wait);
    serve_log_end(log);
}

static void pool_fail_start(serve_function *function, const snapcell_error *why)
{
    function->metrics.ends[SERVE_END_START]++;
    pool_back_off(function, why);
    bool goes_on = function->retry_ns <= monotonic_now_ns() && !serve_pool_is_lasting(why->code);
    if (function->worker_count == 0 && !goes_on) serve_pool_refuse_all(function, why);
}

/* A function's first worker reloads, since somebody waits for it; see pool_follow_first(). */
static serve_turn pool_next_turn(const serve_function *function)
{
    if (function->first != NULL) return SERVE_TURN_SECOND;
    bool is_first = function->config->policy == SNAPCELL_WORKERS_RESTORE &&
                    function->worker_count == 0 && function->queue_first != NULL &&
                    !function->first_failed;
    return is_first ? SERVE_TURN_FIRST : SERVE_TURN_ANY;
}

static void pool_start(serve_function *function, serve_turn turn)
{
    serve_pool *pool = function->pool;
    snapcell_error error = {0};
    serve_group *group = serve_group_find(&pool->groups, pool->context, function->config, &error);
    serve_slot *slot = turn == SERVE_TURN_FIRST ? serve_pool_take_ahead(function) : NULL;
    if (slot != NULL)
        slot->events = &pool_slot_events;
    else if (group != NULL)
        slot = serve_slot_start(function, group->workers, turn, &pool_slot_events, pool->context,
                                &error);
    if (slot == NULL) {
        pool_fail_start(function, &error);
        return;
    }
    function->starting_count++;
    if (turn == SERVE_TURN_FIRST) function->first = slot;
    serve_pool_link(pool, slot);
}

static void pool_consider(serve_function *function, uint64_t now_ns)
{
    if (function->is_early || function->retry_ns > now_ns ||
        !serve_pool_wants_worker(function, now_ns))
        return;
    if (serve_pool_make_room(function->pool, function))
        pool_start(function, pool_next_turn(function));
}

/* Once a first worker was called twice, one that restores takes its place. */
static bool pool_first_is_due(const serve_function *function)
{
    const serve_slot *first = function->first;
    return first != NULL && first->call_count >= 2 && !first->is_stale && !function->is_early &&
           function->worker_count == 1 && !function->pool->context->drains &&
           function->retry_ns <= monotonic_now_ns();
}

static bool pool_has_room(const serve_function *function)
{
    return !serve_pool_is_at_maximum(function) && serve_pool_make_room(function->pool, function);
}

/* It is started in addition. */
static void pool_follow_first(serve_function *function)
{
    if (pool_first_is_due(function) && pool_has_room(function))
        pool_start(function, SERVE_TURN_SECOND);
}

/* There is one that restores. */
static void pool_dismiss_first(serve_function *function)
{
    serve_slot *first = function->first;
    function->first_failed = false;
    if (first == NULL) return;
    first->is_stale = true;
    if (first->state == SERVE_SLOT_IDLE) serve_pool_retire(first, SERVE_END_REPLACED);
}

/* Those of the tenants with the fewest workers come first. */
static void pool_consider_waiting(serve_pool *pool, uint64_t now_ns)
{
    serve_function *first = NULL;
    for (serve_function *function = pool->waiting; function != NULL;
         function = function->next_waiting)
        if (function->worker_count == 0 &&
            (first == NULL || function->tenant->worker_count < first->tenant->worker_count))
            first = function;
    if (first != NULL) pool_consider(first, now_ns);
    serve_function *next;
    for (serve_function *function = pool->waiting; function != NULL; function = next) {
        next = function->next_waiting;
        pool_consider(function, now_ns);
    }
}

/* --- Calls --- */

static void pool_make_idle(serve_slot *slot, uint64_t now_ns)
{
    slot->state = SERVE_SLOT_IDLE;
    slot->ticket = NULL;
    slot->idle_ns = now_ns;
    slot->next_idle = slot->function->idle;
    slot->function->idle = slot;
}

static bool pool_grant(serve_slot *slot, serve_ticket *ticket, uint64_t now_ns)
{
    ticket->slot = slot;
    ticket->granted_ns = now_ns;
    serve_histogram_add(&slot->function->metrics.phases[SERVE_PHASE_QUEUE],
                        now_ns - ticket->asked_ns);
    slot->state = SERVE_SLOT_BUSY;
    slot->ticket = ticket;
    if (ticket->events->granted(ticket, slot->worker)) {
        slot->function->busy_count++;
        slot->call_count++;
        return true;
    }
    ticket->slot = NULL;
    slot->ticket = NULL;
    return false;
}

/* A worker is free: the next one that waits gets it. */
static void pool_give(serve_slot *slot)
{
    serve_function *function = slot->function;
    uint64_t now_ns = monotonic_now_ns();
    while (function->queue_first != NULL) {
        serve_ticket *ticket = function->queue_first;
        serve_pool_dequeue(ticket);
        if (pool_grant(slot, ticket, now_ns)) return;
    }
    pool_make_idle(slot, now_ns);
}

/* Of a worker that is free: whether it ends all the same, and why. */
static bool pool_must_end(const serve_slot *slot, serve_end *why)
{
    const serve_function *function = slot->function;
    *why = SERVE_END_REPLACED;
    if (slot->is_stale) return true;
    *why = SERVE_END_DRAIN;
    if (function->pool->context->drains && function->queue_first == NULL) return true;
    *why = SERVE_END_RECYCLED;
    if (function->config->recycle_calls > 0 && slot->call_count >= function->config->recycle_calls)
        return true;
    *why = SERVE_END_PRESSURE;
    return function->tenant->owed > 0;
}

static void pool_release(serve_slot *slot)
{
    serve_function *function = slot->function;
    serve_pool *pool = function->pool;
    serve_end why;
    if (!pool_must_end(slot, &why)) {
        pool_give(slot);
        return;
    }
    if (why == SERVE_END_PRESSURE) function->tenant->owed--;
    pool_make_idle(slot, 0);
    serve_pool_retire(slot, why);
    pool_consider_waiting(pool, monotonic_now_ns());
}

/* The next text may come for the same prelude. A builder waits for the line: it is written at once.
 */
static void pool_tell_early(serve_function *function, const snapcell_error *why)
{
    function->wants_ahead = true;
    serve_log *log = &function->pool->context->log;
    serve_log_begin(log, "info", why == NULL ? "version_served" : "version_declined");
    serve_log_text(log, "function", function->name);
    if (why != NULL) serve_log_text(log, "error", why->message);
    serve_log_end(log);
    serve_log_flush(log);
}

/* What the store has is served on; who gave the version puts it there. */
static void pool_decline_early(serve_function *function, const snapcell_error *why)
{
    if (function->is_early) function->key = function->store_key;
    function->is_early = false;
    pool_tell_early(function, why);
}

static void pool_on_ready(serve_slot *slot)
{
    serve_function *function = slot->function;
    if (slot->is_early)
        pool_tell_early(function, NULL);
    else
        serve_pool_note_prelude(slot);
    snapcell_worker_origin origin = snapcell_worker_get_origin(slot->worker);
    function->starting_count--;
    serve_start start = function->worker_count > 1 ? SERVE_START_MORE : SERVE_START_COLD;
    function->metrics.starts[start][origin]++;
    serve_histogram_add(&function->metrics.phases[SERVE_PHASE_START],
                        monotonic_now_ns() - slot->started_ns);
    if (slot == function->first && origin != SNAPCELL_WORKER_FROM_ARTIFACT) function->first = NULL;
    slot->state = SERVE_SLOT_IDLE; /* in no list: pool_release() decides */
    bool is_first = slot == function->first;
    pool_release(slot);
    if (!is_first) pool_dismiss_first(function);
}

/* Where there is no room for both, a first worker ends between two calls, and those that wait get
 * the one that follows it. */
static bool pool_replace_first(serve_slot *slot)
{
    serve_function *function = slot->function;
    if (slot != function->first || !pool_first_is_due(function) || pool_has_room(function))
        return false;
    pool_make_idle(slot, 0);
    serve_pool_retire(slot, SERVE_END_REPLACED);
    pool_start(function, SERVE_TURN_SECOND);
    return true;
}

static void pool_on_settled(serve_slot *slot)
{
    serve_function *function = slot->function;
    serve_ticket *ticket = slot->ticket;
    ticket->slot = NULL;
    slot->ticket = NULL;
    function->busy_count--;
    function->failure_count = 0;
    function->retry_ns = 0;
    if (!pool_replace_first(slot))
        pool_release(slot); /* the next call runs while this one's answer is written */
    ticket->events->settled(ticket);
    pool_follow_first(function);
}

static serve_end pool_end_of(const snapcell_error *why)
{
    switch (why->code) {
    case SNAPCELL_E_MEMORY_LIMIT:
        return SERVE_END_MEMORY;
    case SNAPCELL_E_CPU_LIMIT:
        return SERVE_END_CPU;
    case SNAPCELL_E_WALL_LIMIT:
        return SERVE_END_WALL;
    case SNAPCELL_E_CANCELLED:
        return SERVE_END_CANCELLED;
    default:
        return SERVE_END_CRASH;
    }
}

static void pool_log_end(const serve_slot *slot, serve_end end, const snapcell_error *why)
{
    serve_log *log = &slot->function->pool->context->log;
    serve_log_begin(log, "warn", "worker_end");
    serve_log_text(log, "function", slot->function->name);
    serve_log_text(log, "reason", serve_end_name(end));
    serve_log_text(log, "error", why->message);
    serve_log_number(log, "calls", slot->call_count);
    serve_log_end(log);
}

static void pool_on_dying(serve_slot *slot)
{
    serve_pool_remove_idle(slot);
    slot->state = SERVE_SLOT_DYING;
}

/* Its call, if it had one, has failed by then: its ticket was told. */
static void pool_on_ended(serve_slot *slot, const snapcell_error *why)
{
    serve_function *function = slot->function;
    serve_pool *pool = function->pool;
    serve_ticket *ticket = slot->ticket;
    serve_slot_state state = slot->state;
    serve_end end = pool_end_of(why);
    if (state == SERVE_SLOT_IDLE) serve_pool_remove_idle(slot);
    if (state == SERVE_SLOT_STARTING) function->starting_count--;
    if (state == SERVE_SLOT_BUSY) function->busy_count--;
    /* One that restores survives such calls. */
    if (state == SERVE_SLOT_BUSY && slot == function->first) function->first_failed = true;
    if (state != SERVE_SLOT_STARTING) function->metrics.ends[end]++;
    bool is_early = slot->is_early;
    if (state != SERVE_SLOT_STARTING || !is_early)
        pool_log_end(slot, state == SERVE_SLOT_STARTING ? SERVE_END_START : end, why);
    serve_pool_unlink(slot);
    if (ticket != NULL) ticket->slot = NULL;
    serve_slot_free(slot);
    if (state == SERVE_SLOT_STARTING && is_early)
        pool_decline_early(function, why);
    else if (state == SERVE_SLOT_STARTING)
        pool_fail_start(function, why);
    else if (end == SERVE_END_CRASH)
        pool_back_off(function, why);
    pool_consider_waiting(pool, monotonic_now_ns());
    if (ticket != NULL) ticket->events->settled(ticket);
}

static const serve_slot_events pool_slot_events = {
    .ready = pool_on_ready,
    .settled = pool_on_settled,
    .dying = pool_on_dying,
    .ended = pool_on_ended,
};

/* --- The timer of those that wait --- */

static void pool_on_timer(uv_timer_t *timer)
{
    serve_pool *pool = timer->data;
    uint64_t now_ns = monotonic_now_ns();
    serve_function *next;
    for (serve_function *function = pool->waiting; function != NULL; function = next) {
        next = function->next_waiting;
        serve_pool_expire(function, now_ns);
    }
    pool_consider_waiting(pool, now_ns);
    if (pool->waiting != NULL) return;
    uv_timer_stop(timer);
    pool->timer_runs = false;
}

static void pool_start_timer(serve_pool *pool)
{
    if (pool->timer_runs) return;
    pool->timer_runs = true;
    uv_timer_start(&pool->timer, pool_on_timer, POOL_TIMER_MS, POOL_TIMER_MS);
}

/* --- What others ask --- */

static bool pool_refuses(serve_ticket *ticket)
{
    serve_function *function = ticket->function;
    snapcell_error error;
    if (!function->is_known && function->worker_count == 0) {
        serve_pool_refuse(ticket, serve_function_failure(function), 1);
        return true;
    }
    if (function->retry_ns > ticket->asked_ns && function->worker_count == 0) {
        const snapcell_error *why = serve_function_failure(function);
        bool lasts = serve_pool_is_lasting(why->code);
        serve_pool_refuse(ticket, why,
                          lasts ? 0 : serve_pool_retry_after(function, ticket->asked_ns));
        return true;
    }
    if (function->queue_count < function->config->queue_max) return false;
    error_set(&error, SNAPCELL_E_BUSY, "%u calls wait for a worker already", function->queue_count);
    serve_pool_refuse(ticket, &error, 1);
    return true;
}

void serve_pool_ask(serve_ticket *ticket, serve_function *function,
                    const serve_ticket_events *events)
{
    *ticket =
        (serve_ticket){.events = events, .function = function, .asked_ns = monotonic_now_ns()};
    if (function->idle != NULL) {
        serve_slot *slot = function->idle;
        serve_pool_remove_idle(slot);
        if (!pool_grant(slot, ticket, ticket->asked_ns)) pool_make_idle(slot, ticket->asked_ns);
        return;
    }
    if (pool_refuses(ticket)) return;
    serve_pool_enqueue(ticket);
    pool_start_timer(function->pool);
    pool_consider(function, ticket->asked_ns);
}

void serve_pool_forget(serve_ticket *ticket)
{
    serve_pool_dequeue(ticket);
}

void serve_pool_push(serve_ticket *ticket)
{
    if (ticket->slot != NULL) serve_slot_advance(ticket->slot);
}

/* --- Now and then --- */

/* What waitUntil() was given may go on for a while after the response. */
static bool pool_is_overdue(const serve_slot *slot, uint64_t now_ns)
{
    const serve_ticket *ticket = slot->ticket;
    return slot->state == SERVE_SLOT_BUSY && ticket->answered_ns > 0 &&
           now_ns - ticket->answered_ns > slot->function->config->wait_until_ms * NS_PER_MS;
}

/* Advancing one may free it and start others, which come first in the list. */
static void pool_advance_due(serve_pool *pool, uint64_t now_ns)
{
    serve_slot *next;
    for (serve_slot *slot = pool->slots; slot != NULL; slot = next) {
        next = slot->next;
        if (slot->worker == NULL) continue;
        if (pool_is_overdue(slot, now_ns)) snapcell_worker_cancel(slot->worker);
        if (serve_slot_is_due(slot)) serve_slot_advance(slot);
    }
}

void serve_pool_tick(serve_pool *pool, uint64_t now_ns)
{
    pool_advance_due(pool, now_ns);
    if (pool->waiting == NULL && !pool->context->drains) {
        serve_group_prepare_all(pool->groups);
        serve_pool_prepare_ahead(pool);
    }
    if (now_ns - pool->measured_ns < POOL_MEASURE_NS) return;
    pool->measured_ns = now_ns;
    serve_pool_measure(pool);
    serve_pool_retire_idle(pool, now_ns);
    if (pool->context->drains) return;
    SERVE_EACH_FUNCTION(pool, function)
    {
        if (function->worker_count < function->config->workers_min) pool_consider(function, now_ns);
    }
}

void serve_pool_prepare(serve_pool *pool)
{
    const serve_context *context = pool->context;
    /* The first function finds a process that waits. */
    serve_group_find(&pool->groups, context, &context->settings->config.defaults, NULL);
    for (size_t i = 0; i < context->names.count; i++) {
        const serve_name *name = &context->names.items[i];
        if (serve_config_function(&context->settings->config, name->name)->workers_min == 0)
            continue;
        serve_function *function = serve_pool_function(pool, name);
        if (function != NULL) pool_consider(function, monotonic_now_ns());
    }
}

/* While developing, somebody waits for it in most cases. */
static serve_turn pool_renewed_turn(const serve_function *function)
{
    bool is_first = function->pool->context->dev && function->first == NULL &&
                    function->config->policy == SNAPCELL_WORKERS_RESTORE;
    return is_first ? SERVE_TURN_FIRST : SERVE_TURN_ANY;
}

/* Workers of an older version, or of other settings, end; the first of the new ones is started
 * before anybody asks for it. */
static void pool_renew_slots(serve_pool *pool)
{
    serve_slot *next;
    for (serve_slot *slot = pool->slots; slot != NULL; slot = next) {
        next = slot->next;
        serve_function *function = slot->function;
        if (slot->settings == function->settings &&
            memcmp(&slot->key, &function->key, sizeof(slot->key)) == 0)
            continue;
        slot->is_stale = true;
        if (slot->state != SERVE_SLOT_IDLE) continue;
        serve_pool_retire(slot, SERVE_END_REPLACED);
        if (function->is_known && function->starting_count == 0)
            pool_start(function, pool_renewed_turn(function));
    }
}

int serve_pool_serve_early(serve_function *function, const snapcell_worker_text *text,
                           snapcell_error *err)
{
    serve_slot *slot;
    int status = serve_pool_take_early(function, text, &slot, err);
    if (status != SNAPCELL_OK) return status;
    slot->events = &pool_slot_events;
    slot->is_early = true;
    function->is_early = true;
    function->key = slot->key;
    function->starting_count++;
    serve_pool_link(function->pool, slot);
    pool_renew_slots(function->pool);
    function->first = slot;
    return SNAPCELL_OK;
}

void serve_pool_renew(serve_pool *pool)
{
    serve_context *context = pool->context;
    SERVE_EACH_FUNCTION(pool, function)
    {
        const serve_name *name =
            serve_names_find(&context->names, function->name, strlen(function->name));
        if (name != NULL && strcmp(name->name, function->name) == 0)
            serve_pool_function(pool, name);
        else
            function->is_known = false;
        function->failure_count = 0;
        function->first_failed = false;
        function->retry_ns = 0;
        if (function->settings == context->settings) continue;
        serve_function_configure(function);
    }
    pool_renew_slots(pool);
    serve_pool_prepare(pool);
    pool_consider_waiting(pool, monotonic_now_ns());
}

void serve_pool_drain(serve_pool *pool)
{
    serve_slot *next;
    for (serve_slot *slot = pool->slots; slot != NULL; slot = next) {
        next = slot->next;
        if (slot->state == SERVE_SLOT_IDLE) serve_pool_retire(slot, SERVE_END_DRAIN);
    }
    SERVE_EACH_FUNCTION(pool, function) serve_pool_end_ahead(function);
}

bool serve_pool_is_idle(const serve_pool *pool)
{
    for (const serve_slot *slot = pool->slots; slot != NULL; slot = slot->next)
        if (slot->state == SERVE_SLOT_BUSY) return false;
    return pool->waiting == NULL;
}

void serve_pool_cancel(serve_pool *pool)
{
    for (serve_slot *slot = pool->slots; slot != NULL; slot = slot->next)
        if (slot->state == SERVE_SLOT_BUSY) snapcell_worker_cancel(slot->worker);
}

/* --- Its beginning and end --- */

static uint64_t pool_memory_max(const serve_config *config)
{
    if (config->memory_mb > 0) return config->memory_mb << 20;
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
}

static uint32_t pool_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
    return (uint32_t)CPU_COUNT(&set);
}

int serve_pool_new(serve_context *context, serve_pool **out, snapcell_error *err)
{
    serve_pool *pool = calloc(1, sizeof(*pool));
    *out = NULL;
    if (pool == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for workers");
    pool->context = context;
    pool->cpu_count = pool_cpu_count();
    pool->memory_max_bytes = pool_memory_max(&context->settings->config);
    uv_timer_init(context->loop, &pool->timer);
    pool->timer.data = pool;
    *out = pool;
    return SNAPCELL_OK;
}

static void pool_on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void serve_pool_free(serve_pool *pool)
{
    if (pool == NULL) return;
    while (pool->slots != NULL) {
        serve_slot *slot = pool->slots;
        serve_pool_unlink(slot);
        serve_slot_free(slot);
    }
    SERVE_EACH_FUNCTION(pool, function) serve_pool_end_ahead(function);
    serve_group_free_all(pool->groups);
    for (size_t i = 0; i < SERVE_FUNCTION_HASH_SIZE; i++)
        while (pool->functions[i] != NULL) {
            serve_function *function = pool->functions[i];
            pool->functions[i] = function->next;
            serve_function_free(function);
        }
    while (pool->tenants != NULL) {
        serve_tenant *tenant = pool->tenants;
        pool->tenants = tenant->next;
        free(tenant->name);
        free(tenant);
    }
    uv_close((uv_handle_t *)&pool->timer, pool_on_timer_closed);
}
