/* Which artifact a name means now. Internal to workers/. */
#ifndef SNAPCELL_IMAGE_STORE_H
#define SNAPCELL_IMAGE_STORE_H

#include <stdbool.h>

#include "snapcell/store.h"

typedef struct image_store image_store;

/* Opens nothing yet. NULL: no memory. */
image_store *image_store_new(const char *path);
void image_store_free(image_store *store);

/* Opens the store now, if it can be opened. Thread: any. */
void image_store_prepare(image_store *store);

/* The key that a loader of this engine would find. The store is kept open, and opened again when
 * another one is in its place. False: there is none, or the store cannot be read. Thread: any. */
bool image_store_resolve(image_store *store, const char *ref, snapcell_key *out);

#endif
