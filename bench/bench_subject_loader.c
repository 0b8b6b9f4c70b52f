/* Loads as an embedder does them. The clock runs from the call of snapcell_cell_load() to the
 * return of snapcell_cell_fetch(), so that lookup, reading, checking and decoding are in. */
#include <string.h>

#include "bench_options.h"
#include "bench_pages.h"
#include "bench_subject.h"
#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"
#include "snapcell/loader.h"

typedef struct bench_loader {
    snapcell_loader *loader;
    snapcell_request request;
    char *url;
    bool drop_pages;
    bench_pages pages;
    bool spares; /* each load but the first is to be a spare cell that was ready */
} bench_loader;

#define BENCH_SPARE_WAIT_NS 30000000000u
#define BENCH_SPARE_POLL_US 200

static void bench_loader_close(void *subject)
{
    bench_loader *self = subject;
    if (self->drop_pages) bench_pages_close(&self->pages);
    snapcell_loader_close(self->loader);
    free(self->url);
    free(self);
}

static void bench_loader_cleanup(bench_loader **self)
{
    if (*self) bench_loader_close(*self);
}

static int bench_loader_open(const json_t *spec, void **out, snapcell_error *err)
{
    const char *store, *url;
    int status = bench_spec_text(spec, "store", &store, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "url", &url, err);
    if (status != SNAPCELL_OK) return status;

    bench_loader *self cleanup(bench_loader_cleanup) = calloc(1, sizeof(*self));
    if (self) self->url = strdup(url);
    if (!self || !self->url) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a loader");
    self->request = (snapcell_request)SNAPCELL_REQUEST_INIT;
    self->request.url = self->url;

    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = store;
    bench_options_apply(spec, &options);
    status = snapcell_loader_open(&options, &self->loader, err);
    if (status != SNAPCELL_OK) return status;
    if (json_is_true(json_object_get(spec, "drop_pages"))) {
        status = bench_pages_open(store, &self->pages, err);
        if (status != SNAPCELL_OK) return status;
        self->drop_pages = true;
    }
    self->spares = options.spare_cells_per_function > 0;
    *out = steal_pointer(&self);
    return SNAPCELL_OK;
}

static void bench_loader_phases(const snapcell_cell *cell, bench_sample *sample)
{
    snapcell_timings timings;
    snapcell_cell_timings(cell, &timings, sizeof(timings));
#define BENCH_COPY_PHASE(name) sample->name##_ns = timings.name##_ns;
    BENCH_PHASE_MAP(BENCH_COPY_PHASE)
#undef BENCH_COPY_PHASE
}

static void bench_loader_dispose(void *instance)
{
    snapcell_cell_dispose(instance);
}

/* Waits until a spare cell is ready, and nothing is being made: that would be measured, too. */
static int bench_loader_await_spares(const bench_loader *self, snapcell_counters *now,
                                     snapcell_error *err)
{
    uint64_t start_ns = monotonic_now_ns();
    snapcell_loader_counters(self->loader, now, sizeof(*now));
    while (now->loads > 0 && now->spares_ready < BENCH_SPARE_CELLS) {
        if (monotonic_now_ns() - start_ns > BENCH_SPARE_WAIT_NS)
            return error_set(err, SNAPCELL_E_INTERNAL, "no spare cell became ready in 30 seconds");
        usleep(BENCH_SPARE_POLL_US);
        snapcell_loader_counters(self->loader, now, sizeof(*now));
    }
    return SNAPCELL_OK;
}

static int bench_loader_check_hit(const bench_loader *self, const snapcell_counters *before,
                                  snapcell_error *err)
{
    snapcell_counters now;
    snapcell_loader_counters(self->loader, &now, sizeof(now));
    if (before->loads == 0 || now.spare_hits > before->spare_hits) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL, "a load did not get the spare cell that was ready");
}

static int bench_loader_load(void *subject, const char *ref, void **instance, bench_sample *sample,
                             snapcell_error *err)
{
    bench_loader *self = subject;
    if (self->drop_pages) {
        int dropped = bench_pages_drop(&self->pages, &sample->resident_bytes, err);
        if (dropped != SNAPCELL_OK) return dropped;
    }
    snapcell_counters before;
    if (self->spares) {
        int ready = bench_loader_await_spares(self, &before, err);
        if (ready != SNAPCELL_OK) return ready;
    }
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    uint64_t start_ns = monotonic_now_ns();
    int status = snapcell_cell_load(self->loader, ref, NULL, &cell, err);
    if (status == SNAPCELL_OK) status = snapcell_cell_fetch(cell, &self->request, &response, err);
    sample->total_ns = monotonic_now_ns() - start_ns;
    if (status == SNAPCELL_OK) status = bench_check_response(response, &sample->response_hash, err);
    if (status == SNAPCELL_OK && self->spares) status = bench_loader_check_hit(self, &before, err);
    snapcell_response_free(response);
    if (status != SNAPCELL_OK) {
        snapcell_cell_dispose(cell);
        return status;
    }
    bench_loader_phases(cell, sample);
    *instance = cell;
    return SNAPCELL_OK;
}

const bench_subject_type bench_subject_loader = {
    .open = bench_loader_open,
    .load = bench_loader_load,
    .dispose = bench_loader_dispose,
    .close = bench_loader_close,
};
