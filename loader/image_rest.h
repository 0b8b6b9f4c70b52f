/* While developing: an image of a bundle whose end was replaced. Internal to the loader. */
#ifndef SNAPCELL_IMAGE_REST_H
#define SNAPCELL_IMAGE_REST_H

#include "image.h"

#define IMAGE_HASH_SIZE 32

/* What comes after a bundle's prelude, in the form that V8 reads. Borrowed. */
typedef struct image_rest {
    artifact_text_encoding encoding;
    const void *text;
    size_t text_size_bytes;
    const char *source_map; /* JSON, of `text` alone; NULL: none */
    size_t source_map_size_bytes;
} image_rest;

/* The image of a `code` artifact with a prelude, with another text after it: of no artifact, though
 * its facts are those of `base`. `*out`: Owned, image_release(). Thread: any. Errors: E_USAGE (no
 * prelude, or another encoding), E_NOMEM. */
int image_new_with_rest(image *base, const image_rest *rest, image **out, snapcell_error *err);

/* SHA-256 of the prelude's bytes, as they are kept. Thread: any. Errors: E_NOMEM. */
int image_hash_prelude(image *shared, uint8_t out[IMAGE_HASH_SIZE], snapcell_error *err);

#endif
