/* The compiler's side of a conversation with a worker that misbehaves. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler_fixture.h"

/* Options with a worker that behaves as told. */
static snapcell_compile_options options_for(const char *behaviour)
{
    char script[1000];
    snprintf(script, sizeof(script), "#!%s %s\n", FAKE_WORKER, behaviour);
    const char *path = fixture_write_text("worker", script);
    ck_assert_int_eq(chmod(path, 0700), 0);
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.worker_path = path;
    options.wall_limit_ms = 60000;
    return options;
}

static const char *sample(void)
{
    return fixture_write_text("fn.js", "export default {}");
}

/* No child is left behind, not even a dead one. */
static void expect_no_children(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static int count_open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static const struct failure {
    const char *behaviour;
    uint32_t wall_limit_ms; /* 0: long */
    bool strict;
    int code;
    const char *message;
} failures[] = {
    {"abort", 0, true, SNAPCELL_E_UNSNAPSHOTABLE, "Unknown external reference (address)"},
    {"abort", 0, false, SNAPCELL_E_INTERNAL, "the worker crashed: Unknown external reference"},
    {"segv", 0, true, SNAPCELL_E_UNSNAPSHOTABLE, "Segmentation fault"},
    {"out-of-memory", 0, false, SNAPCELL_E_MEMORY_LIMIT, "more than 512 MiB"},
    {"forbidden", 0, false, SNAPCELL_E_SANDBOX, "fn.js: the worker was ended for a system call"},
    {"killed", 0, false, SNAPCELL_E_MEMORY_LIMIT, "killed from outside"},
    {"terminated", 0, false, SNAPCELL_E_INTERNAL, "Terminated"},
    {"exit", 0, false, SNAPCELL_E_INTERNAL, "status 7 before it was done: error while loading"},
    {"hang", 300, false, SNAPCELL_E_WALL_LIMIT, "did not finish in 300 ms"},
    {"silent", 300, false, SNAPCELL_E_WALL_LIMIT, "did not begin within 300 ms"},
    {"chatter", 300, false, SNAPCELL_E_WALL_LIMIT, "did not finish in 300 ms"},
    {"closed", 0, true, SNAPCELL_E_UNSNAPSHOTABLE, "no reason is known"},
    {"garbage", 0, false, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"other-version", 0, false, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"other-engine", 0, false, SNAPCELL_E_INTERNAL, "this library has engine"},
    {"huge-header", 0, false, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"empty-promise", 0, false, SNAPCELL_E_INTERNAL, "status 0 before it was done"},
    {"bad-result", 0, false, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"bad-call", 0, false, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"echo-job", 0, false, SNAPCELL_E_INTERNAL, "does not speak as a worker"},
    {"memory-error", 0, false, SNAPCELL_E_MEMORY_LIMIT, "more than 512 MiB"},
    {"no-handler", 0, false, SNAPCELL_E_NO_HANDLER, "fn.js: nothing exported"},
};

START_TEST(test_failure_is_an_error_that_names_the_bundle)
{
    const struct failure *failure = &failures[_i];
    snapcell_compile_options options = options_for(failure->behaviour);
    if (failure->wall_limit_ms != 0) options.wall_limit_ms = failure->wall_limit_ms;
    options.strict = failure->strict;
    const char *path = sample();
    int file_count = count_open_files();
    snapcell_error error;
    fixture_compile_fails(path, &options, failure->code, failure->message, &error);
    ck_assert_msg(strstr(error.message, path) != NULL, "no '%s' in '%s'", path, error.message);
    expect_no_children();
    ck_assert_int_eq(count_open_files(), file_count);
}
END_TEST

START_TEST(test_worker_that_does_not_read_is_not_waited_for)
{
    size_t size = 8 << 20; /* more than a socket holds */
    char *text = malloc(size);
    memset(text, ' ', size);
    const char *path = fixture_write("fn.js", text, size);
    snapcell_compile_options options = options_for("deaf");
    options.wall_limit_ms = 300;
    snapcell_error error;
    fixture_compile_fails(path, &options, SNAPCELL_E_WALL_LIMIT, NULL, &error);
    expect_no_children();
    free(text);
}
END_TEST

START_TEST(test_crash_while_making_a_snapshot_gives_a_code_artifact)
{
    snapcell_compile_options options = options_for("abort-snapshot");
    snapcell_compiled *compiled = fixture_compile(sample(), &options);
    ck_assert_int_eq(snapcell_compiled_info(compiled)->kind, SNAPCELL_ARTIFACT_CODE);
    ck_assert_uint_eq(snapcell_compiled_warning_count(compiled), 1);
    /* Not a word of the path and of addresses: warnings are part of the artifact. */
    static const char warning[] = "compiled to a code artifact, not a snapshot: V8 gave up: "
                                  "Check failed: (address) is not an object";
    ck_assert_str_eq(snapcell_compiled_warning(compiled, 0), warning);
    ck_assert_ptr_nonnull(strstr(fixture_manifest(compiled), warning));
    ck_assert_ptr_null(snapcell_compiled_warning(compiled, 1));
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_script_error_has_the_path_that_the_user_gave)
{
    snapcell_compile_options options = options_for("script-error");
    const char *path = sample();
    snapcell_error error;
    fixture_compile_fails(path, &options, SNAPCELL_E_SCRIPT, NULL, &error);
    ck_assert_str_eq(error.message, "Error: as told");
    ck_assert_str_eq(error.file, path);
    ck_assert_uint_eq(error.line, 4);
    ck_assert_uint_eq(error.column, 2);

    options = options_for("mapped-error");
    fixture_compile_fails(path, &options, SNAPCELL_E_SCRIPT, NULL, &error);
    ck_assert_str_eq(error.file, "src/origin.ts");
}
END_TEST

START_TEST(test_noise_on_stderr_is_no_failure)
{
    snapcell_compile_options options = options_for("flood");
    snapcell_compiled_free(fixture_compile(sample(), &options));
}
END_TEST

static int host_join(void *user, snapcell_host_call *call)
{
    snapcell_value one = snapcell_host_argument(call, 0);
    snapcell_value two = snapcell_host_argument(call, 1);
    ck_assert_uint_eq(snapcell_host_argument_count(call), 2);
    if (user == NULL) return snapcell_host_throw(call, "not today");
    char text[100];
    int size = snprintf(text, sizeof(text), "%g and %s", one.number, two.data);
    snapcell_value value = {
        .type = SNAPCELL_VALUE_STRING, .data = text, .size_bytes = (size_t)size};
    return snapcell_host_return(call, &value, NULL);
}

static void expect_call(void *user, const char *warning)
{
    snapcell_compile_options options = options_for("call");
    snapcell_host *host = NULL;
    ck_assert_int_eq(snapcell_host_new(&host, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_host_add(host, "join", host_join, user, NULL), SNAPCELL_OK);
    options.host = host;
    snapcell_compiled *compiled = fixture_compile(sample(), &options);
    ck_assert_str_eq(snapcell_compiled_warning(compiled, 0), warning);
    snapcell_compiled_free(compiled);
    snapcell_host_free(host);
}

START_TEST(test_host_functions_run_here)
{
    int here;
    expect_call(&here, "gave 1 and two");
    expect_call(NULL, "threw not today");
}
END_TEST

/* Whatever the embedder has open, blocked or ignored, and even without standard streams. */
START_TEST(test_worker_inherits_nothing)
{
    static const char expected[] = "4 files, 1 variables, TZ UTC, blocked 0, pipe default";
    snapcell_compile_options options = options_for("inspect");
    int leaked[20];
    for (int i = 0; i < 20; i++)
        leaked[i] = dup(STDOUT_FILENO);
    ck_assert_int_ge(leaked[19], 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    snapcell_compiled *compiled = fixture_compile(sample(), &options);
    ck_assert_str_eq(snapcell_compiled_warning(compiled, 0), expected);
    snapcell_compiled_free(compiled);

    const char *path = sample();
    int saved[3];
    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD, 100);
        close(fd);
    }
    compiled = NULL;
    int status = snapcell_compile_file(path, &options, &compiled, NULL);
    for (int fd = 0; fd < 3; fd++)
        dup2(saved[fd], fd);
    ck_assert_int_eq(status, SNAPCELL_OK);
    ck_assert_str_eq(snapcell_compiled_warning(compiled, 0), expected);
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_workers_that_cannot_be_started)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    const char *path = sample();
    snapcell_error error;
    options.worker_path = fixture_path("nowhere");
    fixture_compile_fails(path, &options, SNAPCELL_E_INTERNAL, "nowhere", &error);
    options.worker_path = fixture_path("");
    fixture_compile_fails(path, &options, SNAPCELL_E_INTERNAL, "not an executable program", &error);
    options.worker_path = fixture_write_text("plain", "x"); /* not executable */
    fixture_compile_fails(path, &options, SNAPCELL_E_INTERNAL, "plain", &error);
    options.worker_path = fixture_write_text("script", "#!/nowhere/interpreter\n");
    ck_assert_int_eq(chmod(options.worker_path, 0700), 0);
    fixture_compile_fails(path, &options, SNAPCELL_E_INTERNAL, "cannot start", &error);
    options.worker_path = NULL;
    setenv("SNAPCELL_WORKER", fixture_path("nowhere"), 1);
    fixture_compile_fails(path, &options, SNAPCELL_E_INTERNAL, "$SNAPCELL_WORKER", &error);
    expect_no_children();
}
END_TEST

