/* Workers whose process ends in the middle of a call, or between two. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers_fixture.h"

static const struct ended {
    const char *url;
    uint32_t cpu_limit_ms;
    uint32_t wall_limit_ms;
    int code;
    const char *message;
} ended[] = {
    {"/fatal", 0, 0, SNAPCELL_E_MEMORY_LIMIT, "web: it needs more memory than the engine can give"},
    {"/native", 50, 0, SNAPCELL_E_CPU_LIMIT, "limit of 50 ms of CPU time"},
    {"/native", 0, 300, SNAPCELL_E_WALL_LIMIT, "longer than its limit of 300 ms"},
};

START_TEST(test_what_ends_the_process_is_an_error)
{
    const struct ended *one = &ended[_i];
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = (uint64_t)64 << 20;
    options.cpu_limit_ms = one->cpu_limit_ms;
    options.wall_limit_ms = one->wall_limit_ms;
    snapcell_workers_options group = SNAPCELL_WORKERS_OPTIONS_INIT;
    group.policy = SNAPCELL_WORKERS_RELOAD;
    snapcell_workers *workers = workers_open(&group);
    snapcell_worker *worker = workers_load(workers, "web", &options);
    int pid = snapcell_worker_process_id(worker);
    int files = workers_count_open_files();
    for (int i = 0; i < 2; i++) {
        workers_expect_failure(worker, one->url, one->code, one->message);
        ck_assert_int_eq(snapcell_worker_process_id(worker), 0);
        workers_expect_no_children();
        workers_expect(worker, "/", "fine");
        ck_assert_int_ne(snapcell_worker_process_id(worker), pid);
        ck_assert_int_eq(workers_count_open_files(), files);
    }
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which has no checkpoints */
/* The same, where memory is restored: the call is left wherever it is, and the process lives on. */
static const char *const cut_messages[] = {"grew over its limit of 64 MiB", "limit of 50 ms of CPU",
                                           "longer than its limit of 300 ms"};

START_TEST(test_what_would_end_the_process_is_cut)
{
    const struct ended *one = &ended[_i % 3];
    snapcell_workers_options group = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = (uint64_t)64 << 20;
    options.cpu_limit_ms = one->cpu_limit_ms;
    options.wall_limit_ms = one->wall_limit_ms;
    group.restore_tier = (snapcell_restore_tier)(_i / 3 + SNAPCELL_RESTORE_SCANNED);
    snapcell_workers *workers = workers_open(&group);
    snapcell_worker *worker = workers_load(workers, "web", &options);
    int pid = snapcell_worker_process_id(worker);
    for (int i = 0; i < 3; i++) {
        workers_expect_failure(worker, one->url, one->code, cut_messages[_i % 3]);
        workers_expect(worker, "/", "fine");
        ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    }
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    ck_assert_uint_eq(counts.cuts, 3);
    ck_assert_uint_eq(counts.deaths, 0);
    ck_assert_uint_eq(counts.starts, 1);
    ck_assert_uint_ge(counts.restore_tier, group.restore_tier);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST
#endif

typedef struct killing {
    int pid;
    int signal;
} killing;

/* The function says when it has begun. */
static void kill_worker(void *user, snapcell_log_level level, const char *function_name,
                        const char *text, size_t text_size_bytes)
{
    (void)level, (void)function_name, (void)text_size_bytes;
    const killing *it = user;
    if (strcmp(text, "begun") == 0) kill(it->pid, it->signal);
}

static const struct killed {
    int signal;
    int code;
    const char *message;
} killed[] = {
    {SIGKILL, SNAPCELL_E_WORKER_DIED, "web: the worker process was killed from outside"},
    {SIGTERM, SNAPCELL_E_WORKER_DIED, "web: the worker process ended: Terminated; the next call"},
    {SIGSYS, SNAPCELL_E_SANDBOX, "system call"},
#ifndef __SANITIZE_ADDRESS__
    {SIGSEGV, SNAPCELL_E_WORKER_DIED, "fault in itself and could not go on: Segmentation fault"},
    {SIGABRT, SNAPCELL_E_WORKER_DIED, "fault in itself"},
#endif
};

START_TEST(test_killed_during_a_call)
{
    static const char *const urls[] = {"/hang", "/loop"};
    const struct killed *one = &killed[_i];
    killing it = {.signal = one->signal};
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.log = kill_worker;
    options.log_user = &it;
    options.image_bytes_max = SNAPCELL_IMAGES_NONE; /* which have processes of their own */
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    int files = workers_count_open_files();
    for (size_t i = 0; i < 2; i++) {
        it.pid = snapcell_worker_process_id(worker);
        workers_expect_failure(worker, urls[i], one->code, one->message);
        workers_expect_no_children();
        workers_expect(worker, "/", "fine");
        ck_assert_int_eq(workers_count_open_files(), files);
    }
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_killed_between_calls)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    for (int i = 0; i < 3; i++) {
        int pid = snapcell_worker_process_id(worker);
        siginfo_t info;
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        workers_expect(worker, "/", "fine");
        ck_assert_int_ne(snapcell_worker_process_id(worker), pid);
    }
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

/* The only child that there is. */
static int only_child(void)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

START_TEST(test_a_process_that_waits)
{
    snapcell_workers_options group = SNAPCELL_WORKERS_OPTIONS_INIT;
    group.policy = SNAPCELL_WORKERS_RELOAD;
    snapcell_workers *workers = workers_open(&group);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(snapcell_workers_prepare(workers, NULL), SNAPCELL_OK);
        int pid = only_child();
        ck_assert_int_eq(snapcell_workers_prepare(workers, NULL), SNAPCELL_OK);
        ck_assert_int_eq(only_child(), pid);
        if (i == 1) { /* one that died is passed over */
            siginfo_t end;
            kill(pid, SIGKILL);
            ck_assert_int_eq(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT), 0);
        }
        snapcell_worker *worker = workers_load(workers, "web", NULL);
        ck_assert_int_eq(snapcell_worker_process_id(worker) == pid, i != 1);
        workers_expect(worker, "/", "fine");
        snapcell_worker_free(worker);
        workers_expect_no_children();
    }
    ck_assert_int_eq(snapcell_workers_prepare(workers, NULL), SNAPCELL_OK);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

