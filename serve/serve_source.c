#include "serve_source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error_set.h"
#include "monotonic.h"
#include "serve_pool_state.h"

/* --- What is said --- */

static void source_log(serve_source *source, const char *level, const char *event,
                       const serve_source_message *about)
{
    serve_log *log = &source->context->log;
    serve_log_begin(log, level, event);
    if (about->release[0] != '\0') serve_log_text(log, "release", about->release);
    if (about->digest[0] != '\0') serve_log_text(log, "digest", about->digest);
    if (about->text[0] != '\0') serve_log_text(log, "error", about->text);
    if (about->kind == SERVE_SOURCE_PULLED) {
        serve_log_number(log, "functions", about->function_count);
        serve_log_number(log, "fetched_bytes", about->fetched_bytes);
        serve_log_number(log, "duration_ms", about->duration_ms);
    }
    if (about->kind == SERVE_SOURCE_FAILED) serve_log_number(log, "wait_ms", about->wait_ms);
    serve_log_end(log);
}

static void source_lost(serve_source *source)
{
    if (source->fd < 0) return;
    uv_poll_stop(&source->poll);
    uv_close((uv_handle_t *)&source->poll, NULL);
    close(source->fd);
    source->fd = -1;
}

/* What is to become of a release. */
static void source_tell(serve_source *source, serve_source_kind kind, const char *release,
                        const char *digest, const char *text)
{
    serve_source_message message = {.kind = kind};
    snprintf(message.release, sizeof(message.release), "%s", release);
    snprintf(message.digest, sizeof(message.digest), "%s", digest);
    snprintf(message.text, sizeof(message.text), "%s", text);
    if (source->fd >= 0) serve_source_send(source->fd, &message);
}

/* --- A release that came --- */

/* Not of the release, but of this machine: it may go well later. */
static bool source_is_passing(int code)
{
    return code == SNAPCELL_E_NOMEM || code == SNAPCELL_E_IO || code == SNAPCELL_E_BUSY ||
           code == SNAPCELL_E_INTERNAL || code == SNAPCELL_E_SANDBOX;
}

static void source_on_tried(void *user, const char *name, const snapcell_error *why)
{
    serve_source *source = user;
    char text[SERVE_SOURCE_TEXT_SIZE] = "";
    serve_source_kind kind = SERVE_SOURCE_ACTIVATE;
    if (why != NULL) {
        snprintf(text, sizeof(text), "%s%s%.800s", name != NULL ? name : "",
                 name != NULL ? " cannot be loaded: " : "", why->message);
        kind = source_is_passing(why->code) ? SERVE_SOURCE_POSTPONE : SERVE_SOURCE_REFUSE;
    }
    source_tell(source, kind, source->pulled.release, source->pulled.digest, text);
}

static void source_try(serve_source *source, const serve_source_message *message)
{
    snapcell_error error = {0};
    source->pulled = *message;
    source->counts.fetched_bytes += message->fetched_bytes;
    source_log(source, "info", "source_pulled", message);
    SERVE_EACH_FUNCTION(source->pool, function)
    {
        function->watch.is_new = false;
    }
    serve_trial_end(&source->trial);
    if (serve_trial_begin(&source->trial, source->pool, message->release, source_on_tried, source,
                          &error) != SNAPCELL_OK)
        source_on_tried(source, NULL, &error);
}

/* --- The switch --- */

/* Requests that come from now on are of the new version, and so is what is counted. */
static void source_begin_watch(serve_source *source, bool is_watched)
{
    serve_watch *watch = &source->context->watch;
    uint64_t now_ns = monotonic_now_ns();
    watch->switched_ns = watch->rotated_ns = now_ns;
    watch->until_ns =
        is_watched && watch->settings.period_ns > 0 ? now_ns + watch->settings.period_ns : 0;
    SERVE_EACH_FUNCTION(source->pool, function)
    {
        serve_watch_switch(&function->watch);
    }
}

static void source_take(serve_source *source, const serve_source_message *message)
{
    snprintf(source->release, sizeof(source->release), "%s", message->release);
    snprintf(source->digest, sizeof(source->digest), "%s", message->digest);
}

