/* Which pages calls write. Most calls of a function write the same ones: these are hot, stay
 * anonymous, and are put back without asking, so that neither the kernel's lists nor page faults
 * are on the way of a restore. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "page_size.h"

/* So many pages that had no bytes are zeroed in place; what a call took beyond goes back to the
 * kernel, which zeroes what is touched again. */
#define LEARN_FRESH_MAX 512

/* While sampling, pages are compared before they are copied: one that was the same so many times in
 * a row is given back. That is in fewer than one of a hundred restores, whose 99th percentile it
 * would else be. Copying a page costs a tenth of a microsecond, finding out that it was written
 * after all ten and more, so that only pages that hardly any call writes are worth it. */
#define LEARN_SAMPLES 48
#define LEARN_PERIOD 8192

/* --- Finding --- */

static bool learn_give_back(checkpoint *cp, uintptr_t start, size_t size_bytes)
{
    if (madvise((void *)start, size_bytes, MADV_DONTNEED) != 0) return false;
    cp->counters.pages_dropped += size_bytes >> PAGE_SHIFT;
    return true;
}

typedef struct learn_user {
    const checkpoint_span *span;
    bool failed;
    bool found;
} learn_user;

/* Dirty pages [start, end) of one region. */
static void learn_range(checkpoint *cp, learn_user *user, const checkpoint_region *region,
                        uintptr_t start, uintptr_t end)
{
    uint8_t *pages = user->span->pages + ((start - user->span->start) >> PAGE_SHIFT);
    size_t count = (end - start) >> PAGE_SHIFT;
    for (size_t i = 0; i < count; i++) {
        if (pages[i] != PAGE_CLEAN) continue;
        if (region->source == NULL) {
            if (cp->fresh_hot >= LEARN_FRESH_MAX) {
                /* The rest of the range may have hot pages in it: they are zero then, and stay hot.
                 */
                if (!learn_give_back(cp, start + (i << PAGE_SHIFT), (count - i) << PAGE_SHIFT))
                    user->failed = true;
                return;
            }
            cp->fresh_hot++;
        }
        pages[i] = PAGE_HOT;
        user->found = true;
    }
}

static bool learn_visit(checkpoint *cp, void *data, uintptr_t start, uintptr_t end)
{
    learn_user *user = data;
    while (start < end && !user->failed) {
        const checkpoint_region *region = checkpoint_region_at(cp, user->span, start);
        uintptr_t part_end = end < region->end ? end : region->end;
        learn_range(cp, user, region, start, part_end);
        start = part_end;
    }
    return !user->failed;
}

int checkpoint_learn(checkpoint *cp, snapcell_error *err)
{
    learn_user user = {0};
    cp->counters.scans++;
    for (uint32_t i = 0; i < cp->span_count; i++) {
        user.span = &cp->spans[i];
        if (!checkpoint_visit_dirty(cp, user.span->start, user.span->end, learn_visit, &user))
            return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                                   "cannot list the pages that were written");
    }
    if (!user.found || checkpoint_plan(cp)) return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot give back memory");
}

/* --- Planning --- */

static void plan_add(checkpoint *cp, const checkpoint_region *region, uintptr_t page)
{
    const unsigned char *from =
        region->source != NULL ? region->source + (page - region->start) : NULL;
    if (cp->run_count > 0) {
        checkpoint_run *last = &cp->runs[cp->run_count - 1];
        bool follows = (uintptr_t)last->to + last->size_bytes == page &&
                       (from == NULL ? last->from == NULL
                                     : last->from != NULL && last->from + last->size_bytes == from);
        if (follows) {
            last->size_bytes += PAGE_BYTES;
            return;
        }
    }
    cp->runs[cp->run_count++] = (checkpoint_run){(unsigned char *)page, from, PAGE_BYTES};
}

/* What does not fit into the plan is given back at once, and found again when it is written. */
static bool plan_page(checkpoint *cp, checkpoint_span *span, size_t index)
{
    uintptr_t page = span->start + (index << PAGE_SHIFT);
    if (cp->run_count == CHECKPOINT_RUNS_MAX) {
        span->pages[index] = PAGE_CLEAN;
        return learn_give_back(cp, page, PAGE_BYTES);
    }
    cp->counters.hot_pages++;
    plan_add(cp, checkpoint_region_at(cp, span, page), page);
    return true;
}

