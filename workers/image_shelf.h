/* Images in memory: as many as have room, the least recently used one goes first. Internal to
 * workers/; a shelf is used under its owner's lock. */
#ifndef SNAPCELL_IMAGE_SHELF_H
#define SNAPCELL_IMAGE_SHELF_H

#include "image_identity.h"

/* A sealed memfd. */
typedef struct shelf_image {
    struct shelf_image *next; /* less recently used */
    image_key key;
    int fd; /* Owned */
    uint64_t size_bytes;
    uint64_t made_ns; /* of CLOCK_BOOTTIME */
    uint64_t used_ns; /* of the same */
} shelf_image;

/* Zeroed is empty, except for its bound. */
typedef struct image_shelf {
    shelf_image *newest;
    uint32_t count;
    uint64_t size_bytes;
    uint64_t size_bytes_max;
} image_shelf;

/* The image of a key, now the most recently used; NULL: there is none. Borrowed until the next call
 * of a function of this header. */
shelf_image *image_shelf_find(image_shelf *shelf, const image_key *key, uint64_t now_ns);

/* Whether an image is worth its place that would have been used last at `used_ns`: there is room
 * for one of common size, or one that was not used for longer would make room. */
bool image_shelf_admits(const image_shelf *shelf, uint64_t used_ns);

/* Puts an image on the shelf, instead of one of the same key, and takes down what there is no
 * room for. Its `fd`: Owned by the shelf, after failure closed; `next` is passed over. False: it is
 * larger than the shelf, or there is no memory. */
bool image_shelf_put(image_shelf *shelf, const shelf_image *image);

/* Takes down the image of a key, if there is one. */
void image_shelf_drop(image_shelf *shelf, const image_key *key);
void image_shelf_clear(image_shelf *shelf);

#endif
