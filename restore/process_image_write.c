/* A process writes itself down. What restores put back has its place in the image as in the
 * checkpoint; of the rest, bytes are written where no file has them. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint_state.h"
#include "error_set.h"
#include "outer_memory.h"
#include "page_size.h"
#include "process_image.h"

/* Lives in outer memory. */
typedef struct image_writer {
    checkpoint *cp;
    const process_image_request *request;
    int fd;
    dirty_source source;
    memory_mapping program; /* where this code is */
    uint64_t shared_device; /* of memory that has no file */
    uint64_t size_bytes;    /* written so far */
    process_image_head head;
    process_image_range ranges[PROCESS_IMAGE_RANGES_MAX];
    process_image_copy copies[PROCESS_IMAGE_COPIES_MAX];
    process_image_warm warm[PROCESS_IMAGE_WARM_MAX];
} image_writer;

/* --- Bytes --- */

static bool image_put(image_writer *writer, const void *data, size_t size_bytes)
{
    const unsigned char *at = data;
    writer->size_bytes += size_bytes;
    while (size_bytes > 0) {
        ssize_t put = write(writer->fd, at, size_bytes);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        size_bytes -= (size_t)put;
    }
    return true;
}

/* As image_put(): pages of zeros are holes. Ends with one that is none. */
static bool image_put_sparse(image_writer *writer, const unsigned char *data, size_t size_bytes)
{
    while (size_bytes > 0) {
        size_t run = PAGE_BYTES;
        bool is_zero = run < size_bytes && checkpoint_is_zero(data, PAGE_BYTES);
        while (run + PAGE_BYTES < size_bytes &&
               checkpoint_is_zero(data + run, PAGE_BYTES) == is_zero)
            run += PAGE_BYTES;
        if (!is_zero && !image_put(writer, data, run)) return false;
        if (is_zero && lseek(writer->fd, (off_t)run, SEEK_CUR) < 0) return false;
        if (is_zero) writer->size_bytes += run;
        data += run;
        size_bytes -= run;
    }
    return true;
}

static bool image_put_padding(image_writer *writer)
{
    static const unsigned char zero[PAGE_BYTES];
    return image_put(writer, zero, page_round_up(writer->size_bytes) - writer->size_bytes);
}

/* --- Ranges --- */

static bool range_follows(const process_image_range *last, const process_image_range *next)
{
    bool has_offset = next->kind == PROCESS_IMAGE_BYTES || next->kind == PROCESS_IMAGE_PROGRAM;
    return (has_offset || next->kind == PROCESS_IMAGE_EMPTY) && last->end == next->start &&
           last->kind == next->kind && last->protection == next->protection &&
           (!has_offset || last->offset + (last->end - last->start) == next->offset);
}

static bool range_add(image_writer *writer, process_image_kind kind, int protection,
                      uintptr_t start, uintptr_t end, uint64_t offset)
{
    const process_image_range range = {start, end, offset, kind, (uint32_t)protection};
    uint32_t count = writer->head.range_count;
    if (start == end) return true;
    if (count > 0 && range_follows(&writer->ranges[count - 1], &range)) {
        writer->ranges[count - 1].end = end;
        return true;
    }
    if (count == PROCESS_IMAGE_RANGES_MAX) {
        errno = E2BIG;
        return false;
    }
    writer->ranges[count] = range;
    writer->head.range_count++;
    return true;
}

/* Memory whose bytes only this process has. */
static bool range_add_bytes(image_writer *writer, int protection, uintptr_t start, uintptr_t end)
{
    uint64_t offset = writer->size_bytes;
    return range_add(writer, PROCESS_IMAGE_BYTES, protection, start, end, offset) &&
           image_put(writer, (const void *)start, end - start);
}

/* What restores put back. */
static bool write_span(image_writer *writer, const checkpoint_span *span)
{
    for (uint32_t i = 0; i < span->region_count; i++) {
        const checkpoint_region *region = &writer->cp->regions[span->region_first + i];
        bool has_bytes = region->source != NULL;
        if (!range_add(writer, has_bytes ? PROCESS_IMAGE_BYTES : PROCESS_IMAGE_EMPTY,
                       span->protection, region->start, region->end,
                       has_bytes ? region->file_offset : 0))
            return false;
    }
    return true;
}

