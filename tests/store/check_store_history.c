/* What is noted of names: when they change, how often at most, and that damage is seen. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapcell/history.h"
#include "store_fixture.h"

static snapcell_error err;

typedef struct seen_events {
    size_t count;
    snapcell_history_action action; /* of the last, as are the others */
    char who[SNAPCELL_HISTORY_WHO_SIZE_MAX + 1];
    char origin[SNAPCELL_HISTORY_ORIGIN_SIZE_MAX + 1];
    snapcell_key from;
    snapcell_key to;
} seen_events;

static int see(void *user, const snapcell_history_event *event)
{
    seen_events *seen = user;
    ck_assert_int_gt(event->time_s, 1500000000);
    seen->count++;
    seen->action = event->action;
    snprintf(seen->who, sizeof(seen->who), "%s", event->who);
    snprintf(seen->origin, sizeof(seen->origin), "%s", event->origin);
    seen->from = event->from;
    seen->to = event->to;
    return 0;
}

static seen_events history_of(snapcell_store *store, const char *name)
{
    seen_events seen = {0};
    ck_assert_ok(snapcell_history_each(store, name, see, &seen, &err), err);
    return seen;
}

static int put_noted(snapcell_store *store, uint32_t number, const char *name, const char *origin,
                     const char *who)
{
    fixture_artifact artifact = fixture_artifact_new(number, 1, 300);
    const snapcell_store_item item = {
        .bytes = artifact.bytes, .size_bytes = artifact.size_bytes, .name = name, .origin = origin};
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    options.action = SNAPCELL_HISTORY_IMPORTED;
    options.who = who;
    int status = snapcell_store_put_items(store, &item, 1, &options, &err);
    fixture_artifact_free(&artifact);
    return status;
}

START_TEST(test_changes_are_noted)
{
    static const snapcell_key none;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(put_noted(store, 1, "a", "one.snap", "me@here"), err);
    seen_events seen = history_of(store, "a");
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_int_eq(seen.action, SNAPCELL_HISTORY_IMPORTED);
    ck_assert_str_eq(seen.who, "me@here");
    ck_assert_str_eq(seen.origin, "one.snap");
    ck_assert_mem_eq(&seen.from, &none, sizeof(none));
    const snapcell_key first = seen.to;
    /* The same again is no change; without an action nothing is noted. */
    ck_assert_ok(put_noted(store, 1, "a", "again.snap", "me@here"), err);
    ck_assert_uint_eq(history_of(store, "a").count, 1);
    ck_assert_ok(put_noted(store, 2, "a", NULL, NULL), err);
    seen = history_of(store, "a");
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_mem_eq(&seen.from, &first, sizeof(first));
    ck_assert_str_eq(seen.who, "");
    ck_assert_str_eq(seen.origin, "");
    ck_assert_ok(fixture_put(store, 3, 1, 100, "a", &err), err);
    ck_assert_uint_eq(history_of(store, "a").count, 2);
    /* Names that begin alike are others. */
    ck_assert_ok(put_noted(store, 4, "ab", NULL, NULL), err);
    ck_assert_uint_eq(history_of(store, "ab").count, 1);
    ck_assert_uint_eq(history_of(store, "a").count, 2);
    ck_assert_uint_eq(history_of(store, "nothing").count, 0);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_what_is_there_is_named)
{
    snapcell_key key;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact artifact = fixture_artifact_new(1, 1, 300);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, NULL, &err), err);
    snapcell_store_item items[] = {{.key = artifact.key, .name = "a"},
                                   {.key = artifact.key, .name = "b"}};
    snapcell_put_options options = SNAPCELL_PUT_OPTIONS_INIT;
    options.action = SNAPCELL_HISTORY_COMPILED;
    ck_assert_ok(snapcell_store_put_items(store, items, 2, &options, &err), err);
    ck_assert_ok(snapcell_store_resolve(store, "b", NULL, &key, &err), err);
    ck_assert_mem_eq(&key, &artifact.key, sizeof(key));
    ck_assert_uint_eq(history_of(store, "b").count, 1);
    items[0].name = "c";
    memset(&items[1].key, 9, sizeof(items[1].key));
    ck_assert_fails(snapcell_store_put_items(store, items, 2, &options, &err), SNAPCELL_E_NOT_FOUND,
                    err);
    ck_assert_uint_eq(history_of(store, "c").count, 0);
    snapcell_store_close(store);
    fixture_artifact_free(&artifact);
}
END_TEST

