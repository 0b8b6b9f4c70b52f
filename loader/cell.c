#include <stdlib.h>

#include "cell_restore.h"
#include "cleanup.h"
#include "error_set.h"
#include "loader_state.h"
#include "monotonic.h"
#include "public_struct.h"

/* --- Loading --- */

static int cell_check_env(const snapcell_env *env, size_t count, const char *what,
                          snapcell_error *err)
{
    if (env == NULL && count > 0)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_cell_options.%s is NULL, but %s_count is %zu", what, what,
                         count);
    for (size_t i = 0; i < count; i++)
        if (env[i].name == NULL || env[i].value == NULL)
            return error_set(err, SNAPCELL_E_USAGE,
                             "entry %zu of snapcell_cell_options.%s has no name or no value", i,
                             what);
    return SNAPCELL_OK;
}

static int cell_check_options(const snapcell_cell_options *options, snapcell_error *err)
{
    int status = cell_check_env(options->env, options->env_count, "env", err);
    return status == SNAPCELL_OK
               ? cell_check_env(options->json_env, options->json_env_count, "json_env", err)
               : status;
}

static cell_limits cell_limits_of(const snapcell_cell_options *options)
{
    return (cell_limits){
        .memory_bytes = options->memory_limit_bytes != 0 ? options->memory_limit_bytes
                                                         : SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT,
        .cpu_ms = options->cpu_limit_ms,
        .wall_ms = options->wall_limit_ms,
        .response_bytes = options->response_limit_bytes,
        .timers = options->timer_limit,
        .frozen_clock = options->frozen_clock,
    };
}

static void cell_cleanup_cell(snapcell_cell **cell)
{
    cell_free(*cell);
}

static size_t cell_env_count(const snapcell_cell_options *options)
{
    return options->env_count + options->json_env_count;
}

