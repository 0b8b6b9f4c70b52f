/* Messages from a worker that was taken over, and to it. What can be read can be written, and reads
 * back. */
#include <stdlib.h>
#include <string.h>

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

static void fuzz_head(const void *body, size_t size, wire_writer *writer)
{
    cell_head head;
    bool no_memory;
    if (!cell_head_read(body, size, &head, &no_memory)) {
        fuzz_require(!no_memory);
        return;
    }
    fuzz_require(head.status >= 200 && head.status <= 599);
    wire_put_u32(writer, (uint32_t)head.status);
    wire_put_u32(writer, (uint32_t)head.header_count);
    for (size_t i = 0; i < head.header_count; i++) {
        wire_put_string(writer, head.headers[i].name);
        wire_put_string(writer, head.headers[i].value);
    }
    fuzz_require(writer->size_bytes == size && memcmp(writer->data, body, size) == 0);
    cell_head_release(&head);
}

static void fuzz_others(const void *body, size_t size, wire_writer *writer)
{
    wire_hello hello;
    wire_log log;
    cell_ready ready;
    cell_go_on_order order;
    cell_text_order text_order;
    cell_restored restored;
    if (cell_hello_read(body, size, &hello)) cell_hello_write(writer, &hello);
    if (wire_log_read(body, size, &log)) wire_log_write(writer, &log);
    if (cell_ready_read(body, size, &ready)) cell_ready_write(writer, &ready);
    if (cell_restored_read(body, size, &restored)) cell_restored_write(writer, &restored);
    if (cell_go_on_read(body, size, &order)) cell_go_on_write(writer, &order);
    if (cell_text_order_read(body, size, &text_order)) cell_text_order_write(writer, &text_order);
    bool is_whole;
    uint32_t amount;
    if (cell_body_end_read(body, size, &is_whole)) fuzz_require(size == 1);
    if (cell_credit_read(body, size, &amount)) fuzz_require(size == sizeof(amount));
    const uint8_t *rest = body;
    size_t rest_size = size;
    uint64_t call;
    if (cell_number_read(&rest, &rest_size, &call))
        fuzz_require(rest_size + CELL_NUMBER_SIZE == size && rest == (const uint8_t *)body + 8);
    wire_header header;
    if (size >= WIRE_HEADER_SIZE && wire_header_read(body, cell_body_size_max, &header))
        fuzz_require(header.body_size_bytes <= cell_body_size_max(header.type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_message_reader *const readers[] = {fuzz_load, fuzz_call, fuzz_head, fuzz_others};
    return fuzz_message(data, size, readers, sizeof(readers) / sizeof(*readers));
}
