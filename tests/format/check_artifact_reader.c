#include <string.h>

#include "artifact_checksum.h"
#include "artifact_samples.h"
#include "check_run.h"
#include "format_version.h"

/* Check's own assertions each take a write: too slow for loops over every byte. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) ck_abort_msg("%s", #condition);                                          \
    } while (0)

/* Reads from memory of just that size, so that a sanitizer sees each byte read beyond it. */
static int read_copy(const uint8_t *bytes, size_t size_bytes, artifact_check check,
                     snapcell_error *err)
{
    uint8_t *copy = malloc(size_bytes + (size_bytes == 0));
    EXPECT(copy != NULL);
    if (size_bytes > 0) memcpy(copy, bytes, size_bytes);
    artifact_view view;
    memset(&view, 0x5a, sizeof(view));
    const int status = artifact_read(copy, size_bytes, check, &view, err);
    if (status != SNAPCELL_OK) {
        static const artifact_view zero;
        EXPECT(memcmp(&view, &zero, sizeof(view)) == 0);
        EXPECT(err->code == status);
        EXPECT(err->message[0] != 0);
    }
    free(copy);
    return status;
}

START_TEST(test_reader_gives_the_facts)
{
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_view view;
    snapcell_error err;
    ck_assert_int_eq(
        artifact_read(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &view, &err),
        SNAPCELL_OK);
    const snapcell_artifact_info *info = &view.info;
    ck_assert_uint_eq(info->format_version, SNAPCELL_FORMAT_VERSION);
    ck_assert_int_eq(info->kind, SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_int_eq(info->shape, SNAPCELL_SHAPE_FETCH);
    ck_assert_int_eq(info->source_format, SNAPCELL_SOURCE_ESM);
    const artifact_spec spec = sample_spec();
    ck_assert_mem_eq(&info->key, &spec.key, sizeof(info->key));
    ck_assert_mem_eq(&info->engine, &spec.engine, sizeof(info->engine));
    ck_assert_mem_eq(&info->host, &spec.host, sizeof(info->host));
    ck_assert_mem_eq(info->bundle_hash, spec.bundle_hash, sizeof(info->bundle_hash));
    ck_assert_str_eq(info->name, sample_name);
    ck_assert_str_eq(info->file_name, sample_file_name);
    ck_assert_uint_eq(info->blob_size_bytes, sizeof(sample_blob));
    ck_assert_uint_eq(info->source_size_bytes, strlen(sample_source));
    ck_assert_uint_eq(info->artifact_size_bytes, sample.size_bytes);
    ck_assert_uint_eq(info->manifest_size_bytes, strlen(sample_manifest));
    ck_assert_mem_eq(info->manifest, sample_manifest, strlen(sample_manifest));
    ck_assert_mem_eq(info->digest, ((artifact_header *)sample.bytes)->digest, 32);
    ck_assert_mem_eq(view.blob.data, sample_blob, sizeof(sample_blob));
    ck_assert_mem_eq(view.source.data, sample_source, strlen(sample_source));
    ck_assert_mem_eq(view.source_map.data, sample_source_map, strlen(sample_source_map));
    ck_assert_ptr_eq(view.manifest.data, info->manifest);
    ck_assert_uint_eq((uintptr_t)view.blob.data % 16, 0);
    ck_assert_uint_eq((uintptr_t)view.source.data % 16, 0);

    snapcell_artifact_info inspected;
    memset(&inspected, 0x5a, sizeof(inspected));
    ck_assert_int_eq(snapcell_artifact_inspect(sample.bytes, sample.size_bytes, &inspected, NULL),
                     SNAPCELL_OK);
    ck_assert_mem_eq(&inspected, info, sizeof(inspected));
    memset(&inspected, 0x5a, sizeof(inspected));
    ck_assert_int_eq(snapcell_artifact_describe(sample.bytes, sample.size_bytes, &inspected, NULL),
                     SNAPCELL_OK);
    ck_assert_mem_eq(&inspected, info, sizeof(inspected));
}
END_TEST

/* Damage is found without the digest; an adversary's hashes are not. */
START_TEST(test_describe_leaves_out_the_digest)
{
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_header *header = (artifact_header *)sample.bytes;
    static const snapcell_artifact_info zero;
    snapcell_artifact_info info;
    header->digest[7] ^= 1;
    ck_assert_int_eq(snapcell_artifact_describe(sample.bytes, sample.size_bytes, &info, NULL),
                     SNAPCELL_E_CORRUPT);
    ck_assert_mem_eq(&info, &zero, sizeof(info));
    artifact_checksum(sample.bytes, sample.size_bytes, header->checksum);
    ck_assert_int_eq(snapcell_artifact_describe(sample.bytes, sample.size_bytes, &info, NULL),
                     SNAPCELL_OK);
    ck_assert_mem_eq(info.digest, header->digest, sizeof(info.digest));
    ck_assert_int_eq(snapcell_artifact_inspect(sample.bytes, sample.size_bytes, &info, NULL),
                     SNAPCELL_E_CORRUPT);
    ck_assert_mem_eq(&info, &zero, sizeof(info));
}
END_TEST

START_TEST(test_reader_leaves_out_an_absent_source_map)
{
    test_sample sample;
    sample_init(&sample);
    sample_remove(&sample, ARTIFACT_SECTION_SOURCE_MAP);
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_view view;
    ck_assert_int_eq(
        artifact_read(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &view, NULL),
        SNAPCELL_OK);
    ck_assert_ptr_null(view.source_map.data);
    ck_assert_uint_eq(view.source_map.stored_size_bytes, 0);
    ck_assert_uint_eq(view.source_map.decoded_size_bytes, 0);
}
END_TEST

/* R2. Nothing after the header is looked at, so that no 512 MiB are needed. */
START_TEST(test_reader_refuses_more_than_the_cap)
{
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_view view;
    const size_t sizes[] = {ARTIFACT_SIZE_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(
            artifact_read(sample.bytes, sizes[i], ARTIFACT_CHECK_CHECKSUM, &view, NULL),
            SNAPCELL_E_TOO_LARGE);
    }
    ck_assert_int_eq(
        artifact_read(sample.bytes, ARTIFACT_SIZE_MAX, ARTIFACT_CHECK_CHECKSUM, &view, NULL),
        SNAPCELL_E_CORRUPT); /* R5 comes before the checksum */
}
END_TEST

/* The good samples, flipped and cut at every place: R1, R3, R4, R5, R6. */
static const sample_case *next_good_sample(size_t *index, test_sample *out)
{
    while (*index < sample_case_count) {
        const sample_case *row = sample_case_make((*index)++, out);
        if (row->code == SNAPCELL_OK && row->decode_code == SNAPCELL_OK) return row;
    }
    return NULL;
}

START_TEST(test_reader_finds_every_flipped_byte)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    const artifact_check check = _i == 0 ? ARTIFACT_CHECK_CHECKSUM : ARTIFACT_CHECK_DIGEST;
    test_sample sample;
    size_t index = 0;
    while (next_good_sample(&index, &sample) != NULL) {
        for (size_t at = 0; at < sample.size_bytes; at++) {
            const bool version = at >= 12 && at < 16;
            for (size_t i = 0; i < sizeof(masks); i++) {
                snapcell_error err;
                sample.bytes[at] ^= masks[i];
                const int status = read_copy(sample.bytes, sample.size_bytes, check, &err);
                EXPECT(status == (version ? SNAPCELL_E_FORMAT : SNAPCELL_E_CORRUPT));
                sample.bytes[at] ^= masks[i];
            }
        }
    }
}
END_TEST

