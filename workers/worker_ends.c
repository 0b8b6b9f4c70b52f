/* How a worker's process ended, as an error of the call that it was serving. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "child_words.h"
#include "error_set.h"
#include "process_limits.h"
#include "worker_state.h"

#define MIB (UINT64_C(1) << 20)

static const char *worker_next(const snapcell_worker *worker)
{
    return worker->called && !worker->is_async ? "; the next call gets another process" : "";
}

static int worker_fail_memory(const snapcell_worker *worker, snapcell_error *err)
{
    char limit[LIMIT_TEXT_SIZE];
    if (limit_says_address_space(worker->memory_limit_bytes, limit))
        return error_set(err, SNAPCELL_E_MEMORY_LIMIT, "%s: %s%s", worker->title, limit,
                         worker_next(worker));
    return error_set(err, SNAPCELL_E_MEMORY_LIMIT,
                     "%s: it needs more memory than the engine can give with a limit of %" PRIu64
                     " MiB, and its process ended%s",
                     worker->title, worker->memory_limit_bytes / MIB, worker_next(worker));
}

static int worker_fail_cpu(const snapcell_worker *worker, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_CPU_LIMIT,
                     "%s: the call used more than its limit of %" PRIu32 " ms of CPU time%s",
                     worker->title, worker->cpu_limit_ms, worker_next(worker));
}

static int worker_fail_time(const snapcell_worker *worker, snapcell_error *err)
{
    if (!worker->called)
        return error_set(err, SNAPCELL_E_WALL_LIMIT,
                         "%s: the worker %s was not ready within %" PRIu32 " ms", worker->title,
                         worker->workers->worker_path, worker->workers->options.start_limit_ms);
    return error_set(err, SNAPCELL_E_WALL_LIMIT,
                     "%s: the call took longer than its limit of %" PRIu32 " ms%s", worker->title,
                     worker->wall_limit_ms, worker_next(worker));
}

static int worker_fail_nonsense(const snapcell_worker *worker, snapcell_error *err)
{
    if (!worker->called)
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "%s: the worker %s does not speak as a worker of this snapcell does; set "
                         "$SNAPCELL_WORKER to the `snapcell` program of this build",
                         worker->title, worker->workers->worker_path);
    return error_set(err, SNAPCELL_E_WORKER_DIED,
                     "%s: what the worker sent is no answer to a call, and it was ended%s",
                     worker->title, worker_next(worker));
}

static bool signal_is_crash(int signal)
{
    return signal == SIGABRT || signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
           signal == SIGTRAP || signal == SIGFPE;
}

static int worker_fail_cancelled(const snapcell_worker *worker, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_CANCELLED, "%s: the host cancelled the call%s", worker->title,
                     worker_next(worker));
}

static int worker_fail_dead(const snapcell_worker *worker, const child_end *end,
                            snapcell_error *err)
{
    char cause[CHILD_CAUSE_SIZE_MAX + 1];
    child_words_cause(worker->process.words, cause);
    if (cause[0] == '\0' && end->signal >= 0)
        snprintf(cause, sizeof(cause), "%s", sigdescr_np(end->signal));
    if (cause[0] == '\0' && end->exit_status >= 0)
        snprintf(cause, sizeof(cause), "status %d", end->exit_status);
    const char *what = signal_is_crash(end->signal)
                           ? "the engine found a fault in itself and could not go on"
                           : "the worker process ended";
    return error_set(err, SNAPCELL_E_WORKER_DIED, "%s: %s: %s%s", worker->title, what,
                     cause[0] == '\0' ? "no reason is known" : cause, worker_next(worker));
}

/* The worker has closed its end without an answer. */
static int worker_fail_gone(const snapcell_worker *worker, const child_end *end,
                            snapcell_error *err)
{
    char limit[LIMIT_TEXT_SIZE];
    if (end->signal == SIGKILL && worker->cancelled) return worker_fail_cancelled(worker, err);
    if ((end->signal == SIGKILL || end->signal == SIGXCPU) && limit_says_cpu(end->cpu_ms, limit))
        return error_set(err, SNAPCELL_E_CPU_LIMIT, "%s: %s%s", worker->title, limit,
                         worker_next(worker));
    if (child_ran_out_of_memory(end->signal, worker->process.words))
        return worker_fail_memory(worker, err);
    switch (end->signal) {
    case SIGXCPU:
        return worker_fail_cpu(worker, err);
    case SIGALRM:
        return worker_fail_time(worker, err);
    case SIGSYS:
        return error_set(err, SNAPCELL_E_SANDBOX,
                         "%s: its process was ended for a system call that the sandbox does not "
                         "allow%s",
                         worker->title, worker_next(worker));
    case SIGKILL:
        return error_set(err, SNAPCELL_E_WORKER_DIED,
                         "%s: the worker process was killed from outside, most likely because the "
                         "machine ran out of memory%s",
                         worker->title, worker_next(worker));
    default:
        return worker_fail_dead(worker, end, err);
    }
}

int worker_describe_end(const snapcell_worker *worker, child_outcome outcome, const child_end *end,
                        snapcell_error *err)
{
    switch (outcome) {
    case CHILD_GONE:
        return worker_fail_gone(worker, end, err);
    case CHILD_TIMEOUT:
        return worker_fail_time(worker, err);
    case CHILD_NO_MEMORY:
        return error_set(err, SNAPCELL_E_NOMEM, "%s: no memory for a worker's message",
                         worker->title);
    case CHILD_OK:
    case CHILD_NONSENSE:
        break;
    }
    return worker_fail_nonsense(worker, err);
}

void worker_stop(snapcell_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->running) {
        worker_unwatch(worker);
        worker_net_close(worker);
        if (worker->is_async)
            workers_bury(worker->workers, child_process_kill(&worker->process));
        else
            child_process_end(&worker->process);
    }
    worker->running = false;
    pthread_mutex_unlock(&worker->lock);
    worker_link_close(&worker->link);
    worker->stage = WORKER_STAGE_NONE;
    worker->deadline_ns = UINT64_MAX;
}

void worker_end(snapcell_worker *worker, const snapcell_error *error)
{
    worker_stop(worker);
    worker->ended = *error;
    worker->stage = WORKER_STAGE_ENDED;
    worker_exchange_over(worker, error);
}
