/* Whole conversations with a child that was taken over: the input is what it says, and how it
 * ends. The functions of child_process.h below stand in for the ones that start a process. */
#include "compile_run.h"

#include <stdlib.h>

#include "child_process.h"
#include "cleanup.h"
#include "fuzz_input.h"
#include "host_table.h"

static fuzz_input fuzz_said; /* what the child has not said yet */
static child_end fuzz_end;

int child_process_start(const char *path, const child_kind *kind, const char *zone,
                        uint32_t wall_limit_ms, child_process *out, snapcell_error *err)
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

child_outcome child_process_send(child_process *process, uint32_t type, const wire_writer *body)
{
    (void)process;
    fuzz_require(body->failed || body->size_bytes <= compile_body_size_max(type));
    return body->failed ? CHILD_NO_MEMORY : CHILD_OK;
}

/* A byte for the type, two for the size; an honest child's first message by one byte alone. */
child_outcome child_process_receive(child_process *process, child_message *out)
{
    (void)process;
    if (fuzz_said.size_bytes == 0) return CHILD_GONE;
    const uint8_t type = fuzz_take_u8(&fuzz_said);
    if (type > COMPILE_MESSAGE_NOTE + 2) return CHILD_TIMEOUT + (type & 1);
    wire_writer writer = {0};
    if (type == 0) {
        const wire_hello hello = {COMPILE_PROTOCOL_VERSION, engine_fingerprint()};
        compile_hello_write(&writer, &hello);
    } else {
        const size_t size = (size_t)(fuzz_take_u8(&fuzz_said) << 8 | fuzz_take_u8(&fuzz_said));
        const fuzz_input body = fuzz_take(&fuzz_said, size);
        /* As a header is refused. */
        if (body.size_bytes == 0 || body.size_bytes > compile_body_size_max(type))
            return CHILD_NONSENSE;
        wire_put_raw(&writer, body.at, body.size_bytes);
    }
    *out = (child_message){type == 0 ? COMPILE_MESSAGE_HELLO : (compile_message_type)type,
                           writer.data, writer.size_bytes};
    return CHILD_OK;
}

child_end child_process_wait(child_process *process)
{
    (void)process;
    return fuzz_end;
}

void child_process_end(child_process *process)
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
    fuzz_end = (end & 1) != 0 ? (child_end){-1, end >> 2, 0} : (child_end){end >> 1, -1, 0};
    if (end == 2) fuzz_end = (child_end){-1, -1, 0};
    fuzz_converse(flags);
    return 0;
}
