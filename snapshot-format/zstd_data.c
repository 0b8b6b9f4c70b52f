#include "zstd_data.h"

#define ZSTD_STATIC_LINKING_ONLY /* memory from elsewhere */
#include <zstd.h>
#include <zstd_errors.h>

#include "cleanup.h"

/* So much comes out, and goes in, before `take` is called. */
#define DATA_OUT_SIZE ((size_t)64 << 10)
#define DATA_IN_SIZE ((size_t)1 << 20)

static void data_free_cctx(ZSTD_CCtx **context)
{
    ZSTD_freeCCtx(*context);
}

static void data_free_dctx(ZSTD_DCtx **context)
{
    ZSTD_freeDCtx(*context);
}

static ZSTD_customMem data_memory(const zstd_data_work *work)
{
    return (ZSTD_customMem){work->allocate, work->release, work->memory};
}

static zstd_data_status data_fail(size_t result, int *number)
{
    *number = (int)ZSTD_getErrorCode(result);
    return *number == ZSTD_error_memory_allocation ? ZSTD_DATA_NO_MEMORY : ZSTD_DATA_FAILED;
}

/* --- Compressing --- */

static zstd_data_status data_prepare_compress(ZSTD_CCtx *context, const zstd_data_work *work,
                                              int *number)
{
    for (size_t i = 0; i < work->parameter_count; i++) {
        const zstd_data_parameter *given = &work->parameters[i];
        size_t result = ZSTD_CCtx_setParameter(context, (ZSTD_cParameter)given->key, given->value);
        if (ZSTD_isError(result)) return ZSTD_DATA_BAD_PARAMETER;
    }
    size_t result = ZSTD_CCtx_setPledgedSrcSize(context, work->announced_size_bytes);
    if (!ZSTD_isError(result) && work->dictionary != NULL)
        result = ZSTD_CCtx_loadDictionary(context, work->dictionary, work->dictionary_size_bytes);
    return ZSTD_isError(result) ? data_fail(result, number) : ZSTD_DATA_DONE;
}

/* Some of the data, all the way. */
static zstd_data_status data_compress_piece(ZSTD_CCtx *context, const zstd_data_work *work,
                                            ZSTD_inBuffer in, ZSTD_EndDirective directive,
                                            uint8_t *chunk, int *number)
{
    size_t left;
    do {
        ZSTD_outBuffer out = {.dst = chunk, .size = DATA_OUT_SIZE};
        left = ZSTD_compressStream2(context, &out, &in, directive);
        if (ZSTD_isError(left)) return data_fail(left, number);
        if (!work->take(work->user, chunk, out.pos)) return ZSTD_DATA_STOPPED;
    } while (in.pos < in.size || (directive != ZSTD_e_continue && left > 0));
    return ZSTD_DATA_DONE;
}

/* From `start` to `end` of the data; the directive comes with the last of it. */
static zstd_data_status data_compress_part(ZSTD_CCtx *context, const zstd_data_work *work,
                                           size_t start, size_t end, ZSTD_EndDirective directive,
                                           uint8_t *chunk, int *number)
{
    zstd_data_status status = ZSTD_DATA_DONE;
    for (size_t at = start; status == ZSTD_DATA_DONE && at < end; at += DATA_IN_SIZE) {
        const bool is_last = end - at <= DATA_IN_SIZE;
        const ZSTD_inBuffer in = {.src = work->bytes + at,
                                  .size = is_last ? end - at : DATA_IN_SIZE};
        status = data_compress_piece(context, work, in, is_last ? directive : ZSTD_e_continue,
                                     chunk, number);
    }
    return status;
}

static zstd_data_status data_compress_nothing(ZSTD_CCtx *context, const zstd_data_work *work,
                                              ZSTD_EndDirective directive, uint8_t *chunk,
                                              int *number)
{
    const ZSTD_inBuffer nothing = {.src = work->bytes};
    return data_compress_piece(context, work, nothing, directive, chunk, number);
}

