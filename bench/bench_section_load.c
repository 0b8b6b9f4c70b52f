/* Loads in warm processes, all configurations of a function in turn: blocks in random order, so
 * that whatever else the machine does falls on all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_config.h"
#include "bench_sections.h"
#include "bench_series.h"
#include "cleanup.h"
#include "error_set.h"

#define BENCH_BLOCK 10        /* samples of a configuration in a row */
#define BENCH_WARM_UP 10      /* loads when a child has started */
#define BENCH_WARM_UP_BLOCK 1 /* loads before each block: caches hold another process's data */
#define BENCH_GENERATIONS 3   /* children of a configuration, one after the other */
#define BENCH_LOAD_ESTIMATED_MS 11
#define BENCH_CONFIGS_MAX 32

typedef struct bench_load_run {
    bench_context *context;
    const bench_function *function;
    const bench_config *configs;
    size_t config_count;
    bench_client clients[BENCH_CONFIGS_MAX];
    bench_sample *samples[BENCH_CONFIGS_MAX]; /* Owned */
} bench_load_run;

static uint32_t bench_load_rounds(const bench_context *context)
{
    return (context->settings.samples + BENCH_BLOCK - 1) / BENCH_BLOCK;
}

static uint32_t bench_block_ms(void)
{
    return (BENCH_BLOCK + BENCH_WARM_UP_BLOCK) * BENCH_LOAD_ESTIMATED_MS;
}

static void bench_load_plan(bench_context *context)
{
    size_t configs;
    bench_configs(&configs);
    bench_progress_plan(&context->progress, (uint64_t)context->function_count * configs *
                                                bench_load_rounds(context) * bench_block_ms());
}

static int bench_load_start(bench_load_run *run, snapcell_error *err)
{
    bench_order warm_up = {.kind = BENCH_ORDER_LOAD, .warm_up = BENCH_WARM_UP};
    for (size_t i = 0; i < run->config_count; i++) {
        int status = bench_config_start(&run->configs[i], run->context, run->function,
                                        &run->clients[i], err);
        if (status == SNAPCELL_OK)
            status = bench_client_order(&run->clients[i], &warm_up, NULL, 0, err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

static int bench_load_round(bench_load_run *run, uint32_t round, snapcell_error *err)
{
    bench_context *context = run->context;
    size_t order[BENCH_CONFIGS_MAX];
    bench_random_order(&context->random, order, run->config_count);
    bench_order block = {
        .kind = BENCH_ORDER_LOAD, .count = BENCH_BLOCK, .warm_up = BENCH_WARM_UP_BLOCK};
    for (size_t i = 0; i < run->config_count; i++) {
        bench_noise_spin(&context->noise);
        size_t which = order[i];
        int status = bench_client_order(&run->clients[which], &block,
                                        &run->samples[which][(size_t)round * BENCH_BLOCK],
                                        BENCH_BLOCK * sizeof(bench_sample), err);
        if (status != SNAPCELL_OK) return status;
        bench_progress_step(&context->progress, bench_block_ms(), "loads of %s, round %u of %u",
                            run->function->name, round + 1, bench_load_rounds(context));
    }
    return SNAPCELL_OK;
}

/* Configurations that answer differently may not do the same work: a function that counts, or tells
 * the time, is warmed up in some and not in others. */
static void bench_load_compare(const bench_load_run *run)
{
    json_t *warnings = json_object_get(run->context->results, "warnings");
    for (size_t i = 0; i < run->config_count; i++) {
        if (run->samples[i][0].response_hash == run->samples[0][0].response_hash) continue;
        json_array_append_new(warnings, json_sprintf("%s answers differently as %s than as %s",
                                                     run->function->name, run->configs[i].name,
                                                     run->configs[0].name));
    }
}

static void bench_load_report(const bench_load_run *run)
{
    char warm_up[128];
    snprintf(warm_up, sizeof(warm_up), "%d loads when a child starts, %d before each block of %d",
             BENCH_WARM_UP, BENCH_WARM_UP_BLOCK, BENCH_BLOCK);
    json_t *all = json_object_get(run->context->results, "series");
    for (size_t i = 0; i < run->config_count; i++) {
        const bench_config *config = &run->configs[i];
        bench_series series = {
            .group = "load",
            .function = run->function->name,
            .config = config->name,
            .what = config->what,
            .state = config->state,
            .from = config->from,
            .to = "the response is returned to the caller",
            .warm_up = warm_up,
            .samples = run->samples[i],
            .count = (size_t)bench_load_rounds(run->context) * BENCH_BLOCK,
        };
        json_array_append_new(all, bench_series_json(&series));
    }
}

static int bench_load_stop(bench_load_run *run, int status, snapcell_error *err)
{
    for (size_t i = 0; i < run->config_count; i++) {
        int stopped = bench_client_stop(&run->clients[i], status == SNAPCELL_OK ? err : NULL);
        if (status == SNAPCELL_OK) status = stopped;
    }
    return status;
}

/* Workers are restarted a few times: each process lays out its memory differently. */
static int bench_load_rounds_run(bench_load_run *run, snapcell_error *err)
{
    uint32_t rounds = bench_load_rounds(run->context), begin = 0;
    int status = SNAPCELL_OK;
    for (uint32_t i = 1; i <= BENCH_GENERATIONS && status == SNAPCELL_OK; i++) {
        uint32_t end = rounds * i / BENCH_GENERATIONS;
        if (end == begin) continue;
        status = bench_load_start(run, err);
        for (; begin < end && status == SNAPCELL_OK; begin++)
            status = bench_load_round(run, begin, err);
        status = bench_load_stop(run, status, err);
    }
    return status;
}

static int bench_load_function(bench_context *context, const bench_function *function,
                               snapcell_error *err)
{
    bench_load_run run = {.context = context, .function = function};
    run.configs = bench_configs(&run.config_count);
    size_t room = (size_t)bench_load_rounds(context) * BENCH_BLOCK;
    int status = SNAPCELL_OK;
    for (size_t i = 0; i < run.config_count && status == SNAPCELL_OK; i++) {
        run.samples[i] = calloc(room, sizeof(*run.samples[i]));
        if (!run.samples[i]) status = error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
    }
    if (status == SNAPCELL_OK) status = bench_load_rounds_run(&run, err);
    if (status == SNAPCELL_OK) bench_load_compare(&run);
    if (status == SNAPCELL_OK) bench_load_report(&run);
    for (size_t i = 0; i < run.config_count; i++)
        free(run.samples[i]);
    return status;
}

static int bench_load_run_all(bench_context *context, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    for (size_t i = 0; i < context->function_count && status == SNAPCELL_OK; i++)
        status = bench_load_function(context, &context->functions[i], err);
    return status;
}

const bench_section bench_section_load = {
    .name = "load",
    .plan = bench_load_plan,
    .run = bench_load_run_all,
};
