/* Becoming the process that an image was made of. The host has checked the image. */
#include <linux/mman.h>
#include <linux/prctl.h>
#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

#include "launch.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define LAUNCH_EEXIST 17
/* As much of the image's stack as it is sure to use. */
#define LAUNCH_STACK_WARM (4 * (uint64_t)PROCESS_IMAGE_PAGE)
/* Images have tables of this size, give or take. */
#define LAUNCH_RANGES_WARM 256

/* The kernel's prctl_mm_map. */
typedef struct launch_mm_map {
    process_image_layout layout;
    uint64_t auxv;
    uint32_t auxv_size;
    uint32_t exe_fd;
} launch_mm_map;

typedef struct launch_sigaction {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
} launch_sigaction;

static union {
    process_image_head head;
    unsigned char page[PROCESS_IMAGE_PAGE];
} image;
static process_image_range ranges[PROCESS_IMAGE_RANGES_MAX];
static process_image_copy copies[PROCESS_IMAGE_COPIES_MAX];

void launch_touch_tables(void)
{
    volatile unsigned char *page = image.page;
    page[0] = 0;
    for (uint32_t i = 0; i < LAUNCH_RANGES_WARM; i += PROCESS_IMAGE_PAGE / sizeof(*ranges))
        *(volatile uint64_t *)&ranges[i].start = 0;
    *(volatile uint64_t *)&copies[0].start = 0;
}

static void read_image(void *to, size_t size_bytes, uint64_t offset)
{
    long got = call4(__NR_pread64, PROCESS_IMAGE_FD_IMAGE, at(to), (long)size_bytes, (long)offset);
    if (got != (long)size_bytes) launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_IMAGE, got);
}

static void read_tables(uint64_t image_size_bytes)
{
    const process_image_head *head = &image.head;
    read_image(image.page, sizeof(image.page), image_size_bytes - PROCESS_IMAGE_PAGE);
    if (head->magic != PROCESS_IMAGE_MAGIC || head->version != PROCESS_IMAGE_VERSION ||
        head->range_count > PROCESS_IMAGE_RANGES_MAX ||
        head->copy_count > PROCESS_IMAGE_COPIES_MAX ||
        head->signal_count > PROCESS_IMAGE_SIGNALS_MAX)
        launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_IMAGE, 0);
    size_t size = head->range_count * sizeof(*ranges);
    read_image(ranges, size, head->table_offset);
    read_image(copies, head->copy_count * sizeof(*copies), head->table_offset + size);
}

/* --- Ranges --- */

/* Kernels before 4.17 do not know the flag, and map elsewhere what finds its place taken. */
static void map_at(const process_image_range *range, int flags, int fd, uint64_t offset)
{
    long result = call6(__NR_mmap, (long)range->start, (long)(range->end - range->start),
                        (long)range->protection, flags | MAP_FIXED_NOREPLACE, fd, (long)offset);
    if (result == (long)range->start) return;
    if (result == -LAUNCH_EEXIST || !call_failed(result))
        launch_fail(LAUNCH_COLLIDED, LAUNCH_STEP_RANGE, result);
    launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_RANGE, result);
}

static void map_range(const process_image_range *range)
{
    switch ((process_image_kind)range->kind) {
    case PROCESS_IMAGE_BYTES:
        map_at(range, MAP_PRIVATE, PROCESS_IMAGE_FD_IMAGE, range->offset);
        break;
    case PROCESS_IMAGE_PROGRAM:
        if (launch_has_segment(range)) break;
        map_at(range, MAP_PRIVATE, PROCESS_IMAGE_FD_PROGRAM, range->offset);
        launch_take_segment(range);
        break;
    case PROCESS_IMAGE_VIEW:
        map_at(range, MAP_SHARED, PROCESS_IMAGE_FD_IMAGE, 0);
        break;
    case PROCESS_IMAGE_OUTER:
        map_at(range, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        break;
    case PROCESS_IMAGE_EMPTY:
        map_at(range, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        break;
    case PROCESS_IMAGE_SPECIAL: /* keeps the place free */
        map_at(&(process_image_range){.start = range->start, .end = range->end},
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        break;
    }
}

static bool special_is_there(const launch_own *own, const process_image_range *range)
{
    for (uint32_t i = 0; i < own->special_count; i++)
        if (own->specials[i].start == range->start && own->specials[i].end == range->end)
            return true;
    return false;
}

static void map_ranges(const launch_own *own)
{
    launch_clear_stock(ranges, image.head.range_count);
    for (uint32_t i = 0; i < image.head.range_count; i++)
        if (ranges[i].kind != PROCESS_IMAGE_SPECIAL || !special_is_there(own, &ranges[i]))
            map_range(&ranges[i]);
}

/* vvar and vdso, which code of the image calls where they were. */
static void move_specials(const launch_own *own)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < image.head.range_count; i++) {
        const process_image_range *range = &ranges[i];
        if (range->kind != PROCESS_IMAGE_SPECIAL) continue;
        uint64_t size = range->end - range->start;
        if (count == own->special_count ||
            own->specials[count].end - own->specials[count].start != size)
            launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_VDSO, 0);
        uint64_t from = own->specials[count++].start;
        if (from == range->start) continue;
        launch_require(LAUNCH_STEP_VDSO, call5(__NR_mremap, (long)from, (long)size, (long)size,
                                               MREMAP_MAYMOVE | MREMAP_FIXED, (long)range->start));
    }
    if (count != own->special_count) launch_fail(LAUNCH_REFUSED, LAUNCH_STEP_VDSO, 0);
}

