/* What everybody has: V8 on its default platform. The bytes that it starts from are in memory
 * before the clock runs: there is no lookup, no check and no decoding. The clock runs from the call
 * of engine_cell_new() (v8::Isolate::New, v8::Context::New) to the response. */
#include <string.h>

#include "bench_artifact.h"
#include "bench_subject.h"
#include "bench_variant.h"
#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"

#define BENCH_MEMORY_LIMIT_BYTES ((uint64_t)128 << 20) /* the loader's default */

typedef struct bench_engine {
    bench_artifact *artifact;
    engine_image image;
    void *blob; /* another than the artifact's; NULL when there is none */
    char *url;
    snapcell_request request;
} bench_engine;

static void bench_engine_close(void *subject)
{
    bench_engine *self = subject;
    bench_artifact_free(self->artifact);
    free(self->blob);
    free(self->url);
    free(self);
}

static void bench_engine_cleanup(bench_engine **self)
{
    if (*self) bench_engine_close(*self);
}

/* Sets the image to what `how` says: "source", "code_cache", or "snapshot". */
static int bench_engine_image(bench_engine *self, const char *how, const char *blob_path,
                              snapcell_error *err)
{
    const snapcell_artifact_info *info = &self->artifact->info;
    self->image = (engine_image){
        .kind = SNAPCELL_ARTIFACT_CODE,
        .shape = info->shape,
        .format = (engine_format)info->source_format,
        .bundle = self->artifact->bundle,
    };
    if (strcmp(how, "source") == 0) return SNAPCELL_OK;
    if (strcmp(how, "code_cache") == 0) {
        int status = bench_variant_code_cache(self->artifact, self->url, &self->blob,
                                              &self->image.blob_size_bytes, err);
        self->image.blob = self->blob;
        return status;
    }
    self->image.kind = SNAPCELL_ARTIFACT_SNAPSHOT;
    self->image.blob = self->artifact->blob;
    self->image.blob_size_bytes = (size_t)info->blob_size_bytes;
    if (!blob_path) return SNAPCELL_OK;
    int status = bench_variant_read(blob_path, &self->blob, &self->image.blob_size_bytes, err);
    self->image.blob = self->blob;
    return status;
}

static int bench_engine_open(const json_t *spec, void **out, snapcell_error *err)
{
    const char *store, *ref, *url, *how;
    int status = bench_spec_text(spec, "store", &store, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "ref", &ref, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "url", &url, err);
    if (status == SNAPCELL_OK) status = bench_spec_text(spec, "how", &how, err);
    if (status == SNAPCELL_OK) status = engine_start(ENGINE_MODE_BASELINE, err);
    if (status != SNAPCELL_OK) return status;

    bench_engine *self cleanup(bench_engine_cleanup) = calloc(1, sizeof(*self));
    if (self) self->url = strdup(url);
    if (!self || !self->url) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a subject");
    self->request = (snapcell_request)SNAPCELL_REQUEST_INIT;
    self->request.url = self->url;
    status = bench_artifact_open(store, ref, &self->artifact, err);
    if (status != SNAPCELL_OK) return status;
    status = bench_engine_image(self, how, json_string_value(json_object_get(spec, "blob")), err);
    if (status != SNAPCELL_OK) return status;
    *out = steal_pointer(&self);
    return SNAPCELL_OK;
}

static void bench_engine_dispose(void *instance)
{
    engine_cell_free(instance);
}

static int bench_engine_load(void *subject, const char *ref, void **instance, bench_sample *sample,
                             snapcell_error *err)
{
    (void)ref; /* it was loaded when the subject was opened */
    bench_engine *self = subject;
    engine_cell_options options = {
        .function_name = self->artifact->info.name,
        .memory_limit_bytes = BENCH_MEMORY_LIMIT_BYTES,
    };
    engine_cell *cell = NULL;
    engine_cell_times times = {0};
    snapcell_response *response = NULL;
    uint64_t start_ns = monotonic_now_ns();
    int status = engine_cell_new(&self->image, &options, &cell, &times, err);
    uint64_t made_ns = monotonic_now_ns();
    if (status == SNAPCELL_OK) status = engine_cell_fetch(cell, &self->request, &response, err);
    uint64_t end_ns = monotonic_now_ns();
    if (status == SNAPCELL_OK) status = bench_check_response(response, &sample->response_hash, err);
    snapcell_response_free(response);
    if (status != SNAPCELL_OK) {
        engine_cell_free(cell);
        return status;
    }
    sample->total_ns = end_ns - start_ns;
    sample->isolate_ns = times.isolate_ns;
    sample->context_ns = times.context_ns;
    sample->call_ns = end_ns - made_ns;
    *instance = cell;
    return SNAPCELL_OK;
}

const bench_subject_type bench_subject_engine = {
    .open = bench_engine_open,
    .load = bench_engine_load,
    .dispose = bench_engine_dispose,
    .close = bench_engine_close,
};
