/* Every function of store.h, with good and bad arguments, in one process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_fixture.h"

static snapcell_error err;

START_TEST(test_create_then_open)
{
    snapcell_store *store = NULL;
    struct stat status;
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_CREATE, &store, &err), err);
    snapcell_store_close(store);
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_CREATE, &store, &err), err);
    snapcell_store_close(store);
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_WRITE, &store, &err), err);
    snapcell_store_close(store);
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, &err), err);
    snapcell_store_close(store);
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, NULL), err);
    snapcell_store_close(store);
    snapcell_store_close(NULL);
    char path[128];
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    ck_assert_int_eq(stat(path, &status), 0);
    /* The map is huge, the file is not. */
    ck_assert_int_lt(status.st_blocks * 512, 256 * 1024);
    ck_assert_int_eq(status.st_mode & 022, 0);
}
END_TEST

START_TEST(test_open_refuses_bad_arguments)
{
    snapcell_store *store = (void *)&err;
    ck_assert_fails(snapcell_store_open(NULL, SNAPCELL_STORE_READ, &store, &err), SNAPCELL_E_USAGE,
                    err);
    ck_assert_ptr_null(store);
    ck_assert_fails(snapcell_store_open("", SNAPCELL_STORE_READ, &store, &err), SNAPCELL_E_USAGE,
                    err);
    ck_assert_fails(snapcell_store_open(fixture_store, (snapcell_store_mode)3, &store, &err),
                    SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, NULL, &err),
                    SNAPCELL_E_USAGE, err);
}
END_TEST

START_TEST(test_put_and_get)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact artifact = fixture_artifact_new(1, 1, 5000);
    void *copy;
    size_t size_bytes;
    ck_assert_fails(snapcell_store_get(store, &artifact.key, &copy, &size_bytes, &err),
                    SNAPCELL_E_NOT_FOUND, err);
    ck_assert_ptr_null(copy);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, "one", &err), err);
    ck_assert_ok(snapcell_store_get(store, &artifact.key, &copy, &size_bytes, &err), err);
    ck_assert_uint_eq(size_bytes, artifact.size_bytes);
    ck_assert_mem_eq(copy, artifact.bytes, size_bytes);
    free(copy);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert(fixture_has(store, 1, 1, 5000));
    snapcell_store_close(store);
    fixture_artifact_free(&artifact);
}
END_TEST

START_TEST(test_put_sizes_around_pages)
{
    static const size_t sizes[] = {1,    100,   1500,  1900,   2000,    3900,          4096,
                                   8191, 65536, 99999, 700000, 3000000, (8u << 20) + 1};
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_ok(fixture_put(store, i, 1, sizes[i], NULL, &err), err);
    }
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert(fixture_has(store, i, 1, sizes[i]));
    }
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_put_again_is_no_error)
{
    snapcell_store_stat before;
    snapcell_store_stat after;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, "one", &err), err);
    ck_assert_ok(snapcell_store_stat_get(store, &before, &err), err);
    ck_assert_ok(fixture_put(store, 1, 1, 100, "one", &err), err);
    ck_assert_ok(fixture_put(store, 1, 1, 100, NULL, &err), err);
    ck_assert_ok(snapcell_store_stat_get(store, &after, &err), err);
    ck_assert_uint_eq(after.artifact_count, 1);
    ck_assert_uint_eq(after.name_count, 1);
    /* Nothing was written at all. */
    ck_assert_uint_eq(after.free_size_bytes, before.free_size_bytes);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_put_refuses_other_bytes_under_a_key)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact first = fixture_artifact_new(1, 1, 100);
    fixture_artifact same_size = fixture_artifact_with_key(2, 1, 100, &first.key);
    fixture_artifact longer = fixture_artifact_with_key(1, 1, 101, &first.key);
    ck_assert_ok(snapcell_store_put(store, first.bytes, first.size_bytes, "a", &err), err);
    ck_assert_fails(snapcell_store_put(store, same_size.bytes, same_size.size_bytes, "b", &err),
                    SNAPCELL_E_EXISTS, err);
    ck_assert_fails(snapcell_store_put(store, longer.bytes, longer.size_bytes, "b", &err),
                    SNAPCELL_E_EXISTS, err);
    ck_assert(fixture_has(store, 1, 1, 100));
    snapcell_key key;
    ck_assert_fails(snapcell_store_resolve(store, "b", NULL, &key, &err), SNAPCELL_E_NOT_FOUND,
                    err);
    snapcell_store_close(store);
    fixture_artifact_free(&first);
    fixture_artifact_free(&same_size);
    fixture_artifact_free(&longer);
}
END_TEST

