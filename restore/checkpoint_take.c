/* Taking a checkpoint: what has bytes goes into the file, and is mapped from there. Nothing here
 * may write to private memory between the two, not even libc's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "outer_memory.h"
#include "page_size.h"

/* Fewer zero pages than that between others are kept with them: mappings are expensive, too. The
 * file has no memory for them. */
#define TAKE_GAP_PAGES 32

static bool take_add_region(checkpoint *cp, uintptr_t start, uintptr_t end, bool has_bytes)
{
    if (start == end) return true;
    if (cp->region_count == CHECKPOINT_REGIONS_MAX) return false;
    checkpoint_region *region = &cp->regions[cp->region_count++];
    *region = (checkpoint_region){.start = start, .end = end};
    if (!has_bytes) return true;
    region->file_offset = cp->view_size_bytes;
    region->source = (const unsigned char *)1; /* until there is a view */
    cp->view_size_bytes += end - start;
    return true;
}

/* The run of pages with bytes that is being collected. */
typedef struct take_run {
    uintptr_t start; /* 0: none yet */
    uintptr_t end;
    uintptr_t done; /* regions reach up to here */
} take_run;

static bool take_close_run(checkpoint *cp, take_run *run)
{
    if (run->start == 0) return true;
    if (!take_add_region(cp, run->done, run->start, false) ||
        !take_add_region(cp, run->start, run->end, true))
        return false;
    run->done = run->end;
    run->start = 0;
    return true;
}

static bool take_page(checkpoint *cp, take_run *run, uintptr_t page)
{
    if (run->start != 0 && page - run->end > TAKE_GAP_PAGES * PAGE_BYTES &&
        !take_close_run(cp, run))
        return false;
    if (run->start == 0) run->start = page;
    run->end = page + PAGE_BYTES;
    return true;
}

static bool take_pages(checkpoint *cp, void *user, uintptr_t start, uintptr_t end)
{
    for (uintptr_t page = start; page < end; page += PAGE_BYTES)
        if (!checkpoint_is_zero((const void *)page, PAGE_BYTES) && !take_page(cp, user, page))
            return false;
    return true;
}

/* Where the kernel does not tell what was written: what is resident, unless some may be swapped
 * out. */
static bool take_guess(checkpoint *cp, take_run *run, uintptr_t start, uintptr_t end)
{
    struct sysinfo facts;
    bool swaps = sysinfo(&facts) != 0 || facts.freeswap != facts.totalswap;
    unsigned char resident[256];
    for (uintptr_t at = start; at < end;) {
        size_t size =
            end - at < sizeof(resident) * PAGE_BYTES ? end - at : sizeof(resident) * PAGE_BYTES;
        bool known = !swaps && mincore((void *)at, size, resident) == 0;
        for (size_t i = 0; i < size >> PAGE_SHIFT; i++, at += PAGE_BYTES)
            if ((!known || (resident[i] & 1) != 0) && !take_pages(cp, run, at, at + PAGE_BYTES))
                return false;
    }
    return true;
}

static bool take_span(checkpoint *cp, const memory_mapping *mapping)
{
    if (cp->span_count == CHECKPOINT_SPANS_MAX) return false;
    checkpoint_span *span = &cp->spans[cp->span_count++];
    *span = (checkpoint_span){.start = mapping->start,
                              .end = mapping->end,
                              .region_first = cp->region_count,
                              .protection = mapping->protection};
    take_run run = {.done = mapping->start};
    bool ok;
    if (mapping->inode != 0)
        /* A file's own bytes may be there, which no list of dirty pages has. */
        ok = take_add_region(cp, mapping->start, mapping->end, true);
    else if (cp->source == DIRTY_COMPARED)
        ok = take_guess(cp, &run, mapping->start, mapping->end);
    else
        ok = checkpoint_visit_dirty(cp, mapping->start, mapping->end, take_pages, &run);
    if (mapping->inode == 0)
        ok = ok && take_close_run(cp, &run) && take_add_region(cp, run.done, mapping->end, false);
    span->region_count = cp->region_count - span->region_first;
    return ok;
}

static int take_survey(checkpoint *cp, snapcell_error *err)
{
    cp->region_count = cp->span_count = 0;
    cp->view_size_bytes = 0;
    int status = checkpoint_read_map(cp, cp->then, &cp->then_count, err);
    if (status != SNAPCELL_OK) return status;
    for (int i = 0; i < cp->then_count; i++)
        if (checkpoint_is_span(&cp->then[i]) && !take_span(cp, &cp->then[i]))
            return error_set(err, SNAPCELL_E_INTERNAL,
                             "the process's memory is in too many pieces for a checkpoint, or "
                             "cannot be looked at");
    return SNAPCELL_OK;
}

