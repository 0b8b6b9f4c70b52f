/* Opening and closing, and what the kernel tells of this process. */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "outer_memory.h"
#include "page_size.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* Kernels from 6.3 on want to be told that code may be in it; older ones do not know the flag. */
static int checkpoint_make_file(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("snapcell-checkpoint", flags | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("snapcell-checkpoint", flags);
    return fd;
}

static bool checkpoint_open_files(checkpoint *cp)
{
    for (int i = 0; i < CHECKPOINT_FILES; i++)
        cp->files[i] = -1;
    cp->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    cp->maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    cp->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (cp->maps_fd < 0 || cp->statm_fd < 0) return false;
    for (int i = 0; i < CHECKPOINT_FILES; i++)
        if ((cp->files[i] = checkpoint_make_file()) < 0) return false;
    return true;
}

/* That no page was written is known by this number alone: where it stands still, as in emulations
 * of a kernel, a call would leave its pages to the next. */
static bool checkpoint_faults_are_counted(void)
{
    long before;
    long after;
    char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    bool counted = checkpoint_read_faults(&before);
    *(volatile char *)page = 1;
    counted = counted && checkpoint_read_faults(&after) && after > before;
    munmap(page, PAGE_BYTES);
    return counted;
}

/* In an emulator of processes there is memory that is not the program's: the kernel counts it, and
 * the list of mappings, which the emulator writes, does not have it. Restores go by both. Another
 * thread may map memory meanwhile, which shows in the counts. */
static bool checkpoint_sees_all_memory(checkpoint *cp)
{
    checkpoint_marks before;
    checkpoint_marks after;
    for (int tries = 0; tries < 10; tries++) {
        if (!checkpoint_read_marks(cp, &before) ||
            checkpoint_read_map(cp, cp->then, &cp->then_count, NULL) != SNAPCELL_OK ||
            !checkpoint_read_marks(cp, &after))
            return true; /* taking a checkpoint will say what is wrong */
        uint64_t listed = memory_map_size_bytes(cp->then, (size_t)cp->then_count) >> PAGE_SHIFT;
        if (listed == before.size_pages) return true;
        if (before.size_pages == after.size_pages) return false;
    }
    return true;
}

int checkpoint_open(dirty_source best, checkpoint **out, snapcell_error *err)
{
    *out = NULL;
#ifdef __SANITIZE_ADDRESS__
    (void)best;
    return error_set(err, SNAPCELL_E_INTERNAL, "a build with AddressSanitizer has no checkpoints");
#endif
    if ((size_t)sysconf(_SC_PAGESIZE) != PAGE_BYTES)
        return error_set(err, SNAPCELL_E_INTERNAL, "checkpoints need pages of %zu bytes",
                         PAGE_BYTES);
    if (!checkpoint_faults_are_counted())
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "checkpoints need a kernel that counts page faults: getrusage() does not");
    checkpoint *cp = outer_alloc(sizeof(*cp));
    if (cp == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a checkpoint");
    if (!checkpoint_open_files(cp)) {
        int problem = errno;
        checkpoint_close(cp);
        return error_set_errno(err, SNAPCELL_E_INTERNAL, problem,
                               "a checkpoint needs /proc/self and memfd_create()");
    }
    if (!checkpoint_sees_all_memory(cp)) {
        checkpoint_close(cp);
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "checkpoints need /proc/self/maps to list all memory that "
                         "/proc/self/statm counts: in an emulator it does not");
    }
    cp->source = dirty_source_probe(cp->pagemap_fd, best);
    *out = cp;
    return SNAPCELL_OK;
}

void checkpoint_close(checkpoint *cp)
{
    if (cp == NULL) return;
    const int files[] = {cp->pagemap_fd, cp->maps_fd, cp->statm_fd};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (files[i] >= 0) close(files[i]);
    for (int i = 0; i < CHECKPOINT_FILES; i++)
        if (cp->files[i] >= 0) close(cp->files[i]);
    if (cp->view != NULL) munmap((void *)(uintptr_t)cp->view, cp->view_size_bytes);
    outer_free(cp->pages, cp->pages_size_bytes);
    outer_free(cp, sizeof(*cp));
}

