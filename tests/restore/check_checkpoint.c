/* A process that puts its memory back, by each way that a kernel may offer: whatever was done in
 * between, nothing of it is there afterwards. */
#include "checkpoint.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "outer_memory.h"
#include "stack_call.h"

#define STACK_SIZE ((size_t)256 << 10)
#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)

/* What has to outlive restores; in outer memory. */
typedef struct lab {
    checkpoint *cp;
    stack_point point;
    void *inner; /* where steps have their stack */
    void (*step)(struct lab *lab);
    long step_number;
    bool wrong;
    bool is_cut;
    int status;
    snapcell_error error;
    char *mapped; /* readable and writable at the checkpoint, with bytes */
    char *closed; /* reserved without access */
    char *block;  /* from malloc() */
    int rounds;
    unsigned seed;
    size_t resident_first;
    size_t resident_last;
} lab;

static char data_bytes[3 * PAGE] = "as compiled";
static char bss_bytes[64 * PAGE];
static lab *the_lab;

/* Without stdio, whose buffers would be among what is restored. */
static size_t resident_kib(void)
{
    char text[200];
    unsigned long resident = 0;
    unsigned long shared = 0;
    int fd = open("/proc/self/statm", O_RDONLY);
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0) return 0;
    text[got] = '\0';
    if (sscanf(text, "%*u %lu %lu", &resident, &shared) != 2) return 0;
    return (resident - shared) * 4;
}

static void lab_call(void *user)
{
    lab *here = user;
    here->step(here);
}

/* On a stack in outer memory. */
static void lab_run(void *user)
{
    lab *here = user;
    here->status = checkpoint_take(here->cp, &here->error);
    for (int i = 0; i < here->rounds && here->status == SNAPCELL_OK; i++) {
        bool cut = !stack_call_catching(here->inner, lab_call, here, &here->point);
        if (cut != here->is_cut) here->wrong = true;
        here->status = checkpoint_restore(here->cp, cut, &here->error);
        if (here->status == SNAPCELL_OK && checkpoint_difference(here->cp) > 0) here->wrong = true;
        if (i == 8) here->resident_first = resident_kib();
    }
    here->resident_last = resident_kib();
}

static void lab_begin(dirty_source best)
{
    lab *here = outer_alloc(sizeof(*here));
    ck_assert_ptr_nonnull(here);
    the_lab = here;
    ck_assert_int_eq(checkpoint_open(best, &here->cp, &here->error), SNAPCELL_OK);
    here->mapped =
        mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    here->closed =
        mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    here->block = malloc(10000);
    ck_assert(here->mapped != MAP_FAILED && here->closed != MAP_FAILED && here->block != NULL);
    memset(here->mapped, 'm', 30 * PAGE);
    memset(here->block, 'b', 10000);
    here->rounds = 20;
}

static void lab_end(void (*step)(lab *))
{
    lab *here = the_lab;
    unsigned char *stack = outer_alloc(STACK_SIZE);
    ck_assert_ptr_nonnull(stack);
    here->step = step;
    here->inner = (void *)((uintptr_t)stack_here() & ~(uintptr_t)63);
    stack_call(stack + STACK_SIZE, lab_run, here);
    ck_assert_msg(here->status == SNAPCELL_OK, "%s", here->error.message);
    ck_assert(!here->wrong);
    outer_free(stack, STACK_SIZE);
}

static const dirty_source sources[] = {DIRTY_SCANNED, DIRTY_LISTED, DIRTY_COMPARED};
#define SOURCES ((int)(sizeof(sources) / sizeof(*sources)))

/* --- What a step does to memory --- */

static void expect(lab *here, bool holds)
{
    if (!holds) here->wrong = true;
}

static bool all_are(const char *bytes, size_t size, char c)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != c) return false;
    return true;
}

