/* An image: an artifact that was verified and decoded, in memory of its own. Cells run from it, and
 * share it by reference. Internal to the loader. */
#ifndef SNAPCELL_IMAGE_H
#define SNAPCELL_IMAGE_H

#include <stdatomic.h>

#include <pthread.h>

#include "artifact_reader.h"
#include "engine.h"

/* A section that is decoded when it is first asked for. `stored` is a copy of the section as it
 * lies in the artifact: it is small, and the store's pages need not stay pinned for it. */
typedef struct image_text {
    pthread_mutex_t mutex;
    artifact_section stored; /* data: Owned with the image, NULL when absent */
    char *decoded;           /* room for it, and a terminating zero; NULL until needed */
    _Atomic bool ready;
} image_text;

typedef struct image {
    atomic_uint reference_count;
    snapcell_artifact_info info; /* manifest is NULL */
    void *blob;                  /* 64-byte aligned */
    artifact_text_encoding source_encoding;
    image_text source;
    image_text source_map;
} image;

/* Decodes a view, which was verified, into a new image with one reference. Nothing of the view's
 * bytes is used afterwards. `*out`: Owned, image_release(). Thread: any. Errors: E_CORRUPT,
 * E_NOMEM. */
int image_new(const artifact_view *view, image **out, snapcell_error *err);

/* One more reference. Returns `shared`. Thread: any. */
image *image_retain(image *shared);

/* Gives a reference back; the last frees the image. NULL is allowed. Thread: any. */
void image_release(image *shared);

/* What the engine takes. Everything in it is Borrowed from the image. */
engine_image image_for_engine(image *shared, const snapcell_host *host);

#endif
