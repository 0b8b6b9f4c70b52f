#include "snapcell/loader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell_restore.h"
#include "cleanup.h"
#include "error_set.h"
#include "format_version.h"
#include "loader_state.h"
#include "public_struct.h"

/* Kept memory for decoding: some twenty functions of the usual size, at once. */
#define LOADER_BUFFERS_SIZE_BYTES ((size_t)32 << 20)

static void loader_cleanup_loader(snapcell_loader **loader)
{
    snapcell_loader_close(*loader);
}

static uint64_t loader_cache_size_bytes(const snapcell_loader_options *options)
{
    if (options->cache_size_bytes == SNAPCELL_CACHE_NONE) return 0;
    return options->cache_size_bytes != 0 ? options->cache_size_bytes
                                          : SNAPCELL_CACHE_SIZE_BYTES_DEFAULT;
}

static uint32_t loader_in_place_count(const snapcell_loader_options *options)
{
    if (options->in_place_count_max == SNAPCELL_IN_PLACE_NONE) return 0;
    return options->in_place_count_max != 0 ? options->in_place_count_max
                                            : SNAPCELL_IN_PLACE_COUNT_MAX_DEFAULT;
}

/* Only the process's first loader has an effect. */
static void loader_set_pages(const snapcell_loader_options *options, bool restoring)
{
    engine_page_options pages = {
        .kept_size_bytes = options->page_size_bytes != 0 ? options->page_size_bytes
                                                         : SNAPCELL_PAGE_SIZE_BYTES_DEFAULT,
        .huge_pages = options->huge_pages,
        .zeroed_in_place = restoring,
    };
    engine_set_page_options(&pages);
}

