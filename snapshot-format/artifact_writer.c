#include "artifact_writer.h"

#include <inttypes.h>
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "artifact_checksum.h"
#include "artifact_layout.h"
#include "cleanup.h"
#include "error_set.h"
#include "format_version.h"
#include "utf8.h"

#define LEVEL_MIN 1
#define LEVEL_MAX 19
#define WINDOW_LOG_MIN 10 /* zstd's */

uint32_t artifact_compressor_version(void)
{
    return ZSTD_versionNumber();
}

/* --- What is to be written --- */

typedef struct artifact_row {
    artifact_section_type type;
    uint8_t flags;
    artifact_codec codec; /* wanted; what it does not make smaller stays raw */
    artifact_part part;
    uint64_t size_min;
    uint64_t size_max;
    const char *what;
} artifact_row;

#define ARTIFACT_ROW_COUNT 6

static artifact_part artifact_part_of_text(const char *text)
{
    return (artifact_part){text, text == NULL ? 0 : strlen(text)};
}

static void artifact_list_rows(const artifact_spec *spec, artifact_row rows[ARTIFACT_ROW_COUNT])
{
    const artifact_codec raw = ARTIFACT_CODEC_RAW;
    const artifact_codec text = spec->codec == raw ? raw : ARTIFACT_CODEC_ZSTD;
    const uint64_t blob_min = spec->kind == SNAPCELL_ARTIFACT_SNAPSHOT ? 1 : 0;
    const artifact_row all[ARTIFACT_ROW_COUNT] = {
        {ARTIFACT_SECTION_NAME, 0, raw, artifact_part_of_text(spec->name), 1,
         SNAPCELL_ARTIFACT_NAME_SIZE_MAX, "name"},
        {ARTIFACT_SECTION_FILE_NAME, 0, raw, artifact_part_of_text(spec->file_name), 1,
         SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX, "file name"},
        {ARTIFACT_SECTION_BLOB, 0, spec->codec, spec->blob, blob_min, ARTIFACT_BLOB_SIZE_MAX,
         "blob"},
        {ARTIFACT_SECTION_SOURCE, 0, text, spec->source, 1, ARTIFACT_SOURCE_SIZE_MAX, "source"},
        {ARTIFACT_SECTION_SOURCE_MAP, ARTIFACT_SECTION_OPTIONAL, text, spec->source_map, 1,
         ARTIFACT_SOURCE_MAP_SIZE_MAX, "source map"},
        {ARTIFACT_SECTION_MANIFEST, 0, raw, spec->manifest, 1, ARTIFACT_MANIFEST_SIZE_MAX,
         "manifest"},
    };
    memcpy(rows, all, sizeof(all));
}

static bool artifact_row_is_left_out(const artifact_row *row)
{
    return row->flags == ARTIFACT_SECTION_OPTIONAL && row->part.data == NULL;
}

static int artifact_check_row(const artifact_row *row, snapcell_error *err)
{
    if (artifact_row_is_left_out(row)) return SNAPCELL_OK;
    if (row->part.size_bytes > row->size_max) {
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "the %s of an artifact has at most %" PRIu64 " bytes, this one has %zu",
                         row->what, row->size_max, row->part.size_bytes);
    }
    if (row->part.size_bytes < row->size_min ||
        (row->part.data == NULL && row->part.size_bytes > 0)) {
        return error_set(err, SNAPCELL_E_USAGE, "an artifact needs a %s that is not empty",
                         row->what);
    }
    const bool name = row->type == ARTIFACT_SECTION_NAME || row->type == ARTIFACT_SECTION_FILE_NAME;
    if (name && !utf8_is_name(row->part.data, row->part.size_bytes)) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "the %s '%s' is not UTF-8, or holds a control character or '/'; give "
                         "another one",
                         row->what, (const char *)row->part.data);
    }
    return SNAPCELL_OK;
}

static bool artifact_in_range(int value, int min, int max)
{
    return value >= min && value <= max;
}

