/* An image's head and tables, as they come from a process that ran code that nobody vouches for, or
 * from a disk. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "process_image.h"

#define CHECK_PAGE_MASK (PROCESS_IMAGE_PAGE - 1)

static int check_failed(const char *what, uint64_t value, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_CORRUPT,
                     "the process image is damaged: its %s cannot be %#" PRIx64, what, value);
}

static bool is_aligned(uint64_t value)
{
    return (value & CHECK_PAGE_MASK) == 0;
}

/* --- The head --- */

static uint64_t tables_size(const process_image_head *head)
{
    return (uint64_t)head->range_count * sizeof(process_image_range) +
           (uint64_t)head->copy_count * sizeof(process_image_copy) +
           (uint64_t)head->warm_count * sizeof(process_image_warm);
}

size_t process_image_tables_size(const process_image_head *head)
{
    return (size_t)tables_size(head);
}

static int check_counts(const process_image_head *head, snapcell_error *err)
{
    if (head->range_count == 0 || head->range_count > PROCESS_IMAGE_RANGES_MAX)
        return check_failed("number of ranges", head->range_count, err);
    if (head->copy_count > PROCESS_IMAGE_COPIES_MAX)
        return check_failed("number of copies", head->copy_count, err);
    if (head->signal_count > PROCESS_IMAGE_SIGNALS_MAX)
        return check_failed("number of signals", head->signal_count, err);
    if (head->warm_count > PROCESS_IMAGE_WARM_MAX)
        return check_failed("number of warm ranges", head->warm_count, err);
    return SNAPCELL_OK;
}

/* View, other bytes, tables and head fill the file. */
static int check_sizes(const process_image_head *head, uint64_t file_size, snapcell_error *err)
{
    if (head->size_bytes != file_size) return check_failed("size", head->size_bytes, err);
    if (!is_aligned(head->table_offset) || head->table_offset > file_size)
        return check_failed("table's place", head->table_offset, err);
    uint64_t tables = (tables_size(head) + CHECK_PAGE_MASK) & ~(uint64_t)CHECK_PAGE_MASK;
    if (head->table_offset + tables + PROCESS_IMAGE_PAGE != file_size)
        return check_failed("table's place", head->table_offset, err);
    if (!is_aligned(head->view_size_bytes) || head->view_size_bytes == 0 ||
        head->view_size_bytes > head->table_offset)
        return check_failed("view", head->view_size_bytes, err);
    return SNAPCELL_OK;
}

int process_image_check_head(const process_image_head *head, uint64_t file_size_bytes,
                             snapcell_error *err)
{
    if (!is_aligned(file_size_bytes) || file_size_bytes > PROCESS_IMAGE_SIZE_MAX)
        return check_failed("file's size", file_size_bytes, err);
    if (head->magic != PROCESS_IMAGE_MAGIC) return check_failed("magic", head->magic, err);
    if (head->version != PROCESS_IMAGE_VERSION) return check_failed("version", head->version, err);
    if (head->machine != PROCESS_IMAGE_MACHINE) return check_failed("machine", head->machine, err);
    int status = check_counts(head, err);
    return status == SNAPCELL_OK ? check_sizes(head, file_size_bytes, err) : status;
}

/* --- Ranges --- */

typedef struct image_check {
    const process_image_head *head;
    const process_image_range *ranges;
    const process_image_copy *copies;
    const process_image_warm *warm;
    uint64_t program_size_bytes;
    unsigned views;
    unsigned specials;
} image_check;

/* [offset, offset + size) within [start, end). */
static bool is_within(uint64_t offset, uint64_t size, uint64_t start, uint64_t end)
{
    return offset >= start && offset <= end && size <= end - offset;
}

/* Bytes that restores put back are in the view, those that nobody can write after it. */
static bool check_bytes(const image_check *check, const process_image_range *range)
{
    uint64_t size = range->end - range->start;
    bool is_writable = (range->protection & PROT_WRITE) != 0;
    uint64_t view = check->head->view_size_bytes;
    return range->protection != PROT_NONE &&
           (is_writable ? is_within(range->offset, size, 0, view)
                        : is_within(range->offset, size, view, check->head->table_offset));
}

static uint64_t page_end(uint64_t size_bytes)
{
    return (size_bytes + CHECK_PAGE_MASK) & ~(uint64_t)CHECK_PAGE_MASK;
}

