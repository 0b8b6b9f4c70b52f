#include "readahead.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel may cut a longer request short; 128 KiB is the window of a disk as it comes. */
#define READAHEAD_REQUEST_SIZE ((size_t)128 << 10)

/* As much as one look takes: a byte a page. */
#define READAHEAD_PAGE_COUNT 1024

static bool readahead_all_resident(char *start, size_t size_bytes, size_t page_size)
{
    unsigned char resident[READAHEAD_PAGE_COUNT];
    size_t count = (size_bytes + (page_size - 1)) / page_size;
    if (mincore(start, size_bytes, resident) != 0) return true; /* no such file pages: leave it */
    for (size_t i = 0; i < count; i++)
        if ((resident[i] & 1) == 0) return false;
    return true;
}

static size_t readahead_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

void readahead_request(const void *bytes, size_t size_bytes)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    char *start = (char *)((uintptr_t)bytes & ~(uintptr_t)(page_size - 1));
    size_t left = size_bytes + (size_t)((const char *)bytes - start);
    while (left > 0) {
        size_t looked = readahead_min(left, READAHEAD_PAGE_COUNT * page_size);
        if (!readahead_all_resident(start, looked, page_size))
            for (size_t at = 0; at < looked; at += READAHEAD_REQUEST_SIZE)
                (void)madvise(start + at, readahead_min(looked - at, READAHEAD_REQUEST_SIZE),
                              MADV_WILLNEED);
        start += looked;
        left -= looked;
    }
}
