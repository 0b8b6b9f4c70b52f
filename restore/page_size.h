/* Pages, as the kernel counts them. Internal. */
#ifndef SNAPCELL_PAGE_SIZE_H
#define SNAPCELL_PAGE_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* x86-64 has no other, and V8's builds for aarch64 expect it. checkpoint_open() checks. */
#define PAGE_SHIFT 12
#define PAGE_BYTES ((size_t)1 << PAGE_SHIFT)

static inline size_t page_round_up(size_t size_bytes)
{
    return (size_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

static inline uintptr_t page_of(uintptr_t address)
{
    return address & ~(uintptr_t)(PAGE_BYTES - 1);
}

#endif