/* What is as in the program's file, or was never written. */
static bool write_clean(image_writer *writer, const memory_mapping *mapping, uintptr_t start,
                        uintptr_t end)
{
    if (mapping->inode == 0)
        return range_add(writer, PROCESS_IMAGE_EMPTY, mapping->protection, start, end, 0);
    return range_add(writer, PROCESS_IMAGE_PROGRAM, mapping->protection, start, end,
                     mapping->offset + (start - mapping->start));
}

/* A mapping of nothing, or of the program: pages that were written before it was closed to writing
 * are in nobody's file. */
static bool write_closed(image_writer *writer, const memory_mapping *mapping)
{
    checkpoint *cp = writer->cp;
    uintptr_t at = mapping->start;
    uintptr_t done = at;
    while (at < mapping->end) {
        int count = dirty_pages_list(writer->source, cp->pagemap_fd, &at, mapping->end, cp->ranges,
                                     CHECKPOINT_RANGES, cp->entries, CHECKPOINT_ENTRIES);
        if (count < 0) return false;
        for (int i = 0; i < count; i++) {
            const dirty_range *dirty = &cp->ranges[i];
            if (!write_clean(writer, mapping, done, dirty->start) ||
                !range_add_bytes(writer, mapping->protection, dirty->start, dirty->end))
                return false;
            done = dirty->end;
        }
    }
    return write_clean(writer, mapping, done, mapping->end);
}

static bool write_shared(image_writer *writer, const memory_mapping *mapping)
{
    const checkpoint *cp = writer->cp;
    if (mapping->start == (uintptr_t)cp->view)
        return range_add(writer, PROCESS_IMAGE_VIEW, mapping->protection, mapping->start,
                         mapping->end, 0);
    if (mapping->protection == (PROT_READ | PROT_WRITE) && mapping->device == writer->shared_device)
        return range_add(writer, PROCESS_IMAGE_OUTER, mapping->protection, mapping->start,
                         mapping->end, 0);
    errno = ENOTSUP; /* a file that is shared with somebody */
    return false;
}

static bool write_private(image_writer *writer, const memory_mapping *mapping)
{
    bool is_program =
        mapping->inode == writer->program.inode && mapping->device == writer->program.device;
    if (mapping->protection == PROT_NONE)
        return range_add(writer, PROCESS_IMAGE_EMPTY, PROT_NONE, mapping->start, mapping->end, 0);
    if (mapping->inode == 0 || is_program) return write_closed(writer, mapping);
    return range_add_bytes(writer, mapping->protection, mapping->start, mapping->end);
}

static bool mapping_is_of_user(const memory_mapping *mapping)
{
    return mapping->end <= PROCESS_IMAGE_ADDRESS_END;
}

static bool write_mapping(image_writer *writer, const memory_mapping *mapping)
{
    if (mapping->is_special)
        return !mapping_is_of_user(mapping) || /* vsyscall, which all processes have */
               range_add(writer, PROCESS_IMAGE_SPECIAL, mapping->protection, mapping->start,
                         mapping->end, 0);
    return mapping->is_private ? write_private(writer, mapping) : write_shared(writer, mapping);
}

/* Writable private memory is in the checkpoint's spans, which lie in order, too. */
static bool mapping_is_restored(const memory_mapping *mapping)
{
    return mapping->is_private && !mapping->is_special && (mapping->protection & PROT_WRITE) != 0;
}

static bool write_memory(image_writer *writer)
{
    checkpoint *cp = writer->cp;
    uint32_t span = 0;
    for (int i = 0; i < cp->now_count; i++) {
        const memory_mapping *mapping = &cp->now[i];
        while (span < cp->span_count && cp->spans[span].start < mapping->end)
            if (!write_span(writer, &cp->spans[span++])) return false;
        if (!mapping_is_restored(mapping) && !write_mapping(writer, mapping)) return false;
    }
    return span == cp->span_count;
}

/* --- Copies --- */

