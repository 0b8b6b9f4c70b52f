/* Workers that were taken over, or are not workers at all: the host gets an error and goes on. */
#include <fcntl.h>
#include <poll.h>
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

/* --- On an event loop --- */

typedef struct outcome {
    size_t body_size;
    bool has_ended;
    bool is_done;
    int status;
} outcome;

static size_t take_nothing(void *user, const void *data, size_t size_bytes)
{
    (void)user, (void)data, (void)size_bytes;
    return 0;
}

static void take_end(void *user)
{
    ((outcome *)user)->has_ended = true;
}

static void take_done(void *user, int status, const snapcell_error *error)
{
    outcome *out = user;
    ck_assert(!out->is_done);
    ck_assert_ptr_nonnull(error);
    out->is_done = true;
    out->status = status;
}

static snapcell_worker_state step(snapcell_worker *worker, snapcell_error *err)
{
    struct pollfd polled = {.fd = snapcell_worker_fd(worker), .events = POLLIN};
    poll(&polled, 1, snapcell_worker_timeout_ms(worker));
    return snapcell_worker_advance(worker, err);
}

static const struct loop_failure {
    const char *behaviour;
    int code;
} loop_failures[] = {
    {"garbage", SNAPCELL_E_WORKER_DIED},
    {"wrong-type", SNAPCELL_E_WORKER_DIED},
    {"huge", SNAPCELL_E_WORKER_DIED},
    {"bad-header", SNAPCELL_E_WORKER_DIED},
    {"half", SNAPCELL_E_WORKER_DIED},
    {"flood", SNAPCELL_E_WORKER_DIED},
    {"two-heads", SNAPCELL_E_WORKER_DIED},
    {"data-after-end", SNAPCELL_E_WORKER_DIED},
    {"settled-early", SNAPCELL_E_WORKER_DIED},
    {"other-call", SNAPCELL_E_WORKER_DIED},
    {"pull-too-much", SNAPCELL_E_WORKER_DIED},
    {"unasked-net", SNAPCELL_E_WORKER_DIED},
    {"unknown-host-function", SNAPCELL_E_WORKER_DIED},
    {"mute", SNAPCELL_E_WALL_LIMIT},
    {"deaf", SNAPCELL_E_WALL_LIMIT},
    {"drip", SNAPCELL_E_WALL_LIMIT},
    {"slow-piece", SNAPCELL_E_WALL_LIMIT},
    {"babble", SNAPCELL_E_WALL_LIMIT},
};

/* The call ends with an error, the worker has ended, and the host has nothing left of it. */
START_TEST(test_calls_on_a_loop_that_fail)
{
    const struct loop_failure *one = &loop_failures[_i];
    snapcell_workers *workers = workers_for(one->behaviour, 0, true);
    snapcell_worker_options options = SNAPCELL_WORKER_OPTIONS_INIT;
    snapcell_cell_options limits = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_worker_task task = SNAPCELL_WORKER_TASK_INIT;
    snapcell_worker_events events = SNAPCELL_WORKER_EVENTS_INIT;
    static const char piece[100000];
    outcome out = {0};
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    int files = workers_count_open_files();
    limits.wall_limit_ms = one->code == SNAPCELL_E_WALL_LIMIT ? 20 : 60000;
    options.cell = &limits;
    ck_assert_int_eq(snapcell_worker_start(workers, "web", &options, &worker, &err), SNAPCELL_OK);
    while (snapcell_worker_advance(worker, &err) == SNAPCELL_WORKER_STARTING)
        step(worker, &err);
    events.user = &out;
    events.body = take_nothing;
    events.end = take_end;
    events.done = take_done;
    task.streams_body = true;
    ck_assert_int_eq(snapcell_worker_call_start(worker, &task, &events, &err), SNAPCELL_OK);
    size_t sent = 0;
    for (int i = 0; i < 10; i++) /* what the worker does not read is not kept without end */
        sent += snapcell_worker_send_body(worker, piece, sizeof(piece));
    ck_assert_uint_eq(sent, SNAPCELL_WORKER_WINDOW_SIZE);
    while (!out.is_done)
        step(worker, &err);
    ck_assert_msg(out.status == one->code, "%s: %s", one->behaviour,
                  snapcell_error_name(out.status));
    ck_assert_int_eq(out.has_ended, strcmp(one->behaviour, "data-after-end") == 0);
    ck_assert_int_eq(snapcell_worker_advance(worker, &err), SNAPCELL_WORKER_ENDED);
    ck_assert_int_eq(err.code, one->code);
    snapcell_worker_free(worker);
    ck_assert_int_eq(workers_count_open_files(), files);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

START_TEST(test_an_idle_worker_speaks)
{
    snapcell_workers *workers = workers_for("speak-idle", 0, false);
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_worker_start(workers, "web", NULL, &worker, &err), SNAPCELL_OK);
    while (snapcell_worker_advance(worker, &err) != SNAPCELL_WORKER_ENDED)
        step(worker, &err);
    ck_assert_int_eq(err.code, SNAPCELL_E_WORKER_DIED);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

START_TEST(test_a_start_on_a_loop_is_over_in_time)
{
    snapcell_workers *workers = workers_for("silent", 50, false);
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_worker_start(workers, "web", NULL, &worker, &err), SNAPCELL_OK);
    while (snapcell_worker_advance(worker, &err) != SNAPCELL_WORKER_ENDED)
        step(worker, &err);
    ck_assert_int_eq(err.code, SNAPCELL_E_WALL_LIMIT);
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
    tcase_add_loop_test(tests, test_calls_on_a_loop_that_fail, 0,
                        sizeof(loop_failures) / sizeof(*loop_failures));
    tcase_add_test(tests, test_an_idle_worker_speaks);
    tcase_add_test(tests, test_a_start_on_a_loop_is_over_in_time);
    Suite *suite = suite_create("worker_hostile");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
