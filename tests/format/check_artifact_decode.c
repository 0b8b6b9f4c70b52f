/* R36, and the decoder that a thread keeps. */
#include <pthread.h>
#include <string.h>

#include "artifact_samples.h"
#include "check_run.h"

static artifact_section framed_blob(void)
{
    return (artifact_section){sample_blob_frame, sizeof(sample_blob_frame), sizeof(sample_blob),
                              ARTIFACT_CODEC_ZSTD};
}

static artifact_section prefixed_blob(void)
{
    return (artifact_section){sample_blob_prefix_frame, sizeof(sample_blob_prefix_frame),
                              sizeof(sample_blob), ARTIFACT_CODEC_ZSTD_PREFIX};
}

/* Decodes into memory of just that size, so that a sanitizer sees each byte written beyond it. */
static int decode_with(const artifact_section *section, const void *prefix, size_t prefix_size,
                       const void *expected)
{
    const size_t size = (size_t)section->decoded_size_bytes;
    uint8_t *out = malloc(size + (size == 0));
    ck_assert_ptr_nonnull(out);
    snapcell_error err = {0};
    const int status = prefix == NULL ? artifact_section_decode(section, out, &err)
                                      : artifact_section_decode_with_prefix(section, prefix,
                                                                            prefix_size, out, &err);
    ck_assert_int_eq(err.code, status);
    if (status == SNAPCELL_OK && size > 0) ck_assert_mem_eq(out, expected, size);
    free(out);
    return status;
}

static int decode(const artifact_section *section, const void *expected)
{
    return decode_with(section, NULL, 0, expected);
}

static int decode_behind_prefix(const artifact_section *section)
{
    return decode_with(section, sample_prefix, sizeof(sample_prefix), sample_blob);
}

START_TEST(test_decode_gives_the_bytes)
{
    const artifact_section raw = {sample_blob, sizeof(sample_blob), sizeof(sample_blob),
                                  ARTIFACT_CODEC_RAW};
    ck_assert_int_eq(decode(&raw, sample_blob), SNAPCELL_OK);
    const artifact_section framed = framed_blob();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(decode(&framed, sample_blob), SNAPCELL_OK);
    }
    const artifact_section empty = {0};
    ck_assert_int_eq(decode(&empty, NULL), SNAPCELL_OK);
}
END_TEST

START_TEST(test_decode_refuses_sizes_that_lie)
{
    for (uint64_t size = 0; size < 100; size++) {
        artifact_section framed = framed_blob();
        framed.decoded_size_bytes = size;
        ck_assert_int_eq(decode(&framed, sample_blob),
                         size == sizeof(sample_blob) ? SNAPCELL_OK : SNAPCELL_E_CORRUPT);
        artifact_section raw = {sample_large_blob, 40, size, ARTIFACT_CODEC_RAW};
        ck_assert_int_eq(decode(&raw, sample_large_blob),
                         size == 40 ? SNAPCELL_OK : SNAPCELL_E_CORRUPT);
    }
}
END_TEST

START_TEST(test_decode_refuses_an_unknown_codec)
{
    artifact_section section = framed_blob();
    section.codec = (artifact_codec)3;
    ck_assert_int_eq(decode(&section, sample_blob), SNAPCELL_E_CORRUPT);
    ck_assert_int_eq(decode_behind_prefix(&section), SNAPCELL_E_CORRUPT);
}
END_TEST

/* The decoder is kept: neither a prefix nor its absence may be left over for the next section. */
START_TEST(test_decode_uses_a_prefix_once)
{
    const artifact_section plain = framed_blob();
    const artifact_section prefixed = prefixed_blob();
    artifact_section mislabelled = prefixed; /* needs the prefix, and does not say so */
    mislabelled.codec = ARTIFACT_CODEC_ZSTD;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(decode_behind_prefix(&prefixed), SNAPCELL_OK);
        ck_assert_int_eq(decode(&mislabelled, sample_blob), SNAPCELL_E_CORRUPT);
        ck_assert_int_eq(decode_behind_prefix(&mislabelled), SNAPCELL_E_CORRUPT);
        ck_assert_int_eq(decode(&plain, sample_blob), SNAPCELL_OK);
        ck_assert_int_eq(decode(&prefixed, NULL), SNAPCELL_E_USAGE);
        ck_assert_int_eq(decode(&plain, sample_blob), SNAPCELL_OK);
    }
}
END_TEST

