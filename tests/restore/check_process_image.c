/* The head and the tables of a process image: what is as the format says is taken, and each field
 * that is not is refused. */
#include "process_image.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outer_memory.h"
#include "stack_call.h"

#define PAGE UINT64_C(4096)
#define STACK_SIZE ((size_t)256 << 10)

enum { CODE, DATA, CLOSED, OUTER, VIEW, VDSO, EMPTY, RANGES };

/* A small image, well-formed. */
typedef struct sample {
    process_image_head head;
    process_image_range ranges[RANGES];
    process_image_copy copies[2];
    process_image_warm warm[2];
    uint64_t file_size;
    uint64_t program_size;
} sample;

static sample sample_make(void)
{
    sample made = {
        .head =
            {
                .magic = PROCESS_IMAGE_MAGIC,
                .version = PROCESS_IMAGE_VERSION,
                .machine = PROCESS_IMAGE_MACHINE,
                .size_bytes = 12 * PAGE,
                .view_size_bytes = 4 * PAGE,
                .table_offset = 10 * PAGE,
                .range_count = RANGES,
                .copy_count = 2,
                .entry = 0x100123,
                .argument = 0x400000,
                .stack_top = 0x404000,
                .thread_pointer = 0x200100,
                .tid_address = 0x200200,
                .robust_list = 0x200300,
                .robust_size_bytes = 24,
                .layout = {0x100000, 0x101000, 0x200000, 0x201000, 0x600000, 0x601000, 0x600000,
                           0x600000, 0x600010, 0x600010, 0x600020},
                .signal_count = 1,
                .warm_count = 2,
                .signals = {{14, 0x100200, 0, 0x100300, 0}},
            },
        .ranges =
            {
                [CODE] = {0x100000, 0x104000, PAGE, PROCESS_IMAGE_PROGRAM, PROT_READ | PROT_EXEC},
                [DATA] = {0x200000, 0x204000, 0, PROCESS_IMAGE_BYTES, PROT_READ | PROT_WRITE},
                [CLOSED] = {0x300000, 0x302000, 4 * PAGE, PROCESS_IMAGE_BYTES, PROT_READ},
                [OUTER] = {0x400000, 0x404000, 0, PROCESS_IMAGE_OUTER, PROT_READ | PROT_WRITE},
                [VIEW] = {0x500000, 0x504000, 0, PROCESS_IMAGE_VIEW, PROT_READ},
                [VDSO] = {0x510000, 0x512000, 0, PROCESS_IMAGE_SPECIAL, PROT_READ | PROT_EXEC},
                [EMPTY] = {0x600000, 0x700000, 0, PROCESS_IMAGE_EMPTY, PROT_NONE},
            },
        .copies = {{0x400000, 0x401000, 6 * PAGE}, {0x402000, 0x404000, 8 * PAGE}},
        .warm = {{0, PAGE}, {2 * PAGE, 3 * PAGE}},
        .file_size = 12 * PAGE,
        .program_size = 5 * PAGE - 100,
    };
    return made;
}

static int sample_check(const sample *given, snapcell_error *err)
{
    unsigned char tables[sizeof(given->ranges) + sizeof(given->copies) + sizeof(given->warm)];
    int status = process_image_check_head(&given->head, given->file_size, err);
    if (status != SNAPCELL_OK) return status;
    ck_assert_uint_eq(process_image_tables_size(&given->head), sizeof(tables));
    memcpy(tables, given->ranges, sizeof(given->ranges));
    memcpy(tables + sizeof(given->ranges), given->copies, sizeof(given->copies));
    memcpy(tables + sizeof(given->ranges) + sizeof(given->copies), given->warm,
           sizeof(given->warm));
    return process_image_check_tables(&given->head, tables, given->program_size, err);
}

START_TEST(test_a_sound_image_is_taken)
{
    snapcell_error err = {0};
    sample given = sample_make();
    ck_assert_msg(sample_check(&given, &err) == SNAPCELL_OK, "%s", err.message);
    given.head.tid_address = given.head.robust_list = 0;
    given.head.signal_count = 0;
    given.ranges[EMPTY].protection = PROT_READ | PROT_WRITE | PROT_EXEC;
    ck_assert_msg(sample_check(&given, &err) == SNAPCELL_OK, "%s", err.message);
}
END_TEST

/* One field of a sound image, with what it must not be. */
typedef struct damage {
    const char *what; /* in the message */
    size_t offset;    /* in the sample */
    size_t size;
    uint64_t value;
} damage;

#define HEAD(field, value) offsetof(sample, head.field), sizeof(((sample *)0)->head.field), value
#define RANGE(index, field, value)                                                                 \
    offsetof(sample, ranges[index].field), sizeof(((sample *)0)->ranges[0].field), value
