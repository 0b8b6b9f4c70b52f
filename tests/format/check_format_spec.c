/* SPEC.md against the code, and the tests against SPEC.md. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "artifact_signature.h"
#include "check_run.h"
#include "format_version.h"

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    char *text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_lt(fread(text, 1, (1 << 20) - 1, file), (1 << 20) - 1);
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

static char *spec;

static void setup(void)
{
    spec = read_text(SPEC_FILE);
}
static void teardown(void)
{
    free(spec);
}

static void check_says(const char *format, unsigned long long number)
{
    char line[256];
    (void)snprintf(line, sizeof(line), format, number);
    ck_assert_msg(strstr(spec, line) != NULL, "SPEC.md does not say: %s", line);
}

START_TEST(test_spec_has_the_version)
{
    check_says("\nFormat version: %llu\n", SNAPCELL_FORMAT_VERSION);
    check_says("| format version | R4: %llu |", SNAPCELL_FORMAT_VERSION);
    check_says("The format version is %llu.", SNAPCELL_FORMAT_VERSION);
    check_says("\n- %llu: ", SNAPCELL_FORMAT_VERSION); /* the changelog */
}
END_TEST

START_TEST(test_spec_has_the_caps)
{
    check_says("There are at most %llu MiB.", ARTIFACT_SIZE_MAX >> 20);
    check_says("There are at most %llu sections.", ARTIFACT_SECTION_COUNT_MAX);
    check_says("| section count | R14: at most %llu |", ARTIFACT_SECTION_COUNT_MAX);
    check_says("| name | 0 | raw | 1 to %llu |", SNAPCELL_ARTIFACT_NAME_SIZE_MAX);
    check_says("| file name | 0 | raw | 1 to %llu |", SNAPCELL_ARTIFACT_FILE_NAME_SIZE_MAX);
    check_says("| blob | 0 | raw, zstd, zstd with prefix | 0 to %llu MiB |",
               ARTIFACT_BLOB_SIZE_MAX >> 20);
    check_says("| source | 0 | raw, zstd | 1 to %llu MiB |", ARTIFACT_SOURCE_SIZE_MAX >> 20);
    check_says("| source map | optional | raw, zstd | 1 to %llu MiB |",
               ARTIFACT_SOURCE_MAP_SIZE_MAX >> 20);
    check_says("| manifest | 0 | raw | 1 to %llu MiB |", ARTIFACT_MANIFEST_SIZE_MAX >> 20);
    check_says("a window of at most 2^%llu bytes", ARTIFACT_FRAME_WINDOW_LOG_MAX);
}
END_TEST

#define FIELD(type, member, text)                                                                  \
    {                                                                                              \
#type, offsetof(type, member), sizeof(((type *)NULL)->member), text                        \
    }

/* The byte tables: a line "| offset | size | name |" for each member. */
START_TEST(test_spec_has_the_layout)
{
    static const struct {
        const char *type;
        size_t offset;
        size_t size;
        const char *name;
    } fields[] = {
        FIELD(artifact_header, magic, "magic"),
        FIELD(artifact_header, format_version, "format version"),
        FIELD(artifact_header, checksum, "checksum"),
        FIELD(artifact_header, digest, "digest"),
        FIELD(artifact_header, artifact_size, "artifact size"),
        FIELD(artifact_header, digest_end, "digest end"),
        FIELD(artifact_header, kind, "kind"),
        FIELD(artifact_header, shape, "shape"),
        FIELD(artifact_header, source_format, "source format"),
        FIELD(artifact_header, source_encoding, "source encoding"),
        FIELD(artifact_header, section_count, "section count"),
        FIELD(artifact_header, key, "key"),
        FIELD(artifact_header, engine, "engine"),
        FIELD(artifact_header, host, "host"),
        FIELD(artifact_header, bundle_hash, "bundle hash"),
        FIELD(artifact_header, prelude_length, "prelude length"),
        FIELD(artifact_header, reserved, "reserved"),
        FIELD(artifact_section_entry, type, "type"),
        FIELD(artifact_section_entry, flags, "flags"),
        FIELD(artifact_section_entry, codec, "codec"),
        FIELD(artifact_section_entry, reserved, "reserved"),
        FIELD(artifact_section_entry, offset, "offset"),
        FIELD(artifact_section_entry, stored_size, "stored size"),
        FIELD(artifact_section_entry, decoded_size, "decoded size"),
        FIELD(artifact_signature_head, scheme, "scheme"),
        FIELD(artifact_signature_head, name_size, "name size"),
        FIELD(artifact_signature_head, tenant_size, "tenant size"),
        FIELD(artifact_signature_head, reserved, "reserved"),
        FIELD(artifact_signature_head, public_key, "public key"),
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "\n| %zu | %zu | %s | ", fields[i].offset,
                       fields[i].size, fields[i].name);
        ck_assert_msg(strstr(spec, line) != NULL, "SPEC.md does not say: %s", line);
    }
}
END_TEST

/* R7 as "R7" or, in a case's name, "r07"; not as the start of "R71". So with other letters. */
static bool text_cites(const char *text, char letter, unsigned rule)
{
    char cited[2][8];
    (void)snprintf(cited[0], sizeof(cited[0]), "%c%u", letter, rule);
    (void)snprintf(cited[1], sizeof(cited[1]), "%c%02u", letter - 'A' + 'a', rule);
    for (size_t i = 0; i < 2; i++) {
        for (const char *at = text; (at = strstr(at, cited[i])) != NULL; at++) {
            const char next = at[strlen(cited[i])];
            if (next < '0' || next > '9') return true;
        }
    }
    return false;
}

static bool tests_cite(char letter, unsigned rule)
{
    DIR *folder = opendir(TESTS_DIR);
    ck_assert_ptr_nonnull(folder);
    bool found = false;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const size_t length = strlen(entry->d_name);
        const bool test = strcmp(entry->d_name, "check_format_spec.c") != 0 && length > 2 &&
                          strcmp(entry->d_name + length - 2, ".c") == 0;
        if (!test) continue;
        char path[1024];
        (void)snprintf(path, sizeof(path), "%s/%s", TESTS_DIR, entry->d_name);
        char *text = read_text(path);
        found = found || text_cites(text, letter, rule);
        free(text);
    }
    ck_assert_int_eq(closedir(folder), 0);
    return found;
}

static void check_rules(char letter, unsigned count_min)
{
    unsigned rule = 1;
    for (;; rule++) {
        char heading[32];
        (void)snprintf(heading, sizeof(heading), "\n- **%c%u** ", letter, rule);
        if (strstr(spec, heading) == NULL) break;
        ck_assert_msg(tests_cite(letter, rule), "no test cites %c%u", letter, rule);
    }
    ck_assert_uint_ge(rule, count_min + 1);
    char next[32];
    (void)snprintf(next, sizeof(next), "**%c%u**", letter, rule + 1);
    ck_assert_msg(strstr(spec, next) == NULL, "SPEC.md leaves out %c%u", letter, rule);
}

START_TEST(test_every_rule_is_tested)
{
    check_rules('R', 36);
    check_rules('S', 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format_spec");
    TCase *tcase = tcase_create("format_spec");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_spec_has_the_version);
    tcase_add_test(tcase, test_spec_has_the_caps);
    tcase_add_test(tcase, test_spec_has_the_layout);
    tcase_add_test(tcase, test_every_rule_is_tested);
    return check_run(suite);
}
