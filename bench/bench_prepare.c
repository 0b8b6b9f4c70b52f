/* Compiles each function as the configurations want it, into stores that are the run's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench_config.h"
#include "bench_many.h"
#include "bench_sections.h"
#include "cleanup.h"
#include "error_set.h"
#include "snapcell/compiler.h"
#include "snapcell/store.h"

typedef struct bench_variant_kind {
    const char *suffix;
    bool warm;
    bool raw;
    bool cold; /* put into a store for cold loads, too */
} bench_variant_kind;

static const bench_variant_kind bench_variants[] = {
    {"", true, false, true},
    {".raw", true, true, true},
    {".unwarmed", false, false, false},
    {".unwarmed.raw", false, true, false},
};
#define BENCH_VARIANT_COUNT (sizeof(bench_variants) / sizeof(bench_variants[0]))

static int bench_compile(const bench_context *context, const bench_function *function,
                         const bench_variant_kind *variant, snapcell_compiled **out,
                         snapcell_error *err)
{
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    warm.url = context->settings.url;
    char name[BENCH_ARTIFACT_NAME_SIZE];
    bench_artifact_name(function, variant->suffix, name);
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.name = name;
    options.warm = &warm;
    options.warm_count = variant->warm ? 1 : 0;
    options.raw = variant->raw;
    options.strict = true;
    return snapcell_compile_file(function->path, &options, out, err);
}

static json_t *bench_variant_facts(const bench_variant_kind *variant,
                                   const snapcell_artifact_info *info)
{
    char key[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&info->key, key);
    return json_pack("{s:b, s:b, s:s, s:I, s:I, s:I}", "warm", variant->warm, "raw", variant->raw,
                     "key", key, "source_size_bytes", (json_int_t)info->source_size_bytes,
                     "blob_size_bytes", (json_int_t)info->blob_size_bytes, "artifact_size_bytes",
                     (json_int_t)info->artifact_size_bytes);
}

/* All in one; and two that children have for themselves. */
typedef struct bench_stores {
    snapcell_store *all;
    snapcell_store *cold;
    snapcell_store *cold_raw;
} bench_stores;

static void bench_close_stores(bench_stores *stores)
{
    snapcell_store_close(stores->all);
    snapcell_store_close(stores->cold);
    snapcell_store_close(stores->cold_raw);
}

static int bench_prepare_variant(bench_context *context, const bench_stores *stores,
                                 const bench_function *function, const bench_variant_kind *variant,
                                 json_t *facts, snapcell_error *err)
{
    snapcell_compiled *compiled = NULL;
    int status = bench_compile(context, function, variant, &compiled, err);
    size_t size = 0;
    const void *bytes = compiled ? snapcell_compiled_artifact(compiled, &size) : NULL;
    if (status == SNAPCELL_OK)
        status =
            snapcell_store_put(stores->all, bytes, size, snapcell_compiled_name(compiled), err);
    if (status == SNAPCELL_OK && variant->cold)
        status = snapcell_store_put(variant->raw ? stores->cold_raw : stores->cold, bytes, size,
                                    snapcell_compiled_name(compiled), err);
    if (status == SNAPCELL_OK)
        json_array_append_new(facts,
                              bench_variant_facts(variant, snapcell_compiled_info(compiled)));
    snapcell_compiled_free(compiled);
    return status;
}

/* A child makes the blob that the compiler would not. */
static int bench_prepare_clear(bench_context *context, bench_function *function,
                               snapcell_error *err)
{
    int size = snprintf(function->clear_path, sizeof(function->clear_path), "%s/%s.clear.blob",
                        context->settings.out, function->name);
    if (size >= (int)sizeof(function->clear_path))
        return error_set(err, SNAPCELL_E_USAGE, "--out is too long");
    char ref[BENCH_ARTIFACT_NAME_SIZE];
    bench_artifact_name(function, ".raw", ref);
    json_t *spec =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "how", "build_clear", "store", context->store, "ref",
                  ref, "url", context->settings.url, "out", function->clear_path);
    bench_client client;
    int status = bench_client_start(spec, "a snapshot without code", &client, err);
    return status == SNAPCELL_OK ? bench_client_stop(&client, err) : status;
}

static int bench_prepare_function(bench_context *context, const bench_stores *stores,
                                  bench_function *function, snapcell_error *err)
{
    bench_progress_step(&context->progress, 0, "compiling %s", function->name);
    struct stat bundle;
    if (stat(function->path, &bundle) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "reading %s", function->path);
    json_t *facts = json_array();
    json_array_append_new(json_object_get(context->results, "functions"),
                          json_pack("{s:s, s:I, s:s, s:o}", "name", function->name,
                                    "bundle_size_bytes", (json_int_t)bundle.st_size, "url",
                                    context->settings.url, "artifacts", facts));
    int status = SNAPCELL_OK;
    for (size_t i = 0; i < BENCH_VARIANT_COUNT && status == SNAPCELL_OK; i++)
        status = bench_prepare_variant(context, stores, function, &bench_variants[i], facts, err);
    return status == SNAPCELL_OK ? bench_prepare_clear(context, function, err) : status;
}

int bench_prepare(bench_context *context, snapcell_error *err)
{
    bench_stores stores cleanup(bench_close_stores) = {0};
    /* What an earlier run left there may be of another engine, and makes the files larger. */
    bench_store_remove(context->store);
    bench_store_remove(context->cold_store);
    bench_store_remove(context->cold_raw_store);
    int status = snapcell_store_open(context->store, SNAPCELL_STORE_CREATE, &stores.all, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(context->cold_store, SNAPCELL_STORE_CREATE, &stores.cold, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(context->cold_raw_store, SNAPCELL_STORE_CREATE,
                                     &stores.cold_raw, err);
    for (size_t i = 0; i < context->function_count && status == SNAPCELL_OK; i++)
        status = bench_prepare_function(context, &stores, &context->functions[i], err);
    return status;
}
