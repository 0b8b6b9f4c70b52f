/* Memory outside of what a restore puts back: shared anonymous mappings, which a checkpoint passes
 * over. What has to outlive a call lives here. Internal. */
#ifndef SNAPCELL_OUTER_MEMORY_H
#define SNAPCELL_OUTER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory that costs nothing until it is touched; NULL when there is none. `size_bytes` is
 * rounded up to pages. Owned: outer_free() with the same size. */
void *outer_alloc(size_t size_bytes);
void outer_free(void *memory, size_t size_bytes);

/* A message's bytes: address space for the largest one, since a mapping that came after a
 * checkpoint would go at the next restore. Zeroed is none. */
typedef struct outer_buffer {
    unsigned char *data; /* Owned: outer_buffer_release() */
    size_t capacity_bytes;
    size_t used_bytes; /* as much of it was written and may hold a call's data */
} outer_buffer;

/* False: no memory. */
bool outer_buffer_init(outer_buffer *buffer, size_t capacity_bytes);
/* Notes that `size_bytes` from the beginning are used. False: there is no room for that. */
bool outer_buffer_use(outer_buffer *buffer, size_t size_bytes);
/* Clears what was used; what a large message took goes back to the kernel. */
void outer_buffer_wipe(outer_buffer *buffer);
void outer_buffer_release(outer_buffer *buffer);

#endif