/* The env as the engine takes it. `*out`: NULL when there is none; Owned, free(). */
static int cell_copy_env(const snapcell_cell_options *options, engine_env **out,
                         snapcell_error *err)
{
    *out = NULL;
    size_t count = cell_env_count(options);
    if (count == 0) return SNAPCELL_OK;
    engine_env *env = calloc(count, sizeof(*env));
    if (env == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for env");
    for (size_t i = 0; i < count; i++) {
        bool is_json = i >= options->env_count;
        const snapcell_env *given =
            is_json ? &options->json_env[i - options->env_count] : &options->env[i];
        env[i] = (engine_env){.name = given->name, .value = given->value, .is_json = is_json};
    }
    *out = env;
    return SNAPCELL_OK;
}

/* Makes a spare the requested cell. */
static int cell_use_spare(snapcell_cell *spare, const engine_env *env, size_t env_count,
                          snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    spare->timings = (snapcell_timings){0};
    int status = engine_cell_rebind(spare->engine, env, env_count, err);
    spare->timings.context_ns = monotonic_now_ns() - start_ns;
    return status;
}

/* A cell of what was found: a spare one, or from the cache, or from the store. */
static int cell_obtain(snapcell_loader *loader, cell_reading *reading,
                       const snapcell_cell_options *options, snapcell_timings *timings,
                       snapcell_cell **out, snapcell_error *err)
{
    engine_env *env cleanup_free = NULL;
    int status = cell_copy_env(options, &env, err);
    if (status != SNAPCELL_OK) return status;
    cell_limits limits = cell_limits_of(options);
    bool has_spares = loader->spares.bounds.cells_per_function > 0;
    *out = has_spares ? spare_cells_take(&loader->spares, reading, &limits) : NULL;
    if (*out != NULL) {
        loader_count(&loader->counters.spare_hits, 1);
        status = cell_image_admit(loader, reading, (*out)->image, err);
        return status == SNAPCELL_OK ? cell_use_spare(*out, env, cell_env_count(options), err)
                                     : status;
    }
    if (has_spares) loader_count(&loader->counters.spare_misses, 1);
    image *from = NULL;
    status = cell_image_load(loader, reading, timings, &from, err);
    if (status == SNAPCELL_OK)
        status = cell_new(loader, from, &limits, env, cell_env_count(options), false, out, err);
    if (status == SNAPCELL_OK && has_spares)
        spare_cells_want(&loader->spares, (*out)->image, &limits);
    return status;
}

static int cell_obtain_sealed(snapcell_loader *loader, const char *ref,
                              const snapcell_cell_options *options, bool prelude_only,
                              snapcell_timings *timings, snapcell_cell **out, snapcell_error *err)
{
    engine_env *env cleanup_free = NULL;
    image *from = NULL;
    int status = cell_copy_env(options, &env, err);
    if (status == SNAPCELL_OK) status = loader_seal_take(loader, ref, timings, &from, err);
    if (status != SNAPCELL_OK) return status;
    cell_limits limits = cell_limits_of(options);
    return cell_new(loader, from, &limits, env, cell_env_count(options), prelude_only, out, err);
}

int cell_prepare_restores(snapcell_cell *cell, snapcell_error *err)
{
    return engine_cell_prepare_restores(cell->engine, err);
}

void cell_rehearse(snapcell_cell *cell)
{
    engine_cell_rehearse(cell->engine);
}

bool cell_drew(snapcell_cell *cell)
{
    return engine_cell_drew(cell->engine);
}

void cell_note_draws(snapcell_cell *cell, engine_note_draw_fn *note, void *user)
{
    engine_cell_note_draws(cell->engine, note, user);
}

bool cell_clear_leftovers(snapcell_cell *cell, bool wholly)
{
    return engine_cell_clear_leftovers(cell->engine, wholly);
}

int cell_renew(snapcell_cell *cell, const snapcell_cell_options *options, snapcell_error *err)
{
    engine_env *env cleanup_free = NULL;
    int status = cell_copy_env(options, &env, err);
    if (status != SNAPCELL_OK) return status;
    return engine_cell_rebind(cell->engine, env, cell_env_count(options), err);
}

static int cell_load(snapcell_loader *loader, const char *ref, const snapcell_cell_options *options,
                     bool prelude_only, snapcell_cell **out, snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    snapcell_cell_options given;
    int status = engine_check_caller(err);
    if (status == SNAPCELL_OK)
        status = public_struct_read(&given, sizeof(given), options, "snapcell_cell_options", err);
    if (status == SNAPCELL_OK) status = cell_check_options(&given, err);
    if (status != SNAPCELL_OK) return status;
    if (ref == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "a function's name or key is needed, got NULL");

    snapcell_timings timings = {0};
    cell_reading reading cleanup(cell_reading_release) = {0};
    snapcell_cell *cell cleanup(cell_cleanup_cell) = NULL;
    if (loader->seal.image != NULL) {
        status = cell_obtain_sealed(loader, ref, &given, prelude_only, &timings, &cell, err);
        start_ns -= timings.lookup_ns + timings.read_ns + timings.verify_ns + timings.decompress_ns;
    } else {
        status = cell_reading_open(loader, ref, &given, &timings, &reading, err);
        if (status == SNAPCELL_OK)
            status = cell_obtain(loader, &reading, &given, &timings, &cell, err);
    }
    if (status != SNAPCELL_OK) return status;
    cell->start_ns = start_ns;
    timings.isolate_ns = cell->timings.isolate_ns;
    timings.context_ns = cell->timings.context_ns;
    timings.total_ns = monotonic_now_ns() - start_ns;
    cell->timings = timings;
    loader_count(&loader->counters.live_cells, 1);
    *out = steal_pointer(&cell);
    return SNAPCELL_OK;
}

static int cell_load_counted(snapcell_loader *loader, const char *ref,
                             const snapcell_cell_options *options, bool prelude_only,
                             snapcell_cell **out, snapcell_error *err)
{
    *out = NULL;
    int status = cell_load(loader, ref, options, prelude_only, out, err);
    loader_counters *counters = &loader->counters;
    loader_count(status == SNAPCELL_OK ? &counters->loads : &counters->load_failures, 1);
    if (status != SNAPCELL_OK) loader_count_limit(loader, status);
    return status;
}

int snapcell_cell_load(snapcell_loader *loader, const char *ref,
                       const snapcell_cell_options *options, snapcell_cell **out,
                       snapcell_error *err)
{
    return cell_load_counted(loader, ref, options, false, out, err);
}

int cell_load_prelude(snapcell_loader *loader, const char *ref,
                      const snapcell_cell_options *options, snapcell_cell **out,
                      snapcell_error *err)
{
    if (loader->seal.image == NULL || loader->seal.image->info.prelude_length == 0)
        return error_set(err, SNAPCELL_E_USAGE, "the loader is not sealed with a prelude");
    return cell_load_counted(loader, ref, options, true, out, err);
}

/* Of the image that its loader is sealed with now. */
static int cell_evaluate_rest(snapcell_cell *cell, snapcell_error *err)
{
    snapcell_loader *loader = cell->loader;
    cell->prelude_image = cell->image;
    cell->image = image_retain(loader->seal.image);
    const engine_image given = image_for_engine(cell->image, loader->host);
    return engine_cell_go_on(cell->engine, &given, err);
}

int cell_go_on(snapcell_cell *cell, const char *ref, const snapcell_cell_options *options,
               const void *bytes, size_t size_bytes, snapcell_error *err)
{
    int status = loader_seal_renew(cell->loader, ref, options, bytes, size_bytes, err);
    return status == SNAPCELL_OK ? cell_evaluate_rest(cell, err) : status;
}

int cell_hash_prelude(const snapcell_cell *cell, uint8_t out[IMAGE_HASH_SIZE], snapcell_error *err)
{
    return image_hash_prelude(cell->image, out, err);
}

int cell_go_on_with_text(snapcell_cell *cell, const image_rest *rest, snapcell_error *err)
{
    int status = loader_seal_renew_rest(cell->loader, rest, err);
    return status == SNAPCELL_OK ? cell_evaluate_rest(cell, err) : status;
}

void snapcell_cell_dispose(snapcell_cell *cell)
{
    if (cell == NULL) return;
    snapcell_loader *loader = cell->loader;
    if (!loader_is_here(loader)) { /* the isolate is the parent's */
        free(cell);
        return;
    }
    atomic_fetch_sub_explicit(&loader->counters.live_cells, 1, memory_order_relaxed);
    if (!spare_cells_dispose(&loader->spares, cell)) cell_free(cell);
}

/* --- Calling --- */

/* Whether the cell can take a call. */
static int cell_check_alive(const snapcell_cell *cell, snapcell_error *err)
{
    int status = engine_check_caller(err);
    if (status != SNAPCELL_OK) return status;
    if (cell->condemned != SNAPCELL_OK)
        return error_set(err, SNAPCELL_E_DISPOSED,
                         "'%s' cannot be called again after an earlier call (%s: %s): dispose of "
                         "the cell and load a new one",
                         cell->image->info.name, snapcell_error_name(cell->condemned),
                         snapcell_error_describe(cell->condemned));
    return SNAPCELL_OK;
}

/* Whether it can take one of this shape. */
static int cell_check_call(const snapcell_cell *cell, snapcell_handler_shape shape,
                           snapcell_error *err)
{
    int status = cell_check_alive(cell, err);
    if (status != SNAPCELL_OK) return status;
    if (cell->image->info.shape != shape)
        return error_set(err, SNAPCELL_E_WRONG_SHAPE,
                         shape == SNAPCELL_SHAPE_FETCH
                             ? "'%s' takes JSON events, but was given a request: it is called with "
                               "snapcell_cell_invoke(), or `run --event JSON`"
                             : "'%s' takes requests, but was given a JSON event: it is called with "
                               "snapcell_cell_fetch(), or `run REF URL`",
                         cell->image->info.name);
    return SNAPCELL_OK;
}

/* After these, what is left of the isolate is not to be trusted. */
static bool cell_is_ended_by(int code)
{
    return code == SNAPCELL_E_MEMORY_LIMIT || code == SNAPCELL_E_CPU_LIMIT ||
           code == SNAPCELL_E_WALL_LIMIT || code == SNAPCELL_E_RESPONSE_LIMIT ||
           code == SNAPCELL_E_DISPOSED || code == SNAPCELL_E_INTERNAL;
}

/* Counts and times a call that began at `start_ns` and ended with `status`, which is returned. */
static int cell_end_call(snapcell_cell *cell, uint64_t start_ns, int status)
{
    uint64_t now_ns = monotonic_now_ns();
    cell->timings.call_ns = now_ns - start_ns;
    if (!cell->called) cell->timings.total_ns = now_ns - cell->start_ns;
    cell->called = true;
    if (cell_is_ended_by(status)) cell->condemned = status;
    loader_count_limit(cell->loader, status);
    return status;
}

static int cell_count_call(snapcell_cell *cell, int status)
{
    loader_count(&cell->loader->counters.calls, 1);
    if (status != SNAPCELL_OK) loader_count(&cell->loader->counters.call_failures, 1);
    return status;
}

int snapcell_cell_fetch(snapcell_cell *cell, const snapcell_request *request,
                        snapcell_response **out, snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    *out = NULL;
    int status = cell_check_call(cell, SNAPCELL_SHAPE_FETCH, err);
    if (status != SNAPCELL_OK) return cell_count_call(cell, status);
    status = engine_cell_fetch(cell->engine, request, out, err);
    return cell_count_call(cell, cell_end_call(cell, start_ns, status));
}

int snapcell_cell_stream(snapcell_cell *cell, const snapcell_request *request,
                         const snapcell_stream *stream, snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    snapcell_stream callbacks;
    int status = cell_check_call(cell, SNAPCELL_SHAPE_FETCH, err);
    if (status == SNAPCELL_OK)
        status = public_struct_read(&callbacks, sizeof(callbacks), stream, "snapcell_stream", err);
    if (status == SNAPCELL_OK && callbacks.write == NULL)
        status = error_set(err, SNAPCELL_E_USAGE,
                           "snapcell_stream.write is NULL: it takes the response's body");
    if (status != SNAPCELL_OK) return cell_count_call(cell, status);
    status = engine_cell_stream(cell->engine, request, &callbacks, err);
    return cell_count_call(cell, cell_end_call(cell, start_ns, status));
}

int snapcell_cell_invoke(snapcell_cell *cell, const char *event_json, char **out,
                         size_t *out_size_bytes, snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    *out = NULL;
    size_t unused_size = 0;
    size_t *size_bytes = out_size_bytes != NULL ? out_size_bytes : &unused_size;
    *size_bytes = 0;
    int status = cell_check_call(cell, SNAPCELL_SHAPE_JSON, err);
    if (status != SNAPCELL_OK) return cell_count_call(cell, status);
    status = engine_cell_invoke(cell->engine, event_json != NULL ? event_json : "{}", out,
                                size_bytes, err);
    return cell_count_call(cell, cell_end_call(cell, start_ns, status));
}

int snapcell_cell_call(snapcell_cell *cell, const char *handler, const char *event_json, char **out,
                       size_t *out_size_bytes, snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    *out = NULL;
    size_t unused_size = 0;
    size_t *size_bytes = out_size_bytes != NULL ? out_size_bytes : &unused_size;
    *size_bytes = 0;
    int status = cell_check_alive(cell, err);
    if (status == SNAPCELL_OK && handler == NULL)
        status = error_set(err, SNAPCELL_E_USAGE, "a handler's name is needed, got NULL");
    if (status != SNAPCELL_OK) return cell_count_call(cell, status);
    status = engine_cell_call(cell->engine, handler, event_json != NULL ? event_json : "{}", out,
                              size_bytes, err);
    return cell_count_call(cell, cell_end_call(cell, start_ns, status));
}

/* --- Facts --- */

const snapcell_artifact_info *snapcell_cell_info(const snapcell_cell *cell)
{
    return &cell->image->info;
}

void snapcell_cell_timings(const snapcell_cell *cell, snapcell_timings *out, size_t out_size_bytes)
{
    public_struct_write(out, out_size_bytes, &cell->timings, sizeof(cell->timings));
}
