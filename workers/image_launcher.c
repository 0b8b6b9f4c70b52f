#include "image_launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell_protocol.h"
#include "cleanup.h"
#include "error_set.h"
#include "process_image_format.h"
#include "sandbox_restoring.h"

#define LAUNCHER "snapcell-launch"

/* So long may one wait for its order: it is renewed then. */
#define LAUNCHER_LIMIT_MS UINT32_MAX

static_assert(LAUNCH_FILTER_LENGTH_MAX == SANDBOX_PROGRAM_LENGTH_MAX, "a filter fits");
static_assert(LAUNCH_LANDLOCK_SIZE_MAX == SANDBOX_LANDLOCK_SIZE_MAX, "rules fit");

/* Next to the program, as in a build, or where it is installed. */
char *image_launcher_find(const char *program_path)
{
    static const char *const places[] = {LAUNCHER, "../" LAUNCHER, "../libexec/snapcell/" LAUNCHER};
    cleanup_free char *program = realpath(program_path, NULL);
    const char *slash = program != NULL ? strrchr(program, '/') : NULL;
    if (slash == NULL) return NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        char *path;
        if (asprintf(&path, "%.*s/%s", (int)(slash - program), program, places[i]) < 0) return NULL;
        if (access(path, X_OK) == 0) return path;
        free(path);
    }
    return NULL;
}

static_assert(LAUNCH_WARM_MAX == PROCESS_IMAGE_WARM_MAX, "warm pages fit");
static_assert(sizeof(launch_warm) == sizeof(process_image_warm), "they are the same");

void image_launcher_stock(const process_image_head *head, const void *tables, launch_stock *out)
{
    const process_image_range *ranges = tables;
    const process_image_copy *copies = (const process_image_copy *)(ranges + head->range_count);
    *out = (launch_stock){.warm_count = head->warm_count};
    memcpy(out->warm, copies + head->copy_count, head->warm_count * sizeof(*out->warm));
    for (uint32_t i = 0; i < head->range_count && out->segment_count < LAUNCH_SEGMENTS_MAX; i++)
        if (ranges[i].kind == PROCESS_IMAGE_PROGRAM)
            out->segments[out->segment_count++] = (launch_segment){
                .offset = ranges[i].offset,
                .size_bytes = ranges[i].end - ranges[i].start,
                .start = ranges[i].start,
                .protection = ranges[i].protection,
            };
}

static int launcher_write_setup(const image_launcher_scope *scope, const launch_stock *stock,
                                pid_t pid, launch_setup *out, snapcell_error *err)
{
    static const int files[] = {PROCESS_IMAGE_FD_IMAGE, PROCESS_IMAGE_FD_PROGRAM};
    sandbox_recipe recipe;
    int status = sandbox_recipe_make(scope->data_limit_bytes, pid, files, 2, &recipe, err);
    if (status != SNAPCELL_OK) return status;
    *out = (launch_setup){
        .version = LAUNCH_PROTOCOL_VERSION,
        .has_sandbox = !scope->no_sandbox,
        .data_limit_bytes = recipe.data_limit_bytes,
        .nobody = recipe.nobody,
        .landlock_size_bytes = (uint32_t)recipe.landlock_size_bytes,
        .filter_length = recipe.filter.length,
        .stock = *stock,
    };
    memcpy(out->landlock, recipe.landlock, sizeof(out->landlock));
    memcpy(out->filter, recipe.filter.code, sizeof(out->filter));
    return SNAPCELL_OK;
}

static int launcher_set_up(const image_launcher_scope *scope, const launch_stock *stock,
                           child_process *launcher, snapcell_error *err)
{
    launch_setup setup;
    int status = launcher_write_setup(scope, stock, launcher->pid, &setup, err);
    if (status != SNAPCELL_OK) return status;
    const wire_writer body = {.data = (uint8_t *)&setup, .size_bytes = sizeof(setup)};
    if (child_process_send(launcher, LAUNCH_MESSAGE_SETUP, &body) == CHILD_OK) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL, "the launcher ended before it was told a word");
}

int image_launcher_start(const image_launcher_kind *kind, const image_launcher_scope *scope,
                         child_process *out, snapcell_error *err)
{
    static const child_kind launcher_kind = {"launch", cell_worker_size_max, true};
    int status = child_process_start_with(kind->path, &launcher_kind, kind->zone, LAUNCHER_LIMIT_MS,
                                          kind->program_fd, out, err);
    if (status != SNAPCELL_OK) return status;
    status = launcher_set_up(scope, kind->stock, out, err);
    if (status != SNAPCELL_OK) child_process_end(out);
    return status;
}

bool image_launcher_order(child_process *launcher, int image_fd, uint64_t image_size_bytes)
{
    launch_order order = {image_size_bytes};
    const wire_writer body = {.data = (uint8_t *)&order, .size_bytes = sizeof(order)};
    return child_process_send_file(launcher, LAUNCH_MESSAGE_LAUNCH, &body, image_fd) == CHILD_OK;
}