static void step_write(lab *here)
{
    char on_stack[3 * PAGE];
    static int visits;
    expect(here, ++visits == 1);
    expect(here,
           strcmp(data_bytes, "as compiled") == 0 && all_are(bss_bytes, sizeof(bss_bytes), 0));
    expect(here, all_are(here->mapped, 30 * PAGE, 'm') &&
                     all_are(here->mapped + 30 * PAGE, 10 * PAGE, 0));
    expect(here, all_are(here->block, 10000, 'b'));
    memset(data_bytes, 'x', sizeof(data_bytes));
    memset(bss_bytes, 'x', sizeof(bss_bytes));
    memset(here->mapped + (size_t)here->step_number % 30 * PAGE, 'x', 11 * PAGE);
    memset(here->block, 'x', 10000);
    memset(on_stack, 'x', sizeof(on_stack));
    expect(here, all_are(on_stack, sizeof(on_stack), 'x'));
    here->step_number++;
}

START_TEST(test_what_was_written_is_as_before)
{
    lab_begin(sources[_i]);
    lab_end(step_write);
    ck_assert_uint_gt(checkpoint_count(the_lab->cp)->pages_restored, 0);
}
END_TEST

/* malloc() grows, new mappings come, and some thousand pages are touched. */
static void step_grow(lab *here)
{
    char *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = malloc(300000 + i);
        expect(here, blocks[i] != NULL);
        memset(blocks[i], 'g', 300000 + i);
    }
    for (size_t i = 0; i < 64; i += 3)
        free(blocks[i]);
    char *mapped = mmap(NULL, 5 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(here, mapped != MAP_FAILED && all_are(mapped, 5 * MIB, 0));
    memset(mapped, 'g', 5 * MIB);
    char *shared = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(here, shared != MAP_FAILED);
    memset(shared, 'g', MIB);
}

START_TEST(test_what_came_since_goes)
{
    lab_begin(sources[_i]);
    the_lab->rounds = 200;
    lab_end(step_grow);
    ck_assert_uint_le(the_lab->resident_last, the_lab->resident_first + 512);
}
END_TEST

