/* What an image is bound to: the function, how it is loaded, the program, and the machine. Internal
 * to workers/. */
#ifndef SNAPCELL_IMAGE_IDENTITY_H
#define SNAPCELL_IMAGE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "snapcell/artifact.h"
#include "snapcell/error.h"

#define IMAGE_KEY_SIZE 32

typedef struct image_key {
    uint8_t bytes[IMAGE_KEY_SIZE];
} image_key;

/* A file as it was when it was looked at; written to, or replaced, it is another. */
typedef struct image_file_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size_bytes;
    int64_t modified_ns;
    int64_t changed_ns;
} image_file_identity;

/* False: errno says why. `path`: NULL, then of `fd`. */
bool image_file_identify(int fd, const char *path, image_file_identity *out);

/* All that images of this process and others depend on: the program, the launcher, the time zone
 * ("TZ=...", or NULL), the kernel and its boot, the processor, the user. Errors: E_INTERNAL: /proc
 * does not tell. */
int image_identify_host(const image_file_identity *program, const image_file_identity *launcher,
                        const char *zone, image_key *out, snapcell_error *err);

/* `load`: the LOAD message with which the image is made. */
void image_identify(const image_key *host, const snapcell_key *artifact, const void *load,
                    size_t load_size_bytes, image_key *out);

#endif
