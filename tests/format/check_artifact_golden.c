/* tests/golden/artifact/: a file for each case, named by its defect; make_golden writes them. They
 * hold the format still: a change of theirs is a change of the format. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "artifact_samples.h"
#include "check_run.h"

/* What a message says when a rule is broken, so that a case is refused for its own reason. */
static const struct {
    const char *rule;
    const char *says;
} sayings[] = {
    {"r01", "at least 192 bytes"},
    {"r03", "not a snapcell artifact"},
    {"r04", "has format version"},
    {"r05", "truncated or altered"},
    {"r06", "its checksum does not match"},
    {"r07", "digest ends at byte"},
    {"r08", "its digest does not match"},
    {"r09", "has kind"},
    {"r10", "has handler shape"},
    {"r11", "has source format"},
    {"r12", "has source encoding"},
    {"r13", "uses header bytes"},
    {"r14", "sections, 32 are allowed"},
    {"r15", "table of 6 sections"},
    {"r16", "comes after"},
    {"r17", "begins at byte"},
    {"r18", "are left"},
    {"r19", "other bytes than zeros"},
    {"r20", "unknown flags"},
    {"r21", "a required section of type"},
    {"r23", "has flags"},
    {"r24", "a section with codec"},
    {"r25", "is compressed"},
    {"r26", "are allowed"},
    {"r27", "is empty"},
    {"r28", "is raw, but"},
    {"r29", "zstd"},
    {"r30", "is not UTF-8"},
    {"r31", "without a blob"},
    {"r32", "an odd number"},
    {"r33", "sections end at byte"},
    {"r34", "is expected"},
    {"r35", "the artifact has no"},
    {"r36", "decode"},
    {"r37", "cannot have a prelude"},
};

static const char *saying_of(const char *name)
{
    for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
        if (strncmp(name, sayings[i].rule, 3) == 0) return sayings[i].says;
    }
    ck_abort_msg("no rule for %s", name);
    return NULL;
}

static size_t read_golden(const char *name, uint8_t *out, size_t out_size_bytes)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s.artifact", GOLDEN_DIR, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing: run make_golden", path);
    const size_t size = fread(out, 1, out_size_bytes, file);
    ck_assert_int_eq(ferror(file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return size;
}

static void check_blob_decodes(const sample_case *row, const artifact_view *view)
{
    uint8_t *out = malloc((size_t)view->blob.decoded_size_bytes + 1);
    ck_assert_ptr_nonnull(out);
    snapcell_error err = {0};
    const int status = artifact_section_decode_with_prefix(&view->blob, sample_prefix,
                                                           sizeof(sample_prefix), out, &err);
    ck_assert_msg(status == row->decode_code, "%s: %d %s", row->name, status, err.message);
    if (status != SNAPCELL_OK) ck_assert_ptr_nonnull(strstr(err.message, saying_of(row->name)));
    free(out);
}

START_TEST(test_golden_case)
{
    static test_sample made;
    static uint8_t bytes[SAMPLE_SIZE_MAX];
    const sample_case *row = sample_case_make((size_t)_i, &made);
    const size_t size = read_golden(row->name, bytes, sizeof(bytes));
    ck_assert_msg(size == made.size_bytes && memcmp(bytes, made.bytes, size) == 0,
                  "%s has other bytes than its file", row->name);

    artifact_view view;
    snapcell_error err = {0};
    const int status = artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, &err);
    ck_assert_msg(status == row->code, "%s: %d instead of %d: %s", row->name, status, row->code,
                  err.message);
    if (status == SNAPCELL_OK) {
        check_blob_decodes(row, &view);
    } else {
        ck_assert_msg(strstr(err.message, saying_of(row->name)) != NULL, "%s: %s", row->name,
                      err.message);
    }
}
END_TEST

/* Compressed by zstd 1.5.4; other versions may write other bytes, but read these. */
START_TEST(test_golden_compressed)
{
    static const struct {
        const char *name;
        artifact_codec codec;
    } files[] = {
        {"compressed", ARTIFACT_CODEC_ZSTD},
        {"compressed-prefix", ARTIFACT_CODEC_ZSTD_PREFIX},
    };
    static uint8_t bytes[SAMPLE_SIZE_MAX];
    static uint8_t blob[sizeof(sample_large_blob)];
    const size_t size = read_golden(files[_i].name, bytes, sizeof(bytes));
    artifact_view view;
    snapcell_error err;
    ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, &err), SNAPCELL_OK);
    ck_assert_int_eq(view.blob.codec, files[_i].codec);
    ck_assert_uint_eq(view.blob.decoded_size_bytes, sizeof(blob));
    ck_assert_int_eq(artifact_section_decode_with_prefix(&view.blob, sample_large_prefix,
                                                         sizeof(sample_large_prefix), blob, &err),
                     SNAPCELL_OK);
    ck_assert_mem_eq(blob, sample_large_blob, sizeof(blob));
}
END_TEST

START_TEST(test_golden_folder_has_no_other_files)
{
    DIR *folder = opendir(GOLDEN_DIR);
    ck_assert_ptr_nonnull(folder);
    size_t count = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') count++;
    }
    ck_assert_int_eq(closedir(folder), 0);
    ck_assert_uint_eq(count, sample_case_count + 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("artifact_golden");
    TCase *tcase = tcase_create("artifact_golden");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, test_golden_case, 0, (int)sample_case_count);
    tcase_add_loop_test(tcase, test_golden_compressed, 0, 2);
    tcase_add_test(tcase, test_golden_folder_has_no_other_files);
    return check_run(suite);
}