START_TEST(test_put_refuses_what_is_no_artifact)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact artifact = fixture_artifact_new(1, 1, 100);
    ck_assert_fails(snapcell_store_put(store, NULL, 10, NULL, &err), SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_store_put(store, "", 0, NULL, &err), SNAPCELL_E_CORRUPT, err);
    ck_assert_int_lt(snapcell_store_put(store, "no artifact", 11, NULL, &err), 0);
    for (size_t i = 0; i < artifact.size_bytes; i++) {
        artifact.bytes[i] ^= 1;
        ck_assert_int_lt(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, "x", &err),
                         0);
        artifact.bytes[i] ^= 1;
    }
    ck_assert_int_eq(fixture_count_whole(store), 0);
    snapcell_store_close(store);
    fixture_artifact_free(&artifact);
}
END_TEST

START_TEST(test_put_refuses_bad_names)
{
    char long_name[SNAPCELL_NAME_SIZE_MAX + 2];
    static const char *const bad[] = {
        "",     "a/b",  "/",        "new\nline",    "\x7f",   "tab\tbed", "\xc2\x80 c1",
        "\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "caf\xe9"};
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_fails(fixture_put(store, 1, 1, 100, bad[i], &err), SNAPCELL_E_USAGE, err);
    }
    memset(long_name, 'n', sizeof(long_name));
    long_name[SNAPCELL_NAME_SIZE_MAX + 1] = '\0';
    ck_assert_fails(fixture_put(store, 1, 1, 100, long_name, &err), SNAPCELL_E_USAGE, err);
    long_name[SNAPCELL_NAME_SIZE_MAX] = '\0';
    ck_assert_int_eq(fixture_count_whole(store), 0);
    ck_assert_ok(fixture_put(store, 1, 1, 100, long_name, &err), err);
    ck_assert_ok(fixture_put(store, 1, 1, 100, "caf\xc3\xa9 \xf0\x9f\x98\x80", &err), err);
    snapcell_key key;
    ck_assert_ok(snapcell_store_resolve(store, long_name, NULL, &key, &err), err);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_put_all_or_none)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact one = fixture_artifact_new(1, 1, 100);
    fixture_artifact two = fixture_artifact_new(2, 1, 9000);
    fixture_artifact other = fixture_artifact_with_key(3, 1, 100, &two.key);
    snapcell_store_item items[] = {
        {.bytes = one.bytes, .size_bytes = one.size_bytes, .name = "one"},
        {.bytes = two.bytes, .size_bytes = two.size_bytes, .name = "two"},
        {.bytes = other.bytes, .size_bytes = other.size_bytes, .name = "other"}};
    snapcell_key key;
    ck_assert_ok(snapcell_store_put_all(store, NULL, 0, false, &err), err);
    ck_assert_fails(snapcell_store_put_all(store, items, 3, false, &err), SNAPCELL_E_EXISTS, err);
    ck_assert_fails(snapcell_store_resolve(store, "one", NULL, &key, &err), SNAPCELL_E_NOT_FOUND,
                    err);
    items[1].name = "a/b";
    ck_assert_fails(snapcell_store_put_all(store, items, 2, false, &err), SNAPCELL_E_USAGE, err);
    items[1].name = NULL;
    items[1].size_bytes--;
    ck_assert_fails(snapcell_store_put_all(store, items, 2, false, &err), SNAPCELL_E_CORRUPT, err);
    items[1].size_bytes++;
    ck_assert_int_eq(fixture_has(store, 1, 1, 100), false);
    ck_assert_ok(snapcell_store_put_all(store, items, 2, false, &err), err);
    ck_assert_ok(snapcell_store_resolve(store, "one", NULL, &key, &err), err);
    ck_assert_mem_eq(&key, &one.key, sizeof(key));
    ck_assert(fixture_has(store, 2, 1, 9000));
    ck_assert_ok(snapcell_store_put_all(store, items, 3, true, &err), err);
    ck_assert_ok(snapcell_store_resolve(store, "other", NULL, &key, &err), err);
    snapcell_store_close(store);
    fixture_artifact_free(&one);
    fixture_artifact_free(&two);
    fixture_artifact_free(&other);
}
END_TEST

