/* Layouts: complete or absent, added to, and checked when they are read. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../format/check_run.h"
#include "oci_layout.h"

static snapcell_error err;
static char folder[64];
static char path[80];

static int remove_entry(const char *name, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts;
    (void)type;
    (void)walk;
    return remove(name);
}

static void setup(void)
{
    strcpy(folder, "/tmp/snapcell-layout-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    sprintf(path, "%s/layout", folder);
}

static void teardown(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static oci_entry blob_of(const char *text, const char *tag)
{
    oci_entry entry = {.document = {.media_type = OCI_TYPE_MANIFEST, .size_bytes = strlen(text)}};
    oci_digest_of(text, strlen(text), entry.document.digest);
    strcpy(entry.tag, tag);
    return entry;
}

static int write_layout(const char *text, const char *tag, bool force)
{
    oci_layout *layout;
    const oci_entry entry = blob_of(text, tag);
    int status = oci_layout_begin(path, &layout, &err);
    if (status != SNAPCELL_OK) return status;
    ck_assert_int_eq(oci_layout_put(layout, &entry.document, text, &err), 0);
    ck_assert_int_eq(oci_layout_put(layout, &entry.document, text, &err), 0);
    status = oci_layout_commit(layout, &entry, 1, force, &err);
    oci_layout_discard(layout);
    return status;
}

static int count_of(const char *where)
{
    char command[200];
    int count = -1;
    snprintf(command, sizeof(command), "find %s -mindepth 1 | wc -l", where);
    FILE *pipe = popen(command, "r");
    ck_assert_int_eq(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

static void expect_tags(const char *first, const char *second)
{
    oci_document document;
    ck_assert_int_eq(oci_layout_index(path, &document, &err), 0);
    ck_assert_uint_eq(document.index.count, second != NULL ? 2 : 1);
    ck_assert_str_eq(document.index.entries[0].tag, first);
    if (second != NULL) ck_assert_str_eq(document.index.entries[1].tag, second);
    oci_document_release(&document);
}

static void write_file(const char *name, const char *text)
{
    char file[200];
    snprintf(file, sizeof(file), "%s/%s", path, name);
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

START_TEST(test_layout_is_written_and_read)
{
    void *bytes;
    size_t size;
    const oci_entry entry = blob_of("one", "a");
    ck_assert_int_eq(write_layout("one", "a", false), 0);
    expect_tags("a", NULL);
    ck_assert_int_eq(oci_layout_get(path, &entry.document, &bytes, &size, &err), 0);
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(bytes, "one", 3);
    free(bytes);
    ck_assert_int_eq(count_of(folder), 6); /* itself, oci-layout, index.json, two folders, a blob */
}
END_TEST

