#include "compile_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_fixture.h"
#include "error_set.h"

/* Reads a message's body from memory that ends where the body does, so that a sanitizer sees every
 * read beyond it. */
typedef bool message_reader(const void *body, size_t size_bytes);

static bool read_exact(message_reader *reader, const uint8_t *body, size_t size_bytes)
{
    uint8_t *copy = malloc(size_bytes == 0 ? 1 : size_bytes);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, body, size_bytes);
    bool good = reader(copy, size_bytes);
    free(copy);
    return good;
}

static bool read_hello(const void *body, size_t size_bytes)
{
    wire_hello hello;
    return compile_hello_read(body, size_bytes, &hello);
}

static bool read_job(const void *body, size_t size_bytes)
{
    compile_job job;
    if (!compile_job_read(body, size_bytes, &job)) return false;
    compile_job_release(&job);
    return true;
}

static bool read_log(const void *body, size_t size_bytes)
{
    wire_log log;
    return wire_log_read(body, size_bytes, &log);
}

static bool read_call(const void *body, size_t size_bytes)
{
    wire_host_call call;
    if (!wire_host_call_read(body, size_bytes, &call)) return false;
    free(call.arguments);
    return true;
}

static bool read_throw(const void *body, size_t size_bytes)
{
    return wire_throw_read(body, size_bytes) != NULL;
}

static bool read_result(const void *body, size_t size_bytes)
{
    compile_result result;
    if (!compile_result_read(body, size_bytes, &result)) return false;
    free(result.warnings);
    return true;
}

static bool read_error(const void *body, size_t size_bytes)
{
    snapcell_error error;
    return wire_error_read(body, size_bytes, &error);
}

static bool read_note(const void *body, size_t size_bytes)
{
    snapcell_note note;
    return compile_note_read(body, size_bytes, &note);
}

static bool read_heap(const void *body, size_t size_bytes)
{
    size_t size;
    return compile_heap_read(body, size_bytes, &size) != NULL;
}

/* --- One sample of each message --- */

static const char *host_names[] = {"first", "second"};
static snapcell_header headers[] = {{"accept", "text/html"}, {"x-latin", "caf\xe9"}};
static snapcell_request warm[] = {
    SNAPCELL_REQUEST_INIT,
    {sizeof(snapcell_request), "PUT", "/a?b", headers, 2, "bo\0dy", 5},
};

static compile_job sample_job(void)
{
    return (compile_job){
        .kind = SNAPCELL_ARTIFACT_CODE,
        .format = ENGINE_FORMAT_COMMONJS,
        .memory_limit_bytes = UINT64_C(5) << 32,
        .wall_limit_ms = 1234,
        .no_sandbox = true,
        .function_name = "caf\xc3\xa9",
        .file_name = "a.js",
        .host_names = host_names,
        .host_name_count = 2,
        .warm = warm,
        .warm_count = 2,
        .encoding = ARTIFACT_TEXT_UTF16LE,
        .text = "a\0b\0",
        .text_size_bytes = 4,
        .source_map = "{}",
        .source_map_size_bytes = 2,
        .survey = ENGINE_SURVEY_ONLY,
        .entropy_allowed = true,
        .entropy_trial = 7,
        .heap = true,
        .shape = SNAPCELL_SHAPE_JSON,
    };
}

static void write_hello(wire_writer *writer)
{
    wire_hello hello = {COMPILE_PROTOCOL_VERSION, {{1, 2, 3}}};
    compile_hello_write(writer, &hello);
}

static void write_job(wire_writer *writer)
{
    compile_job job = sample_job();
    compile_job_write(writer, &job);
}

static void write_log(wire_writer *writer)
{
    wire_log log = {SNAPCELL_LOG_WARN, "text", 4};
    wire_log_write(writer, &log);
}

static snapcell_value values[] = {
    {.type = SNAPCELL_VALUE_UNDEFINED},
    {.type = SNAPCELL_VALUE_NULL},
    {.type = SNAPCELL_VALUE_BOOLEAN, .boolean = true},
    {.type = SNAPCELL_VALUE_NUMBER, .number = -0.5},
    {.type = SNAPCELL_VALUE_STRING, .data = "s\xc3\xa9", .size_bytes = 3},
    {.type = SNAPCELL_VALUE_BYTES, .data = "\0\xff", .size_bytes = 2},
    {.type = SNAPCELL_VALUE_JSON, .data = "[1]", .size_bytes = 3},
};
#define VALUE_COUNT (sizeof(values) / sizeof(*values))

static void write_call(wire_writer *writer)
{
    wire_host_call call = {7, values, VALUE_COUNT};
    wire_host_call_write(writer, &call);
}

static void write_throw(wire_writer *writer)
{
    wire_throw_write(writer, "no");
}

