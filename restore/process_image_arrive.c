/* The first steps of a process that goes on as an image. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "process_image.h"

static void arrive_take_files(checkpoint *cp)
{
    for (int i = 0; i < CHECKPOINT_FILES; i++)
        cp->files[i] = -1;
    cp->files[cp->taken - 1] = PROCESS_IMAGE_FD_IMAGE;
    cp->pagemap_fd = PROCESS_IMAGE_FD_PAGEMAP;
    cp->maps_fd = PROCESS_IMAGE_FD_MAPS;
    cp->statm_fd = PROCESS_IMAGE_FD_STATM;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* What calls read is mapped now, and what they write is copied, a run at a time, and not page fault
 * by page fault. A kernel that does not know how leaves it at those. */
static void settle_touch(const checkpoint *cp)
{
    for (uint32_t i = 0; i < cp->touched_count; i++)
        if (madvise((void *)cp->touched[i].start, cp->touched[i].end - cp->touched[i].start,
                    MADV_POPULATE_READ) != 0)
            return;
    for (uint32_t i = 0; i < cp->run_count; i++)
        if (madvise(cp->runs[i].to, cp->runs[i].size_bytes, MADV_POPULATE_WRITE) != 0) return;
}

int process_image_arrive(checkpoint *cp, const process_image_arrival *arrival, snapcell_error *err)
{
    arrive_take_files(cp);
    uint64_t count = arrival->count;
    if (count > PROCESS_IMAGE_LEFTOVERS_MAX)
        return error_set(err, SNAPCELL_E_INTERNAL, "the launcher left nonsense");
    process_image_arrival left = *arrival; /* it lies in what goes */
    for (uint64_t i = 0; i < count; i++)
        if (munmap((void *)left.leftovers[i].start, left.leftovers[i].size_bytes) != 0)
            return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                                   "cannot drop what the launcher left");
    /* Where the kernel does not let the break be set, malloc() does without. */
    cp->program_break = (void *)syscall(SYS_brk, NULL);
    return SNAPCELL_OK;
}

int process_image_settle(checkpoint *cp, snapcell_error *err)
{
    settle_touch(cp);
    int status = checkpoint_read_map(cp, cp->then, &cp->then_count, err);
    if (status != SNAPCELL_OK) return status;
    if (!checkpoint_read_marks(cp, &cp->marks))
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot read /proc/self/statm");
    return SNAPCELL_OK;
}
