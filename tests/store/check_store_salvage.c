/* Releases and histories that salvage recovers, and what it says of those that it does not. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapcell/history.h"
#include "snapcell/release.h"
#include "store_fixture.h"

static snapcell_error err;
static char other_store[128];
static snapcell_key keys[4];
static char told[512]; /* of releases, in the order that they were told of */

static int put_noted(snapcell_store *store, uint32_t number, const char *name)
{
    fixture_artifact artifact = fixture_artifact_new(number, 1, 20000);
    const snapcell_store_item item = {.bytes = artifact.bytes,
                                      .size_bytes = artifact.size_bytes,
                                      .name = name,
                                      .origin = "a file"};
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    options.action = SNAPCELL_HISTORY_COMPILED;
    int status = snapcell_store_put_items(store, &item, 1, &options, &err);
    keys[number] = artifact.key;
    fixture_artifact_free(&artifact);
    return status;
}

/* Three releases of one name: the last is active, and rollback leads to the two before. */
static void setup(void)
{
    static const char *const releases[] = {"", "r1", "r2", "r3"};
    fixture_setup_fast();
    told[0] = '\0';
    snprintf(other_store, sizeof(other_store), "%s/other", fixture_directory);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 1; i <= 3; i++) {
        ck_assert_ok(put_noted(store, i, "a"), err);
        const snapcell_release_item item = {.name = "a", .key = keys[i]};
        ck_assert_ok(snapcell_release_create(store, releases[i], "me", &item, 1, &err), err);
        ck_assert_ok(snapcell_release_activate(store, releases[i], "me", &err), err);
    }
    snapcell_store_close(store);
}

static void tell(void *user, const snapcell_salvage_item *item)
{
    (void)user;
    if (item->release == NULL) return;
    const size_t size = strlen(told);
    snprintf(told + size, sizeof(told) - size, "%s%s ", item->lost ? "-" : "", item->release);
}

static int count_history(void *user, const snapcell_history_event *event)
{
    (void)event;
    ++*(int *)user;
    return 0;
}

static int find_active(void *user, const snapcell_release_info *info)
{
    if (info->active) snprintf(user, 32, "%s", info->name);
    return 0;
}

/* The new store is sound, and goes on. */
static void assert_new_store(const char *active, int history)
{
    char found[32] = "";
    int count = 0;
    snapcell_store *store = NULL;
    ck_assert_ok(snapcell_store_open(other_store, SNAPCELL_STORE_WRITE, &store, &err), err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    ck_assert_ok(snapcell_release_each(store, find_active, found, &err), err);
    ck_assert_str_eq(found, active);
    ck_assert_ok(snapcell_history_each(store, "a", count_history, &count, &err), err);
    ck_assert_int_eq(count, history);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    snapcell_store_close(store);
}

START_TEST(test_all_is_recovered)
{
    snapcell_salvage_result result;
    ck_assert_ok(snapcell_store_salvage(fixture_store, other_store, tell, NULL, &result, &err),
                 err);
    ck_assert_str_eq(told, "r1 r2 r3 ");
    ck_assert_uint_eq(result.release_count, 3);
    ck_assert_uint_eq(result.release_lost_count, 0);
    ck_assert_uint_eq(result.record_lost_count, 0);
    ck_assert(result.records_complete);
    ck_assert_uint_eq(result.artifact_count, 3);
    assert_new_store("r3", 3);
    snapcell_store *store = NULL;
    ck_assert_ok(snapcell_store_open(other_store, SNAPCELL_STORE_WRITE, &store, &err), err);
    char back[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    ck_assert_ok(snapcell_release_rollback(store, "me", back, &err), err);
    ck_assert_str_eq(back, "r2");
    ck_assert_int_eq(fixture_count_whole(store), 3); /* gc kept what releases hold */
    snapcell_store_close(store);
}
END_TEST

/* Another bit in what is found under a key of a database. */
static void damage(const char *database, const void *key_bytes, size_t key_size)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val value;
    MDB_val key = {.mv_size = key_size, .mv_data = (void *)(uintptr_t)key_bytes};
    ck_assert_int_eq(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 3);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, 0, 0644), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, database, 0, &dbi), 0);
    ck_assert_int_eq(mdb_get(txn, dbi, &key, &value), 0);
    uint8_t *copy = malloc(value.mv_size);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 1;
    value.mv_data = copy;
    ck_assert_int_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    free(copy);
}

