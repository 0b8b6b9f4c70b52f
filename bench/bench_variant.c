#include "bench_variant.h"

#include "cleanup.h"
#include "cli.h"
#include "error_set.h"

#define BENCH_BUILD_MEMORY_BYTES ((uint64_t)512 << 20) /* the compiler's default */
#define BENCH_BLOB_SIZE_MAX ((size_t)1 << 30)

static int bench_variant_build(const bench_artifact *artifact, snapcell_artifact_kind kind,
                               const char *url, engine_build_result *out, snapcell_error *err)
{
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    warm.url = url;
    engine_build_options options = {
        .kind = kind,
        .format = (engine_format)artifact->info.source_format,
        .warm = &warm,
        .warm_count = 1,
        .clear_code = kind == SNAPCELL_ARTIFACT_SNAPSHOT,
        .memory_limit_bytes = BENCH_BUILD_MEMORY_BYTES,
        .function_name = artifact->info.name,
    };
    return engine_build(&artifact->bundle, &options, out, err);
}

int bench_variant_code_cache(const bench_artifact *artifact, const char *url, void **out,
                             size_t *size_bytes, snapcell_error *err)
{
    engine_build_result result;
    int status = bench_variant_build(artifact, SNAPCELL_ARTIFACT_CODE, url, &result, err);
    if (status != SNAPCELL_OK) return status;
    *size_bytes = result.blob_size_bytes;
    *out = steal_pointer(&result.blob);
    engine_build_result_release(&result);
    return SNAPCELL_OK;
}

int bench_variant_write_clear(const bench_artifact *artifact, const char *url, const char *path,
                              snapcell_error *err)
{
    int status = engine_start(ENGINE_MODE_BUILD, err);
    if (status != SNAPCELL_OK) return status;
    engine_build_result result;
    status = bench_variant_build(artifact, SNAPCELL_ARTIFACT_SNAPSHOT, url, &result, err);
    if (status != SNAPCELL_OK) return status;
    status = cli_write_file(path, result.blob, result.blob_size_bytes, true, err);
    engine_build_result_release(&result);
    return status;
}

int bench_variant_read(const char *path, void **out, size_t *size_bytes, snapcell_error *err)
{
    char *text;
    int status = cli_read_file(path, BENCH_BLOB_SIZE_MAX, &text, size_bytes, err);
    if (status == SNAPCELL_OK) *out = text;
    return status;
}