/* Up to the last flush; `*at`: where that is. */
static zstd_data_status data_compress_flushed(ZSTD_CCtx *context, const zstd_data_work *work,
                                              uint8_t *chunk, size_t *at, int *number)
{
    zstd_data_status status = ZSTD_DATA_DONE;
    *at = 0;
    for (size_t i = 0; status == ZSTD_DATA_DONE && i < work->flush_count; i++) {
        const size_t end = work->flushes[i];
        if (end < *at || end > work->size_bytes) return ZSTD_DATA_BAD_PARAMETER;
        status = data_compress_part(context, work, *at, end, ZSTD_e_continue, chunk, number);
        if (status == ZSTD_DATA_DONE)
            status = data_compress_nothing(context, work, ZSTD_e_flush, chunk, number);
        *at = end;
    }
    return status;
}

/* Where the end is told together with the last of the data, the library announces the size. */
static zstd_data_status data_compress_all(ZSTD_CCtx *context, const zstd_data_work *work,
                                          uint8_t *chunk, int *number)
{
    const ZSTD_EndDirective end = (ZSTD_EndDirective)work->end;
    size_t at;
    zstd_data_status status = data_compress_flushed(context, work, chunk, &at, number);
    if (status != ZSTD_DATA_DONE || work->is_open) return status;
    const bool ends_at_once = work->announced_size_bytes == work->size_bytes;
    status = data_compress_part(context, work, at, work->size_bytes,
                                ends_at_once ? end : ZSTD_e_continue, chunk, number);
    if (status != ZSTD_DATA_DONE || (ends_at_once && at < work->size_bytes)) return status;
    return data_compress_nothing(context, work, end, chunk, number);
}

zstd_data_status zstd_data_compress(const zstd_data_work *work, int *number)
{
    ZSTD_CCtx *context cleanup(data_free_cctx) = ZSTD_createCCtx_advanced(data_memory(work));
    cleanup_free uint8_t *chunk = malloc(DATA_OUT_SIZE);
    if (context == NULL || chunk == NULL) return ZSTD_DATA_NO_MEMORY;
    const zstd_data_status status = data_prepare_compress(context, work, number);
    return status == ZSTD_DATA_DONE ? data_compress_all(context, work, chunk, number) : status;
}

/* --- Decompressing --- */

static zstd_data_status data_prepare_decompress(ZSTD_DCtx *context, const zstd_data_work *work,
                                                int *number)
{
    for (size_t i = 0; i < work->parameter_count; i++) {
        const zstd_data_parameter *given = &work->parameters[i];
        size_t result = ZSTD_DCtx_setParameter(context, (ZSTD_dParameter)given->key, given->value);
        if (ZSTD_isError(result)) return ZSTD_DATA_BAD_PARAMETER;
    }
    if (work->dictionary == NULL) return ZSTD_DATA_DONE;
    const size_t result =
        ZSTD_DCtx_loadDictionary(context, work->dictionary, work->dictionary_size_bytes);
    return ZSTD_isError(result) ? data_fail(result, number) : ZSTD_DATA_DONE;
}

static bool data_has_frame(const ZSTD_inBuffer *in)
{
    const uint8_t *rest = (const uint8_t *)in->src + in->pos;
    return ZSTD_getFrameContentSize(rest, in->size - in->pos) != ZSTD_CONTENTSIZE_ERROR;
}

zstd_data_status zstd_data_decompress(const zstd_data_work *work, int *number)
{
    ZSTD_DCtx *context cleanup(data_free_dctx) = ZSTD_createDCtx_advanced(data_memory(work));
    cleanup_free uint8_t *chunk = malloc(DATA_OUT_SIZE);
    if (context == NULL || chunk == NULL) return ZSTD_DATA_NO_MEMORY;
    const zstd_data_status status = data_prepare_decompress(context, work, number);
    if (status != ZSTD_DATA_DONE) return status;
    ZSTD_inBuffer in = {.src = work->bytes, .size = work->size_bytes};
    for (;;) {
        ZSTD_outBuffer out = {.dst = chunk, .size = DATA_OUT_SIZE};
        const size_t left = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(left)) return data_fail(left, number);
        if (!work->take(work->user, chunk, out.pos)) return ZSTD_DATA_STOPPED;
        if (left == 0 && (work->takes_one_frame || !data_has_frame(&in))) return ZSTD_DATA_DONE;
        if (in.pos == in.size && out.pos < out.size) return ZSTD_DATA_DONE;
    }
}

const char *zstd_data_text(int number)
{
    return ZSTD_getErrorString((ZSTD_ErrorCode)number);
}
