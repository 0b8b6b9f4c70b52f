/* What a call touches, so that a process that goes on as an image has it at hand; and what nothing
 * touches any more. */
#include <sys/mman.h>

#include "checkpoint_state.h"
#include "page_size.h"
#include "process_image.h"

/* What nobody wrote is in the file, and comes back from there when it is touched. */
static bool watch_forget(checkpoint *cp, dirty_source source, const memory_mapping *mapping)
{
    uintptr_t at = mapping->start;
    uintptr_t done = at;
    while (at < mapping->end) {
        int count = dirty_pages_list(source, cp->pagemap_fd, &at, mapping->end, cp->ranges,
                                     CHECKPOINT_RANGES, cp->entries, CHECKPOINT_ENTRIES);
        if (count < 0) return false;
        for (int i = 0; i < count; i++) {
            uintptr_t end = cp->ranges[i].start;
            if (end > done && madvise((void *)done, end - done, MADV_DONTNEED) != 0) return false;
            done = cp->ranges[i].end;
        }
    }
    return done == mapping->end || madvise((void *)done, mapping->end - done, MADV_DONTNEED) == 0;
}

static bool watch_is_program(const memory_mapping *program, const memory_mapping *mapping)
{
    return mapping->is_private && mapping->inode != 0 && mapping->inode == program->inode &&
           mapping->device == program->device && (mapping->protection & PROT_WRITE) == 0 &&
           (mapping->protection & PROT_READ) != 0;
}

/* Where this code is. */
static const memory_mapping *watch_program(const checkpoint *cp)
{
    const uintptr_t here = (uintptr_t)watch_program;
    for (int i = 0; i < cp->now_count; i++)
        if (cp->now[i].start <= here && here < cp->now[i].end) return &cp->now[i];
    return NULL;
}

bool process_image_watch(checkpoint *cp)
{
    if (checkpoint_read_map(cp, cp->now, &cp->now_count, NULL) != SNAPCELL_OK) return false;
    dirty_source source = dirty_source_probe(cp->pagemap_fd, DIRTY_SCANNED);
    const memory_mapping *program = watch_program(cp);
    if (source == DIRTY_COMPARED || program == NULL) return false;
    for (int i = 0; i < cp->now_count; i++)
        if (watch_is_program(program, &cp->now[i]) && !watch_forget(cp, source, &cp->now[i]))
            return false;
    return true;
}

/* --- Noting --- */

/* One call for two ranges and a few pages between them is cheaper than two. */
#define NOTED_GAP_BYTES ((size_t)8 * PAGE_BYTES)

typedef struct note_user {
    checkpoint *cp;
    uintptr_t start; /* of the mapping */
} note_user;

static void note_page(void *data, uintptr_t page)
{
    const note_user *user = data;
    checkpoint *cp = user->cp;
    dirty_range *last = cp->touched_count > 0 ? &cp->touched[cp->touched_count - 1] : NULL;
    if (last != NULL && last->start >= user->start && page - last->end <= NOTED_GAP_BYTES)
        last->end = page + PAGE_BYTES;
    else if (cp->touched_count < CHECKPOINT_TOUCHED_MAX)
        cp->touched[cp->touched_count++] = (dirty_range){page, page + PAGE_BYTES};
}

static bool note_mapping(checkpoint *cp, const memory_mapping *mapping)
{
    note_user user = {cp, mapping->start};
    return checkpoint_visit_pages(cp, mapping->start, mapping->end,
                                  PAGEMAP_IS_FILE | PAGEMAP_IS_PRESENT, note_page, &user);
}

void process_image_note(checkpoint *cp)
{
    cp->touched_count = 0;
    if (checkpoint_read_map(cp, cp->now, &cp->now_count, NULL) != SNAPCELL_OK) return;
    const memory_mapping *program = watch_program(cp);
    if (program == NULL) return;
    for (int i = 0; i < cp->now_count; i++) {
        const memory_mapping *mapping = &cp->now[i];
        if (mapping->is_private && mapping->inode != 0 && mapping->protection != PROT_NONE &&
            !watch_is_program(program, mapping) && !note_mapping(cp, mapping))
            return;
    }
}
