/* A process that loads a function for its image alone: it repeats its warm-up requests, writes the
 * image, and ends. It never meets a request, an environment or a secret of the host. Internal to
 * workers/. */
#ifndef SNAPCELL_IMAGE_MAKER_H
#define SNAPCELL_IMAGE_MAKER_H

#include "cell_protocol.h"
#include "child_process.h"
#include "image_identity.h"

typedef struct image_maker {
    bool is_running;
    child_process process;
    int image_fd;          /* Owned; -1: none */
    image_key key;         /* of the image */
    snapcell_key artifact; /* that it is to load */
} image_maker;

typedef struct image_maker_request {
    const char *worker_path;
    const char *zone;
    uint32_t limit_ms; /* for all of it */
    const image_key *key;
    const snapcell_key *artifact;
    uint64_t size_bytes_max; /* of the image */
} image_maker_request;

/* Errors: those of child_process_start(), E_IO, E_NOMEM. */
int image_maker_start(const image_maker_request *request, image_maker *out, snapcell_error *err);

typedef enum image_maker_state {
    IMAGE_MAKER_WORKING = 0,
    IMAGE_MAKER_DONE = 1,
    IMAGE_MAKER_FAILED = 2,
} image_maker_state;

/* Takes what the process says next; to be called when it said something, or its time is over.
 * DONE: `*fd` is the image, sealed and checked, Owned by the caller. `program_size_bytes`: of the
 * program's file. FAILED: `err` says why. After DONE and FAILED the process has ended. */
image_maker_state image_maker_step(image_maker *maker, const wire_writer *load,
                                   uint64_t program_size_bytes, int *fd, uint64_t *size_bytes,
                                   snapcell_error *err);

/* Ends it, if it is running. */
void image_maker_stop(image_maker *maker);

/* An image comes from a file of this kind: room for as much as there may be, and no more.
 * -1: errno says why. */
int image_file_new(uint64_t size_bytes_max);
/* Makes it as large as the image, and unchangeable. */
bool image_file_seal(int fd, uint64_t size_bytes);

#endif
