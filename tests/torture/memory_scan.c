#include "memory_scan.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE_SIZE_BYTES ((uintptr_t)4096)
#define WINDOW_PAGES 256
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)

typedef struct memory_scanner {
    const memory_needle *needles;
    size_t needle_count;
    memory_find *finds;
    size_t finds_max;
    long count;
    int memory;  /* /proc/self/mem: what cannot be read is an error there, not a signal */
    int pagemap; /* which pages there are */
    const char *mapping;
    /* A window with the end of the one before it in front: a needle may lie across. */
    uint8_t bytes[sizeof(memory_needle) + WINDOW_PAGES * PAGE_SIZE_BYTES];
    uint64_t pages[WINDOW_PAGES];
} memory_scanner;

static memory_scanner scanner; /* its own memory is left out */

void memory_needle_set(memory_needle *needle, const void *bytes, size_t size_bytes)
{
    const volatile uint8_t *from = bytes;
    needle->size_bytes =
        size_bytes < sizeof(needle->flipped) ? size_bytes : sizeof(needle->flipped);
    for (size_t i = 0; i < needle->size_bytes; i++)
        needle->flipped[i] = (uint8_t)~from[i];
}

static bool needle_is_at(const memory_needle *needle, const uint8_t *at)
{
    for (size_t i = 0; i < needle->size_bytes; i++)
        if ((at[i] ^ needle->flipped[i]) != UINT8_MAX) return false;
    return true;
}

static void scan_note(uintptr_t address)
{
    if ((size_t)scanner.count < scanner.finds_max) {
        memory_find *find = &scanner.finds[scanner.count];
        find->address = address;
        (void)snprintf(find->mapping, sizeof(find->mapping), "%s", scanner.mapping);
    }
    scanner.count++;
}

static void scan_bytes(const uint8_t *bytes, size_t size_bytes, uintptr_t address)
{
    for (size_t n = 0; n < scanner.needle_count; n++) {
        const memory_needle *needle = &scanner.needles[n];
        const uint8_t first = (uint8_t)~needle->flipped[0];
        const uint8_t *at = bytes, *end = bytes + size_bytes;
        while (at + needle->size_bytes <= end) {
            at = memchr(at, first, (size_t)(end - at));
            if (at == NULL || at + needle->size_bytes > end) break;
            if (needle_is_at(needle, at)) scan_note(address + (uintptr_t)(at - bytes));
            at++;
        }
    }
}

/* Pages that hold nothing are not read: that would make them. */
static void scan_window(uintptr_t begin, size_t pages)
{
    const off_t offset = (off_t)(begin / PAGE_SIZE_BYTES * sizeof(scanner.pages[0]));
    const ssize_t told =
        pread(scanner.pagemap, scanner.pages, pages * sizeof(scanner.pages[0]), offset);
    if (told != (ssize_t)(pages * sizeof(scanner.pages[0]))) return;
    for (size_t first = 0; first < pages;) {
        size_t last = first;
        while (last < pages && (scanner.pages[last] & (PAGE_PRESENT | PAGE_SWAPPED)) != 0)
            last++;
        const size_t size = (last - first) * PAGE_SIZE_BYTES;
        const uintptr_t address = begin + first * PAGE_SIZE_BYTES;
        if (size > 0 && pread(scanner.memory, scanner.bytes, size, (off_t)address) == (ssize_t)size)
            scan_bytes(scanner.bytes, size, address);
        first = last + 1;
    }
}

/* Windows overlap by a page, so that what lies across their border is found, perhaps twice. */
static void scan_mapping(uintptr_t begin, uintptr_t end)
{
    while (begin < end) {
        size_t pages = (end - begin) / PAGE_SIZE_BYTES;
        if (pages > WINDOW_PAGES) pages = WINDOW_PAGES;
        scan_window(begin, pages);
        if (begin + pages * PAGE_SIZE_BYTES == end) return;
        begin += (pages - 1) * PAGE_SIZE_BYTES;
    }
}

/* Without the scanner's own bytes. */
static void scan_around_scanner(uintptr_t begin, uintptr_t end)
{
    const uintptr_t own = (uintptr_t)&scanner & ~(PAGE_SIZE_BYTES - 1);
    const uintptr_t own_end = ((uintptr_t)(&scanner + 1) | (PAGE_SIZE_BYTES - 1)) + 1;
    if (own >= begin && own < end) {
        scan_mapping(begin, own);
        if (own_end < end) scan_mapping(own_end, end);
    } else {
        scan_mapping(begin, end);
    }
}

static long scan_mappings(FILE *maps)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    char line[512];
    while (fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t begin, end;
        char rights[5];
        int name_at = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &begin, &end, rights,
                   &name_at) < 3)
            continue;
        line[strcspn(line, "\n")] = '\0';
        scanner.mapping = name_at > 0 ? line + name_at : "";
        /* A file's shared pages hold what the file does. */
        if (rights[0] != 'r' || rights[3] == 's' || strncmp(scanner.mapping, "[v", 2) == 0)
            continue;
        /* Frames of calls that have returned are dead, and in no one's reach. */
        const bool own_stack = strcmp(scanner.mapping, "[stack]") == 0;
        scan_around_scanner(own_stack ? frame & ~(PAGE_SIZE_BYTES - 1) : begin, end);
    }
    return scanner.count;
}

long memory_scan(const memory_needle *needles, size_t count, memory_find *finds, size_t finds_max)
{
    scanner.needles = needles;
    scanner.needle_count = count;
    scanner.finds = finds;
    scanner.finds_max = finds_max;
    scanner.count = 0;
    scanner.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    scanner.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    const bool ready = scanner.memory >= 0 && scanner.pagemap >= 0 && maps != NULL;
    const long found = ready ? scan_mappings(maps) : -1;
    if (maps != NULL) (void)fclose(maps);
    if (scanner.memory >= 0) (void)close(scanner.memory);
    if (scanner.pagemap >= 0) (void)close(scanner.pagemap);
    return found;
}
