/* Workers that do well, and what is refused without harm. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patience.h"
#include "workers_fixture.h"

#define MIB ((uint64_t)1 << 20)

START_TEST(test_fetches)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    ck_assert_int_eq(snapcell_worker_shape(worker), SNAPCELL_SHAPE_FETCH);
    ck_assert_int_gt(snapcell_worker_process_id(worker), 0);
    workers_expect(worker, "/", "fine");
    workers_expect(worker, NULL, "fine");
    workers_expect(worker, "/net", "TypeError");
    snapcell_response *response = NULL;
    ck_assert_int_eq(snapcell_worker_fetch(worker, NULL, &response, NULL), SNAPCELL_OK);
    ck_assert_str_eq(snapcell_response_body(response, NULL), "fine");
    snapcell_response_free(response);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

static const char *header_of(const snapcell_response *response, const char *name)
{
    for (size_t i = 0; i < snapcell_response_header_count(response); i++) {
        snapcell_header header = snapcell_response_header(response, i);
        if (strcmp(header.name, name) == 0) return header.value;
    }
    return "";
}

START_TEST(test_bodies_and_headers_come_through)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    size_t size = 5 * MIB + 3;
    char *body = malloc(size);
    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)(i * 31 + i / 256);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.method = "PUT";
    request.url = "https://example.org/echo?x=1";
    request.headers = &(snapcell_header){"X-Given", "a\xe9z"};
    request.header_count = 1;
    request.body = body;
    request.body_size_bytes = size;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_worker_fetch(worker, &request, &response, &err), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_response_status(response), 201);
    ck_assert_str_eq(header_of(response, "x-method"), "PUT");
    ck_assert_str_eq(header_of(response, "x-given"), "a\xe9z");
    size_t got_size = 0;
    const void *got = snapcell_response_body(response, &got_size);
    ck_assert_uint_eq(got_size, size);
    ck_assert_int_eq(memcmp(got, body, size), 0);
    snapcell_response_free(response);
    free(body);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

static void expect_json(snapcell_worker *worker, const char *handler, const char *event,
                        const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    snapcell_error err = {0};
    int status = handler == NULL ? snapcell_worker_invoke(worker, event, &text, &size, &err)
                                 : snapcell_worker_call(worker, handler, event, &text, &size, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(size, strlen(expected));
    free(text);
}

START_TEST(test_events)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env = &(snapcell_env){"NAME", "n \xc3\xa9"};
    options.env_count = 1;
    options.json_env = &(snapcell_env){"LIST", "[1, 2]"};
    options.json_env_count = 1;
    snapcell_worker *json = workers_load(workers, "json", NULL);
    snapcell_worker *web = workers_load(workers, "web", &options);
    ck_assert_int_eq(snapcell_worker_shape(json), SNAPCELL_SHAPE_JSON);
    expect_json(json, NULL, NULL, "{\"got\":\"none\"}");
    expect_json(json, NULL, "{\"a\":\"\xe2\x82\xac\"}", "{\"got\":\"\xe2\x82\xac\"}");
    expect_json(web, "ask", "{\"about\":1}", "{\"about\":1,\"name\":\"n \xc3\xa9\"}");
    workers_expect(web, "/env", "n \xc3\xa9 2");
    snapcell_worker_free(web);
    snapcell_worker_free(json);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_cells_are_fresh_or_kept)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_cell_options limits = SNAPCELL_CELL_OPTIONS_INIT;
    limits.cpu_limit_ms = patient_ms(100);
    for (int keep = 0; keep <= 1; keep++) {
        options.keep_cell = keep == 1;
        snapcell_workers *workers = workers_open(&options);
        snapcell_worker *worker = workers_load(workers, "web", &limits);
        int pid = snapcell_worker_process_id(worker);
        workers_expect(worker, "/count", "1");
        workers_expect(worker, "/count", keep ? "2" : "1");
        workers_expect_failure(worker, "/throw", SNAPCELL_E_SCRIPT, "no");
        workers_expect(worker, "/count", keep ? "3" : "1");
        workers_expect_failure(worker, "/loop", SNAPCELL_E_CPU_LIMIT, "CPU");
        workers_expect(worker, "/count", "1");
        ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
    }
}
END_TEST

typedef struct said {
    char text[256];
    size_t longest;
} said;

static void take_log(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    said *into = user;
    char line[64];
    if (text_size_bytes > into->longest) into->longest = text_size_bytes;
    if (text_size_bytes > 20) return;
    snprintf(line, sizeof(line), "%d %s %s;", level, function_name, text);
    strcat(into->text, line);
}

START_TEST(test_logs_come_back)
{
    said into = {0};
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.log = take_log;
    options.log_user = &into;
    snapcell_workers *workers = workers_open(&options);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    workers_expect(worker, "/log", "logged");
    ck_assert_str_eq(into.text, "1 web said \xc3\xa9;3 web wrong;");
    workers_expect(worker, "/long-log", "logged"); /* two MiB, cut to one */
    ck_assert_uint_gt(into.longest, MIB - 4);
    ck_assert_uint_le(into.longest, MIB);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers = workers_open(NULL);
    worker = workers_load(workers, "web", NULL);
    workers_expect(worker, "/log", "logged");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