static int artifact_check_prelude(const artifact_spec *spec, snapcell_error *err)
{
    const size_t unit = spec->source_encoding == ARTIFACT_TEXT_UTF16LE ? 2 : 1;
    if (spec->prelude_length == 0 ||
        (spec->kind == SNAPCELL_ARTIFACT_CODE && spec->source_format == SNAPCELL_SOURCE_ESM &&
         spec->prelude_length < spec->source.size_bytes / unit)) {
        return SNAPCELL_OK;
    }
    return error_set(err, SNAPCELL_E_USAGE,
                     "a prelude is the beginning of an ES module that is evaluated at each load: "
                     "it cannot have %" PRIu32 " of %zu characters here",
                     spec->prelude_length, spec->source.size_bytes / unit);
}

static int artifact_check_spec(const artifact_spec *spec, snapcell_error *err)
{
    if (!artifact_in_range((int)spec->kind, SNAPCELL_ARTIFACT_SNAPSHOT, SNAPCELL_ARTIFACT_CODE) ||
        !artifact_in_range((int)spec->shape, SNAPCELL_SHAPE_FETCH, SNAPCELL_SHAPE_JSON) ||
        !artifact_in_range((int)spec->source_format, SNAPCELL_SOURCE_ESM, SNAPCELL_SOURCE_SCRIPT) ||
        !artifact_in_range((int)spec->source_encoding, ARTIFACT_TEXT_LATIN1,
                           ARTIFACT_TEXT_UTF16LE) ||
        !artifact_in_range((int)spec->codec, ARTIFACT_CODEC_RAW, ARTIFACT_CODEC_ZSTD_PREFIX)) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "no artifact has kind %d, shape %d, format %d, encoding %d and codec %d",
                         (int)spec->kind, (int)spec->shape, (int)spec->source_format,
                         (int)spec->source_encoding, (int)spec->codec);
    }
    if (spec->codec != ARTIFACT_CODEC_RAW &&
        !artifact_in_range(spec->level, LEVEL_MIN, LEVEL_MAX)) {
        return error_set(err, SNAPCELL_E_USAGE, "a zstd level is from %d to %d, this one is %d",
                         LEVEL_MIN, LEVEL_MAX, spec->level);
    }
    if (spec->source_encoding == ARTIFACT_TEXT_UTF16LE && spec->source.size_bytes % 2 != 0) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "UTF-16 has an even number of bytes, this source has %zu",
                         spec->source.size_bytes);
    }
    return artifact_check_prelude(spec, err);
}

static int artifact_check_prefix(const artifact_spec *spec, snapcell_error *err)
{
    if (spec->codec != ARTIFACT_CODEC_ZSTD_PREFIX) return SNAPCELL_OK;
    if (spec->prefix.data == NULL || spec->prefix.size_bytes == 0) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "codec %d needs a prefix that is not empty; give the engine's base blob",
                         (int)spec->codec);
    }
    if (spec->prefix.size_bytes > ARTIFACT_BLOB_SIZE_MAX) {
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "a prefix has at most %" PRIu64 " bytes, this one has %zu",
                         ARTIFACT_BLOB_SIZE_MAX, spec->prefix.size_bytes);
    }
    return SNAPCELL_OK;
}

/* --- Writing it --- */

typedef struct artifact_builder {
    uint8_t *bytes;
    size_t capacity_bytes;
    size_t used_bytes;
    ZSTD_CCtx *compressor; /* NULL: everything stays raw */
    artifact_part prefix;
} artifact_builder;

static void artifact_builder_release(artifact_builder *builder)
{
    free(builder->bytes);
    ZSTD_freeCCtx(builder->compressor);
}

/* Everything that changes bytes is set, so that a new default of zstd changes none. */
static bool artifact_compressor_set(ZSTD_CCtx *compressor, int level)
{
    const struct {
        ZSTD_cParameter parameter;
        int value;
    } settings[] = {
        {ZSTD_c_compressionLevel, level},
        {ZSTD_c_contentSizeFlag, 1},
        {ZSTD_c_checksumFlag, 0},
        {ZSTD_c_dictIDFlag, 0},
        {ZSTD_c_nbWorkers, 0},
        {ZSTD_c_enableLongDistanceMatching, 0},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const size_t result =
            ZSTD_CCtx_setParameter(compressor, settings[i].parameter, settings[i].value);
        if (ZSTD_isError(result)) return false;
    }
    return true;
}

static size_t artifact_table_end(const artifact_row *rows)
{
    size_t end = sizeof(artifact_header);
    for (size_t i = 0; i < ARTIFACT_ROW_COUNT; i++) {
        if (!artifact_row_is_left_out(&rows[i])) end += sizeof(artifact_section_entry);
    }
    return end;
}