#define COPY(index, field, value)                                                                  \
    offsetof(sample, copies[index].field), sizeof(((sample *)0)->copies[0].field), value

#define WARM(index, field, value)                                                                  \
    offsetof(sample, warm[index].field), sizeof(((sample *)0)->warm[0].field), value

static const damage damages[] = {
    {"file's size", offsetof(sample, file_size), 8, 12 * PAGE + 1},
    {"file's size", offsetof(sample, file_size), 8, PROCESS_IMAGE_SIZE_MAX + PAGE},
    {"size", offsetof(sample, file_size), 8, 11 * PAGE},
    {"magic", HEAD(magic, 1)},
    {"version", HEAD(version, PROCESS_IMAGE_VERSION + 1)},
    {"machine", HEAD(machine, 1)},
    {"size", HEAD(size_bytes, 13 * PAGE)},
    {"number of ranges", HEAD(range_count, 0)},
    {"number of ranges", HEAD(range_count, PROCESS_IMAGE_RANGES_MAX + 1)},
    {"number of copies", HEAD(copy_count, PROCESS_IMAGE_COPIES_MAX + 1)},
    {"number of signals", HEAD(signal_count, PROCESS_IMAGE_SIGNALS_MAX + 1)},
    {"number of warm ranges", HEAD(warm_count, PROCESS_IMAGE_WARM_MAX + 1)},
    {"table's place", HEAD(table_offset, 10 * PAGE + 8)},
    {"table's place", HEAD(table_offset, 9 * PAGE)},
    {"table's place", HEAD(table_offset, UINT64_MAX - PAGE + 1)},
    {"table's place", HEAD(range_count, PROCESS_IMAGE_RANGES_MAX)},
    {"view", HEAD(view_size_bytes, 0)},
    {"view", HEAD(view_size_bytes, 11 * PAGE)},
    {"view", HEAD(view_size_bytes, PAGE / 2)},
    {"entry", HEAD(entry, 0x200000)},
    {"entry", HEAD(entry, 0x104000)},
    {"entry", HEAD(entry, 0)},
    {"argument", HEAD(argument, 0x200000)},
    {"argument", HEAD(argument, UINT64_MAX)},
    {"stack", HEAD(stack_top, 0x404008)},
    {"stack", HEAD(stack_top, 0x400000)},
    {"stack", HEAD(stack_top, 0)},
    {"thread pointer", HEAD(thread_pointer, 0x100000)},
    {"thread pointer", HEAD(thread_pointer, 0)},
    {"thread id", HEAD(tid_address, 0x400000)},
    {"robust list's size", HEAD(robust_size_bytes, PAGE + 1)},
    {"robust list", HEAD(robust_list, 0x500000)},
    {"layout", HEAD(layout.end_code, 0)},
    {"layout", HEAD(layout.start_code, 0)},
    {"layout", HEAD(layout.brk, 0x5fffff)},
    {"layout", HEAD(layout.start_stack, UINT64_MAX)},
    {"layout", HEAD(layout.env_end, PROCESS_IMAGE_ADDRESS_END + 1)},
    {"signal", HEAD(signals[0].number, 0)},
    {"signal", HEAD(signals[0].number, 65)},
    {"signal", HEAD(signals[0].handler, 0x200000)},
    {"signal", HEAD(signals[0].restorer, 0x600000)},
    {"signal", HEAD(signal_count, 2)},
    {"range", RANGE(CODE, start, 0)},
    {"range", RANGE(CODE, start, 0x104000)},
    {"range", RANGE(CODE, end, 0x104001)},
    {"range", RANGE(CODE, end, 0x201000)},
    {"range", RANGE(CODE, offset, 1)},
    {"range", RANGE(CODE, offset, 2 * PAGE)},
    {"range", RANGE(CODE, offset, UINT64_MAX - PAGE + 1)},
    {"range", RANGE(CODE, kind, 0)},
    {"range", RANGE(CODE, kind, 7)},
    {"range", RANGE(CODE, protection, PROT_READ | PROT_WRITE | PROT_EXEC)},
    {"range", RANGE(CODE, protection, PROT_NONE)},
    {"range", RANGE(CODE, protection, PROT_READ | 8)},
    {"range", RANGE(DATA, start, 0x103000)},
    {"range", RANGE(DATA, offset, PAGE)},
    {"range", RANGE(DATA, offset, 6 * PAGE)},
    {"range", RANGE(DATA, protection, PROT_READ)},
    {"range", RANGE(DATA, protection, PROT_NONE)},
    {"range", RANGE(CLOSED, offset, 0)},
    {"range", RANGE(CLOSED, offset, 9 * PAGE)},
    {"range", RANGE(CLOSED, protection, PROT_READ | PROT_WRITE)},
    {"range", RANGE(OUTER, offset, PAGE)},
    {"range", RANGE(OUTER, protection, PROT_READ)},
    {"range", RANGE(OUTER, protection, PROT_READ | PROT_WRITE | PROT_EXEC)},
    {"range", RANGE(VIEW, end, 0x503000)},
    {"range", RANGE(VIEW, offset, PAGE)},
    {"range", RANGE(VIEW, protection, PROT_READ | PROT_WRITE)},
    {"range", RANGE(VDSO, protection, PROT_READ | PROT_WRITE)},
    {"range", RANGE(VDSO, offset, PAGE)},
    {"range", RANGE(VDSO, kind, PROCESS_IMAGE_VIEW)},
    {"number of views", RANGE(VIEW, kind, PROCESS_IMAGE_EMPTY)},
    {"range", RANGE(EMPTY, offset, PAGE)},
    {"range", RANGE(EMPTY, end, PROCESS_IMAGE_ADDRESS_END + PAGE)},
    {"range", RANGE(EMPTY, end, 0x600000)},
    {"copy", COPY(0, start, 0x3ff000)},
    {"copy", COPY(0, start, 0x400001)},
    {"copy", COPY(0, end, 0x400000)},
    {"copy", COPY(0, end, 0x403000)},
    {"copy", COPY(0, offset, PAGE)},
    {"copy", COPY(0, offset, 10 * PAGE)},
    {"copy", COPY(1, start, 0x200000)},
    {"copy", COPY(1, end, 0x405000)},
    {"copy", COPY(1, offset, 9 * PAGE)},
    {"warm", WARM(0, offset, 1)},
    {"warm", WARM(0, size_bytes, 0)},
    {"warm", WARM(0, size_bytes, PAGE + 1)},
    {"warm", WARM(0, size_bytes, 3 * PAGE)},
    {"warm", WARM(1, offset, 3 * PAGE)},
    {"warm", WARM(1, size_bytes, UINT64_MAX - PAGE + 1)},
};
#define DAMAGES (sizeof(damages) / sizeof(*damages))