START_TEST(test_reading_handle_does_not_write)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact artifact = fixture_artifact_new(1, 1, 100);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, "a", &err), err);
    /* With a writing handle in the same process, too. */
    for (int i = 0; i < 2; i++) {
        snapcell_store *reader = fixture_open(SNAPCELL_STORE_READ);
        ck_assert_fails(fixture_put(reader, 2, 1, 100, NULL, &err), SNAPCELL_E_READ_ONLY, err);
        ck_assert_fails(snapcell_store_name_set(reader, "b", &artifact.key, &err),
                        SNAPCELL_E_READ_ONLY, err);
        ck_assert_fails(snapcell_store_remove_name(reader, "a", &err), SNAPCELL_E_READ_ONLY, err);
        ck_assert_fails(snapcell_store_remove(reader, &artifact.key, &err), SNAPCELL_E_READ_ONLY,
                        err);
        ck_assert_fails(snapcell_store_gc(reader, NULL, &err), SNAPCELL_E_READ_ONLY, err);
        ck_assert(fixture_has(reader, 1, 1, 100));
        snapcell_store_close(reader);
        if (i == 0) snapcell_store_close(store);
    }
    fixture_artifact_free(&artifact);
}
END_TEST

/* --- Resolving
 * -------------------------------------------------------------------------------------------------
 */

static snapcell_key key_of(const char *hex)
{
    snapcell_key key;
    ck_assert_ok(snapcell_key_parse(hex, &key, &err), err);
    return key;
}

static void put_with_key(snapcell_store *store, const char *hex, uint8_t engine, const char *name)
{
    snapcell_key key = key_of(hex);
    fixture_artifact artifact = fixture_artifact_with_key(7, engine, 50, &key);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, name, &err), err);
    fixture_artifact_free(&artifact);
}

static void assert_resolves(snapcell_store *store, const char *ref, uint8_t engine,
                            const char *expected)
{
    snapcell_key key;
    char hex[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint fingerprint = fixture_engine(engine);
    memset(&err, 0, sizeof(err));
    int status = snapcell_store_resolve(store, ref, engine == 0 ? NULL : &fingerprint, &key, &err);
    ck_assert_ok(status, err);
    snapcell_key_format(&key, hex);
    ck_assert_str_eq(hex, expected);
}

static void assert_unresolved(snapcell_store *store, const char *ref, uint8_t engine, int code)
{
    snapcell_key key;
    memset(&key, 0xAB, sizeof(key));
    snapcell_key untouched = key;
    snapcell_fingerprint fingerprint = fixture_engine(engine);
    ck_assert_fails(
        snapcell_store_resolve(store, ref, engine == 0 ? NULL : &fingerprint, &key, &err), code,
        err);
    ck_assert_mem_eq(&key, &untouched, sizeof(key));
}

#define KEY_A "beef0000000000000000000000000001"
#define KEY_B "beef0000000000000000000000000002"
#define KEY_C "beefc000000000000000000000000003"
#define KEY_D "ffffffffffffffffffffffffffffffff"

static snapcell_store *resolve_store(void)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    put_with_key(store, KEY_A, 1, "hello");
    put_with_key(store, KEY_B, 2, "hello");
    put_with_key(store, KEY_C, 1, "hello2");
    put_with_key(store, KEY_D, 2, NULL);
    return store;
}

