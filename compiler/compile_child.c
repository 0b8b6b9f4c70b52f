/* The child's side: one job, then the end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child_side.h"
#include "cleanup.h"
#include "compile_protocol.h"
#include "error_set.h"
#include "snapcell/compiler.h"
#include "snapcell/sandbox.h"

#define MIB (UINT64_C(1) << 20)
#define LOG_TEXT_SIZE_MAX MIB

/* Beyond the JavaScript heap and as much for ArrayBuffers: what the engine adds to the heap so that
 * a limit can be reported at all, V8's own memory while it serializes, and thread stacks. */
#define DATA_SLACK_BYTES (1024 * MIB)

/* --- Messages --- */

static bool child_send_fits(compile_message_type type, const wire_writer *body)
{
    return child_side_fits(type, body, compile_body_size_max);
}

static bool child_send(int fd, compile_message_type type, const wire_writer *body)
{
    return child_side_send(fd, type, body, compile_body_size_max);
}

/* `*body`: Owned, free(). */
static bool child_receive(int fd, wire_header *header, void **body)
{
    return child_side_receive(fd, header, body, compile_body_size_max);
}

static bool child_send_error(int fd, const snapcell_error *error)
{
    cleanup_writer wire_writer writer = {0};
    wire_error_write(&writer, error);
    return child_send(fd, COMPILE_MESSAGE_ERROR, &writer);
}

static bool child_send_hello(int fd)
{
    cleanup_writer wire_writer writer = {0};
    wire_hello hello = {COMPILE_PROTOCOL_VERSION, engine_fingerprint()};
    compile_hello_write(&writer, &hello);
    return child_send(fd, COMPILE_MESSAGE_HELLO, &writer);
}

/* --- Limits --- */

static void limit_set(int resource, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value) value = limit.rlim_max;
    limit = (struct rlimit){value, value};
    setrlimit(resource, &limit);
}

/* The child must not outlive the thread that waits for it; the socket tells who that is. */
static bool child_bind_to_parent(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.pid == getppid();
}

static void child_limit_before_job(void)
{
    limit_set(RLIMIT_CORE, 0);
}

/* The parent keeps the wall clock; the limit on CPU time is for when it cannot. A child without a
 * sandbox may run in an emulator, which writes files of its own: /proc/self/maps as the program is
 * to see it. */
static void child_limit_for_job(const compile_job *job)
{
    if (!job->no_sandbox) limit_set(RLIMIT_FSIZE, 0); /* there is nothing to write to a file */
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    rlim_t wall_s = job->wall_limit_ms / 1000 + 2;
    limit_set(RLIMIT_CPU, wall_s * (processors > 0 ? (rlim_t)processors : 1));
}

/* 0, no limit, when there are not so many bytes. */
static uint64_t child_data_limit(const compile_job *job)
{
    uint64_t data;
    if (__builtin_mul_overflow(job->memory_limit_bytes, 2, &data) ||
        __builtin_add_overflow(data, DATA_SLACK_BYTES, &data))
        return 0;
    return data;
}

/* The job is in memory, and all that is left to do goes through the socket. */
static int child_enter_sandbox(const compile_job *job, snapcell_error *err)
{
    if (job->no_sandbox) return SNAPCELL_OK;
    snapcell_sandbox_options options = SNAPCELL_SANDBOX_OPTIONS_INIT;
    options.data_limit_bytes = child_data_limit(job);
    return snapcell_sandbox_enter(&options, err);
}

/* --- Host functions: calls that the parent answers --- */

typedef struct child_stub {
    int fd;
    uint32_t index;
} child_stub;

static int stub_take_answer(const child_stub *stub, snapcell_host_call *call)
{
    wire_header header;
    cleanup_free void *body = NULL;
    if (!child_receive(stub->fd, &header, &body))
        return snapcell_host_throw(call, "the compiler is gone");
    snapcell_value value;
    if (header.type == COMPILE_MESSAGE_HOST_RETURN &&
        wire_value_read(body, header.body_size_bytes, &value)) {
        if (snapcell_host_return(call, &value, NULL) == SNAPCELL_OK) return 0;
        return snapcell_host_throw(call, "no memory for the host function's result");
    }
    const char *message = header.type == COMPILE_MESSAGE_HOST_THROW
                              ? wire_throw_read(body, header.body_size_bytes)
                              : NULL;
    return snapcell_host_throw(call, message != NULL ? message : "the compiler gave no answer");
}

static int stub_call(void *user, snapcell_host_call *call)
{
    const child_stub *stub = user;
    cleanup_writer wire_writer writer = {0};
    if (wire_host_call_forward(&writer, stub->index, call) != 0) return -1;
    if (!child_send_fits(COMPILE_MESSAGE_HOST_CALL, &writer))
        return snapcell_host_throw(call, "the arguments are too large to be handed to the host");
    if (!child_send(stub->fd, COMPILE_MESSAGE_HOST_CALL, &writer))
        return snapcell_host_throw(call, "the compiler is gone");
    return stub_take_answer(stub, call);
}