static bool copy_add(image_writer *writer, uintptr_t start, uintptr_t end)
{
    if (start == end) return true;
    if (writer->head.copy_count == PROCESS_IMAGE_COPIES_MAX) {
        errno = E2BIG;
        return false;
    }
    writer->copies[writer->head.copy_count++] =
        (process_image_copy){start, end, writer->size_bytes};
    return image_put(writer, (const void *)start, end - start);
}

/* Pages that were never touched stay so: asking for them is enough to make them. */
static bool write_kept(image_writer *writer, const process_image_kept *kept)
{
    uintptr_t end = (uintptr_t)kept->start + page_round_up(kept->size_bytes);
    uintptr_t run = 0;
    for (uintptr_t at = (uintptr_t)kept->start; at < end; at += PAGE_BYTES) {
        unsigned char resident;
        if (mincore((void *)at, PAGE_BYTES, &resident) != 0) return false;
        bool has_bytes = (resident & 1) != 0 && !checkpoint_is_zero((const void *)at, PAGE_BYTES);
        if (has_bytes && run == 0) run = at;
        if (!has_bytes && run != 0) {
            if (!copy_add(writer, run, at)) return false;
            run = 0;
        }
    }
    return run == 0 || copy_add(writer, run, end);
}

static void sort_copies(image_writer *writer)
{
    process_image_copy *copies = writer->copies;
    for (uint32_t i = 1; i < writer->head.copy_count; i++) {
        process_image_copy copy = copies[i];
        uint32_t at = i;
        for (; at > 0 && copies[at - 1].start > copy.start; at--)
            copies[at] = copies[at - 1];
        copies[at] = copy;
    }
}

/* Of the checkpoint, what it lists things in while it works is left out. */
static bool write_outer(image_writer *writer)
{
    const process_image_request *request = writer->request;
    const process_image_kept own = {writer->cp, offsetof(checkpoint, then)};
    const process_image_kept pages = {writer->cp->pages, writer->cp->pages_size_bytes};
    if (!write_kept(writer, &own) || !write_kept(writer, &pages)) return false;
    for (size_t i = 0; i < request->kept_count; i++)
        if (!write_kept(writer, &request->kept[i])) return false;
    sort_copies(writer);
    return true;
}

/* --- Pages of the program that a call touches --- */

/* Ranges that lie close to each other become one: a list of a few hundred is enough. */
#define WARM_GAP_BYTES ((uint64_t)8 * PAGE_BYTES)

/* Offsets come in order, except where a file is mapped in another one. */
static void warm_add(image_writer *writer, uint64_t offset)
{
    uint32_t count = writer->head.warm_count;
    process_image_warm *last = count > 0 ? &writer->warm[count - 1] : NULL;
    uint64_t last_end = last != NULL ? last->offset + last->size_bytes : 0;
    if (offset < last_end) return;
    if (last != NULL && offset - last_end <= WARM_GAP_BYTES)
        last->size_bytes = offset + PAGE_BYTES - last->offset;
    else if (count < PROCESS_IMAGE_WARM_MAX)
        writer->warm[writer->head.warm_count++] = (process_image_warm){offset, PAGE_BYTES};
}

typedef struct warm_user {
    image_writer *writer;
    const process_image_range *range;
} warm_user;

static void warm_add_page(void *data, uintptr_t page)
{
    const warm_user *user = data;
    warm_add(user->writer, user->range->offset + (page - user->range->start));
}

static bool warm_list_range(image_writer *writer, const process_image_range *range)
{
    warm_user user = {writer, range};
    return checkpoint_visit_pages(writer->cp, range->start, range->end, PAGEMAP_IS_PRESENT,
                                  warm_add_page, &user);
}

static bool write_warm(image_writer *writer)
{
    for (uint32_t i = 0; writer->request->lists_warm && i < writer->head.range_count; i++)
        if (writer->ranges[i].kind == PROCESS_IMAGE_PROGRAM &&
            !warm_list_range(writer, &writer->ranges[i]))
            return false;
    return true;
}

/* --- The head --- */

/* As the system call has it. */
typedef struct kernel_sigaction {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
} kernel_sigaction;

