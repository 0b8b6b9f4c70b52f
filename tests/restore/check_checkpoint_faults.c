/* Every system call of a restore fails, one at a time: it says so, or memory is right all the same,
 * then and after the restores that follow. Each try is a process of its own, whose memory may be
 * in any state afterwards. */
#include "checkpoint.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outer_memory.h"
#include "stack_call.h"

#define STACK_SIZE ((size_t)256 << 10)
#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)
#define PAGES ((size_t)40)
#define BETWEEN_PAGES ((size_t)600)
#define TRIES_MAX 400

/* In outer memory. */
typedef struct lab {
    checkpoint *cp;
    void *inner;
    stack_point point;
    void (*step)(struct lab *lab);
    int round;
    int fault_round;
    /* Which call fails, counted from 1, and whether it comes to that. */
    int fault_at;
    int fault_calls;
    int fault_errno;
    bool faults;
    bool has_failed;
    bool is_wrong;
    int status;
    snapcell_error error;
    char *mapped;
    char *closed;
    char *between;   /* pages with bytes between many without */
    char *kept_page; /* that madvise() failed for */
} lab;

static lab *the_lab;
static char data_bytes[3 * PAGE] = "as compiled";

/* --- Calls that fail --- */

static bool fault_is_due(void)
{
    if (the_lab == NULL || !the_lab->faults || ++the_lab->fault_calls != the_lab->fault_at)
        return false;
    the_lab->has_failed = true;
    errno = the_lab->fault_errno;
    return true;
}

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
int __real_mprotect(void *address, size_t size, int protection);
int __wrap_mprotect(void *address, size_t size, int protection);
int __real_madvise(void *address, size_t size, int advice);
int __wrap_madvise(void *address, size_t size, int advice);
ssize_t __real_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
int __real_getrusage(int who, struct rusage *usage);
int __wrap_getrusage(int who, struct rusage *usage);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fault_is_due() ? MAP_FAILED : __real_mmap(address, size, protection, flags, fd, offset);
}

int __wrap_munmap(void *address, size_t size)
{
    return fault_is_due() ? -1 : __real_munmap(address, size);
}

int __wrap_mprotect(void *address, size_t size, int protection)
{
    return fault_is_due() ? -1 : __real_mprotect(address, size, protection);
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    if (!fault_is_due()) return __real_madvise(address, size, advice);
    the_lab->kept_page = address;
    return -1;
}

static bool memory_is_unlisted;

/* statm is the one short text that is read: a digit more, and it counts more than is listed. */
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
    if (fault_is_due()) return -1;
    ssize_t got = __real_pread(fd, buffer, size, offset);
    if (!memory_is_unlisted || size > 200 || got <= 0 || (size_t)got == size) return got;
    memmove((char *)buffer + 1, buffer, (size_t)got);
    *(char *)buffer = '9';
    return got + 1;
}

static bool faults_stand_still;

int __wrap_getrusage(int who, struct rusage *usage)
{
    if (faults_stand_still) {
        memset(usage, 0, sizeof(*usage));
        return 0;
    }
    return fault_is_due() ? -1 : __real_getrusage(who, usage);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fault_is_due() ? -1 : __real_ioctl(fd, request, argument);
}

/* The kernel answers a break that it does not set with the one that there is. */
long __wrap_syscall(long number, ...)
{
    long words[4];
    va_list arguments;
    va_start(arguments, number);
    for (size_t i = 0; i < 4; i++)
        words[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_brk && words[0] != 0 && fault_is_due()) words[0] = 0;
    return __real_syscall(number, words[0], words[1], words[2], words[3]);
}

/* --- What calls do to memory --- */

static bool all_are(const char *bytes, size_t size, char c)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != c) return false;
    return true;
}

static void expect(lab *here, bool holds)
{
    if (!holds) here->is_wrong = true;
}

static void expect_all(lab *here)
{
    expect(here, strcmp(data_bytes, "as compiled") == 0);
    expect(here, all_are(here->mapped, (PAGES - 10) * PAGE, 'm'));
    expect(here, all_are(here->mapped + (PAGES - 10) * PAGE, 10 * PAGE, 0));
}

static void write_all(lab *here)
{
    memset(data_bytes, 'x', sizeof(data_bytes));
    memset(here->mapped, 'x', PAGES * PAGE);
}