START_TEST(test_a_field_that_cannot_be_is_refused)
{
    const damage *done = &damages[_i];
    sample given = sample_make();
    snapcell_error err = {0};
    memcpy((char *)&given + done->offset, &done->value, done->size);
    ck_assert_msg(sample_check(&given, &err) == SNAPCELL_E_CORRUPT, "%d: %s is taken", _i,
                  done->what);
    ck_assert_msg(strstr(err.message, done->what) != NULL, "%d: %s: %s", _i, done->what,
                  err.message);
}
END_TEST

START_TEST(test_too_many_special_ranges_are_refused)
{
    enum { COUNT = PROCESS_IMAGE_SPECIALS_MAX + 1 };
    snapcell_error err = {0};
    const sample good = sample_make();
    process_image_range ranges[RANGES + COUNT];
    memcpy(ranges, good.ranges, sizeof(good.ranges));
    for (uint64_t i = 0; i < COUNT; i++)
        ranges[RANGES + i] = (process_image_range){0x700000 + i * PAGE, 0x701000 + i * PAGE, 0,
                                                   PROCESS_IMAGE_SPECIAL, PROT_READ};
    process_image_head head = good.head;
    head.range_count = RANGES + COUNT;
    head.copy_count = head.warm_count = 0;
    ck_assert_int_eq(process_image_check_tables(&head, ranges, good.program_size, &err),
                     SNAPCELL_E_CORRUPT);
    head.range_count -= 2;
    ck_assert_int_eq(process_image_check_tables(&head, ranges, good.program_size, &err),
                     SNAPCELL_OK);
}
END_TEST

/* --- Written by a process --- */

#ifndef __SANITIZE_ADDRESS__

typedef struct lab {
    checkpoint *cp;
    process_image_origin origin;
    void *stack_top;
    int fd;
    uint64_t size_bytes;
    int status;
    snapcell_error error;
} lab;

static char data[PAGE] = "is in the image";

static void lab_entry(void *argument, const process_image_arrival *arrival)
{
    (void)argument;
    (void)arrival;
}

static void lab_run(void *user)
{
    lab *here = user;
    const process_image_kept kept = {here, sizeof(*here)};
    const process_image_request request = {.origin = &here->origin,
                                           .kept = &kept,
                                           .kept_count = 1,
                                           .entry = lab_entry,
                                           .argument = here,
                                           .stack_top = here->stack_top};
    here->status = checkpoint_take(here->cp, &here->error);
    if (here->status == SNAPCELL_OK)
        here->status =
            process_image_write(here->cp, &request, here->fd, &here->size_bytes, &here->error);
}

