#include "serve_slot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"

/* With a folder, too: of thousands of functions most are started once. */
#define GROUP_IMAGE_STARTS_MIN 2

static void slot_on_closed(uv_handle_t *handle)
{
    serve_slot *slot = handle->data;
    free(slot);
}

static void slot_on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    serve_slot_advance(poll->data);
}

static serve_group *group_open(const serve_context *context, const serve_function_config *config,
                               snapcell_error *err)
{
    serve_group *group = calloc(1, sizeof(*group));
    if (group == NULL) {
        error_set(err, SNAPCELL_E_NOMEM, "no memory for workers");
        return NULL;
    }
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.store_path = context->names.store_path;
    options.trust = context->trust;
    options.policy = (snapcell_workers_policy)config->policy;
    options.warm_calls = context->dev ? SNAPCELL_WARM_CALLS_UNPREPARED : config->warm_calls;
    options.no_sandbox = context->no_sandbox;
    const serve_config *settings = &context->settings->config;
    options.image_bytes_max =
        settings->image_bytes > 0 && !context->dev ? settings->image_bytes : SNAPCELL_IMAGES_NONE;
    options.image_folder = settings->image_folder;
    options.image_folder_bytes_max = settings->image_folder_bytes;
    options.image_starts_min = GROUP_IMAGE_STARTS_MIN;
    options.prepare_soon = true;
    if (snapcell_workers_open(&options, &group->workers, err) == SNAPCELL_OK) return group;
    free(group);
    return NULL;
}

serve_group *serve_group_find(serve_group **groups, const serve_context *context,
                              const serve_function_config *config, snapcell_error *err)
{
    serve_group *group = *groups;
    while (group != NULL &&
           (group->policy != config->policy || group->warm_calls != config->warm_calls))
        group = group->next;
    if (group != NULL) return group;
    group = group_open(context, config, err);
    if (group == NULL) return NULL;
    group->policy = config->policy;
    group->warm_calls = config->warm_calls;
    group->next = *groups;
    *groups = group;
    return group;
}

/* What goes wrong with it shows when a worker is started. */
void serve_group_prepare_all(const serve_group *groups)
{
    for (const serve_group *group = groups; group != NULL; group = group->next)
        snapcell_workers_prepare(group->workers, NULL);
}

void serve_group_free_all(serve_group *groups)
{
    while (groups != NULL) {
        serve_group *next = groups->next;
        snapcell_workers_close(groups->workers);
        free(groups);
        groups = next;
    }
}

int serve_slot_start_worker(const serve_name *item, snapcell_workers *workers, bool no_sandbox,
                            const serve_function_config *config, serve_turn turn,
                            snapcell_worker **out, snapcell_error *err)
{
    snapcell_cell_options cell = SNAPCELL_CELL_OPTIONS_INIT;
    cell.memory_limit_bytes = config->memory_mb << 20;
    cell.cpu_limit_ms = config->cpu_ms;
    cell.wall_limit_ms = config->wall_ms;
    cell.env = config->env.items;
    cell.env_count = config->env.count;
    cell.json_env = config->json_env.items;
    cell.json_env_count = config->json_env.count;
    cell.tenant = config->tenant;
    cell.response_limit_bytes = config->response_bytes;
    cell.timer_limit = config->timers;
    cell.frozen_clock = config->frozen_clock;
    snapcell_worker_options options = SNAPCELL_WORKER_OPTIONS_INIT;
    options.cell = &cell;
    options.logs = true;
    options.soon = turn == SERVE_TURN_FIRST;
    options.after_soon = turn == SERVE_TURN_SECOND;
    options.prelude_only = turn == SERVE_TURN_AHEAD;
    snapcell_net_options net = SNAPCELL_NET_OPTIONS_INIT;
    net.allow = (const char *const *)config->allow_net.items;
    net.allow_count = config->allow_net.count;
    net.allow_private = config->allow_net_private;
    net.no_sandbox = no_sandbox;
    if (config->allow_net.count > 0) options.net = &net;
    /* By its key: a store that changes meanwhile must not mix two versions of what is served. */
    char ref[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&item->key, ref);
    cell.signed_name = item->name;
    return snapcell_worker_start(workers, ref, &options, out, err);
}