static int artifact_builder_init(artifact_builder *builder, const artifact_spec *spec,
                                 const artifact_row *rows, snapcell_error *err)
{
    builder->used_bytes = artifact_table_end(rows);
    builder->capacity_bytes = builder->used_bytes;
    for (size_t i = 0; i < ARTIFACT_ROW_COUNT; i++) {
        builder->capacity_bytes += rows[i].part.size_bytes + ARTIFACT_SECTION_ALIGNMENT;
    }
    builder->bytes = calloc(1, builder->capacity_bytes);
    if (builder->bytes == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for an artifact of up to %zu bytes",
                         builder->capacity_bytes);
    }
    builder->prefix = spec->prefix;
    if (spec->codec == ARTIFACT_CODEC_RAW) return SNAPCELL_OK;
    builder->compressor = ZSTD_createCCtx();
    if (builder->compressor == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a zstd encoder");
    }
    if (!artifact_compressor_set(builder->compressor, spec->level)) {
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "this zstd (%s) does not take the parameters of the artifact format; "
                         "another version is needed",
                         ZSTD_versionString());
    }
    return SNAPCELL_OK;
}

/* The window has to reach from the end of the content back to the start of the prefix. */
static bool artifact_compressor_use_prefix(ZSTD_CCtx *compressor, const artifact_part *prefix,
                                           size_t content_size)
{
    int window_log = WINDOW_LOG_MIN;
    while (window_log < ARTIFACT_FRAME_WINDOW_LOG_MAX &&
           (UINT64_C(1) << window_log) < prefix->size_bytes + content_size) {
        window_log++;
    }
    return !ZSTD_isError(ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog, window_log)) &&
           !ZSTD_isError(ZSTD_CCtx_refPrefix(compressor, prefix->data, prefix->size_bytes));
}

/* What the section before this one has set, or left when it failed, changes no bytes. */
static bool artifact_compressor_begin(const artifact_builder *builder, artifact_codec codec,
                                      size_t content_size)
{
    ZSTD_CCtx *compressor = builder->compressor;
    (void)ZSTD_CCtx_reset(compressor, ZSTD_reset_session_only);
    if (codec == ARTIFACT_CODEC_ZSTD_PREFIX) {
        return artifact_compressor_use_prefix(compressor, &builder->prefix, content_size);
    }
    /* 0: the level's own window. */
    return !ZSTD_isError(ZSTD_CCtx_refPrefix(compressor, NULL, 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog, 0));
}

/* Compresses into the builder's free bytes. `*out_size_bytes` is 0 when that would save nothing. */
static int artifact_compress(const artifact_builder *builder, artifact_codec codec,
                             const artifact_part *part, size_t *out_size_bytes, snapcell_error *err)
{
    /* With no more room than the raw bytes take less one, "too small" means that nothing is saved.
     */
    *out_size_bytes = 0;
    if (part->size_bytes == 0) return SNAPCELL_OK;
    if (!artifact_compressor_begin(builder, codec, part->size_bytes)) {
        return error_set(err, SNAPCELL_E_INTERNAL,
                         "this zstd (%s) does not take the artifact format's codec %d; another "
                         "version is needed",
                         ZSTD_versionString(), (int)codec);
    }
    const size_t size = ZSTD_compress2(builder->compressor, builder->bytes + builder->used_bytes,
                                       part->size_bytes - 1, part->data, part->size_bytes);
    if (!ZSTD_isError(size)) {
        *out_size_bytes = size;
        return SNAPCELL_OK;
    }
    switch (ZSTD_getErrorCode(size)) {
    case ZSTD_error_dstSize_tooSmall:
        return SNAPCELL_OK;
    case ZSTD_error_memory_allocation:
        return error_set(err, SNAPCELL_E_NOMEM, "no memory to compress %zu bytes",
                         part->size_bytes);
    default:
        return error_set(err, SNAPCELL_E_INTERNAL, "zstd failed on %zu bytes: %s", part->size_bytes,
                         ZSTD_getErrorName(size));
    }
}

