/* The same store opened twice in one process, and its files replaced meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_fixture.h"

static snapcell_error err;

START_TEST(test_open_twice)
{
    char other_path[128];
    snapcell_store *first = fixture_open(SNAPCELL_STORE_CREATE);
    snapcell_store *second = NULL;
    snprintf(other_path, sizeof(other_path), "%s/link", fixture_directory);
    ck_assert_int_eq(symlink("store", other_path), 0);
    ck_assert_ok(snapcell_store_open(other_path, SNAPCELL_STORE_WRITE, &second, &err), err);
    ck_assert_ok(fixture_put(first, 1, 1, 100, "one", &err), err);
    ck_assert_ok(fixture_put(second, 2, 1, 100, "two", &err), err);
    ck_assert(fixture_has(first, 2, 1, 100));
    ck_assert(fixture_has(second, 1, 1, 100));
    snapcell_store_close(first);
    ck_assert(fixture_has(second, 2, 1, 100));
    ck_assert_ok(fixture_put(second, 3, 1, 100, "three", &err), err);
    snapcell_store_close(second);
}
END_TEST

START_TEST(test_open_for_writing_after_reading)
{
    snapcell_store_view view;
    snapcell_store *writer = NULL;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, "one", &err), err);
    snapcell_store_close(store);
    snapcell_store *reader = fixture_open(SNAPCELL_STORE_READ);
    ck_assert(fixture_has(reader, 1, 1, 100));
    fixture_artifact one = fixture_artifact_new(1, 1, 100);
    ck_assert_ok(snapcell_store_view_open(reader, &one.key, &view, &err), err);
    ck_assert_fails(snapcell_store_open(fixture_store, SNAPCELL_STORE_WRITE, &writer, &err),
                    SNAPCELL_E_BUSY, err);
    ck_assert_mem_eq(view.bytes, one.bytes, one.size_bytes);
    snapcell_store_view_close(reader, &view);
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_WRITE, &writer, &err), err);
    ck_assert_ok(fixture_put(writer, 2, 1, 100, "two", &err), err);
    ck_assert(fixture_has(reader, 2, 1, 100));
    snapcell_store_close(reader);
    ck_assert_ok(fixture_put(writer, 3, 1, 100, "three", &err), err);
    snapcell_store_close(writer);
    fixture_artifact_free(&one);
}
END_TEST

START_TEST(test_open_when_data_was_replaced)
{
    char path[128];
    snapcell_store *second = NULL;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_fails(snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &second, &err),
                    SNAPCELL_E_NOT_FOUND, err);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, "one", &err), err);
    snapcell_store_close(store);
}
END_TEST
int main(void)
{
    Suite *suite = suite_create("store_handles");
    TCase *tcase = tcase_create("handles");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_open_twice);
    tcase_add_test(tcase, test_open_for_writing_after_reading);
    tcase_add_test(tcase, test_open_when_data_was_replaced);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