static int slot_watch(serve_slot *slot, uv_loop_t *loop, snapcell_error *err)
{
    int problem = uv_poll_init(loop, &slot->poll, snapcell_worker_fd(slot->worker));
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for a worker");
    slot->poll.data = slot;
    problem = uv_poll_start(&slot->poll, UV_READABLE, slot_on_readable);
    if (problem == 0) return SNAPCELL_OK;
    uv_close((uv_handle_t *)&slot->poll, NULL);
    return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for a worker");
}

serve_slot *serve_slot_start(serve_function *function, snapcell_workers *workers, serve_turn turn,
                             const serve_slot_events *events, const serve_context *context,
                             snapcell_error *err)
{
    serve_slot *slot = calloc(1, sizeof(*slot));
    if (slot == NULL) {
        error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
        return NULL;
    }
    slot->events = events;
    slot->function = function;
    slot->key = turn == SERVE_TURN_AHEAD ? function->prelude_key : function->key;
    slot->started_ns = monotonic_now_ns();
    const serve_name item = {.name = function->name, .key = slot->key};
    int status = serve_slot_start_worker(&item, workers, context->no_sandbox, function->config,
                                         turn, &slot->worker, err);
    if (status == SNAPCELL_OK) status = slot_watch(slot, context->loop, err);
    if (status == SNAPCELL_OK) {
        slot->settings = serve_settings_keep(function->settings);
        return slot;
    }
    snapcell_worker_free(slot->worker);
    free(slot);
    return NULL;
}

/* Whether a call on it is over is known by its ticket. */
void serve_slot_advance(serve_slot *slot)
{
    snapcell_error error = {0};
    snapcell_worker_state state = snapcell_worker_advance(slot->worker, &error);
    if (state == SNAPCELL_WORKER_ENDED)
        slot->events->ended(slot, &error);
    else if (slot->state == SERVE_SLOT_STARTING && state == SNAPCELL_WORKER_READY)
        slot->events->ready(slot);
    else if (slot->state == SERVE_SLOT_IDLE && state != SNAPCELL_WORKER_READY)
        slot->events->dying(slot);
    else if (slot->state == SERVE_SLOT_BUSY && slot->ticket->is_over)
        slot->events->settled(slot);
    else if (slot->state == SERVE_SLOT_BUSY)
        slot->ticket->events->advanced(slot->ticket);
}

bool serve_slot_is_due(const serve_slot *slot)
{
    return snapcell_worker_timeout_ms(slot->worker) == 0;
}

void serve_slot_free(serve_slot *slot)
{
    uv_poll_stop(&slot->poll);
    snapcell_worker_free(slot->worker);
    slot->worker = NULL;
    serve_settings_drop(slot->settings);
    uv_close((uv_handle_t *)&slot->poll, slot_on_closed);
}

/* A file of its process in /proc. False: it has ended. */
static bool slot_read(const serve_slot *slot, const char *file, char *out, size_t out_size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", snapcell_worker_process_id(slot->worker), file);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, out, out_size - 1) : -1;
    if (size <= 0) return false;
    out[size] = '\0';
    return true;
}

/* What is shared with a file is not its own; a checkpoint is, though it is shared memory. */
void serve_slot_measure(serve_slot *slot)
{
    static const char *const names[] = {"RssAnon:", "RssShmem:"};
    char text[4096];
    uint64_t kib = 0;
    if (!slot_read(slot, "status", text, sizeof(text))) return;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *found = strstr(text, names[i]);
        if (found != NULL) kib += strtoull(found + strlen(names[i]), NULL, 10);
    }
    slot->memory_bytes = kib << 10;
}

/* The state comes after the program's name, which may have any characters. */
bool serve_slot_sleeps(const serve_slot *slot)
{
    char text[512];
    if (!slot_read(slot, "stat", text, sizeof(text))) return false;
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'S';
}