START_TEST(test_resolve_names)
{
    snapcell_store *store = resolve_store();
    assert_resolves(store, "hello", 1, KEY_A);
    assert_resolves(store, "hello", 2, KEY_B);
    assert_resolves(store, "hello2", 1, KEY_C);
    assert_resolves(store, "hello2", 0, KEY_C);
    assert_unresolved(store, "hello", 0, SNAPCELL_E_AMBIGUOUS);
    assert_unresolved(store, "hell", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "hello3", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "hello3", 0, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "a/b", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, NULL, 1, SNAPCELL_E_USAGE);
    char long_name[5000];
    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    assert_unresolved(store, long_name, 1, SNAPCELL_E_NOT_FOUND);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_resolve_other_engine_says_which)
{
    snapcell_store *store = resolve_store();
    assert_unresolved(store, "hello", 3, SNAPCELL_E_OTHER_ENGINE);
    ck_assert_ptr_nonnull(strstr(err.message, "01010101"));
    ck_assert_ptr_nonnull(strstr(err.message, "02020202"));
    ck_assert_ptr_nonnull(strstr(err.message, "03030303"));
    ck_assert_ptr_nonnull(strstr(err.message, "`snapcell recompile hello`"));
    /* Many engines are cut, not overrun. */
    for (uint8_t i = 10; i < 40; i++) {
        char hex[SNAPCELL_KEY_HEX_SIZE];
        snprintf(hex, sizeof(hex), "abcd%028x", i);
        put_with_key(store, hex, i, "many");
    }
    assert_unresolved(store, "many", 9, SNAPCELL_E_OTHER_ENGINE);
    ck_assert_ptr_nonnull(strstr(err.message, "..."));
    assert_unresolved(store, "many", 0, SNAPCELL_E_AMBIGUOUS);
    assert_unresolved(store, "abcd", 0, SNAPCELL_E_AMBIGUOUS);
    ck_assert_ptr_nonnull(strstr(err.message, "30 keys"));
    assert_resolves(store, "many", 39, "abcd0000000000000000000000000027");
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_resolve_keys_and_prefixes)
{
    snapcell_store *store = resolve_store();
    assert_resolves(store, KEY_A, 3, KEY_A);
    assert_resolves(store, KEY_D, 0, KEY_D);
    assert_resolves(store, "ffff", 1, KEY_D);
    assert_resolves(store, "FFFFf", 1, KEY_D);
    assert_resolves(store, "beefc", 2, KEY_C);
    assert_resolves(store, "beef000000000000000000000000000" /* 31 digits of two keys */ "1", 1,
                    KEY_A);
    assert_unresolved(store, "beef", 1, SNAPCELL_E_AMBIGUOUS);
    assert_unresolved(store, "beef0", 1, SNAPCELL_E_AMBIGUOUS);
    assert_unresolved(store, "beef000000000000000000000000000", 1, SNAPCELL_E_AMBIGUOUS);
    assert_unresolved(store, "fff", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "fffg", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "beefd", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, "fffffffffffffffffffffffffffffffe", 1, SNAPCELL_E_NOT_FOUND);
    assert_unresolved(store, KEY_D "f", 1, SNAPCELL_E_NOT_FOUND);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_resolve_prefers_whole_keys)
{
    snapcell_store *store = resolve_store();
    put_with_key(store, KEY_C, 1, KEY_A);
    assert_resolves(store, KEY_A, 1, KEY_A);
    assert_resolves(store, KEY_A, 0, KEY_A);
    /* A name like the key of nothing that is here is a name. */
    put_with_key(store, KEY_C, 1, "00000000000000000000000000000000");
    assert_resolves(store, "00000000000000000000000000000000", 1, KEY_C);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_resolve_prefers_names)
{
    snapcell_store *store = resolve_store();
    put_with_key(store, KEY_C, 1, "ffff");
    assert_resolves(store, "ffff", 1, KEY_C);
    assert_resolves(store, "fffff", 1, KEY_D);
    /* Not another function instead of the one whose artifact is missing. */
    assert_unresolved(store, "ffff", 2, SNAPCELL_E_OTHER_ENGINE);
    snapcell_store_close(store);
}
END_TEST

/* --- Views and listings
 * -------------------------------------------------------------------------------------------------
 */

START_TEST(test_views)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact artifact = fixture_artifact_new(1, 1, 300000);
    snapcell_store_view view;
    memset(&view, 0xAB, sizeof(view));
    ck_assert_fails(snapcell_store_view_open(store, &artifact.key, &view, &err),
                    SNAPCELL_E_NOT_FOUND, err);
    ck_assert_ptr_null(view.bytes);
    ck_assert_ptr_null(view.transaction);
    snapcell_store_view_close(store, &view);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, "a", &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &artifact.key, &view, &err), err);
    /* It stays as it is, whatever happens to the store. */
    ck_assert_ok(snapcell_store_remove_name(store, "a", &err), err);
    for (uint32_t i = 10; i < 20; i++) {
        ck_assert_ok(fixture_put(store, i, 1, 300000, NULL, &err), err);
    }
    ck_assert_uint_eq(view.size_bytes, artifact.size_bytes);
    ck_assert_mem_eq(view.bytes, artifact.bytes, artifact.size_bytes);
    snapcell_store_view_close(store, &view);
    ck_assert_ptr_null(view.bytes);
    snapcell_store_view_close(store, &view);
    snapcell_store_close(store);
    fixture_artifact_free(&artifact);
}
END_TEST

