#include "bench_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monotonic.h"

#define BENCH_WORKER_WARM_UP 100
/* In which a worker gets hot; see warm_calls in snapcell/worker.h. */
#define BENCH_WORKER_IDLE_S 2
#define BENCH_SETTLE_US 2000
#define BENCH_SETTLE_TRIES 500

/* Nanoseconds on a processor, of the thread that loads, calls and restores: /proc/PID/schedstat.
 * False: the kernel does not tell. */
static bool bench_worker_spent(int process_id, uint64_t *out)
{
    char path[64];
    char text[96];
    snprintf(path, sizeof(path), "/proc/%d/schedstat", process_id);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool known = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    *out = known ? strtoull(text, NULL, 10) : 0;
    return known;
}

static bool bench_worker_sleeps(int process_id)
{
    char path[64];
    char state = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", process_id);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool known = fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    fclose(file);
    return known && state == 'S';
}

/* What follows an answer is part of a call: it is over when the worker waits for the next one.
 * Returns what was spent by then; 0: the kernel does not tell. */
static uint64_t bench_worker_settle(const bench_worker *worker)
{
    const int process_id = snapcell_worker_process_id(worker->worker);
    uint64_t spent_ns = 0;
    uint64_t before_ns = 0;
    for (int i = 0; i < BENCH_SETTLE_TRIES; i++) {
        const bool known = bench_worker_spent(process_id, &spent_ns);
        if (i > 0 && (!known || spent_ns == before_ns) && bench_worker_sleeps(process_id)) break;
        before_ns = spent_ns;
        usleep(BENCH_SETTLE_US);
    }
    return spent_ns;
}

static uint64_t bench_hash(const char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static int bench_worker_call(bench_worker *worker, snapcell_error *err)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    request.url = worker->url;
    int status = snapcell_worker_fetch(worker->worker, &request, &response, err);
    if (status != SNAPCELL_OK) return status;
    size_t size;
    const char *body = snapcell_response_body(response, &size);
    worker->response_hash = bench_hash(body, size);
    snapcell_response_free(response);
    return SNAPCELL_OK;
}

static void bench_worker_count(bench_worker *worker)
{
    snapcell_workers_counters(worker->workers, &worker->counts, sizeof(worker->counts));
}

int bench_worker_start(const bench_worker_config *config, const char *store, const char *ref,
                       const char *url, bench_worker *out, snapcell_error *err)
{
    *out = (bench_worker){.config = config, .url = url};
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.store_path = store;
    options.policy = config->policy;
    options.warm_calls = config->warm_calls;
    int status = snapcell_workers_open(&options, &out->workers, err);
    if (status == SNAPCELL_OK)
        status = snapcell_worker_load(out->workers, ref, NULL, &out->worker, err);
    if (status == SNAPCELL_OK) nanosleep(&(struct timespec){.tv_sec = BENCH_WORKER_IDLE_S}, NULL);
    for (int i = 0; i < BENCH_WORKER_WARM_UP && status == SNAPCELL_OK; i++)
        status = bench_worker_call(out, err);
    if (status != SNAPCELL_OK) return status;
    out->spent_ns = bench_worker_settle(out);
    bench_worker_count(out);
    return SNAPCELL_OK;
}

int bench_worker_run(bench_worker *worker, uint64_t *round_trips_ns, bench_block *out,
                     snapcell_error *err)
{
    const uint32_t count = worker->config->block > 0 ? worker->config->block : 1;
    const snapcell_workers_counts counts = worker->counts;
    const uint64_t spent_ns = worker->spent_ns;
    const uint64_t start_ns = monotonic_now_ns();
    uint64_t before_ns = start_ns;
    for (uint32_t i = 0; i < count; i++) {
        int status = bench_worker_call(worker, err);
        if (status != SNAPCELL_OK) return status;
        const uint64_t now_ns = monotonic_now_ns();
        if (i > 0) round_trips_ns[i - 1] = now_ns - before_ns;
        before_ns = now_ns;
    }
    out->elapsed_ns = (before_ns - start_ns) / count;
    worker->spent_ns = bench_worker_settle(worker);
    bench_worker_count(worker);
    const uint64_t restores = worker->counts.restores - counts.restores;
    out->own_ns = (worker->spent_ns - spent_ns) / count;
    out->restore_ns =
        restores != 0 ? (worker->counts.restore_ns - counts.restore_ns) / restores : 0;
    return SNAPCELL_OK;
}

void bench_worker_stop(bench_worker *worker)
{
    snapcell_worker_free(worker->worker);
    snapcell_workers_close(worker->workers);
    worker->worker = NULL;
    worker->workers = NULL;
}
