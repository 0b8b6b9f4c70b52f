/* Images on a disk, so that they outlive the host's process: of a folder that is the user's alone,
 * each in a file with a keyed tag. Nothing of a file is used before all of it was checked, in
 * memory that nobody else writes. Internal to workers/; one thread uses a folder at a time, several
 * processes may. */
#ifndef SNAPCELL_IMAGE_FOLDER_H
#define SNAPCELL_IMAGE_FOLDER_H

#include "image_identity.h"

typedef struct image_folder image_folder;

/* Makes the folder and its key when they are missing. `*out`: NULL on failure. Errors: E_IO,
 * E_USAGE (the folder, or its key, is not this user's alone), E_NOMEM. */
int image_folder_open(const char *path, uint64_t size_bytes_max, image_folder **out,
                      snapcell_error *err);
void image_folder_close(image_folder *folder);

/* The image of a key, if there is one that is not older than `age_max_ns`: a sealed memfd, Owned by
 * the caller. `*made_ns`: when it was made, of CLOCK_BOOTTIME. A file that is not as it was written
 * is removed. -1: none. `err`: why, E_NOT_FOUND when there is no file. */
int image_folder_get(image_folder *folder, const image_key *key, uint64_t age_max_ns,
                     uint64_t program_size_bytes, uint64_t *size_bytes, uint64_t *made_ns,
                     snapcell_error *err);

/* Writes an image, made now, instead of one of the same key, and removes those that were not
 * used for longest until all have room. Errors: E_IO, E_FULL, E_TOO_LARGE, E_NOMEM. */
int image_folder_put(image_folder *folder, const image_key *key, int fd, uint64_t size_bytes,
                     snapcell_error *err);

#endif
