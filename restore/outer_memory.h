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

/* Bytes that grow, for messages. Zeroed is empty. */
typedef struct outer_buffer {
    unsigned char *data; /* Owned: outer_buffer_release() */
    size_t capacity_bytes;
    size_t used_bytes; /* as much of it was written and may hold a call's data */
} outer_buffer;

/* Room for `size_bytes`, what is there is kept; notes that they are used. False: no memory. */
bool outer_buffer_reserve(outer_buffer *buffer, size_t size_bytes);
/* Clears what was used, and gives back what a large message took. */
void outer_buffer_wipe(outer_buffer *buffer);
void outer_buffer_release(outer_buffer *buffer);

#endif
