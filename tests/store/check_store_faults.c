/* Each call to the system that an operation makes fails in turn, once and for good: an error, no
 * leak (AddressSanitizer's build), the store usable after it, and all that was acknowledged in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "faults.h"
#include "store_fixture.h"

#define KEPT 12u /* artifacts that every operation leaves alone, with a name each */
#define ENGINE 1
#define CALLS_MAX 2000u

static snapcell_error err;
static char template_data[128];
static char other_store[128];
static char file_path[128];
static fixture_artifact kept[KEPT];
static fixture_artifact added;   /* not there yet */
static fixture_artifact removed; /* there, named "removed" */

/* An operation on an open store; `store` is NULL for those that open one themselves. */
typedef struct faulted {
    const char *name;
    int (*run)(snapcell_store *store);
    bool opened;
    bool writes;  /* so that a failed sync is a failure */
    bool is_safe; /* to be done when it failed: an empty store may be there */
    bool (*is_done)(snapcell_store *store);
    void (*undo)(snapcell_store *store);
} faulted;

/* --- The operations
 * -------------------------------------------------------------------------------------------------
 */

static bool leads_to(snapcell_store *store, const char *name, const snapcell_key *key)
{
    snapcell_key found;
    return snapcell_store_resolve(store, name, NULL, &found, NULL) == SNAPCELL_OK &&
           memcmp(&found, key, sizeof(found)) == 0;
}

static bool has(snapcell_store *store, const fixture_artifact *artifact)
{
    snapcell_store_view view;
    const bool same = snapcell_store_view_open(store, &artifact->key, &view, NULL) == SNAPCELL_OK &&
                      view.size_bytes == artifact->size_bytes &&
                      memcmp(view.bytes, artifact->bytes, view.size_bytes) == 0;
    snapcell_store_view_close(store, &view);
    return same;
}

static int open_in(snapcell_store_mode mode)
{
    snapcell_store *store = NULL;
    int status = snapcell_store_open(fixture_store, mode, &store, &err);
    snapcell_store_close(store);
    return status;
}

static int run_open_read(snapcell_store *store)
{
    (void)store;
    return open_in(SNAPCELL_STORE_READ);
}

static int run_open_write(snapcell_store *store)
{
    (void)store;
    return open_in(SNAPCELL_STORE_WRITE);
}

static int run_create(snapcell_store *unused)
{
    snapcell_store *store = NULL;
    (void)unused;
    int status = snapcell_store_open(other_store, SNAPCELL_STORE_CREATE, &store, &err);
    snapcell_store_close(store);
    return status;
}

static bool other_is_done(snapcell_store *unused)
{
    snapcell_store *store = NULL;
    (void)unused;
    int status = snapcell_store_open(other_store, SNAPCELL_STORE_READ, &store, NULL);
    snapcell_store_close(store);
    return status == SNAPCELL_OK;
}

static void remove_store(const char *path)
{
    char file[160];
    static const char *const names[] = {"/data.mdb", "/lock.mdb", "/data.mdb.new",
                                        "/data.mdb.compact", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", path, names[i]);
        remove(file);
    }
}

static void undo_other(snapcell_store *store)
{
    (void)store;
    remove_store(other_store);
}

static int run_put(snapcell_store *store)
{
    return snapcell_store_put(store, added.bytes, added.size_bytes, "added", &err);
}

static bool put_is_done(snapcell_store *store)
{
    return has(store, &added) && leads_to(store, "added", &added.key);
}

static void undo_put(snapcell_store *store)
{
    snapcell_store_remove(store, &added.key, NULL);
}

/* Moves a name to another artifact. */
static int run_move(snapcell_store *store)
{
    return snapcell_store_name_set(store, "removed", &kept[0].key, &err);
}

static bool move_is_done(snapcell_store *store)
{
    return leads_to(store, "removed", &kept[0].key);
}

static void undo_move(snapcell_store *store)
{
    snapcell_store_name_set(store, "removed", &removed.key, NULL);
}

static int run_remove(snapcell_store *store)
{
    return snapcell_store_remove(store, &removed.key, &err);
}

static int run_remove_name(snapcell_store *store)
{
    return snapcell_store_remove_name(store, "removed", &err);
}

static bool remove_is_done(snapcell_store *store)
{
    return !has(store, &removed);
}

static void undo_remove(snapcell_store *store)
{
    snapcell_store_put(store, removed.bytes, removed.size_bytes, "removed", NULL);
}

