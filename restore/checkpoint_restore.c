/* Putting memory back. What has not changed is not looked at: the number of page faults tells
 * whether pages may have become dirty that were not, and with the address space's size, whether
 * mappings may have changed. One that took another's place leaves the size as it was, but cannot be
 * used without a fault. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "page_size.h"

/* Mappings are looked at in each so-many-th restore in any case. */
#define RESTORE_AUDIT_PERIOD 256

static int restore_refused(const char *what, snapcell_error *err)
{
    return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot restore memory: %s", what);
}

/* malloc's memory above its end at the checkpoint goes back. What libc knows is enough, except
 * after a cut, which may have been in the middle of it. */
static bool restore_break(const checkpoint *cp, bool look)
{
    if (!look && sbrk(0) == cp->program_break) return true;
    if ((void *)syscall(SYS_brk, NULL) == cp->program_break) return true;
    return (void *)syscall(SYS_brk, cp->program_break) == cp->program_break;
}

static bool restore_same_space(const checkpoint_marks *a, const checkpoint_marks *b)
{
    return a->size_pages == b->size_pages && a->data_pages == b->data_pages;
}

static int restore_mappings(checkpoint *cp, bool look, checkpoint_marks *now, snapcell_error *err)
{
    if (!restore_break(cp, look)) return restore_refused("the program break", err);
    if (!checkpoint_read_marks(cp, now)) return restore_refused("/proc/self/statm", err);
    bool faulted = now->faults != cp->marks.faults;
    if (!look && !faulted && restore_same_space(now, &cp->marks)) return SNAPCELL_OK;
    int status = checkpoint_repair(cp, err);
    if (status != SNAPCELL_OK) return status;
    if (!checkpoint_read_marks(cp, now)) return restore_refused("/proc/self/statm", err);
    if (restore_same_space(now, &cp->marks)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL,
                     "cannot restore memory: the address space has %zu pages, %zu writable; it had "
                     "%zu and %zu",
                     (size_t)now->size_pages, (size_t)now->data_pages, (size_t)cp->marks.size_pages,
                     (size_t)cp->marks.data_pages);
}

static int restore_pages(checkpoint *cp, bool look, snapcell_error *err)
{
    if (cp->source == DIRTY_COMPARED) return checkpoint_compare(cp, err);
    if (look) {
        int status = checkpoint_learn(cp, err);
        if (status != SNAPCELL_OK) return status;
    }
    return checkpoint_copy(cp) ? SNAPCELL_OK : restore_refused("what there is no plan for", err);
}

int checkpoint_restore(checkpoint *cp, bool cut, snapcell_error *err)
{
    if (cp->taken == 0)
        return error_set(err, SNAPCELL_E_INTERNAL, "there is no checkpoint to restore");
    uint64_t number = ++cp->counters.restores;
    bool look = cut || number % RESTORE_AUDIT_PERIOD == 0;
    uint64_t repairs = cp->counters.repairs;
    checkpoint_marks now = {0};
    int status = restore_mappings(cp, look, &now, err);
    if (status != SNAPCELL_OK) return status;
    look = look || cp->counters.repairs != repairs || now.faults != cp->marks.faults;
    status = restore_pages(cp, look, err);
    if (status != SNAPCELL_OK) return status;
    /* Where nothing was looked at, a page that was swapped out is the next restore's to look at. */
    if (!look && cp->source != DIRTY_COMPARED) return SNAPCELL_OK;
    /* Putting pages back may have made some that were swapped out or given back. */
    return checkpoint_read_faults(&cp->marks.faults) ? SNAPCELL_OK
                                                     : restore_refused("page faults", err);
}

static bool difference_of_page(const checkpoint_region *region, uintptr_t page)
{
    const unsigned char *bytes = (const unsigned char *)page;
    if (region->source == NULL) return !checkpoint_is_zero(bytes, PAGE_BYTES);
    const unsigned char *source = region->source + (page - region->start);
    for (size_t i = 0; i < PAGE_BYTES; i++)
        if (bytes[i] != source[i]) return true;
    return false;
}

typedef struct difference_user {
    const checkpoint_span *span;
    long count;
} difference_user;

static bool difference_visit(checkpoint *cp, void *data, uintptr_t start, uintptr_t end)
{
    difference_user *user = data;
    for (uintptr_t page = start; page < end; page += PAGE_BYTES)
        if (difference_of_page(checkpoint_region_at(cp, user->span, page), page)) user->count++;
    return true;
}

long checkpoint_difference(checkpoint *cp)
{
    difference_user user = {0};
    if (cp->source == DIRTY_COMPARED) return -1;
    for (uint32_t i = 0; i < cp->span_count; i++) {
        user.span = &cp->spans[i];
        if (!checkpoint_visit_dirty(cp, user.span->start, user.span->end, difference_visit, &user))
            return -1;
    }
    return user.count;
}