static void expect_no_load(snapcell_workers *workers, const char *ref,
                           const snapcell_cell_options *options, int code, const char *message)
{
    snapcell_worker *worker = (void *)1;
    snapcell_error err = {0};
    int status = snapcell_worker_load(workers, ref, options, &worker, &err);
    ck_assert_msg(status == code, "%s: %s", snapcell_error_name(status), err.message);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
    ck_assert_ptr_null(worker);
    workers_expect_no_children();
}

START_TEST(test_loads_that_fail)
{
    int files = workers_count_open_files();
    snapcell_workers *workers = workers_open(NULL);
    expect_no_load(workers, "absent", NULL, SNAPCELL_E_NOT_FOUND, "absent");
    expect_no_load(workers, NULL, NULL, SNAPCELL_E_USAGE, "NULL");
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env_count = 1;
    expect_no_load(workers, "web", &options, SNAPCELL_E_USAGE, "env is NULL");
    options.env = &(snapcell_env){"NAME", NULL};
    expect_no_load(workers, "web", &options, SNAPCELL_E_USAGE, "value is NULL");
    options.env_count = 0;
    options.json_env = &(snapcell_env){"LIST", "[1,"};
    options.json_env_count = 1;
    expect_no_load(workers, "web", &options, SNAPCELL_E_USAGE, "LIST");
    options.struct_size = 0;
    expect_no_load(workers, "web", &options, SNAPCELL_E_USAGE, "struct_size");
    snapcell_workers_close(workers);
    ck_assert_int_eq(workers_count_open_files(), files);
}
END_TEST

START_TEST(test_groups_that_cannot_be)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_workers *workers = (void *)1;
    snapcell_error err = {0};
    options.store_path = "/nowhere/store";
    ck_assert_int_eq(snapcell_workers_open(&options, &workers, &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/store"));
    ck_assert_ptr_null(workers);
    options.store_path = "/";
    options.worker_path = "/nowhere/snapcell";
    ck_assert_int_eq(snapcell_workers_open(&options, &workers, &err), SNAPCELL_E_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/snapcell"));
    options.worker_path = NULL;
    ck_assert_int_eq(snapcell_workers_open(&options, &workers, &err), SNAPCELL_OK);
    expect_no_load(workers, "web", NULL, SNAPCELL_E_NOT_FOUND, "store");
    snapcell_workers_close(workers);
    options.struct_size = 0;
    ck_assert_int_eq(snapcell_workers_open(&options, &workers, &err), SNAPCELL_E_USAGE);
    snapcell_workers_close(NULL);
    snapcell_worker_free(NULL);
}
END_TEST

/* What is too large is not even read: this body cannot be. */
START_TEST(test_size_of_a_call_is_looked_at_before_it_is_copied)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    const size_t size = (size_t)1 << 30;
    void *body = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(body, MAP_FAILED);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = "/";
    request.method = "POST";
    request.body = body;
    request.body_size_bytes = size;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_worker_fetch(worker, &request, &response, &err),
                     SNAPCELL_E_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(err.message, "a call may have as many bytes"));
    ck_assert_ptr_null(response);
    munmap(body, size);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_structs_of_other_versions_are_taken)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    snapcell_request older;
    memset(&older, 0xff, sizeof(older));
    older.struct_size = offsetof(snapcell_request, headers);
    older.method = "GET";
    older.url = "/";
    snapcell_response *response = NULL;
    ck_assert_int_eq(snapcell_worker_fetch(worker, &older, &response, NULL), SNAPCELL_OK);
    snapcell_response_free(response);
    struct {
        snapcell_request known;
        const void *later;
    } newer = {.known = {.struct_size = sizeof(newer), .url = "/"}, .later = &newer};
    ck_assert_int_eq(snapcell_worker_fetch(worker, &newer.known, &response, NULL),
                     SNAPCELL_E_USAGE);
    ck_assert_ptr_null(response);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* The process is the parent's: a child neither talks to it nor ends it. */