/* Collects, and makes a compact copy. */
static int run_gc(snapcell_store *store)
{
    return snapcell_store_gc(store, NULL, &err);
}

static int run_get(snapcell_store *store)
{
    void *bytes;
    size_t size;
    int status = snapcell_store_get(store, &removed.key, &bytes, &size, &err);
    if (status == SNAPCELL_OK && size != removed.size_bytes) abort();
    free(bytes);
    return status;
}

static int keep_going(void *user, const snapcell_key *key, const void *bytes, size_t size)
{
    (void)user;
    (void)key;
    (void)bytes;
    return size == 0;
}

static int run_list(snapcell_store *store)
{
    return snapcell_store_each_artifact(store, keep_going, NULL, &err);
}

static int run_check(snapcell_store *store)
{
    return snapcell_store_check(store, &err);
}

static int run_stat(snapcell_store *store)
{
    snapcell_store_stat stat;
    return snapcell_store_stat_get(store, &stat, &err);
}

static int run_export(snapcell_store *store)
{
    void *bytes;
    size_t size;
    int status = snapcell_store_get(store, &removed.key, &bytes, &size, &err);
    if (status == SNAPCELL_OK) status = cli_write_file(file_path, bytes, size, false, &err);
    free(bytes);
    return status;
}

static bool export_is_done(snapcell_store *store)
{
    struct stat status;
    (void)store;
    const bool there = stat(file_path, &status) == 0;
    ck_assert(!there || (uint64_t)status.st_size == removed.size_bytes);
    return there;
}

static void undo_export(snapcell_store *store)
{
    (void)store;
    remove(file_path);
}

static int run_import(snapcell_store *store)
{
    char *bytes;
    size_t size;
    int status = cli_read_file("added.artifact", (size_t)1 << 30, &bytes, &size, &err);
    if (status != SNAPCELL_OK) return status;
    status = snapcell_store_put(store, bytes, size, "added", &err);
    free(bytes);
    return status;
}

static int run_salvage(snapcell_store *store)
{
    (void)store;
    return snapcell_store_salvage(fixture_store, other_store, NULL, NULL, NULL, &err);
}

static const faulted operations[] = {
    {"open to read", run_open_read, .opened = false},
    {"open to write", run_open_write, .opened = false},
    {"create", run_create, .writes = true, .is_safe = true, .is_done = other_is_done,
     .undo = undo_other},
    {"put", run_put, .opened = true, .writes = true, .is_done = put_is_done, .undo = undo_put},
    {"move a name", run_move, .opened = true, .writes = true, .is_done = move_is_done,
     .undo = undo_move},
    {"remove", run_remove, .opened = true, .writes = true, .is_done = remove_is_done,
     .undo = undo_remove},
    {"remove a name", run_remove_name, .opened = true, .writes = true, .is_done = remove_is_done,
     .undo = undo_remove},
    {"gc", run_gc, .opened = true, .writes = true},
    {"get", run_get, .opened = true},
    {"list", run_list, .opened = true},
    {"check", run_check, .opened = true},
    {"stat", run_stat, .opened = true},
    {"export", run_export, .opened = true, .writes = true, .is_done = export_is_done,
     .undo = undo_export},
    {"import", run_import, .opened = true, .writes = true, .is_done = put_is_done,
     .undo = undo_put},
    {"salvage", run_salvage, .writes = true, .undo = undo_other},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* --- Setting up
 * -------------------------------------------------------------------------------------------------
 */

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 20];
    int file = open(from, O_RDONLY);
    const ssize_t size = read(file, bytes, sizeof(bytes));
    ck_assert_int_gt(size, 0);
    ck_assert_int_lt(size, sizeof(bytes));
    close(file);
    fixture_write_file(to, bytes, (size_t)size);
}

