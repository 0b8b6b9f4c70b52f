/* The pool's part of the metrics. */
#include <string.h>

#include "serve_pool_state.h"

typedef uint64_t report_get_fn(const serve_function_metrics *metrics, size_t index);

static bool report_is_used(const serve_function *function)
{
    const serve_function_metrics *metrics = &function->metrics;
    return function->worker_count > 0 || metrics->phases[SERVE_PHASE_QUEUE].count > 0 ||
           metrics->refusals > 0 || metrics->phases[SERVE_PHASE_START].count > 0;
}

/* `function="x"`, and a second label. */
static void report_labels(serve_buffer *out, const serve_function *function, const char *label,
                          const char *value)
{
    out->size_bytes = 0;
    serve_metrics_label(out, "function", function->name);
    if (label != NULL && value != NULL) {
        serve_buffer_text(out, ",");
        serve_metrics_label(out, label, value);
    }
    serve_buffer_add(out, "", 1);
}

/* A counter of each function, with a label whose values are `values`, or without one. */
static void report_counter(const serve_pool *pool, serve_buffer *out, const char *name,
                           const char *help, const char *label, const char *const *values,
                           size_t count, report_get_fn *get)
{
    serve_buffer labels = {0};
    serve_metrics_begin(out, name, "counter", help);
    SERVE_EACH_FUNCTION(pool, function)
    {
        for (size_t i = 0; i < count && report_is_used(function); i++) {
            report_labels(&labels, function, label, label != NULL ? values[i] : NULL);
            if (!labels.failed)
                serve_metrics_count(out, name, labels.data, get(&function->metrics, i));
        }
    }
    serve_buffer_release(&labels);
}

static uint64_t report_answers(const serve_function_metrics *metrics, size_t index)
{
    return metrics->answers[index == 0 ? 0 : index + 1];
}
static uint64_t report_failures(const serve_function_metrics *metrics, size_t index)
{
    (void)index;
    return metrics->failures;
}
static uint64_t report_repeats(const serve_function_metrics *metrics, size_t index)
{
    (void)index;
    return metrics->repeats;
}
static uint64_t report_refusals(const serve_function_metrics *metrics, size_t index)
{
    (void)index;
    return metrics->refusals;
}
static uint64_t report_limits(const serve_function_metrics *metrics, size_t index)
{
    return metrics->limits[index];
}
static uint64_t report_ends(const serve_function_metrics *metrics, size_t index)
{
    return metrics->ends[index];
}
static uint64_t report_bytes(const serve_function_metrics *metrics, size_t index)
{
    return index == 0 ? metrics->received_bytes : metrics->sent_bytes;
}

static void report_phases(const serve_pool *pool, serve_buffer *out)
{
    static const char name[] = "snapcell_phase_seconds";
    serve_buffer labels = {0};
    serve_metrics_begin(out, name, "histogram",
                        "Parts of a request: queue (until a worker was free), start (of a worker), "
                        "call (to the end of the response), restore (until the worker was ready "
                        "again, what waitUntil() got included).");
    SERVE_EACH_FUNCTION(pool, function)
    {
        for (int phase = 0; phase < SERVE_PHASE_COUNT && report_is_used(function); phase++) {
            report_labels(&labels, function, "phase", serve_phase_name((serve_phase)phase));
            if (!labels.failed)
                serve_metrics_histogram(out, name, labels.data, &function->metrics.phases[phase]);
        }
    }
    serve_buffer_release(&labels);
}

static void report_workers(const serve_pool *pool, serve_buffer *out)
{
    static const char name[] = "snapcell_workers";
    static const char *const states[] = {"starting", "idle", "busy"};
    serve_buffer labels = {0};
    serve_metrics_begin(out, name, "gauge", "Worker processes by state.");
    SERVE_EACH_FUNCTION(pool, function)
    {
        if (!report_is_used(function)) continue;
        uint32_t counts[] = {function->starting_count, 0, function->busy_count};
        counts[1] = function->worker_count - counts[0] - counts[2];
        for (size_t i = 0; i < 3; i++) {
            report_labels(&labels, function, "state", states[i]);
            if (!labels.failed) serve_metrics_count(out, name, labels.data, counts[i]);
        }
    }
    serve_metrics_begin(out, "snapcell_queue_length", "gauge", "Calls that wait for a worker.");
    SERVE_EACH_FUNCTION(pool, function)
    {
        if (!report_is_used(function)) continue;
        report_labels(&labels, function, NULL, NULL);
        if (!labels.failed)
            serve_metrics_count(out, "snapcell_queue_length", labels.data, function->queue_count);
    }
    serve_buffer_release(&labels);
    serve_metrics_begin(out, "snapcell_worker_memory_bytes", "gauge",
                        "Memory that all workers have to themselves.");
    serve_metrics_count(out, "snapcell_worker_memory_bytes", "", pool->memory_bytes);
    serve_metrics_begin(out, "snapcell_worker_memory_max_bytes", "gauge",
                        "Above this, workers that are idle end.");
    serve_metrics_count(out, "snapcell_worker_memory_max_bytes", "", pool->memory_max_bytes);
}

