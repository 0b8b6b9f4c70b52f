#include "compile_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child_process.h"
#include "child_words.h"
#include "cleanup.h"
#include "error_set.h"
#include "host_table.h"
#include "process_limits.h"

#define MIB (UINT64_C(1) << 20)

/* A conversation with a child. */
typedef struct compile_talk {
    const char *worker_path;
    const char *path;
    const compile_job *job;
    const snapcell_host *host;
    const compile_limits *limits;
    note_list *notes;
    child_process process;
    bool job_sent;
} compile_talk;

/* The time zone is the same everywhere, since a bundle could see it in dates and texts. */
static const child_kind compile_kind = {"compile-child", compile_body_size_max, false};
#define COMPILE_ZONE "TZ=UTC"

static void message_cleanup(child_message *message)
{
    free(message->body);
}
#define cleanup_message cleanup(message_cleanup)

void compile_product_release(compile_product *product)
{
    free(product->result.warnings);
    free(product->body);
    memset(product, 0, sizeof(*product));
}

/* --- What ends a conversation early --- */

static int talk_fail_memory(const compile_talk *talk, snapcell_error *err)
{
    char limit[LIMIT_TEXT_SIZE];
    if (limit_says_address_space(talk->limits->memory_limit_bytes, limit))
        return error_set(err, SNAPCELL_E_MEMORY_LIMIT, "%s: %s", talk->path, limit);
    return error_set(err, SNAPCELL_E_MEMORY_LIMIT,
                     "%s: top level or warm-up used more than %" PRIu64
                     " MiB; raise the compiler's memory limit, or move work into the handler",
                     talk->path, talk->limits->memory_limit_bytes / MIB);
}

static int talk_fail_time(const compile_talk *talk, snapcell_error *err)
{
    if (!talk->job_sent)
        return error_set(err, SNAPCELL_E_WALL_LIMIT,
                         "%s: the worker %s did not begin within %" PRIu32 " ms", talk->path,
                         talk->worker_path, talk->limits->wall_limit_ms);
    return error_set(err, SNAPCELL_E_WALL_LIMIT,
                     "%s: endless loop, or waiting for something: top level and warm-up did not "
                     "finish in %" PRIu32 " ms; raise the compiler's wall limit, or move work into "
                     "the handler",
                     talk->path, talk->limits->wall_limit_ms);
}

static int talk_fail_nonsense(const compile_talk *talk, snapcell_error *err)
{
    return error_set(err, SNAPCELL_E_INTERNAL,
                     "%s: the worker %s does not speak as a worker of this snapcell does; set "
                     "$SNAPCELL_WORKER to the `snapcell` program of this build",
                     talk->path, talk->worker_path);
}

static bool signal_is_crash(int signal)
{
    return signal == SIGABRT || signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
           signal == SIGTRAP || signal == SIGFPE;
}

static int talk_fail_crash(const compile_talk *talk, int signal, snapcell_error *err)
{
    char cause[CHILD_CAUSE_SIZE_MAX + 1];
    child_words_cause(talk->process.words, cause);
    if (cause[0] == '\0')
        snprintf(cause, sizeof(cause), "%s",
                 signal >= 0 ? sigdescr_np(signal) : "no reason is known");
    if (talk->job_sent && talk->job->kind == SNAPCELL_ARTIFACT_SNAPSHOT)
        return error_set(err, SNAPCELL_E_UNSNAPSHOTABLE, "V8 gave up: %s", cause);
    return error_set(err, SNAPCELL_E_INTERNAL, "%s: the worker crashed: %s", talk->path, cause);
}

/* The child has closed its end without a result. */
static int talk_fail_gone(compile_talk *talk, snapcell_error *err)
{
    child_end end = child_process_wait(&talk->process);
    const char *words = talk->process.words;
    char limit[LIMIT_TEXT_SIZE];
    if ((end.signal == SIGKILL || end.signal == SIGXCPU) && limit_says_cpu(end.cpu_ms, limit))
        return error_set(err, SNAPCELL_E_CPU_LIMIT, "%s: %s", talk->path, limit);
    if (child_ran_out_of_memory(end.signal, words)) return talk_fail_memory(talk, err);
    if (signal_is_crash(end.signal)) return talk_fail_crash(talk, end.signal, err);
    if (end.signal == SIGXCPU) return talk_fail_time(talk, err);
    if (end.signal == SIGSYS)
        return error_set(err, SNAPCELL_E_SANDBOX,
                         "%s: the worker was ended for a system call that the sandbox does not "
                         "allow",
                         talk->path);
    if (end.signal == SIGKILL)
        return error_set(err, SNAPCELL_E_MEMORY_LIMIT,
                         "%s: the worker was killed from outside, most likely because the machine "
                         "ran out of memory",
                         talk->path);
    if (end.signal >= 0)
        return error_set(err, SNAPCELL_E_INTERNAL, "%s: the worker was ended by a signal: %s",
                         talk->path, sigdescr_np(end.signal));
    char cause[CHILD_CAUSE_SIZE_MAX + 1];
    child_words_cause(words, cause);
    if (end.exit_status < 0) return talk_fail_crash(talk, -1, err);
    return error_set(err, SNAPCELL_E_INTERNAL,
                     "%s: the worker %s ended with status %d before it was done%s%s", talk->path,
                     talk->worker_path, end.exit_status, cause[0] == '\0' ? "" : ": ", cause);
}

