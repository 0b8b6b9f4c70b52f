#include "compile_protocol.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "host_table.h"
#include "wire_request.h"

/* "SNCH", as bytes. */
#define HELLO_MAGIC UINT32_C(0x48434e53)

#define MIB (UINT64_C(1) << 20)
/* Four numbers of 32 bits and two of 64 stand before a job's text. */
#define JOB_TEXT_OFFSET 32

/* What bundles, artifacts and V8's strings can hold, with room. */
uint64_t compile_body_size_max(uint32_t type)
{
    switch (type) {
    case COMPILE_MESSAGE_HELLO:
        return 64;
    case COMPILE_MESSAGE_JOB:
    case COMPILE_MESSAGE_LOG:
    case COMPILE_MESSAGE_NOTE:
    case COMPILE_MESSAGE_HEAP:
    case COMPILE_MESSAGE_HOST_CALL:
    case COMPILE_MESSAGE_HOST_RETURN:
        return 512 * MIB;
    case COMPILE_MESSAGE_RESULT:
        return 1024 * MIB;
    case COMPILE_MESSAGE_HOST_THROW:
    case COMPILE_MESSAGE_ERROR:
        return WIRE_ERROR_SIZE_MAX;
    default:
        return 0;
    }
}

/* --- HELLO --- */

void compile_hello_write(wire_writer *writer, const wire_hello *hello)
{
    wire_hello_write(writer, HELLO_MAGIC, hello);
}

bool compile_hello_read(const void *body, size_t size_bytes, wire_hello *out)
{
    return wire_hello_read(body, size_bytes, HELLO_MAGIC, COMPILE_PROTOCOL_VERSION, out);
}

/* --- JOB --- */

void compile_job_write(wire_writer *writer, const compile_job *job)
{
    wire_put_u32(writer, job->kind);
    wire_put_u32(writer, job->format);
    wire_put_u32(writer, job->encoding);
    wire_put_u32(writer, job->wall_limit_ms);
    wire_put_u64(writer, job->memory_limit_bytes);
    wire_put_u64(writer, job->text_size_bytes);
    static_assert(JOB_TEXT_OFFSET % alignof(uint64_t) == 0, "the text is read in place");
    wire_put_raw(writer, job->text, job->text_size_bytes);

    wire_put_u8(writer, job->no_sandbox ? 1 : 0);
    wire_put_text(writer, job->function_name);
    wire_put_text(writer, job->file_name);
    wire_put_u32(writer, job->host_name_count);
    for (uint32_t i = 0; i < job->host_name_count; i++)
        wire_put_text(writer, job->host_names[i]);
    wire_put_u32(writer, job->warm_count);
    for (uint32_t i = 0; i < job->warm_count; i++)
        wire_request_write(writer, &job->warm[i]);
    wire_put_u8(writer, job->source_map != NULL);
    if (job->source_map != NULL)
        wire_put_bytes(writer, job->source_map, job->source_map_size_bytes);
    wire_put_u32(writer, job->survey);
    wire_put_u8(writer, job->entropy_allowed);
    wire_put_u32(writer, job->entropy_trial);
    wire_put_u8(writer, job->heap);
    wire_put_u32(writer, job->shape);
}

static void compile_host_names_read(wire_reader *reader, compile_job *out)
{
    out->host_name_count = wire_get_count(reader, 10, HOST_FUNCTION_COUNT_MAX);
    out->host_names = calloc(out->host_name_count + 1u, sizeof(*out->host_names));
    if (out->host_names == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < out->host_name_count; i++) {
        out->host_names[i] = wire_get_text(reader);
        if (out->host_names[i] == NULL) reader->failed = true;
    }
}

static void compile_warm_read(wire_reader *reader, compile_job *out)
{
    out->warm_count = wire_get_count(reader, 7, WARM_COUNT_MAX);
    out->warm = calloc(out->warm_count + 1u, sizeof(*out->warm));
    if (out->warm == NULL) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < out->warm_count && !reader->failed; i++)
        wire_request_read(reader, WARM_HEADER_COUNT_MAX, &out->warm[i]);
}

static bool compile_job_is_sound(const compile_job *job)
{
    bool kind_known =
        job->kind == SNAPCELL_ARTIFACT_SNAPSHOT || job->kind == SNAPCELL_ARTIFACT_CODE;
    bool text_whole = job->encoding == ARTIFACT_TEXT_LATIN1 ||
                      (job->encoding == ARTIFACT_TEXT_UTF16LE && job->text_size_bytes % 2 == 0);
    return kind_known && text_whole && (unsigned)job->survey <= ENGINE_SURVEY_ONLY &&
           (unsigned)job->format <= ENGINE_FORMAT_SCRIPT &&
           (unsigned)job->shape <= SNAPCELL_SHAPE_JSON && job->function_name != NULL &&
           job->file_name != NULL;
}

