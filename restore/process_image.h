/* Process images: a process that restores its memory writes itself down, and others go on from
 * there as it. Internal; knows nothing of V8. process_image_format.h has the bytes. */
#ifndef SNAPCELL_PROCESS_IMAGE_H
#define SNAPCELL_PROCESS_IMAGE_H

#include <stddef.h>

#include "checkpoint.h"
#include "process_image_format.h"
#include "snapcell/error.h"

/* --- Writing, in the process itself --- */

/* What the kernel tells a process of itself only outside of a sandbox. */
typedef struct process_image_origin {
    process_image_layout layout;
    uint64_t tid_address;
    uint64_t robust_list;
    uint64_t robust_size_bytes;
} process_image_origin;

/* Errors: E_INTERNAL: this kernel, or a policy, does not tell. */
int process_image_origin_read(process_image_origin *out, snapcell_error *err);

/* A part of outer memory that goes into an image. All else of it is zero in the process that goes
 * on. Whole pages from `start`, as outer_alloc() gives them. */
typedef struct process_image_kept {
    const void *start;
    size_t size_bytes;
} process_image_kept;

/* Forgets which pages of the program this process has touched: those that it touches from then on
 * are listed in its image. To be called, if at all, before a call that is typical. False: the
 * kernel refused, and nothing is to be listed. */
bool process_image_watch(checkpoint *cp);

/* Notes which pages of the checkpoint and of libraries this process has touched, and not written:
 * one that goes on as its image has them at hand. To be called, if at all, after a call that is
 * typical was restored. */
void process_image_note(checkpoint *cp);

typedef void process_image_entry(void *argument, const process_image_arrival *arrival);

typedef struct process_image_request {
    const process_image_origin *origin;
    const process_image_kept *kept;
    size_t kept_count;
    bool lists_warm;            /* process_image_watch() was called */
    process_image_entry *entry; /* never returns */
    void *argument;             /* in outer memory that is kept */
    void *stack_top;            /* for `entry`; in outer memory, aligned to 16 */
} process_image_request;

/* Writes an image of this process to the beginning of the file `fd`, right after a checkpoint was
 * taken or restored. The checkpoint itself is kept, too. On a stack in outer memory. `*size_bytes`:
 * of the image. Errors: E_INTERNAL: a
 * mapping that no other process can have, or the file has no room. */
int process_image_write(checkpoint *cp, const process_image_request *request, int fd,
                        uint64_t *size_bytes, snapcell_error *err);

/* --- Going on, in another process --- */

/* To be called first by `entry`: drops what the launcher left, and makes the checkpoint, which came
 * with the image, this process's own. Errors: E_INTERNAL: the process must end. */
int process_image_arrive(checkpoint *cp, const process_image_arrival *arrival, snapcell_error *err);

/* Then, before anything is written to what is restored: takes pages that calls use in hand, and
 * looks at what there is. Errors: as above. */
int process_image_settle(checkpoint *cp, snapcell_error *err);

/* --- Reading, in the host --- */

/* Checks an image's head (its last page), and the tables, against all that the format says. Nothing
 * else of an image need be looked at before it is mapped. `tables`: of process_image_tables_size()
 * bytes. `program_size_bytes`: of the program's file. Errors: E_CORRUPT. */
int process_image_check_head(const process_image_head *head, uint64_t file_size_bytes,
                             snapcell_error *err);
size_t process_image_tables_size(const process_image_head *head);
int process_image_check_tables(const process_image_head *head, const void *tables,
                               uint64_t program_size_bytes, snapcell_error *err);

/* All of it, from a file. `*tables`: Owned, free(); NULL on failure. Errors: E_CORRUPT, E_IO,
 * E_NOMEM. */
int process_image_read(int fd, uint64_t program_size_bytes, process_image_head *head, void **tables,
                       snapcell_error *err);

#endif