static bool check_program(const image_check *check, const process_image_range *range)
{
    uint64_t file_end = page_end(check->program_size_bytes);
    return (range->protection & PROT_READ) != 0 && (range->protection & PROT_WRITE) == 0 &&
           is_within(range->offset, range->end - range->start, 0, file_end);
}

static bool check_view(image_check *check, const process_image_range *range)
{
    return range->protection == PROT_READ && range->offset == 0 && check->views++ == 0 &&
           range->end - range->start == check->head->view_size_bytes;
}

static bool check_special(image_check *check, const process_image_range *range)
{
    return (range->protection & PROT_WRITE) == 0 && range->offset == 0 &&
           check->specials++ < PROCESS_IMAGE_SPECIALS_MAX;
}

static bool check_kind(image_check *check, const process_image_range *range)
{
    switch (range->kind) {
    case PROCESS_IMAGE_EMPTY:
        return range->offset == 0;
    case PROCESS_IMAGE_BYTES:
        return check_bytes(check, range);
    case PROCESS_IMAGE_PROGRAM:
        return check_program(check, range);
    case PROCESS_IMAGE_OUTER:
        return range->protection == (PROT_READ | PROT_WRITE) && range->offset == 0;
    case PROCESS_IMAGE_VIEW:
        return check_view(check, range);
    case PROCESS_IMAGE_SPECIAL:
        return check_special(check, range);
    default:
        return false;
    }
}

static int check_ranges(image_check *check, snapcell_error *err)
{
    uint64_t before = PROCESS_IMAGE_ADDRESS_MIN;
    for (uint32_t i = 0; i < check->head->range_count; i++) {
        const process_image_range *range = &check->ranges[i];
        bool is_sound = is_aligned(range->start) && is_aligned(range->end) &&
                        is_aligned(range->offset) && range->start >= before &&
                        range->end > range->start && range->end <= PROCESS_IMAGE_ADDRESS_END &&
                        (range->protection & ~(uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC)) == 0;
        if (!is_sound || !check_kind(check, range))
            return check_failed("range that starts where it", range->start, err);
        before = range->end;
    }
    return check->views == 1 ? SNAPCELL_OK : check_failed("number of views", check->views, err);
}

/* The range that an address lies in; NULL: none. */
static const process_image_range *range_at(const image_check *check, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = check->head->range_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (check->ranges[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < check->head->range_count && check->ranges[low].start <= address;
    return is_found ? &check->ranges[low] : NULL;
}

static int check_copies(const image_check *check, snapcell_error *err)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < check->head->copy_count; i++) {
        const process_image_copy *copy = &check->copies[i];
        const process_image_range *range = range_at(check, copy->start);
        bool is_sound = is_aligned(copy->start) && is_aligned(copy->end) &&
                        is_aligned(copy->offset) && copy->start >= before &&
                        copy->end > copy->start && range != NULL &&
                        range->kind == PROCESS_IMAGE_OUTER && copy->end <= range->end &&
                        is_within(copy->offset, copy->end - copy->start,
                                  check->head->view_size_bytes, check->head->table_offset);
        if (!is_sound) return check_failed("copy that starts where it", copy->start, err);
        before = copy->end;
    }
    return SNAPCELL_OK;
}

static int check_warm(const image_check *check, snapcell_error *err)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < check->head->warm_count; i++) {
        const process_image_warm *warm = &check->warm[i];
        bool is_sound =
            is_aligned(warm->offset) && is_aligned(warm->size_bytes) && warm->size_bytes > 0 &&
            is_within(warm->offset, warm->size_bytes, before, page_end(check->program_size_bytes));
        if (!is_sound) return check_failed("warm range that starts where it", warm->offset, err);
        before = warm->offset + warm->size_bytes;
    }
    return SNAPCELL_OK;
}

/* --- Addresses --- */

static bool is_code(const image_check *check, uint64_t address)
{
    const process_image_range *range = range_at(check, address);
    return range != NULL && range->kind == PROCESS_IMAGE_PROGRAM &&
           (range->protection & PROT_EXEC) != 0;
}

static bool is_outer(const image_check *check, uint64_t address)
{
    const process_image_range *range = range_at(check, address);
    return range != NULL && range->kind == PROCESS_IMAGE_OUTER;
}

/* Private memory that the process writes. */
static bool is_own(const image_check *check, uint64_t address)
{
    const process_image_range *range = range_at(check, address);
    return range != NULL && (range->protection & PROT_WRITE) != 0 &&
           (range->kind == PROCESS_IMAGE_BYTES || range->kind == PROCESS_IMAGE_EMPTY);
}

