/* Fresh processes: `snapcell run` and other runtimes, one of each in random order, round by round.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_config.h"
#include "bench_peers.h"
#include "bench_sections.h"
#include "bench_series.h"
#include "cleanup.h"
#include "error_set.h"

#define BENCH_CONTENDERS_MAX 32
#define BENCH_OWN_COUNT 2 /* of them ours: the first ones, and they must work */
#define BENCH_PROCESS_ESTIMATED_MS 100

typedef struct bench_race {
    bench_context *context;
    const bench_function *function;
    bench_contender contenders[BENCH_CONTENDERS_MAX];
    size_t count;
    json_t *missing;
    char log[4200];
} bench_race;

static size_t bench_race_size(const bench_context *context)
{
    /* Runtimes are counted when they are read; what is planned need not be exact. */
    return context->settings.peers_path ? 8 : BENCH_OWN_COUNT;
}

static void bench_process_plan(bench_context *context)
{
    bench_progress_plan(&context->progress,
                        (uint64_t)context->function_count * bench_race_size(context) *
                            (context->settings.processes + 1u) * BENCH_PROCESS_ESTIMATED_MS);
}

static int bench_race_add_own(bench_race *race, const char *config, const char *suffix,
                              const char *what, snapcell_error *err)
{
    char program[4096];
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (size < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "finding this program");
    program[size] = '\0';
    char name[BENCH_ARTIFACT_NAME_SIZE];
    bench_artifact_name(race->function, suffix, name);
    json_t *argv = json_pack("[s, s, s, s, s, s]", program, "run", "--store", race->context->store,
                             name, race->context->settings.url);
    bench_contender *next = &race->contenders[race->count++];
    *next = (bench_contender){.config = config, .what = what};
    bool made = bench_contender_init(next, argv, NULL);
    next->program.log = race->log;
    json_decref(argv);
    return made ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for a command line");
}

static int bench_race_fill(bench_race *race, const json_t *peers, snapcell_error *err)
{
    int status = bench_race_add_own(race, "snapcell", "", "snapcell run, compressed", err);
    if (status == SNAPCELL_OK)
        status = bench_race_add_own(race, "snapcell_raw", ".raw", "snapcell run, --raw", err);
    if (status != SNAPCELL_OK) return status;
    race->count += bench_peers_for(peers, race->function->name, false, race->log,
                                   race->contenders + race->count,
                                   BENCH_CONTENDERS_MAX - race->count, race->missing);
    for (size_t i = 0; i < race->count; i++) {
        race->contenders[i].samples =
            calloc(race->context->settings.processes, sizeof(bench_sample));
        if (!race->contenders[i].samples)
            return error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
    }
    return SNAPCELL_OK;
}

/* One run of a contender. A runtime that fails is left out from there on, and named. */
static int bench_race_step(bench_race *race, size_t which, bench_sample *out, snapcell_error *err)
{
    bench_contender *contender = &race->contenders[which];
    if (contender->missing) return SNAPCELL_OK;
    int status = bench_process_run(&contender->program, out, err);
    bench_progress_step(&race->context->progress, BENCH_PROCESS_ESTIMATED_MS, "processes of %s: %s",
                        race->function->name, contender->config);
    if (status == SNAPCELL_OK || which < BENCH_OWN_COUNT) return status;
    contender->missing = "it failed";
    bench_missing_add(race->missing, contender->config, race->function->name, err->message);
    return SNAPCELL_OK;
}

static int bench_race_run(bench_race *race, snapcell_error *err)
{
    bench_sample unused;
    for (size_t i = 0; i < race->count; i++) {
        int status = bench_race_step(race, i, &unused, err);
        if (status != SNAPCELL_OK) return status;
    }
    for (uint32_t round = 0; round < race->context->settings.processes; round++) {
        size_t order[BENCH_CONTENDERS_MAX];
        bench_random_order(&race->context->random, order, race->count);
        for (size_t i = 0; i < race->count; i++) {
            bench_noise_spin(&race->context->noise);
            bench_sample *sample = &race->contenders[order[i]].samples[round];
            int status = bench_race_step(race, order[i], sample, err);
            if (status != SNAPCELL_OK) return status;
        }
    }
    return SNAPCELL_OK;
}

static void bench_race_report(const bench_race *race)
{
    json_t *all = json_object_get(race->context->results, "series");
    for (size_t i = 0; i < race->count; i++) {
        const bench_contender *contender = &race->contenders[i];
        if (contender->missing) continue;
        bench_series series = {
            .group = "process",
            .function = race->function->name,
            .config = contender->config,
            .what = contender->what,
            .state = "fresh process, warm page cache",
            .from = "posix_spawn() is called",
            .to = contender->program.http ? "the first byte of the response on a loopback socket"
                                          : "the first byte of the response on standard output",
            .warm_up = "one process of each, first",
            .samples = contender->samples,
            .count = race->context->settings.processes,
        };
        json_array_append_new(all, bench_series_json(&series));
    }
}

static int bench_race_function(bench_context *context, const bench_function *function,
                               const json_t *peers, snapcell_error *err)
{
    bench_race *race = calloc(1, sizeof(*race));
    if (!race) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a race");
    race->context = context;
    race->function = function;
    race->missing = json_object_get(context->results, "missing");
    snprintf(race->log, sizeof(race->log), "%s/peers.log", context->settings.out);
    int status = bench_race_fill(race, peers, err);
    if (status == SNAPCELL_OK) status = bench_race_run(race, err);
    if (status == SNAPCELL_OK) bench_race_report(race);
    for (size_t i = 0; i < race->count; i++)
        bench_contender_release(&race->contenders[i]);
    free(race);
    return status;
}

static int bench_process_run_all(bench_context *context, snapcell_error *err)
{
    json_t *peers = NULL;
    int status = SNAPCELL_OK;
    if (context->settings.peers_path)
        status = bench_peers_read(context->settings.peers_path, &peers, err);
    else
        bench_missing_add(json_object_get(context->results, "missing"), "all", NULL,
                          "no --peers were given");
    for (size_t i = 0; i < context->function_count && status == SNAPCELL_OK; i++)
        status = bench_race_function(context, &context->functions[i], peers, err);
    json_decref(peers);
    return status;
}

const bench_section bench_section_process = {
    .name = "process",
    .plan = bench_process_plan,
    .run = bench_process_run_all,
};
