#include <string.h>

#include "artifact_samples.h"
#include "check_run.h"
#include "hex.h"

/* Text that compresses, and text that does not. */
static void fill_text(uint8_t *out, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        out[i] = (uint8_t)("function () { return 1; }\n"[i % 26]);
    }
}

static void fill_noise(uint8_t *out, size_t size_bytes)
{
    uint64_t state = 1;
    for (size_t i = 0; i < size_bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(state >> 56);
    }
}

/* The prefix is the blob's alone: without it, nothing else may need one. */
static void check_decodes_to(const artifact_section *section, const artifact_part *prefix,
                             const artifact_part *part)
{
    ck_assert_uint_eq(section->decoded_size_bytes, part->size_bytes);
    uint8_t *out = malloc(part->size_bytes + 1);
    ck_assert_ptr_nonnull(out);
    snapcell_error err;
    const int status =
        artifact_section_decode_with_prefix(section, prefix->data, prefix->size_bytes, out, &err);
    ck_assert_int_eq(status, SNAPCELL_OK);
    ck_assert(part->size_bytes == 0 || memcmp(out, part->data, part->size_bytes) == 0);
    free(out);
}

/* Writes, reads back, compares; the artifact is the caller's. */
static uint8_t *write_and_read(const artifact_spec *spec, size_t *size_bytes, artifact_view *view)
{
    uint8_t *bytes = NULL;
    snapcell_error err;
    ck_assert_msg(artifact_write(spec, &bytes, size_bytes, &err) == SNAPCELL_OK, "%s", err.message);
    ck_assert_msg(artifact_read(bytes, *size_bytes, ARTIFACT_CHECK_DIGEST, view, &err) ==
                      SNAPCELL_OK,
                  "%s", err.message);
    const artifact_part none = {0};
    check_decodes_to(&view->blob, &spec->prefix, &spec->blob);
    check_decodes_to(&view->source, &none, &spec->source);
    check_decodes_to(&view->source_map, &none, &spec->source_map);
    check_decodes_to(&view->manifest, &none, &spec->manifest);
    ck_assert_str_eq(view->info.name, spec->name);
    ck_assert_str_eq(view->info.file_name, spec->file_name);
    return bytes;
}

/* The layout of SPEC.md, by hand; hashes computed by other programs (xxhsum -H2, Python's hashlib).
 */
START_TEST(test_writer_writes_these_bytes)
{
    static const char expected[] =
        "89736e617063656c6c0d0a1a" /* magic */
        "01000000"                 /* version */
        "84bde4af211ca2882356cf4e02f46c04"
        "c84fe2c3f2adcdccc9565d2c005b2b83d1ab68c03b5f9f4167cfb388b0d9ea2e"
        "5002000000000000"
        "5002000000000000"
        "01" /* snapshot */
        "01" /* fetch */
        "01" /* ES module */
        "00" /* Latin-1 */
        "06000000"
        "11111111111111111111111111111111"
        "22222222222222222222222222222222"
        "33333333333333333333333333333333"
        "44444444444444444444444444444444"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
        /* type, flags, codec, reserved, offset, stored size, decoded size */
        "0100"
        "00"
        "00"
        "00000000"
        "8001000000000000"
        "0500000000000000"
        "0500000000000000"
        "0200"
        "00"
        "00"
        "00000000"
        "9001000000000000"
        "0900000000000000"
        "0900000000000000"
        "0300"
        "00"
        "00"
        "00000000"
        "a001000000000000"
        "2800000000000000"
        "2800000000000000"
        "0400"
        "00"
        "00"
        "00000000"
        "d001000000000000"
        "3800000000000000"
        "3800000000000000"
        "0500"
        "01"
        "00"
        "00000000"
        "1002000000000000"
        "2800000000000000"
        "2800000000000000"
        "0600"
        "00"
        "00"
        "00000000"
        "4002000000000000"
        "1000000000000000"
        "1000000000000000"
        "68656c6c6f"
        "0000000000000000000000"
        "68c3a96c6c6f2e6a73"
        "00000000000000"
        "30313233343536373839";
    const artifact_spec spec = sample_spec();
    size_t size = 0;
    artifact_view view;
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    char hex[2 * sizeof(expected)];
    hex_format(bytes, (sizeof(expected) - 1) / 2, hex);
    ck_assert_str_eq(hex, expected);
    free(bytes);
}
END_TEST