START_TEST(test_worker_is_found_on_path)
{
    snapcell_compile_options options = options_for("result");
    ck_assert_int_eq(rename(options.worker_path, fixture_path("snapcell")), 0);
    char path[1000];
    const char *folder = fixture_path("");
    snprintf(path, sizeof(path), "relative::/nowhere:%.*s", (int)strlen(folder) - 1, folder);
    unsetenv("SNAPCELL_WORKER");
    setenv("PATH", path, 1);
    options.worker_path = NULL;
    snapcell_compiled *compiled = fixture_compile(sample(), &options);
    ck_assert_ptr_nonnull(strstr(fixture_manifest(compiled), "\"apis\":[\"fake\"]"));
    snapcell_compiled_free(compiled);
    setenv("PATH", "/nowhere", 1);
    snapcell_error error;
    fixture_compile_fails(sample(), &options, SNAPCELL_E_INTERNAL, "$SNAPCELL_WORKER", &error);
}
END_TEST

/* An embedder may have all its children waited for by itself or by the kernel. */
START_TEST(test_children_that_are_reaped_elsewhere)
{
    signal(SIGCHLD, SIG_IGN);
    snapcell_compile_options options = options_for("result");
    snapcell_compiled_free(fixture_compile(sample(), &options));
    options = options_for("exit");
    snapcell_error error;
    fixture_compile_fails(sample(), &options, SNAPCELL_E_INTERNAL, NULL, &error);
}
END_TEST