START_TEST(test_decode_leaves_a_prefix_alone_that_is_not_needed)
{
    const artifact_section raw = {sample_blob, sizeof(sample_blob), sizeof(sample_blob),
                                  ARTIFACT_CODEC_RAW};
    const artifact_section plain = framed_blob();
    ck_assert_int_eq(decode_behind_prefix(&raw), SNAPCELL_OK);
    ck_assert_int_eq(decode_behind_prefix(&plain), SNAPCELL_OK);
}
END_TEST

START_TEST(test_decode_needs_the_prefix)
{
    const artifact_section prefixed = prefixed_blob();
    uint8_t out[sizeof(sample_blob)];
    snapcell_error err;
    ck_assert_int_eq(artifact_section_decode(&prefixed, out, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "prefix"));
    ck_assert_int_eq(artifact_section_decode_with_prefix(&prefixed, sample_prefix, 0, out, &err),
                     SNAPCELL_E_USAGE);
    ck_assert_int_eq(artifact_section_decode_with_prefix(&prefixed, NULL, 100, out, &err),
                     SNAPCELL_E_USAGE);
}
END_TEST

/* Another prefix is not noticed where the frame's copies lie within it; only the engine's
 * fingerprint guards that. Where they do not, it is; no byte before it is read (a sanitizer tells).
 */
START_TEST(test_decode_with_another_prefix)
{
    const artifact_section prefixed = prefixed_blob();
    uint8_t *other = malloc(sizeof(sample_prefix));
    ck_assert_ptr_nonnull(other);
    memset(other, '?', sizeof(sample_prefix));
    ck_assert_int_eq(decode_with(&prefixed, other, sizeof(sample_prefix),
                                 "????????????????????????????????????????"),
                     SNAPCELL_OK);
    free(other);
    /* The copy begins 80 bytes before the content. */
    for (size_t size = 1; size < 80; size++) {
        uint8_t *tail = malloc(size);
        ck_assert_ptr_nonnull(tail);
        memcpy(tail, sample_prefix + sizeof(sample_prefix) - size, size);
        ck_assert_int_eq(decode_with(&prefixed, tail, size, sample_blob), SNAPCELL_E_CORRUPT);
        free(tail);
    }
    ck_assert_int_eq(decode_with(&prefixed, sample_prefix + 20, 80, sample_blob), SNAPCELL_OK);
}
END_TEST

/* A prefix is raw, even when it begins as a zstd dictionary does. */
START_TEST(test_decode_takes_a_prefix_as_raw)
{
    const artifact_section prefixed = prefixed_blob();
    uint8_t prefix[sizeof(sample_prefix)];
    memcpy(prefix, sample_prefix, sizeof(prefix));
    memcpy(prefix, "\x37\xa4\x30\xec\x01\x00\x00\x00", 8);
    ck_assert_int_eq(decode_with(&prefixed, prefix, sizeof(prefix), sample_blob), SNAPCELL_OK);
}
END_TEST

START_TEST(test_decode_refuses_every_cut_and_works_after_it)
{
    const artifact_section whole = framed_blob();
    for (size_t size = 0; size < sizeof(sample_blob_frame); size++) {
        artifact_section cut = whole;
        uint8_t *copy = malloc(size + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, sample_blob_frame, size);
        cut.data = copy;
        cut.stored_size_bytes = size;
        ck_assert_int_eq(decode(&cut, sample_blob), SNAPCELL_E_CORRUPT);
        free(copy);
        ck_assert_int_eq(decode(&whole, sample_blob), SNAPCELL_OK);
    }
}
END_TEST

