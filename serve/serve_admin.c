#include "serve_admin.h"

#include <string.h>

#include "serve_response.h"
#include "serve_source.h"

static void admin_counter(serve_buffer *out, const char *name, const char *help, uint64_t value)
{
    serve_metrics_begin(out, name, "counter", help);
    serve_metrics_count(out, name, "", value);
}

static void admin_metrics(const serve_front *front, serve_buffer *out)
{
    const serve_context *context = front->context;
    const serve_metrics *metrics = &context->metrics;
    admin_counter(out, "snapcell_connections_total", "Connections that were accepted.",
                  metrics->connections);
    serve_metrics_begin(out, "snapcell_connections", "gauge", "Connections that are open.");
    serve_metrics_count(out, "snapcell_connections", "", metrics->connections_open);
    admin_counter(out, "snapcell_connections_refused_total", "Connections above the maximum.",
                  metrics->connections_refused);
    admin_counter(out, "snapcell_bad_requests_total", "Requests that were none, or too large.",
                  metrics->bad_requests);
    admin_counter(out, "snapcell_timeouts_total", "Requests that did not come in time.",
                  metrics->timeouts);
    admin_counter(out, "snapcell_unrouted_total", "Requests that no function answers.",
                  metrics->unrouted);
    admin_counter(out, "snapcell_log_lines_dropped_total", "Lines of the log that nobody read.",
                  context->log.dropped);
    admin_counter(out, "snapcell_reloads_total", "Configurations that were read again.",
                  metrics->reloads);
    admin_counter(out, "snapcell_reload_failures_total",
                  "Configurations that were not taken, since something is wrong with them.",
                  metrics->reload_failures);
    admin_counter(out, "snapcell_store_changes_total", "Changes of the store that were noticed.",
                  metrics->store_changes);
    serve_metrics_begin(out, "snapcell_functions", "gauge", "Functions in the store.");
    serve_metrics_count(out, "snapcell_functions", "", context->names.count);
    serve_pool_report(front->pool, out);
    serve_source_report(front->source, out);
}

static void admin_send(serve_buffer *out, const serve_head *head, int status, const char *type,
                       const serve_buffer *body)
{
    serve_response_begin(out, status, false);
    serve_response_header(out, "content-type", type);
    serve_response_header(out, "cache-control", "no-store");
    serve_response_finish(out, SERVE_FRAMING_LENGTH, body->size_bytes, head->keeps_alive,
                          head->minor);
    if (strcmp(head->method, "HEAD") != 0) serve_buffer_add(out, body->data, body->size_bytes);
}

void serve_admin_answer(void *user, const serve_head *head, serve_buffer *out)
{
    const serve_front *front = user;
    static const char text[] = "text/plain; charset=utf-8";
    serve_buffer body = {0};
    size_t size = strcspn(head->path, "?");
    bool is_get = strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0;
    bool has_functions = serve_source_is_ready(front->source);
    bool is_ready = !front->context->drains && has_functions;
    if (!is_get) {
        serve_buffer_text(&body, "405 Method Not Allowed\n");
        admin_send(out, head, 405, text, &body);
    } else if (size == 8 && strncmp(head->path, "/healthz", size) == 0) {
        serve_buffer_text(&body, "ok\n");
        admin_send(out, head, 200, text, &body);
    } else if (size == 7 && strncmp(head->path, "/readyz", size) == 0) {
        serve_buffer_text(&body, is_ready                 ? "ready\n"
                                 : front->context->drains ? "draining\n"
                                                          : "nothing has come from the source\n");
        admin_send(out, head, is_ready ? 200 : 503, text, &body);
    } else if (size == 8 && strncmp(head->path, "/metrics", size) == 0) {
        admin_metrics(front, &body);
        admin_send(out, head, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
    } else {
        serve_buffer_text(&body, "404 Not Found: here are /healthz, /readyz and /metrics\n");
        admin_send(out, head, 404, text, &body);
    }
    serve_buffer_release(&body);
}
