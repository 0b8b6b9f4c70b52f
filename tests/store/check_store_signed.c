/* One artifact under several signatures: what a put keeps, and what a replacement takes. */
#include <stdlib.h>
#include <string.h>

#include "artifact_signature.h"
#include "signing_key.h"
#include "store_fixture.h"

static fixture_artifact plain;
static uint8_t *by_first, *by_second;
static size_t by_first_size, by_second_size;
static snapcell_store *store;

static uint8_t *sign_with(uint8_t number, size_t *size)
{
    snapcell_signing_key key = {{number}};
    void *made = NULL;
    ck_assert_int_eq(
        snapcell_artifact_sign(plain.bytes, plain.size_bytes, &key, NULL, NULL, &made, size, NULL),
        SNAPCELL_OK);
    return made;
}

static void setup(void)
{
    fixture_setup();
    plain = fixture_artifact_new(1, 1, 3000);
    by_first = sign_with(1, &by_first_size);
    by_second = sign_with(2, &by_second_size);
    store = fixture_open(SNAPCELL_STORE_CREATE);
}

static void teardown(void)
{
    snapcell_store_close(store);
    fixture_artifact_free(&plain);
    free(by_first);
    free(by_second);
    fixture_teardown();
}

static void expect_stored(const uint8_t *bytes, size_t size)
{
    void *found = NULL;
    size_t found_size = 0;
    ck_assert_int_eq(snapcell_store_get(store, &plain.key, &found, &found_size, NULL), SNAPCELL_OK);
    ck_assert_uint_eq(found_size, size);
    ck_assert_mem_eq(found, bytes, size);
    free(found);
}

START_TEST(test_unsigned_leaves_the_signature)
{
    snapcell_error err;
    snapcell_key key;
    ck_assert_ok(snapcell_store_put(store, by_first, by_first_size, "name", &err), err);
    ck_assert_ok(snapcell_store_put(store, plain.bytes, plain.size_bytes, "other", &err), err);
    expect_stored(by_first, by_first_size);
    ck_assert_ok(snapcell_store_resolve(store, "other", NULL, &key, &err), err);
    ck_assert_mem_eq(&key, &plain.key, sizeof(key));
}
END_TEST

START_TEST(test_signed_needs_a_replacement)
{
    snapcell_error err;
    ck_assert_ok(snapcell_store_put(store, plain.bytes, plain.size_bytes, "name", &err), err);
    ck_assert_fails(snapcell_store_put(store, by_first, by_first_size, "name", &err),
                    SNAPCELL_E_EXISTS, err);
    expect_stored(plain.bytes, plain.size_bytes);
    ck_assert_ok(snapcell_store_replace(store, by_first, by_first_size, "name", &err), err);
    expect_stored(by_first, by_first_size);
    ck_assert_fails(snapcell_store_put(store, by_second, by_second_size, "name", &err),
                    SNAPCELL_E_EXISTS, err);
    ck_assert_ok(snapcell_store_replace(store, by_second, by_second_size, NULL, &err), err);
    expect_stored(by_second, by_second_size);
    ck_assert_ok(snapcell_store_replace(store, by_second, by_second_size, NULL, &err), err);
}
END_TEST

/* Something else than the signed one, under its key. */
START_TEST(test_other_content_is_refused)
{
    snapcell_error err;
    ck_assert_ok(snapcell_store_put(store, by_first, by_first_size, "name", &err), err);
    fixture_artifact other = fixture_artifact_with_key(2, 1, 3000, &plain.key);
    ck_assert_fails(snapcell_store_put(store, other.bytes, other.size_bytes, "name", &err),
                    SNAPCELL_E_EXISTS, err);
    expect_stored(by_first, by_first_size);
    fixture_artifact_free(&other);
}
END_TEST

START_TEST(test_replacing_fails_well)
{
    snapcell_error err;
    ck_assert_ok(snapcell_store_put(store, plain.bytes, plain.size_bytes, "name", &err), err);
    ck_assert_fails(snapcell_store_replace(store, NULL, 0, NULL, &err), SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_store_replace(store, by_first, by_first_size, "a/b", &err),
                    SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_store_replace(store, by_first, by_first_size - 1, NULL, &err),
                    SNAPCELL_E_CORRUPT, err);
    expect_stored(plain.bytes, plain.size_bytes);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_fails(snapcell_store_replace(store, by_first, by_first_size, NULL, &err),
                    SNAPCELL_E_READ_ONLY, err);
}
END_TEST

START_TEST(test_a_view_keeps_the_old_bytes)
{
    snapcell_error err;
    snapcell_store_view view;
    ck_assert_ok(snapcell_store_put(store, by_first, by_first_size, "name", &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &plain.key, &view, &err), err);
    ck_assert_ok(snapcell_store_replace(store, by_second, by_second_size, NULL, &err), err);
    ck_assert_uint_eq(view.size_bytes, by_first_size);
    ck_assert_mem_eq(view.bytes, by_first, by_first_size);
    snapcell_store_view_close(store, &view);
    expect_stored(by_second, by_second_size);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_signed");
    TCase *tcase = tcase_create("store_signed");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_unsigned_leaves_the_signature);
    tcase_add_test(tcase, test_signed_needs_a_replacement);
    tcase_add_test(tcase, test_other_content_is_refused);
    tcase_add_test(tcase, test_replacing_fails_well);
    tcase_add_test(tcase, test_a_view_keeps_the_old_bytes);
    return fixture_main(suite);
}