/* Each byte of a really compressed frame takes every value: no crash, and no byte beyond the end.
 */
START_TEST(test_decode_survives_damaged_frames)
{
    static uint8_t text[600];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)('a' + i * i % 23);
    }
    artifact_spec spec = sample_spec();
    spec.codec = (artifact_codec)_i;
    spec.prefix = (artifact_part){text + 200, 300};
    spec.level = 9;
    spec.blob = (artifact_part){text, sizeof(text)};
    uint8_t *bytes = NULL;
    size_t size = 0;
    artifact_view view;
    ck_assert_int_eq(artifact_write(&spec, &bytes, &size, NULL), SNAPCELL_OK);
    ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, NULL), SNAPCELL_OK);
    ck_assert_int_eq(view.blob.codec, spec.codec);
    uint8_t *frame = bytes + (view.blob.data - bytes);
    static uint8_t out[sizeof(text) + 16];
    for (size_t at = 0; at < view.blob.stored_size_bytes; at++) {
        const uint8_t before = frame[at];
        for (unsigned value = 0; value < 256; value++) {
            frame[at] = (uint8_t)value;
            memset(out, 0x5a, sizeof(out));
            const int status = artifact_section_decode_with_prefix(
                &view.blob, spec.prefix.data, spec.prefix.size_bytes, out, NULL);
            ck_assert(status == SNAPCELL_OK || status == SNAPCELL_E_CORRUPT);
            for (size_t i = sizeof(text); i < sizeof(out); i++) {
                ck_assert_uint_eq(out[i], 0x5a);
            }
        }
        frame[at] = before;
    }
    free(bytes);
}
END_TEST

/* Check's assertions are for the main thread: a thread tells how often it failed. */
static void *decode_often(void *user)
{
    (void)user;
    uintptr_t failures = 0;
    const artifact_section sections[] = {framed_blob(), prefixed_blob()};
    for (int i = 0; i < 1000; i++) {
        uint8_t out[sizeof(sample_blob)] = {0};
        const int status = artifact_section_decode_with_prefix(&sections[i % 2], sample_prefix,
                                                               sizeof(sample_prefix), out, NULL);
        if (status != SNAPCELL_OK || memcmp(out, sample_blob, sizeof(out)) != 0) failures++;
    }
    return (void *)failures;
}

START_TEST(test_decode_on_many_threads)
{
    for (int round = 0; round < 4; round++) {
        pthread_t threads[4];
        for (size_t i = 0; i < 4; i++) {
            ck_assert_int_eq(pthread_create(&threads[i], NULL, decode_often, NULL), 0);
        }
        for (size_t i = 0; i < 4; i++) {
            void *failures = NULL;
            ck_assert_int_eq(pthread_join(threads[i], &failures), 0);
            ck_assert_ptr_null(failures);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("artifact_decode");
    TCase *tcase = tcase_create("artifact_decode");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_decode_gives_the_bytes);
    tcase_add_test(tcase, test_decode_refuses_sizes_that_lie);
    tcase_add_test(tcase, test_decode_refuses_an_unknown_codec);
    tcase_add_test(tcase, test_decode_uses_a_prefix_once);
    tcase_add_test(tcase, test_decode_leaves_a_prefix_alone_that_is_not_needed);
    tcase_add_test(tcase, test_decode_needs_the_prefix);
    tcase_add_test(tcase, test_decode_with_another_prefix);
    tcase_add_test(tcase, test_decode_takes_a_prefix_as_raw);
    tcase_add_test(tcase, test_decode_refuses_every_cut_and_works_after_it);
    tcase_add_loop_test(tcase, test_decode_survives_damaged_frames, ARTIFACT_CODEC_ZSTD,
                        ARTIFACT_CODEC_ZSTD_PREFIX + 1);
    tcase_add_test(tcase, test_decode_on_many_threads);
    return check_run(suite);
}
