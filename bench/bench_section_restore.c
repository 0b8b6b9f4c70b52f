/* Fresh instances for each call, in sandboxed workers: memory that is restored, hot and as loaded,
 * next to a cell that is loaded for each call, to one that is kept, and to other runtimes, which
 * keep theirs. Blocks of calls in random order, as for loads. */
#include <stdlib.h>

#include "bench_config.h"
#include "bench_echo.h"
#include "bench_hold.h"
#include "bench_hot_race.h"
#include "bench_sections.h"
#include "bench_series.h"
#include "bench_worker.h"
#include "cleanup.h"
#include "error_set.h"
#include "snapcell/compiler.h"
#include "snapcell/store.h"

#define BENCH_RESTORE_START_MS 3000
#define BENCH_RESTORE_BLOCK_MS 20
#define BENCH_RESTORE_BLOCK_MAX 40
/* Of a function whose calls take long. */
#define BENCH_RESTORE_LARGE_BLOCKS 8
#define BENCH_RESTORE_LARGE_BLOCKS_QUICK 1

/* A restore must not take longer than a load, however much a call wrote. */
static const char bench_restore_large[] =
    "export default { fetch() {\n"
    "  const bytes = new Uint8Array(50 << 20);\n"
    "  for (let i = 0; i < bytes.length; i += 4096) bytes[i] = 1;\n"
    "  return new Response(String(bytes[0]));\n"
    "} };\n";

static const bench_worker_config bench_restore_configs[] = {
    {"worker_reload", "a cell is loaded, called and disposed of", SNAPCELL_WORKERS_RELOAD, 0, 4},
    {"worker_restore", "memory is restored, hot", SNAPCELL_WORKERS_RESTORE, 0,
     BENCH_RESTORE_BLOCK_MAX},
    {"worker_restore_cold", "memory is restored, as it was when the cell was loaded",
     SNAPCELL_WORKERS_RESTORE, SNAPCELL_WARM_CALLS_NONE, BENCH_RESTORE_BLOCK_MAX},
    {"worker_keep", "one cell for all calls", SNAPCELL_WORKERS_KEEP, 0, BENCH_RESTORE_BLOCK_MAX},
};
#define BENCH_RESTORE_CONFIGS (sizeof(bench_restore_configs) / sizeof(bench_restore_configs[0]))

/* What one configuration gave; all arrays Owned. */
typedef struct bench_restore_samples {
    uint64_t *own_ns;
    uint64_t *restore_ns;
    uint64_t *elapsed_ns;
    uint64_t *round_trips_ns;
    size_t round_trips;
    uint64_t pss_bytes; /* of the process, when all blocks were done */
} bench_restore_samples;

typedef struct bench_restore_run {
    bench_context *context;
    const bench_function *function;
    uint32_t blocks;
    bench_echo echo;
    uint64_t *echo_ns;     /* Owned */
    bench_hot_race *peers; /* Owned */
    bench_worker workers[BENCH_RESTORE_CONFIGS];
    bench_restore_samples samples[BENCH_RESTORE_CONFIGS];
} bench_restore_run;

static uint32_t bench_restore_blocks(const bench_context *context)
{
    return (context->settings.samples + 1) / 2;
}

static uint32_t bench_restore_large_blocks(const bench_context *context)
{
    return context->settings.quick ? BENCH_RESTORE_LARGE_BLOCKS_QUICK : BENCH_RESTORE_LARGE_BLOCKS;
}

static void bench_restore_plan(bench_context *context)
{
    bench_progress_plan(&context->progress,
                        (uint64_t)context->function_count * BENCH_RESTORE_CONFIGS *
                            (BENCH_RESTORE_START_MS +
                             (uint64_t)bench_restore_blocks(context) * BENCH_RESTORE_BLOCK_MS));
    bench_progress_plan(&context->progress,
                        BENCH_RESTORE_CONFIGS * (BENCH_RESTORE_START_MS +
                                                 (uint64_t)bench_restore_large_blocks(context) *
                                                     BENCH_RESTORE_BLOCK_MS));
}

static bool bench_restore_allocate(bench_restore_samples *out, uint32_t blocks)
{
    out->own_ns = calloc(blocks, sizeof(uint64_t));
    out->restore_ns = calloc(blocks, sizeof(uint64_t));
    out->elapsed_ns = calloc(blocks, sizeof(uint64_t));
    out->round_trips_ns = calloc((size_t)blocks * BENCH_RESTORE_BLOCK_MAX, sizeof(uint64_t));
    return out->own_ns && out->restore_ns && out->elapsed_ns && out->round_trips_ns;
}

