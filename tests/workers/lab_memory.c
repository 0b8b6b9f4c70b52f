/* Compares all memory of a worker after each restore with what it was at the checkpoint: every
 * private mapping, whatever its protection, and the list of all mappings. Copies are the test's
 * own, and pages are found by words of pagemap, so that nothing of the checkpoint is relied upon;
 * only pages that are there are touched, so that the worker's own page faults are what they would
 * be.
 *
 * The copies go into images, too: a process that is launched from one is compared with the process
 * that made it after each restore. Its mappings are compared with those that it began with.
 *
 * Not compared: shared mappings, which are the session's own and outlive calls by design, and pages
 * of files that nobody wrote. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "checkpoint.h"
#include "lab_worker.h"
#include "memory_map.h"
#include "outer_memory.h"
#include "process_image.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define PAGE ((size_t)4096)
#define MAPPINGS_MAX 8192
#define TEXT_MAX ((size_t)4 << 20)
/* Pages that are not zero, of all mappings. */
#define COPIES_MAX ((size_t)64 << 10)
/* Pages of all mappings, except for those of huge reservations. */
#define PAGES_MAX ((size_t)8 << 20)
#define WORDS 4096
/* Fetching pages makes page faults, of which a worker would take note: in each so-many-th check. */
#define THOROUGH_EVERY 61

/* What a page was: */
#define PAGE_ZERO 0u
#define PAGE_FILES UINT32_MAX /* a file's; else a copy's number, from 1 */

#define WORD_IS_FILE (UINT64_C(1) << 61)
#define WORD_IS_SWAPPED (UINT64_C(1) << 62)
#define WORD_IS_PRESENT (UINT64_C(1) << 63)

#define FILES_MAX 64

/* What the kernel and the processor hold for a process, and no memory shows. */
typedef struct lab_kernel {
    uint64_t files; /* a bit a descriptor that is open */
    sigset_t mask;
    void *handlers[NSIG];
    void *signal_stack;
    uint32_t rounding;
} lab_kernel;

/* In outer memory. */
typedef struct lab_memory {
    lab_report *report;
    lab_report own_report; /* of a process that cannot have the one that tests see */
    lab_kernel kernel_then;
    int pagemap_fd;
    int maps_fd;
    int memory_fd; /* -1: none */
    int then_count;
    int mapped_count;
    int now_count;
    memory_mapping then[MAPPINGS_MAX];   /* what pages are those of */
    memory_mapping mapped[MAPPINGS_MAX]; /* of this process: the same, unless it was launched */
    memory_mapping now[MAPPINGS_MAX];
    char text[TEXT_MAX];
    uint64_t words[WORDS];
    uint32_t *pages; /* of all private mappings, in their order */
    unsigned char (*copies)[PAGE];
    uint32_t copy_count;
    bool was_launched;
    bool is_thorough;         /* pages that are not there are fetched, too */
    unsigned char page[PAGE]; /* of a mapping that cannot be read */
} lab_memory;

static lab_memory *lab;
static volatile char spoiled;

/* Not by stdio, which would write to memory that is compared. */
static _Noreturn void lab_end(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (write(STDERR_FILENO, text, (size_t)size) < 0) _exit(3);
    raise(SIGABRT);
    _exit(3);
}

/* --- Mappings --- */

static bool is_same_kind(const memory_mapping *a, const memory_mapping *b)
{
    return a->inode == b->inode && a->protection == b->protection &&
           a->is_private == b->is_private && a->is_special == b->is_special;
}

/* Neighbours that look the same are one: the kernel joins them when it can. */
static int join_neighbours(memory_mapping *list, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        memory_mapping *last = kept > 0 ? &list[kept - 1] : NULL;
        if (last != NULL && last->end == list[i].start && is_same_kind(last, &list[i]))
            last->end = list[i].end;
        else
            list[kept++] = list[i];
    }
    return kept;
}

static int read_mappings(memory_mapping *out)
{
    size_t size = 0;
    for (;;) {
        const ssize_t got = pread(lab->maps_fd, lab->text + size, TEXT_MAX - size, (off_t)size);
        if (got < 0) lab_end("lab: the list of mappings cannot be read");
        if (got == 0) break;
        size += (size_t)got;
    }
    const int count = memory_map_parse(lab->text, size, out, MAPPINGS_MAX);
    if (count < 0) lab_end("lab: the list of mappings is not understood");
    return join_neighbours(out, count);
}

