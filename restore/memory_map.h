/* /proc/self/maps as a table. Internal. */
#ifndef SNAPCELL_MEMORY_MAP_H
#define SNAPCELL_MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a line of the kernel's list says of a mapping. */
typedef struct memory_mapping {
    uintptr_t start;
    uintptr_t end;
    uint64_t offset; /* in its file */
    uint64_t device; /* of its file */
    uint64_t inode;  /* of its file; 0: anonymous */
    int protection;  /* PROT_* */
    bool is_private;
    bool is_special; /* the kernel's own: [vdso], [vvar], [vsyscall] */
} memory_mapping;

/* Reads lines of /proc/self/maps into `out`, at most `capacity`. Returns how many there are, or -1:
 * a line is none of the kernel's, the ranges are not in order, or there are more. */
int memory_map_parse(const char *text, size_t size_bytes, memory_mapping *out, size_t capacity);

/* How much is mapped, as the first number of /proc/self/statm counts it: without what lies in the
 * kernel's half ([vsyscall]). */
uint64_t memory_map_size_bytes(const memory_mapping *mappings, size_t count);

#endif
