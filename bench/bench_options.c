#include "bench_options.h"

void bench_options_apply(const json_t *spec, snapcell_loader_options *options)
{
    (void)spec;
    (void)options;
}