START_TEST(test_nothing_stays_of_what_was_not_committed)
{
    oci_layout *layout;
    const oci_entry entry = blob_of("one", "a");
    ck_assert_int_eq(oci_layout_begin(path, &layout, &err), 0);
    ck_assert_int_eq(oci_layout_put(layout, &entry.document, "one", &err), 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    oci_layout_discard(layout);
    ck_assert_int_eq(count_of(folder), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(oci_layout_begin(path, &layout, &err), 0);
    ck_assert_int_eq(oci_layout_put(layout, &entry.document, "one", &err), 0);
    oci_layout_discard(layout);
    ck_assert_int_eq(count_of(folder), 1);
}
END_TEST

START_TEST(test_layout_is_added_to)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(write_layout("one", "a", false), 0);
    ck_assert_int_eq(write_layout("two", "b", false), 0);
    expect_tags("a", "b");
    ck_assert_int_eq(write_layout("one", "a", false), 0); /* the same again */
    expect_tags("a", "b");
    ck_assert_int_eq(write_layout("three", "a", false), SNAPCELL_E_EXISTS);
    ck_assert_ptr_nonnull(strstr(err.message, "--force"));
    expect_tags("a", "b");
    ck_assert_int_eq(write_layout("three", "a", true), 0);
    expect_tags("a", "b");
}
END_TEST

START_TEST(test_entries_of_others_are_kept)
{
    char *text = NULL;
    size_t size = 0;
    char file[200];
    ck_assert_int_eq(write_layout("one", "a", false), 0);
    write_file("index.json",
               "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x/y\",\"digest\":\"sha256:"
               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"size\":1,"
               "\"urls\":[\"kept\"]}],\"annotations\":{}}");
    ck_assert_int_eq(write_layout("two", "b", false), 0);
    snprintf(file, sizeof(file), "%s/index.json", path);
    FILE *in = fopen(file, "r");
    ck_assert_int_ge(getdelim(&text, &size, '\0', in), 0);
    fclose(in);
    ck_assert_ptr_nonnull(strstr(text, "\"urls\":[\"kept\"]"));
    free(text);
}
END_TEST

START_TEST(test_other_folders_are_left_alone)
{
    oci_layout *layout;
    ck_assert_int_eq(mkdir(path, 0700), 0);
    write_file("letter", "dear");
    ck_assert_int_eq(write_layout("one", "a", true), SNAPCELL_E_EXISTS);
    ck_assert_int_eq(count_of(folder), 2);
    write_file("oci-layout", "{\"imageLayoutVersion\":\"9.0.0\"}");
    ck_assert_int_eq(write_layout("one", "a", true), SNAPCELL_E_EXISTS);
    sprintf(path, "%s/layout/letter", folder);
    ck_assert_int_eq(oci_layout_begin(path, &layout, &err), SNAPCELL_E_EXISTS);
    sprintf(path, "%s/no/where", folder);
    ck_assert_int_eq(oci_layout_begin(path, &layout, &err), SNAPCELL_E_NOT_FOUND);
}
END_TEST

START_TEST(test_damage_is_found)
{
    void *bytes = NULL;
    size_t size;
    char name[200];
    oci_document document;
    oci_entry entry = blob_of("one", "a");
    ck_assert_int_eq(write_layout("one", "a", false), 0);
    snprintf(name, sizeof(name), "blobs/sha256/%.64s", entry.document.digest + 7);
    write_file(name, "onE");
    ck_assert_int_eq(oci_layout_get(path, &entry.document, &bytes, &size, &err),
                     SNAPCELL_E_CORRUPT);
    ck_assert_ptr_null(bytes);
    ck_assert_int_eq(write_layout("one", "a", false), 0); /* writing repairs it */
    ck_assert_int_eq(oci_layout_get(path, &entry.document, &bytes, &size, &err), 0);
    free(bytes);
    entry.document.size_bytes = 4;
    ck_assert_int_eq(oci_layout_get(path, &entry.document, &bytes, &size, &err),
                     SNAPCELL_E_CORRUPT);
    oci_digest_of("none", 4, entry.document.digest);
    ck_assert_int_eq(oci_layout_get(path, &entry.document, &bytes, &size, &err),
                     SNAPCELL_E_NOT_FOUND);
    write_file("oci-layout", "{}");
    ck_assert_int_eq(oci_layout_index(path, &document, &err), SNAPCELL_E_FORMAT);
    write_file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    write_file("index.json", "{");
    ck_assert_int_eq(oci_layout_index(path, &document, &err), SNAPCELL_E_CORRUPT);
    snprintf(name, sizeof(name), "%s/index.json", path);
    ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(mkfifo(name, 0600), 0);
    ck_assert_int_eq(oci_layout_index(path, &document, &err), SNAPCELL_E_IO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oci_layout");
    TCase *tcase = tcase_create("layout");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_layout_is_written_and_read);
    tcase_add_test(tcase, test_nothing_stays_of_what_was_not_committed);
    tcase_add_test(tcase, test_layout_is_added_to);
    tcase_add_test(tcase, test_entries_of_others_are_kept);
    tcase_add_test(tcase, test_other_folders_are_left_alone);
    tcase_add_test(tcase, test_damage_is_found);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
