/* A text of an image: the source, or its map. Internal to the loader. */
#ifndef SNAPCELL_IMAGE_TEXT_H
#define SNAPCELL_IMAGE_TEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "artifact_reader.h"
#include "buffer_pool.h"

/* A section that is decoded when it is first requested. `stored` is the section as it lies in the
 * artifact, in memory of the image. */
typedef struct image_text {
    pthread_mutex_t mutex;
    artifact_section stored; /* data: NULL when absent */
    pool_buffer decoded;     /* room for it and for a terminating zero of either width */
    _Atomic bool ready;
} image_text;

/* Of a zeroed text. */
void image_text_init(image_text *text);
void image_text_release(image_text *text, buffer_pool *buffers);

/* Bytes of `decoded`. */
size_t image_text_room(const image_text *text);

/* The decoded text, from the first call on the same pointer. NULL when there is no such section or
 * no room for it. Thread: any. */
const char *image_text_data(image_text *text, buffer_pool *buffers);

#endif
