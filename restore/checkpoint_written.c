/* What was written since the checkpoint, for those who want to know what the next one would hold.
 */
#include <errno.h>
#include <sys/mman.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "page_size.h"

/* What is looked for may reach over the end of one range into the next. */
#define WRITTEN_OVERLAP 64

typedef struct written_user {
    checkpoint_written_fn *visit;
    void *user;
    uintptr_t end; /* of the range before */
    bool stopped;
} written_user;

bool checkpoint_is_span(const memory_mapping *mapping)
{
    return mapping->is_private && !mapping->is_special && (mapping->protection & PROT_WRITE) != 0;
}

static bool written_visit(checkpoint *cp, void *data, uintptr_t start, uintptr_t end)
{
    (void)cp;
    written_user *user = data;
    uintptr_t from = start == user->end ? start - WRITTEN_OVERLAP : start;
    user->end = end;
    user->stopped = !user->visit(user->user, (const void *)from, end - from);
    return !user->stopped;
}

/* Where the kernel does not tell, all that is there. */
static bool written_visit_resident(checkpoint *cp, written_user *user, uintptr_t start,
                                   uintptr_t end)
{
    unsigned char resident[256];
    while (start < end) {
        size_t size = end - start < sizeof(resident) * PAGE_BYTES ? end - start
                                                                  : sizeof(resident) * PAGE_BYTES;
        if (mincore((void *)start, size, resident) != 0) return false;
        for (size_t i = 0; i < size >> PAGE_SHIFT; i++, start += PAGE_BYTES)
            if ((resident[i] & 1) != 0 && !written_visit(cp, user, start, start + PAGE_BYTES))
                return false;
    }
    return true;
}

int checkpoint_each_written(checkpoint *cp, checkpoint_written_fn *visit, void *user,
                            snapcell_error *err)
{
    written_user state = {.visit = visit, .user = user};
    int status = checkpoint_read_map(cp, cp->now, &cp->now_count, err);
    if (status != SNAPCELL_OK) return status;
    for (int i = 0; i < cp->now_count && !state.stopped; i++) {
        const memory_mapping *mapping = &cp->now[i];
        if (!checkpoint_is_span(mapping)) continue;
        bool fine =
            cp->source == DIRTY_COMPARED
                ? written_visit_resident(cp, &state, mapping->start, mapping->end)
                : checkpoint_visit_dirty(cp, mapping->start, mapping->end, written_visit, &state);
        if (!fine && !state.stopped)
            return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                                   "cannot list the pages that were written");
    }
    return SNAPCELL_OK;
}
