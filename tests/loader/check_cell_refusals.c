/* What must be refused, with which error, before zstd or V8 see a byte: the blob in these artifacts
 * is garbage, so that V8 would abort on it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact_checksum.h"
#include "artifact_writer.h"
#include "engine.h"
#include "fixture.h"

#define OTHER_ENGINE_KEY "aaaa0000000000000000000000000001"
#define OTHER_HOST_KEY "bbbb0000000000000000000000000002"
#define MISPLACED_KEY "cccc0000000000000000000000000003"

typedef struct stored {
    uint8_t *bytes;
    size_t size;
    off_t offset; /* in data.mdb */
} stored;

static const char *store_path;
static stored other_host;
static stored misplaced;

/* More than half a page: LMDB then keeps the artifact in pages of its own and makes no copies of
 * it. A place in this file and no other is what the loader reads. */
static const char *garbage_blob(void)
{
    static char blob[3000];
    memset(blob, 'g', sizeof(blob));
    memcpy(blob, "garbage, not a snapshot", 23);
    return blob;
}

static stored write_artifact(const char *key, const char *name, snapcell_fingerprint engine,
                             snapcell_fingerprint host)
{
    artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .engine = engine,
        .host = host,
        .name = name,
        .file_name = "garbage.js",
        .blob = {garbage_blob(), 3000},
        .source = {"garbage", 7},
        .manifest = {"{}", 2},
        .codec = ARTIFACT_CODEC_RAW,
    };
    if (snapcell_key_parse(key, &spec.key, NULL) != SNAPCELL_OK) abort();
    stored made = {0};
    if (artifact_write(&spec, &made.bytes, &made.size, NULL) != SNAPCELL_OK) abort();
    fixture_put(made.bytes, made.size, name);
    return made;
}

static int open_data_file(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/data.mdb", store_path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    return fd;
}

/* Where the artifact lies in the store's file: tests damage it there, since no put would. */
static void locate(stored *artifact)
{
    int fd = open_data_file();
    struct stat facts;
    if (fstat(fd, &facts) != 0) abort();
    size_t size = (size_t)facts.st_size;
    uint8_t *file = malloc(size);
    if (file == NULL || pread(fd, file, size, 0) != (ssize_t)size) abort();
    const uint8_t *found = memmem(file, size, artifact->bytes, artifact->size);
    if (found == NULL) abort();
    artifact->offset = found - file;
    free(file);
    close(fd);
}

static void overwrite(const stored *artifact, const uint8_t *bytes)
{
    int fd = open_data_file();
    ck_assert_int_eq(pwrite(fd, bytes, artifact->size, artifact->offset), (ssize_t)artifact->size);
    close(fd);
}

static snapcell_fingerprint other_fingerprint(void)
{
    snapcell_fingerprint other = engine_fingerprint();
    other.bytes[0] ^= 1;
    return other;
}

static void make_store(void)
{
    store_path = fixture_new_store();
    snapcell_fingerprint engine = engine_fingerprint(), host = snapcell_host_fingerprint(NULL);
    stored other_engine =
        write_artifact(OTHER_ENGINE_KEY, "other-engine", other_fingerprint(), host);
    free(other_engine.bytes);
    other_host = write_artifact(OTHER_HOST_KEY, "other-host", engine, other_fingerprint());
    misplaced = write_artifact(MISPLACED_KEY, "misplaced", engine, host);
    locate(&other_host);
    locate(&misplaced);
}

static void expect_refusal(snapcell_loader *loader, const char *ref, int code, snapcell_error *err)
{
    snapcell_cell *cell = (snapcell_cell *)&code;
    int status = snapcell_cell_load(loader, ref, NULL, &cell, err);
    ck_assert_msg(status == code, "%s: expected %s, got %s: %s", ref == NULL ? "NULL" : ref,
                  snapcell_error_name(code), snapcell_error_name(status), err->message);
    ck_assert_int_eq(err->code, code);
    ck_assert_str_ne(err->message, "");
    ck_assert_ptr_null(cell);
}

static void expect_in_message(const snapcell_error *err, const char *part)
{
    ck_assert_msg(strstr(err->message, part) != NULL, "'%s' is not in: %s", part, err->message);
}

START_TEST(test_other_engine_is_refused)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_error err;
    expect_refusal(loader, OTHER_ENGINE_KEY, SNAPCELL_E_OTHER_ENGINE, &err);
    snapcell_fingerprint built = other_fingerprint(), ours = engine_fingerprint();
    char hex[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint_format(&built, hex);
    expect_in_message(&err, hex);
    snapcell_fingerprint_format(&ours, hex);
    expect_in_message(&err, hex);
    expect_in_message(&err, "recompile");
    expect_refusal(loader, "aaaa", SNAPCELL_E_OTHER_ENGINE, &err);
    expect_refusal(loader, "other-engine", SNAPCELL_E_OTHER_ENGINE, &err);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_other_host_is_refused)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_error err;
    expect_refusal(loader, "other-host", SNAPCELL_E_OTHER_HOST, &err);
    expect_in_message(&err, "host functions");
    expect_refusal(loader, OTHER_HOST_KEY, SNAPCELL_E_OTHER_HOST, &err);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_what_is_not_there_is_not_found)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_error err;
    expect_refusal(loader, "no-such-function", SNAPCELL_E_NOT_FOUND, &err);
    expect_in_message(&err, "no-such-function");
    expect_refusal(loader, "dddd0000000000000000000000000000", SNAPCELL_E_NOT_FOUND, &err);
    expect_refusal(loader, NULL, SNAPCELL_E_USAGE, &err);
    snapcell_loader_close(loader);
}
END_TEST

