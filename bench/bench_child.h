/* The child's side: one configuration, loaded when the parent says so. */
#ifndef SNAPCELL_BENCH_CHILD_H
#define SNAPCELL_BENCH_CHILD_H

#include "cli.h"

/* The first argument of `snapcell bench` by which the program starts itself as a child; the second
 * is a spec in JSON. */
#define BENCH_CHILD_WORD "--child"

/* Answers orders from standard input on standard output until it is closed. */
cli_status bench_child(const char *spec_json);

#endif
