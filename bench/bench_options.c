#include "bench_options.h"

static uint64_t bench_option(const json_t *spec, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(spec, name));
}

void bench_options_apply(const json_t *spec, snapcell_loader_options *options)
{
    options->cache_size_bytes = bench_option(spec, "cache_size_bytes"); /* -1: none */
    options->spare_cells_per_function = (uint32_t)bench_option(spec, "spare_cells_per_function");
}
