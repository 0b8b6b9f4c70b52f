/* A group's images: which functions have one, who makes them, and processes that are launched from
 * them. A thread of the group's own keeps blank launchers ready and looks after the process that
 * makes an image, so that nothing of this is on the way of a worker's start. Internal to workers/.
 */
#ifndef SNAPCELL_WORKER_IMAGES_H
#define SNAPCELL_WORKER_IMAGES_H

#include "cell_protocol.h"
#include "child_process.h"
#include "image_identity.h"
#include "image_launcher.h"
#include "snapcell/worker.h"

typedef struct worker_images worker_images;

/* Paths are Borrowed until worker_images_close(). */
typedef struct worker_images_options {
    const char *store_path;
    const char *worker_path;
    const char *zone;
    const char *folder;      /* NULL: none */
    uint64_t size_bytes_max; /* in memory */
    uint64_t folder_bytes_max;
    uint64_t age_max_ns;
    uint32_t starts_min; /* of a function's workers, before its image is made */
    uint32_t launchers;  /* so many wait; at most SNAPCELL_IMAGE_LAUNCHERS_MAX */
    uint32_t start_limit_ms;
} worker_images_options;

/* NULL: memory is short. What is missing for images (the launcher, what /proc tells) shows later,
 * and then there are none. */
worker_images *worker_images_open(const worker_images_options *options);
void worker_images_close(worker_images *images);

/* Does ahead what the first launch would. Thread: any. */
void worker_images_prepare(worker_images *images);

/* What one worker is to be launched as. */
typedef struct worker_image_wish {
    const char *ref;
    const wire_writer *load; /* a LOAD with makes_image, and without an env and limits of time */
    image_launcher_scope scope;
    bool is_counted; /* as a start of its function */
} worker_image_wish;

typedef struct worker_image_launch {
    image_key key;
    child_process process; /* to which the worker's LOAD is to be sent: it says READY then */
    bool has_waited;       /* the launcher was started before */
} worker_image_launch;

/* A process from an image, if there is one that fits. False: the function is to be loaded. Where it
 * is counted, it gets an image once that pays. Thread: any. */
bool worker_images_launch(worker_images *images, const worker_image_wish *wish,
                          worker_image_launch *out);

/* What became of a launch. */
typedef enum worker_image_outcome {
    WORKER_IMAGE_LAUNCHED = 0,
    WORKER_IMAGE_COLLIDED = 1, /* another launcher may do */
    WORKER_IMAGE_REFUSED = 2,  /* the kernel does not let a launcher do this: no more images */
    WORKER_IMAGE_BROKEN = 3,   /* the process died: the image is dropped */
} worker_image_outcome;

void worker_images_tell(worker_images *images, const image_key *key, worker_image_outcome outcome);

typedef struct worker_images_counts {
    uint64_t made;
    uint64_t read;       /* from the folder */
    uint64_t size_bytes; /* in memory now */
    uint64_t launches;
    uint64_t misses; /* starts for which there was none */
    uint64_t collisions;
    uint64_t failures; /* images that could not be made or used */
} worker_images_counts;

void worker_images_count(worker_images *images, worker_images_counts *out);

#endif
