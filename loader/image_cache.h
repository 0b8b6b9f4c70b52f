/* Images that were used, kept for functions that are loaded again: a bounded map from key to image
 * that forgets what was not used for longest. Internal to the loader. */
#ifndef SNAPCELL_IMAGE_CACHE_H
#define SNAPCELL_IMAGE_CACHE_H

#include "image.h"

#define IMAGE_CACHE_BUCKET_COUNT 1024

typedef struct image_cache {
    pthread_mutex_t mutex;
    uint64_t size_bytes_max; /* 0: nothing is kept */
    uint64_t size_bytes;
    image *newest;
    image *oldest;
    image **buckets;
} image_cache;

/* Returns 0, or -1 when memory is short (nothing to release then). Thread: any, once. */
int image_cache_init(image_cache *cache, uint64_t size_bytes_max);

/* Thread: any, once. */
void image_cache_release(image_cache *cache);

/* The image kept under `key`, or NULL. Whether it is of the artifact that the store has now, the
 * caller finds out. Owned, image_release(). Thread: any. */
image *image_cache_find(image_cache *cache, const snapcell_key *key);

/* Keeps a new image, with a reference of its own, instead of another one with its key, and lets go
 * what is then too much. Not what lies in place in the store: that would keep the view open. To be
 * called once for an image; it cannot fail. Thread: any. */
void image_cache_add(image_cache *cache, image *shared);

/* Lets an image go, if it is kept. Thread: any. */
void image_cache_remove(image_cache *cache, image *shared);

/* Thread: any. */
uint64_t image_cache_size_bytes(image_cache *cache);

#endif