static int loader_take_client(snapcell_loader *loader, const snapcell_fetch_client *given,
                              snapcell_error *err)
{
    if (given == NULL) return SNAPCELL_OK;
    snapcell_fetch_client *client = &loader->fetch_client;
    int status = public_struct_read(client, sizeof(*client), given, "snapcell_fetch_client", err);
    if (status != SNAPCELL_OK) return status;
    if (client->start == NULL || client->send == NULL || client->read == NULL ||
        client->close == NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_fetch_client needs start, send, read and close; one is NULL");
    return SNAPCELL_OK;
}

/* Images are held to what the set says now; what was verified stays so, whatever it says. */
static int loader_init_trust(snapcell_loader *loader, const snapcell_trust *trust,
                             snapcell_error *err)
{
    if (trust == NULL) return SNAPCELL_OK;
    if (pthread_rwlock_init(&loader->trust_lock, NULL) != 0)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a loader");
    loader->has_trust = true;
    loader->trust = trust_copy(trust);
    if (loader->trust == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the loader's trust set");
    artifact_tag_key_draw(loader->tag_key);
    return SNAPCELL_OK;
}

/* A loader without a store. */
static int loader_new(const snapcell_loader_options *options, snapcell_loader **out,
                      snapcell_error *err)
{
    snapcell_loader *loader cleanup(loader_cleanup_loader) = calloc(1, sizeof(*loader));
    if (loader == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a loader");
    loader->pid = getpid();
    buffer_pool_init(&loader->images.buffers, LOADER_BUFFERS_SIZE_BYTES);
    loader->images.place_count_max = loader_in_place_count(options);
    if (verified_set_init(&loader->verified) != 0 ||
        image_cache_init(&loader->cache, loader_cache_size_bytes(options)) != 0)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a loader");
    loader->host = options->host;
    loader->log = options->log;
    loader->log_user = options->log_user;
    loader->overrun = options->overrun;
    loader->overrun_user = options->overrun_user;
    int status = loader_init_trust(loader, options->trust, err);
    if (status == SNAPCELL_OK) status = loader_take_client(loader, options->fetch_client, err);
    if (status != SNAPCELL_OK) return status;
    loader->engine = engine_fingerprint();
    loader->host_fingerprint = snapcell_host_fingerprint(options->host);
    *out = steal_pointer(&loader);
    return SNAPCELL_OK;
}

static int loader_start_spares(snapcell_loader *loader, const snapcell_loader_options *options,
                               snapcell_error *err)
{
    const spare_bounds bounds = {
        .cells_per_function = options->spare_cells_per_function,
        .functions = options->spare_function_count_max != 0
                         ? options->spare_function_count_max
                         : SNAPCELL_SPARE_FUNCTION_COUNT_MAX_DEFAULT,
        .size_bytes = options->spare_size_bytes != 0 ? options->spare_size_bytes
                                                     : SNAPCELL_SPARE_SIZE_BYTES_DEFAULT,
    };
    return spare_cells_start(&loader->spares, loader, &bounds, err);
}

void loader_leave_process(snapcell_loader *loader)
{
    loader->pid = 0;
    engine_leave_process();
}

int loader_open_restoring(const snapcell_loader_options *options, engine_exhausted_fn *exhausted,
                          void *user, snapcell_loader **out, snapcell_error *err)
{
    *out = NULL;
    snapcell_loader_options given;
    int status = public_struct_read(&given, sizeof(given), options, "snapcell_loader_options", err);
    if (status != SNAPCELL_OK) return status;

    snapcell_loader *loader cleanup(loader_cleanup_loader) = NULL;
    status = loader_new(&given, &loader, err);
    if (status != SNAPCELL_OK) return status;
    status = snapcell_store_open(given.store_path != NULL ? given.store_path
                                                          : snapcell_store_default_path(),
                                 SNAPCELL_STORE_READ, &loader->store, err);
    if (status != SNAPCELL_OK) return status;
    loader->images.store = loader->store;
    loader->exhausted = exhausted;
    loader->exhausted_user = user;
    loader_set_pages(&given, exhausted != NULL);
    status = engine_start(ENGINE_MODE_RUN, err);
    if (status == SNAPCELL_OK) status = loader_start_spares(loader, &given, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&loader);
    return status;
}

int snapcell_loader_open(const snapcell_loader_options *options, snapcell_loader **out,
                         snapcell_error *err)
{
    return loader_open_restoring(options, NULL, NULL, out, err);
}

void snapcell_loader_close(snapcell_loader *loader)
{
    if (loader == NULL) return;
    if (loader_is_here(loader)) {
        spare_cells_stop(&loader->spares);
        loader_seal_release(&loader->seal);
        image_cache_release(&loader->cache);
        verified_set_release(&loader->verified);
        buffer_pool_release(&loader->images.buffers);
        if (loader->has_trust) pthread_rwlock_destroy(&loader->trust_lock);
    }
    snapcell_trust_free(loader->trust);
    snapcell_store_close(loader->store);
    free(loader);
}

int snapcell_loader_set_trust(snapcell_loader *loader, const snapcell_trust *trust,
                              snapcell_error *err)
{
    int status = engine_check_caller(err);
    if (status != SNAPCELL_OK) return status;
    if (!loader->has_trust || trust == NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a loader's trust set can be replaced by another one, %s: open a loader "
                         "with snapcell_loader_options.trust",
                         trust == NULL ? "not by none" : "but this one was opened without");
    snapcell_trust *copy = trust_copy(trust);
    if (copy == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a trust set");
    pthread_rwlock_wrlock(&loader->trust_lock);
    snapcell_trust *before = loader->trust;
    loader->trust = copy;
    pthread_rwlock_unlock(&loader->trust_lock);
    snapcell_trust_free(before);
    return SNAPCELL_OK;
}

void snapcell_loader_trim(snapcell_loader *loader)
{
    if (!loader_is_here(loader)) return;
    loader_give_back(loader);
}

static uint64_t loader_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void snapcell_loader_counters(const snapcell_loader *loader, snapcell_counters *out,
                              size_t out_size_bytes)
{
    snapcell_loader *parts = (snapcell_loader *)loader; /* for their locks */
    bool here = loader_is_here(loader);
    uint64_t spares_ready = 0, spares_size_bytes = 0;
    if (here) spare_cells_count(&parts->spares, &spares_ready, &spares_size_bytes);
    const loader_counters *counters = &loader->counters;
    const snapcell_counters now = {
        .loads = loader_counter(&counters->loads),
        .load_failures = loader_counter(&counters->load_failures),
        .calls = loader_counter(&counters->calls),
        .call_failures = loader_counter(&counters->call_failures),
        .live_cells = loader_counter(&counters->live_cells),
        .read_size_bytes = loader_counter(&counters->read_size_bytes),
        .decoded_size_bytes = loader_counter(&counters->decoded_size_bytes),
        .memory_limits_hit = loader_counter(&counters->memory_limits_hit),
        .cpu_limits_hit = loader_counter(&counters->cpu_limits_hit),
        .wall_limits_hit = loader_counter(&counters->wall_limits_hit),
        .response_limits_hit = loader_counter(&counters->response_limits_hit),
        .cache_hits = loader_counter(&counters->cache_hits),
        .cache_misses = loader_counter(&counters->cache_misses),
        .cache_size_bytes = here ? image_cache_size_bytes(&parts->cache) : 0,
        .spare_hits = loader_counter(&counters->spare_hits),
        .spare_misses = loader_counter(&counters->spare_misses),
        .spares_ready = spares_ready,
        .spares_size_bytes = spares_size_bytes,
        .process_cells = here ? engine_cell_count() : 0,
        .process_cells_max = SNAPCELL_CELLS_MAX,
        .in_place_count = atomic_load_explicit(&loader->images.place_count, memory_order_relaxed),
    };
    public_struct_write(out, out_size_bytes, &now, sizeof(now));
}

void snapcell_engine_info_get(snapcell_engine_info *out, size_t out_size_bytes)
{
    const snapcell_engine_info info = {
        .fingerprint = engine_fingerprint(),
        .v8_version = engine_v8_version(),
        .v8_flags = engine_v8_flags(),
        .architecture = engine_architecture(),
        .format_version = SNAPCELL_FORMAT_VERSION,
    };
    public_struct_write(out, out_size_bytes, &info, sizeof(info));
}