START_TEST(test_writer_agrees_with_the_specification)
{
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    const artifact_spec spec = sample_spec();
    size_t size = 0;
    artifact_view view;
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    ck_assert_uint_eq(size, sample.size_bytes);
    ck_assert_mem_eq(bytes, sample.bytes, size);
    free(bytes);
}
END_TEST

static size_t written_size(const artifact_spec *spec)
{
    size_t size = 0;
    artifact_view view;
    free(write_and_read(spec, &size, &view));
    return size;
}

/* W1, W3: sizes around what the format and zstd treat differently. */
START_TEST(test_writer_gives_the_same_bytes_again)
{
    static const size_t sizes[] = {1,   15,    16,    17,     255,    256,
                                   257, 65535, 65536, 131072, 131073, 900000};
    static const int levels[] = {1, 9, 19};
    const size_t blob_size = sizes[_i];
    uint8_t *blob = malloc(blob_size);
    ck_assert_ptr_nonnull(blob);
    for (size_t i = 0; i < 2 * sizeof(levels) / sizeof(levels[0]); i++) {
        if (i % 2 == 0) {
            fill_text(blob, blob_size);
        } else {
            fill_noise(blob, blob_size);
        }
        artifact_spec spec = sample_spec();
        spec.codec = ARTIFACT_CODEC_ZSTD;
        spec.level = levels[i / 2];
        spec.blob = (artifact_part){blob, blob_size};
        spec.source = spec.blob;
        size_t size = 0;
        size_t size_again = 0;
        artifact_view view;
        uint8_t *bytes = write_and_read(&spec, &size, &view);
        uint8_t *again = write_and_read(&spec, &size_again, &view);
        ck_assert_uint_eq(size, size_again);
        ck_assert_mem_eq(bytes, again, size);
        free(bytes);
        free(again);
    }
    free(blob);
}
END_TEST

/* W1, W2, W3. All is noise, so that nothing but the prefix can make it smaller: the blob begins as
 * the prefix does, except for a byte. */
START_TEST(test_writer_uses_the_prefix)
{
    static const struct {
        size_t blob;
        size_t prefix;
    } sizes[] = {{64, 64},         {64, 700000},      {255, 1000},
                 {1024, 1000},     {65536, 3000},     {131073, 6000},
                 {131073, 700000}, {1048576, 700000}, {3000000, 700000}};
    const size_t blob_size = sizes[_i].blob;
    const size_t prefix_size = sizes[_i].prefix;
    const size_t shared_size = prefix_size < blob_size ? prefix_size : blob_size;
    uint8_t *noise = malloc(prefix_size + blob_size);
    ck_assert_ptr_nonnull(noise);
    fill_noise(noise, prefix_size + blob_size);
    uint8_t *blob = noise + prefix_size;
    memcpy(blob, noise, shared_size);
    blob[shared_size / 2] ^= 1;
    artifact_spec spec = sample_spec();
    spec.level = 9;
    spec.blob = (artifact_part){blob, blob_size};
    spec.codec = ARTIFACT_CODEC_ZSTD;
    const size_t size_without = written_size(&spec);
    spec.codec = ARTIFACT_CODEC_ZSTD_PREFIX;
    spec.prefix = (artifact_part){noise, prefix_size};
    size_t size = 0;
    size_t size_again = 0;
    artifact_view view;
    uint8_t *again = write_and_read(&spec, &size_again, &view);
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    ck_assert_int_eq(view.blob.codec, ARTIFACT_CODEC_ZSTD_PREFIX);
    ck_assert_uint_lt(size, size_without - shared_size / 4);
    ck_assert_uint_eq(size, size_again);
    ck_assert_mem_eq(bytes, again, size);
    free(bytes);
    free(again);
    free(noise);
}
END_TEST

/* W2: the prefix is for the blob. Neither it nor its window, nor that the blob stayed raw, changes
 * the sections after it. */