/* A store with something to collect and to give back; a file of it as a template. */
static void setup(void)
{
    fixture_setup_fast();
    ck_assert_int_eq(chdir(fixture_directory), 0);
    snprintf(template_data, sizeof(template_data), "%s/template", fixture_directory);
    snprintf(other_store, sizeof(other_store), "%s/other", fixture_directory);
    snprintf(file_path, sizeof(file_path), "%s/file", fixture_directory);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < KEPT; i++) {
        char name[32];
        snprintf(name, sizeof(name), "kept-%u", i);
        kept[i] = fixture_artifact_new(i, ENGINE, i % 3 == 0 ? 9000 : 300);
        ck_assert_ok(snapcell_store_put(store, kept[i].bytes, kept[i].size_bytes, name, &err), err);
    }
    added = fixture_artifact_new(100, ENGINE, 20000);
    removed = fixture_artifact_new(101, ENGINE, 20000);
    ck_assert_ok(snapcell_store_put(store, removed.bytes, removed.size_bytes, "removed", &err),
                 err);
    ck_assert_ok(fixture_put(store, 102, ENGINE, 200000, NULL, &err), err);
    snapcell_store_close(store);
    fixture_write_file("added.artifact", added.bytes, added.size_bytes);
    copy_file("store/data.mdb", template_data);
}

static void teardown(void)
{
    for (uint32_t i = 0; i < KEPT; i++) {
        fixture_artifact_free(&kept[i]);
    }
    fixture_artifact_free(&added);
    fixture_artifact_free(&removed);
    ck_assert_int_eq(chdir("/"), 0);
    fixture_teardown();
}

static void restore_store(void)
{
    remove_store(fixture_store);
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    copy_file(template_data, "store/data.mdb");
}

/* --- Judging
 * -------------------------------------------------------------------------------------------------
 */

static char place[128]; /* for messages */

static void assert_all_kept(snapcell_store *store)
{
    for (uint32_t i = 0; i < KEPT; i++) {
        char name[32];
        snprintf(name, sizeof(name), "kept-%u", i);
        ck_assert_msg(has(store, &kept[i]) && leads_to(store, name, &kept[i].key), "%s: lost %s",
                      place, name);
    }
    ck_assert_msg(snapcell_store_check(store, &err) == SNAPCELL_OK, "%s: %s", place, err.message);
}

static void assert_typed(int status)
{
    ck_assert_msg(status != SNAPCELL_E_INTERNAL && status > SNAPCELL_E_INTERNAL &&
                      err.code == status && strlen(err.message) > 10,
                  "%s: %d, %s", place, status, err.message);
}

/* After the fault, with the same handle and then with a new one. */
static void assert_usable(const faulted *operation, snapcell_store *store, int status)
{
    if (operation->is_done != NULL && !operation->is_safe && status != SNAPCELL_OK) {
        ck_assert_msg(!operation->is_done(store), "%s: failed, but it is done", place);
    }
    if (store != NULL) assert_all_kept(store);
    if (status != SNAPCELL_OK) {
        if (operation->run == run_salvage) undo_other(NULL);
        int again = operation->run(store);
        ck_assert_msg(again == SNAPCELL_OK, "%s: again: %s", place, err.message);
    }
    ck_assert_msg(operation->is_done == NULL || operation->is_done(store), "%s: is not done",
                  place);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_WRITE);
    assert_all_kept(store);
    ck_assert_msg(operation->is_done == NULL || operation->is_done(store), "%s: was not kept",
                  place);
    if (operation->undo != NULL) operation->undo(store);
    ck_assert_msg(operation->is_done == NULL || !operation->is_done(store), "%s: stays", place);
    snapcell_store_close(store);
}

/* Returns whether the operation makes so many calls at all. */
static bool try_fault(const faulted *operation, fault_kind kind, unsigned nth, bool for_good)
{
    snprintf(place, sizeof(place), "%s, %s %u%s", operation->name, fault_names[kind], nth,
             for_good ? " and all after it" : "");
    restore_store();
    snapcell_store *store = operation->opened ? fixture_open(SNAPCELL_STORE_WRITE) : NULL;
    memset(&err, 0, sizeof(err));
    fault_arm(kind, nth, for_good);
    int status = operation->run(store);
    const bool unsynced = kind == FAULT_SYNC && operation->writes && status != SNAPCELL_OK;
    /* On a disk that goes on failing the next attempt must not be taken in by the cache. */
    if (unsynced && operation->run == run_salvage) undo_other(NULL);
    if (unsynced && for_good) {
        ck_assert_msg(operation->run(store) != SNAPCELL_OK, "%s: acknowledged at last", place);
    }
    const bool happened = fault_disarm();
    if (status != SNAPCELL_OK) assert_typed(status);
    ck_assert_msg(happened || status == SNAPCELL_OK, "%s: %s", place, err.message);
    ck_assert_msg(!happened || status != SNAPCELL_OK || kind != FAULT_SYNC || !operation->writes,
                  "%s: acknowledged, but not on disk", place);
    assert_usable(operation, store, status);
    return happened;
}

