/* Workers that are launched from an image: from the host's wish to the first response, with a blank
 * launcher that waits and without one; and the memory of many live workers of one function, next to
 * as many that load it each. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_config.h"
#include "bench_hold.h"
#include "bench_sections.h"
#include "bench_series.h"
#include "error_set.h"
#include "monotonic.h"
#include "snapcell/worker.h"

#define BENCH_LAUNCH_START_MS 2000
#define BENCH_LAUNCH_SAMPLE_MS 25
#define BENCH_LAUNCH_WORKER_MS 20
#define BENCH_LAUNCH_WORKERS 100
#define BENCH_LAUNCH_WORKERS_QUICK 10
/* For a launcher to wait again, blank. */
#define BENCH_LAUNCH_PAUSE_NS 15000000
#define BENCH_LAUNCH_IMAGE_TRIES 1500
#define BENCH_LAUNCH_CALLS 5

/* Ways to start a worker. */
enum { BENCH_LAUNCH_BLANK, BENCH_LAUNCH_SPAWN, BENCH_LAUNCH_WAYS };

typedef struct bench_launch_run {
    bench_context *context;
    char ref[BENCH_ARTIFACT_NAME_SIZE];
    const char *name;
    snapcell_workers *groups[BENCH_LAUNCH_WAYS];
    uint64_t *samples_ns[BENCH_LAUNCH_WAYS];
    uint64_t image_bytes;
    uint64_t loaded; /* samples that were not launched */
    uint64_t launched_pss_bytes;
    uint64_t separate_pss_bytes;
} bench_launch_run;

static uint32_t bench_launch_workers(const bench_context *context)
{
    return context->settings.quick ? BENCH_LAUNCH_WORKERS_QUICK : BENCH_LAUNCH_WORKERS;
}

static void bench_launch_plan(bench_context *context)
{
    bench_progress_plan(
        &context->progress,
        (uint64_t)context->function_count *
            (BENCH_LAUNCH_WAYS * (BENCH_LAUNCH_START_MS +
                                  (uint64_t)context->settings.processes * BENCH_LAUNCH_SAMPLE_MS) +
             2ULL * bench_launch_workers(context) * BENCH_LAUNCH_WORKER_MS));
}

/* --- Starting a group --- */

static int bench_launch_open(const bench_launch_run *run, snapcell_workers_policy policy,
                             bool has_launchers, snapcell_workers **out, snapcell_error *err)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.store_path = run->context->store;
    options.policy = policy;
    if (!has_launchers) options.image_launchers = SNAPCELL_IMAGE_LAUNCHERS_NONE;
    return snapcell_workers_open(&options, out, err);
}

static snapcell_workers_counts bench_launch_counts(const snapcell_workers *workers)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    return counts;
}

/* Two workers are started, and the image is waited for. */
static int bench_launch_prepare(bench_launch_run *run, snapcell_workers *workers,
                                snapcell_error *err)
{
    for (int i = 0; i < 2; i++) {
        snapcell_worker *worker;
        int status = snapcell_worker_load(workers, run->ref, NULL, &worker, err);
        if (status != SNAPCELL_OK) return status;
        snapcell_worker_free(worker);
    }
    snapcell_workers_counts counts = bench_launch_counts(workers);
    for (int i = 0; i < BENCH_LAUNCH_IMAGE_TRIES && counts.images + counts.image_failures == 0;
         i++) {
        nanosleep(&(struct timespec){.tv_nsec = BENCH_LAUNCH_PAUSE_NS}, NULL);
        counts = bench_launch_counts(workers);
    }
    run->image_bytes = counts.image_bytes;
    return SNAPCELL_OK;
}

