/* A server's life: it reads its settings, opens its sockets, serves, reads them again, drains. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"
#include "sandbox_server.h"
#include "serve.h"
#include "serve_admin.h"
#include "serve_listen.h"
#include "serve_sandbox.h"
#include "serve_source.h"
#include "serve_versions.h"

#define SERVER_LISTEN_DEFAULT "127.0.0.1:8080"
#define SERVER_SOCKETS_MAX 64u
#define SERVER_TICK_MS 100
#define SERVER_DRAIN_TICK_MS 10
/* How often the store's file is looked at. */
#define SERVER_STORE_NS (250 * NS_PER_MS)
/* How often memory that is free goes back to the kernel: buffers come and go in sizes from bytes to
 * megabytes, and one small piece that stays would keep all below it. */
#define SERVER_TRIM_NS (10 * NS_PER_SECOND)
/* Buffers of this size are mappings of their own. By itself glibc raises the bound to that of what
 * was freed last, and then bodies leave holes among what stays. */
#define SERVER_MAPPED_SIZE (128 << 10)
/* Of descriptors: 24 are enough for one function and one connection. */
#define SERVER_FILES_MIN 32
/* What calls have after they were cancelled, at the end. */
#define SERVER_CANCEL_NS NS_PER_SECOND

typedef struct serve_server {
    const serve_options *options;
    serve_context context;
    uv_loop_t loop;
    serve_front *front;
    serve_source source;
    serve_versions versions;
    serve_listener *listeners;
    uv_timer_t tick;
    uv_signal_t signals[3];
    uv_prepare_t prepare;
    uint64_t store_ns; /* when the store's file was looked at */
    bool store_failed;
    uint64_t trim_ns;  /* when free memory was given back */
    uint64_t drain_ns; /* when it began to drain; 0: it does not */
    bool has_cancelled;
} serve_server;

/* --- Settings --- */

static int server_set_text(char **out, const char *text, snapcell_error *err)
{
    if (text == NULL) return SNAPCELL_OK;
    free(*out);
    *out = strdup(text);
    return *out != NULL ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for settings");
}

static int server_apply_source(const serve_source_config *given, serve_source_config *source,
                               snapcell_error *err)
{
    if (given->interval_s > 0) source->interval_s = given->interval_s;
    if (given->monitor_s > 0) source->monitor_s = given->monitor_s;
    if (given->min_requests > 0) source->min_requests = given->min_requests;
    if (given->max_failure_percent != SERVE_OPTION_UNSAID)
        source->max_failure_percent = given->max_failure_percent;
    if (given->failure_action != SERVE_OPTION_UNSAID)
        source->failure_action = given->failure_action;
    source->plain_http |= given->plain_http;
    int status = server_set_text(&source->reference, given->reference, err);
    return status == SNAPCELL_OK ? server_set_text(&source->ca_file, given->ca_file, err) : status;
}

/* Options of the command line outweigh what the file says. */
static int server_apply_options(const serve_options *options, serve_config *config,
                                snapcell_error *err)
{
    if (options->policy >= 0) config->defaults.policy = (uint32_t)options->policy;
    for (size_t i = 0; options->policy >= 0 && i < config->function_count; i++)
        config->functions[i].policy = (uint32_t)options->policy;
    return server_apply_source(&options->source, &config->source, err);
}

