/* Loads a second on 1 to 8 threads of one process, each thread loading, calling and disposing as
 * fast as it can; thread counts in random order within each round. */
#include <string.h>

#include "bench_config.h"
#include "bench_sections.h"
#include "bench_series.h"
#include "error_set.h"

#define BENCH_ROUNDS 8
#define BENCH_ROUNDS_QUICK 3
#define BENCH_DURATION_MS 400
#define BENCH_DURATION_MS_QUICK 150
#define BENCH_THREAD_COUNTS 8

static const unsigned bench_thread_counts[] = {1, 2, 3, 4, 5, 6, 7, 8};
static const unsigned bench_thread_counts_quick[] = {1, 2, 4, 8};
static const char *const bench_threads_configs[] = {"v8_keep", "compressed", "cached"};
#define BENCH_THREADS_CONFIG_COUNT                                                                 \
    (sizeof(bench_threads_configs) / sizeof(bench_threads_configs[0]))

typedef struct bench_sweep {
    const unsigned *threads;
    size_t count;
    unsigned rounds;
    unsigned duration_ms;
} bench_sweep;

static bench_sweep bench_sweep_of(const bench_context *context)
{
    if (context->settings.quick)
        return (bench_sweep){bench_thread_counts_quick, 4, BENCH_ROUNDS_QUICK,
                             BENCH_DURATION_MS_QUICK};
    return (bench_sweep){bench_thread_counts, BENCH_THREAD_COUNTS, BENCH_ROUNDS, BENCH_DURATION_MS};
}

static void bench_threads_plan(bench_context *context)
{
    bench_sweep sweep = bench_sweep_of(context);
    bench_progress_plan(&context->progress, (uint64_t)context->function_count *
                                                BENCH_THREADS_CONFIG_COUNT * sweep.count *
                                                sweep.rounds * sweep.duration_ms);
}

/* Milli-loads a second, so that statistics stay whole numbers. */
static uint64_t bench_rate_milli(const bench_rate *rate)
{
    if (rate->elapsed_ns == 0) return 0;
    return (uint64_t)((double)rate->loads * 1e12 / (double)rate->elapsed_ns);
}

static int bench_threads_rounds(bench_context *context, const bench_sweep *sweep,
                                const char *function, bench_client *client,
                                uint64_t rates[BENCH_THREAD_COUNTS][BENCH_ROUNDS],
                                snapcell_error *err)
{
    for (unsigned round = 0; round < sweep->rounds; round++) {
        size_t order[BENCH_THREAD_COUNTS];
        bench_random_order(&context->random, order, sweep->count);
        for (size_t i = 0; i < sweep->count; i++) {
            bench_noise_spin(&context->noise);
            bench_order ask = {.kind = BENCH_ORDER_THREADS,
                               .count = sweep->threads[order[i]],
                               .duration_ms = sweep->duration_ms};
            bench_rate rate;
            int status = bench_client_order(client, &ask, &rate, sizeof(rate), err);
            if (status != SNAPCELL_OK) return status;
            rates[order[i]][round] = bench_rate_milli(&rate);
            bench_progress_step(&context->progress, sweep->duration_ms, "%s on several threads",
                                function);
        }
    }
    return SNAPCELL_OK;
}

static void bench_threads_report(bench_context *context, const bench_sweep *sweep,
                                 const bench_function *function, const bench_config *config,
                                 uint64_t rates[BENCH_THREAD_COUNTS][BENCH_ROUNDS])
{
    json_t *all = json_object_get(context->results, "throughput");
    for (size_t i = 0; i < sweep->count; i++) {
        json_t *raw = json_array();
        for (unsigned round = 0; round < sweep->rounds; round++)
            json_array_append_new(raw, json_integer((json_int_t)rates[i][round]));
        json_t *entry =
            json_pack("{s:s, s:s, s:s, s:i, s:i, s:o, s:o}", "function", function->name, "config",
                      config->name, "what", config->what, "threads", (int)sweep->threads[i],
                      "duration_ms", (int)sweep->duration_ms, "milliloads_per_second_samples", raw,
                      "milliloads_per_second", bench_statistics_json(rates[i], sweep->rounds));
        json_array_append_new(all, entry);
    }
}

static int bench_threads_config(bench_context *context, const bench_function *function,
                                const bench_config *config, snapcell_error *err)
{
    bench_sweep sweep = bench_sweep_of(context);
    uint64_t rates[BENCH_THREAD_COUNTS][BENCH_ROUNDS] = {{0}};
    bench_client client;
    int status = bench_config_start(config, context, function, &client, err);
    if (status != SNAPCELL_OK) return status;
    bench_order warm_up = {.kind = BENCH_ORDER_LOAD, .warm_up = 10};
    status = bench_client_order(&client, &warm_up, NULL, 0, err);
    if (status == SNAPCELL_OK)
        status = bench_threads_rounds(context, &sweep, function->name, &client, rates, err);
    int stopped = bench_client_stop(&client, status == SNAPCELL_OK ? err : NULL);
    if (status == SNAPCELL_OK) status = stopped;
    if (status == SNAPCELL_OK) bench_threads_report(context, &sweep, function, config, rates);
    return status;
}

static int bench_threads_run_all(bench_context *context, snapcell_error *err)
{
    for (size_t i = 0; i < context->function_count; i++)
        for (size_t j = 0; j < BENCH_THREADS_CONFIG_COUNT; j++) {
            int status = bench_threads_config(context, &context->functions[i],
                                              bench_config_find(bench_threads_configs[j]), err);
            if (status != SNAPCELL_OK) return status;
        }
    return SNAPCELL_OK;
}

const bench_section bench_section_threads = {
    .name = "threads",
    .plan = bench_threads_plan,
    .run = bench_threads_run_all,
};