START_TEST(test_reader_finds_every_cut)
{
    test_sample sample;
    size_t index = 0;
    while (next_good_sample(&index, &sample) != NULL) {
        for (size_t size = 0; size < sample.size_bytes; size++) {
            snapcell_error err;
            const int status = read_copy(sample.bytes, size, ARTIFACT_CHECK_DIGEST, &err);
            EXPECT(status == SNAPCELL_E_CORRUPT);
        }
        for (size_t more = 1; more <= 64; more++) {
            snapcell_error err;
            ck_assert_int_eq(
                read_copy(sample.bytes, sample.size_bytes + more, ARTIFACT_CHECK_DIGEST, &err),
                SNAPCELL_E_CORRUPT);
        }
    }
}
END_TEST

/* As an adversary would: each byte of header and table takes many values, and the hashes are
 * right. Whatever the answer is, it is one of these, and what passes decodes or says that it does
 * not. */
START_TEST(test_reader_survives_right_hashes_over_wrong_bytes)
{
    test_sample sample;
    size_t index = 0;
    while (next_good_sample(&index, &sample) != NULL) {
        const size_t end =
            sizeof(artifact_header) + sample.section_count * sizeof(artifact_section_entry);
        for (size_t at = ARTIFACT_DIGEST_START; at < end; at++) {
            const uint8_t before = sample.bytes[at];
            for (unsigned value = 0; value < 256; value += at < 192 ? 3 : 15) {
                snapcell_error err;
                sample.bytes[at] = (uint8_t)value;
                sample_seal(&sample);
                const int status =
                    read_copy(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &err);
                EXPECT(status == SNAPCELL_OK || status == SNAPCELL_E_CORRUPT ||
                       status == SNAPCELL_E_FORMAT || status == SNAPCELL_E_TOO_LARGE);
            }
            sample.bytes[at] = before;
        }
        sample_seal(&sample);
    }
}
END_TEST