static int bench_launch_start(bench_launch_run *run, snapcell_error *err)
{
    for (int way = 0; way < BENCH_LAUNCH_WAYS; way++) {
        bench_progress_step(&run->context->progress, BENCH_LAUNCH_START_MS, "the image of %s",
                            run->name);
        run->samples_ns[way] = calloc(run->context->settings.processes, sizeof(uint64_t));
        if (!run->samples_ns[way]) return error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
        int status = bench_launch_open(run, SNAPCELL_WORKERS_RESTORE, way == BENCH_LAUNCH_BLANK,
                                       &run->groups[way], err);
        if (status == SNAPCELL_OK) status = bench_launch_prepare(run, run->groups[way], err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

/* --- Times --- */

static int bench_launch_call(const bench_launch_run *run, snapcell_worker *worker,
                             snapcell_error *err)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response;
    request.url = run->context->settings.url;
    int status = snapcell_worker_fetch(worker, &request, &response, err);
    if (status == SNAPCELL_OK) snapcell_response_free(response);
    return status;
}

static int bench_launch_sample(const bench_launch_run *run, snapcell_workers *workers,
                               uint64_t *out_ns, snapcell_error *err)
{
    snapcell_worker *worker;
    nanosleep(&(struct timespec){.tv_nsec = BENCH_LAUNCH_PAUSE_NS}, NULL);
    uint64_t start_ns = monotonic_now_ns();
    int status = snapcell_worker_load(workers, run->ref, NULL, &worker, err);
    if (status != SNAPCELL_OK) return status;
    status = bench_launch_call(run, worker, err);
    *out_ns = monotonic_now_ns() - start_ns;
    snapcell_worker_free(worker);
    return status;
}

static int bench_launch_measure(bench_launch_run *run, snapcell_error *err)
{
    bench_context *context = run->context;
    for (uint32_t number = 0; number < context->settings.processes; number++) {
        size_t order[BENCH_LAUNCH_WAYS];
        bench_random_order(&context->random, order, BENCH_LAUNCH_WAYS);
        for (size_t i = 0; i < BENCH_LAUNCH_WAYS; i++) {
            bench_noise_spin(&context->noise);
            int status = bench_launch_sample(run, run->groups[order[i]],
                                             &run->samples_ns[order[i]][number], err);
            if (status != SNAPCELL_OK) return status;
            bench_progress_step(&context->progress, BENCH_LAUNCH_SAMPLE_MS, "launches of %s",
                                run->name);
        }
    }
    for (int way = 0; way < BENCH_LAUNCH_WAYS; way++) {
        uint64_t launches = bench_launch_counts(run->groups[way]).launches;
        run->loaded += context->settings.processes - launches;
    }
    return SNAPCELL_OK;
}

/* --- Memory --- */

static int bench_launch_hold(bench_launch_run *run, snapcell_workers *workers,
                             snapcell_worker **held, uint64_t *out_bytes, snapcell_error *err)
{
    uint32_t count = bench_launch_workers(run->context);
    for (uint32_t i = 0; i < count; i++) {
        int status = snapcell_worker_load(workers, run->ref, NULL, &held[i], err);
        for (int call = 0; call < BENCH_LAUNCH_CALLS && status == SNAPCELL_OK; call++)
            status = bench_launch_call(run, held[i], err);
        if (status != SNAPCELL_OK) return status;
        bench_progress_step(&run->context->progress, BENCH_LAUNCH_WORKER_MS, "live workers of %s",
                            run->name);
    }
    *out_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bench_memory memory;
        int status = bench_memory_read_of(snapcell_worker_process_id(held[i]), &memory, err);
        if (status != SNAPCELL_OK) return status;
        *out_bytes += memory.pss_bytes;
    }
    return SNAPCELL_OK;
}

/* Where the kernel does not tell of the processes, the figure is missing. */
static int bench_launch_weigh(bench_launch_run *run, snapcell_workers *workers, uint64_t *out_bytes,
                              snapcell_error *err)
{
    uint32_t count = bench_launch_workers(run->context);
    snapcell_worker **held = calloc(count, sizeof(snapcell_worker *));
    if (!held) return error_set(err, SNAPCELL_E_NOMEM, "no memory for workers");
    int status = bench_launch_hold(run, workers, held, out_bytes, err);
    for (uint32_t i = 0; i < count; i++)
        snapcell_worker_free(held[i]);
    free(held);
    if (status != SNAPCELL_E_IO) return status;
    *out_bytes = 0;
    json_array_append_new(json_object_get(run->context->results, "warnings"),
                          json_sprintf("the memory of %s's workers is not known: %s", run->name,
                                       err != NULL ? err->message : ""));
    return SNAPCELL_OK;
}

static int bench_launch_compare_memory(bench_launch_run *run, snapcell_error *err)
{
    snapcell_workers *separate;
    int status =
        bench_launch_weigh(run, run->groups[BENCH_LAUNCH_BLANK], &run->launched_pss_bytes, err);
    if (status == SNAPCELL_OK)
        status = bench_launch_open(run, SNAPCELL_WORKERS_RELOAD, false, &separate, err);
    if (status != SNAPCELL_OK) return status;
    status = bench_launch_weigh(run, separate, &run->separate_pss_bytes, err);
    snapcell_workers_close(separate);
    return status;
}

/* --- The whole --- */

static void bench_launch_report(bench_launch_run *run)
{
    const uint32_t count = run->context->settings.processes;
    json_t *entry =
        json_pack("{s:s, s:I, s:I, s:o, s:o, s:i, s:I, s:I}", "function", run->name, "image_bytes",
                  (json_int_t)run->image_bytes, "loaded", (json_int_t)run->loaded, "blank_ns",
                  bench_statistics_json(run->samples_ns[BENCH_LAUNCH_BLANK], count), "spawn_ns",
                  bench_statistics_json(run->samples_ns[BENCH_LAUNCH_SPAWN], count), "workers",
                  (int)bench_launch_workers(run->context), "launched_pss_bytes",
                  (json_int_t)run->launched_pss_bytes, "separate_pss_bytes",
                  (json_int_t)run->separate_pss_bytes);
    json_array_append_new(json_object_get(run->context->results, "launches"), entry);
    if (run->loaded == 0) return;
    json_array_append_new(json_object_get(run->context->results, "warnings"),
                          json_sprintf("%s was loaded and not launched %lld times", run->name,
                                       (long long)run->loaded));
}

static int bench_launch_function(bench_context *context, const bench_function *function,
                                 snapcell_error *err)
{
    bench_launch_run run = {.context = context, .name = function->name};
    bench_artifact_name(function, "", run.ref);
    int status = bench_launch_start(&run, err);
    if (status == SNAPCELL_OK) status = bench_launch_measure(&run, err);
    if (status == SNAPCELL_OK) status = bench_launch_compare_memory(&run, err);
    if (status == SNAPCELL_OK) bench_launch_report(&run);
    for (int way = 0; way < BENCH_LAUNCH_WAYS; way++) {
        snapcell_workers_close(run.groups[way]);
        free(run.samples_ns[way]);
    }
    return status;
}

static int bench_launch_run_all(bench_context *context, snapcell_error *err)
{
    for (size_t i = 0; i < context->function_count; i++) {
        int status = bench_launch_function(context, &context->functions[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

const bench_section bench_section_launch = {
    .name = "launch",
    .plan = bench_launch_plan,
    .run = bench_launch_run_all,
};
