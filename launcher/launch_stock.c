/* The program's pages that a call touches, mapped before it is known where: moving page tables is
 * many times cheaper than the page faults of a first call. */
#include <linux/mman.h>

#include "launch.h"

#define STOCK_ALIGNMENT (UINT64_C(2) << 20)
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

typedef struct stock_segment {
    launch_segment of;
    uint64_t address; /* 0: none, or it was taken */
} stock_segment;

static stock_segment segments[LAUNCH_SEGMENTS_MAX];
static uint32_t segment_count;

/* Address space that is found by the kernel; its beginning is as far into 2 MiB as in the image, so
 * that page tables move as a whole. */
static uint64_t stock_map_anywhere(const launch_segment *segment)
{
    uint64_t room = segment->size_bytes + STOCK_ALIGNMENT;
    long place =
        call6(__NR_mmap, 0, (long)room, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (call_failed(place)) return 0;
    uint64_t start = ((uint64_t)place & ~(STOCK_ALIGNMENT - 1)) + segment->start % STOCK_ALIGNMENT;
    if (start < (uint64_t)place) start += STOCK_ALIGNMENT;
    long mapped = call6(__NR_mmap, (long)start, (long)segment->size_bytes, segment->protection,
                        MAP_PRIVATE | MAP_FIXED, PROCESS_IMAGE_FD_PROGRAM, (long)segment->offset);
    uint64_t end = start + segment->size_bytes;
    if (start > (uint64_t)place) call3(__NR_munmap, place, (long)(start - (uint64_t)place), 0);
    if (end < (uint64_t)place + room)
        call3(__NR_munmap, (long)end, (long)((uint64_t)place + room - end), 0);
    return call_failed(mapped) ? 0 : start;
}

/* Where the last image has it, if that is free: the next launch is likely to be one of the same
 * function, and then nothing is to be moved. */
static uint64_t stock_map(const launch_segment *segment)
{
    long place =
        call6(__NR_mmap, (long)segment->start, (long)segment->size_bytes, segment->protection,
              MAP_PRIVATE | MAP_FIXED_NOREPLACE, PROCESS_IMAGE_FD_PROGRAM, (long)segment->offset);
    if (place == (long)segment->start) return segment->start;
    if (!call_failed(place)) call3(__NR_munmap, place, (long)segment->size_bytes, 0);
    return stock_map_anywhere(segment);
}

/* Reads a byte of each page. A hypervisor that keeps page tables of its own has those at hand then,
 * too. */
static void stock_read(uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at < end; at += PROCESS_IMAGE_PAGE)
        (void)*(const volatile unsigned char *)(uintptr_t)at;
}

/* The part of warm pages that lies in a segment. */
static void stock_touch(const stock_segment *segment, const launch_warm *warm, bool touches)
{
    uint64_t start = warm->offset;
    uint64_t end = warm->offset + warm->size_bytes;
    uint64_t segment_end = segment->of.offset + segment->of.size_bytes;
    if (start < segment->of.offset) start = segment->of.offset;
    if (end > segment_end) end = segment_end;
    if (start >= end) return;
    start = segment->address + (start - segment->of.offset);
    end = segment->address + (end - segment->of.offset);
    long populated = call3(__NR_madvise, (long)start, (long)(end - start), MADV_POPULATE_READ);
    if (touches && !call_failed(populated)) stock_read(start, end);
}

void launch_lay_in(const launch_stock *stock)
{
    uint32_t warm_count = stock->warm_count <= LAUNCH_WARM_MAX ? stock->warm_count : 0;
    for (uint32_t i = 0; i < stock->segment_count && i < LAUNCH_SEGMENTS_MAX; i++) {
        stock_segment *segment = &segments[segment_count];
        segment->of = stock->segments[i];
        segment->address = stock_map(&segment->of);
        if (segment->address == 0) continue;
        segment_count++;
        for (uint32_t k = 0; k < warm_count; k++)
            stock_touch(segment, &stock->warm[k], stock->touches != 0);
    }
}

static void stock_drop(stock_segment *segment)
{
    if (segment->address != 0)
        call3(__NR_munmap, (long)segment->address, (long)segment->of.size_bytes, 0);
    segment->address = 0;
}

static bool stock_is_of(const stock_segment *segment, const process_image_range *range)
{
    return segment->address != 0 && range->kind == PROCESS_IMAGE_PROGRAM &&
           segment->of.offset == range->offset &&
           segment->of.size_bytes == range->end - range->start &&
           segment->of.protection == range->protection;
}

/* In the way of anything of the image. */
static bool stock_collides(const stock_segment *segment, const process_image_range *ranges,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (segment->address < ranges[i].end &&
            ranges[i].start < segment->address + segment->of.size_bytes &&
            !(segment->address == ranges[i].start && stock_is_of(segment, &ranges[i])))
            return true;
    return false;
}

void launch_clear_stock(const process_image_range *ranges, uint32_t count)
{
    for (uint32_t i = 0; i < segment_count; i++)
        if (stock_collides(&segments[i], ranges, count)) stock_drop(&segments[i]);
}

bool launch_has_segment(const process_image_range *range)
{
    for (uint32_t i = 0; i < segment_count; i++) {
        if (segments[i].address != range->start || !stock_is_of(&segments[i], range)) continue;
        segments[i].address = 0;
        return true;
    }
    return false;
}

bool launch_take_segment(const process_image_range *range)
{
    uint64_t size = range->end - range->start;
    for (uint32_t i = 0; i < segment_count; i++) {
        stock_segment *segment = &segments[i];
        if (!stock_is_of(segment, range)) continue;
        long moved = call5(__NR_mremap, (long)segment->address, (long)size, (long)size,
                           MREMAP_MAYMOVE | MREMAP_FIXED, (long)range->start);
        if (call_failed(moved)) return false;
        segment->address = 0;
        return true;
    }
    return false;
}

void launch_drop_stock(void)
{
    for (uint32_t i = 0; i < segment_count; i++)
        stock_drop(&segments[i]);
}
