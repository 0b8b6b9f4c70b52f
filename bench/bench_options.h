/* The loader's options that a configuration may set. */
#ifndef SNAPCELL_BENCH_OPTIONS_H
#define SNAPCELL_BENCH_OPTIONS_H

#include <jansson.h>

#include "snapcell/loader.h"

/* How many spare cells a function has where a configuration asks for them. */
#define BENCH_SPARE_CELLS 2

/* From a spec's members of the same names into `options`. */
void bench_options_apply(const json_t *spec, snapcell_loader_options *options);

#endif
