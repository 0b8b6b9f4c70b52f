#include "bench_child.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench_hold.h"
#include "bench_subject.h"
#include "bench_threads.h"
#include "bench_variant.h"
#include "error_set.h"
#include "monotonic.h"

typedef struct bench_child_state {
    const bench_subject_type *type;
    void *subject;
    const json_t *refs;
    bench_random random;
    bench_hold hold;
} bench_child_state;

/* False at the end of the input, and on failure. */
static bool bench_read_whole(void *out, size_t size_bytes)
{
    size_t got = 0;
    while (got < size_bytes) {
        ssize_t n = read(STDIN_FILENO, (char *)out + got, size_bytes - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

static int bench_answer(const void *bytes, size_t size_bytes, snapcell_error *err)
{
    size_t sent = 0;
    while (sent < size_bytes) {
        ssize_t n = write(STDOUT_FILENO, (const char *)bytes + sent, size_bytes - sent);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "answering the parent");
        sent += (size_t)n;
    }
    return SNAPCELL_OK;
}

static const char *bench_child_ref(bench_child_state *state)
{
    size_t count = json_array_size(state->refs);
    return json_string_value(
        json_array_get(state->refs, (size_t)bench_random_below(&state->random, count)));
}

static int bench_load_once(bench_child_state *state, bench_sample *sample, snapcell_error *err)
{
    *sample = (bench_sample){0};
    const char *ref = bench_child_ref(state);
    struct rusage before, after;
    void *instance;
    getrusage(RUSAGE_THREAD, &before);
    int status = state->type->load(state->subject, ref, &instance, sample, err);
    getrusage(RUSAGE_THREAD, &after);
    if (status != SNAPCELL_OK) return status;
    sample->minor_faults = (uint64_t)(after.ru_minflt - before.ru_minflt);
    sample->major_faults = (uint64_t)(after.ru_majflt - before.ru_majflt);
    uint64_t start_ns = monotonic_now_ns();
    state->type->dispose(instance);
    sample->dispose_ns = monotonic_now_ns() - start_ns;
    return SNAPCELL_OK;
}

static int bench_child_load(bench_child_state *state, const bench_order *order, snapcell_error *err)
{
    bench_sample sample;
    for (uint32_t i = 0; i < order->warm_up; i++) {
        int status = bench_load_once(state, &sample, err);
        if (status != SNAPCELL_OK) return status;
    }
    bench_sample *samples cleanup_free = calloc(order->count + 1u, sizeof(*samples));
    if (!samples) return error_set(err, SNAPCELL_E_NOMEM, "no memory for samples");
    for (uint32_t i = 0; i < order->count; i++) {
        int status = bench_load_once(state, &samples[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return bench_answer(samples, order->count * sizeof(*samples), err);
}

static int bench_child_hold(bench_child_state *state, const bench_order *order, snapcell_error *err)
{
    bench_memory memory;
    int status = bench_hold_more(&state->hold, state->type, state->subject, bench_child_ref(state),
                                 order->count, &memory, err);
    return status == SNAPCELL_OK ? bench_answer(&memory, sizeof(memory), err) : status;
}

static int bench_child_threads(bench_child_state *state, const bench_order *order,
                               snapcell_error *err)
{
    bench_rate rate;
    int status = bench_threads_run(state->type, state->subject, bench_child_ref(state),
                                   order->count, order->duration_ms, &rate, err);
    return status == SNAPCELL_OK ? bench_answer(&rate, sizeof(rate), err) : status;
}

static int bench_child_serve(bench_child_state *state, snapcell_error *err)
{
    bench_order order;
    int status = SNAPCELL_OK;
    while (status == SNAPCELL_OK && bench_read_whole(&order, sizeof(order))) {
        switch (order.kind) {
        case BENCH_ORDER_LOAD:
            status = bench_child_load(state, &order, err);
            break;
        case BENCH_ORDER_HOLD:
            status = bench_child_hold(state, &order, err);
            break;
        case BENCH_ORDER_THREADS:
            status = bench_child_threads(state, &order, err);
            break;
        default:
            status = error_set(err, SNAPCELL_E_USAGE, "order %u is not known", order.kind);
        }
    }
    return status;
}

/* Not a child that waits: it makes a file and ends. */
static int bench_child_build(const json_t *spec, snapcell_error *err)
{
    const char *store, *ref, *url, *out;
    int status = bench_spec_text(spec, "store", &store, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "ref", &ref, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "url", &url, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "out", &out, err);
    if (status != SNAPCELL_OK) return status;
    bench_artifact *artifact = NULL;
    status = bench_artifact_open(store, ref, &artifact, err);
    if (status == SNAPCELL_OK) status = bench_variant_write_clear(artifact, url, out, err);
    bench_artifact_free(artifact);
    return status;
}

static int bench_child_run(const json_t *spec, snapcell_error *err)
{
    const char *how;
    int status = bench_spec_text(spec, "how", &how, err);
    if (status != SNAPCELL_OK) return status;
    if (strcmp(how, "build_clear") == 0) return bench_child_build(spec, err);
    bench_child_state state = {
        .type = strcmp(how, "load") == 0 ? &bench_subject_loader : &bench_subject_engine,
        .refs = json_object_get(spec, "refs"),
    };
    if (json_array_size(state.refs) == 0)
        return error_set(err, SNAPCELL_E_USAGE, "the child's spec has no 'refs'");
    bench_random_init(&state.random, 1);
    status = state.type->open(spec, &state.subject, err);
    if (status != SNAPCELL_OK) return status;
    status = bench_child_serve(&state, err);
    bench_hold_release(&state.hold, state.type);
    state.type->close(state.subject);
    return status;
}

cli_status bench_child(const char *spec_json)
{
    json_error_t where;
    json_t *spec = json_loads(spec_json, 0, &where);
    if (!spec) return cli_usage("the child's spec is not JSON: %s", where.text);
    snapcell_error err;
    int status = bench_child_run(spec, &err);
    cli_status exit_status = status == SNAPCELL_OK ? CLI_DONE : cli_report("bench child", &err);
    json_decref(spec);
    return exit_status;
}