typedef struct seen_list {
    char text[400];
    int stop_after;
} seen_list;

static int see_name(void *user, const snapcell_store_name *entry)
{
    seen_list *seen = user;
    char line[64];
    snprintf(line, sizeof(line), "%s:%u:%02x ", entry->name, (unsigned)entry->engine.bytes[0],
             (unsigned)entry->key.bytes[15]);
    strcat(seen->text, line);
    return --seen->stop_after == 0 ? 42 : 0;
}

static int see_artifact(void *user, const snapcell_key *key, const void *bytes, size_t size_bytes)
{
    seen_list *seen = user;
    char line[64];
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_gt(size_bytes, 50);
    snprintf(line, sizeof(line), "%02x ", (unsigned)key->bytes[15]);
    strcat(seen->text, line);
    return --seen->stop_after == 0 ? -77 : 0;
}

START_TEST(test_listings_are_in_order)
{
    snapcell_store *store = resolve_store();
    seen_list seen = {.stop_after = -1};
    put_with_key(store, KEY_D, 2, "hell");
    put_with_key(store, KEY_D, 2, "Zebra");
    ck_assert_ok(snapcell_store_each_name(store, see_name, &seen, &err), err);
    ck_assert_str_eq(seen.text, "Zebra:2:ff hell:2:ff hello:1:01 hello:2:02 hello2:1:03 ");
    seen = (seen_list){.stop_after = -1};
    ck_assert_ok(snapcell_store_each_artifact(store, see_artifact, &seen, &err), err);
    ck_assert_str_eq(seen.text, "01 02 03 ff ");
    seen = (seen_list){.stop_after = 2};
    ck_assert_int_eq(snapcell_store_each_name(store, see_name, &seen, &err), 42);
    ck_assert_str_eq(seen.text, "Zebra:2:ff hell:2:ff ");
    seen = (seen_list){.stop_after = 3};
    ck_assert_int_eq(snapcell_store_each_artifact(store, see_artifact, &seen, &err), -77);
    ck_assert_str_eq(seen.text, "01 02 03 ");
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_listings_of_an_empty_store)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    seen_list seen = {.stop_after = -1};
    ck_assert_ok(snapcell_store_each_name(store, see_name, &seen, &err), err);
    ck_assert_ok(snapcell_store_each_artifact(store, see_artifact, &seen, &err), err);
    ck_assert_str_eq(seen.text, "");
    snapcell_store_close(store);
}
END_TEST

/* --- Changing names, removing, collecting
 * -------------------------------------------------------------------------------------------------
 */