/* R8: without the digest's check an altered digest passes, when the checksum is right. */
START_TEST(test_reader_checks_the_digest_when_asked)
{
    test_sample sample;
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_header *header = (artifact_header *)sample.bytes;
    header->digest[7] ^= 1;
    artifact_checksum(sample.bytes, sample.size_bytes, header->checksum);
    snapcell_error err;
    ck_assert_int_eq(read_copy(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_CHECKSUM, &err),
                     SNAPCELL_OK);
    ck_assert_int_eq(read_copy(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &err),
                     SNAPCELL_E_CORRUPT);
}
END_TEST

/* A trailer can be changed without touching the digest: a signature over it must be able to. */
START_TEST(test_reader_leaves_trailers_out_of_the_digest)
{
    test_sample sample;
    sample_init(&sample);
    sample_add(&sample, (sample_section){0xff00, ARTIFACT_SECTION_OPTIONAL, 0, "sign", 4, 4});
    sample_layout(&sample);
    sample_seal(&sample);
    artifact_header *header = (artifact_header *)sample.bytes;
    sample.bytes[sample.size_bytes - 1] = 'N';
    artifact_checksum(sample.bytes, sample.size_bytes, header->checksum);
    snapcell_error err;
    ck_assert_int_eq(read_copy(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &err),
                     SNAPCELL_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("artifact_reader");
    TCase *tcase = tcase_create("artifact_reader");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_reader_gives_the_facts);
    tcase_add_test(tcase, test_describe_leaves_out_the_digest);
    tcase_add_test(tcase, test_reader_leaves_out_an_absent_source_map);
    tcase_add_test(tcase, test_reader_refuses_more_than_the_cap);
    tcase_add_loop_test(tcase, test_reader_finds_every_flipped_byte, 0, 2);
    tcase_add_test(tcase, test_reader_finds_every_cut);
    tcase_add_test(tcase, test_reader_survives_right_hashes_over_wrong_bytes);
    tcase_add_test(tcase, test_reader_checks_the_digest_when_asked);
    tcase_add_test(tcase, test_reader_leaves_trailers_out_of_the_digest);
    return check_run(suite);
}