static int artifact_append(artifact_builder *builder, const artifact_row *row,
                           artifact_section_entry *entry, snapcell_error *err)
{
    const size_t start = (size_t)artifact_align(builder->used_bytes);
    /* A compressor may leave anything behind its result. */
    memset(builder->bytes + builder->used_bytes, 0, start - builder->used_bytes);
    builder->used_bytes = start;

    size_t stored_size = 0;
    artifact_codec codec = ARTIFACT_CODEC_RAW;
    if (row->codec != ARTIFACT_CODEC_RAW) {
        const int status = artifact_compress(builder, row->codec, &row->part, &stored_size, err);
        if (status != SNAPCELL_OK) return status;
    }
    if (stored_size > 0) {
        codec = row->codec;
    } else {
        stored_size = row->part.size_bytes;
        if (stored_size > 0) memcpy(builder->bytes + start, row->part.data, stored_size);
    }
    builder->used_bytes += stored_size;

    le16_set(&entry->type, (uint16_t)row->type);
    entry->flags = row->flags;
    entry->codec = (uint8_t)codec;
    le64_set(&entry->offset, start);
    le64_set(&entry->stored_size, stored_size);
    le64_set(&entry->decoded_size, row->part.size_bytes);
    return SNAPCELL_OK;
}

static void artifact_fill_header(artifact_builder *builder, const artifact_spec *spec,
                                 uint32_t section_count)
{
    artifact_header *header = (artifact_header *)builder->bytes;
    memcpy(header->magic, ARTIFACT_MAGIC, ARTIFACT_MAGIC_SIZE);
    le32_set(&header->format_version, SNAPCELL_FORMAT_VERSION);
    le64_set(&header->artifact_size, builder->used_bytes);
    le64_set(&header->digest_end, builder->used_bytes);
    header->kind = (uint8_t)spec->kind;
    header->shape = (uint8_t)spec->shape;
    header->source_format = (uint8_t)spec->source_format;
    header->source_encoding = (uint8_t)spec->source_encoding;
    le32_set(&header->section_count, section_count);
    le32_set(&header->prelude_length, spec->prelude_length);
    memcpy(header->key, spec->key.bytes, sizeof(header->key));
    memcpy(header->engine, spec->engine.bytes, sizeof(header->engine));
    memcpy(header->host, spec->host.bytes, sizeof(header->host));
    memcpy(header->bundle_hash, spec->bundle_hash, sizeof(header->bundle_hash));
}

static int artifact_append_all(artifact_builder *builder, const artifact_row *rows,
                               uint32_t *out_count, snapcell_error *err)
{
    artifact_section_entry *table =
        (artifact_section_entry *)(builder->bytes + sizeof(artifact_header));
    uint32_t count = 0;
    for (size_t i = 0; i < ARTIFACT_ROW_COUNT; i++) {
        if (artifact_row_is_left_out(&rows[i])) continue;
        const int status = artifact_append(builder, &rows[i], &table[count], err);
        if (status != SNAPCELL_OK) return status;
        count++;
    }
    *out_count = count;
    return SNAPCELL_OK;
}

int artifact_write(const artifact_spec *spec, uint8_t **out, size_t *out_size_bytes,
                   snapcell_error *err)
{
    *out = NULL;
    *out_size_bytes = 0;
    artifact_row rows[ARTIFACT_ROW_COUNT];
    artifact_list_rows(spec, rows);
    int status = artifact_check_spec(spec, err);
    if (status == SNAPCELL_OK) status = artifact_check_prefix(spec, err);
    for (size_t i = 0; i < ARTIFACT_ROW_COUNT && status == SNAPCELL_OK; i++) {
        status = artifact_check_row(&rows[i], err);
    }
    if (status != SNAPCELL_OK) return status;

    cleanup(artifact_builder_release) artifact_builder builder = {0};
    uint32_t section_count = 0;
    status = artifact_builder_init(&builder, spec, rows, err);
    if (status == SNAPCELL_OK) status = artifact_append_all(&builder, rows, &section_count, err);
    if (status != SNAPCELL_OK) return status;
    artifact_fill_header(&builder, spec, section_count);
    artifact_seal(builder.bytes, builder.used_bytes);

    /* Shrinking cannot lose the bytes; should it fail, the larger buffer will do. */
    uint8_t *shrunk = realloc(builder.bytes, builder.used_bytes);
    *out = shrunk != NULL ? shrunk : builder.bytes;
    *out_size_bytes = builder.used_bytes;
    builder.bytes = NULL;
    return SNAPCELL_OK;
}