static int talk_fail(compile_talk *talk, child_outcome outcome, snapcell_error *err)
{
    switch (outcome) {
    case CHILD_GONE:
        return talk_fail_gone(talk, err);
    case CHILD_TIMEOUT:
        return talk_fail_time(talk, err);
    case CHILD_NO_MEMORY:
        return error_set(err, SNAPCELL_E_NOMEM, "no memory to compile %s", talk->path);
    case CHILD_OK:
    case CHILD_NONSENSE:
        break;
    }
    return talk_fail_nonsense(talk, err);
}

/* --- Host functions and log --- */

static int talk_answer_call(compile_talk *talk, snapcell_host_call *call, bool thrown,
                            snapcell_error *err)
{
    cleanup_writer wire_writer writer = {0};
    if (thrown)
        wire_throw_write(&writer, call->error_message);
    else
        wire_value_write(&writer, &call->result);
    compile_message_type type = thrown ? COMPILE_MESSAGE_HOST_THROW : COMPILE_MESSAGE_HOST_RETURN;
    child_outcome outcome = child_process_send(&talk->process, type, &writer);
    return outcome == CHILD_OK ? SNAPCELL_OK : talk_fail(talk, outcome, err);
}

static int talk_on_host_call(compile_talk *talk, const child_message *message, snapcell_error *err)
{
    wire_host_call asked;
    if (!wire_host_call_read(message->body, message->body_size_bytes, &asked))
        return talk_fail_nonsense(talk, err);
    cleanup_free snapcell_value *arguments = asked.arguments;
    if (talk->host == NULL || asked.index >= talk->host->count)
        return talk_fail_nonsense(talk, err);

    const host_function *function = &talk->host->functions[asked.index];
    snapcell_host_call call = {.arguments = arguments, .argument_count = asked.argument_count};
    bool thrown = function->callback(function->user, &call) != 0;
    int status = talk_answer_call(talk, &call, thrown, err);
    free((char *)call.result.data);
    return status;
}

static int talk_on_log(compile_talk *talk, const child_message *message, snapcell_error *err)
{
    wire_log log;
    if (!wire_log_read(message->body, message->body_size_bytes, &log))
        return talk_fail_nonsense(talk, err);
    if (talk->limits->log != NULL)
        talk->limits->log(talk->limits->log_user, log.level, talk->job->function_name, log.text,
                          log.text_size_bytes);
    return SNAPCELL_OK;
}

static int talk_on_note(compile_talk *talk, const child_message *message, snapcell_error *err)
{
    snapcell_note note;
    if (!compile_note_read(message->body, message->body_size_bytes, &note) ||
        talk->notes->count == NOTE_COUNT_MAX)
        return talk_fail_nonsense(talk, err);
    if (note_list_add(talk->notes, &note)) return SNAPCELL_OK;
    return talk_fail(talk, CHILD_NO_MEMORY, err);
}

static int talk_on_heap(compile_talk *talk, const child_message *message, snapcell_error *err)
{
    size_t size;
    const char *text = compile_heap_read(message->body, message->body_size_bytes, &size);
    if (text == NULL || talk->limits->heap == NULL) return talk_fail_nonsense(talk, err);
    talk->limits->heap(talk->limits->heap_user, text, size);
    return SNAPCELL_OK;
}

/* --- Result and error --- */

static int talk_on_result(compile_talk *talk, child_message *message, compile_product *out,
                          snapcell_error *err)
{
    if (!compile_result_read(message->body, message->body_size_bytes, &out->result))
        return talk_fail_nonsense(talk, err);
    out->body = steal_pointer(&message->body);
    return SNAPCELL_OK;
}

/* A source may have the bundle's own name, as src/index.js bundled to index.js. */
static bool job_has_source(const compile_job *job, const char *name)
{
    char quoted[sizeof(((snapcell_error *)NULL)->file) + 2];
    int length = snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    if (job->source_map == NULL || length < 0 || (size_t)length >= sizeof(quoted)) return false;
    return memmem(job->source_map, job->source_map_size_bytes, quoted, (size_t)length) != NULL;
}

/* A place in the bundle is told with the path that the user gave; one from a source map is not. */
static void error_set_place(const compile_talk *talk, snapcell_error *error)
{
    const char *name = talk->job->file_name;
    if (strcmp(error->file, name) != 0 || job_has_source(talk->job, name)) return;
    if (strlen(talk->path) < sizeof(error->file)) strcpy(error->file, talk->path);
}