static int server_read_settings(const serve_options *options, serve_settings **out,
                                snapcell_error *err)
{
    serve_settings *settings = calloc(1, sizeof(*settings));
    *out = NULL;
    if (settings == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for settings");
    settings->user_count = 1;
    int status = serve_config_init(&settings->config, err);
    settings->config.check_source = options->check_source;
    if (status == SNAPCELL_OK && options->config != NULL)
        status = serve_config_read(options->config, &settings->config, options->problem, NULL, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < settings->config.route_count; i++)
        status = serve_routes_add(&settings->routes, settings->config.routes[i].pattern,
                                  settings->config.routes[i].function, err);
    if (status == SNAPCELL_OK) status = server_apply_options(options, &settings->config, err);
    if (status != SNAPCELL_OK) {
        serve_settings_drop(settings);
        return status;
    }
    serve_routes_sort(&settings->routes);
    *out = settings;
    return SNAPCELL_OK;
}

int serve_check(const serve_options *options, snapcell_error *err)
{
    serve_settings *settings;
    int status = server_read_settings(options, &settings, err);
    serve_settings_drop(settings);
    return status;
}

static void server_log_error(serve_server *server, const char *event, const snapcell_error *error)
{
    serve_log *log = &server->context.log;
    serve_log_begin(log, "error", event);
    serve_log_text(log, "error", error->message);
    serve_log_end(log);
}

/* A version that fails is looked for only where something is to be done about it. */
static void server_configure_watch(serve_server *server)
{
    const serve_source_config *source = &server->context.settings->config.source;
    bool watches = server->source.is_on && source->failure_action == SERVE_FAILURE_ROLLBACK;
    server->context.watch.settings =
        (serve_watch_settings){.period_ns = watches ? source->monitor_s * NS_PER_SECOND : 0,
                               .answers_min = source->min_requests,
                               .failure_percent_max = source->max_failure_percent};
}

/* Another process follows the source, by what it was told when it started. */
static void server_compare_source(serve_server *server, const serve_source_config *old,
                                  const serve_source_config *new)
{
    const char *was = old->reference != NULL ? old->reference : "";
    const char *is = new->reference != NULL ? new->reference : "";
    if (strcmp(was, is) == 0 && old->interval_s == new->interval_s) return;
    serve_log_begin(&server->context.log, "warn", "source_kept");
    serve_log_text(&server->context.log, "error",
                   "another source or interval takes effect when the server is started again");
    serve_log_end(&server->context.log);
}

/* Takes `settings`. Workers go on with those that say the same. */
static void server_take_settings(serve_server *server, serve_settings *settings)
{
    serve_settings *old = server->context.settings;
    if (settings->config.text_hash == old->config.text_hash) {
        serve_settings_drop(settings);
        return;
    }
    server_compare_source(server, &old->config.source, &settings->config.source);
    server->context.settings = settings;
    serve_settings_drop(old);
    server_configure_watch(server);
}

/* A configuration that is wrong changes nothing. */
static bool server_read_again(serve_server *server)
{
    snapcell_error error;
    serve_settings *settings;
    if (server_read_settings(server->options, &settings, &error) != SNAPCELL_OK) {
        server->context.metrics.reload_failures++;
        server_log_error(server, "reload_failed", &error);
        return false;
    }
    server->context.metrics.reloads++;
    server_take_settings(server, settings);
    return true;
}

/* Whether the store has changed. */
static bool server_read_names(serve_server *server)
{
    snapcell_error error;
    bool changed;
    server->store_ns = monotonic_now_ns();
    bool failed = serve_names_refresh(&server->context.names, &changed, &error) != SNAPCELL_OK;
    if (failed && !server->store_failed) server_log_error(server, "store_failed", &error);
    server->store_failed = failed;
    changed = changed && !failed;
    if (changed) server->context.metrics.store_changes++;
    return changed;
}

static void server_look_at_store(serve_server *server)
{
    if (server_read_names(server)) serve_pool_renew(server->front->pool);
}

/* Settings and store at once: what both have changed is started once. The line in the log is waited
 * for by one who has just built. */
static void server_reload(serve_server *server)
{
    bool is_read = server_read_again(server);
    server_read_names(server);
    serve_pool_renew(server->front->pool);
    if (is_read) {
        serve_log_begin(&server->context.log, "info", "reloaded");
        serve_log_end(&server->context.log);
    }
    serve_log_flush(&server->context.log);
}

static void server_watch_store(serve_server *server, uint64_t now_ns)
{
    if (now_ns - server->store_ns >= SERVER_STORE_NS) server_look_at_store(server);
}

/* --- The end --- */

static void server_close(serve_server *server)
{
    uv_close((uv_handle_t *)&server->tick, NULL);
    for (size_t i = 0; i < sizeof(server->signals) / sizeof(*server->signals); i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    uv_close((uv_handle_t *)&server->prepare, NULL);
    serve_source_close(&server->source);
    serve_versions_close(&server->versions);
    serve_listen_close(server->listeners);
    serve_connection_close_all(server->front, true);
}

static void server_on_tick(uv_timer_t *timer);

static void server_drain(serve_server *server)
{
    if (server->drain_ns > 0) return;
    server->drain_ns = monotonic_now_ns();
    server->context.drains = true;
    serve_notify("STOPPING=1");
    serve_log_begin(&server->context.log, "info", "draining");
    serve_log_number(&server->context.log, "connections", server->front->count);
    serve_log_end(&server->context.log);
    for (serve_listener *listener = server->listeners; listener != NULL; listener = listener->next)
        if (!listener->is_admin && listener->is_open) {
            listener->is_open = false;
            uv_close(&listener->uv.handle, NULL);
            if (listener->path != NULL) unlink(listener->path);
        }
    serve_source_close(&server->source);
    serve_versions_close(&server->versions);
    serve_pool_drain(server->front->pool);
    serve_connection_close_all(server->front, false);
    uv_timer_start(&server->tick, server_on_tick, 0, SERVER_DRAIN_TICK_MS);
}

/* Whether all requests have their answers, and no call goes on. */
static void server_continue_drain(serve_server *server, uint64_t now_ns)
{
    uint64_t limit_ns = server->context.settings->config.drain_ms * NS_PER_MS;
    uint64_t drained_ns = now_ns - server->drain_ns;
    serve_connection_close_all(server->front, false);
    if (drained_ns > limit_ns && !server->has_cancelled) {
        server->has_cancelled = true;
        serve_pool_cancel(server->front->pool);
    }
    bool is_done =
        !serve_connection_is_busy(server->front) && serve_pool_is_idle(server->front->pool);
    if (is_done || drained_ns > limit_ns + SERVER_CANCEL_NS) server_close(server);
}

static void server_trim(serve_server *server, uint64_t now_ns)
{
    if (now_ns - server->trim_ns < SERVER_TRIM_NS) return;
    server->trim_ns = now_ns;
    malloc_trim(0);
}

static void server_on_tick(uv_timer_t *timer)
{
    serve_server *server = timer->data;
    uint64_t now_ns = monotonic_now_ns();
    server_trim(server, now_ns);
    serve_connection_sweep(server->front, now_ns);
    serve_pool_tick(server->front->pool, now_ns);
    serve_source_tick(&server->source, now_ns);
    if (server->drain_ns > 0)
        server_continue_drain(server, now_ns);
    else
        server_watch_store(server, now_ns);
}

/* What was logged while events were handled is written before the loop sleeps. */
static void server_on_prepare(uv_prepare_t *prepare)
{
    serve_server *server = prepare->data;
    serve_log_flush_some(&server->context.log, monotonic_now_ns());
}

static void server_on_signal(uv_signal_t *handle, int signal)
{
    serve_server *server = handle->data;
    if (signal == SIGHUP) {
        server_reload(server);
        serve_source_nudge(&server->source);
    } else if (server->drain_ns > 0)
        server_close(server); /* the second one: at once */
    else
        server_drain(server);
}

/* --- The beginning --- */

static void server_start_handles(serve_server *server)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    uv_timer_init(&server->loop, &server->tick);
    server->tick.data = server;
    uv_timer_start(&server->tick, server_on_tick, SERVER_TICK_MS, SERVER_TICK_MS);
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], server_on_signal, signals[i]);
    }
    uv_prepare_init(&server->loop, &server->prepare);
    server->prepare.data = server;
    uv_prepare_start(&server->prepare, server_on_prepare);
}

