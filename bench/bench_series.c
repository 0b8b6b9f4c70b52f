#include "bench_series.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench_statistics.h"
#include "cleanup.h"

json_t *bench_statistics_json(uint64_t *values, size_t count)
{
    bench_statistics of = bench_statistics_of(values, count);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "count", (json_int_t)of.count, "min",
                     (json_int_t)of.min, "p50", (json_int_t)of.p50, "p90", (json_int_t)of.p90,
                     "p99", (json_int_t)of.p99, "max", (json_int_t)of.max);
}

/* One field of all samples; left out where it is 0 throughout. */
static void bench_series_field(const bench_series *series, size_t offset, const char *name,
                               json_t *statistics, json_t *samples)
{
    uint64_t *values cleanup_free = calloc(series->count + 1, sizeof(*values));
    if (!values) return;
    json_t *raw = json_array();
    uint64_t any = 0;
    for (size_t i = 0; i < series->count; i++) {
        const char *at = (const char *)&series->samples[i] + offset;
        values[i] = *(const uint64_t *)(const void *)at;
        any |= values[i];
        json_array_append_new(raw, json_integer((json_int_t)values[i]));
    }
    if (any) {
        json_object_set(samples, name, raw);
        json_object_set_new(statistics, name, bench_statistics_json(values, series->count));
    }
    json_decref(raw);
}

json_t *bench_series_json(const bench_series *series)
{
    json_t *statistics = json_object(), *samples = json_object();
#define BENCH_FIELD(name)                                                                          \
    bench_series_field(series, offsetof(bench_sample, name), #name, statistics, samples);
#define BENCH_PHASE_FIELD(name) BENCH_FIELD(name##_ns)
    BENCH_FIELD(total_ns)
    BENCH_PHASE_MAP(BENCH_PHASE_FIELD)
    BENCH_FIELD(dispose_ns)
    BENCH_FIELD(minor_faults)
    BENCH_FIELD(major_faults)
    BENCH_FIELD(resident_bytes)
#undef BENCH_PHASE_FIELD
#undef BENCH_FIELD
    char hash[17];
    snprintf(hash, sizeof(hash), "%016" PRIx64,
             series->count ? series->samples[0].response_hash : 0);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "group",
                     series->group, "function", series->function, "config", series->config, "what",
                     series->what, "state", series->state, "from", series->from, "to", series->to,
                     "warm_up", series->warm_up, "response_hash", hash, "statistics", statistics,
                     "samples", samples);
}