static int stubs_add(snapcell_host *host, const compile_job *job, child_stub *stubs, int fd,
                     snapcell_error *err)
{
    for (uint32_t i = 0; i < job->host_name_count; i++) {
        stubs[i] = (child_stub){fd, i};
        int status = snapcell_host_add(host, job->host_names[i], stub_call, &stubs[i], err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

/* --- The job --- */

static void child_log(void *user, snapcell_log_level level, const char *function_name,
                      const char *text, size_t text_size_bytes)
{
    (void)function_name;
    size_t size = text_size_bytes;
    if (size > LOG_TEXT_SIZE_MAX) {
        size = LOG_TEXT_SIZE_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    cleanup_writer wire_writer writer = {0};
    wire_log log = {level, text, size};
    wire_log_write(&writer, &log);
    child_send(*(const int *)user, COMPILE_MESSAGE_LOG, &writer);
}

static void child_note(void *user, const snapcell_note *note)
{
    cleanup_writer wire_writer writer = {0};
    compile_note_write(&writer, note);
    child_send(*(const int *)user, COMPILE_MESSAGE_NOTE, &writer);
}

/* What is too large to be told is dropped; the parent tells that there was none. */
static void child_heap(void *user, const char *text, size_t size_bytes)
{
    cleanup_writer wire_writer writer = {0};
    compile_heap_write(&writer, text, size_bytes);
    if (child_send_fits(COMPILE_MESSAGE_HEAP, &writer))
        child_send(*(const int *)user, COMPILE_MESSAGE_HEAP, &writer);
}

static const void *child_text(void *user)
{
    return ((const compile_job *)user)->text;
}

static const char *child_source_map(void *user, size_t *size_bytes)
{
    const compile_job *job = user;
    *size_bytes = job->source_map_size_bytes;
    return job->source_map;
}

static int child_build(compile_job *job, const snapcell_host *host, int fd,
                       engine_build_result *out, snapcell_error *err)
{
    size_t unit = job->encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    engine_bundle bundle = {
        .file_name = job->file_name,
        .source = {job->encoding, job->text_size_bytes / unit, child_text, job},
        .source_map = {job->source_map == NULL ? NULL : child_source_map, job},
        .host = job->host_name_count == 0 ? NULL : host,
    };
    engine_build_options options = {
        .kind = job->kind,
        .format = job->format,
        .warm = job->warm,
        .warm_count = job->warm_count,
        .memory_limit_bytes = job->memory_limit_bytes,
        .log = child_log,
        .log_user = &fd,
        .function_name = job->function_name,
        .entropy_allowed = job->entropy_allowed,
        .entropy_trial = job->entropy_trial,
        .shape = job->shape,
        .survey = job->survey,
        .note = child_note,
        .note_user = &fd,
        .heap = job->heap ? child_heap : NULL,
        .heap_user = &fd,
    };
    int status = engine_start(ENGINE_MODE_BUILD, err);
    return status == SNAPCELL_OK ? engine_build(&bundle, &options, out, err) : status;
}

static bool child_send_result(int fd, const engine_build_result *built)
{
    size_t warning_count = built->warning_count;
    if (warning_count > COMPILE_WARNING_COUNT_MAX) warning_count = COMPILE_WARNING_COUNT_MAX;
    compile_result result = {
        .shape = built->shape,
        .format = built->format,
        .blob = built->blob,
        .blob_size_bytes = built->blob_size_bytes,
        .warnings = (const char **)built->warnings,
        .warning_count = (uint32_t)warning_count,
        .apis = built->apis,
        .heap = built->heap,
    };
    cleanup_writer wire_writer writer = {0};
    compile_result_write(&writer, &result);
    if (child_send_fits(COMPILE_MESSAGE_RESULT, &writer))
        return child_send(fd, COMPILE_MESSAGE_RESULT, &writer);
    snapcell_error error;
    error_set(&error, SNAPCELL_E_TOO_LARGE, "the snapshot has %zu bytes, which is too large",
              built->blob_size_bytes);
    return child_send_error(fd, &error);
}

static bool child_do_job(compile_job *job, int fd)
{
    snapcell_error error = {0};
    snapcell_host *host = NULL;
    engine_build_result built = {0};
    cleanup_free child_stub *stubs = calloc(job->host_name_count + 1u, sizeof(*stubs));
    int status = stubs == NULL ? error_set(&error, SNAPCELL_E_NOMEM, "no memory for a worker")
                               : snapcell_host_new(&host, &error);
    if (status == SNAPCELL_OK) status = stubs_add(host, job, stubs, fd, &error);
    if (status == SNAPCELL_OK) status = child_enter_sandbox(job, &error);
    if (status == SNAPCELL_OK) status = child_build(job, host, fd, &built, &error);
    bool sent =
        status == SNAPCELL_OK ? child_send_result(fd, &built) : child_send_error(fd, &error);
    if (status == SNAPCELL_OK) engine_build_result_release(&built);
    snapcell_host_free(host);
    return sent;
}

int snapcell_compile_child(int socket_fd)
{
    child_limit_before_job();
    if (!child_bind_to_parent(socket_fd) || !child_send_hello(socket_fd)) return 1;
    wire_header header;
    cleanup_free void *body = NULL;
    if (!child_receive(socket_fd, &header, &body) || header.type != COMPILE_MESSAGE_JOB) return 1;
    compile_job job;
    if (!compile_job_read(body, header.body_size_bytes, &job)) return 1;
    child_limit_for_job(&job);
    bool sent = child_do_job(&job, socket_fd);
    compile_job_release(&job);
    return sent ? 0 : 1;
}