static void head_list_signals(process_image_head *head)
{
    for (uint64_t number = 1; number <= PROCESS_IMAGE_SIGNALS_MAX; number++) {
        kernel_sigaction action = {0};
        if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof(action.mask)) != 0) continue;
        if (action.handler <= 1) continue; /* SIG_DFL, SIG_IGN: the host's, as in a new process */
        head->signals[head->signal_count++] = (process_image_signal){
            number, action.handler, action.flags, action.restorer, action.mask};
    }
}

static void head_fill(image_writer *writer)
{
    const process_image_request *request = writer->request;
    process_image_head *head = &writer->head;
    head->magic = PROCESS_IMAGE_MAGIC;
    head->version = PROCESS_IMAGE_VERSION;
    head->machine = PROCESS_IMAGE_MACHINE;
    head->view_size_bytes = writer->cp->view_size_bytes;
    head->entry = (uint64_t)(uintptr_t)request->entry;
    head->argument = (uint64_t)(uintptr_t)request->argument;
    head->stack_top = (uint64_t)(uintptr_t)request->stack_top;
    head->thread_pointer = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    head->tid_address = request->origin->tid_address;
    head->robust_list = request->origin->robust_list;
    head->robust_size_bytes = request->origin->robust_size_bytes;
    head->layout = request->origin->layout;
    head->layout.brk = (uint64_t)(uintptr_t)writer->cp->program_break;
    head_list_signals(head);
}

static bool write_end(image_writer *writer)
{
    process_image_head *head = &writer->head;
    head->table_offset = writer->size_bytes;
    if (!image_put(writer, writer->ranges, head->range_count * sizeof(*writer->ranges)) ||
        !image_put(writer, writer->copies, head->copy_count * sizeof(*writer->copies)) ||
        !image_put(writer, writer->warm, head->warm_count * sizeof(*writer->warm)) ||
        !image_put_padding(writer))
        return false;
    head->size_bytes = writer->size_bytes + PAGE_BYTES;
    return image_put(writer, head, sizeof(*head)) && image_put_padding(writer);
}

/* --- The whole --- */

static const memory_mapping *mapping_at(const checkpoint *cp, uintptr_t address)
{
    for (int i = 0; i < cp->now_count; i++)
        if (cp->now[i].start <= address && address < cp->now[i].end) return &cp->now[i];
    return NULL;
}

static int writer_begin(image_writer *writer, snapcell_error *err)
{
    checkpoint *cp = writer->cp;
    const memory_mapping *program = mapping_at(cp, (uintptr_t)process_image_write);
    const memory_mapping *view = mapping_at(cp, (uintptr_t)cp->view);
    writer->source = dirty_source_probe(cp->pagemap_fd, DIRTY_SCANNED);
    if (program == NULL || program->inode == 0 || view == NULL)
        return error_set(err, SNAPCELL_E_INTERNAL, "the program's own mappings are not listed");
    if (writer->source == DIRTY_COMPARED)
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "the kernel does not tell which pages differ from the program's file");
    writer->program = *program;
    writer->shared_device = view->device;
    return SNAPCELL_OK;
}

static int writer_run(image_writer *writer, snapcell_error *err)
{
    int status = writer_begin(writer, err);
    if (status != SNAPCELL_OK) return status;
    head_fill(writer);
    if (image_put_sparse(writer, writer->cp->view, writer->cp->view_size_bytes) &&
        write_memory(writer) && write_warm(writer) && write_outer(writer) && write_end(writer))
        return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_INTERNAL, errno,
                           "this process's memory cannot be written down");
}

int process_image_write(checkpoint *cp, const process_image_request *request, int fd,
                        uint64_t *size_bytes, snapcell_error *err)
{
    if (cp->taken == 0) return error_set(err, SNAPCELL_E_INTERNAL, "an image needs a checkpoint");
    int status = checkpoint_read_map(cp, cp->now, &cp->now_count, err);
    if (status != SNAPCELL_OK) return status;
    /* After the list was read: it is not part of the image. */
    image_writer *writer = outer_alloc(sizeof(*writer));
    if (writer == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an image");
    writer->cp = cp;
    writer->request = request;
    writer->fd = fd;
    status = writer_run(writer, err);
    *size_bytes = writer->size_bytes;
    outer_free(writer, sizeof(*writer));
    return status;
}