/* Makes pages that will be written all at once. What the kernel refuses comes by page faults. */
static void populate(uint64_t start, uint64_t end)
{
    call3(__NR_madvise, (long)start, (long)(end - start), MADV_POPULATE_WRITE);
}

static void copy_bytes(void)
{
    populate(image.head.stack_top - LAUNCH_STACK_WARM, image.head.stack_top);
    for (uint32_t i = 0; i < image.head.copy_count; i++)
        populate(copies[i].start, copies[i].end);
    for (uint32_t i = 0; i < image.head.copy_count; i++)
        read_image((void *)(uintptr_t)copies[i].start, copies[i].end - copies[i].start,
                   copies[i].offset);
}

/* --- What the kernel knows of a process --- */

/* A kernel that was built without CONFIG_CHECKPOINT_RESTORE does not let the break be set: malloc()
 * then finds it cannot grow, and maps memory. */
static void set_layout(void)
{
    launch_mm_map map = {.layout = image.head.layout, .exe_fd = UINT32_MAX};
    call5(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, at(&map), sizeof(map), 0);
}

static void set_thread(void)
{
    const process_image_head *head = &image.head;
#if defined(__x86_64__)
    launch_require(LAUNCH_STEP_THREAD,
                   call3(__NR_arch_prctl, ARCH_SET_FS, (long)head->thread_pointer, 0));
#elif defined(__aarch64__)
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(head->thread_pointer));
#endif
    call3(__NR_set_tid_address, (long)head->tid_address, 0, 0);
    if (head->robust_list != 0)
        launch_require(LAUNCH_STEP_THREAD, call3(__NR_set_robust_list, (long)head->robust_list,
                                                 (long)head->robust_size_bytes, 0));
}

static void set_signals(void)
{
    for (uint32_t i = 0; i < image.head.signal_count; i++) {
        const process_image_signal *signal = &image.head.signals[i];
        const launch_sigaction action = {signal->handler, signal->flags, signal->restorer,
                                         signal->mask};
        launch_require(LAUNCH_STEP_SIGNALS, call4(__NR_rt_sigaction, (long)signal->number,
                                                  at(&action), 0, sizeof(action.mask)));
    }
}

/* --- The jump --- */

_Noreturn static void jump(const process_image_arrival *arrival)
{
    const process_image_head *head = &image.head;
#if defined(__x86_64__)
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "callq *%1\n\t"
                     "ud2"
                     :
                     : "r"(head->stack_top), "r"(head->entry), "D"(head->argument), "S"(arrival)
                     : "memory");
#elif defined(__aarch64__)
    register uint64_t x0 __asm__("x0") = head->argument;
    register const void *x1 __asm__("x1") = arrival;
    __asm__ volatile("mov sp, %0\n\t"
                     "mov x29, #0\n\t"
                     "blr %1\n\t"
                     "brk #1"
                     :
                     : "r"(head->stack_top), "r"(head->entry), "r"(x0), "r"(x1)
                     : "memory");
#endif
    __builtin_unreachable();
}

void launch_become(const launch_own *own, uint64_t image_size_bytes)
{
    read_tables(image_size_bytes);
    map_ranges(own);
    move_specials(own);
    launch_drop_stock();
    copy_bytes();
    set_layout();
    set_thread();
    set_signals();
    jump(&own->leftovers);
}