/* Errors other than the script's own must name the bundle themselves. */
static int talk_name_bundle(const compile_talk *talk, const snapcell_error *told,
                            snapcell_error *err)
{
    if (told->code == SNAPCELL_E_UNSNAPSHOTABLE ||
        strstr(told->message, talk->job->file_name) != NULL)
        return error_set(err, told->code, "%s", told->message);
    return error_set(err, told->code, "%s: %s", talk->path, told->message);
}

static int talk_on_error(compile_talk *talk, const child_message *message, snapcell_error *err)
{
    snapcell_error told;
    if (!wire_error_read(message->body, message->body_size_bytes, &told))
        return talk_fail_nonsense(talk, err);
    error_set_place(talk, &told);
    if (told.code == SNAPCELL_E_MEMORY_LIMIT) return talk_fail_memory(talk, err);
    if (told.code == SNAPCELL_E_SCRIPT) {
        if (err != NULL) *err = told;
        return told.code;
    }
    int status = talk_name_bundle(talk, &told, err);
    if (err != NULL) {
        err->line = told.line;
        err->column = told.column;
        memcpy(err->file, told.file, sizeof(err->file));
        memcpy(err->stack, told.stack, sizeof(err->stack));
    }
    return status;
}

/* --- The conversation --- */

static int talk_hello(compile_talk *talk, snapcell_error *err)
{
    cleanup_message child_message message = {0};
    child_outcome outcome = child_process_receive(&talk->process, &message);
    if (outcome != CHILD_OK) return talk_fail(talk, outcome, err);
    wire_hello hello;
    if (message.type != COMPILE_MESSAGE_HELLO ||
        !compile_hello_read(message.body, message.body_size_bytes, &hello) ||
        hello.protocol_version != COMPILE_PROTOCOL_VERSION)
        return talk_fail_nonsense(talk, err);

    snapcell_fingerprint own = engine_fingerprint();
    if (memcmp(own.bytes, hello.engine.bytes, sizeof(own.bytes)) == 0) return SNAPCELL_OK;
    char expected[SNAPCELL_KEY_HEX_SIZE];
    char found[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint_format(&own, expected);
    snapcell_fingerprint_format(&hello.engine, found);
    return error_set(err, SNAPCELL_E_INTERNAL,
                     "%s: the worker %s has engine %s, this library has engine %s; set "
                     "$SNAPCELL_WORKER to the `snapcell` program of this build",
                     talk->path, talk->worker_path, found, expected);
}

static int talk_send_job(compile_talk *talk, snapcell_error *err)
{
    cleanup_writer wire_writer writer = {0};
    compile_job_write(&writer, talk->job);
    talk->job_sent = true;
    child_outcome outcome = child_process_send(&talk->process, COMPILE_MESSAGE_JOB, &writer);
    return outcome == CHILD_OK ? SNAPCELL_OK : talk_fail(talk, outcome, err);
}

/* Handles one message; `*done` when it was the last. */
static int talk_step(compile_talk *talk, compile_product *out, bool *done, snapcell_error *err)
{
    cleanup_message child_message message = {0};
    child_outcome outcome = child_process_receive(&talk->process, &message);
    if (outcome != CHILD_OK) return talk_fail(talk, outcome, err);
    switch (message.type) {
    case COMPILE_MESSAGE_LOG:
        return talk_on_log(talk, &message, err);
    case COMPILE_MESSAGE_HEAP:
        return talk_on_heap(talk, &message, err);
    case COMPILE_MESSAGE_NOTE:
        return talk_on_note(talk, &message, err);
    case COMPILE_MESSAGE_HOST_CALL:
        return talk_on_host_call(talk, &message, err);
    case COMPILE_MESSAGE_RESULT:
        *done = true;
        return talk_on_result(talk, &message, out, err);
    case COMPILE_MESSAGE_ERROR:
        return talk_on_error(talk, &message, err);
    case COMPILE_MESSAGE_HELLO:
    case COMPILE_MESSAGE_JOB:
    case COMPILE_MESSAGE_HOST_RETURN:
    case COMPILE_MESSAGE_HOST_THROW:
        break;
    }
    return talk_fail_nonsense(talk, err);
}

static int talk_run(compile_talk *talk, compile_product *out, snapcell_error *err)
{
    int status = talk_hello(talk, err);
    if (status == SNAPCELL_OK) status = talk_send_job(talk, err);
    bool done = false;
    while (status == SNAPCELL_OK && !done)
        status = talk_step(talk, out, &done, err);
    return status;
}

int compile_run(const char *worker_path, const char *path, const compile_job *job,
                const snapcell_host *host, const compile_limits *limits, note_list *notes,
                compile_product *out, snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    compile_talk talk = {
        .worker_path = worker_path,
        .path = path,
        .job = job,
        .host = host,
        .limits = limits,
        .notes = notes,
    };
    int status = child_process_start(worker_path, &compile_kind, COMPILE_ZONE,
                                     limits->wall_limit_ms, &talk.process, err);
    if (status != SNAPCELL_OK) return status;
    status = talk_run(&talk, out, err);
    child_process_end(&talk.process);
    return status;
}
