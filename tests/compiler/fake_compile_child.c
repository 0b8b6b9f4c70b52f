/* A worker that behaves as its first argument says. It is started through a script whose first line
 * names it and the argument, since a worker's own arguments are always the same. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile_protocol.h"
#include "error_set.h"
#include "socket_io.h"

#define SOCKET_FD 3

extern char **environ;

static compile_job job;

static void die(const char *what)
{
    fprintf(stderr, "fake worker: %s\n", what);
    _exit(99);
}

static void send_all(const void *data, size_t size)
{
    if (!socket_write_all(SOCKET_FD, data, size)) _exit(98);
}

static void receive_all(void *data, size_t size)
{
    if (!socket_read_all(SOCKET_FD, data, size)) _exit(97);
}

static void send_header(compile_message_type type, size_t size)
{
    uint8_t header[WIRE_HEADER_SIZE];
    wire_header_write(&(wire_header){type, size}, header);
    send_all(header, sizeof(header));
}

static void send_message(compile_message_type type, wire_writer *writer)
{
    send_header(type, writer->size_bytes);
    send_all(writer->data, writer->size_bytes);
    wire_writer_release(writer);
}

static void *receive_message(wire_header *header)
{
    uint8_t data[WIRE_HEADER_SIZE];
    receive_all(data, sizeof(data));
    if (!wire_header_read(data, compile_body_size_max, header)) die("no header");
    void *body = malloc(header->body_size_bytes);
    if (body == NULL) die("no memory");
    receive_all(body, header->body_size_bytes);
    return body;
}

static void send_hello(uint32_t version, uint8_t change)
{
    wire_hello hello = {version, engine_fingerprint()};
    hello.engine.bytes[0] ^= change;
    wire_writer writer = {0};
    compile_hello_write(&writer, &hello);
    send_message(COMPILE_MESSAGE_HELLO, &writer);
}

static void begin(void)
{
    send_hello(COMPILE_PROTOCOL_VERSION, 0);
    wire_header header;
    const void *body = receive_message(&header);
    if (!compile_job_read(body, header.body_size_bytes, &job)) die("no job");
}

static void send_result_with(const char *warning)
{
    const char *warnings[] = {warning};
    compile_result result = {.shape = SNAPCELL_SHAPE_FETCH,
                             .format = ENGINE_FORMAT_ESM,
                             .blob = "fake blob",
                             .blob_size_bytes = 9,
                             .warnings = warnings,
                             .warning_count = warning != NULL,
                             .apis = "fake"};
    wire_writer writer = {0};
    compile_result_write(&writer, &result);
    send_message(COMPILE_MESSAGE_RESULT, &writer);
}

static void send_script_error(const char *file)
{
    snapcell_error error;
    error_set(&error, SNAPCELL_E_SCRIPT, "Error: as told");
    snprintf(error.file, sizeof(error.file), "%s", file);
    error.line = 4;
    error.column = 2;
    wire_writer writer = {0};
    wire_error_write(&writer, &error);
    send_message(COMPILE_MESSAGE_ERROR, &writer);
}

static void send_error(int code, const char *message)
{
    snapcell_error error;
    error_set(&error, code, "%s", message);
    wire_writer writer = {0};
    wire_error_write(&writer, &error);
    send_message(COMPILE_MESSAGE_ERROR, &writer);
}

static void speak_last_words(const char *words)
{
    if (write(STDERR_FILENO, words, strlen(words)) < 0) _exit(96);
}

/* --- Behaviours --- */

static void do_abort(void)
{
    begin();
    speak_last_words("\n\n#\n# Fatal error in ../src/snapshot/serializer.cc, line 7\n"
                     "# Unknown external reference 0x7f0011223344.\n#\n#\n");
    abort();
}

static void do_abort_snapshot(void)
{
    begin();
    if (job.kind == SNAPCELL_ARTIFACT_CODE) {
        send_result_with(NULL);
        return;
    }
    speak_last_words("# Fatal error in , line 0\n# Check failed: 0x1234 is not an object.\n");
    abort();
}