static int check_signals(const image_check *check, snapcell_error *err)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < check->head->signal_count; i++) {
        const process_image_signal *signal = &check->head->signals[i];
        bool is_sound = signal->number > before && signal->number <= PROCESS_IMAGE_SIGNALS_MAX &&
                        is_code(check, signal->handler) &&
                        (signal->restorer == 0 || is_code(check, signal->restorer));
        if (!is_sound) return check_failed("signal's number or handler", signal->number, err);
        before = signal->number;
    }
    return SNAPCELL_OK;
}

static int check_layout(const image_check *check, snapcell_error *err)
{
    const process_image_layout *layout = &check->head->layout;
    const uint64_t pairs[][2] = {
        {layout->start_code, layout->end_code}, {layout->start_data, layout->end_data},
        {layout->start_brk, layout->brk},       {layout->arg_start, layout->arg_end},
        {layout->env_start, layout->env_end},   {layout->start_stack, layout->start_stack},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        if (pairs[i][0] < PROCESS_IMAGE_ADDRESS_MIN || pairs[i][1] < pairs[i][0] ||
            pairs[i][1] > PROCESS_IMAGE_ADDRESS_END)
            return check_failed("layout", pairs[i][0], err);
    return SNAPCELL_OK;
}

static int check_addresses(const image_check *check, snapcell_error *err)
{
    const process_image_head *head = check->head;
    if (!is_code(check, head->entry)) return check_failed("entry", head->entry, err);
    if (!is_outer(check, head->argument)) return check_failed("argument", head->argument, err);
    if (head->stack_top % 16 != 0 || head->stack_top < 16 || !is_outer(check, head->stack_top - 16))
        return check_failed("stack", head->stack_top, err);
    if (!is_own(check, head->thread_pointer))
        return check_failed("thread pointer", head->thread_pointer, err);
    if (head->tid_address != 0 && !is_own(check, head->tid_address))
        return check_failed("thread id's place", head->tid_address, err);
    if (head->robust_list != 0 && !is_own(check, head->robust_list))
        return check_failed("robust list", head->robust_list, err);
    if (head->robust_size_bytes > PROCESS_IMAGE_PAGE)
        return check_failed("robust list's size", head->robust_size_bytes, err);
    int status = check_signals(check, err);
    return status == SNAPCELL_OK ? check_layout(check, err) : status;
}

int process_image_check_tables(const process_image_head *head, const void *tables,
                               uint64_t program_size_bytes, snapcell_error *err)
{
    image_check check = {.head = head, .program_size_bytes = program_size_bytes};
    check.ranges = tables;
    check.copies = (const process_image_copy *)(check.ranges + head->range_count);
    check.warm = (const process_image_warm *)(check.copies + head->copy_count);
    int status = check_ranges(&check, err);
    if (status == SNAPCELL_OK) status = check_copies(&check, err);
    if (status == SNAPCELL_OK) status = check_warm(&check, err);
    return status == SNAPCELL_OK ? check_addresses(&check, err) : status;
}

/* --- From a file --- */

static bool read_at(int fd, void *out, size_t size_bytes, uint64_t offset)
{
    return pread(fd, out, size_bytes, (off_t)offset) == (ssize_t)size_bytes;
}

static int image_unreadable(snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_IO, "a process image cannot be read");
}

int process_image_read(int fd, uint64_t program_size_bytes, process_image_head *head, void **tables,
                       snapcell_error *err)
{
    struct stat file;
    *tables = NULL;
    if (fstat(fd, &file) != 0) return image_unreadable(err);
    uint64_t size = (uint64_t)file.st_size;
    if (size < UINT64_C(2) * PROCESS_IMAGE_PAGE) return check_failed("file's size", size, err);
    if (!read_at(fd, head, sizeof(*head), size - PROCESS_IMAGE_PAGE)) return image_unreadable(err);
    int status = process_image_check_head(head, size, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free void *read = malloc(process_image_tables_size(head));
    if (read == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an image's tables");
    if (!read_at(fd, read, process_image_tables_size(head), head->table_offset))
        return image_unreadable(err);
    status = process_image_check_tables(head, read, program_size_bytes, err);
    if (status == SNAPCELL_OK) *tables = steal_pointer(&read);
    return status;
}
