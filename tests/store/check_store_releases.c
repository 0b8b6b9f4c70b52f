/* Releases, by the library: what is refused, what is kept, and damage. */
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "snapcell/release.h"
#include "store_fixture.h"

static snapcell_error err;
static snapcell_store *store;
static snapcell_key keys[8];

/* Artifacts 1 to 7, of engine 1 or 2, without names. */
static void put_all(void)
{
    store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 1; i < 8; i++) {
        fixture_artifact artifact = fixture_artifact_new(i, i < 6 ? 1 : 2, 100);
        ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, NULL, &err),
                     err);
        keys[i] = artifact.key;
        fixture_artifact_free(&artifact);
    }
}

static int create(const char *release, const char *first, int first_key, const char *second,
                  int second_key)
{
    const snapcell_release_item items[] = {{.name = first, .key = keys[first_key]},
                                           {.name = second, .key = keys[second_key]}};
    return snapcell_release_create(store, release, "me", items, second != NULL ? 2 : 1, &err);
}

/* The number of the artifact that a name has; 0: none. */
static int number_of(const char *name, uint8_t engine_number)
{
    snapcell_key key;
    const snapcell_fingerprint engine = fixture_engine(engine_number);
    if (snapcell_store_resolve(store, name, &engine, &key, NULL) != SNAPCELL_OK) return 0;
    for (int i = 1; i < 8; i++)
        if (memcmp(&keys[i], &key, sizeof(key)) == 0) return i;
    return -1;
}

