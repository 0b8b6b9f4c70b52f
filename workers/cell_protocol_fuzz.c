/* Messages from a worker that was taken over, and to it. What can be read can be written, and reads
 * back. */
#include <stdlib.h>

#include "cell_protocol.h"
#include "message_fuzz.h"

static void fuzz_load(const void *body, size_t size, wire_writer *writer)
{
    cell_load load;
    if (!cell_load_read(body, size, calloc, &load)) {
        cell_load_release(&load);
        return;
    }
    cell_load_write(writer, &load);
    cell_load again;
    fuzz_require(cell_load_read(writer->data, writer->size_bytes, calloc, &again));
    fuzz_require(again.key_count == load.key_count &&
                 again.options.env_count == load.options.env_count);
    cell_load_release(&again);
    cell_load_release(&load);
}

static void fuzz_call(const void *body, size_t size, wire_writer *writer)
{
    cell_call call;
    if (!cell_call_read(body, size, &call)) return;
    cell_call_write(writer, &call);
    cell_call again;
    fuzz_require(cell_call_read(writer->data, writer->size_bytes, &again));
    fuzz_require(again.request.header_count == call.request.header_count);
    cell_call_release(&again);
    cell_call_release(&call);
}

static void fuzz_response(const void *body, size_t size, wire_writer *writer)
{
    snapcell_response *response;
    snapcell_response *again;
    bool no_memory;
    if (!cell_response_read(body, size, &response, &no_memory)) {
        fuzz_require(response == NULL && !no_memory);
        return;
    }
    cell_response_write(writer, response);
    fuzz_require(cell_response_read(writer->data, writer->size_bytes, &again, &no_memory));
    fuzz_require(snapcell_response_header_count(again) == snapcell_response_header_count(response));
    snapcell_response_free(again);
    snapcell_response_free(response);
}

static void fuzz_others(const void *body, size_t size, wire_writer *writer)
{
    wire_hello hello;
    wire_log log;
    cell_ready ready;
    cell_restored restored;
    size_t text_size;
    if (cell_hello_read(body, size, &hello)) cell_hello_write(writer, &hello);
    if (wire_log_read(body, size, &log)) wire_log_write(writer, &log);
    if (cell_ready_read(body, size, &ready)) cell_ready_write(writer, &ready);
    if (cell_restored_read(body, size, &restored)) cell_restored_write(writer, &restored);
    const char *text = cell_result_read(body, size, &text_size);
    if (text != NULL) fuzz_require(strlen(text) == text_size);
    wire_header header;
    if (size >= WIRE_HEADER_SIZE && wire_header_read(body, cell_body_size_max, &header))
        fuzz_require(header.body_size_bytes <= cell_body_size_max(header.type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_message_reader *const readers[] = {fuzz_load, fuzz_call, fuzz_response,
                                                   fuzz_others};
    return fuzz_message(data, size, readers, sizeof(readers) / sizeof(*readers));
}
