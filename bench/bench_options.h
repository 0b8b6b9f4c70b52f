/* The loader's options that a configuration may set. */
#ifndef SNAPCELL_BENCH_OPTIONS_H
#define SNAPCELL_BENCH_OPTIONS_H

#include <jansson.h>

#include "snapcell/loader.h"

/* From a spec's members of the same names into `options`. */
void bench_options_apply(const json_t *spec, snapcell_loader_options *options);

#endif
