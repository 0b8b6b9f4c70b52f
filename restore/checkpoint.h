/* A process puts its own memory back.
 *
 * checkpoint_take() writes all private writable memory into a memfd and maps that privately in its
 * place: what is written from then on becomes anonymous, and checkpoint_restore() puts it back,
 * wherever the program was. Memory that came since is undone: zeroed, given back, unmapped; what
 * was unmapped or protected is as before. Shared mappings, descriptors and what else the kernel
 * holds stay as they are.
 *
 * For a process with one thread. Code that takes and restores runs on a stack of its own in outer
 * memory (stack_call.h), and keeps what it needs there. Not under AddressSanitizer, whose own
 * memory must not be put back. Internal; knows nothing of V8. */
#ifndef SNAPCELL_CHECKPOINT_H
#define SNAPCELL_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dirty_pages.h"
#include "snapcell/error.h"

typedef struct checkpoint checkpoint;

/* How many descriptors of its own a checkpoint maps: a sandbox has to allow that. */
#define CHECKPOINT_FILES 16

/* Opens what the kernel tells of this process, while it still may: before a sandbox. `best`: no
 * better source of dirty pages than this is used. `*out`: in outer memory; Owned:
 * checkpoint_close(). Errors: E_INTERNAL (this kernel, or a policy, does not let it), E_NOMEM. */
int checkpoint_open(dirty_source best, checkpoint **out, snapcell_error *err);
void checkpoint_close(checkpoint *cp);

/* The descriptors that it maps memory from. */
void checkpoint_files(const checkpoint *cp, int out[CHECKPOINT_FILES]);
dirty_source checkpoint_source(const checkpoint *cp);

/* Makes the present state what is restored; at most CHECKPOINT_FILES times. Signal handlers must
 * not write to memory that is restored meanwhile. Errors: E_INTERNAL: the process runs on as it
 * was, without a checkpoint. */
int checkpoint_take(checkpoint *cp, snapcell_error *err);
bool checkpoint_is_taken(const checkpoint *cp);

/* Puts memory back. `cut`: the program was left in the middle of anything, so that mappings are
 * looked at in any case. Errors: E_INTERNAL: something is not as it was, and the process must end.
 */
int checkpoint_restore(checkpoint *cp, bool cut, snapcell_error *err);

/* Calls `visit` for all memory that was written since the checkpoint, and maybe more, until it
 * returns false. Errors: E_INTERNAL. */
typedef bool checkpoint_written_fn(void *user, const void *data, size_t size_bytes);
int checkpoint_each_written(checkpoint *cp, checkpoint_written_fn *visit, void *user,
                            snapcell_error *err);

/* How many pages differ from the checkpoint, or lie where it had none; for tests. -1: the kernel
 * does not tell. */
long checkpoint_difference(checkpoint *cp);

typedef struct checkpoint_counters {
    uint64_t restores;
    uint64_t pages_restored; /* copied or zeroed */
    uint64_t pages_dropped;  /* given back to the kernel */
    uint64_t scans;          /* restores that had to ask the kernel for dirty pages */
    uint64_t repairs;        /* restores that had to look at mappings */
    uint64_t content_bytes;  /* of the checkpoint */
    uint64_t hot_pages;      /* put back without asking */
} checkpoint_counters;

/* Borrowed until checkpoint_close(). */
const checkpoint_counters *checkpoint_count(const checkpoint *cp);

#endif
