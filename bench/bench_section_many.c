/* A store with many artifacts against one with few: real artifacts, copies of one function's under
 * keys and names of their own. The same working set is loaded from both, so that what differs is
 * the size of the store alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench_client.h"
#include "bench_config.h"
#include "bench_many.h"
#include "bench_sections.h"
#include "bench_series.h"
#include "cleanup.h"
#include "error_set.h"

#define BENCH_WORKING_SET 64
#define BENCH_MANY_BLOCK 10
#define BENCH_PUT_ESTIMATED_MS 1
#define BENCH_MANY_LOAD_ESTIMATED_MS 2

typedef struct bench_many_kind {
    const char *config;
    const char *what;
    bool large;
    bool named;
} bench_many_kind;

static const bench_many_kind bench_many_kinds[] = {
    {"few_by_key", "a store with the working set alone, by key", false, false},
    {"few_by_name", "a store with the working set alone, by name", false, true},
    {"many_by_key", "the same working set in the large store, by key", true, false},
    {"many_by_name", "the same working set in the large store, by name", true, true},
};
#define BENCH_MANY_KIND_COUNT (sizeof(bench_many_kinds) / sizeof(bench_many_kinds[0]))

typedef struct bench_many_run {
    bench_context *context;
    const bench_function *function;
    uint32_t count; /* in the large store; a multiple of the working set */
    char few[4200];
    char many[4200];
    bench_client clients[BENCH_MANY_KIND_COUNT];
    bench_sample *samples[BENCH_MANY_KIND_COUNT]; /* Owned */
} bench_many_run;

static uint32_t bench_many_rounds(const bench_context *context)
{
    return (context->settings.samples + BENCH_MANY_BLOCK - 1) / BENCH_MANY_BLOCK;
}

static uint32_t bench_many_block_ms(void)
{
    return BENCH_MANY_BLOCK * BENCH_MANY_LOAD_ESTIMATED_MS;
}

static void bench_many_plan(bench_context *context)
{
    if (context->settings.many == 0) return;
    bench_progress_plan(&context->progress,
                        (uint64_t)context->settings.many * BENCH_PUT_ESTIMATED_MS +
                            (uint64_t)bench_many_rounds(context) * BENCH_MANY_KIND_COUNT *
                                bench_many_block_ms());
}

static void bench_many_tick(void *user, uint32_t done)
{
    bench_many_run *run = user;
    bench_progress_step(&run->context->progress, BENCH_PUT_ESTIMATED_MS,
                        "filling a store, %u of %u", done, run->count);
}

static uint64_t bench_many_artifact_size(const bench_context *context)
{
    const json_t *functions = json_object_get(context->results, "functions");
    const json_t *artifacts = json_object_get(json_array_get(functions, 0), "artifacts");
    return (uint64_t)json_integer_value(
        json_object_get(json_array_get(artifacts, 0), "artifact_size_bytes"));
}

static int bench_many_fill_both(bench_many_run *run, snapcell_error *err)
{
    const bench_context *context = run->context;
    uint32_t fitting = bench_many_fitting(context->settings.out, context->settings.many,
                                          bench_many_artifact_size(context));
    run->count = fitting / BENCH_WORKING_SET * BENCH_WORKING_SET;
    if (run->count == 0)
        return error_set(err, SNAPCELL_E_FULL,
                         "no room for a store of many artifacts in %s; "
                         "--many 0 leaves it out",
                         context->settings.out);
    int status = bench_many_fill(context->store, run->function->name, run->few, BENCH_WORKING_SET,
                                 run->count / BENCH_WORKING_SET, bench_many_tick, run, err);
    if (status != SNAPCELL_OK) return status;
    return bench_many_fill(context->store, run->function->name, run->many, run->count, 1,
                           bench_many_tick, run, err);
}

static json_t *bench_many_refs(const bench_many_run *run, bool named)
{
    json_t *refs = json_array();
    for (uint32_t i = 0; i < BENCH_WORKING_SET; i++) {
        uint32_t index = i * (run->count / BENCH_WORKING_SET);
        char text[SNAPCELL_KEY_HEX_SIZE];
        snapcell_key key = bench_many_key(index);
        snapcell_key_format(&key, text);
        char name[BENCH_MANY_NAME_SIZE];
        bench_many_name(index, name);
        json_array_append_new(refs, json_string(named ? name : text));
    }
    return refs;
}

