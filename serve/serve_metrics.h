/* What a server counts, and how it is told: the text format of Prometheus. Internal to serve/. */
#ifndef SNAPCELL_SERVE_METRICS_H
#define SNAPCELL_SERVE_METRICS_H

#include <stdint.h>

#include "serve_buffer.h"

#define SERVE_BUCKET_COUNT 16

/* Of times, in seconds: upper bounds are in serve_metrics.c; what is above them is in count alone.
 */
typedef struct serve_histogram {
    uint64_t buckets[SERVE_BUCKET_COUNT]; /* not cumulative */
    uint64_t count;
    uint64_t sum_ns;
} serve_histogram;

void serve_histogram_add(serve_histogram *histogram, uint64_t ns);

/* Parts of a request's time. */
typedef enum serve_phase {
    SERVE_PHASE_QUEUE = 0, /* until a worker was there */
    SERVE_PHASE_START,     /* of a worker: until it was ready */
    SERVE_PHASE_CALL,      /* from its start to the response's end */
    SERVE_PHASE_RESTORE,   /* from the response's end until the worker was ready again */
    SERVE_PHASE_COUNT
} serve_phase;

/* Why a worker's process ended. */
typedef enum serve_end {
    SERVE_END_IDLE = 0, /* nobody needed it */
    SERVE_END_RECYCLED, /* it had served its calls */
    SERVE_END_REPLACED, /* the store or the configuration changed, or it was its function's first */
    SERVE_END_MEMORY,   /* limits */
    SERVE_END_CPU,
    SERVE_END_WALL,
    SERVE_END_CRASH,
    SERVE_END_CANCELLED,
    SERVE_END_PRESSURE, /* memory was needed for others */
    SERVE_END_START,    /* it never became ready */
    SERVE_END_DRAIN,
    SERVE_END_COUNT
} serve_end;

/* What a worker was started for. */
typedef enum serve_start {
    SERVE_START_COLD = 0, /* its function had none */
    SERVE_START_MORE,     /* those that there were did not do */
    SERVE_START_COUNT
} serve_start;

/* As snapcell_worker_origin. */
#define SERVE_ORIGIN_COUNT 3

/* Of a function. */
typedef struct serve_function_metrics {
    uint64_t answers[6]; /* by the status's first digit; [0]: the client went away before */
    uint64_t failures;   /* calls that failed: exceptions, limits, deaths */
    uint64_t refusals;   /* by the queue */
    uint64_t repeats;    /* calls whose first worker died */
    uint64_t cancelled;
    uint64_t limits[3];                                     /* memory, CPU, wall */
    uint64_t starts[SERVE_START_COUNT][SERVE_ORIGIN_COUNT]; /* of workers */
    uint64_t ends[SERVE_END_COUNT];
    uint64_t received_bytes; /* of bodies */
    uint64_t sent_bytes;
    serve_histogram phases[SERVE_PHASE_COUNT];
} serve_function_metrics;

/* Of the server. */
typedef struct serve_metrics {
    uint64_t connections; /* accepted */
    uint64_t connections_open;
    uint64_t connections_refused; /* there were too many */
    uint64_t bad_requests;
    uint64_t timeouts;
    uint64_t unrouted;
    uint64_t log_dropped; /* lines */
    uint64_t reloads;
    uint64_t reload_failures;
    uint64_t store_changes;
} serve_metrics;

/* --- Writing --- */

/* "# HELP" and "# TYPE"; `type`: counter, gauge or histogram. */
void serve_metrics_begin(serve_buffer *out, const char *name, const char *type, const char *help);

/* A sample; `labels`: as `function="x"`, or "" for none. */
void serve_metrics_sample(serve_buffer *out, const char *name, const char *labels, double value);
void serve_metrics_count(serve_buffer *out, const char *name, const char *labels, uint64_t value);

/* The samples of a histogram. `labels`: not "". */
void serve_metrics_histogram(serve_buffer *out, const char *name, const char *labels,
                             const serve_histogram *histogram);

/* A label's value, with what must be escaped. */
void serve_metrics_label(serve_buffer *out, const char *name, const char *value);

const char *serve_phase_name(serve_phase phase);
const char *serve_end_name(serve_end end);

#endif
