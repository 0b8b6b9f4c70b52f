/* Memory that runs out when a test says so. Needs the linker's --wrap for malloc, calloc, realloc,
 * reallocarray and aligned_alloc; see failing_malloc.c. */
#ifndef SNAPCELL_TESTS_FAILING_MALLOC_H
#define SNAPCELL_TESTS_FAILING_MALLOC_H

#include <stdbool.h>

/* Lets `count` more allocations of this thread succeed and fails all after them, until
 * failing_malloc_stop(). */
void failing_malloc_start(long count);

/* Ends it. Returns whether an allocation was made to fail. */
bool failing_malloc_stop(void);

#endif
