/* A process image's head and tables from a process that was taken over, or a disk. What is taken
 * must be what a launcher can map: ranges in order, within bounds. */
#include <string.h>
#include <sys/mman.h>

#include "fuzz_input.h"
#include "process_image.h"

#define FUZZ_FILE_SIZE_MAX ((size_t)64 << 10)
#define FUZZ_PROGRAM_SIZE 65536

static void fuzz_ranges(const process_image_head *head, const process_image_range *ranges)
{
    uint64_t before = PROCESS_IMAGE_ADDRESS_MIN;
    for (uint32_t i = 0; i < head->range_count; i++) {
        const process_image_range *range = &ranges[i];
        fuzz_require(range->start >= before && range->end > range->start);
        fuzz_require(range->end <= PROCESS_IMAGE_ADDRESS_END);
        if (range->kind == PROCESS_IMAGE_BYTES)
            fuzz_require(range->offset + (range->end - range->start) <= head->table_offset);
        if (range->kind == PROCESS_IMAGE_PROGRAM)
            fuzz_require((range->protection & PROT_WRITE) == 0);
        before = range->end;
    }
}

static void fuzz_copies(const process_image_head *head, const process_image_copy *copies)
{
    for (uint32_t i = 0; i < head->copy_count; i++)
        fuzz_require(copies[i].end > copies[i].start &&
                     copies[i].offset + (copies[i].end - copies[i].start) <= head->table_offset);
}

/* The input is what comes before the last page of a file; its first 4096 bytes are the head. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    process_image_head head;
    static unsigned char tables[FUZZ_FILE_SIZE_MAX];
    if (size < sizeof(head) || size > FUZZ_FILE_SIZE_MAX) return 0;
    memcpy(&head, data, sizeof(head));
    if (process_image_check_head(&head, head.size_bytes, NULL) != SNAPCELL_OK) return 0;
    size_t wanted = process_image_tables_size(&head);
    if (wanted > sizeof(tables)) return 0;
    size_t given = size - sizeof(head) < wanted ? size - sizeof(head) : wanted;
    memset(tables, 0, wanted);
    memcpy(tables, data + sizeof(head), given);
    if (process_image_check_tables(&head, tables, FUZZ_PROGRAM_SIZE, NULL) != SNAPCELL_OK) return 0;
    fuzz_ranges(&head, (const process_image_range *)(const void *)tables);
    fuzz_copies(&head,
                (const process_image_copy *)(const void *)((process_image_range *)(void *)tables +
                                                           head.range_count));
    return 0;
}
