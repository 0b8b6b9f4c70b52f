/* Blank launchers: processes that wait to become a worker. Internal to workers/. */
#ifndef SNAPCELL_IMAGE_LAUNCHER_H
#define SNAPCELL_IMAGE_LAUNCHER_H

#include "child_process.h"
#include "launch_protocol.h"
#include "process_image_format.h"

/* How launchers are started. Strings and descriptors are Borrowed. */
typedef struct image_launcher_kind {
    const char *path;
    const char *zone;          /* "TZ=...", or NULL */
    int program_fd;            /* of the program whose images they map */
    const launch_stock *stock; /* what they have at hand */
} image_launcher_kind;

/* What a launcher is for: of another one it cannot take the place. */
typedef struct image_launcher_scope {
    bool no_sandbox;
    uint64_t data_limit_bytes;
} image_launcher_scope;

/* The path of the launcher that goes with a `snapcell` program. NULL: it is not there, or memory is
 * short. Owned: free(). */
char *image_launcher_find(const char *program_path);

/* Starts one, and tells it what its sandbox is; nothing is waited for. `*out`: as of
 * child_process_start(), to be ended. Errors: those of it, E_INTERNAL. */
int image_launcher_start(const image_launcher_kind *kind, const image_launcher_scope *scope,
                         child_process *out, snapcell_error *err);

/* What launchers are to have at hand, as an image tells. `tables`: of process_image_read(). */
void image_launcher_stock(const process_image_head *head, const void *tables, launch_stock *out);

/* Lets it become the worker that an image is of; nothing is waited for. False: it is dead. */
bool image_launcher_order(child_process *launcher, int image_fd, uint64_t image_size_bytes);

#endif