static void step_unmap(lab *here)
{
    expect(here, all_are(here->mapped, 30 * PAGE, 'm'));
    expect(here, munmap(here->mapped + 3 * PAGE, 5 * PAGE) == 0);
    expect(here, mprotect(here->mapped + 10 * PAGE, 2 * PAGE, PROT_READ) == 0);
    expect(here, mmap(here->mapped + 20 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
    expect(here, munmap(here->closed + MIB, MIB) == 0);
}

START_TEST(test_what_was_unmapped_or_protected_is_as_before)
{
    lab_begin(sources[_i]);
    lab_end(step_unmap);
}
END_TEST

/* The address space is as large as before, and as much of it is writable. */
static void step_exchange(lab *here)
{
    expect(here, all_are(here->mapped, 30 * PAGE, 'm'));
    expect(here, all_are(here->mapped + 30 * PAGE, 10 * PAGE, 0));
    expect(here, mmap(here->mapped + 2 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
    expect(here, mprotect(here->mapped + 8 * PAGE, 4 * PAGE, PROT_NONE) == 0);
    char *part = here->closed + 5 * MIB;
    expect(here, mprotect(part, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    expect(here, all_are(part, 4 * PAGE, 0));
    memset(part, 'e', 4 * PAGE);
}

START_TEST(test_what_was_exchanged_is_as_before)
{
    lab_begin(sources[_i]);
    lab_end(step_exchange);
}
END_TEST

static void step_open(lab *here)
{
    char *part = here->closed + 3 * MIB;
    expect(here, mprotect(part, MIB, PROT_READ | PROT_WRITE) == 0);
    expect(here, all_are(part, MIB, 0));
    memset(part, 'o', MIB);
}

START_TEST(test_what_was_reserved_is_closed_and_empty_again)
{
    lab_begin(sources[_i]);
    lab_end(step_open);
}
END_TEST

/* Nothing of it shows in the list of mappings, which is as it was. */
static void step_open_and_close(lab *here)
{
    char *part = here->closed + 7 * MIB;
    expect(here, mprotect(part, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    expect(here, all_are(part, 4 * PAGE, 0));
    memset(part, 'c', 4 * PAGE);
    expect(here, mprotect(part, 4 * PAGE, PROT_NONE) == 0);
}

START_TEST(test_what_was_opened_and_closed_again_is_empty)
{
    lab_begin(sources[_i]);
    lab_end(step_open_and_close);
}
END_TEST

/* Pages that are there when the checkpoint is taken could be written without a page fault. */
START_TEST(test_what_was_closed_before_the_checkpoint_is_empty)
{
    lab_begin(sources[_i]);
    step_open_and_close(the_lab);
    lab_end(step_open_and_close);
}
END_TEST

static void step_large(lab *here)
{
    size_t size = 30 * MIB;
    char *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(here, mapped != MAP_FAILED);
    memset(mapped, 'l', size);
    char *block = malloc(10 * MIB);
    expect(here, block != NULL);
    memset(block, 'l', 10 * MIB);
}

START_TEST(test_a_large_call_leaves_the_process_small)
{
    lab_begin(sources[_i]);
    the_lab->rounds = 12;
    lab_end(step_large);
    ck_assert_uint_le(the_lab->resident_last, the_lab->resident_first + 512);
}
END_TEST

/* --- Cuts --- */

static void on_timer(int number)
{
    (void)number;
    stack_jump(&the_lab->point);
}

static void step_until_cut(lab *here)
{
    struct itimerval timer = {.it_value = {0, 1 + rand_r(&here->seed) % 2000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    for (size_t i = 0;; i++) {
        char *block = malloc(1 + i % 5000);
        if (block != NULL) memset(block, 'c', 1 + i % 5000);
        if (i % 2 == 0) free(block);
        if (i % 50 == 0)
            mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        data_bytes[i % sizeof(data_bytes)]++;
    }
}

START_TEST(test_a_call_can_be_cut_anywhere)
{
    lab_begin(sources[_i]);
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_NODEFER};
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    the_lab->is_cut = true;
    the_lab->rounds = 300;
    lab_end(step_until_cut);
}
END_TEST

/* --- A second checkpoint --- */

static void step_second(lab *here)
{
    expect(here, here->mapped[0] == 's' && here->mapped[29 * PAGE] == 's');
    expect(here, here->mapped[PAGE] == 'm' && here->mapped[39 * PAGE] == 's');
    memset(here->mapped, 'x', 40 * PAGE);
}

static void run_second(void *user)
{
    lab *here = user;
    here->status = checkpoint_take(here->cp, &here->error);
    if (here->status != SNAPCELL_OK) return;
    here->mapped[0] = here->mapped[29 * PAGE] = here->mapped[39 * PAGE] = 's';
    lab_run(here);
}

START_TEST(test_a_second_checkpoint_takes_the_place_of_the_first)
{
    lab_begin(sources[_i]);
    unsigned char *stack = outer_alloc(STACK_SIZE);
    the_lab->step = step_second;
    the_lab->inner = (void *)((uintptr_t)stack_here() & ~(uintptr_t)63);
    stack_call(stack + STACK_SIZE, run_second, the_lab);
    ck_assert_msg(the_lab->status == SNAPCELL_OK, "%s", the_lab->error.message);
    ck_assert(!the_lab->wrong);
}
END_TEST

/* --- Anomalies --- */

/* A page that could not be written at the checkpoint, and of which there is no copy. */
static char *readable;

static void step_alter_readable(lab *here)
{
    if (mprotect(readable, PAGE, PROT_READ | PROT_WRITE) != 0) here->wrong = true;
}

/* What was there may be gone. */
static void step_close_readable(lab *here)
{
    if (mprotect(readable, PAGE, PROT_NONE) != 0) here->wrong = true;
}

START_TEST(test_what_cannot_be_restored_is_an_error)
{
    lab_begin(sources[_i % SOURCES]);
    readable = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(readable != MAP_FAILED);
    readable[0] = 'r';
    ck_assert_int_eq(mprotect(readable, PAGE, PROT_READ), 0);
    unsigned char *stack = outer_alloc(STACK_SIZE);
    the_lab->step = _i < SOURCES ? step_alter_readable : step_close_readable;
    the_lab->inner = (void *)((uintptr_t)stack_here() & ~(uintptr_t)63);
    stack_call(stack + STACK_SIZE, lab_run, the_lab);
    ck_assert_int_eq(the_lab->status, SNAPCELL_E_INTERNAL);
    ck_assert_ptr_nonnull(strstr(the_lab->error.message, "is not what it was"));
}
END_TEST

START_TEST(test_nothing_is_restored_without_a_checkpoint)
{
    lab_begin(DIRTY_SCANNED);
    ck_assert(!checkpoint_is_taken(the_lab->cp));
    ck_assert_int_eq(checkpoint_restore(the_lab->cp, false, NULL), SNAPCELL_E_INTERNAL);
    checkpoint_close(the_lab->cp);
    checkpoint_close(NULL);
}
END_TEST

/* --- What was written --- */

static bool find_block(void *user, const void *data, size_t size)
{
    lab *here = user;
    if ((const char *)data <= here->block && here->block < (const char *)data + size)
        here->step_number++;
    return true;
}

static void write_run(void *user)
{
    lab *here = user;
    here->status = checkpoint_take(here->cp, &here->error);
    here->block[0]++;
    if (here->status == SNAPCELL_OK)
        here->status = checkpoint_each_written(here->cp, find_block, here, &here->error);
}

START_TEST(test_what_was_written_is_visited)
{
    lab_begin(sources[_i]);
    lab *here = the_lab;
    char *stack = outer_alloc(STACK_SIZE);
    here->step_number = 0;
    stack_call(stack + STACK_SIZE, write_run, here);
    ck_assert_msg(here->status == SNAPCELL_OK, "%s", here->error.message);
    ck_assert_int_ge(here->step_number, 1);
    checkpoint_close(here->cp);
}
END_TEST

START_TEST(test_outer_buffers_are_bounded_and_wiped)
{
    outer_buffer buffer;
    ck_assert(outer_buffer_init(&buffer, 3 * MIB));
    ck_assert(outer_buffer_use(&buffer, 10));
    memset(buffer.data, 'w', 10);
    outer_buffer_wipe(&buffer);
    ck_assert(all_are((char *)buffer.data, 10, 0));
    ck_assert(outer_buffer_use(&buffer, 3 * MIB));
    ck_assert(!outer_buffer_use(&buffer, 3 * MIB + 1));
    memset(buffer.data, 'w', 3 * MIB);
    outer_buffer_wipe(&buffer);
    ck_assert(all_are((char *)buffer.data, 3 * MIB, 0));
    outer_buffer_release(&buffer);
    ck_assert(!outer_buffer_init(&buffer, SIZE_MAX / 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tests = tcase_create("checkpoint");
    tcase_add_test(tests, test_outer_buffers_are_bounded_and_wiped);
    tcase_add_loop_test(tests, test_what_was_written_is_as_before, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_came_since_goes, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_was_unmapped_or_protected_is_as_before, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_was_exchanged_is_as_before, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_was_reserved_is_closed_and_empty_again, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_was_opened_and_closed_again_is_empty, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_was_closed_before_the_checkpoint_is_empty, 0, SOURCES);
    tcase_add_loop_test(tests, test_a_large_call_leaves_the_process_small, 0, SOURCES);
    tcase_add_loop_test(tests, test_a_call_can_be_cut_anywhere, 0, SOURCES);
    tcase_add_loop_test(tests, test_a_second_checkpoint_takes_the_place_of_the_first, 0, SOURCES);
    tcase_add_loop_test(tests, test_what_cannot_be_restored_is_an_error, 0, 2 * SOURCES);
    tcase_add_test(tests, test_nothing_is_restored_without_a_checkpoint);
    tcase_add_loop_test(tests, test_what_was_written_is_visited, 0, SOURCES);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
