/* What a process does ahead that waits for the function that it is to load. */
#include "buffer_pool.h"
#include "cell_restore.h"

/* The first time, malloc() takes the largest pieces from the kernel, and learns not to. */
#define REHEARSALS 2
/* Of a function of some size, beyond what the rehearsals took; snapcell_loader_trim() gives back
 * what is left.
 */
#define REHEARSE_PAGES_BYTES ((uint64_t)4 << 20)
#define REHEARSE_BLOB_BYTES ((size_t)4 << 20)

void loader_rehearse(void)
{
    for (int i = 0; i < REHEARSALS; i++)
        if (engine_rehearse(NULL) != SNAPCELL_OK) return; /* a load will say why */
    engine_populate_pages(REHEARSE_PAGES_BYTES);
    buffer_pool_make_ready(REHEARSE_BLOB_BYTES);
}