START_TEST(test_name_set)
{
    snapcell_store *store = resolve_store();
    snapcell_key key = key_of(KEY_D);
    ck_assert_ok(snapcell_store_name_set(store, "hello", &key, &err), err);
    assert_resolves(store, "hello", 2, KEY_D); /* its engine */
    assert_resolves(store, "hello", 1, KEY_A);
    ck_assert_ok(snapcell_store_name_set(store, "hello", &key, &err), err);
    ck_assert_fails(snapcell_store_name_set(store, "a/b", &key, &err), SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_store_name_set(store, NULL, &key, &err), SNAPCELL_E_USAGE, err);
    key.bytes[3] ^= 1;
    ck_assert_fails(snapcell_store_name_set(store, "new", &key, &err), SNAPCELL_E_NOT_FOUND, err);
    assert_unresolved(store, "new", 0, SNAPCELL_E_NOT_FOUND);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_remove_name)
{
    snapcell_store *store = resolve_store();
    put_with_key(store, KEY_A, 1, "alias");
    ck_assert_ok(snapcell_store_remove_name(store, "hello", &err), err);
    assert_unresolved(store, "hello", 1, SNAPCELL_E_NOT_FOUND);
    assert_resolves(store, "alias", 1, KEY_A);
    assert_resolves(store, KEY_A, 1, KEY_A);
    assert_unresolved(store, KEY_B, 1, SNAPCELL_E_NOT_FOUND);
    assert_resolves(store, "hello2", 1, KEY_C);
    assert_resolves(store, KEY_D, 1, KEY_D); /* without a name before, and nobody's business */
    ck_assert_ok(snapcell_store_remove_name(store, "alias", &err), err);
    assert_unresolved(store, KEY_A, 1, SNAPCELL_E_NOT_FOUND);
    ck_assert_fails(snapcell_store_remove_name(store, "alias", &err), SNAPCELL_E_NOT_FOUND, err);
    ck_assert_fails(snapcell_store_remove_name(store, "", &err), SNAPCELL_E_NOT_FOUND, err);
    ck_assert_fails(snapcell_store_remove_name(store, NULL, &err), SNAPCELL_E_USAGE, err);
    char long_name[600];
    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    ck_assert_fails(snapcell_store_remove_name(store, long_name, &err), SNAPCELL_E_NOT_FOUND, err);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_remove_artifact)
{
    snapcell_store *store = resolve_store();
    snapcell_key key = key_of(KEY_A);
    for (int i = 0; i < 300; i++) { /* over several pages of names */
        char name[32];
        snprintf(name, sizeof(name), "name-%d", i);
        put_with_key(store, i % 3 == 0 ? KEY_C : KEY_A, 1, name);
    }
    ck_assert_ok(snapcell_store_remove(store, &key, &err), err);
    ck_assert_fails(snapcell_store_remove(store, &key, &err), SNAPCELL_E_NOT_FOUND, err);
    assert_unresolved(store, "hello", 1, SNAPCELL_E_OTHER_ENGINE);
    assert_resolves(store, "hello", 2, KEY_B);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof(name), "name-%d", i);
        if (i % 3 == 0) {
            assert_resolves(store, name, 1, KEY_C);
        } else {
            assert_unresolved(store, name, 1, SNAPCELL_E_NOT_FOUND);
        }
    }
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_gc_removes_what_has_no_name)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    snapcell_store_gc_result result;
    for (uint32_t i = 0; i < 400; i++) {
        char name[32];
        snprintf(name, sizeof(name), "name-%u", i);
        ck_assert_ok(fixture_put(store, i, 1, i % 7 * 900 + 1, i % 4 == 0 ? name : NULL, &err),
                     err);
    }
    ck_assert_ok(snapcell_store_gc(store, &result, &err), err);
    ck_assert_uint_eq(result.removed_count, 300);
    ck_assert_uint_gt(result.removed_size_bytes, 300 * 100);
    ck_assert_int_eq(fixture_count_whole(store), 100);
    for (uint32_t i = 0; i < 400; i++) {
        ck_assert_int_eq(fixture_has(store, i, 1, i % 7 * 900 + 1), i % 4 == 0);
    }
    ck_assert_ok(snapcell_store_gc(store, &result, &err), err);
    ck_assert_uint_eq(result.removed_count, 0);
    ck_assert_uint_eq(result.removed_size_bytes, 0);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_gc_gives_space_back)
{
    char path[128];
    snapcell_store_gc_result result;
    snapcell_store_view view;
    struct stat before_status;
    struct stat after_status;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_ok(fixture_put(store, i, 1, 500000, i == 3 ? "kept" : NULL, &err), err);
    }
    ck_assert_int_eq(chmod(path, 0640), 0);
    /* An open view keeps its bytes, in the file that was. */
    fixture_artifact kept = fixture_artifact_new(3, 1, 500000);
    ck_assert_ok(snapcell_store_view_open(store, &kept.key, &view, &err), err);
    ck_assert_int_eq(stat(path, &before_status), 0);
    ck_assert_ok(snapcell_store_gc(store, &result, &err), err);
    ck_assert_uint_eq(result.removed_count, 9);
    ck_assert_int_eq(stat(path, &after_status), 0);
    ck_assert_uint_ne(before_status.st_ino, after_status.st_ino);
    ck_assert_mem_eq(view.bytes, kept.bytes, kept.size_bytes);
    ck_assert_ok(fixture_put(store, 19, 1, 500000, "while it is open", &err), err);
    ck_assert_mem_eq(view.bytes, kept.bytes, kept.size_bytes);
    snapcell_store_view_close(store, &view);
    ck_assert_uint_gt(result.freed_size_bytes, 9 * 400000);
    /* Removing took pages, too. */
    ck_assert_int_le(before_status.st_size - after_status.st_size, (off_t)result.freed_size_bytes);
    ck_assert_uint_eq(after_status.st_mode, before_status.st_mode);
    /* The handle goes on, for reading and writing, and so does a new one. */
    ck_assert(fixture_has(store, 3, 1, 500000));
    ck_assert_ok(snapcell_store_check(store, &err), err);
    ck_assert_ok(fixture_put(store, 20, 1, 1000, "later", &err), err);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert(fixture_has(store, 19, 1, 500000));
    ck_assert(fixture_has(store, 3, 1, 500000));
    ck_assert(fixture_has(store, 20, 1, 1000));
    snapcell_store_close(store);
    fixture_artifact_free(&kept);
    snprintf(path, sizeof(path), "%s/data.mdb.compact", fixture_store);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_stat)
{
    snapcell_store_stat stat_out;
    snapcell_store_view view;
    char path[128];
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    ck_assert_ok(snapcell_store_stat_get(store, &stat_out, &err), err);
    ck_assert_uint_eq(stat_out.artifact_count, 0);
    ck_assert_uint_eq(stat_out.artifact_size_bytes, 0);
    ck_assert_uint_eq(stat_out.name_count, 0);
    ck_assert_uint_eq(stat_out.reader_count, 0);
    ck_assert_uint_ge(stat_out.reader_max, 1000);
    ck_assert_uint_ge(stat_out.map_size_bytes, (uint64_t)1 << 20);
    fixture_artifact one = fixture_artifact_new(1, 1, 10000);
    fixture_artifact two = fixture_artifact_new(2, 1, 20);
    ck_assert_ok(snapcell_store_put(store, one.bytes, one.size_bytes, "a", &err), err);
    ck_assert_ok(snapcell_store_put(store, one.bytes, one.size_bytes, "b", &err), err);
    ck_assert_ok(snapcell_store_put(store, two.bytes, two.size_bytes, NULL, &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &one.key, &view, &err), err);
    ck_assert_ok(snapcell_store_stat_get(store, &stat_out, &err), err);
    ck_assert_uint_eq(stat_out.artifact_count, 2);
    ck_assert_uint_eq(stat_out.name_count, 2);
    ck_assert_uint_eq(stat_out.artifact_size_bytes, one.size_bytes + two.size_bytes);
    ck_assert_uint_eq(stat_out.file_size_bytes, fixture_file_size(path));
    ck_assert_uint_eq(stat_out.reader_count, 1);
    ck_assert_uint_gt(stat_out.free_size_bytes, 0);
    ck_assert_uint_lt(stat_out.free_size_bytes, stat_out.file_size_bytes);
    snapcell_store_view_close(store, &view);
    ck_assert_ok(snapcell_store_stat_get(store, &stat_out, &err), err);
    ck_assert_uint_eq(stat_out.reader_count, 0);
    snapcell_store_close(store);
    fixture_artifact_free(&one);
    fixture_artifact_free(&two);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("api");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_create_then_open);
    tcase_add_test(tcase, test_open_refuses_bad_arguments);
    tcase_add_test(tcase, test_put_and_get);
    tcase_add_test(tcase, test_put_sizes_around_pages);
    tcase_add_test(tcase, test_put_again_is_no_error);
    tcase_add_test(tcase, test_put_refuses_other_bytes_under_a_key);
    tcase_add_test(tcase, test_put_refuses_what_is_no_artifact);
    tcase_add_test(tcase, test_put_refuses_bad_names);
    tcase_add_test(tcase, test_put_all_or_none);
    tcase_add_test(tcase, test_reading_handle_does_not_write);
    tcase_add_test(tcase, test_resolve_names);
    tcase_add_test(tcase, test_resolve_other_engine_says_which);
    tcase_add_test(tcase, test_resolve_keys_and_prefixes);
    tcase_add_test(tcase, test_resolve_prefers_whole_keys);
    tcase_add_test(tcase, test_resolve_prefers_names);
    tcase_add_test(tcase, test_views);
    tcase_add_test(tcase, test_listings_are_in_order);
    tcase_add_test(tcase, test_listings_of_an_empty_store);
    tcase_add_test(tcase, test_name_set);
    tcase_add_test(tcase, test_remove_name);
    tcase_add_test(tcase, test_remove_artifact);
    tcase_add_test(tcase, test_gc_removes_what_has_no_name);
    tcase_add_test(tcase, test_gc_gives_space_back);
    tcase_add_test(tcase, test_stat);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
