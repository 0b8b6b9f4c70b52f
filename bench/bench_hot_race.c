#include "bench_hot_race.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench_config.h"
#include "bench_hot.h"
#include "bench_peers.h"
#include "bench_series.h"
#include "bench_subject.h"
#include "error_set.h"
#include "monotonic.h"

#define HOT_PEERS_MAX 8
/* As many as a worker that restores has. */
#define HOT_BLOCK 40
/* In which they get hot. */
#define HOT_WARM_UP_NS UINT64_C(2000000000)

typedef struct hot_peer {
    bench_hot process;
    bool failed;
    uint64_t response_hash;
    uint64_t *elapsed_ns;     /* Owned */
    uint64_t *round_trips_ns; /* Owned */
    size_t round_trips;
} hot_peer;

struct bench_hot_race {
    bench_context *context;
    const bench_function *function;
    uint32_t blocks;
    json_t *list; /* Owned; NULL: none */
    char log[4200];
    size_t count;
    bench_contender contenders[HOT_PEERS_MAX];
    hot_peer peers[HOT_PEERS_MAX];
};

static json_t *hot_missing(const bench_hot_race *race)
{
    return json_object_get(race->context->results, "missing");
}

static void hot_fail(bench_hot_race *race, size_t which, const char *why)
{
    race->peers[which].failed = true;
    bench_missing_add(hot_missing(race), race->contenders[which].config, race->function->name, why);
}

static int hot_ask(hot_peer *peer, snapcell_error *err)
{
    const char *body;
    size_t size;
    int status = bench_hot_call(&peer->process, &body, &size, err);
    if (status != SNAPCELL_OK) return status;
    const uint64_t hash = bench_hash(body, size);
    if (peer->response_hash == 0) peer->response_hash = hash;
    if (hash == peer->response_hash) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_SCRIPT, "two answers of one request differ");
}

static int hot_start(bench_hot_race *race, size_t which, snapcell_error *err)
{
    hot_peer *peer = &race->peers[which];
    peer->elapsed_ns = calloc(race->blocks, sizeof(uint64_t));
    peer->round_trips_ns = calloc((size_t)race->blocks * HOT_BLOCK, sizeof(uint64_t));
    if (!peer->elapsed_ns || !peer->round_trips_ns)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
    int status = bench_hot_start(&race->contenders[which].program, &peer->process, err);
    const uint64_t end_ns = monotonic_now_ns() + HOT_WARM_UP_NS;
    do
        if (status == SNAPCELL_OK) status = hot_ask(peer, err);
    while (status == SNAPCELL_OK && monotonic_now_ns() < end_ns);
    return status;
}

int bench_hot_race_new(bench_context *context, const bench_function *function, uint32_t blocks,
                       bench_hot_race **out, snapcell_error *err)
{
    bench_hot_race *race = *out = calloc(1, sizeof(*race));
    if (!race) return error_set(err, SNAPCELL_E_NOMEM, "no memory for other runtimes");
    race->context = context;
    race->function = function;
    race->blocks = blocks;
    snprintf(race->log, sizeof(race->log), "%s/peers.log", context->settings.out);
    if (!context->settings.peers_path) {
        bench_missing_add(hot_missing(race), "all", NULL, "no --peers were given");
        return SNAPCELL_OK;
    }
    int status = bench_peers_read(context->settings.peers_path, &race->list, err);
    if (status != SNAPCELL_OK) return status;
    race->count = bench_peers_for(race->list, function->name, true, race->log, race->contenders,
                                  HOT_PEERS_MAX, hot_missing(race));
    for (size_t i = 0; i < race->count; i++) {
        race->peers[i].process.fd = -1;
        bench_progress_step(&context->progress, 0, "%s of %s", race->contenders[i].config,
                            function->name);
        snapcell_error why = {0};
        if (hot_start(race, i, &why) != SNAPCELL_OK) hot_fail(race, i, why.message);
    }
    return SNAPCELL_OK;
}

static int hot_block(hot_peer *peer, uint32_t number, snapcell_error *err)
{
    const uint64_t start_ns = monotonic_now_ns();
    uint64_t before_ns = start_ns;
    for (int i = 0; i < HOT_BLOCK; i++) {
        int status = hot_ask(peer, err);
        if (status != SNAPCELL_OK) return status;
        const uint64_t now_ns = monotonic_now_ns();
        if (i > 0) peer->round_trips_ns[peer->round_trips++] = now_ns - before_ns;
        before_ns = now_ns;
    }
    peer->elapsed_ns[number] = (before_ns - start_ns) / HOT_BLOCK;
    return SNAPCELL_OK;
}

void bench_hot_race_round(bench_hot_race *race, uint32_t number)
{
    size_t order[HOT_PEERS_MAX];
    bench_random_order(&race->context->random, order, race->count);
    for (size_t i = 0; i < race->count; i++) {
        snapcell_error why = {0};
        if (race->peers[order[i]].failed) continue;
        bench_noise_spin(&race->context->noise);
        if (hot_block(&race->peers[order[i]], number, &why) != SNAPCELL_OK)
            hot_fail(race, order[i], why.message);
    }
}

void bench_hot_race_report(bench_hot_race *race)
{
    json_t *all = json_object_get(race->context->results, "workers");
    for (size_t i = 0; i < race->count; i++) {
        hot_peer *peer = &race->peers[i];
        if (peer->failed) continue;
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s, s:i, s:i, s:o, s:o}", "function", race->function->name,
                           "config", race->contenders[i].config, "what", race->contenders[i].what,
                           "blocks", (int)race->blocks, "block", HOT_BLOCK, "elapsed_ns",
                           bench_statistics_json(peer->elapsed_ns, race->blocks), "round_trip_ns",
                           bench_statistics_json(peer->round_trips_ns, peer->round_trips)));
    }
}

void bench_hot_race_free(bench_hot_race *race)
{
    if (!race) return;
    for (size_t i = 0; i < race->count; i++) {
        bench_hot_stop(&race->peers[i].process);
        bench_contender_release(&race->contenders[i]);
        free(race->peers[i].elapsed_ns);
        free(race->peers[i].round_trips_ns);
    }
    json_decref(race->list);
    free(race);
}