START_TEST(test_forked_child_is_refused)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        snapcell_response *response = NULL;
        char *text = NULL;
        bool refused =
            snapcell_worker_fetch(worker, NULL, &response, NULL) == SNAPCELL_E_USAGE &&
            snapcell_worker_call(worker, "ask", NULL, &text, NULL, NULL) == SNAPCELL_E_USAGE &&
            snapcell_worker_invoke(worker, NULL, &text, NULL, NULL) == SNAPCELL_E_USAGE;
        snapcell_worker_free(worker);
        worker = NULL;
        bool loaded = snapcell_worker_load(workers, "web", NULL, &worker, NULL) == SNAPCELL_OK &&
                      snapcell_worker_fetch(worker, NULL, &response, NULL) == SNAPCELL_OK;
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
        _exit(refused && loaded ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    workers_expect(worker, "/", "fine");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

static int fetch_code(snapcell_worker *worker, const snapcell_request *request, snapcell_error *err)
{
    snapcell_response *response = NULL;
    int status = snapcell_worker_fetch(worker, request, &response, err);
    ck_assert_ptr_null(response);
    return status;
}

START_TEST(test_calls_that_are_refused)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = 32 * MIB;
    options.response_limit_bytes = MIB;
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", &options);
    int pid = snapcell_worker_process_id(worker);
    snapcell_error err = {0};
    char *text = NULL;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.headers = &(snapcell_header){"a b", "c"};
    request.header_count = 1;
    ck_assert_int_eq(fetch_code(worker, &request, &err), SNAPCELL_E_USAGE);
    request.headers = &(snapcell_header){NULL, NULL};
    ck_assert_int_eq(fetch_code(worker, &request, &err), SNAPCELL_E_USAGE);
    request = (snapcell_request)SNAPCELL_REQUEST_INIT;
    request.url = "/\xff";
    ck_assert_int_eq(fetch_code(worker, &request, &err), SNAPCELL_E_USAGE);
    request.url = "/";
    request.body_size_bytes = 64 * MIB;
    request.body = calloc(1, request.body_size_bytes);
    ck_assert_ptr_nonnull(request.body);
    ck_assert_int_eq(fetch_code(worker, &request, &err), SNAPCELL_E_TOO_LARGE);
    free((void *)request.body);
    ck_assert_int_eq(snapcell_worker_invoke(worker, "{}", &text, NULL, &err),
                     SNAPCELL_E_WRONG_SHAPE);
    ck_assert_int_eq(snapcell_worker_call(worker, "queue", "{}", &text, NULL, &err),
                     SNAPCELL_E_NO_HANDLER);
    ck_assert_ptr_nonnull(strstr(err.message, "ask"));
    ck_assert_int_eq(snapcell_worker_call(worker, NULL, "{}", &text, NULL, &err), SNAPCELL_E_USAGE);
    ck_assert_int_eq(snapcell_worker_call(worker, "ask", "{\xff", &text, NULL, &err),
                     SNAPCELL_E_USAGE);
    workers_expect_failure(worker, "/large", SNAPCELL_E_RESPONSE_LIMIT, "response");
    workers_expect_failure(worker, "/grow", SNAPCELL_E_MEMORY_LIMIT, "over its limit of 32 MiB");
    workers_expect(worker, "/", "fine");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_errors_tell_the_place)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_error err = {0};
    request.url = "/throw";
    ck_assert_int_eq(fetch_code(worker, &request, &err), SNAPCELL_E_SCRIPT);
    ck_assert_str_eq(err.file, "web.js");
    ck_assert_uint_gt(err.line, 1);
    ck_assert_ptr_nonnull(strstr(err.stack, "web.js"));
    ck_assert_int_eq(fetch_code(worker, &request, NULL), SNAPCELL_E_SCRIPT);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

static bool status_has(int pid, const char *line)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t count = read(fd, text, sizeof(text) - 1);
    ck_assert_int_gt(count, 0);
    text[count] = '\0';
    close(fd);
    return strstr(text, line) != NULL;
}

START_TEST(test_workers_are_sandboxed)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    for (int bare = 0; bare <= 1; bare++) {
        options.no_sandbox = bare == 1;
        snapcell_workers *workers = workers_open(&options);
        snapcell_worker *worker = workers_load(workers, "web", NULL);
        int pid = snapcell_worker_process_id(worker);
        ck_assert_int_eq(status_has(pid, "\nSeccomp:\t2\n"), !bare);
        workers_expect(worker, "/", "fine");
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
    }
}
END_TEST

static void put_signed(const char *name, const snapcell_signing_key *key)
{
    static const char source[] = "export default () => 'signed';";
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_compiled *compiled = NULL;
    options.name = name;
    ck_assert_int_eq(
        snapcell_compile_memory("s.js", source, strlen(source), NULL, 0, &options, &compiled, NULL),
        SNAPCELL_OK);
    size_t size = 0;
    const void *bytes = snapcell_compiled_artifact(compiled, &size);
    void *made = NULL;
    ck_assert_int_eq(snapcell_artifact_sign(bytes, size, key, name, "tenant", &made, &size, NULL),
                     SNAPCELL_OK);
    fixture_put(made, size, name);
    free(made);
    snapcell_compiled_free(compiled);
}