bool compile_job_read(const void *body, size_t size_bytes, compile_job *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (compile_job){0};
    out->kind = (snapcell_artifact_kind)wire_get_u32(&reader);
    out->format = (engine_format)wire_get_u32(&reader);
    out->encoding = (artifact_text_encoding)wire_get_u32(&reader);
    out->wall_limit_ms = wire_get_u32(&reader);
    out->memory_limit_bytes = wire_get_u64(&reader);
    out->text_size_bytes = wire_get_u64(&reader);
    out->text = wire_get_raw(&reader, out->text_size_bytes);

    out->no_sandbox = wire_get_u8(&reader) != 0;
    out->function_name = wire_get_text(&reader);
    out->file_name = wire_get_text(&reader);
    compile_host_names_read(&reader, out);
    compile_warm_read(&reader, out);
    if (wire_get_u8(&reader) != 0)
        out->source_map = wire_get_bytes(&reader, &out->source_map_size_bytes);
    out->survey = (engine_survey)wire_get_u32(&reader);
    out->entropy_allowed = wire_get_u8(&reader) != 0;
    out->entropy_trial = wire_get_u32(&reader);
    out->heap = wire_get_u8(&reader) != 0;
    out->shape = (snapcell_handler_shape)wire_get_u32(&reader);
    if (wire_reader_done(&reader) && compile_job_is_sound(out)) return true;
    compile_job_release(out);
    return false;
}

void compile_job_release(compile_job *job)
{
    for (uint32_t i = 0; i < job->warm_count && job->warm != NULL; i++)
        wire_request_release(&job->warm[i]);
    free(job->warm);
    free(job->host_names);
    *job = (compile_job){0};
}

/* --- NOTE --- */

void compile_note_write(wire_writer *writer, const snapcell_note *note)
{
    wire_put_u32(writer, note->kind);
    wire_put_u8(writer, note->prevents);
    wire_put_u8(writer, note->warm);
    wire_put_u32(writer, note->count);
    wire_put_text(writer, note->what);
    wire_put_text(writer, note->place);
    wire_put_text(writer, note->path);
    wire_put_text(writer, note->advice);
}

bool compile_note_read(const void *body, size_t size_bytes, snapcell_note *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (snapcell_note){0};
    out->kind = (snapcell_note_kind)wire_get_u32(&reader);
    out->prevents = wire_get_u8(&reader) != 0;
    out->warm = wire_get_u8(&reader) != 0;
    out->count = wire_get_u32(&reader);
    out->what = wire_get_text(&reader);
    out->place = wire_get_text(&reader);
    out->path = wire_get_text(&reader);
    out->advice = wire_get_text(&reader);
    return wire_reader_done(&reader) && out->kind >= SNAPCELL_NOTE_ENTROPY &&
           out->kind <= SNAPCELL_NOTE_ENGINE && out->what != NULL && out->place != NULL &&
           out->path != NULL && out->advice != NULL;
}

/* --- HEAP --- */

void compile_heap_write(wire_writer *writer, const char *text, size_t size_bytes)
{
    wire_put_bytes(writer, text, size_bytes);
}

const char *compile_heap_read(const void *body, size_t size_bytes, size_t *out_size_bytes)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    const char *text = wire_get_bytes(&reader, out_size_bytes);
    return wire_reader_done(&reader) ? text : NULL;
}

/* --- RESULT --- */

void compile_result_write(wire_writer *writer, const compile_result *result)
{
    wire_put_u32(writer, result->shape);
    wire_put_u32(writer, result->format);
    wire_put_bytes(writer, result->blob, result->blob_size_bytes);
    wire_put_text(writer, result->apis);
    wire_put_text(writer, result->heap);
    wire_put_u32(writer, result->warning_count);
    for (uint32_t i = 0; i < result->warning_count; i++)
        wire_put_text(writer, result->warnings[i]);
}

static bool compile_result_is_sound(const compile_result *result)
{
    return (result->shape == SNAPCELL_SHAPE_FETCH || result->shape == SNAPCELL_SHAPE_JSON) &&
           result->format >= ENGINE_FORMAT_ESM && result->format <= ENGINE_FORMAT_SCRIPT &&
           result->blob_size_bytes > 0;
}

bool compile_result_read(const void *body, size_t size_bytes, compile_result *out)
{
    wire_reader reader = wire_reader_over(body, size_bytes);
    *out = (compile_result){0};
    out->shape = (snapcell_handler_shape)wire_get_u32(&reader);
    out->format = (engine_format)wire_get_u32(&reader);
    out->blob = wire_get_bytes(&reader, &out->blob_size_bytes);
    out->apis = wire_get_text(&reader);
    out->heap = wire_get_text(&reader);
    out->warning_count = wire_get_count(&reader, 10, COMPILE_WARNING_COUNT_MAX);
    out->warnings = calloc(out->warning_count + 1u, sizeof(*out->warnings));
    if (out->warnings == NULL) return false;
    for (uint32_t i = 0; i < out->warning_count; i++) {
        out->warnings[i] = wire_get_text(&reader);
        if (out->warnings[i] == NULL) reader.failed = true;
    }
    if (wire_reader_done(&reader) && compile_result_is_sound(out)) return true;
    free(out->warnings);
    *out = (compile_result){0};
    return false;
}