static bool is_damage(int code)
{
    return code == SNAPCELL_E_CORRUPT || code == SNAPCELL_E_FORMAT || code == SNAPCELL_E_TOO_LARGE;
}

/* Intact it is refused for its host functions: any other answer than damage means that a flipped
 * byte went unseen. */
START_TEST(test_every_flipped_byte_is_noticed)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_error err;
    expect_refusal(loader, "other-host", SNAPCELL_E_OTHER_HOST, &err);
    uint8_t *damaged = malloc(other_host.size);
    for (size_t i = 0; i < other_host.size; i++) {
        memcpy(damaged, other_host.bytes, other_host.size);
        damaged[i] ^= (uint8_t)(1u << i % 8);
        overwrite(&other_host, damaged);
        snapcell_cell *cell = NULL;
        int status = snapcell_cell_load(loader, "other-host", NULL, &cell, &err);
        ck_assert_msg(is_damage(status), "byte %zu: %s", i, snapcell_error_name(status));
        ck_assert_ptr_null(cell);
    }
    overwrite(&other_host, other_host.bytes);
    expect_refusal(loader, "other-host", SNAPCELL_E_OTHER_HOST, &err);
    free(damaged);
    snapcell_loader_close(loader);
}
END_TEST

/* An attacker who alters bytes can make a new checksum, but that is not the checksum that was
 * verified. */
START_TEST(test_new_checksum_does_not_pass_for_a_verified_one)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_error err;
    expect_refusal(loader, "other-host", SNAPCELL_E_OTHER_HOST, &err);
    uint8_t *damaged = malloc(other_host.size);
    memcpy(damaged, other_host.bytes, other_host.size);
    uint8_t *garbage = memmem(damaged, other_host.size, "garbage, not", 12);
    ck_assert_ptr_nonnull(garbage);
    garbage[0] = 'G';
    artifact_checksum(damaged, other_host.size, ((artifact_header *)damaged)->checksum);
    overwrite(&other_host, damaged);
    expect_refusal(loader, "other-host", SNAPCELL_E_CORRUPT, &err);
    expect_in_message(&err, "digest");
    expect_refusal(loader, "other-host", SNAPCELL_E_CORRUPT, &err);
    overwrite(&other_host, other_host.bytes);
    free(damaged);
    snapcell_loader_close(loader);
}
END_TEST

/* A whole and sealed artifact, but not the one that the key promises. */
START_TEST(test_artifact_under_another_key_is_refused)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    uint8_t *moved = malloc(misplaced.size);
    memcpy(moved, misplaced.bytes, misplaced.size);
    ((artifact_header *)moved)->key[15] ^= 1;
    artifact_seal(moved, misplaced.size);
    overwrite(&misplaced, moved);
    snapcell_error err;
    expect_refusal(loader, "misplaced", SNAPCELL_E_CORRUPT, &err);
    expect_in_message(&err, MISPLACED_KEY);
    overwrite(&misplaced, misplaced.bytes);
    free(moved);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_newer_format_is_refused)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    uint8_t *newer = malloc(misplaced.size);
    memcpy(newer, misplaced.bytes, misplaced.size);
    le32_set(&((artifact_header *)newer)->format_version, 1000);
    artifact_seal(newer, misplaced.size);
    overwrite(&misplaced, newer);
    snapcell_error err;
    expect_refusal(loader, "misplaced", SNAPCELL_E_FORMAT, &err);
    overwrite(&misplaced, misplaced.bytes);
    free(newer);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_refusals_are_counted_and_leave_nothing)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_error err;
    expect_refusal(loader, "other-host", SNAPCELL_E_OTHER_HOST, &err);
    expect_refusal(loader, "no-such-function", SNAPCELL_E_NOT_FOUND, &err);
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    ck_assert_uint_eq(counters.loads, 0);
    ck_assert_uint_eq(counters.load_failures, 2);
    ck_assert_uint_eq(counters.live_cells, 0);
    ck_assert_uint_eq(counters.decoded_size_bytes, 0);
    snapcell_loader_close(loader);
}
END_TEST

START_TEST(test_err_may_be_null)
{
    snapcell_loader *loader = fixture_open(NULL, NULL, NULL);
    snapcell_cell *cell = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "other-host", NULL, &cell, NULL),
                     SNAPCELL_E_OTHER_HOST);
    ck_assert_int_eq(snapcell_cell_load(loader, NULL, NULL, &cell, NULL), SNAPCELL_E_USAGE);
    snapcell_loader_close(loader);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("cell_refusals");
    tcase_add_test(tcase, test_other_engine_is_refused);
    tcase_add_test(tcase, test_other_host_is_refused);
    tcase_add_test(tcase, test_what_is_not_there_is_not_found);
    tcase_add_test(tcase, test_every_flipped_byte_is_noticed);
    tcase_add_test(tcase, test_new_checksum_does_not_pass_for_a_verified_one);
    tcase_add_test(tcase, test_artifact_under_another_key_is_refused);
    tcase_add_test(tcase, test_newer_format_is_refused);
    tcase_add_test(tcase, test_refusals_are_counted_and_leave_nothing);
    tcase_add_test(tcase, test_err_may_be_null);
    return fixture_run(suite_create("cell_refusals"), tcase);
}
