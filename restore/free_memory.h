/* What malloc() and the stack have no use for keeps the bytes of what was there: a checkpoint would
 * hold them. Internal. */
#ifndef SNAPCELL_FREE_MEMORY_H
#define SNAPCELL_FREE_MEMORY_H

#include <stddef.h>

/* Zeroes the free memory of malloc()'s only arena, as there is in a process with one thread that
 * uses no other, and keeps its small pieces from being allocated. What is allocated then lies
 * together at the end, and not on a page of its own each, which a restore would have to put back.
 * What is held already stays so. */
void free_memory_hold(void);

/* Gives the pieces back to malloc(). */
void free_memory_release(void);

/* Clears the part of a stack that is below `top`, down to `size_bytes` from there, for a caller
 * that runs on another one. */
void free_stack_clear(void *top, size_t size_bytes);

#endif