static void write_result(wire_writer *writer)
{
    const char *warnings[] = {"one", "two"};
    compile_result result = {SNAPCELL_SHAPE_JSON, ENGINE_FORMAT_ESM,  "bl\0b", 4, warnings, 2,
                             "url fetch",         "code 12 strings 3"};
    compile_result_write(writer, &result);
}

static void write_error(wire_writer *writer)
{
    snapcell_error error;
    error_set(&error, SNAPCELL_E_SCRIPT, "Error: %s", "x");
    error.line = 3;
    strcpy(error.file, "a.js");
    strcpy(error.stack, "at f");
    wire_error_write(writer, &error);
}

static void write_note(wire_writer *writer)
{
    snapcell_note note = {SNAPCELL_NOTE_OBJECT, true, false, 7, "what", "a.js:1:2", "a.b", "do"};
    compile_note_write(writer, &note);
}

static void write_heap(wire_writer *writer)
{
    compile_heap_write(writer, "{\"nodes\":[]}", 12);
}

static const struct sample {
    void (*write)(wire_writer *writer);
    message_reader *read;
} samples[] = {
    {write_hello, read_hello}, {write_job, read_job},     {write_log, read_log},
    {write_call, read_call},   {write_throw, read_throw}, {write_result, read_result},
    {write_error, read_error}, {write_note, read_note},   {write_heap, read_heap},
};
#define SAMPLE_COUNT (int)(sizeof(samples) / sizeof(*samples))

/* --- Tests over all of them --- */

START_TEST(test_whole_message_is_read)
{
    wire_writer writer = {0};
    samples[_i].write(&writer);
    ck_assert(!writer.failed);
    ck_assert(read_exact(samples[_i].read, writer.data, writer.size_bytes));
    wire_writer_release(&writer);
}
END_TEST

START_TEST(test_every_truncation_is_refused)
{
    wire_writer writer = {0};
    samples[_i].write(&writer);
    for (size_t size = 0; size < writer.size_bytes; size++)
        ck_assert_msg(!read_exact(samples[_i].read, writer.data, size), "%zu of %zu bytes", size,
                      writer.size_bytes);
    wire_put_u8(&writer, 0);
    ck_assert(!read_exact(samples[_i].read, writer.data, writer.size_bytes));
    wire_writer_release(&writer);
}
END_TEST

/* Any byte may be anything: what matters is that nothing is read outside and nothing crashes. */
START_TEST(test_every_changed_byte_is_survived)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x7f};
    wire_writer writer = {0};
    samples[_i].write(&writer);
    for (size_t at = 0; at < writer.size_bytes; at++)
        for (size_t i = 0; i < sizeof(changes); i++) {
            writer.data[at] ^= changes[i];
            read_exact(samples[_i].read, writer.data, writer.size_bytes);
            writer.data[at] ^= changes[i];
        }
    ck_assert(read_exact(samples[_i].read, writer.data, writer.size_bytes));
    wire_writer_release(&writer);
}
END_TEST

/* Eight bytes of 0xff at every place: the size that lies most. */
START_TEST(test_lying_sizes_are_survived)
{
    wire_writer writer = {0};
    samples[_i].write(&writer);
    uint8_t *copy = malloc(writer.size_bytes);
    for (size_t at = 0; at + 8 <= writer.size_bytes; at++) {
        memcpy(copy, writer.data, writer.size_bytes);
        memset(copy + at, 0xff, 8);
        read_exact(samples[_i].read, copy, writer.size_bytes);
        memset(copy + at, 0xff, 4);
        memset(copy + at + 4, 0, 4);
        read_exact(samples[_i].read, copy, writer.size_bytes);
    }
    free(copy);
    wire_writer_release(&writer);
}
END_TEST

/* --- Tests of single messages --- */

START_TEST(test_header_has_these_bytes)
{
    static const uint8_t expected[WIRE_HEADER_SIZE] = {'S', 'N', 'C', 'W', 2, 0, 0, 0,
                                                       0,   1,   0,   0,   0, 0, 0, 0};
    uint8_t data[WIRE_HEADER_SIZE];
    wire_header header = {COMPILE_MESSAGE_JOB, 256};
    wire_header_write(&header, data);
    ck_assert_mem_eq(data, expected, sizeof(data));
    header = (wire_header){0};
    ck_assert(wire_header_read(data, compile_body_size_max, &header));
    ck_assert_int_eq(header.type, COMPILE_MESSAGE_JOB);
    ck_assert_uint_eq(header.body_size_bytes, 256);
}
END_TEST

