/* A worker as a machine that never waits: each step receives, sends, and calls what is due. */
#include "error_set.h"
#include "monotonic.h"
#include "worker_state.h"

/* In one step, so that a worker that never stops talking does not keep the host from others. */
#define RECEIVES_MAX 8
/* For a process that closed its end, to be dead. */
#define DYING_NS_MAX (2000 * NS_PER_MS)

/* --- The end of a process --- */

static void advance_end(snapcell_worker *worker, child_outcome outcome, const child_end *end)
{
    snapcell_error error;
    worker_counters *counters = &worker->workers->counters;
    worker_count(&counters->deaths, 1);
    if (end->signal == CELL_ANOMALY_SIGNAL) worker_count(&counters->anomalies, 1);
    worker_describe_end(worker, outcome, end, &error);
    worker_end(worker, &error);
}

/* Why it closed its end shows when it is dead. Its number may be another process's from then on: a
 * thread that cancels may not use it any more. */
static void advance_await_death(snapcell_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->calling = false;
    pthread_mutex_unlock(&worker->lock);
    worker->stage = WORKER_STAGE_DYING;
    worker->deadline_ns = monotonic_now_ns() + DYING_NS_MAX;
    worker_watch_death(worker);
}

static void advance_see_death(snapcell_worker *worker)
{
    child_end end;
    if (child_process_has_ended(&worker->process, &end) ||
        monotonic_now_ns() >= worker->deadline_ns)
        advance_end(worker, CHILD_GONE, &end);
}

void worker_lose(snapcell_worker *worker, child_outcome outcome)
{
    if (!worker_is_connected(worker)) return;
    if (worker->is_launching) {
        worker_launch_again(worker);
        return;
    }
    if (worker->is_going_on) {
        worker_start_over(worker);
        return;
    }
    if (outcome == CHILD_GONE) {
        advance_await_death(worker);
        advance_see_death(worker);
        return;
    }
    advance_end(worker, outcome, &(child_end){-1, -1, 0});
}

/* --- Talking --- */

static child_outcome advance_take_messages(snapcell_worker *worker)
{
    worker_message message;
    child_outcome outcome = CHILD_OK;
    while (worker_is_connected(worker) && outcome == CHILD_OK &&
           worker_link_next(&worker->link, &message, &outcome))
        outcome = worker->stage == WORKER_STAGE_SERVING ? worker_take_exchange(worker, &message)
                                                        : worker_take_start(worker, &message);
    return outcome;
}

static child_outcome advance_receive(snapcell_worker *worker)
{
    for (int i = 0; i < RECEIVES_MAX && worker_is_connected(worker); i++) {
        worker_link_got got = worker_link_receive(&worker->link);
        if (got == WORKER_LINK_GONE) return CHILD_GONE;
        if (got == WORKER_LINK_NO_MEMORY) return CHILD_NO_MEMORY;
        child_outcome outcome = advance_take_messages(worker);
        if (outcome != CHILD_OK || got != WORKER_LINK_MORE) return outcome;
    }
    return CHILD_OK;
}

/* Between calls a process whose network was lost makes place for one that has a network. */
static void advance_leave_lost(snapcell_worker *worker)
{
    snapcell_error error;
    if (worker->stage != WORKER_STAGE_SERVING || worker->exchange.is_active ||
        !worker_net_is_lost(worker))
        return;
    error_set(&error, SNAPCELL_E_WORKER_DIED, "%s: the process that had its network ended",
              worker->ref);
    worker_count(&worker->workers->counters.deaths, 1);
    worker_end(worker, &error);
}

void worker_step(snapcell_worker *worker)
{
    if (worker->stage == WORKER_STAGE_DYING) advance_see_death(worker);
    if (worker_is_connected(worker)) {
        child_outcome outcome = advance_receive(worker);
        if (outcome != CHILD_OK)
            worker_lose(worker, outcome);
        else if (worker->deadline_ns != UINT64_MAX && monotonic_now_ns() >= worker->deadline_ns)
            worker_lose(worker, CHILD_TIMEOUT);
    }
    worker_deliver(worker);
    worker_push(worker); /* credit is not queued up: it goes once all else has gone */
    worker_pay(worker);
    worker_push(worker);
    if (!worker->exchange.is_active) worker_link_rest(&worker->link);
    advance_leave_lost(worker);
}

snapcell_worker_state snapcell_worker_advance(snapcell_worker *worker, snapcell_error *err)
{
    worker_step(worker);
    snapcell_worker_state state = worker_state(worker);
    if (state == SNAPCELL_WORKER_ENDED && err != NULL) *err = worker->ended;
    return state;
}