static lab *lab_write(void)
{
    lab *here = outer_alloc(sizeof(*here));
    unsigned char *stack = outer_alloc(STACK_SIZE);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL); /* those of Check are in a library */
    ck_assert(here != NULL && stack != NULL);
    ck_assert_int_eq(checkpoint_open(DIRTY_SCANNED, &here->cp, &here->error), SNAPCELL_OK);
    ck_assert_msg(process_image_origin_read(&here->origin, &here->error) == SNAPCELL_OK, "%s",
                  here->error.message);
    here->fd = memfd_create("image", MFD_CLOEXEC);
    ck_assert_int_ge(here->fd, 0);
    here->stack_top = stack + STACK_SIZE;
    stack_call(stack + STACK_SIZE, lab_run, here);
    return here;
}

static uint64_t own_program_size(void)
{
    struct stat file;
    ck_assert_int_eq(stat("/proc/self/exe", &file), 0);
    return (uint64_t)file.st_size;
}

/* A test program has libraries: their pages are in the image. */
START_TEST(test_what_a_process_writes_can_be_read)
{
    process_image_head head;
    void *tables = NULL;
    snapcell_error err = {0};
    lab *here = lab_write();
    ck_assert_msg(here->status == SNAPCELL_OK, "%s", here->error.message);
    ck_assert_int_eq(ftruncate(here->fd, (off_t)here->size_bytes), 0);
    ck_assert_msg(process_image_read(here->fd, own_program_size(), &head, &tables, &err) ==
                      SNAPCELL_OK,
                  "%s", err.message);
    ck_assert_uint_eq(head.entry, (uintptr_t)lab_entry);
    ck_assert_uint_eq(head.argument, (uintptr_t)here);
    free(tables);
    char *image = mmap(NULL, here->size_bytes, PROT_READ, MAP_SHARED, here->fd, 0);
    ck_assert(image != MAP_FAILED);
    ck_assert_ptr_nonnull(memmem(image, head.view_size_bytes, data, sizeof(data)));
    ck_assert_int_eq(process_image_read(here->fd, PAGE, &head, &tables, &err), SNAPCELL_E_CORRUPT);
}
END_TEST

/* As much as a full disk, or a bound, allows. */
START_TEST(test_a_file_without_room_is_an_error)
{
    lab *here = lab_write();
    ck_assert_int_eq(here->status, SNAPCELL_OK);
    int full = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(full, (off_t)here->size_bytes / 2), 0);
    ck_assert_int_eq(fcntl(full, F_ADD_SEALS, F_SEAL_GROW), 0);
    here->fd = full;
    stack_call(here->stack_top, lab_run, here);
    ck_assert_int_eq(here->status, SNAPCELL_E_INTERNAL);
    ck_assert_ptr_nonnull(strstr(here->error.message, "cannot be written down"));
}
END_TEST

/* Somebody else has the other end of it. */
START_TEST(test_memory_that_is_shared_with_a_file_is_an_error)
{
    int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)PAGE), 0);
    void *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert(shared != MAP_FAILED);
    ck_assert_int_eq(lab_write()->status, SNAPCELL_E_INTERNAL);
}
END_TEST

START_TEST(test_a_file_that_is_no_image_is_refused)
{
    process_image_head head;
    void *tables = NULL;
    snapcell_error err = {0};
    int fd = memfd_create("none", MFD_CLOEXEC);
    ck_assert_int_eq(process_image_read(fd, PAGE, &head, &tables, &err), SNAPCELL_E_CORRUPT);
    ck_assert_int_eq(ftruncate(fd, (off_t)(3 * PAGE)), 0);
    ck_assert_int_eq(process_image_read(fd, PAGE, &head, &tables, &err), SNAPCELL_E_CORRUPT);
    close(fd);
    ck_assert_int_eq(process_image_read(fd, PAGE, &head, &tables, &err), SNAPCELL_E_IO);
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("process_image");
    TCase *checks = tcase_create("checks");
    tcase_add_test(checks, test_a_sound_image_is_taken);
    tcase_add_loop_test(checks, test_a_field_that_cannot_be_is_refused, 0, DAMAGES);
    tcase_add_test(checks, test_too_many_special_ranges_are_refused);
    suite_add_tcase(suite, checks);
#ifndef __SANITIZE_ADDRESS__
    TCase *written = tcase_create("written");
    tcase_add_test(written, test_what_a_process_writes_can_be_read);
    tcase_add_test(written, test_a_file_without_room_is_an_error);
    tcase_add_test(written, test_memory_that_is_shared_with_a_file_is_an_error);
    tcase_add_test(written, test_a_file_that_is_no_image_is_refused);
    suite_add_tcase(suite, written);
#endif
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