START_TEST(test_header_sizes_have_caps)
{
    uint8_t data[WIRE_HEADER_SIZE];
    wire_header header;
    for (uint32_t type = 0; type < 12; type++) {
        uint64_t cap = compile_body_size_max(type);
        wire_header_write(&(wire_header){(compile_message_type)type, cap}, data);
        ck_assert_int_eq(wire_header_read(data, compile_body_size_max, &header),
                         type >= 1 && type <= 10);
        wire_header_write(&(wire_header){(compile_message_type)type, cap + 1}, data);
        ck_assert(!wire_header_read(data, compile_body_size_max, &header));
        wire_header_write(&(wire_header){(compile_message_type)type, 0}, data);
        ck_assert(!wire_header_read(data, compile_body_size_max, &header));
    }
    wire_header_write(&(wire_header){COMPILE_MESSAGE_LOG, 1}, data);
    data[0] ^= 1;
    ck_assert(!wire_header_read(data, compile_body_size_max, &header));
}
END_TEST

START_TEST(test_job_comes_back)
{
    wire_writer writer = {0};
    write_job(&writer);
    compile_job job;
    ck_assert(compile_job_read(writer.data, writer.size_bytes, &job));
    compile_job sent = sample_job();
    ck_assert_int_eq(job.kind, sent.kind);
    ck_assert_int_eq(job.format, sent.format);
    ck_assert_uint_eq(job.memory_limit_bytes, sent.memory_limit_bytes);
    ck_assert_uint_eq(job.wall_limit_ms, sent.wall_limit_ms);
    ck_assert(job.no_sandbox);
    ck_assert_str_eq(job.function_name, sent.function_name);
    ck_assert_str_eq(job.file_name, sent.file_name);
    ck_assert_uint_eq(job.text_size_bytes, 4);
    ck_assert_mem_eq(job.text, sent.text, 4);
    ck_assert_uint_eq((uintptr_t)job.text % 2, 0);
    ck_assert_uint_eq(job.host_name_count, 2);
    ck_assert_str_eq(job.host_names[1], "second");
    ck_assert_uint_eq(job.warm_count, 2);
    ck_assert_ptr_null(job.warm[0].method);
    ck_assert_ptr_null(job.warm[0].body);
    ck_assert_str_eq(job.warm[1].url, "/a?b");
    ck_assert_uint_eq(job.warm[1].header_count, 2);
    ck_assert_str_eq(job.warm[1].headers[1].value, "caf\xe9");
    ck_assert_uint_eq(job.warm[1].body_size_bytes, 5);
    ck_assert_mem_eq(job.warm[1].body, "bo\0dy", 5);
    ck_assert_str_eq(job.source_map, "{}");
    ck_assert_int_eq(job.survey, ENGINE_SURVEY_ONLY);
    ck_assert(job.entropy_allowed);
    ck_assert_uint_eq(job.entropy_trial, 7);
    ck_assert(job.heap);
    ck_assert_int_eq(job.shape, SNAPCELL_SHAPE_JSON);
    compile_job_release(&job);
    wire_writer_release(&writer);
}
END_TEST

START_TEST(test_note_comes_back)
{
    wire_writer writer = {0};
    write_note(&writer);
    snapcell_note note;
    ck_assert(compile_note_read(writer.data, writer.size_bytes, &note));
    ck_assert_int_eq(note.kind, SNAPCELL_NOTE_OBJECT);
    ck_assert(note.prevents && !note.warm);
    ck_assert_uint_eq(note.count, 7);
    ck_assert_str_eq(note.what, "what");
    ck_assert_str_eq(note.place, "a.js:1:2");
    ck_assert_str_eq(note.path, "a.b");
    ck_assert_str_eq(note.advice, "do");
    wire_writer_release(&writer);
}
END_TEST

/* A kind that is not known, a text that is missing. */
START_TEST(test_unsound_notes_are_refused)
{
    snapcell_note notes[] = {
        {(snapcell_note_kind)0, true, false, 1, "", "", "", ""},
        {(snapcell_note_kind)7, true, false, 1, "", "", "", ""},
        {SNAPCELL_NOTE_CLOCK, true, false, 1, NULL, "", "", ""},
        {SNAPCELL_NOTE_CLOCK, true, false, 1, "", "", "", NULL},
        {SNAPCELL_NOTE_CLOCK, true, false, 1, "\xff", "", "", ""},
    };
    for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
        wire_writer writer = {0};
        compile_note_write(&writer, &notes[i]);
        ck_assert(!read_note(writer.data, writer.size_bytes));
        wire_writer_release(&writer);
    }
}
END_TEST