typedef struct thread_work {
    const char *path;
    snapcell_compile_options options;
    int code;
    pthread_t thread;
} thread_work;

static void *thread_compile(void *user)
{
    thread_work *work = user;
    for (int i = 0; i < 10 && work->code == SNAPCELL_OK; i++) {
        snapcell_compiled *compiled = NULL;
        work->code = snapcell_compile_file(work->path, &work->options, &compiled, NULL);
        snapcell_compiled_free(compiled);
    }
    return NULL;
}

START_TEST(test_threads_compile_at_once)
{
    thread_work works[4] = {0};
    snapcell_compile_options options = options_for("abort-snapshot");
    const char *path = sample();
    for (int i = 0; i < 4; i++) {
        works[i].path = path;
        works[i].options = options;
        ck_assert_int_eq(pthread_create(&works[i].thread, NULL, thread_compile, &works[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(works[i].thread, NULL);
        ck_assert_int_eq(works[i].code, SNAPCELL_OK);
    }
    expect_no_children();
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_failure_is_an_error_that_names_the_bundle,
         (int)(sizeof(failures) / sizeof(*failures))},
        {test_worker_that_does_not_read_is_not_waited_for, 0},
        {test_crash_while_making_a_snapshot_gives_a_code_artifact, 0},
        {test_script_error_has_the_path_that_the_user_gave, 0},
        {test_noise_on_stderr_is_no_failure, 0},
        {test_host_functions_run_here, 0},
        {test_worker_inherits_nothing, 0},
        {test_workers_that_cannot_be_started, 0},
        {test_worker_is_found_on_path, 0},
        {test_children_that_are_reaped_elsewhere, 0},
        {test_threads_compile_at_once, 0},
    };
    return FIXTURE_RUN("compile_run", tests);
}
