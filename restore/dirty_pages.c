#include "dirty_pages.h"

#include <errno.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page_size.h"

/* Debian 12's headers are older than the ioctl: see linux/fs.h of Linux 6.7. */
#define DIRTY_PAGE_IS_FILE (UINT64_C(1) << 2)
#define DIRTY_PAGE_IS_PRESENT (UINT64_C(1) << 3)
#define DIRTY_PAGE_IS_SWAPPED (UINT64_C(1) << 4)
#define DIRTY_PAGE_IS_ZERO (UINT64_C(1) << 5)

typedef struct scan_argument {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t vec;
    uint64_t vec_len;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
} scan_argument;

typedef struct scan_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
} scan_region;

#define DIRTY_SCAN _IOWR('f', 16, scan_argument)
#define SCAN_REGIONS 128

/* Words of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define LISTED_IS_FILE (UINT64_C(1) << 61)
#define LISTED_IS_SWAPPED (UINT64_C(1) << 62)
#define LISTED_IS_PRESENT (UINT64_C(1) << 63)

static int dirty_scan(int fd, uintptr_t *at, uintptr_t end, dirty_range *out, int capacity)
{
    scan_region regions[SCAN_REGIONS];
    const uint64_t clean = DIRTY_PAGE_IS_FILE | DIRTY_PAGE_IS_ZERO;
    scan_argument argument = {
        .size = sizeof(argument),
        .start = *at,
        .end = end,
        .vec = (uint64_t)(uintptr_t)regions,
        .vec_len = (uint64_t)(capacity < SCAN_REGIONS ? capacity : SCAN_REGIONS),
        .category_inverted = clean,
        .category_mask = clean,
        .category_anyof_mask = DIRTY_PAGE_IS_PRESENT | DIRTY_PAGE_IS_SWAPPED,
        .return_mask = DIRTY_PAGE_IS_PRESENT,
    };
    int count;
    do
        count = ioctl(fd, DIRTY_SCAN, &argument);
    while (count < 0 && errno == EINTR);
    for (int i = 0; i < count; i++)
        out[i] = (dirty_range){(uintptr_t)regions[i].start, (uintptr_t)regions[i].end};
    if (count >= 0) *at = (uintptr_t)argument.walk_end;
    return count;
}

static bool listed_is_dirty(uint64_t word)
{
    return (word & (LISTED_IS_PRESENT | LISTED_IS_SWAPPED)) != 0 && (word & LISTED_IS_FILE) == 0;
}

/* Appends a page to the last range, or begins one. False: there is no room for that. */
static bool listed_add(dirty_range *out, int *count, int capacity, uintptr_t page)
{
    if (*count > 0 && out[*count - 1].end == page) {
        out[*count - 1].end += PAGE_BYTES;
        return true;
    }
    if (*count == capacity) return false;
    out[(*count)++] = (dirty_range){page, page + PAGE_BYTES};
    return true;
}

static int dirty_list(int fd, uintptr_t *at, uintptr_t end, dirty_range *out, int capacity,
                      uint64_t *entries, size_t entry_count)
{
    int count = 0;
    while (*at < end) {
        size_t pages = (end - *at) >> PAGE_SHIFT;
        if (pages > entry_count) pages = entry_count;
        ssize_t got = pread(fd, entries, pages * sizeof(*entries),
                            (off_t)((*at >> PAGE_SHIFT) * sizeof(*entries)));
        if (got < 0 && errno == EINTR) continue;
        if (got < (ssize_t)sizeof(*entries)) return -1;
        pages = (size_t)got / sizeof(*entries);
        for (size_t i = 0; i < pages; i++, *at += PAGE_BYTES)
            if (listed_is_dirty(entries[i]) && !listed_add(out, &count, capacity, *at))
                return count;
    }
    return count;
}

int dirty_pages_list(dirty_source source, int pagemap_fd, uintptr_t *at, uintptr_t end,
                     dirty_range *out, int capacity, uint64_t *entries, size_t entry_count)
{
    if (source == DIRTY_SCANNED) return dirty_scan(pagemap_fd, at, end, out, capacity);
    if (source == DIRTY_LISTED)
        return dirty_list(pagemap_fd, at, end, out, capacity, entries, entry_count);
    errno = ENOSYS;
    return -1;
}

/* A kernel, or a sandbox around it, may know the call and give nonsense: a page that was just
 * written must be seen, and one that was not must not. */
static bool dirty_works(dirty_source source, int fd)
{
    size_t size = 2 * PAGE_BYTES;
    char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return false;
    *(volatile char *)(pages + PAGE_BYTES) = 1;
    dirty_range found[2];
    uint64_t entries[2];
    uintptr_t at = (uintptr_t)pages;
    int count = dirty_pages_list(source, fd, &at, at + size, found, 2, entries, 2);
    bool works = count == 1 && found[0].start == (uintptr_t)pages + PAGE_BYTES &&
                 found[0].end == (uintptr_t)pages + size;
    munmap(pages, size);
    return works;
}

dirty_source dirty_source_probe(int pagemap_fd, dirty_source best)
{
    if (pagemap_fd < 0) return DIRTY_COMPARED;
    for (int source = best; source < DIRTY_COMPARED; source++)
        if (dirty_works((dirty_source)source, pagemap_fd)) return (dirty_source)source;
    return DIRTY_COMPARED;
}
