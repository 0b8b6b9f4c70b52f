/* Looks for bytes in all memory of this process that holds data: what is resident or swapped out of
 * its private mappings, except dead frames of the main thread's stack. */
#ifndef SNAPCELL_TESTS_MEMORY_SCAN_H
#define SNAPCELL_TESTS_MEMORY_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What to look for, so kept that looking does not find it here: each byte with all bits flipped. */
typedef struct memory_needle {
    uint8_t flipped[64];
    size_t size_bytes;
} memory_needle;

void memory_needle_set(memory_needle *needle, const void *bytes, size_t size_bytes);

/* One place where a needle was found. */
typedef struct memory_find {
    uintptr_t address;
    char mapping[64]; /* as "[heap]"; "" for memory without a name */
} memory_find;

/* Looks for any of `count` needles; tells of up to `finds_max` places, and returns how many there
 * are. -1 when memory cannot be read. */
long memory_scan(const memory_needle *needles, size_t count, memory_find *finds, size_t finds_max);

#endif