bool checkpoint_plan(checkpoint *cp)
{
    cp->run_count = 0;
    cp->counters.hot_pages = 0;
    for (uint32_t i = 0; i < cp->span_count; i++) {
        checkpoint_span *span = &cp->spans[i];
        size_t count = (span->end - span->start) >> PAGE_SHIFT;
        for (size_t k = 0; k < count; k++) {
            /* Most are clean: a word of them at a time. */
            uint64_t eight;
            while (k + 8 <= count) {
                memcpy(&eight, span->pages + k, 8);
                if (eight != 0) break;
                k += 8;
            }
            if (k < count && span->pages[k] != PAGE_CLEAN && !plan_page(cp, span, k)) return false;
        }
    }
    return true;
}

/* --- Putting back --- */

static bool copy_differs(const checkpoint_run *run, size_t offset)
{
    return run->from != NULL ? memcmp(run->to + offset, run->from + offset, PAGE_BYTES) != 0
                             : !checkpoint_is_zero(run->to + offset, PAGE_BYTES);
}

static void copy_part(const checkpoint_run *run, size_t offset, size_t size_bytes)
{
    if (run->from != NULL)
        memcpy(run->to + offset, run->from + offset, size_bytes);
    else
        memset(run->to + offset, 0, size_bytes);
}

static checkpoint_span *copy_span_of(checkpoint *cp, uintptr_t address)
{
    uint32_t low = 0;
    uint32_t high = cp->span_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (cp->spans[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return &cp->spans[low];
}

static void sample_page(checkpoint *cp, checkpoint_run *run, size_t offset, bool last)
{
    uintptr_t page = (uintptr_t)run->to + offset;
    checkpoint_span *span = copy_span_of(cp, page);
    uint8_t *heat = &span->pages[(page - span->start) >> PAGE_SHIFT];
    if (copy_differs(run, offset)) {
        *heat = PAGE_HOT;
        copy_part(run, offset, PAGE_BYTES);
    } else if (*heat < PAGE_IDLE_MAX) {
        ++*heat;
    }
    if (!last || *heat < PAGE_HOT + LEARN_SAMPLES) return;
    /* One that stays would be written without a fault, and nobody would look. */
    if (!learn_give_back(cp, page, PAGE_BYTES)) return;
    *heat = PAGE_CLEAN;
    if (run->from == NULL) cp->fresh_hot--;
}

static bool copy_sampling(checkpoint *cp)
{
    bool last = --cp->sampling == 0;
    for (uint32_t i = 0; i < cp->run_count; i++)
        for (size_t at = 0; at < cp->runs[i].size_bytes; at += PAGE_BYTES)
            sample_page(cp, &cp->runs[i], at, last);
    return !last || checkpoint_plan(cp);
}

/* All heat is counted from the beginning of a time of sampling. */
static void copy_begin_sampling(checkpoint *cp)
{
    for (size_t i = 0; i < cp->pages_size_bytes; i++)
        if (cp->pages[i] != PAGE_CLEAN) cp->pages[i] = PAGE_HOT;
    cp->sampling = LEARN_SAMPLES;
}

bool checkpoint_copy(checkpoint *cp)
{
    if (cp->counters.restores % LEARN_PERIOD == LEARN_SAMPLES) copy_begin_sampling(cp);
    cp->counters.pages_restored += cp->counters.hot_pages;
    if (cp->sampling > 0) return copy_sampling(cp);
    for (uint32_t i = 0; i < cp->run_count; i++)
        copy_part(&cp->runs[i], 0, cp->runs[i].size_bytes);
    return true;
}

/* --- Without the kernel's help --- */

/* Pages with bytes are compared, those without are given back: untouched, they cost nothing. */
static bool compare_region(checkpoint *cp, const checkpoint_region *region)
{
    size_t size = region->end - region->start;
    if (region->source == NULL) return madvise((void *)region->start, size, MADV_DONTNEED) == 0;
    for (size_t at = 0; at < size; at += PAGE_BYTES) {
        unsigned char *page = (unsigned char *)region->start + at;
        if (memcmp(page, region->source + at, PAGE_BYTES) == 0) continue;
        memcpy(page, region->source + at, PAGE_BYTES);
        cp->counters.pages_restored++;
    }
    return true;
}

int checkpoint_compare(checkpoint *cp, snapcell_error *err)
{
    for (uint32_t i = 0; i < cp->region_count; i++)
        if (!compare_region(cp, &cp->regions[i]))
            return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                                   "cannot give back memory that was not there at the checkpoint");
    return SNAPCELL_OK;
}