/* Each worker takes several descriptors. libuv ends the process where it gets none. */
static int server_raise_limits(snapcell_error *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return SNAPCELL_OK;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= SERVER_FILES_MIN) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_IO,
                     "a server needs %d open files and more, and this process may have %d; raise "
                     "that limit (ulimit -n)",
                     SERVER_FILES_MIN, (int)limit.rlim_max);
}

static int server_listen_at(serve_server *server, snapcell_error *err)
{
    const serve_options *options = server->options;
    const serve_config *config = &server->context.settings->config;
    size_t count = 0;
    int status = serve_listen_inherited(server->front, &server->listeners, &count, err);
    bool is_given = options->listen != NULL && options->listen[0] != NULL;
    for (size_t i = 0; status == SNAPCELL_OK && is_given && options->listen[i] != NULL;
         i++, count++)
        status = serve_listen(server->front, options->listen[i], false, &server->listeners, err);
    for (size_t i = 0; status == SNAPCELL_OK && !is_given && i < config->listen.count; i++, count++)
        status =
            serve_listen(server->front, config->listen.items[i], false, &server->listeners, err);
    if (status == SNAPCELL_OK && count == 0)
        status = serve_listen(server->front, SERVER_LISTEN_DEFAULT, false, &server->listeners, err);
    const char *metrics = options->metrics != NULL ? options->metrics : config->metrics;
    if (status == SNAPCELL_OK && metrics != NULL)
        status = serve_listen(server->front, metrics, true, &server->listeners, err);
    return status;
}

