/* What malloc() and the stack have no use for keeps the bytes of what was there: a checkpoint would
 * hold them. Internal. */
#ifndef SNAPCELL_FREE_MEMORY_H
#define SNAPCELL_FREE_MEMORY_H

#include <stddef.h>

/* Zeroes the free memory of malloc()'s only arena, as there is in a process with one thread that
 * uses no other. */
void free_memory_clear(void);

/* Clears the part of a stack that is below `top`, down to `size_bytes` from there, for a caller
 * that runs on another one. */
void free_stack_clear(void *top, size_t size_bytes);

#endif
