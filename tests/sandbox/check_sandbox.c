/* The sandbox from inside. Each test enters it in a child: there is no way back. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "attempts.h"
#include "inside.h"
#include "snapcell/sandbox.h"

static const snapcell_sandbox_options kill_options = SNAPCELL_SANDBOX_OPTIONS_INIT;
static const snapcell_sandbox_options deny_options = {
    .struct_size = sizeof(snapcell_sandbox_options),
    .violation = SNAPCELL_SANDBOX_DENY,
};

/* --- What is denied --- */

static void check_attempts(const snapcell_sandbox_options *options)
{
    attempts_prepare();
    for (size_t i = 0; i < attempt_count; i++)
        ck_assert_msg(attempt_is_held(&attempts[i], options), "%s: %d", attempts[i].name,
                      (int)attempt_try(&attempts[i], options));
}

START_TEST(test_each_forbidden_call_ends_the_process)
{
    check_attempts(&kill_options);
}
END_TEST

START_TEST(test_each_forbidden_call_can_fail_instead)
{
    check_attempts(&deny_options);
}
END_TEST

/* --- What is not --- */

static int enter(const void *options, snapcell_error *err)
{
    return snapcell_sandbox_enter(options, err);
}

static int inside(int (*work)(void), const snapcell_sandbox_options *options)
{
    return inside_run(enter, options, work);
}

static int work_memory(void)
{
    char *pages = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return 1;
    memset(pages, 1, 1 << 20);
    if (mprotect(pages, 4096, PROT_READ | PROT_EXEC) != 0) return 2; /* V8 compiles */
    if (munmap(pages, 1 << 20) != 0) return 3;
    char *heap = malloc(64 << 20);
    if (heap == NULL) return 4;
    memset(heap, 1, 64 << 20);
    heap = realloc(heap, 128 << 20);
    free(heap);
    return heap == NULL ? 5 : 0;
}

static int work_time(void)
{
    struct timespec now;
    struct timespec nap = {.tv_nsec = 1000};
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 1;
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL) == 0 && nanosleep(&nap, NULL) == 0 ? 0
                                                                                              : 2;
}

static void *thread_main(void *argument)
{
    *(int *)argument = 7;
    return NULL;
}

static int work_threads(void)
{
    pthread_t thread;
    int given = 0;
    if (pthread_create(&thread, NULL, thread_main, &given) != 0) return 1;
    if (pthread_join(thread, NULL) != 0) return 2;
    return given == 7 ? 0 : 3;
}

static int work_descriptors(void)
{
    char byte = 0;
    if (write(1, "", 0) != 0) return 1;
    if (read(0, &byte, 0) != 0) return 2;
    if (printf("%s", "") < 0 || fflush(stdout) != 0) return 3;
    return isatty(0) == 0 || isatty(0) == 1 ? 0 : 4;
}

static int work_abort(void)
{
    abort();
}

START_TEST(test_what_an_engine_needs_is_left)
{
    ck_assert_int_eq(inside(work_memory, &kill_options), 0);
    ck_assert_int_eq(inside(work_time, &kill_options), 0);
    ck_assert_int_eq(inside(work_threads, &kill_options), 0);
    ck_assert_int_eq(inside(work_descriptors, &kill_options), 0);
    ck_assert_int_eq(inside(work_abort, &kill_options), -SIGABRT);
}
END_TEST

/* A broker's socket is inherited, and goes on. */
static int broker_fd;
static int work_broker(void)
{
    char word[4] = "";
    if (send(broker_fd, "ask", 4, MSG_NOSIGNAL) != 4) return 1;
    return recv(broker_fd, word, 4, 0) == 4 && strcmp(word, "ask") == 0 ? 0 : 2;
}

START_TEST(test_an_inherited_socket_goes_on)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    broker_fd = ends[0];
    ck_assert_int_eq(write(ends[1], "ask", 4), 4);
    ck_assert_int_eq(inside(work_broker, &kill_options), 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* --- The walls are there, each for itself --- */

static int work_status(void)
{
    raise(SIGSTOP);
    return 0;
}

/* The value of a line of /proc/PID/status. */
static unsigned long long status_number(pid_t pid, const char *name, int base)
{
    char path[64], line[256];
    unsigned long long value = ~0ULL;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoull(line + strlen(name) + 1, NULL, base);
    fclose(file);
    return value;
}

START_TEST(test_the_kernel_says_so)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (snapcell_sandbox_enter(NULL, NULL) != SNAPCELL_OK) _exit(1);
        _exit(work_status());
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
    ck_assert_uint_eq(status_number(pid, "Seccomp:", 10), 2);
    ck_assert_uint_eq(status_number(pid, "NoNewPrivs:", 10), 1);
    ck_assert_uint_eq(status_number(pid, "CapEff:", 16), 0);
    ck_assert_uint_eq(status_number(pid, "CapPrm:", 16), 0);
    if (getuid() == 0) ck_assert_uint_eq(status_number(pid, "Uid:", 10), 65534);
    if (getuid() == 0) ck_assert_uint_eq(status_number(pid, "Gid:", 10), 65534);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}
END_TEST

static int work_limits(void)
{
    struct rlimit core, files;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 1;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max > 3) return 2;
    return 0;
}