/* An image is native code: anyone else who could write there could run some. */
static int server_prepare_image_folder(const serve_server *server, snapcell_error *err)
{
    struct stat status;
    const char *path = server->context.settings->config.image_folder;
    if (path == NULL) return SNAPCELL_OK;
    if (geteuid() == 0 && !server->options->no_sandbox)
        return error_set(err, SNAPCELL_E_USAGE,
                         "images.folder is for servers that run as a user of their own: this one "
                         "is root's, and becomes nobody, whom others may be, too");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot make the folder of images %s",
                               path);
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return error_set(err, SNAPCELL_E_USAGE, "images.folder: %s is no folder", path);
    if (status.st_uid == geteuid() && (status.st_mode & 077) == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "images.folder: %s must belong to this server's user alone (mode 0700)", path);
}

static int server_confine(serve_server *server, snapcell_error *err)
{
    char *paths[SERVER_SOCKETS_MAX];
    serve_strings sockets = {paths, 0};
    if (server->options->no_sandbox) return SNAPCELL_OK;
    for (const serve_listener *listener = server->listeners; listener != NULL;
         listener = listener->next)
        if (listener->path != NULL && sockets.count < SERVER_SOCKETS_MAX)
            paths[sockets.count++] = listener->path;
    return serve_sandbox_enter(&server->context, server->options->config, &sockets, err);
}

/* A host that follows a source begins with nothing. */
static int server_make_store(const char *path, snapcell_error *err)
{
    snapcell_store *store = NULL;
    int status = snapcell_store_open(path, SNAPCELL_STORE_CREATE, &store, err);
    snapcell_store_close(store);
    return status;
}

static void server_free_source(serve_source_config *source)
{
    free(source->reference);
    free(source->ca_file);
}

/* What the settings say of the source. The rest, secrets above all, is wiped again: the other
 * process must not have it. */
static int server_read_source(const serve_options *options, serve_source_config *out,
                              snapcell_error *err)
{
    serve_settings *settings;
    int status = server_read_settings(options, &settings, err);
    if (status != SNAPCELL_OK) return status;
    *out = settings->config.source;
    settings->config.source = (serve_source_config){0};
    serve_settings_drop(settings);
    return SNAPCELL_OK;
}

/* Before anything is opened that the other process must not have. `fd`: -1 without a source. */
static int server_start_source(const serve_options *options, int *fd, snapcell_error *err)
{
    cleanup(server_free_source) serve_source_config source = {0};
    *fd = -1;
    int status = server_read_source(options, &source, err);
    if (status != SNAPCELL_OK || source.reference == NULL) return status;
    status = server_make_store(options->store, err);
    if (status != SNAPCELL_OK) return status;
    return options->start_source(options->source_user, &source, fd, err);
}

/* After a switch. LMDB shows a transaction to readers only when its last page is on the disk, which
 * takes a busy machine seconds: the file's time may be known, and its names still be the old ones.
 */
static void server_look_now(void *user)
{
    serve_server *server = user;
    server->context.names.seen.st_size = -1;
    server_look_at_store(server);
}

/* Its only user is gone: a tool that was killed leaves no server. */
static void server_on_versions_ended(void *user)
{
    server_drain(user);
}

static int server_follow(serve_server *server, int fd, snapcell_error *err)
{
    serve_source *source = &server->source;
    if (fd < 0) return SNAPCELL_OK;
    source->pool = server->front->pool;
    source->look = server_look_now;
    source->user = server;
    int status = serve_source_open(source, fd, err);
    server_configure_watch(server);
    return status;
}

/* `source_fd`: taken over, on failure, too. */
static int server_open(serve_server *server, int source_fd, snapcell_error *err)
{
    serve_context *context = &server->context;
    int status = server_read_settings(server->options, &context->settings, err);
    if (status == SNAPCELL_OK)
        status = serve_names_open(&context->names, server->options->store, err);
    if (status == SNAPCELL_OK) status = serve_pool_new(context, &server->front->pool, err);
    if (status == SNAPCELL_OK)
        status = server_follow(server, source_fd, err);
    else if (source_fd >= 0)
        close(source_fd);
    if (status != SNAPCELL_OK) return status;
    if (server->options->single != NULL && source_fd < 0 &&
        serve_names_find(&context->names, server->options->single,
                         strlen(server->options->single)) == NULL)
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "--single %s: the store %s has no function of this name for this engine",
                         server->options->single, server->options->store);
    status = server_listen_at(server, err);
    if (status == SNAPCELL_OK && server->options->reads_versions)
        status = serve_versions_open(&server->versions, context, server->front->pool,
                                     server_on_versions_ended, server, err);
    if (status == SNAPCELL_OK) status = server_prepare_image_folder(server, err);
    if (status == SNAPCELL_OK) status = server_confine(server, err);
    return status;
}