START_TEST(test_switches)
{
    char to[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    put_all();
    ck_assert_ok(create("one", "a", 1, "b", 2), err);
    ck_assert_ok(create("two", "a", 3, "c", 4), err);
    ck_assert_ok(create("both engines", "a", 3, "a", 6), err);
    ck_assert_int_eq(number_of("a", 1), 0);
    ck_assert_ok(snapcell_release_activate(store, "one", NULL, &err), err);
    ck_assert(number_of("a", 1) == 1 && number_of("b", 1) == 2);
    ck_assert_ok(snapcell_release_activate(store, "two", NULL, &err), err);
    ck_assert(number_of("a", 1) == 3 && number_of("b", 1) == 0 && number_of("c", 1) == 4);
    ck_assert_ok(snapcell_release_activate(store, "both engines", NULL, &err), err);
    ck_assert(number_of("a", 1) == 3 && number_of("a", 2) == 6 && number_of("c", 1) == 0);
    ck_assert_ok(snapcell_release_rollback(store, NULL, to, &err), err);
    ck_assert_str_eq(to, "two");
    ck_assert_ok(snapcell_release_rollback(store, NULL, to, &err), err);
    ck_assert_str_eq(to, "one");
    ck_assert(number_of("a", 1) == 1 && number_of("a", 2) == 0 && number_of("b", 1) == 2);
    ck_assert_fails(snapcell_release_rollback(store, NULL, to, &err), SNAPCELL_E_NOT_FOUND, err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_a_name_that_was_set_otherwise_stays)
{
    put_all();
    ck_assert_ok(create("one", "a", 1, "b", 2), err);
    ck_assert_ok(create("two", "a", 3, NULL, 0), err);
    ck_assert_ok(snapcell_release_activate(store, "one", NULL, &err), err);
    ck_assert_ok(snapcell_store_name_set(store, "b", &keys[5], &err), err);
    ck_assert_ok(snapcell_release_activate(store, "two", NULL, &err), err);
    ck_assert_int_eq(number_of("b", 1), 5);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_what_cannot_be_made)
{
    snapcell_key other = {{0}};
    const snapcell_release_item missing = {.name = "a", .key = other};
    put_all();
    ck_assert_fails(snapcell_release_create(store, "r", NULL, &missing, 1, &err),
                    SNAPCELL_E_NOT_FOUND, err);
    ck_assert_fails(snapcell_release_create(store, "r", NULL, NULL, 0, &err), SNAPCELL_E_USAGE,
                    err);
    ck_assert_fails(create("r", "a", 1, "a", 2), SNAPCELL_E_USAGE, err);
    ck_assert_fails(create("r", "a/b", 1, NULL, 0), SNAPCELL_E_USAGE, err);
    ck_assert_fails(create("r/s", "a", 1, NULL, 0), SNAPCELL_E_USAGE, err);
    ck_assert_fails(create("", "a", 1, NULL, 0), SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_release_activate(store, "r", NULL, &err), SNAPCELL_E_NOT_FOUND, err);
    ck_assert_fails(snapcell_release_activate(store, NULL, NULL, &err), SNAPCELL_E_USAGE, err);
    ck_assert_ok(create("r", "a", 1, NULL, 0), err);
    ck_assert_ok(create("r", "a", 1, NULL, 0), err);
    ck_assert_fails(create("r", "a", 2, NULL, 0), SNAPCELL_E_EXISTS, err);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_what_is_held_stays)
{
    put_all();
    ck_assert_ok(create("r", "a", 1, "b", 6), err);
    ck_assert_fails(snapcell_store_remove(store, &keys[1], &err), SNAPCELL_E_HELD, err);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    ck_assert(fixture_has(store, 1, 1, 100) && fixture_has(store, 6, 2, 100));
    ck_assert(!fixture_has(store, 2, 1, 100));
    ck_assert_ok(snapcell_store_name_set(store, "x", &keys[1], &err), err);
    ck_assert_ok(snapcell_store_remove_name(store, "x", &err), err);
    ck_assert(fixture_has(store, 1, 1, 100));
    ck_assert_ok(snapcell_release_activate(store, "r", NULL, &err), err);
    ck_assert_fails(snapcell_store_remove_name(store, "a", &err), SNAPCELL_E_HELD, err);
    ck_assert_fails(snapcell_release_remove(store, "r", NULL, &err), SNAPCELL_E_HELD, err);
    snapcell_store_close(store);
}
END_TEST

static int count_release(void *user, const snapcell_release_info *info)
{
    ck_assert_str_eq(info->who, "me");
    ++*(int *)user;
    return 0;
}

static int releases(void)
{
    int count = 0;
    ck_assert_ok(snapcell_release_each(store, count_release, &count, &err), err);
    return count;
}

START_TEST(test_policies)
{
    snapcell_release_policy policy = {.keep_count = 1};
    put_all();
    for (int i = 1; i <= 5; i++) {
        const char name[] = {(char)('0' + i), '\0'};
        ck_assert_ok(create(name, "a", i, NULL, 0), err);
    }
    ck_assert_ok(snapcell_release_activate(store, "1", NULL, &err), err);
    ck_assert_ok(snapcell_release_activate(store, "2", NULL, &err), err);
    ck_assert_ok(snapcell_release_pin(store, "3", true, &err), err);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    ck_assert_int_eq(releases(), 5);
    ck_assert_ok(snapcell_release_policy_set(store, &policy, &err), err);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    ck_assert_int_eq(releases(), 4); /* of 4 and 5, one */
    policy = (snapcell_release_policy){.keep_seconds = 3600};
    ck_assert_ok(snapcell_release_policy_set(store, &policy, &err), err);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    ck_assert_int_eq(releases(), 4);
    ck_assert_ok(snapcell_release_policy_get(store, &policy, &err), err);
    ck_assert_uint_eq(policy.keep_seconds, 3600);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
}
END_TEST

static int check_first(void *user, const snapcell_release_event *event)
{
    (void)user;
    ck_assert_int_eq(event->action, SNAPCELL_RELEASE_ACTIVATED);
    return 7;
}

START_TEST(test_history_has_an_end)
{
    put_all();
    ck_assert_ok(create("a", "a", 1, NULL, 0), err);
    ck_assert_ok(create("b", "a", 2, NULL, 0), err);
    for (int i = 0; i < 520; i++) {
        ck_assert_ok(snapcell_release_activate(store, "a", NULL, &err), err);
        ck_assert_ok(snapcell_release_activate(store, "b", NULL, &err), err);
    }
    ck_assert_int_eq(snapcell_release_each_event(store, check_first, NULL, &err), 7);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
}
END_TEST

/* Another bit in a record, which LMDB does not notice. */
static void damage(const char *key_text, size_t offset)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;
    MDB_val value;
    MDB_val key = {.mv_size = strlen(key_text), .mv_data = (char *)(uintptr_t)key_text};
    ck_assert_int_eq(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 3);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, 0, 0644), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    ck_assert_int_eq(mdb_get(txn, meta, &key, &value), 0);
    char *copy = malloc(value.mv_size);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[offset % value.mv_size] ^= 1;
    value.mv_data = copy;
    ck_assert_int_eq(mdb_put(txn, meta, &key, &value, 0), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    free(copy);
}

START_TEST(test_damage_is_found)
{
    put_all();
    ck_assert_ok(create("r", "a", 1, "b", 2), err);
    ck_assert_ok(snapcell_release_activate(store, "r", NULL, &err), err);
    snapcell_store_close(store);
    damage(_i % 2 == 0 ? "release:r" : "releases", (size_t)_i * 7);
    store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_fails(snapcell_store_check(store, &err), SNAPCELL_E_STORE_CORRUPT, err);
    ck_assert_fails(snapcell_release_activate(store, "r", NULL, &err), SNAPCELL_E_STORE_CORRUPT,
                    err);
    ck_assert_fails(snapcell_store_remove_name(store, "a", &err), SNAPCELL_E_STORE_CORRUPT, err);
    ck_assert_int_eq(number_of("a", 1), 1); /* a load knows nothing of releases */
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_releases");
    TCase *tcase = tcase_create("releases");
    tcase_add_checked_fixture(tcase, fixture_setup_fast, fixture_teardown);
    tcase_add_test(tcase, test_switches);
    tcase_add_test(tcase, test_a_name_that_was_set_otherwise_stays);
    tcase_add_test(tcase, test_what_cannot_be_made);
    tcase_add_test(tcase, test_what_is_held_stays);
    tcase_add_test(tcase, test_policies);
    tcase_add_test(tcase, test_history_has_an_end);
    tcase_add_loop_test(tcase, test_damage_is_found, 0, 12);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