static void compare_mappings(void)
{
    for (int i = 0; i < lab->mapped_count || i < lab->now_count; i++) {
        const memory_mapping *then = &lab->mapped[i];
        const memory_mapping *now = &lab->now[i];
        if (i < lab->mapped_count && i < lab->now_count && then->start == now->start &&
            then->end == now->end && is_same_kind(then, now))
            continue;
        lab_end("lab: mapping %d of %d is %zx-%zx %d; it was %zx-%zx %d, of %d", i, lab->now_count,
                (size_t)now->start, (size_t)now->end, now->protection, (size_t)then->start,
                (size_t)then->end, then->protection, lab->mapped_count);
    }
}

/* --- Pages --- */

typedef void page_fn(const memory_mapping *mapping, uintptr_t page, uint64_t word, uint32_t *slot);

/* Where there is no pagemap, all that can be read is. */
static size_t guess_words(const memory_mapping *mapping, size_t count)
{
    const bool is_read = (mapping->protection & PROT_READ) != 0;
    for (size_t i = 0; i < count; i++)
        lab->words[i] = (is_read ? WORD_IS_PRESENT : 0) | (mapping->inode != 0 ? WORD_IS_FILE : 0);
    return count;
}

static size_t read_words(const memory_mapping *mapping, uintptr_t page, size_t count)
{
    if (lab->pagemap_fd < 0) return guess_words(mapping, count);
    const ssize_t got = pread(lab->pagemap_fd, lab->words, count * sizeof(*lab->words),
                              (off_t)(page / PAGE * sizeof(*lab->words)));
    if (got < (ssize_t)sizeof(*lab->words)) lab_end("lab: pagemap cannot be read");
    return (size_t)got / sizeof(*lab->words);
}

/* Each page of each private mapping of a list, in order. */
static void each_page(const memory_mapping *list, int count, page_fn *visit)
{
    size_t slot = 0;
    for (int i = 0; i < count; i++) {
        if (!list[i].is_private || list[i].is_special) continue;
        for (uintptr_t page = list[i].start; page < list[i].end;) {
            const size_t left = (list[i].end - page) / PAGE;
            const size_t words = read_words(&list[i], page, left < WORDS ? left : WORDS);
            if (slot + words > PAGES_MAX) lab_end("lab: there is too much memory");
            for (size_t k = 0; k < words; k++, page += PAGE)
                visit(&list[i], page, lab->words[k], &lab->pages[slot++]);
        }
    }
}

static const unsigned char *page_bytes(const memory_mapping *mapping, uintptr_t page)
{
    if ((mapping->protection & PROT_READ) != 0) return (const unsigned char *)page;
    if (lab->memory_fd < 0) lab_end("lab: the page at %zx is closed, and there", (size_t)page);
    if (pread(lab->memory_fd, lab->page, PAGE, (off_t)page) != (ssize_t)PAGE)
        lab_end("lab: the page at %zx cannot be read", (size_t)page);
    return lab->page;
}

static bool is_zero(const unsigned char *bytes)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE - 1) == 0;
}

/* A private writable mapping of a file is the checkpoint's: its pages are compared, too. */
static bool is_compared(const memory_mapping *mapping, uint64_t word)
{
    if (mapping->inode != 0 && (mapping->protection & PROT_WRITE) != 0) return true;
    return (word & (WORD_IS_PRESENT | WORD_IS_SWAPPED)) != 0 && (word & WORD_IS_FILE) == 0;
}

static void keep_page(const memory_mapping *mapping, uintptr_t page, uint64_t word, uint32_t *slot)
{
    *slot = mapping->inode != 0 ? PAGE_FILES : PAGE_ZERO;
    if (!is_compared(mapping, word)) return;
    const unsigned char *bytes = page_bytes(mapping, page);
    *slot = PAGE_ZERO;
    if (is_zero(bytes)) return;
    if (lab->copy_count == COPIES_MAX) lab_end("lab: there is too much memory");
    memcpy(lab->copies[lab->copy_count++], bytes, PAGE);
    *slot = lab->copy_count;
}

