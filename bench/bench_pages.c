#include "bench_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "error_set.h"

void bench_pages_close(bench_pages *pages)
{
    if (pages->map) munmap(pages->map, pages->size_bytes);
    if (pages->file >= 0) close(pages->file);
    free(pages->resident);
    *pages = (bench_pages){.file = -1};
}

static int bench_pages_map(bench_pages *pages, const char *path, snapcell_error *err)
{
    struct stat facts;
    pages->file = open(path, O_RDONLY | O_CLOEXEC);
    if (pages->file < 0 || fstat(pages->file, &facts) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "opening %s", path);
    pages->device = facts.st_dev;
    pages->inode = facts.st_ino;
    pages->size_bytes = (size_t)facts.st_size;
    void *map = mmap(NULL, pages->size_bytes, PROT_READ, MAP_SHARED, pages->file, 0);
    if (map == MAP_FAILED) return error_set_errno(err, SNAPCELL_E_IO, errno, "mapping %s", path);
    pages->map = map;
    pages->resident = malloc(pages->size_bytes / (size_t)getpagesize() + 1);
    if (!pages->resident) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a page map");
    /* Only clean pages can be dropped. */
    if (fsync(pages->file) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "writing %s out", path);
    return SNAPCELL_OK;
}

int bench_pages_open(const char *store, bench_pages *out, snapcell_error *err)
{
    *out = (bench_pages){.file = -1};
    char path[4096];
    snprintf(path, sizeof(path), "%s/data.mdb", store);
    int status = bench_pages_map(out, path, err);
    if (status != SNAPCELL_OK) bench_pages_close(out);
    return status;
}

/* A line of /proc/self/maps: "START-END PERMISSIONS OFFSET MAJOR:MINOR INODE PATH", all but the
 * inode in hexadecimal digits. Whether it maps the file. */
static bool bench_pages_match(const bench_pages *pages, const char *line, uint64_t *start,
                              uint64_t *end)
{
    char *at;
    *start = strtoull(line, &at, 16);
    if (*at != '-') return false;
    *end = strtoull(at + 1, &at, 16);
    at += strspn(at, " ");
    at += strcspn(at, " "); /* the permissions */
    strtoull(at, &at, 16);  /* the offset */
    unsigned long major = strtoul(at, &at, 16);
    if (*at != ':') return false;
    unsigned long minor = strtoul(at + 1, &at, 16);
    return strtoull(at, NULL, 10) == pages->inode &&
           makedev((unsigned)major, (unsigned)minor) == pages->device;
}

/* Every mapping of the file in this process; LMDB's is far longer than the file. */
static void bench_pages_unmap_all(const bench_pages *pages)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return;
    char line[4500];
    while (fgets(line, sizeof(line), maps)) {
        uint64_t start, end;
        if (!bench_pages_match(pages, line, &start, &end)) continue;
        size_t size = (size_t)(end - start);
        madvise((void *)(uintptr_t)start, size < pages->size_bytes ? size : pages->size_bytes,
                MADV_DONTNEED);
    }
    fclose(maps);
}

int bench_pages_drop(bench_pages *pages, uint64_t *resident_bytes, snapcell_error *err)
{
    bench_pages_unmap_all(pages);
    int problem = posix_fadvise(pages->file, 0, 0, POSIX_FADV_DONTNEED);
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_IO, problem, "dropping a store from the page cache");
    if (mincore(pages->map, pages->size_bytes, pages->resident) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "asking what is in the page cache");
    size_t page_size = (size_t)getpagesize();
    size_t count = (pages->size_bytes + page_size - 1) / page_size;
    *resident_bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (pages->resident[i] & 1) *resident_bytes += page_size;
    return SNAPCELL_OK;
}