START_TEST(test_trust_holds_in_workers)
{
    char path[] = "/tmp/snapcell-key-XXXXXX";
    snapcell_signing_key *key = NULL;
    snapcell_trust *trust = NULL;
    close(mkstemp(path));
    unlink(path);
    ck_assert_int_eq(snapcell_signing_key_generate(path, NULL, NULL, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_signing_key_open(path, &key, NULL), SNAPCELL_OK);
    unlink(path);
    put_signed("signed", key);
    snapcell_trust_new(&trust, NULL);
    snapcell_trust_add_key(trust, snapcell_signing_key_public(key), "mine", NULL);
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_cell_options cell = SNAPCELL_CELL_OPTIONS_INIT;
    options.trust = trust;
    snapcell_workers *workers = workers_open(&options);
    expect_no_load(workers, "web", NULL, SNAPCELL_E_SIGNATURE, "not signed");
    expect_no_load(workers, "signed", NULL, SNAPCELL_E_SIGNATURE, "tenant");
    cell.tenant = "tenant";
    snapcell_trust_revoke(trust, snapcell_signing_key_public(key), NULL); /* after the copy */
    snapcell_worker *worker = workers_load(workers, "signed", &cell);
    expect_json(worker, NULL, NULL, "\"signed\"");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers = workers_open(&options);
    expect_no_load(workers, "signed", &cell, SNAPCELL_E_SIGNATURE, "mine, which is revoked");
    snapcell_workers_close(workers);
    snapcell_trust_free(trust);
    snapcell_signing_key_free(key);
}
END_TEST

static void *call_often(void *user)
{
    for (int i = 0; i < 50; i++)
        workers_expect(user, "/count", "1");
    return NULL;
}

START_TEST(test_threads_have_workers_each)
{
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *own[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        own[i] = workers_load(workers, "web", NULL);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, own[i]), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 2; i++)
        snapcell_worker_free(own[i]);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

static void *load_one(void *user)
{
    return workers_load(user, "web", NULL);
}

START_TEST(test_a_worker_outlives_the_thread_that_made_it)
{
    snapcell_workers *workers = workers_open(NULL);
    pthread_t thread;
    void *worker = NULL;
    ck_assert_int_eq(pthread_create(&thread, NULL, load_one, workers), 0);
    ck_assert_int_eq(pthread_join(thread, &worker), 0);
    int pid = snapcell_worker_process_id(worker);
    workers_expect(worker, "/", "fine");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_many_calls_leave_nothing_behind)
{
    int before = workers_count_open_files();
    snapcell_workers *workers = workers_open(NULL);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    int pid = snapcell_worker_process_id(worker);
    int during = workers_count_open_files();
    for (int i = 0; i < 1000; i++)
        workers_expect(worker, "/count", "1");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    ck_assert_int_eq(workers_count_open_files(), during);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    ck_assert_int_eq(workers_count_open_files(), before);
    workers_expect_no_children();
}
END_TEST

int main(void)
{
    workers_set_store(fixture_new_store());
    workers_fixture_compile();
    TCase *tests = tcase_create("worker");
    tcase_add_test(tests, test_fetches);
    tcase_add_test(tests, test_bodies_and_headers_come_through);
    tcase_add_test(tests, test_events);
    tcase_add_test(tests, test_cells_are_fresh_or_kept);
    tcase_add_test(tests, test_logs_come_back);
    tcase_add_test(tests, test_loads_that_fail);
    tcase_add_test(tests, test_groups_that_cannot_be);
    tcase_add_test(tests, test_size_of_a_call_is_looked_at_before_it_is_copied);
    tcase_add_test(tests, test_structs_of_other_versions_are_taken);
    tcase_add_test(tests, test_forked_child_is_refused);
    tcase_add_test(tests, test_calls_that_are_refused);
    tcase_add_test(tests, test_errors_tell_the_place);
    tcase_add_test(tests, test_workers_are_sandboxed);
    tcase_add_test(tests, test_trust_holds_in_workers);
    tcase_add_test(tests, test_threads_have_workers_each);
    tcase_add_test(tests, test_a_worker_outlives_the_thread_that_made_it);
    tcase_add_test(tests, test_many_calls_leave_nothing_behind);
    Suite *suite = suite_create("worker");
    int status = fixture_run(suite, tests);
    fixture_remove();
    return status;
}