/* Pages that are not there are the file's, or zero, as the list of mappings has it. */
static void compare_page(const memory_mapping *mapping, uintptr_t page, uint64_t word,
                         uint32_t *slot)
{
    const bool is_there = (word & (WORD_IS_PRESENT | WORD_IS_SWAPPED)) != 0;
    const bool has_file =
        mapping->inode != 0 || lab->was_launched; /* the checkpoint's, the image */
    if (!has_file && !is_there && *slot != PAGE_ZERO)
        lab_end("lab: the page at %zx is gone", (size_t)page);
    const bool is_fetched =
        lab->is_thorough && *slot != PAGE_FILES && (mapping->inode != 0 || *slot != PAGE_ZERO);
    if (!is_there && !(has_file && is_fetched)) return;
    if (*slot == PAGE_FILES && (word & WORD_IS_FILE) != 0) return;
    if (*slot == PAGE_FILES) lab_end("lab: the file's page at %zx was written", (size_t)page);
    const unsigned char *bytes = page_bytes(mapping, page);
    lab->report->pages++;
    const bool is_same =
        *slot == PAGE_ZERO ? is_zero(bytes) : memcmp(bytes, lab->copies[*slot - 1], PAGE) == 0;
    if (is_same) return;
    size_t at = 0;
    while (at < PAGE && bytes[at] == (*slot == PAGE_ZERO ? 0 : lab->copies[*slot - 1][at]))
        at++;
    lab_end("lab: the byte at %zx differs, in a page with protection %d%s%s", (size_t)page + at,
            mapping->protection, *slot == PAGE_ZERO ? ", which was zero" : "",
            mapping->inode != 0 ? ", of a file" : "");
}

static void count_swapped(const memory_mapping *mapping, uintptr_t page, uint64_t word,
                          uint32_t *slot)
{
    (void)mapping, (void)page, (void)slot;
    if ((word & WORD_IS_SWAPPED) != 0) lab->report->paged_out++;
}

/* --- What the kernel holds --- */

static uint32_t read_rounding(void)
{
#if defined(__x86_64__)
    uint32_t control;
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    return control & ~(uint32_t)0x3f; /* flags of what was inexact do not matter */
#elif defined(__aarch64__)
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return (uint32_t)control;
#endif
}

static void read_kernel(lab_kernel *out)
{
    memset(out, 0, sizeof(*out));
    for (int fd = 0; fd < FILES_MAX; fd++)
        if (fcntl(fd, F_GETFD) >= 0) out->files |= UINT64_C(1) << fd;
    sigprocmask(SIG_SETMASK, NULL, &out->mask);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0)
            memcpy(&out->handlers[number], &action.sa_handler, sizeof(void *));
    }
    stack_t stack;
    if (sigaltstack(NULL, &stack) == 0) out->signal_stack = stack.ss_sp;
    out->rounding = read_rounding();
}

static void compare_kernel(void)
{
    static const char *const parts[] = {"descriptors", "signal mask", "signal handlers",
                                        "signal stack", "rounding"};
    const lab_kernel *then = &lab->kernel_then;
    lab_kernel now;
    read_kernel(&now);
    const bool same[] = {now.files == then->files,
                         memcmp(&now.mask, &then->mask, sizeof(now.mask)) == 0,
                         memcmp(now.handlers, then->handlers, sizeof(now.handlers)) == 0,
                         now.signal_stack == then->signal_stack, now.rounding == then->rounding};
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        if (!same[i]) lab_end("lab: the %s differ", parts[i]);
}

/* --- Keeping and comparing --- */

static void keep_all(void)
{
    lab_faults_pause(true);
    lab->copy_count = 0;
    lab->then_count = lab->mapped_count = read_mappings(lab->then);
    memcpy(lab->mapped, lab->then, sizeof(lab->mapped));
    each_page(lab->then, lab->then_count, keep_page);
    read_kernel(&lab->kernel_then);
    lab_faults_pause(false);
}

static void compare_all(void)
{
    lab_faults_pause(true);
    lab->now_count = read_mappings(lab->now);
    compare_mappings();
    each_page(lab->then, lab->then_count, compare_page);
    compare_kernel();
    lab->report->checks++;
    lab_faults_pause(false);
}

/* --- Around a checkpoint --- */