START_TEST(test_writer_keeps_the_prefix_to_the_blob)
{
    static uint8_t noise[400];
    static uint8_t text[40000];
    fill_noise(noise, sizeof(noise));
    /* Noise twice: found again only in a window larger than that of a small blob. */
    fill_noise(text, sizeof(text) / 2);
    memcpy(text + sizeof(text) / 2, text, sizeof(text) / 2);
    artifact_spec spec = sample_spec();
    spec.level = 9;
    spec.blob = _i == 0 ? (artifact_part){noise, sizeof(noise)} : spec.blob;
    spec.source = (artifact_part){text, sizeof(text)};
    spec.source_map = spec.source;
    spec.codec = ARTIFACT_CODEC_ZSTD;
    size_t size = 0;
    size_t size_prefixed = 0;
    artifact_view view;
    artifact_view prefixed;
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    spec.codec = ARTIFACT_CODEC_ZSTD_PREFIX;
    spec.prefix = (artifact_part){sample_prefix, sizeof(sample_prefix)};
    uint8_t *bytes_prefixed = write_and_read(&spec, &size_prefixed, &prefixed);
    ck_assert_int_eq(prefixed.blob.codec,
                     _i == 0 ? ARTIFACT_CODEC_RAW : ARTIFACT_CODEC_ZSTD_PREFIX);
    ck_assert_int_eq(prefixed.source.codec, ARTIFACT_CODEC_ZSTD);
    ck_assert_uint_lt(prefixed.source.stored_size_bytes, sizeof(text) / 2 + 100);
    ck_assert_uint_eq(prefixed.source.stored_size_bytes, view.source.stored_size_bytes);
    ck_assert_mem_eq(prefixed.source.data, view.source.data, view.source.stored_size_bytes);
    ck_assert_uint_eq(prefixed.source_map.stored_size_bytes, view.source_map.stored_size_bytes);
    free(bytes);
    free(bytes_prefixed);
}
END_TEST

/* W2 */
START_TEST(test_writer_compresses_where_it_helps)
{
    static uint8_t text[10000];
    static uint8_t noise[10000];
    fill_text(text, sizeof(text));
    fill_noise(noise, sizeof(noise));
    artifact_spec spec = sample_spec();
    spec.codec = ARTIFACT_CODEC_ZSTD;
    spec.level = 9;
    spec.blob = (artifact_part){noise, sizeof(noise)};
    spec.source = (artifact_part){text, sizeof(text)};
    spec.source_map = spec.source;
    size_t size = 0;
    artifact_view view;
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    ck_assert_int_eq(view.blob.codec, ARTIFACT_CODEC_RAW);
    ck_assert_uint_eq(view.blob.stored_size_bytes, sizeof(noise));
    ck_assert_int_eq(view.source.codec, ARTIFACT_CODEC_ZSTD);
    ck_assert_uint_lt(view.source.stored_size_bytes, sizeof(text) / 10);
    ck_assert_int_eq(view.source_map.codec, ARTIFACT_CODEC_ZSTD);
    ck_assert_int_eq(view.manifest.codec, ARTIFACT_CODEC_RAW);
    free(bytes);
}
END_TEST

START_TEST(test_writer_takes_code_without_a_cache)
{
    artifact_spec spec = sample_spec();
    spec.kind = SNAPCELL_ARTIFACT_CODE;
    spec.blob = (artifact_part){NULL, 0};
    spec.source_map = (artifact_part){NULL, 0};
    spec.codec = (artifact_codec)_i;
    spec.prefix = (artifact_part){sample_prefix, sizeof(sample_prefix)};
    spec.level = 3;
    size_t size = 0;
    artifact_view view;
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    ck_assert_uint_eq(view.info.blob_size_bytes, 0);
    ck_assert_ptr_null(view.source_map.data);
    ck_assert_int_eq(artifact_section_decode(&view.blob, NULL, NULL), SNAPCELL_OK);
    free(bytes);
}
END_TEST

START_TEST(test_writer_keeps_a_prelude)
{
    artifact_spec spec = sample_spec();
    spec.kind = SNAPCELL_ARTIFACT_CODE;
    spec.prelude_length = (uint32_t)spec.source.size_bytes - 1;
    size_t size = 0;
    artifact_view view;
    uint8_t *bytes = write_and_read(&spec, &size, &view);
    ck_assert_uint_eq(view.info.prelude_length, spec.prelude_length);
    free(bytes);
}
END_TEST