/* Mappings of all kinds that a restore has to undo. */
static void step_alter_mappings(lab *here)
{
    expect_all(here);
    if (here->round != here->fault_round) return;
    write_all(here);
    char *part = here->closed + 3 * MIB;
    expect(here, mprotect(part, MIB, PROT_READ | PROT_WRITE) == 0);
    expect(here, all_are(part, MIB, 0));
    memset(part, 'o', 8 * PAGE);
    expect(here, munmap(here->closed, MIB) == 0);
    expect(here, munmap(here->mapped + 3 * PAGE, 5 * PAGE) == 0);
    expect(here, mprotect(here->mapped + 10 * PAGE, PAGE, PROT_READ) == 0);
    char *more = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(here, more != MAP_FAILED);
    memset(more, 'n', 4 * MIB);
    expect(here, sbrk((intptr_t)(2 * MIB)) != (void *)-1);
}

/* More new pages than are kept: the rest is given back. */
static void step_touch_many(lab *here)
{
    expect_all(here);
    char *many = here->closed + 8 * MIB;
    expect(here, mprotect(many, 3 * MIB, PROT_READ | PROT_WRITE) == 0);
    expect(here, all_are(many, 3 * MIB, 0));
    write_all(here);
    if (here->round == here->fault_round) memset(many, 't', 3 * MIB);
}

/* One range of new pages has such in it as the checkpoint has the bytes of. */
static void step_touch_around(lab *here)
{
    const size_t size = BETWEEN_PAGES * PAGE;
    expect(here, all_are(here->between, size, 0));
    expect(here, all_are(here->between + size, PAGE, 'b'));
    expect(here, all_are(here->between + size + PAGE, size, 0));
    if (here->round == here->fault_round) memset(here->between, 't', 2 * size + PAGE);
}

/* Pages that calls have stopped writing are given back some time; then one writes just the one that
 * was not, with nothing in between that would have the kernel asked. */
#define STOPS_AT 40
#define WRITES_AGAIN_AT 110
static void step_stop_writing(lab *here)
{
    if (here->round < STOPS_AT || here->round > WRITES_AGAIN_AT) expect_all(here);
    if (here->round < STOPS_AT) write_all(here);
    bool is_mine = here->kept_page >= here->mapped && here->kept_page < here->mapped + PAGES * PAGE;
    if (here->round == WRITES_AGAIN_AT && is_mine) memset(here->kept_page, 'x', PAGE);
}

/* --- Tries --- */

static void lab_call(void *user)
{
    lab *here = user;
    here->step(here);
}

/* On a stack in outer memory. `user`: how many rounds follow the one with the fault. */
static void lab_run(void *user)
{
    lab *here = the_lab;
    const int rounds = here->fault_round + *(const int *)user;
    here->status = checkpoint_take(here->cp, &here->error);
    for (; here->round < rounds && here->status == SNAPCELL_OK; here->round++) {
        bool whole = stack_call_catching(here->inner, lab_call, here, &here->point);
        here->faults = here->round == here->fault_round;
        here->status = checkpoint_restore(here->cp, !whole, &here->error);
        here->faults = false;
    }
}

typedef struct experiment {
    void (*step)(lab *lab);
    int fault_round;
    int rounds_after;
    int fault_errno;
} experiment;