static void page_out(void)
{
    lab_faults_pause(true);
    lab->now_count = read_mappings(lab->now);
    for (int i = 0; i < lab->now_count; i++)
        if (!lab->now[i].is_special)
            madvise((void *)lab->now[i].start, lab->now[i].end - lab->now[i].start, MADV_PAGEOUT);
    each_page(lab->now, lab->now_count, count_swapped);
    lab_faults_pause(false);
}

int __real_checkpoint_take(checkpoint *cp, snapcell_error *err);
int __wrap_checkpoint_take(checkpoint *cp, snapcell_error *err);
int __real_checkpoint_restore(checkpoint *cp, bool cut, snapcell_error *err);
int __wrap_checkpoint_restore(checkpoint *cp, bool cut, snapcell_error *err);

int __wrap_checkpoint_take(checkpoint *cp, snapcell_error *err)
{
    const int status = __real_checkpoint_take(cp, err);
    lab->report->round = 0;
    if (status == SNAPCELL_OK && lab->report->checks_memory) keep_all();
    return status;
}

int __wrap_checkpoint_restore(checkpoint *cp, bool cut, snapcell_error *err)
{
    if (lab->report->pages_out) page_out();
    lab->report->is_restoring = true;
    const int status = __real_checkpoint_restore(cp, cut, err);
    lab->report->is_restoring = false;
    if (status != SNAPCELL_OK || !lab->report->checks_memory || lab->then_count == 0) return status;
    if (lab->report->spoils_memory || (lab->was_launched && lab->report->spoils_launched))
        spoiled = 1;
    lab->is_thorough = lab->report->checks % THOROUGH_EVERY == 0;
    compare_all();
    return status;
}

/* --- Around an image --- */

int __real_process_image_write(checkpoint *cp, const process_image_request *request, int fd,
                               uint64_t *size_bytes, snapcell_error *err);
int __wrap_process_image_write(checkpoint *cp, const process_image_request *request, int fd,
                               uint64_t *size_bytes, snapcell_error *err);
int __real_process_image_arrive(checkpoint *cp, const process_image_arrival *arrival,
                                snapcell_error *err);
int __wrap_process_image_arrive(checkpoint *cp, const process_image_arrival *arrival,
                                snapcell_error *err);

#define KEPT_MAX 8

/* The report is a file's, which cannot go into an image: what it says does. */
static void leave_report(void)
{
    lab_report *shared = lab->report;
    lab->own_report = *shared;
    lab->report = &lab->own_report;
    munmap(shared, sizeof(*shared));
}

int __wrap_process_image_write(checkpoint *cp, const process_image_request *request, int fd,
                               uint64_t *size_bytes, snapcell_error *err)
{
    process_image_kept kept[KEPT_MAX] = {
        {lab, sizeof(*lab)},
        {lab->pages, PAGES_MAX * sizeof(*lab->pages)},
        {lab->copies, lab->copy_count * PAGE},
    };
    process_image_request with_lab = *request;
    if (request->kept_count + 3 > KEPT_MAX) lab_end("lab: an image keeps more than is known");
    memcpy(kept + 3, request->kept, request->kept_count * sizeof(*kept));
    with_lab.kept = kept;
    with_lab.kept_count = request->kept_count + 3;
    leave_report();
    return __real_process_image_write(cp, &with_lab, fd, size_bytes, err);
}

int __wrap_process_image_arrive(checkpoint *cp, const process_image_arrival *arrival,
                                snapcell_error *err)
{
    const int status = __real_process_image_arrive(cp, arrival, err);
    if (status != SNAPCELL_OK || !lab->report->checks_memory) return status;
    lab->pagemap_fd = PROCESS_IMAGE_FD_PAGEMAP;
    lab->maps_fd = PROCESS_IMAGE_FD_MAPS;
    lab->memory_fd = -1;
    lab->was_launched = true;
    lab->mapped_count = read_mappings(lab->mapped);
    read_kernel(&lab->kernel_then);
    return status;
}

void lab_memory_open(lab_report *report)
{
    lab = outer_alloc(sizeof(*lab));
    if (lab == NULL) exit(3);
    lab->report = report;
    lab->pages = outer_alloc(PAGES_MAX * sizeof(*lab->pages));
    lab->copies = outer_alloc(COPIES_MAX * PAGE);
    lab->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    lab->maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    lab->memory_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (lab->pages == NULL || lab->copies == NULL || lab->maps_fd < 0) exit(3);
}
