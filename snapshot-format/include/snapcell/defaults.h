/* What zero means in the options of the other headers, in one table. */
#ifndef SNAPCELL_DEFAULTS_H
#define SNAPCELL_DEFAULTS_H

#include <stdint.h>

#define SNAPCELL_MIB (UINT64_C(1) << 20)

/* --- Where --- */
#define SNAPCELL_STORE_PATH_DEFAULT "./snapcell-store" /* unless $SNAPCELL_STORE says otherwise */

/* --- A cell, here and in a worker --- */
#define SNAPCELL_MEMORY_LIMIT_BYTES_DEFAULT (128 * SNAPCELL_MIB)
#define SNAPCELL_TIMER_LIMIT_DEFAULT 10000u

/* --- A loader --- */
#define SNAPCELL_CACHE_SIZE_BYTES_DEFAULT (64 * SNAPCELL_MIB)
#define SNAPCELL_IN_PLACE_COUNT_MAX_DEFAULT 64u
#define SNAPCELL_SPARE_FUNCTION_COUNT_MAX_DEFAULT 1024u
#define SNAPCELL_SPARE_SIZE_BYTES_DEFAULT (256 * SNAPCELL_MIB)
#define SNAPCELL_PAGE_SIZE_BYTES_DEFAULT (64 * SNAPCELL_MIB)

/* Not a default, but a bound: how many cells may live in a process at once, spare ones included. V8
 * has one table of 256 MiB for the code of functions. Each cell takes 64 KiB or more of it, and V8
 * ends the process when it is full, at about 4,070 cells. */
#define SNAPCELL_CELLS_MAX 4000u

/* Not a default, but a bound: how much stack must be left when a function is loaded or called. It
 * must be the thread's own stack: calls on a coroutine's stack are refused. */
#define SNAPCELL_STACK_SIZE_BYTES_MIN (256u << 10)

/* --- Workers --- */
#define SNAPCELL_START_LIMIT_MS_DEFAULT 10000u
#define SNAPCELL_GRACE_MS_DEFAULT 1000u

/* --- A compile --- */
#define SNAPCELL_LEVEL_DEFAULT 9 /* zstd's; chosen by measurement, see docs/performance.md */
#define SNAPCELL_COMPILE_MEMORY_LIMIT_BYTES_DEFAULT (512 * SNAPCELL_MIB)
#define SNAPCELL_COMPILE_WALL_LIMIT_MS_DEFAULT 30000u

#endif