START_TEST(test_unsound_jobs_are_refused)
{
    compile_job jobs[6];
    for (size_t i = 0; i < 6; i++)
        jobs[i] = sample_job();
    jobs[0].text_size_bytes = 3; /* half a code unit */
    jobs[1].kind = (snapcell_artifact_kind)3;
    jobs[2].format = (engine_format)4;
    jobs[3].encoding = (artifact_text_encoding)2;
    jobs[4].file_name = NULL;
    jobs[5].survey = (engine_survey)3;
    for (size_t i = 0; i < 6; i++) {
        wire_writer writer = {0};
        compile_job_write(&writer, &jobs[i]);
        compile_job job;
        ck_assert(!compile_job_read(writer.data, writer.size_bytes, &job));
        ck_assert_ptr_null(job.warm);
        wire_writer_release(&writer);
    }
}
END_TEST

START_TEST(test_values_come_back)
{
    wire_writer writer = {0};
    write_call(&writer);
    wire_host_call call;
    ck_assert(wire_host_call_read(writer.data, writer.size_bytes, &call));
    ck_assert_uint_eq(call.index, 7);
    ck_assert_uint_eq(call.argument_count, VALUE_COUNT);
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        ck_assert_int_eq(call.arguments[i].type, values[i].type);
        ck_assert_int_eq(call.arguments[i].boolean, values[i].boolean);
        ck_assert_double_eq(call.arguments[i].number, values[i].number);
        ck_assert_uint_eq(call.arguments[i].size_bytes, values[i].size_bytes);
        if (values[i].data == NULL) continue;
        ck_assert_mem_eq(call.arguments[i].data, values[i].data, values[i].size_bytes);
        ck_assert_int_eq(call.arguments[i].data[values[i].size_bytes], '\0');
    }
    free(call.arguments);
    wire_writer_release(&writer);
}
END_TEST

START_TEST(test_unsound_values_are_refused)
{
    const snapcell_value bad[] = {
        {.type = SNAPCELL_VALUE_STRING, .data = "\xff", .size_bytes = 1},
        {.type = SNAPCELL_VALUE_JSON, .data = "\xc3", .size_bytes = 1},
    };
    snapcell_value value;
    for (size_t i = 0; i < 2; i++) {
        wire_writer writer = {0};
        wire_value_write(&writer, &bad[i]);
        ck_assert(!wire_value_read(writer.data, writer.size_bytes, &value));
        wire_writer_release(&writer);
    }
    ck_assert(!wire_value_read("\x07", 1, &value));
}
END_TEST

START_TEST(test_errors_come_back)
{
    wire_writer writer = {0};
    write_error(&writer);
    snapcell_error error;
    ck_assert(wire_error_read(writer.data, writer.size_bytes, &error));
    ck_assert_int_eq(error.code, SNAPCELL_E_SCRIPT);
    ck_assert_uint_eq(error.line, 3);
    ck_assert_str_eq(error.message, "Error: x");
    ck_assert_str_eq(error.stack, "at f");
    wire_writer_release(&writer);

    /* Text that is not UTF-8 is repaired rather than lost. */
    writer = (wire_writer){0};
    strcpy(error.message, "a\xff"
                          "b");
    wire_error_write(&writer, &error);
    ck_assert(wire_error_read(writer.data, writer.size_bytes, &error));
    ck_assert_str_eq(error.message, "a?b");
    wire_writer_release(&writer);

    /* Every error that there is. */
#define ERROR_CODE(name, value, text) SNAPCELL_##name,
    const int known[] = {SNAPCELL_ERROR_MAP(ERROR_CODE)};
#undef ERROR_CODE
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        writer = (wire_writer){0};
        error.code = known[i];
        wire_error_write(&writer, &error);
        ck_assert_int_eq(wire_error_read(writer.data, writer.size_bytes, &error),
                         known[i] != SNAPCELL_OK);
        wire_writer_release(&writer);
    }

    /* "Nothing went wrong", and codes that there are not. */
    const int codes[] = {0, 1, -100};
    for (size_t i = 0; i < 3; i++) {
        writer = (wire_writer){0};
        error.code = codes[i];
        wire_error_write(&writer, &error);
        ck_assert(!read_error(writer.data, writer.size_bytes));
        wire_writer_release(&writer);
    }
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_whole_message_is_read, SAMPLE_COUNT},
        {test_every_truncation_is_refused, SAMPLE_COUNT},
        {test_every_changed_byte_is_survived, SAMPLE_COUNT},
        {test_lying_sizes_are_survived, SAMPLE_COUNT},
        {test_header_has_these_bytes, 0},
        {test_header_sizes_have_caps, 0},
        {test_job_comes_back, 0},
        {test_unsound_jobs_are_refused, 0},
        {test_note_comes_back, 0},
        {test_unsound_notes_are_refused, 0},
        {test_values_come_back, 0},
        {test_unsound_values_are_refused, 0},
        {test_errors_come_back, 0},
    };
    return FIXTURE_RUN("compile_protocol", tests);
}