static void report_function_starts(const serve_function *function, const char *name,
                                   serve_buffer *out)
{
    static const char *const starts[] = {"cold", "more"};
    static const char *const origins[] = {"artifact", "image", "image_new_launcher"};
    serve_buffer labels = {0};
    for (size_t i = 0; i < SERVE_START_COUNT; i++)
        for (size_t j = 0; j < SERVE_ORIGIN_COUNT; j++) {
            report_labels(&labels, function, "start", starts[i]);
            labels.size_bytes--; /* its zero */
            serve_buffer_text(&labels, ",");
            serve_metrics_label(&labels, "from", origins[j]);
            serve_buffer_add(&labels, "", 1);
            if (!labels.failed)
                serve_metrics_count(out, name, labels.data, function->metrics.starts[i][j]);
        }
    serve_buffer_release(&labels);
}

static void report_starts(const serve_pool *pool, serve_buffer *out)
{
    static const char name[] = "snapcell_worker_starts_total";
    serve_metrics_begin(out, name, "counter",
                        "Workers that became ready. cold: their function had none, or one more; "
                        "from: its artifact, an image in memory that a waiting launcher became, or "
                        "one that was started for it.");
    SERVE_EACH_FUNCTION(pool, function)
    {
        if (report_is_used(function)) report_function_starts(function, name, out);
    }
}

static void report_images(const serve_pool *pool, serve_buffer *out)
{
    static const char name[] = "snapcell_images_total";
    snapcell_workers_counts sum = {0};
    for (const serve_group *group = pool->groups; group != NULL; group = group->next) {
        snapcell_workers_counts counts;
        snapcell_workers_counters(group->workers, &counts, sizeof(counts));
        sum.images += counts.images;
        sum.image_reads += counts.image_reads;
        sum.image_failures += counts.image_failures;
        sum.image_collisions += counts.image_collisions;
        sum.image_bytes += counts.image_bytes;
    }
    serve_metrics_begin(out, name, "counter",
                        "Images of functions: made, read from the folder, failed to be made or "
                        "used, and launchers that lay where an image has memory.");
    serve_metrics_count(out, name, "event=\"made\"", sum.images);
    serve_metrics_count(out, name, "event=\"read\"", sum.image_reads);
    serve_metrics_count(out, name, "event=\"failed\"", sum.image_failures);
    serve_metrics_count(out, name, "event=\"collided\"", sum.image_collisions);
    serve_metrics_begin(out, "snapcell_image_bytes", "gauge", "Images in memory.");
    serve_metrics_count(out, "snapcell_image_bytes", "", sum.image_bytes);
}

void serve_pool_report(const serve_pool *pool, serve_buffer *out)
{
    static const char *const answers[] = {"gone", "2xx", "3xx", "4xx", "5xx"};
    static const char *const limits[] = {"memory", "cpu", "wall"};
    static const char *const directions[] = {"received", "sent"};
    const char *ends[SERVE_END_COUNT];
    for (int i = 0; i < SERVE_END_COUNT; i++)
        ends[i] = serve_end_name((serve_end)i);
    report_counter(pool, out, "snapcell_requests_total",
                   "Requests by the status of their answer; gone: the client went away before it.",
                   "status", answers, 5, report_answers);
    report_counter(pool, out, "snapcell_call_failures_total",
                   "Calls that failed: exceptions, limits, crashes.", NULL, NULL, 1,
                   report_failures);
    report_counter(pool, out, "snapcell_call_repeats_total",
                   "Calls of GET and HEAD that were begun again, since their worker died.", NULL,
                   NULL, 1, report_repeats);
    report_counter(pool, out, "snapcell_queue_refusals_total",
                   "Requests that got no worker: the queue was full, or they waited too long.",
                   NULL, NULL, 1, report_refusals);
    report_counter(pool, out, "snapcell_limits_total", "Limits that calls hit.", "limit", limits, 3,
                   report_limits);
    report_starts(pool, out);
    report_counter(pool, out, "snapcell_worker_ends_total", "Workers that ended, by reason.",
                   "reason", ends, SERVE_END_COUNT, report_ends);
    report_counter(pool, out, "snapcell_body_bytes_total",
                   "Bytes of requests' bodies, and of responses.", "direction", directions, 2,
                   report_bytes);
    report_phases(pool, out);
    report_workers(pool, out);
    report_images(pool, out);
}
