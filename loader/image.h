/* An image: an artifact that was verified and decoded, in memory of its own or, where its blob is
 * stored as it is, in place in the store. Cells run from it, and share it by reference. Internal to
 * the loader. */
#ifndef SNAPCELL_IMAGE_H
#define SNAPCELL_IMAGE_H

#include <stdatomic.h>

#include "artifact_reader.h"
#include "buffer_pool.h"
#include "engine.h"
#include "image_text.h"
#include "snapcell/store.h"
#include "snapcell/trust.h"
#include "verified_set.h"

/* What the images of one loader share. Outlives them. */
typedef struct image_context {
    buffer_pool buffers;
    snapcell_store *store;    /* whose views images may keep open */
    uint32_t place_count_max; /* how many */
    _Atomic uint32_t place_count;
} image_context;

typedef struct image {
    atomic_uint reference_count;
    image_context *context;
    snapcell_artifact_info info;  /* manifest is NULL */
    verified_entry identity;      /* of the artifact's bytes, by their checksum */
    snapcell_signature signature; /* verified; zeroed without a trust set */
    const void *blob;             /* aligned to 16 */
    artifact_text_encoding source_encoding;
    image_text source;
    image_text source_map;
    pool_buffer memory;        /* the blob, and texts as they are stored; none when in place */
    snapcell_store_view place; /* in which all that lies instead; zeroed otherwise */

    /* Of image_new_with_rest(), else NULL and zero. */
    struct image *base; /* one reference */
    char *rest_map;
    size_t rest_map_size_bytes;
    size_t rest_line; /* of the bundle, on which the rest begins; from 0 */

    /* The cache's own; under its mutex. */
    struct image *cache_chain;
    struct image *cache_newer;
    struct image *cache_older;
    bool cached;
} image;

/* Decodes a view, which was verified, into a new image with one reference.
 *
 * `place`: the store's view that `view` is of; NULL when it is of other bytes. When the blob can be
 * used as it lies there, the image takes the store's view over and zeroes `*place`. Else nothing of
 * the view's bytes is used afterwards. `identity`: of those bytes. `*out`: Owned, image_release().
 * Thread: any. Errors: E_CORRUPT, E_NOMEM. */
int image_new(image_context *context, const artifact_view *view, const verified_entry *identity,
              snapcell_store_view *place, image **out, snapcell_error *err);

/* One more reference. Returns `shared`. Thread: any. */
image *image_retain(image *shared);

/* Gives a reference back; the last frees the image. NULL is allowed. Thread: any. */
void image_release(image *shared);

/* Whether it lies in the store, which keeps a view of it open. */
bool image_is_in_place(const image *shared);

/* The memory it takes, its source decoded. */
uint64_t image_size_bytes(const image *shared);

/* One with a reference and nothing else. NULL when memory is short. */
image *image_blank(image_context *context, snapcell_error *err);

/* The texts, decoded, as the engine asks for them; NULL: there is none, or no memory for it.
 * Borrowed from the image. */
const void *image_source_data(void *user);
const char *image_source_map_data(void *user, size_t *size_bytes);

/* What the engine takes. Everything in it is Borrowed from the image. */
engine_image image_for_engine(image *shared, const snapcell_host *host);

#endif