START_TEST(test_limits_are_set)
{
    ck_assert_int_eq(inside(work_limits, &kill_options), 0);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
static int work_hoard(void)
{
    return mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                       MAP_FAILED &&
                   errno == ENOMEM
               ? 0
               : 1;
}

START_TEST(test_memory_is_limited)
{
    snapcell_sandbox_options options = SNAPCELL_SANDBOX_OPTIONS_INIT;
    ck_assert_int_eq(inside(work_hoard, &options), 1);
    options.data_limit_bytes = 200 << 20;
    ck_assert_int_eq(inside(work_hoard, &options), 0);
}
END_TEST
#endif

/* --- Threads --- */

static int other_thread_pipe[2];
static void *other_thread(void *argument)
{
    (void)argument;
    char byte;
    if (read(other_thread_pipe[0], &byte, 1) != 1) _exit(50);
    int fd = open("/etc/passwd", O_RDONLY);
    _exit(fd >= 0 ? 20 : 30);
}

static int with_other_thread(snapcell_sandbox_scope scope)
{
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        snapcell_sandbox_options options = deny_options;
        options.scope = scope;
        if (pipe(other_thread_pipe) != 0) _exit(51);
        if (pthread_create(&thread, NULL, other_thread, NULL) != 0) _exit(52);
        if (snapcell_sandbox_enter(&options, NULL) != SNAPCELL_OK) _exit(53);
        if (open("/etc/passwd", O_RDONLY) >= 0) _exit(54);
        if (write(other_thread_pipe[1], "x", 1) != 1) _exit(55);
        pthread_join(thread, NULL);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

START_TEST(test_threads_that_were_there_are_held_too)
{
    ck_assert_int_eq(with_other_thread(SNAPCELL_SANDBOX_PROCESS), 30);
}
END_TEST

START_TEST(test_one_thread_can_be_held_alone)
{
    ck_assert_int_eq(with_other_thread(SNAPCELL_SANDBOX_THREAD), 20);
}
END_TEST

/* --- Death with the parent, which a change of user would undo --- */

START_TEST(test_a_death_signal_is_kept)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (snapcell_sandbox_enter(NULL, NULL) != SNAPCELL_OK) _exit(1);
            if (write(ends[1], "x", 1) != 1) _exit(1);
            for (struct timespec nap = {.tv_sec = 60};;)
                nanosleep(&nap, NULL);
        }
        char byte;
        _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    int status;
    waitpid(parent, &status, 0);
    ck_assert_int_eq(status, 0);
    close(ends[1]);
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* the grandchild's end is closed: it is dead */
    close(ends[0]);
}
END_TEST

/* --- Options --- */

static int enter_with(snapcell_sandbox_options options, snapcell_error *err)
{
    return snapcell_sandbox_enter(&options, err);
}

START_TEST(test_bad_options_are_refused)
{
    snapcell_error err;
    snapcell_sandbox_options options = SNAPCELL_SANDBOX_OPTIONS_INIT;
    options.violation = (snapcell_sandbox_violation)7;
    ck_assert_int_eq(enter_with(options, &err), SNAPCELL_E_USAGE);
    options = kill_options;
    options.scope = (snapcell_sandbox_scope)7;
    ck_assert_int_eq(enter_with(options, &err), SNAPCELL_E_USAGE);
    options.scope = SNAPCELL_SANDBOX_THREAD;
    options.data_limit_bytes = 1 << 30;
    ck_assert_int_eq(enter_with(options, &err), SNAPCELL_E_USAGE);
    options = (snapcell_sandbox_options){.struct_size = 0};
    ck_assert_int_eq(enter_with(options, &err), SNAPCELL_E_USAGE);
    ck_assert_uint_eq(status_number(getpid(), "Seccomp:", 10), 0);
}
END_TEST

/* Inside a sandbox seccomp is not to be had again: as in a container without it. */
static int work_enter(void)
{
    snapcell_error err;
    if (snapcell_sandbox_enter(&deny_options, &err) != SNAPCELL_E_SANDBOX) return 1;
    return strstr(err.message, "the kernel refused") != NULL ? 0 : 2;
}

START_TEST(test_a_kernel_that_refuses_is_an_error)
{
    ck_assert_int_eq(inside(work_enter, &deny_options), 0);
}
END_TEST

START_TEST(test_what_there_is_can_be_asked)
{
    snapcell_sandbox_support support;
    snapcell_sandbox_probe(&support);
    ck_assert(support.seccomp);
    ck_assert_int_ge(support.landlock_abi, 0);
    ck_assert_uint_eq(status_number(getpid(), "Seccomp:", 10), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tests = tcase_create("sandbox");
    tcase_add_test(tests, test_each_forbidden_call_ends_the_process);
    tcase_add_test(tests, test_each_forbidden_call_can_fail_instead);
    tcase_add_test(tests, test_what_an_engine_needs_is_left);
    tcase_add_test(tests, test_an_inherited_socket_goes_on);
    tcase_add_test(tests, test_the_kernel_says_so);
    tcase_add_test(tests, test_limits_are_set);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tests, test_memory_is_limited);
#endif
    tcase_add_test(tests, test_threads_that_were_there_are_held_too);
    tcase_add_test(tests, test_one_thread_can_be_held_alone);
    tcase_add_test(tests, test_a_death_signal_is_kept);
    tcase_add_test(tests, test_bad_options_are_refused);
    tcase_add_test(tests, test_a_kernel_that_refuses_is_an_error);
    tcase_add_test(tests, test_what_there_is_can_be_asked);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
