/* Workers that were taken over, or are not workers at all: the host gets an error and goes on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers_fixture.h"

static const char *store;

/* The log is requested or not; the callback drops it. */
static void drop_log(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    (void)user, (void)level, (void)function_name, (void)text, (void)text_size_bytes;
}

/* A group whose workers behave as told. */
static snapcell_workers *workers_for(const char *behaviour, uint32_t start_limit_ms, bool logs)
{
    char path[256];
    char text[1000];
    snprintf(path, sizeof(path), "%s/fake-worker", store);
    snprintf(text, sizeof(text), "#!%s %s\n", FAKE_CELL_WORKER, behaviour);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.worker_path = path;
    options.start_limit_ms = start_limit_ms;
    options.grace_ms = 100;
    if (logs) options.log = drop_log;
    return workers_open(&options);
}

static const struct load_failure {
    const char *behaviour;
    uint32_t start_limit_ms;
    int code;
    const char *message;
} load_failures[] = {
    {"garbage-hello", 0, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"old-hello", 0, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"other-engine", 0, SNAPCELL_E_INTERNAL, "has another engine"},
    {"exit", 0, SNAPCELL_E_WORKER_DIED, "the worker process ended: status 7"},
    {"silent", 100, SNAPCELL_E_WALL_LIMIT, "was not ready within 100 ms"},
    {"bad-ready", 0, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"other-policy", 0, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"error-that-is-none", 0, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"early-log", 0, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
};

START_TEST(test_loads_that_fail)
{
    const struct load_failure *one = &load_failures[_i];
    int files = workers_count_open_files();
    snapcell_workers *workers = workers_for(one->behaviour, one->start_limit_ms, false);
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    int status = snapcell_worker_load(workers, "web", NULL, &worker, &err);
    ck_assert_msg(status == one->code, "%s: %s: %s", one->behaviour, snapcell_error_name(status),
                  err.message);
    ck_assert_msg(strstr(err.message, one->message) != NULL, "%s", err.message);
    ck_assert_ptr_null(worker);
    workers_expect_no_children();
    snapcell_workers_close(workers);
    ck_assert_int_eq(workers_count_open_files(), files);
}
END_TEST

static const struct call_failure {
    const char *behaviour;
    bool logs;
    int code;
    const char *message;
} call_failures[] = {
    {"garbage", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"wrong-type", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"unknown-type", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"huge", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"bad-status", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"bad-header", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"bad-log", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"babble", false, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"bad-error", true, SNAPCELL_E_WORKER_DIED, "no answer to a call"},
    {"half", true, SNAPCELL_E_WORKER_DIED, "the worker process ended: status 0"},
    {"mute", true, SNAPCELL_E_WALL_LIMIT, "its limit of 20 ms; the next call"},
    {"babble", true, SNAPCELL_E_WALL_LIMIT, "its limit of 20 ms"},
    {"drip", true, SNAPCELL_E_WALL_LIMIT, "its limit of 20 ms"},
    {"deaf", true, SNAPCELL_E_WALL_LIMIT, "its limit of 20 ms"},
};

START_TEST(test_calls_that_fail)
{
    const struct call_failure *one = &call_failures[_i];
    snapcell_cell_options limits = SNAPCELL_CELL_OPTIONS_INIT;
    limits.wall_limit_ms = one->code == SNAPCELL_E_WALL_LIMIT ? 20 : 60000;
    snapcell_workers *workers = workers_for(one->behaviour, 0, one->logs);
    snapcell_worker *worker = workers_load(workers, "web", &limits);
    int files = workers_count_open_files();
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.body_size_bytes = (size_t)8 << 20; /* more than a socket takes */
    request.body = calloc(1, request.body_size_bytes);
    ck_assert_ptr_nonnull(request.body);
    for (int i = 0; i < 3; i++) {
        snapcell_response *response = (void *)1;
        snapcell_error err = {0};
        int status = snapcell_worker_fetch(worker, &request, &response, &err);
        ck_assert_msg(status == one->code, "%s: %s: %s", one->behaviour,
                      snapcell_error_name(status), err.message);
        ck_assert_msg(strstr(err.message, one->message) != NULL, "%s", err.message);
        ck_assert_ptr_null(response);
        ck_assert_int_eq(snapcell_worker_process_id(worker), 0);
        workers_expect_no_children();
        ck_assert_int_eq(workers_count_open_files(), files - 3);
    }
    free((void *)request.body);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_result_that_is_none)
{
    snapcell_workers *workers = workers_for("bad-result", 0, false);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    snapcell_error err = {0};
    char *text = (void *)1;
    ck_assert_int_eq(snapcell_worker_invoke(worker, NULL, &text, NULL, &err),
                     SNAPCELL_E_WORKER_DIED);
    ck_assert_ptr_null(text);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* What it says without being asked is not taken for the next call's answer. */
START_TEST(test_a_second_answer_is_not_used)
{
    snapcell_workers *workers = workers_for("double", 0, false);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    int pid = snapcell_worker_process_id(worker);
    workers_expect(worker, "/", "fake");
    usleep(100000); /* the second is on its way, or here */
    workers_expect(worker, "/", "fake");
    ck_assert_int_ne(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

int main(void)
{
    store = fixture_new_store();
    workers_set_store(store);
    TCase *tests = tcase_create("worker_hostile");
    tcase_add_loop_test(tests, test_loads_that_fail, 0,
                        sizeof(load_failures) / sizeof(*load_failures));
    tcase_add_loop_test(tests, test_calls_that_fail, 0,
                        sizeof(call_failures) / sizeof(*call_failures));
    tcase_add_test(tests, test_a_result_that_is_none);
    tcase_add_test(tests, test_a_second_answer_is_not_used);
    Suite *suite = suite_create("worker_hostile");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