static bool take_write_all(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

static size_t take_zero_size(const unsigned char *data, size_t size)
{
    size_t zero = 0;
    while (zero < size && checkpoint_is_zero(data + zero, PAGE_BYTES))
        zero += PAGE_BYTES;
    return zero;
}

static size_t take_full_size(const unsigned char *data, size_t size)
{
    size_t full = PAGE_BYTES;
    while (full < size && !checkpoint_is_zero(data + full, PAGE_BYTES))
        full += PAGE_BYTES;
    return full;
}

/* Pages of zeros are holes, except for the last one, with which the file ends. */
static bool take_write_region(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        size_t zero = take_zero_size(data, size);
        if (zero == size) zero -= PAGE_BYTES;
        if (zero > 0 && lseek(fd, (off_t)zero, SEEK_CUR) < 0) return false;
        size_t full = take_full_size(data + zero, size - zero);
        if (!take_write_all(fd, data + zero, full)) return false;
        data += zero + full;
        size -= zero + full;
    }
    return true;
}

static bool take_write(const checkpoint *cp, int fd)
{
    for (uint32_t i = 0; i < cp->region_count; i++) {
        const checkpoint_region *region = &cp->regions[i];
        if (region->source != NULL && !take_write_region(fd, (const unsigned char *)region->start,
                                                         region->end - region->start))
            return false;
    }
    /* Nobody may change it from now on, this process included. */
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

/* Maps the file over what was written to it, and drops what is zero. */
static bool take_map(const checkpoint *cp, int fd)
{
    for (uint32_t i = 0; i < cp->span_count; i++) {
        const checkpoint_span *span = &cp->spans[i];
        for (uint32_t k = 0; k < span->region_count; k++) {
            const checkpoint_region *region = &cp->regions[span->region_first + k];
            void *start = (void *)region->start;
            size_t size = region->end - region->start;
            if (region->source == NULL) {
                if (madvise(start, size, MADV_DONTNEED) != 0) return false;
            } else if (mmap(start, size, span->protection, MAP_PRIVATE | MAP_FIXED, fd,
                            (off_t)region->file_offset) != start) {
                return false;
            }
        }
    }
    return true;
}

static bool take_view(checkpoint *cp, int fd)
{
    void *view = mmap(NULL, cp->view_size_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (view == MAP_FAILED) return false;
    cp->view = view;
    for (uint32_t i = 0; i < cp->region_count; i++)
        if (cp->regions[i].source != NULL)
            cp->regions[i].source = cp->view + cp->regions[i].file_offset;
    return true;
}

/* A byte a page of all spans. */
static bool take_make_pages(checkpoint *cp)
{
    size_t count = 0;
    for (uint32_t i = 0; i < cp->span_count; i++)
        count += (cp->spans[i].end - cp->spans[i].start) >> PAGE_SHIFT;
    cp->pages = outer_alloc(count);
    if (cp->pages == NULL) return false;
    cp->pages_size_bytes = count;
    uint8_t *at = cp->pages;
    for (uint32_t i = 0; i < cp->span_count; i++) {
        cp->spans[i].pages = at;
        at += (cp->spans[i].end - cp->spans[i].start) >> PAGE_SHIFT;
    }
    return true;
}

/* The kernel writes the processor's number into memory of the thread's whenever it moves it. glibc
 * reads it there for sched_getcpu() alone, and asks the kernel when it finds none. */
static bool take_leave_rseq(void)
{
    if (__rseq_size == 0) return true;
    void *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    /* The size with which glibc 2.35 and later register it. */
    return syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) == 0 || errno == EINVAL;
}

static void take_forget(checkpoint *cp)
{
    if (cp->view != NULL) munmap((void *)(uintptr_t)cp->view, cp->view_size_bytes);
    outer_free(cp->pages, cp->pages_size_bytes);
    cp->view = NULL;
    cp->pages = NULL;
    cp->pages_size_bytes = 0;
    cp->fresh_hot = 0;
    cp->run_count = 0;
}

int checkpoint_take(checkpoint *cp, snapcell_error *err)
{
    if (cp->taken == CHECKPOINT_FILES)
        return error_set(err, SNAPCELL_E_INTERNAL, "a process takes %d checkpoints at most",
                         CHECKPOINT_FILES);
    if (cp->taken == 0 && !take_leave_rseq())
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot leave rseq()");
    int fd = cp->files[cp->taken];
    take_forget(cp);
    int before = cp->taken;
    cp->taken = 0;
    int status = take_survey(cp, err);
    if (status != SNAPCELL_OK) return status;
    if (!take_write(cp, fd) || !take_map(cp, fd) || !take_view(cp, fd) || !take_make_pages(cp))
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                               "the process's memory cannot be mapped from a checkpoint");
    cp->program_break = (void *)syscall(SYS_brk, NULL);
    status = checkpoint_read_map(cp, cp->then, &cp->then_count, err);
    if (status != SNAPCELL_OK) return status;
    if (!checkpoint_empty_closed(cp))
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot empty what is closed");
    if (!checkpoint_read_marks(cp, &cp->marks))
        return error_set_errno(err, SNAPCELL_E_INTERNAL, errno, "cannot read /proc/self/statm");
    cp->taken = before + 1;
    /* Nothing is mapped from the one before any more: its memory goes with its descriptor. */
    if (before > 0) close(cp->files[before - 1]);
    if (before > 0) cp->files[before - 1] = -1;
    cp->counters.content_bytes = cp->view_size_bytes;
    cp->counters.hot_pages = 0;
    return SNAPCELL_OK;
}
