#include "serve_metrics.h"

#include <inttypes.h>
#include <string.h>

#include "monotonic.h"

static const uint64_t metrics_bounds_us[SERVE_BUCKET_COUNT] = {
    100,   250,    500,    1000,   2500,    5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

void serve_histogram_add(serve_histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->sum_ns += ns;
    for (size_t i = 0; i < SERVE_BUCKET_COUNT; i++)
        if (ns <= metrics_bounds_us[i] * 1000) {
            histogram->buckets[i]++;
            return;
        }
}

void serve_metrics_begin(serve_buffer *out, const char *name, const char *type, const char *help)
{
    serve_buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metrics_name(serve_buffer *out, const char *name, const char *labels)
{
    serve_buffer_text(out, name);
    if (*labels == '\0') return;
    serve_buffer_text(out, "{");
    serve_buffer_text(out, labels);
    serve_buffer_text(out, "}");
}

void serve_metrics_sample(serve_buffer *out, const char *name, const char *labels, double value)
{
    metrics_name(out, name, labels);
    serve_buffer_format(out, " %.9g\n", value);
}

void serve_metrics_count(serve_buffer *out, const char *name, const char *labels, uint64_t value)
{
    metrics_name(out, name, labels);
    serve_buffer_format(out, " %" PRIu64 "\n", value);
}

void serve_metrics_histogram(serve_buffer *out, const char *name, const char *labels,
                             const serve_histogram *histogram)
{
    uint64_t total = 0;
    for (size_t i = 0; i < SERVE_BUCKET_COUNT; i++) {
        total += histogram->buckets[i];
        serve_buffer_format(out, "%s_bucket{", name);
        serve_buffer_text(out, labels);
        serve_buffer_format(out, ",le=\"%g\"} %" PRIu64 "\n", (double)metrics_bounds_us[i] / 1e6,
                            total);
    }
    serve_buffer_format(out, "%s_bucket{", name);
    serve_buffer_text(out, labels);
    serve_buffer_format(out, ",le=\"+Inf\"} %" PRIu64 "\n%s_sum{", histogram->count, name);
    serve_buffer_text(out, labels);
    serve_buffer_format(out, "} %.9g\n%s_count{", (double)histogram->sum_ns / (double)NS_PER_SECOND,
                        name);
    serve_buffer_text(out, labels);
    serve_buffer_format(out, "} %" PRIu64 "\n", histogram->count);
}

void serve_metrics_label(serve_buffer *out, const char *name, const char *value)
{
    serve_buffer_text(out, name);
    serve_buffer_text(out, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            serve_buffer_text(out, "\\n");
        else if (*value == '\\' || *value == '"')
            serve_buffer_format(out, "\\%c", *value);
        else
            serve_buffer_add(out, value, 1);
    }
    serve_buffer_text(out, "\"");
}

const char *serve_phase_name(serve_phase phase)
{
    static const char *const names[] = {"queue", "start", "call", "restore"};
    return names[phase];
}

const char *serve_end_name(serve_end end)
{
    static const char *const names[] = {"idle",  "recycled",  "replaced", "memory", "cpu",  "wall",
                                        "crash", "cancelled", "pressure", "start",  "drain"};
    return names[end];
}