static void source_switch(serve_source *source, const serve_source_message *message)
{
    bool has_before = source->release[0] != '\0';
    bool goes_back = message->kind == SERVE_SOURCE_RETURNED;
    source->look(source->user);
    source_begin_watch(source, has_before && !goes_back);
    source_take(source, message);
    if (goes_back)
        source->counts.rollbacks++;
    else
        source->counts.switches++;
    source_log(source, goes_back ? "warn" : "info",
               goes_back ? "source_rolled_back" : "source_switched", message);
}

/* --- A release that fails --- */

static void source_judge(serve_source *source, const char *name, const serve_watch_counts *now,
                         const serve_watch_counts *before)
{
    serve_watch *watch = &source->context->watch;
    char text[SERVE_SOURCE_TEXT_SIZE];
    if (watch->until_ns == 0 || !serve_watch_is_worse(&watch->settings, now, before)) return;
    watch->until_ns = 0;
    snprintf(text, sizeof(text),
             "%.200s: %llu of %llu requests have failed since the switch, before it %llu of %llu",
             name, (unsigned long long)now->failures, (unsigned long long)now->answers,
             (unsigned long long)before->failures, (unsigned long long)before->answers);
    source_tell(source, SERVE_SOURCE_ROLL_BACK, source->release, source->digest, text);
}

/* Each function that is another one now, and all of them together. */
static void source_look_at_failures(serve_source *source)
{
    serve_watch_counts now = {0};
    serve_watch_counts before = {0};
    SERVE_EACH_FUNCTION(source->pool, function)
    {
        const serve_function_watch *watch = &function->watch;
        if (!watch->is_new) continue;
        source_judge(source, function->name, &watch->recent[0], &watch->before);
        now.answers += watch->recent[0].answers;
        now.failures += watch->recent[0].failures;
        before.answers += watch->before.answers;
        before.failures += watch->before.failures;
    }
    source_judge(source, "all that is new", &now, &before);
}

static void source_watch(serve_source *source, uint64_t now_ns)
{
    serve_watch *watch = &source->context->watch;
    if (watch->settings.period_ns == 0) return;
    if (watch->until_ns > 0) source_look_at_failures(source);
    if (watch->until_ns > now_ns || now_ns - watch->rotated_ns < watch->settings.period_ns) return;
    watch->until_ns = 0;
    watch->rotated_ns = now_ns;
    SERVE_EACH_FUNCTION(source->pool, function)
    {
        serve_watch_rotate(&function->watch);
    }
}

/* --- What the other process says --- */

static void source_succeeded(serve_source *source, const serve_source_message *message)
{
    source->success_s = (int64_t)time(NULL);
    source->counts.checks++;
    if (source->fails) source_log(source, "info", "source_recovered", message);
    source->fails = false;
}

static void source_failed(serve_source *source, const serve_source_message *message)
{
    source->counts.failures++;
    source->fails = true;
    source_log(source, "warn", "source_failed", message);
}

static void source_refused(serve_source *source, const serve_source_message *message)
{
    source->counts.refusals++;
    source_log(source, "error", "source_refused", message);
}

static void source_hear(serve_source *source, const serve_source_message *message)
{
    switch (message->kind) {
    case SERVE_SOURCE_STANDS:
        source_take(source, message);
        break;
    case SERVE_SOURCE_CHECKED:
        source_succeeded(source, message);
        break;
    case SERVE_SOURCE_PULLED:
        source_succeeded(source, message);
        source_try(source, message);
        break;
    case SERVE_SOURCE_SWITCHED:
    case SERVE_SOURCE_RETURNED:
        source_switch(source, message);
        break;
    case SERVE_SOURCE_REFUSED:
        source_refused(source, message);
        break;
    case SERVE_SOURCE_FAILED:
        source_failed(source, message);
        break;
    default:
        break; /* a kind for the other direction */
    }
}

