/* What a live cell costs: the growth of a process's memory from a few live cells to many. Both
 * counts are of cells that were called once, in a process that disposed of none before, so that
 * neither first use nor kept pages are in the difference. */
#include <stdlib.h>

#include "bench_config.h"
#include "bench_sections.h"
#include "bench_series.h"

#define BENCH_CELLS_FEW 4
#define BENCH_CELLS_MORE 16
#define BENCH_MEMORY_TRIES 5
#define BENCH_MEMORY_TRIES_QUICK 3
#define BENCH_TRY_ESTIMATED_MS 300

/* The snapshot's own memory is in it where each cell has its own. */
static const char *const bench_memory_configs[] = {"v8_keep", "cached", "compressed", "raw"};
#define BENCH_MEMORY_CONFIG_COUNT (sizeof(bench_memory_configs) / sizeof(bench_memory_configs[0]))

static unsigned bench_memory_tries(const bench_context *context)
{
    return context->settings.quick ? BENCH_MEMORY_TRIES_QUICK : BENCH_MEMORY_TRIES;
}

static void bench_memory_plan(bench_context *context)
{
    bench_progress_plan(&context->progress,
                        (uint64_t)context->function_count * BENCH_MEMORY_CONFIG_COUNT *
                            bench_memory_tries(context) * BENCH_TRY_ESTIMATED_MS);
}

static uint64_t bench_growth(uint64_t few, uint64_t more)
{
    return more > few ? (more - few) / BENCH_CELLS_MORE : 0;
}

static int bench_memory_try(bench_context *context, const bench_function *function,
                            const bench_config *config, bench_memory *out, snapcell_error *err)
{
    bench_client client;
    int status = bench_config_start(config, context, function, &client, err);
    if (status != SNAPCELL_OK) return status;
    bench_memory few = {0}, more = {0};
    bench_order order = {.kind = BENCH_ORDER_HOLD, .count = BENCH_CELLS_FEW};
    status = bench_client_order(&client, &order, &few, sizeof(few), err);
    order.count = BENCH_CELLS_MORE;
    if (status == SNAPCELL_OK)
        status = bench_client_order(&client, &order, &more, sizeof(more), err);
    int stopped = bench_client_stop(&client, status == SNAPCELL_OK ? err : NULL);
    *out = (bench_memory){
        .rss_bytes = bench_growth(few.rss_bytes, more.rss_bytes),
        .pss_bytes = bench_growth(few.pss_bytes, more.pss_bytes),
        .private_bytes = bench_growth(few.private_bytes, more.private_bytes),
    };
    return status == SNAPCELL_OK ? stopped : status;
}

static int bench_memory_config(bench_context *context, const bench_function *function,
                               const bench_config *config, snapcell_error *err)
{
    uint64_t rss[BENCH_MEMORY_TRIES], pss[BENCH_MEMORY_TRIES], private[BENCH_MEMORY_TRIES];
    unsigned tries = bench_memory_tries(context);
    for (unsigned i = 0; i < tries; i++) {
        bench_memory cell;
        int status = bench_memory_try(context, function, config, &cell, err);
        if (status != SNAPCELL_OK) return status;
        rss[i] = cell.rss_bytes;
        pss[i] = cell.pss_bytes;
        private[i] = cell.private_bytes;
        bench_progress_step(&context->progress, BENCH_TRY_ESTIMATED_MS, "memory of %s",
                            function->name);
    }
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:o}", "function", function->name, "config",
        config->name, "what", config->what, "cells_before", BENCH_CELLS_FEW, "cells_more",
        BENCH_CELLS_MORE, "rss_bytes", bench_statistics_json(rss, tries), "pss_bytes",
        bench_statistics_json(pss, tries), "private_bytes", bench_statistics_json(private, tries));
    json_array_append_new(json_object_get(context->results, "memory"), entry);
    return SNAPCELL_OK;
}

static int bench_memory_run(bench_context *context, snapcell_error *err)
{
    for (size_t i = 0; i < context->function_count; i++)
        for (size_t j = 0; j < BENCH_MEMORY_CONFIG_COUNT; j++) {
            const bench_config *config = bench_config_find(bench_memory_configs[j]);
            if (!config) continue;
            int status = bench_memory_config(context, &context->functions[i], config, err);
            if (status != SNAPCELL_OK) return status;
        }
    return SNAPCELL_OK;
}

const bench_section bench_section_memory = {
    .name = "memory",
    .plan = bench_memory_plan,
    .run = bench_memory_run,
};