static int bench_restore_start(bench_restore_run *run, snapcell_error *err)
{
    char ref[BENCH_ARTIFACT_NAME_SIZE];
    bench_artifact_name(run->function, "", ref);
    run->echo_ns = calloc((size_t)run->blocks * BENCH_RESTORE_BLOCK_MAX, sizeof(uint64_t));
    if (!run->echo_ns) return error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
    int status = bench_echo_start(&run->echo, err);
    if (status != SNAPCELL_OK) return status;
    for (size_t i = 0; i < BENCH_RESTORE_CONFIGS; i++) {
        bench_progress_step(&run->context->progress, BENCH_RESTORE_START_MS, "workers of %s",
                            run->function->name);
        if (!bench_restore_allocate(&run->samples[i], run->blocks))
            return error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
        status = bench_worker_start(&bench_restore_configs[i], run->context->store, ref,
                                    run->context->settings.url, &run->workers[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return bench_hot_race_new(run->context, run->function, run->blocks, &run->peers, err);
}

static int bench_restore_block(bench_restore_run *run, size_t which, uint32_t number,
                               snapcell_error *err)
{
    bench_restore_samples *samples = &run->samples[which];
    bench_block block;
    int status = bench_worker_run(&run->workers[which],
                                  samples->round_trips_ns + samples->round_trips, &block, err);
    if (status != SNAPCELL_OK) return status;
    samples->round_trips += bench_restore_configs[which].block - 1;
    samples->own_ns[number] = block.own_ns;
    samples->restore_ns[number] = block.restore_ns;
    samples->elapsed_ns[number] = block.elapsed_ns;
    return SNAPCELL_OK;
}

/* The machine's own part in what calls take, and in how much that differs. */
static int bench_restore_echo(bench_restore_run *run, uint32_t number, snapcell_error *err)
{
    uint64_t *out = run->echo_ns + (size_t)number * (BENCH_RESTORE_BLOCK_MAX - 1);
    return bench_echo_run(&run->echo, out, BENCH_RESTORE_BLOCK_MAX - 1, err);
}

static int bench_restore_measure(bench_restore_run *run, snapcell_error *err)
{
    bench_context *context = run->context;
    for (uint32_t number = 0; number < run->blocks; number++) {
        size_t order[BENCH_RESTORE_CONFIGS];
        bench_random_order(&context->random, order, BENCH_RESTORE_CONFIGS);
        int status = bench_restore_echo(run, number, err);
        if (status != SNAPCELL_OK) return status;
        for (size_t i = 0; i < BENCH_RESTORE_CONFIGS; i++) {
            bench_noise_spin(&context->noise);
            status = bench_restore_block(run, order[i], number, err);
            if (status != SNAPCELL_OK) return status;
            bench_progress_step(&context->progress, BENCH_RESTORE_BLOCK_MS, "restores of %s",
                                run->function->name);
        }
        bench_hot_race_round(run->peers, number);
    }
    return SNAPCELL_OK;
}

/* All workers live: what they share of the program is shared by each alike. */
static int bench_restore_weigh(bench_restore_run *run, snapcell_error *err)
{
    for (size_t i = 0; i < BENCH_RESTORE_CONFIGS; i++) {
        bench_memory memory;
        int status =
            bench_memory_read_of(snapcell_worker_process_id(run->workers[i].worker), &memory, err);
        if (status != SNAPCELL_OK) return status;
        run->samples[i].pss_bytes = memory.pss_bytes;
    }
    return SNAPCELL_OK;
}

static void bench_restore_warn(const bench_restore_run *run)
{
    json_t *warnings = json_object_get(run->context->results, "warnings");
    for (size_t i = 0; i < BENCH_RESTORE_CONFIGS; i++) {
        const bench_worker *worker = &run->workers[i];
        bool restores = worker->config->policy == SNAPCELL_WORKERS_RESTORE;
        if (restores && worker->counts.restores == 0)
            json_array_append_new(
                warnings,
                json_sprintf("%s is reloaded as %s", run->function->name, worker->config->name));
        if (worker->spent_ns == 0)
            json_array_append_new(warnings,
                                  json_sprintf("what %s spends as %s is not known: there "
                                               "is no /proc/PID/schedstat",
                                               run->function->name, worker->config->name));
        /* One that is kept may count its calls. */
        if (worker->config->policy == SNAPCELL_WORKERS_KEEP ||
            worker->response_hash == run->workers[0].response_hash)
            continue;
        json_array_append_new(warnings, json_sprintf("%s answers differently as %s than as %s",
                                                     run->function->name, worker->config->name,
                                                     run->workers[0].config->name));
    }
}

static void bench_restore_report(bench_restore_run *run)
{
    const uint32_t blocks = run->blocks;
    json_t *all = json_object_get(run->context->results, "workers");
    for (size_t i = 0; i < BENCH_RESTORE_CONFIGS; i++) {
        const bench_worker_config *config = &bench_restore_configs[i];
        bench_restore_samples *of = &run->samples[i];
        json_t *entry = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o}",
                                  "function", run->function->name, "config", config->name, "what",
                                  config->what, "blocks", (int)blocks, "block", (int)config->block,
                                  "tier", (int)run->workers[i].counts.restore_tier, "own_ns",
                                  bench_statistics_json(of->own_ns, blocks), "restore_ns",
                                  bench_statistics_json(of->restore_ns, blocks), "elapsed_ns",
                                  bench_statistics_json(of->elapsed_ns, blocks), "round_trip_ns",
                                  bench_statistics_json(of->round_trips_ns, of->round_trips),
                                  "pss_bytes", bench_statistics_json(&of->pss_bytes, 1));
        json_array_append_new(all, entry);
    }
    const size_t echoes = (size_t)blocks * (BENCH_RESTORE_BLOCK_MAX - 1);
    json_array_append_new(
        all, json_pack("{s:s, s:s, s:s, s:o}", "function", run->function->name, "config", "echo",
                       "what", "an empty message to another process and back", "round_trip_ns",
                       bench_statistics_json(run->echo_ns, echoes)));
}

static int bench_restore_function(bench_context *context, const bench_function *function,
                                  uint32_t blocks, snapcell_error *err)
{
    bench_restore_run run = {
        .context = context, .function = function, .blocks = blocks, .echo = BENCH_ECHO_NONE};
    int status = bench_restore_start(&run, err);
    if (status == SNAPCELL_OK) status = bench_restore_measure(&run, err);
    if (status == SNAPCELL_OK) status = bench_restore_weigh(&run, err);
    if (status == SNAPCELL_OK) {
        bench_restore_warn(&run);
        bench_restore_report(&run);
        bench_hot_race_report(run.peers);
    }
    bench_hot_race_free(run.peers);
    for (size_t i = 0; i < BENCH_RESTORE_CONFIGS; i++) {
        bench_worker_stop(&run.workers[i]);
        free(run.samples[i].own_ns);
        free(run.samples[i].restore_ns);
        free(run.samples[i].elapsed_ns);
        free(run.samples[i].round_trips_ns);
    }
    bench_echo_stop(&run.echo);
    free(run.echo_ns);
    return status;
}

static void bench_restore_close(snapcell_store **store)
{
    snapcell_store_close(*store);
}

static void bench_restore_release(snapcell_compiled **compiled)
{
    snapcell_compiled_free(*compiled);
}

static int bench_restore_compile(const bench_context *context, const char *name,
                                 snapcell_error *err)
{
    snapcell_store *store cleanup(bench_restore_close) = NULL;
    snapcell_compiled *compiled cleanup(bench_restore_release) = NULL;
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    warm.url = context->settings.url;
    options.name = name;
    options.warm = &warm;
    options.warm_count = 1;
    int status =
        snapcell_compile_memory("large.js", bench_restore_large, sizeof(bench_restore_large) - 1,
                                NULL, 0, &options, &compiled, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(context->store, SNAPCELL_STORE_WRITE, &store, err);
    if (status != SNAPCELL_OK) return status;
    size_t size;
    const void *bytes = snapcell_compiled_artifact(compiled, &size);
    return snapcell_store_put(store, bytes, size, name, err);
}

/* A function that writes 50 MB in each call. */
static int bench_restore_run_large(bench_context *context, snapcell_error *err)
{
    const bench_function function = {.name = "touch-50mb"};
    char name[BENCH_ARTIFACT_NAME_SIZE];
    bench_artifact_name(&function, "", name);
    int status = bench_restore_compile(context, name, err);
    return status == SNAPCELL_OK ? bench_restore_function(context, &function,
                                                          bench_restore_large_blocks(context), err)
                                 : status;
}

static int bench_restore_run_all(bench_context *context, snapcell_error *err)
{
    for (size_t i = 0; i < context->function_count; i++) {
        int status = bench_restore_function(context, &context->functions[i],
                                            bench_restore_blocks(context), err);
        if (status != SNAPCELL_OK) return status;
    }
    return bench_restore_run_large(context, err);
}

const bench_section bench_section_restore = {
    .name = "restore",
    .plan = bench_restore_plan,
    .run = bench_restore_run_all,
};