static void do_segv(void)
{
    begin();
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void do_out_of_memory(void)
{
    begin();
    speak_last_words("#\n# Fatal JavaScript out of memory: Reached heap limit\n#\n");
    abort();
}

static void do_killed(void)
{
    begin();
    raise(SIGKILL);
}

static void do_forbidden(void)
{
    begin();
    raise(SIGSYS);
}

static void do_terminated(void)
{
    begin();
    raise(SIGTERM);
}

static void do_exit(void)
{
    speak_last_words("error while loading shared libraries\n");
    _exit(7);
}

static void do_hang(void)
{
    begin();
    for (;;)
        pause();
}

static void do_silent(void)
{
    for (;;)
        pause();
}

static void do_deaf(void)
{
    send_hello(COMPILE_PROTOCOL_VERSION, 0);
    do_silent();
}

static void do_chatter(void)
{
    begin();
    for (;;) {
        wire_writer writer = {0};
        wire_log_write(&writer, &(wire_log){SNAPCELL_LOG_INFO, "again", 5});
        send_message(COMPILE_MESSAGE_LOG, &writer);
    }
}

static void do_flood(void)
{
    begin();
    static char noise[1 << 20];
    memset(noise, 'n', sizeof(noise));
    for (int i = 0; i < 20; i++)
        if (write(STDERR_FILENO, noise, sizeof(noise)) < 0) _exit(96);
    send_result_with(NULL);
}

static void do_closed(void)
{
    begin();
    close(SOCKET_FD);
    close(STDERR_FILENO);
    do_silent();
}

static void do_garbage(void)
{
    send_all("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    do_silent();
}

static void do_other_version(void)
{
    send_hello(COMPILE_PROTOCOL_VERSION + 1, 0);
    do_silent();
}

static void do_other_engine(void)
{
    send_hello(COMPILE_PROTOCOL_VERSION, 0xff);
    do_silent();
}

static void do_huge_header(void)
{
    begin();
    send_header(COMPILE_MESSAGE_RESULT, SIZE_MAX);
    do_silent();
}

/* As large as allowed, and nothing after it. */
static void do_empty_promise(void)
{
    begin();
    send_header(COMPILE_MESSAGE_RESULT, compile_body_size_max(COMPILE_MESSAGE_RESULT));
}

static void do_bad_result(void)
{
    begin();
    send_header(COMPILE_MESSAGE_RESULT, 64);
    static const char zeros[64];
    send_all(zeros, sizeof(zeros));
    do_silent();
}

static void do_bad_call(void)
{
    begin();
    wire_writer writer = {0};
    wire_host_call_write(&writer, &(wire_host_call){job.host_name_count, NULL, 0});
    send_message(COMPILE_MESSAGE_HOST_CALL, &writer);
    do_silent();
}

static void do_echo_job(void)
{
    begin();
    wire_writer writer = {0};
    compile_job_write(&writer, &job);
    send_message(COMPILE_MESSAGE_JOB, &writer);
    do_silent();
}

/* Calls host function 0 with (1, "two"); what it gives, or throws, becomes the warning. */
static void do_call(void)
{
    begin();
    snapcell_value arguments[] = {
        {.type = SNAPCELL_VALUE_NUMBER, .number = 1},
        {.type = SNAPCELL_VALUE_STRING, .data = "two", .size_bytes = 3},
    };
    wire_writer writer = {0};
    wire_host_call_write(&writer, &(wire_host_call){0, arguments, 2});
    send_message(COMPILE_MESSAGE_HOST_CALL, &writer);
    wire_header header;
    const void *body = receive_message(&header);
    snapcell_value value;
    char text[200] = "?";
    if (header.type == COMPILE_MESSAGE_HOST_THROW)
        snprintf(text, sizeof(text), "threw %s", wire_throw_read(body, header.body_size_bytes));
    else if (wire_value_read(body, header.body_size_bytes, &value))
        snprintf(text, sizeof(text), "gave %s", value.data);
    send_result_with(text);
}

static void do_script_error(void)
{
    begin();
    send_script_error(job.file_name);
}

static void do_mapped_error(void)
{
    begin();
    send_script_error("src/origin.ts");
}

static void do_memory_error(void)
{
    begin();
    send_error(SNAPCELL_E_MEMORY_LIMIT, "heap");
}

static void do_no_handler(void)
{
    begin();
    send_error(SNAPCELL_E_NO_HANDLER, "nothing exported");
}

static void do_result(void)
{
    begin();
    send_result_with(NULL);
}

/* Tells what it was born with: descriptors, environment, blocked signals. */
static void do_inspect(void)
{
    begin();
    int fd_count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) die("no /proc");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        fd_count += entry->d_name[0] != '.';
    closedir(folder);
    int variable_count = 0;
    while (environ[variable_count] != NULL)
        variable_count++;
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    char text[200];
    snprintf(text, sizeof(text), "%d files, %d variables, TZ %s, blocked %d, pipe %s", fd_count - 1,
             variable_count, getenv("TZ"), sigismember(&blocked, SIGUSR1),
             signal(SIGPIPE, SIG_IGN) == SIG_DFL ? "default" : "changed");
    send_result_with(text);
}

static const struct behaviour {
    const char *name;
    void (*run)(void);
} behaviours[] = {
    {"abort", do_abort},
    {"abort-snapshot", do_abort_snapshot},
    {"segv", do_segv},
    {"forbidden", do_forbidden},
    {"out-of-memory", do_out_of_memory},
    {"killed", do_killed},
    {"terminated", do_terminated},
    {"exit", do_exit},
    {"hang", do_hang},
    {"silent", do_silent},
    {"deaf", do_deaf},
    {"chatter", do_chatter},
    {"flood", do_flood},
    {"closed", do_closed},
    {"garbage", do_garbage},
    {"other-version", do_other_version},
    {"other-engine", do_other_engine},
    {"huge-header", do_huge_header},
    {"empty-promise", do_empty_promise},
    {"bad-result", do_bad_result},
    {"bad-call", do_bad_call},
    {"echo-job", do_echo_job},
    {"call", do_call},
    {"script-error", do_script_error},
    {"mapped-error", do_mapped_error},
    {"memory-error", do_memory_error},
    {"no-handler", do_no_handler},
    {"inspect", do_inspect},
    {"result", do_result},
};

int main(int argc, char **argv)
{
    /* fake_compile_child BEHAVIOUR SCRIPT compile-child 3 */
    if (argc != 5 || strcmp(argv[3], "compile-child") != 0 || strcmp(argv[4], "3") != 0)
        die("started in another way than expected");
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(*behaviours); i++) {
        if (strcmp(behaviours[i].name, argv[1]) != 0) continue;
        behaviours[i].run();
        return 0;
    }
    die("no such behaviour");
}
