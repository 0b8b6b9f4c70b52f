/* run --policy: the function in a worker process, as a host calls it. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "error_set.h"
#include "monotonic.h"

static const struct {
    const char *name;
    snapcell_workers_policy policy;
} worker_policies[] = {
    {"restore", SNAPCELL_WORKERS_RESTORE},
    {"reload", SNAPCELL_WORKERS_RELOAD},
    {"keep", SNAPCELL_WORKERS_KEEP},
};

bool cli_worker_policy(const char *name, snapcell_workers_policy *out)
{
    for (size_t i = 0; i < sizeof(worker_policies) / sizeof(*worker_policies); i++) {
        if (strcmp(name, worker_policies[i].name) != 0) continue;
        *out = worker_policies[i].policy;
        return true;
    }
    cli_message("--policy needs restore, reload or keep, not '%s'", name);
    return false;
}

/* The answer of either shape; both Owned. */
typedef struct worker_answer {
    snapcell_response *response;
    char *result;
} worker_answer;

static void worker_answer_release(worker_answer *answer)
{
    snapcell_response_free(answer->response);
    free(answer->result);
}

static int worker_ask(const cli_worker_run *run, snapcell_worker *worker, worker_answer *out,
                      snapcell_error *err)
{
    if (run->handler)
        return snapcell_worker_call(worker, run->handler, run->event, &out->result, NULL, err);
    if (snapcell_worker_shape(worker) == SNAPCELL_SHAPE_JSON)
        return snapcell_worker_invoke(worker, run->event, &out->result, NULL, err);
    if (!run->gives_event) return snapcell_worker_fetch(worker, run->request, &out->response, err);
    return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                     "%s takes a request, not an event; give it a URL, -X, -H and -d instead "
                     "of --event",
                     run->ref);
}

static void worker_print(const cli_worker_run *run, const worker_answer *answer)
{
    if (answer->result) cli_print("%s\n", answer->result);
    if (!answer->response) return;
    size_t size_bytes;
    const void *body = snapcell_response_body(answer->response, &size_bytes);
    if (run->include) cli_print_head(answer->response);
    cli_write(body, size_bytes);
}

/* What restores took until the last answer. */
static uint64_t worker_restore_ns(const snapcell_workers *workers)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    return counts.restore_ns;
}

/* A worker does not tell what a load is made of, and with an answer comes what the restore before
 * it took. */
static void worker_print_timings(uint64_t call_ns, uint64_t restore_ns)
{
    const snapcell_timings timings = {.call_ns = call_ns, .total_ns = call_ns};
    cli_print_timings(&timings, restore_ns);
}

static int worker_call_once(const cli_worker_run *run, const snapcell_workers *workers,
                            snapcell_worker *worker, bool print, snapcell_error *err)
{
    worker_answer answer cleanup(worker_answer_release) = {0};
    const uint64_t before_ns = worker_restore_ns(workers);
    const uint64_t start_ns = monotonic_now_ns();
    int status = worker_ask(run, worker, &answer, err);
    const uint64_t call_ns = monotonic_now_ns() - start_ns;
    if (status != SNAPCELL_OK) return status;
    if (print) worker_print(run, &answer);
    cli_flush();
    if (run->timings) worker_print_timings(call_ns, worker_restore_ns(workers) - before_ns);
    return SNAPCELL_OK;
}

static int worker_open(const cli_worker_run *run, snapcell_workers **out, snapcell_error *err)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.store_path = run->store;
    options.trust = run->trust;
    options.log = cli_console;
    options.no_sandbox = run->no_sandbox;
    options.policy = run->policy;
    options.image_bytes_max = SNAPCELL_IMAGES_NONE; /* of one worker, nobody would use it */
    cli_keep_time_zone();
    return snapcell_workers_open(&options, out, err);
}

int cli_worker_run_all(const cli_worker_run *run, snapcell_error *err)
{
    snapcell_workers *workers = NULL;
    snapcell_worker *worker = NULL;
    int status = worker_open(run, &workers, err);
    if (status == SNAPCELL_OK)
        status = snapcell_worker_load(workers, run->ref, run->cell, &worker, err);
    for (uint64_t i = 1; status == SNAPCELL_OK && i <= run->repeat; i++)
        status = worker_call_once(run, workers, worker, i == run->repeat, err);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    return status;
}