START_TEST(test_faults)
{
    const faulted *operation = &operations[_i / FAULT_KINDS];
    const fault_kind kind = (fault_kind)(_i % FAULT_KINDS);
    for (int for_good = 0; for_good < 2; for_good++) {
        unsigned nth = 1;
        while (try_fault(operation, kind, nth, for_good != 0)) {
            nth++;
            ck_assert_uint_lt(nth, CALLS_MAX);
        }
    }
}
END_TEST

/* A test that never meets a fault shows nothing. Of a new store the file is synced, its first page,
 * its name and its directory's. */
START_TEST(test_faults_happen)
{
    static const struct {
        const char *operation;
        fault_kind kind;
        unsigned nth;
    } expected[] = {
        {"put", FAULT_WRITE, 2},    {"put", FAULT_SYNC, 2},         {"put", FAULT_SHORT_WRITE, 2},
        {"put", FAULT_MEMORY, 1},   {"open to read", FAULT_MAP, 1}, {"open to read", FAULT_READ, 1},
        {"gc", FAULT_RENAME, 1},    {"gc", FAULT_SYNC, 4},          {"create", FAULT_FULL, 1},
        {"create", FAULT_SYNC, 4},  {"export", FAULT_RENAME, 1},    {"import", FAULT_OPEN, 1},
        {"salvage", FAULT_SYNC, 10}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        size_t at = 0;
        while (strcmp(operations[at].name, expected[i].operation) != 0) {
            at++;
        }
        ck_assert_msg(try_fault(&operations[at], expected[i].kind, expected[i].nth, true),
                      "%s does not happen", place);
    }
}
END_TEST

/* Under valgrind mmap() takes no map of 256 GiB, and says EINVAL. */
START_TEST(test_map_shrinks_until_it_is_taken)
{
    fault_arm(FAULT_LARGE_MAP, 1, true);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    snapcell_store_stat stat;
    ck_assert_ok(snapcell_store_stat_get(store, &stat, &err), err);
    ck_assert_uint_le(stat.map_size_bytes, (uint64_t)1 << 30);
    ck_assert_uint_gt(stat.map_size_bytes, (uint64_t)1 << 28);
    ck_assert_ok(snapcell_store_put(store, added.bytes, added.size_bytes, "added", &err), err);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_READ);
    void *bytes = NULL;
    size_t size = 0;
    ck_assert_ok(snapcell_store_get(store, &added.key, &bytes, &size, &err), err);
    ck_assert_uint_eq(size, added.size_bytes);
    free(bytes);
    snapcell_store_close(store);
    ck_assert(fault_disarm());
}
END_TEST

/* A disk that fails shows whether anybody waits for it. The choice is the handle's alone. */
START_TEST(test_sync_is_left_out_where_it_was_asked_for)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    snapcell_store_set_sync(store, false);
    fault_arm(FAULT_SYNC, 1, true);
    ck_assert_ok(snapcell_store_put(store, added.bytes, added.size_bytes, "added", &err), err);
    ck_assert(!fault_disarm());
    snapcell_store *other = fixture_open(SNAPCELL_STORE_WRITE);
    fault_arm(FAULT_SYNC, 1, true);
    ck_assert_int_ne(snapcell_store_name_set(other, "removed", &kept[0].key, &err), SNAPCELL_OK);
    ck_assert(fault_disarm());
    snapcell_store_close(other);
    snapcell_store_set_sync(store, true);
    fault_arm(FAULT_SYNC, 1, true);
    ck_assert_int_ne(snapcell_store_name_set(store, "added", &kept[0].key, &err), SNAPCELL_OK);
    ck_assert(fault_disarm());
    ck_assert(put_is_done(store));
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_faults");
    TCase *faults = tcase_create("faults");
    tcase_add_checked_fixture(faults, setup, teardown);
    tcase_add_loop_test(faults, test_faults, 0, (int)(OPERATIONS * FAULT_KINDS));
    tcase_add_test(faults, test_faults_happen);
    tcase_add_test(faults, test_sync_is_left_out_where_it_was_asked_for);
    tcase_add_test(faults, test_map_shrinks_until_it_is_taken);
    suite_add_tcase(suite, faults);
    return fixture_main(suite);
}