static void lab_make(const experiment *what, dirty_source source)
{
    lab *here = outer_alloc(sizeof(*here));
    if (here == NULL || checkpoint_open(source, &here->cp, &here->error) != SNAPCELL_OK) exit(3);
    here->mapped =
        mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    here->closed =
        mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    here->between = mmap(NULL, (2 * BETWEEN_PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (here->mapped == MAP_FAILED || here->closed == MAP_FAILED || here->between == MAP_FAILED)
        exit(3);
    memset(here->between + BETWEEN_PAGES * PAGE, 'b', PAGE);
    memset(here->mapped, 'm', (PAGES - 10) * PAGE);
    here->step = what->step;
    here->fault_round = what->fault_round;
    here->fault_errno = what->fault_errno;
    the_lab = here;
}

enum { RIGHT = 10, REFUSED, WRONG, NO_FAULT };

static int lab_judge(const lab *here)
{
    if (here->is_wrong) return WRONG;
    if (here->status != SNAPCELL_OK) return here->error.message[0] != '\0' ? REFUSED : WRONG;
    return here->has_failed ? RIGHT : NO_FAULT;
}

/* In a child, with the n-th call failing: what came of it. */
static int try_fault(const experiment *what, dirty_source source, int number)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        int rounds_after = what->rounds_after;
        unsigned char *stack = outer_alloc(STACK_SIZE);
        lab_make(what, source);
        the_lab->fault_at = number;
        the_lab->inner = (void *)((uintptr_t)stack_here() & ~(uintptr_t)63);
        if (stack != NULL) stack_call(stack + STACK_SIZE, lab_run, &rounds_after);
        _exit(lab_judge(the_lab));
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "call %d: ended by signal %d", number, WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* Returns how many calls there are. */
static int try_all_faults(const experiment *what, dirty_source source, int *refused)
{
    *refused = 0;
    for (int number = 1; number < TRIES_MAX; number++) {
        int result = try_fault(what, source, number);
        if (result == NO_FAULT) return number - 1;
        ck_assert_msg(result == RIGHT || result == REFUSED, "source %d, call %d: %s", (int)source,
                      number, result == WRONG ? "restored, and wrong" : "no process to try with");
        *refused += result == REFUSED;
    }
    return TRIES_MAX;
}

static const dirty_source sources[] = {DIRTY_SCANNED, DIRTY_LISTED, DIRTY_COMPARED};
#define SOURCES ((int)(sizeof(sources) / sizeof(*sources)))

START_TEST(test_a_call_that_fails_is_an_error)
{
    const experiment what = {step_alter_mappings, 3, 4, ENOMEM};
    int refused;
    int calls = try_all_faults(&what, sources[_i], &refused);
    ck_assert_int_gt(calls, 10);
    ck_assert_int_lt(calls, TRIES_MAX);
    ck_assert_int_eq(refused, calls); /* each is needed */
}
END_TEST

static void (*const large_steps[])(lab *) = {step_touch_many, step_touch_around};

START_TEST(test_memory_that_cannot_be_given_back_is_an_error)
{
    const experiment what = {large_steps[_i / SOURCES], 3, 4, EINVAL};
    int refused;
    int calls = try_all_faults(&what, sources[_i % SOURCES], &refused);
    ck_assert_int_gt(calls, 3);
    ck_assert_int_lt(calls, TRIES_MAX);
    ck_assert_int_eq(refused, calls);
}
END_TEST

/* Round 94, the 95th: the last that is sampled. */
START_TEST(test_pages_that_cannot_be_given_back_stay_known)
{
    const experiment what = {step_stop_writing, 94, 20, ENOMEM};
    int refused;
    int calls = try_all_faults(&what, sources[_i], &refused);
    ck_assert_int_gt(calls, 3);
    ck_assert_int_lt(calls, TRIES_MAX);
}
END_TEST

START_TEST(test_a_kernel_that_counts_no_faults_is_refused)
{
    checkpoint *cp;
    snapcell_error error;
    faults_stand_still = true;
    ck_assert_int_eq(checkpoint_open(sources[_i], &cp, &error), SNAPCELL_E_INTERNAL);
    ck_assert_ptr_null(cp);
    ck_assert_ptr_nonnull(strstr(error.message, "counts page faults"));
    faults_stand_still = false;
    ck_assert_int_eq(checkpoint_open(sources[_i], &cp, &error), SNAPCELL_OK);
    checkpoint_close(cp);
}
END_TEST

START_TEST(test_memory_that_is_not_listed_is_refused)
{
    checkpoint *cp;
    snapcell_error error;
    memory_is_unlisted = true;
    ck_assert_int_eq(checkpoint_open(sources[_i], &cp, &error), SNAPCELL_E_INTERNAL);
    ck_assert_ptr_null(cp);
    ck_assert_ptr_nonnull(strstr(error.message, "in an emulator it does not"));
    memory_is_unlisted = false;
    ck_assert_int_eq(checkpoint_open(sources[_i], &cp, &error), SNAPCELL_OK);
    checkpoint_close(cp);
}
END_TEST

/* A signal that comes in between is not a failure. */
START_TEST(test_an_interrupted_read_is_repeated)
{
    const experiment what = {step_stop_writing, 5, 20, EINTR};
    ck_assert_int_eq(try_fault(&what, sources[_i], 1), RIGHT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint_faults");
    TCase *tests = tcase_create("checkpoint_faults");
    tcase_add_loop_test(tests, test_a_call_that_fails_is_an_error, 0, SOURCES);
    tcase_add_loop_test(tests, test_memory_that_cannot_be_given_back_is_an_error, 0, 2 * SOURCES);
    tcase_add_loop_test(tests, test_pages_that_cannot_be_given_back_stay_known, 0, SOURCES);
    tcase_add_loop_test(tests, test_a_kernel_that_counts_no_faults_is_refused, 0, SOURCES);
    tcase_add_loop_test(tests, test_memory_that_is_not_listed_is_refused, 0, SOURCES);
    tcase_add_loop_test(tests, test_an_interrupted_read_is_repeated, 0, SOURCES);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