/* In the file of what is damaged by another transaction there may be spare copies: none is wanted.
 */
static void forget_spares(void)
{
    char path[160];
    char from[160];
    MDB_env *env;
    snprintf(from, sizeof(from), "%s/compact", fixture_directory);
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, MDB_RDONLY, 0644), 0);
    FILE *file = fopen(from, "w+");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(mdb_env_copyfd2(env, fileno(file), MDB_CP_COMPACT), 0);
    fclose(file);
    mdb_env_close(env);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    ck_assert_int_eq(rename(from, path), 0);
}

START_TEST(test_a_damaged_record_is_lost_alone)
{
    snapcell_salvage_result result;
    damage("meta", "release:r2", strlen("release:r2"));
    ck_assert_ok(snapcell_store_salvage(fixture_store, other_store, tell, NULL, &result, &err),
                 err);
    ck_assert_str_eq(told, "r1 r3 ");
    ck_assert_uint_eq(result.record_lost_count, 1);
    ck_assert(result.records_complete);
    assert_new_store("r3", 3);
    snapcell_store *store = NULL;
    ck_assert_ok(snapcell_store_open(other_store, SNAPCELL_STORE_WRITE, &store, &err), err);
    char back[SNAPCELL_RELEASE_NAME_SIZE_MAX + 1];
    ck_assert_ok(snapcell_release_rollback(store, "me", back, &err), err);
    ck_assert_str_eq(back, "r1");
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_without_the_order_no_release_is_active)
{
    snapcell_salvage_result result;
    damage("meta", "releases", strlen("releases"));
    ck_assert_ok(snapcell_store_salvage(fixture_store, other_store, tell, NULL, &result, &err),
                 err);
    ck_assert_str_eq(told, "r1 r2 r3 ");
    ck_assert_uint_eq(result.record_lost_count, 1);
    assert_new_store("", 3);
}
END_TEST

START_TEST(test_a_release_without_its_artifact_is_lost)
{
    snapcell_salvage_result result;
    damage("artifacts", &keys[3], sizeof(keys[3]));
    forget_spares();
    ck_assert_ok(snapcell_store_salvage(fixture_store, other_store, tell, NULL, &result, &err),
                 err);
    ck_assert_str_eq(told, "r1 r2 -r3 ");
    ck_assert_uint_eq(result.release_count, 2);
    ck_assert_uint_eq(result.release_lost_count, 1);
    ck_assert_uint_eq(result.artifact_lost_count, 1);
    assert_new_store("r2", 3);
}
END_TEST

/* Without the first pages nothing leads to the records, but they lie in the file. */
START_TEST(test_without_first_pages)
{
    char path[160];
    snapcell_salvage_result result;
    static const uint8_t zeros[8192];
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    FILE *file = fopen(path, "r+");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(zeros, 1, sizeof(zeros), file), sizeof(zeros));
    fclose(file);
    ck_assert_ok(snapcell_store_salvage(fixture_store, other_store, tell, NULL, &result, &err),
                 err);
    ck_assert_str_eq(told, "r1 r2 r3 ");
    ck_assert(!result.records_complete);
    ck_assert(!result.complete);
    snapcell_store *store = NULL;
    ck_assert_ok(snapcell_store_open(other_store, SNAPCELL_STORE_READ, &store, &err), err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_salvage");
    TCase *tcase = tcase_create("salvage");
    tcase_add_checked_fixture(tcase, setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_all_is_recovered);
    tcase_add_test(tcase, test_a_damaged_record_is_lost_alone);
    tcase_add_test(tcase, test_without_the_order_no_release_is_active);
    tcase_add_test(tcase, test_a_release_without_its_artifact_is_lost);
    tcase_add_test(tcase, test_without_first_pages);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