START_TEST(test_writer_keeps_every_choice)
{
    for (int kind = 1; kind <= 2; kind++) {
        for (int shape = 1; shape <= 2; shape++) {
            for (int format = 1; format <= 3; format++) {
                artifact_spec spec = sample_spec();
                spec.kind = (snapcell_artifact_kind)kind;
                spec.shape = (snapcell_handler_shape)shape;
                spec.source_format = (snapcell_source_format)format;
                spec.source_encoding = ARTIFACT_TEXT_UTF16LE;
                size_t size = 0;
                artifact_view view;
                uint8_t *bytes = write_and_read(&spec, &size, &view);
                ck_assert_int_eq((int)view.info.kind, kind);
                ck_assert_int_eq((int)view.info.shape, shape);
                ck_assert_int_eq((int)view.info.source_format, format);
                ck_assert_int_eq(view.source_encoding, ARTIFACT_TEXT_UTF16LE);
                free(bytes);
            }
        }
    }
}
END_TEST

static void check_refused(const artifact_spec *spec, int code, const char *says)
{
    uint8_t *bytes = (uint8_t *)spec;
    size_t size = 1;
    snapcell_error err = {0};
    ck_assert_int_eq(artifact_write(spec, &bytes, &size, &err), code);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, says) != NULL, "'%s' in: %s", says, err.message);
    ck_assert_ptr_null(bytes);
    ck_assert_uint_eq(size, 0);
}

#define REFUSED(code, says, ...)                                                                   \
    do {                                                                                           \
        artifact_spec spec = sample_spec();                                                        \
        __VA_ARGS__;                                                                               \
        check_refused(&spec, code, says);                                                          \
    } while (0)

START_TEST(test_writer_refuses_what_a_reader_would)
{
    static char name[SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX + 2];
    memset(name, 'n', sizeof(name) - 1);
    REFUSED(SNAPCELL_E_USAGE, "kind 0", spec.kind = (snapcell_artifact_kind)0);
    REFUSED(SNAPCELL_E_USAGE, "kind 3", spec.kind = (snapcell_artifact_kind)3);
    REFUSED(SNAPCELL_E_USAGE, "shape 0", spec.shape = (snapcell_handler_shape)0);
    REFUSED(SNAPCELL_E_USAGE, "format 0", spec.source_format = (snapcell_source_format)0);
    REFUSED(SNAPCELL_E_USAGE, "encoding 2", spec.source_encoding = (artifact_text_encoding)2);
    REFUSED(SNAPCELL_E_USAGE, "codec 3", spec.codec = (artifact_codec)3);
    REFUSED(SNAPCELL_E_USAGE, "needs a prefix", spec.codec = ARTIFACT_CODEC_ZSTD_PREFIX;
            spec.level = 3);
    REFUSED(SNAPCELL_E_USAGE, "needs a prefix", spec.codec = ARTIFACT_CODEC_ZSTD_PREFIX;
            spec.level = 3; spec.prefix.size_bytes = 1);
    REFUSED(SNAPCELL_E_TOO_LARGE, "prefix", spec.codec = ARTIFACT_CODEC_ZSTD_PREFIX; spec.level = 3;
            spec.prefix = (artifact_part){sample_prefix, ARTIFACT_BLOB_SIZE_MAX + 1});
    REFUSED(SNAPCELL_E_USAGE, "level", spec.codec = ARTIFACT_CODEC_ZSTD; spec.level = 0);
    REFUSED(SNAPCELL_E_USAGE, "level", spec.codec = ARTIFACT_CODEC_ZSTD; spec.level = 20);
    REFUSED(SNAPCELL_E_USAGE, "level", spec.codec = ARTIFACT_CODEC_ZSTD_PREFIX; spec.level = 20);
    REFUSED(SNAPCELL_E_USAGE, "even", spec.source_encoding = ARTIFACT_TEXT_UTF16LE;
            spec.source.size_bytes = 3);
    REFUSED(SNAPCELL_E_USAGE, "prelude", spec.prelude_length = 1);
    REFUSED(SNAPCELL_E_USAGE, "prelude", spec.kind = SNAPCELL_ARTIFACT_CODE;
            spec.prelude_length = (uint32_t)spec.source.size_bytes);
    REFUSED(SNAPCELL_E_USAGE, "prelude", spec.kind = SNAPCELL_ARTIFACT_CODE;
            spec.prelude_length = UINT32_MAX);
    REFUSED(SNAPCELL_E_USAGE, "prelude", spec.kind = SNAPCELL_ARTIFACT_CODE;
            spec.source_format = SNAPCELL_SOURCE_SCRIPT; spec.prelude_length = 1);
    REFUSED(SNAPCELL_E_USAGE, "needs a name", spec.name = NULL);
    REFUSED(SNAPCELL_E_USAGE, "needs a name", spec.name = "");
    REFUSED(SNAPCELL_E_USAGE, "needs a file name", spec.file_name = NULL);
    REFUSED(SNAPCELL_E_USAGE, "file name", spec.file_name = "a/b.js");
    REFUSED(SNAPCELL_E_USAGE, "name", spec.name = "a\nb");
    REFUSED(SNAPCELL_E_USAGE, "name", spec.name = "\xff");
    REFUSED(SNAPCELL_E_TOO_LARGE, "name", spec.name = name);
    REFUSED(SNAPCELL_E_TOO_LARGE, "file name", spec.file_name = name);
    REFUSED(SNAPCELL_E_USAGE, "needs a blob", spec.blob.size_bytes = 0);
    REFUSED(SNAPCELL_E_USAGE, "needs a blob", spec.blob.data = NULL);
    REFUSED(SNAPCELL_E_USAGE, "needs a source", spec.source.size_bytes = 0);
    REFUSED(SNAPCELL_E_USAGE, "needs a source", spec.source.data = NULL);
    REFUSED(SNAPCELL_E_USAGE, "needs a source map", spec.source_map.size_bytes = 0);
    REFUSED(SNAPCELL_E_USAGE, "needs a manifest", spec.manifest = (artifact_part){0});
    REFUSED(SNAPCELL_E_TOO_LARGE, "blob", spec.blob.size_bytes = ARTIFACT_BLOB_SIZE_MAX + 1);
    REFUSED(SNAPCELL_E_TOO_LARGE, "source", spec.source.size_bytes = SIZE_MAX);
    REFUSED(SNAPCELL_E_TOO_LARGE, "source map",
            spec.source_map.size_bytes = ARTIFACT_SOURCE_MAP_SIZE_MAX + 1);
    REFUSED(SNAPCELL_E_TOO_LARGE, "manifest",
            spec.manifest.size_bytes = ARTIFACT_MANIFEST_SIZE_MAX + 1);
}
END_TEST

