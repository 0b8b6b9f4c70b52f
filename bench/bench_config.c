#include "bench_config.h"

#include <stdio.h>
#include <string.h>

#include "error_set.h"

#define BENCH_STATE_WARM "warm process, warm page cache"
#define BENCH_STATE_CACHED "warm process, the decoded blob in the loader's cache"
#define BENCH_STATE_SPARE "warm process, a cell is ready"
#define BENCH_STATE_COLD "warm process, the store's pages dropped from the page cache"
#define BENCH_STATE_MEMORY "warm process, the bytes to start from already in memory"

/* What V8 loads by itself is the same blob, decoded before: it comes from the artifact that holds
 * it as it is. */
#define BENCH_RAW ".raw"

#define BENCH_NO_CACHE "{\"cache_size_bytes\": -1}"
#define BENCH_SPARES "{\"spare_cells_per_function\": 2}"

#define BENCH_FROM_LOOKUP "snapcell_cell_load() is called"
#define BENCH_FROM_ISOLATE "v8::Isolate::New() is called"

static const bench_config bench_config_table[] = {
    {.name = "source",
     .how = "source",
     .suffix = BENCH_RAW,
     .state = BENCH_STATE_MEMORY,
     .from = BENCH_FROM_ISOLATE,
     .what = "V8 on its default platform compiles and evaluates the source"},
    {.name = "code_cache",
     .how = "code_cache",
     .suffix = BENCH_RAW,
     .state = BENCH_STATE_MEMORY,
     .from = BENCH_FROM_ISOLATE,
     .what = "the same with V8's code cache, made after a warm-up"},
    {.name = "v8_clear",
     .how = "snapshot",
     .suffix = BENCH_RAW,
     .clear = true,
     .state = BENCH_STATE_MEMORY,
     .from = BENCH_FROM_ISOLATE,
     .what = "V8 on its default platform, snapshot with kClear, blob in memory"},
    {.name = "v8_keep",
     .how = "snapshot",
     .suffix = BENCH_RAW,
     .state = BENCH_STATE_MEMORY,
     .from = BENCH_FROM_ISOLATE,
     .what = "V8 on its default platform, snapshot with kKeep, blob in memory"},
    {.name = "v8_keep_unwarmed",
     .how = "snapshot",
     .suffix = ".unwarmed" BENCH_RAW,
     .state = BENCH_STATE_MEMORY,
     .from = BENCH_FROM_ISOLATE,
     .what = "the same, compiled without --warm"},
    {.name = "compressed",
     .how = "load",
     .suffix = "",
     .options = BENCH_NO_CACHE,
     .state = BENCH_STATE_WARM,
     .from = BENCH_FROM_LOOKUP,
     .what = "snapcell, from the store, compressed, no cache"},
    {.name = "compressed_unwarmed",
     .how = "load",
     .suffix = ".unwarmed",
     .options = BENCH_NO_CACHE,
     .state = BENCH_STATE_WARM,
     .from = BENCH_FROM_LOOKUP,
     .what = "the same, compiled without --warm"},
    {.name = "raw",
     .how = "load",
     .suffix = ".raw",
     .options = BENCH_NO_CACHE,
     .state = BENCH_STATE_WARM,
     .from = BENCH_FROM_LOOKUP,
     .what = "snapcell, from the store, --raw, no cache"},
    {.name = "compressed_cold",
     .how = "load",
     .suffix = "",
     .drop_pages = true,
     .options = BENCH_NO_CACHE,
     .state = BENCH_STATE_COLD,
     .from = BENCH_FROM_LOOKUP,
     .what = "snapcell, from a store that is on the disk alone, compressed"},
    {.name = "raw_cold",
     .how = "load",
     .suffix = ".raw",
     .drop_pages = true,
     .options = BENCH_NO_CACHE,
     .state = BENCH_STATE_COLD,
     .from = BENCH_FROM_LOOKUP,
     .what = "snapcell, from a store that is on the disk alone, --raw"},
    {.name = "cached",
     .how = "load",
     .suffix = "",
     .state = BENCH_STATE_CACHED,
     .from = BENCH_FROM_LOOKUP,
     .what = "snapcell with the loader's defaults, loaded before"},
    {.name = "spares",
     .how = "load",
     .suffix = "",
     .options = BENCH_SPARES,
     .state = BENCH_STATE_SPARE,
     .from = BENCH_FROM_LOOKUP,
     .what = "snapcell with spare cells, one of them ready (not a load: apart from all others)"},
};
#define BENCH_CONFIG_COUNT (sizeof(bench_config_table) / sizeof(bench_config_table[0]))

const bench_config *bench_configs(size_t *count)
{
    *count = BENCH_CONFIG_COUNT;
    return bench_config_table;
}

const bench_config *bench_config_find(const char *name)
{
    for (size_t i = 0; i < BENCH_CONFIG_COUNT; i++)
        if (strcmp(bench_config_table[i].name, name) == 0) return &bench_config_table[i];
    return NULL;
}

void bench_artifact_name(const bench_function *function, const char *suffix,
                         char out[BENCH_ARTIFACT_NAME_SIZE])
{
    snprintf(out, BENCH_ARTIFACT_NAME_SIZE, "%s%s", function->name, suffix);
}

static const char *bench_config_store(const bench_config *config, const bench_context *context)
{
    if (!config->drop_pages) return context->store;
    return strcmp(config->suffix, BENCH_RAW) == 0 ? context->cold_raw_store : context->cold_store;
}

int bench_config_start(const bench_config *config, const bench_context *context,
                       const bench_function *function, bench_client *out, snapcell_error *err)
{
    char name[BENCH_ARTIFACT_NAME_SIZE], what[BENCH_ARTIFACT_NAME_SIZE + 64];
    bench_artifact_name(function, config->suffix, name);
    snprintf(what, sizeof(what), "%s of %s", config->name, function->name);
    json_t *spec = json_pack("{s:s, s:s, s:s, s:[s], s:s, s:b, s:s*}", "how", config->how, "store",
                             bench_config_store(config, context), "ref", name, "refs", name, "url",
                             context->settings.url, "drop_pages", config->drop_pages, "blob",
                             config->clear ? function->clear_path : NULL);
    if (!spec) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a child's spec");
    if (config->options) json_object_update_new(spec, json_loads(config->options, 0, NULL));
    return bench_client_start(spec, what, out, err);
}
