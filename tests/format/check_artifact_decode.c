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

/* Decodes into memory of just that size, so that a sanitizer sees each byte written beyond it. */
static int decode(const artifact_section *section, const void *expected)
{
    const size_t size = (size_t)section->decoded_size_bytes;
    uint8_t *out = malloc(size + (size == 0));
    ck_assert_ptr_nonnull(out);
    snapcell_error err = {0};
    const int code = artifact_section_decode(section, out, &err);
    ck_assert_int_eq(err.code, code);
    if (code == SNAPCELL_OK && size > 0) ck_assert_mem_eq(out, expected, size);
    free(out);
    return code;
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
    section.codec = (artifact_codec)2;
    ck_assert_int_eq(decode(&section, sample_blob), SNAPCELL_E_CORRUPT);
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
    spec.codec = ARTIFACT_CODEC_ZSTD;
    spec.level = 9;
    spec.blob = (artifact_part){text, sizeof(text)};
    uint8_t *bytes = NULL;
    size_t size = 0;
    artifact_view view;
    ck_assert_int_eq(artifact_write(&spec, &bytes, &size, NULL), SNAPCELL_OK);
    ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, NULL), SNAPCELL_OK);
    ck_assert_int_eq(view.blob.codec, ARTIFACT_CODEC_ZSTD);
    uint8_t *frame = bytes + (view.blob.data - bytes);
    static uint8_t out[sizeof(text) + 16];
    for (size_t at = 0; at < view.blob.stored_size_bytes; at++) {
        const uint8_t before = frame[at];
        for (unsigned value = 0; value < 256; value++) {
            frame[at] = (uint8_t)value;
            memset(out, 0x5a, sizeof(out));
            const int code = artifact_section_decode(&view.blob, out, NULL);
            ck_assert(code == SNAPCELL_OK || code == SNAPCELL_E_CORRUPT);
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
    const artifact_section framed = framed_blob();
    for (int i = 0; i < 1000; i++) {
        uint8_t out[sizeof(sample_blob)] = {0};
        if (artifact_section_decode(&framed, out, NULL) != SNAPCELL_OK ||
            memcmp(out, sample_blob, sizeof(out)) != 0) {
            failures++;
        }
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
    tcase_add_test(tcase, test_decode_refuses_every_cut_and_works_after_it);
    tcase_add_test(tcase, test_decode_survives_damaged_frames);
    tcase_add_test(tcase, test_decode_on_many_threads);
    return check_run(suite);
}
