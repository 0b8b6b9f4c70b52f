/* Messages from a child that was taken over, and to it. What can be read can be written, and reads
 * back. */
#include <stdlib.h>

#include "compile_protocol.h"
#include "message_fuzz.h"

static void fuzz_job(const void *body, size_t size, wire_writer *writer)
{
    compile_job job;
    if (!compile_job_read(body, size, &job)) return;
    compile_job_write(writer, &job);
    compile_job again;
    fuzz_require(compile_job_read(writer->data, writer->size_bytes, &again));
    fuzz_require(again.warm_count == job.warm_count &&
                 again.host_name_count == job.host_name_count);
    compile_job_release(&again);
    compile_job_release(&job);
}

static void fuzz_host_call(const void *body, size_t size, wire_writer *writer)
{
    wire_host_call call;
    if (!wire_host_call_read(body, size, &call)) return;
    wire_host_call_write(writer, &call);
    wire_host_call again;
    fuzz_require(wire_host_call_read(writer->data, writer->size_bytes, &again));
    fuzz_require(again.argument_count == call.argument_count);
    free(again.arguments);
    free(call.arguments);
}

static void fuzz_result(const void *body, size_t size, wire_writer *writer)
{
    compile_result result;
    if (!compile_result_read(body, size, &result)) return;
    compile_result_write(writer, &result);
    compile_result again;
    fuzz_require(compile_result_read(writer->data, writer->size_bytes, &again));
    fuzz_require(again.blob_size_bytes == result.blob_size_bytes);
    free(again.warnings);
    free(result.warnings);
}

static void fuzz_error(const void *body, size_t size, wire_writer *writer)
{
    snapcell_error error;
    if (!wire_error_read(body, size, &error)) return;
    wire_error_write(writer, &error);
    snapcell_error again;
    fuzz_require(wire_error_read(writer->data, writer->size_bytes, &again));
    fuzz_require(memcmp(again.message, error.message, strlen(error.message) + 1) == 0);
}

/* The small ones. */
static void fuzz_others(const void *body, size_t size, wire_writer *writer)
{
    wire_hello hello;
    wire_log log;
    snapcell_value value;
    if (compile_hello_read(body, size, &hello)) compile_hello_write(writer, &hello);
    if (wire_log_read(body, size, &log)) wire_log_write(writer, &log);
    if (wire_value_read(body, size, &value)) wire_value_write(writer, &value);
    const char *message = wire_throw_read(body, size);
    if (message != NULL) wire_throw_write(writer, message);
    wire_header header;
    if (size >= WIRE_HEADER_SIZE && wire_header_read(body, compile_body_size_max, &header))
        fuzz_require(header.body_size_bytes <= compile_body_size_max(header.type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_message_reader *const readers[] = {fuzz_job, fuzz_host_call, fuzz_result,
                                                   fuzz_error, fuzz_others};
    return fuzz_message(data, size, readers, sizeof(readers) / sizeof(*readers));
}