/* False: others wait for a line that does not arrive. */
static bool server_greet(const serve_server *server)
{
    char line[512];
    const serve_context *context = &server->context;
    for (const serve_listener *listener = server->listeners; listener != NULL;
         listener = listener->next) {
        snprintf(line, sizeof(line), "%s %s", listener->is_admin ? "metrics at" : "listening on",
                 listener->url);
        if (!server->options->print(line)) return false;
    }
    if (context->names.count > 0) return true;
    if (server->source.is_on) {
        snprintf(line, sizeof(line), "the store %s has no function yet; it waits for %s",
                 context->names.store_path, context->settings->config.source.reference);
        server->options->warn(line);
        return true;
    }
    snprintf(line, sizeof(line),
             "the store %s has no function for this engine%s; `snapcell %s --store %s%s` makes "
             "some, and they are served at once",
             context->names.store_path, context->names.other_count > 0 ? ", only for others" : "",
             context->names.other_count > 0 ? "recompile" : "compile", context->names.store_path,
             context->names.other_count > 0 ? "" : " FILE...");
    server->options->warn(line);
    return true;
}

/* With its memory, which holds the loop that handles point to. */
static void server_free(serve_server *server)
{
    serve_source_close(&server->source);
    serve_versions_close(&server->versions);
    serve_pool_free(server->front->pool);
    while (uv_run(&server->loop, UV_RUN_DEFAULT) != 0)
        continue;
    uv_loop_close(&server->loop);
    serve_listen_free(server->listeners);
    serve_names_release(&server->context.names);
    serve_settings_drop(server->context.settings);
    serve_log_release(&server->context.log);
    free(server->front);
    free(server);
}

static int server_new(const serve_options *options, serve_server **out, snapcell_error *err)
{
    serve_server *server = calloc(1, sizeof(*server));
    serve_front *front = calloc(1, sizeof(*front));
    *out = NULL;
    if (server == NULL || front == NULL || uv_loop_init(&server->loop) != 0) {
        free(front);
        free(server);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a server");
    }
    server->front = front;
    server->options = options;
    server->context.loop = &server->loop;
    server->context.trust = options->trust;
    server->context.single = options->single;
    server->context.dev = options->dev;
    server->context.no_sandbox = options->no_sandbox;
    server->source.context = &server->context;
    server->source.fd = -1;
    server->front->source = &server->source;
    server->front->context = &server->context;
    server->front->answer = serve_admin_answer;
    server->front->answer_user = server->front;
    serve_log_init(&server->context.log, STDERR_FILENO);
    *out = server;
    return SNAPCELL_OK;
}

static void server_set_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, SERVER_MAPPED_SIZE);
    mallopt(M_TRIM_THRESHOLD, INT_MAX); /* server_trim() does it */
}

int serve_run(const serve_options *options, snapcell_error *err)
{
    serve_server *server;
    int source_fd;
    server_set_memory();
    /* First: what libuv opens once, it also closes in a process that is forked later. */
    int status = server_start_source(options, &source_fd, err);
    if (status != SNAPCELL_OK) return status;
    status = server_raise_limits(err);
    if (status == SNAPCELL_OK && !options->no_sandbox) status = sandbox_server_begin(err);
    if (status == SNAPCELL_OK) status = server_new(options, &server, err);
    if (status != SNAPCELL_OK) {
        if (source_fd >= 0) close(source_fd);
        return status;
    }
    status = server_open(server, source_fd, err);
    if (status == SNAPCELL_OK) {
        server_start_handles(server);
        serve_pool_prepare(server->front->pool);
        if (server_greet(server))
            serve_notify("READY=1");
        else
            server_close(server);
        uv_run(&server->loop, UV_RUN_DEFAULT);
    } else {
        serve_listen_close(server->listeners);
    }
    server_free(server);
    return status;
}