void checkpoint_files(const checkpoint *cp, int out[CHECKPOINT_FILES])
{
    memcpy(out, cp->files, sizeof(cp->files));
}

dirty_source checkpoint_source(const checkpoint *cp)
{
    return cp->source;
}

bool checkpoint_is_taken(const checkpoint *cp)
{
    return cp->taken > 0;
}

const checkpoint_counters *checkpoint_count(const checkpoint *cp)
{
    return &cp->counters;
}

int checkpoint_read_map(checkpoint *cp, memory_mapping *out, int *count, snapcell_error *err)
{
    size_t size = 0;
    for (;;) {
        ssize_t got = pread(cp->maps_fd, cp->text + size, sizeof(cp->text) - size, (off_t)size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || size + (size_t)got == sizeof(cp->text))
            return error_set_errno(err, SNAPCELL_E_INTERNAL, got < 0 ? errno : EFBIG,
                                   "cannot read the list of mappings");
        if (got == 0) break;
        size += (size_t)got;
    }
    *count = memory_map_parse(cp->text, size, out, CHECKPOINT_MAPPINGS_MAX);
    if (*count >= 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_INTERNAL, "the list of mappings is not as expected");
}

static const char *marks_number(const char *text, uint64_t *out)
{
    *out = 0;
    while (*text == ' ')
        text++;
    for (; *text >= '0' && *text <= '9'; text++)
        *out = *out * 10 + (uint64_t)(*text - '0');
    return text;
}

/* "size resident shared text lib data dt", in pages: proc_pid_statm(5). */
bool checkpoint_read_marks(const checkpoint *cp, checkpoint_marks *out)
{
    char text[160];
    ssize_t got;
    do
        got = pread(cp->statm_fd, text, sizeof(text) - 1, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    text[got] = '\0';
    const char *at = marks_number(text, &out->size_pages);
    uint64_t skipped;
    for (int i = 0; i < 4; i++)
        at = marks_number(at, &skipped);
    marks_number(at, &out->data_pages);
    return checkpoint_read_faults(&out->faults);
}

bool checkpoint_read_faults(long *out)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return false;
    *out = usage.ru_minflt + usage.ru_majflt;
    return true;
}

bool checkpoint_visit_dirty(checkpoint *cp, uintptr_t start, uintptr_t end,
                            checkpoint_visit_fn *visit, void *user)
{
    while (start < end) {
        int count = dirty_pages_list(cp->source, cp->pagemap_fd, &start, end, cp->ranges,
                                     CHECKPOINT_RANGES, cp->entries, CHECKPOINT_ENTRIES);
        if (count < 0) return false;
        for (int i = 0; i < count; i++)
            if (!visit(cp, user, cp->ranges[i].start, cp->ranges[i].end)) return false;
    }
    return true;
}

bool checkpoint_visit_pages(checkpoint *cp, uintptr_t start, uintptr_t end, uint64_t bits,
                            checkpoint_page_fn *visit, void *user)
{
    for (uintptr_t at = start; at < end;) {
        size_t count = (end - at) >> PAGE_SHIFT;
        if (count > CHECKPOINT_ENTRIES) count = CHECKPOINT_ENTRIES;
        ssize_t got = pread(cp->pagemap_fd, cp->entries, count * sizeof(*cp->entries),
                            (off_t)((at >> PAGE_SHIFT) * sizeof(*cp->entries)));
        if (got < (ssize_t)sizeof(*cp->entries)) return false;
        count = (size_t)got / sizeof(*cp->entries);
        for (size_t i = 0; i < count; i++, at += PAGE_BYTES)
            if ((cp->entries[i] & bits) == bits) visit(user, at);
    }
    return true;
}

bool checkpoint_is_zero(const void *memory, size_t size_bytes)
{
    const char *bytes = memory;
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0;
}

const checkpoint_region *checkpoint_region_at(const checkpoint *cp, const checkpoint_span *span,
                                              uintptr_t address)
{
    uint32_t low = span->region_first;
    uint32_t high = low + span->region_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (cp->regions[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return &cp->regions[low];
}