START_TEST(test_writer_takes_names_of_the_longest_size)
{
    static char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1];
    static char file_name[SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX + 1];
    memset(name, 'n', sizeof(name) - 1);
    memset(file_name, 'f', sizeof(file_name) - 1);
    artifact_spec spec = sample_spec();
    spec.name = name;
    spec.file_name = file_name;
    size_t size = 0;
    artifact_view view;
    free(write_and_read(&spec, &size, &view));
}
END_TEST

START_TEST(test_writer_names_its_compressor)
{
    ck_assert_uint_ge(artifact_compressor_version(), 10400);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("artifact_writer");
    TCase *tcase = tcase_create("artifact_writer");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_writer_writes_these_bytes);
    tcase_add_test(tcase, test_writer_agrees_with_the_specification);
    tcase_add_loop_test(tcase, test_writer_gives_the_same_bytes_again, 0, 12);
    tcase_add_test(tcase, test_writer_compresses_where_it_helps);
    tcase_add_loop_test(tcase, test_writer_uses_the_prefix, 0, 9);
    tcase_add_loop_test(tcase, test_writer_keeps_the_prefix_to_the_blob, 0, 2);
    tcase_add_loop_test(tcase, test_writer_takes_code_without_a_cache, ARTIFACT_CODEC_RAW,
                        ARTIFACT_CODEC_ZSTD_PREFIX + 1);
    tcase_add_test(tcase, test_writer_keeps_a_prelude);
    tcase_add_test(tcase, test_writer_keeps_every_choice);
    tcase_add_test(tcase, test_writer_refuses_what_a_reader_would);
    tcase_add_test(tcase, test_writer_takes_names_of_the_longest_size);
    tcase_add_test(tcase, test_writer_names_its_compressor);
    return check_run(suite);
}
