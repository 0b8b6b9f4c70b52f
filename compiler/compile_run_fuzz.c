/* Whole conversations with a worker that was taken over: the input is what it says, and how it
 * ends. The functions of worker_process.h below stand in for the ones that start a process. */
#include "compile_run.h"

#include <stdlib.h>

#include "cleanup.h"
#include "fuzz_input.h"
#include "host_table.h"
#include "worker_process.h"

static fuzz_input fuzz_said; /* what the worker has not said yet */
static worker_end fuzz_end;

int worker_process_start(const char *path, const worker_kind *kind, const char *zone,
                         uint32_t wall_limit_ms, worker_process *out, snapcell_error *err)
{
    (void)kind;
    (void)zone;
    (void)path;
    (void)wall_limit_ms;
    (void)err;
    memset(out, 0, sizeof(*out));
    fuzz_input words = fuzz_take(&fuzz_said, fuzz_take_u8(&fuzz_said));
    if (words.size_bytes > 0) memcpy(out->words, words.at, words.size_bytes);
    out->words_size_bytes = words.size_bytes;
    return SNAPCELL_OK;
}

worker_status worker_process_send(worker_process *process, uint32_t type, const wire_writer *body)
{
    (void)process;
    fuzz_require(body->failed || body->size_bytes <= compile_body_size_max(type));
    return body->failed ? WORKER_NO_MEMORY : WORKER_OK;
}

/* A byte for the type, two for the size; an honest worker's first message by one byte alone. */
worker_status worker_process_receive(worker_process *process, worker_message *out)
{
    (void)process;
    if (fuzz_said.size_bytes == 0) return WORKER_GONE;
    const uint8_t type = fuzz_take_u8(&fuzz_said);
    if (type > COMPILE_MESSAGE_NOTE + 2) return WORKER_TIMEOUT + (type & 1);
    wire_writer writer = {0};
    if (type == 0) {
        const wire_hello hello = {COMPILE_PROTOCOL_VERSION, engine_fingerprint()};
        compile_hello_write(&writer, &hello);
    } else {
        const size_t size = (size_t)(fuzz_take_u8(&fuzz_said) << 8 | fuzz_take_u8(&fuzz_said));
        const fuzz_input body = fuzz_take(&fuzz_said, size);
        /* As a header is refused. */
        if (body.size_bytes == 0 || body.size_bytes > compile_body_size_max(type))
            return WORKER_NONSENSE;
        wire_put_raw(&writer, body.at, body.size_bytes);
    }
    *out = (worker_message){type == 0 ? COMPILE_MESSAGE_HELLO : (compile_message_type)type,
                            writer.data, writer.size_bytes};
    return WORKER_OK;
}

worker_end worker_process_wait(worker_process *process)
{
    (void)process;
    return fuzz_end;
}

void worker_process_end(worker_process *process)
{
    (void)process;
}

static int fuzz_host_callback(void *user, snapcell_host_call *call)
{
    (void)user;
    snapcell_value last = {.type = SNAPCELL_VALUE_UNDEFINED};
    for (size_t i = 0; i < snapcell_host_argument_count(call); i++)
        last = snapcell_host_argument(call, i);
    if (last.type == SNAPCELL_VALUE_STRING) return snapcell_host_throw(call, last.data);
    return snapcell_host_return(call, &last, NULL);
}

static void fuzz_log(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    (void)user;
    fuzz_require(level <= SNAPCELL_LOG_ERROR && strcmp(function_name, "a") == 0);
    fuzz_require(strnlen(text, text_size_bytes + 1) <= text_size_bytes);
}

static void fuzz_converse(uint8_t flags)
{
    static host_function functions[] = {{.name = "f", .callback = fuzz_host_callback}};
    static const snapcell_host host = {functions, 1};
    const compile_job job = {.kind = (flags & 1) != 0 ? SNAPCELL_ARTIFACT_CODE
                                                      : SNAPCELL_ARTIFACT_SNAPSHOT,
                             .function_name = "a",
                             .file_name = "a.js",
                             .text = "0",
                             .text_size_bytes = 1};
    const compile_limits limits = {
        .memory_limit_bytes = 1 << 20, .wall_limit_ms = 1, .log = fuzz_log};
    note_list notes = {0};
    compile_product product;
    snapcell_error err = {0};
    const int status = compile_run("/worker", "/a.js", &job, (flags & 2) != 0 ? &host : NULL,
                                   &limits, &notes, &product, &err);
    fuzz_require(status == SNAPCELL_OK || (status == err.code && err.message[0] != '\0'));
    fuzz_require(status != SNAPCELL_OK || product.result.blob_size_bytes > 0);
    compile_product_release(&product);
    note_list_release(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_said = (fuzz_input){data, size};
    const uint8_t flags = fuzz_take_u8(&fuzz_said);
    const uint8_t end = fuzz_take_u8(&fuzz_said);
    fuzz_end = (end & 1) != 0 ? (worker_end){-1, end >> 2} : (worker_end){end >> 1, -1};
    if (end == 2) fuzz_end = (worker_end){-1, -1};
    fuzz_converse(flags);
    return 0;
}