static int bench_many_start(bench_many_run *run, size_t which, snapcell_error *err)
{
    const bench_many_kind *kind = &bench_many_kinds[which];
    size_t room = (size_t)bench_many_rounds(run->context) * BENCH_MANY_BLOCK;
    run->samples[which] = calloc(room, sizeof(*run->samples[which]));
    json_t *spec = json_pack("{s:s, s:I, s:s, s:s, s:o}", "how", "load", "cache_size_bytes",
                             (json_int_t)-1, "store", kind->large ? run->many : run->few, "url",
                             run->context->settings.url, "refs", bench_many_refs(run, kind->named));
    if (!spec || !run->samples[which]) {
        json_decref(spec);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a child's spec");
    }
    int status = bench_client_start(spec, kind->config, &run->clients[which], err);
    /* So many that each of the working set is all but certain to have been verified. */
    bench_order warm_up = {.kind = BENCH_ORDER_LOAD, .warm_up = 10 * BENCH_WORKING_SET};
    return status == SNAPCELL_OK ? bench_client_order(&run->clients[which], &warm_up, NULL, 0, err)
                                 : status;
}

static int bench_many_measure(bench_many_run *run, snapcell_error *err)
{
    for (size_t i = 0; i < BENCH_MANY_KIND_COUNT; i++) {
        int status = bench_many_start(run, i, err);
        if (status != SNAPCELL_OK) return status;
    }
    bench_order block = {.kind = BENCH_ORDER_LOAD, .count = BENCH_MANY_BLOCK, .warm_up = 1};
    for (uint32_t round = 0; round < bench_many_rounds(run->context); round++) {
        size_t order[BENCH_MANY_KIND_COUNT];
        bench_random_order(&run->context->random, order, BENCH_MANY_KIND_COUNT);
        for (size_t i = 0; i < BENCH_MANY_KIND_COUNT; i++) {
            size_t which = order[i];
            int status = bench_client_order(&run->clients[which], &block,
                                            &run->samples[which][(size_t)round * BENCH_MANY_BLOCK],
                                            BENCH_MANY_BLOCK * sizeof(bench_sample), err);
            if (status != SNAPCELL_OK) return status;
            bench_progress_step(&run->context->progress, bench_many_block_ms(),
                                "loads from a store with %u artifacts", run->count);
        }
    }
    return SNAPCELL_OK;
}

static void bench_many_report(const bench_many_run *run)
{
    json_t *results = run->context->results;
    struct stat file = {0};
    char path[4300];
    snprintf(path, sizeof(path), "%s/data.mdb", run->many);
    stat(path, &file);
    json_object_set_new(results, "many",
                        json_pack("{s:s, s:I, s:I, s:I, s:I}", "function", run->function->name,
                                  "artifacts_asked", (json_int_t)run->context->settings.many,
                                  "artifacts", (json_int_t)run->count, "working_set",
                                  (json_int_t)BENCH_WORKING_SET, "file_size_bytes",
                                  (json_int_t)file.st_size));
    for (size_t i = 0; i < BENCH_MANY_KIND_COUNT; i++) {
        bench_series series = {
            .group = "many",
            .function = run->function->name,
            .config = bench_many_kinds[i].config,
            .what = bench_many_kinds[i].what,
            .state = "warm process, warm page cache",
            .from = "snapcell_cell_load() is called",
            .to = "the response is returned to the caller",
            .warm_up = "each of the working set about 10 times",
            .samples = run->samples[i],
            .count = (size_t)bench_many_rounds(run->context) * BENCH_MANY_BLOCK,
        };
        json_array_append_new(json_object_get(results, "series"), bench_series_json(&series));
    }
}

static int bench_many_run_all(bench_context *context, snapcell_error *err)
{
    if (context->settings.many == 0) return SNAPCELL_OK;
    bench_many_run run = {.context = context, .function = &context->functions[0]};
    snprintf(run.few, sizeof(run.few), "%s/bench-store-few", context->settings.out);
    snprintf(run.many, sizeof(run.many), "%s/bench-store-many", context->settings.out);
    bench_store_remove(run.few);
    bench_store_remove(run.many);
    int status = bench_many_fill_both(&run, err);
    if (status == SNAPCELL_OK) status = bench_many_measure(&run, err);
    for (size_t i = 0; i < BENCH_MANY_KIND_COUNT; i++) {
        int stopped = bench_client_stop(&run.clients[i], status == SNAPCELL_OK ? err : NULL);
        if (status == SNAPCELL_OK) status = stopped;
    }
    if (status == SNAPCELL_OK) bench_many_report(&run);
    for (size_t i = 0; i < BENCH_MANY_KIND_COUNT; i++)
        free(run.samples[i]);
    /* The large one is gigabytes that nobody wants to keep. */
    bench_store_remove(run.few);
    bench_store_remove(run.many);
    return status;
}

const bench_section bench_section_many = {
    .name = "many",
    .plan = bench_many_plan,
    .run = bench_many_run_all,
};