START_TEST(test_old_changes_are_dropped)
{
    char long_text[SNAPCELL_HISTORY_ORIGIN_SIZE_MAX + 4];
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < SNAPCELL_HISTORY_COUNT_MAX + 10; i++)
        ck_assert_ok(put_noted(store, i, "a", "file", "who"), err);
    ck_assert_uint_eq(history_of(store, "a").count, SNAPCELL_HISTORY_COUNT_MAX);
    /* Cut before the character that does not fit whole. */
    memset(long_text, 'x', sizeof(long_text));
    memcpy(long_text + SNAPCELL_HISTORY_ORIGIN_SIZE_MAX - 1, "\xC3\xA4", 3);
    ck_assert_ok(put_noted(store, 1000, "b", long_text, long_text), err);
    ck_assert_uint_eq(strlen(history_of(store, "b").origin), SNAPCELL_HISTORY_ORIGIN_SIZE_MAX - 1);
    ck_assert_uint_eq(strlen(history_of(store, "b").who), SNAPCELL_HISTORY_WHO_SIZE_MAX);
    /* gc forgets what is gone, and keeps what is there. */
    ck_assert_ok(snapcell_store_remove_name(store, "b", &err), err);
    ck_assert_uint_eq(history_of(store, "b").count, 1);
    ck_assert_ok(snapcell_store_gc(store, NULL, &err), err);
    ck_assert_uint_eq(history_of(store, "b").count, 0);
    ck_assert_uint_eq(history_of(store, "a").count, SNAPCELL_HISTORY_COUNT_MAX);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
}
END_TEST

static void flip_a_bit_of_the_record(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val key = {8, "history:"};
    MDB_val value;
    ck_assert_int_eq(mdb_env_create(&env), MDB_SUCCESS);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 3), MDB_SUCCESS);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, 0, 0644), MDB_SUCCESS);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), MDB_SUCCESS);
    ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &dbi), MDB_SUCCESS);
    ck_assert_int_eq(mdb_cursor_open(txn, dbi, &cursor), MDB_SUCCESS);
    ck_assert_int_eq(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE), MDB_SUCCESS);
    uint8_t *copy = malloc(value.mv_size);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[3] ^= 1;
    value.mv_data = copy;
    ck_assert_int_eq(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), MDB_SUCCESS);
    mdb_cursor_close(cursor);
    ck_assert_int_eq(mdb_txn_commit(txn), MDB_SUCCESS);
    mdb_env_close(env);
    free(copy);
}

START_TEST(test_damage_is_seen)
{
    seen_events seen = {0};
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(put_noted(store, 1, "a", "file", "who"), err);
    snapcell_store_close(store);
    flip_a_bit_of_the_record();
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_fails(snapcell_history_each(store, "a", see, &seen, &err), SNAPCELL_E_STORE_CORRUPT,
                    err);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_fails(snapcell_store_check(store, &err), SNAPCELL_E_STORE_CORRUPT, err);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_bad_arguments)
{
    seen_events seen = {0};
    snapcell_put_options options = {.struct_size = 3};
    const snapcell_store_item nothing = {.size_bytes = 3};
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_fails(snapcell_history_each(store, NULL, see, &seen, &err), SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_history_each(store, "a/b", see, &seen, &err), SNAPCELL_E_USAGE, err);
    ck_assert_fails(snapcell_store_put_items(store, &nothing, 1, &options, &err), SNAPCELL_E_USAGE,
                    err);
    ck_assert_fails(snapcell_store_put_items(store, &nothing, 1, NULL, &err), SNAPCELL_E_USAGE,
                    err);
    ck_assert_ok(snapcell_store_put_items(store, NULL, 0, NULL, &err), err);
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_history");
    TCase *tcase = tcase_create("history");
    tcase_add_checked_fixture(tcase, fixture_setup_fast, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_changes_are_noted);
    tcase_add_test(tcase, test_what_is_there_is_named);
    tcase_add_test(tcase, test_old_changes_are_dropped);
    tcase_add_test(tcase, test_damage_is_seen);
    tcase_add_test(tcase, test_bad_arguments);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
