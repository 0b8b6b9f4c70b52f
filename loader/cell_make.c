/* Cells made from images, and their end: what a load and the thread of spare cells both do. */
#include <inttypes.h>
#include <stdlib.h>

#include "cleanup.h"
#include "error_set.h"
#include "loader_state.h"

#define CELL_MEMORY_BYTES_MIN ((uint64_t)4 << 20)

static void cell_cleanup_cell(snapcell_cell **cell)
{
    cell_free(*cell);
}

/* V8 ends the process when a heap limit is hit while it reads a snapshot. Measured with snapshots
 * of 0.4 to 28 MB: that takes a limit below 4 MiB and a third of the blob, and with twice the blob
 * on top of 4 MiB a cell runs. */
static int cell_check_memory(const snapcell_artifact_info *info, uint64_t limit_bytes,
                             snapcell_error *err)
{
    uint64_t needed_bytes = 2 * info->blob_size_bytes + CELL_MEMORY_BYTES_MIN;
    if (limit_bytes >= needed_bytes) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_MEMORY_LIMIT,
                     "'%s' needs a memory limit of %" PRIu64 " MiB or more for its snapshot of "
                     "%" PRIu64 " bytes, but the limit is %" PRIu64 " bytes",
                     info->name, (needed_bytes + ((1 << 20) - 1)) >> 20, info->blob_size_bytes,
                     limit_bytes);
}

/* The isolate and the context, from the cell's image. */
static int cell_materialize(snapcell_cell *cell, const cell_limits *limits, const engine_env *env,
                            size_t env_count, bool prelude_only, snapcell_error *err)
{
    const snapcell_loader *loader = cell->loader;
    int status = cell_check_memory(&cell->image->info, limits->memory_bytes, err);
    if (status != SNAPCELL_OK) return status;
    engine_cell_options engine_options = {
        .function_name = cell->image->info.name,
        .memory_limit_bytes = limits->memory_bytes,
        .cpu_limit_ms = limits->cpu_ms,
        .wall_limit_ms = limits->wall_ms,
        .response_limit_bytes = limits->response_bytes,
        .timer_limit = limits->timers,
        .frozen_clock = limits->frozen_clock != 0,
        .overrun = loader->overrun,
        .overrun_user = loader->overrun_user,
        .exhausted = loader->exhausted,
        .exhausted_user = loader->exhausted_user,
        .env = env,
        .env_count = env_count,
        .log = loader->log,
        .log_user = loader->log_user,
        .fetch_client = loader->fetch_client.struct_size != 0 ? &loader->fetch_client : NULL,
        .prelude_only = prelude_only,
    };
    engine_image given = image_for_engine(cell->image, loader->host);
    engine_cell_times times = {0};
    status = engine_cell_new(&given, &engine_options, &cell->engine, &times, err);
    cell->timings.isolate_ns = times.isolate_ns;
    cell->timings.context_ns = times.context_ns;
    return status;
}

int cell_new(snapcell_loader *loader, image *from, const cell_limits *limits, const engine_env *env,
             size_t env_count, bool prelude_only, snapcell_cell **out, snapcell_error *err)
{
    snapcell_cell *cell cleanup(cell_cleanup_cell) = calloc(1, sizeof(*cell));
    if (cell == NULL) {
        image_release(from);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a cell");
    }
    cell->loader = loader;
    cell->image = from;
    int status = cell_materialize(cell, limits, env, env_count, prelude_only, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&cell);
    return status;
}

int cell_new_spare(snapcell_loader *loader, image *from, const cell_limits *limits,
                   snapcell_cell **out, snapcell_error *err)
{
    int status = cell_new(loader, image_retain(from), limits, NULL, 0, false, out, err);
    if (status == SNAPCELL_OK) (*out)->size_bytes = engine_cell_size_bytes((*out)->engine);
    return status;
}

void cell_free(snapcell_cell *cell)
{
    if (cell == NULL) return;
    engine_cell_free(cell->engine); /* before the image: V8 reads the blob to the end */
    image_release(cell->image);
    image_release(cell->prelude_image);
    free(cell);
}