/* As in a host that lets the kernel take its dead children. */
START_TEST(test_children_that_are_not_waited_for)
{
    signal(SIGCHLD, SIG_IGN);
    killing it = {.signal = SIGKILL};
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.log = kill_worker;
    options.log_user = &it;
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    it.pid = snapcell_worker_process_id(worker);
    workers_expect_failure(worker, "/hang", SNAPCELL_E_WORKER_DIED, "no reason is known");
    workers_expect(worker, "/", "fine");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

static void tell_pid(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    (void)level, (void)function_name, (void)text, (void)text_size_bytes;
    const int *pair = user;
    if (write(pair[0], &pair[1], sizeof(pair[1])) != sizeof(pair[1])) abort();
}

static void host_that_calls(int fd, const char *url)
{
    int pair[2] = {fd, 0};
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.log = tell_pid;
    options.log_user = pair;
    snapcell_worker *worker = workers_load(workers_open(&options), "web", NULL);
    pair[1] = snapcell_worker_process_id(worker);
    workers_expect(worker, url, "never");
}

START_TEST(test_a_worker_does_not_outlive_its_host)
{
    static const char *const urls[] = {"/hang", "/loop"};
    int ends[2];
    int worker = 0;
    int status = 0;
    ck_assert_int_eq(pipe(ends), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t host = fork();
    ck_assert_int_ge(host, 0);
    if (host == 0) {
        host_that_calls(ends[1], urls[_i]);
        _exit(0);
    }
    ck_assert_int_eq(read(ends[0], &worker, sizeof(worker)), sizeof(worker));
    ck_assert_int_gt(worker, 0);
    kill(host, SIGKILL);
    ck_assert_int_eq(waitpid(host, &status, 0), host);
    ck_assert_int_eq(waitpid(worker, &status, 0), worker);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

int main(void)
{
    workers_set_store(fixture_new_store());
    workers_fixture_compile();
    TCase *tests = tcase_create("worker_deaths");
#ifndef __SANITIZE_ADDRESS__
    tcase_add_loop_test(tests, test_what_would_end_the_process_is_cut, 0, 9);
#endif
    tcase_add_loop_test(tests, test_what_ends_the_process_is_an_error, 0,
                        sizeof(ended) / sizeof(*ended));
    tcase_add_loop_test(tests, test_killed_during_a_call, 0, sizeof(killed) / sizeof(*killed));
    tcase_add_test(tests, test_killed_between_calls);
    tcase_add_test(tests, test_a_process_that_waits);
    tcase_add_test(tests, test_children_that_are_not_waited_for);
    tcase_add_loop_test(tests, test_a_worker_does_not_outlive_its_host, 0, 2);
    Suite *suite = suite_create("worker_deaths");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