static void source_on_readable(uv_poll_t *poll, int status, int events)
{
    serve_source *source = poll->data;
    serve_source_message message;
    (void)status;
    (void)events;
    for (;;) {
        switch (serve_source_receive(source->fd, &message)) {
        case SERVE_SOURCE_GOT_ONE:
            source_hear(source, &message);
            break;
        case SERVE_SOURCE_GOT_NONE:
            return;
        case SERVE_SOURCE_GOT_END:
            message = (serve_source_message){
                .text = "the process that follows the source has ended; what is in the store is "
                        "served on, start the server again to follow it"};
            source->counts.failures++;
            source->fails = true;
            source_log(source, "error", "source_lost", &message);
            source_lost(source);
            return;
        }
    }
}

/* --- Its life --- */

int serve_source_open(serve_source *source, int fd, snapcell_error *err)
{
    source->fd = -1;
    int problem = fcntl(fd, F_SETFL, O_NONBLOCK) == 0
                      ? uv_poll_init(source->context->loop, &source->poll, fd)
                      : UV_EINVAL;
    if (problem != 0) {
        close(fd);
        return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for the source");
    }
    source->fd = fd;
    source->is_on = true;
    source->poll.data = source;
    problem = uv_poll_start(&source->poll, UV_READABLE, source_on_readable);
    if (problem == 0) return SNAPCELL_OK;
    source_lost(source);
    return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for the source");
}

void serve_source_tick(serve_source *source, uint64_t now_ns)
{
    if (!source->is_on) return;
    serve_trial_tick(&source->trial);
    source_watch(source, now_ns);
}

void serve_source_nudge(serve_source *source)
{
    const serve_source_message message = {.kind = SERVE_SOURCE_LOOK};
    if (source->is_on && source->fd >= 0) serve_source_send(source->fd, &message);
}

void serve_source_close(serve_source *source)
{
    if (!source->is_on) return;
    source->is_on = false;
    serve_trial_end(&source->trial);
    source_lost(source);
}

bool serve_source_is_ready(const serve_source *source)
{
    return !source->is_on || source->release[0] != '\0' || source->context->names.count > 0;
}

/* --- Metrics --- */

static void source_count(serve_buffer *out, const char *name, const char *help, uint64_t value)
{
    serve_metrics_begin(out, name, "counter", help);
    serve_metrics_count(out, name, "", value);
}

static void source_report_release(const serve_source *source, serve_buffer *out)
{
    static const char name[] = "snapcell_source_release_info";
    serve_buffer labels = {0};
    serve_metrics_begin(out, name, "gauge", "The release of the source that is served.");
    if (source->release[0] == '\0') return;
    serve_metrics_label(&labels, "release", source->release);
    serve_buffer_text(&labels, ",");
    serve_metrics_label(&labels, "digest", source->digest);
    serve_buffer_add(&labels, "", 1);
    if (!labels.failed) serve_metrics_count(out, name, labels.data, 1);
    serve_buffer_release(&labels);
}

void serve_source_report(const serve_source *source, serve_buffer *out)
{
    const serve_source_counts *counts = &source->counts;
    if (source->context->settings->config.source.reference == NULL) return;
    serve_metrics_begin(out, "snapcell_source_up", "gauge",
                        "Whether the registry answered when it was last asked.");
    serve_metrics_count(out, "snapcell_source_up", "", source->success_s > 0 && !source->fails);
    serve_metrics_begin(out, "snapcell_source_last_success_timestamp_seconds", "gauge",
                        "When the registry has last answered.");
    serve_metrics_count(out, "snapcell_source_last_success_timestamp_seconds", "",
                        (uint64_t)source->success_s);
    source_report_release(source, out);
    source_count(out, "snapcell_source_checks_total", "How often the registry has answered.",
                 counts->checks);
    source_count(out, "snapcell_source_failures_total",
                 "How often it has not, or a release could not be pulled.", counts->failures);
    source_count(out, "snapcell_source_refusals_total",
                 "Releases that were refused: damaged, not signed, or not to be loaded.",
                 counts->refusals);
    source_count(out, "snapcell_source_switches_total", "Releases that were switched to.",
                 counts->switches);
    source_count(out, "snapcell_source_rollbacks_total",
                 "Releases that were taken back, since too many requests failed.",
                 counts->rollbacks);
    source_count(out, "snapcell_source_fetched_bytes_total",
                 "Bytes of artifacts that came from the registry.", counts->fetched_bytes);
}
