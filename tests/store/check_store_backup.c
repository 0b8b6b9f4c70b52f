/* Backups: consistent while others write, checked, and stores of their own. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_fixture.h"

#define ROUNDS 8

static snapcell_error err;
static char copy_store[128];
static char copy_path[160];

static void setup(void)
{
    fixture_setup_fast();
    snprintf(copy_store, sizeof(copy_store), "%s/copy", fixture_directory);
    snprintf(copy_path, sizeof(copy_path), "%s/data.mdb", copy_store);
    ck_assert_int_eq(mkdir(copy_store, 0755), 0);
}

static int make_file(void)
{
    int file = open(copy_path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_ge(file, 0);
    return file;
}

static void assert_copy_is(const snapcell_store_backup_result *result)
{
    snapcell_store *copy = NULL;
    snapcell_store_stat figures;
    ck_assert_ok(snapcell_store_open(copy_store, SNAPCELL_STORE_READ, &copy, &err), err);
    ck_assert_ok(snapcell_store_check(copy, &err), err);
    ck_assert_int_eq(fixture_count_whole(copy), (long)result->artifact_count);
    ck_assert_ok(snapcell_store_stat_get(copy, &figures, &err), err);
    ck_assert_uint_eq(figures.name_count, result->name_count);
    ck_assert_uint_eq(figures.file_size_bytes, result->size_bytes);
    snapcell_store_close(copy);
}

START_TEST(test_a_backup_is_a_store)
{
    snapcell_store_backup_result result;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_ok(fixture_put(store, i, 1, 30000, i < 3 ? "a" : NULL, &err), err);
    int file = make_file();
    ck_assert_ok(snapcell_store_backup(store, file, &result, &err), err);
    close(file);
    ck_assert_uint_eq(result.artifact_count, 5);
    ck_assert_uint_eq(result.name_count, 1);
    assert_copy_is(&result);
    snapcell_store_close(store);
    /* It can be written, too. */
    ck_assert_ok(snapcell_store_open(copy_store, SNAPCELL_STORE_WRITE, &store, &err), err);
    ck_assert_ok(fixture_put(store, 9, 1, 100, "later", &err), err);
    snapcell_store_close(store);
}
END_TEST

/* Two names that always lead to the same artifact: a copy of half a change would have them differ.
 */
static int write_pairs(void *argument)
{
    (void)argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    for (uint32_t i = 0;; i++) {
        fixture_artifact artifact = fixture_artifact_new(i % 50, 1, i % 3 == 0 ? 50000 : 200);
        const snapcell_store_item items[] = {
            {.bytes = artifact.bytes, .size_bytes = artifact.size_bytes, .name = "left"},
            {.bytes = artifact.bytes, .size_bytes = artifact.size_bytes, .name = "right"}};
        if (snapcell_store_put_all(store, items, 2, false, &err) != SNAPCELL_OK) return 1;
        if (i % 20 == 0 && snapcell_store_gc(store, NULL, &err) != SNAPCELL_OK) return 2;
        fixture_artifact_free(&artifact);
    }
}

START_TEST(test_a_backup_is_consistent_while_others_write)
{
    snapcell_store_backup_result result;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    pid_t pid = fixture_start(write_pairs, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        snapcell_key left;
        snapcell_key right;
        snapcell_store *copy = NULL;
        usleep(20000);
        int file = make_file();
        ck_assert_ok(snapcell_store_backup(store, file, &result, &err), err);
        close(file);
        assert_copy_is(&result);
        if (result.name_count == 0) continue;
        ck_assert_ok(snapcell_store_open(copy_store, SNAPCELL_STORE_READ, &copy, &err), err);
        ck_assert_ok(snapcell_store_resolve(copy, "left", NULL, &left, &err), err);
        ck_assert_ok(snapcell_store_resolve(copy, "right", NULL, &right, &err), err);
        ck_assert_mem_eq(&left, &right, sizeof(left));
        snapcell_store_close(copy);
    }
    kill(pid, SIGKILL);
    ck_assert_int_eq(fixture_wait(pid), 1000 + SIGKILL);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_damage_is_not_backed_up)
{
    char path[128];
    snapcell_store_backup_result result;
    fixture_artifact artifact = fixture_artifact_new(1, 1, 30000);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, "a", &err), err);
    snapcell_store_close(store);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    const size_t size = (size_t)fixture_file_size(path);
    uint8_t *bytes = malloc(size);
    int file = open(path, O_RDWR);
    ck_assert_int_eq(read(file, bytes, size), (ssize_t)size);
    const uint8_t *found = memmem(bytes, size, artifact.bytes, artifact.size_bytes);
    ck_assert_ptr_nonnull(found);
    const uint8_t flipped = found[20000] ^ 1;
    ck_assert_int_eq(pwrite(file, &flipped, 1, found + 20000 - bytes), 1);
    close(file);
    free(bytes);
    store = fixture_open(SNAPCELL_STORE_READ);
    file = make_file();
    ck_assert_fails(snapcell_store_backup(store, file, &result, &err), SNAPCELL_E_CORRUPT, err);
    ck_assert_uint_eq(result.artifact_count, 0);
    close(file);
    snapcell_store_close(store);
    fixture_artifact_free(&artifact);
}
END_TEST

START_TEST(test_no_room)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_ok(fixture_put(store, i, 1, 100000, NULL, &err), err);
    int file = make_file();
    const struct rlimit limit = {.rlim_cur = 200000, .rlim_max = RLIM_INFINITY};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_fails(snapcell_store_backup(store, file, NULL, &err), SNAPCELL_E_FULL, err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    close(file);
    file = make_file();
    ck_assert_ok(snapcell_store_backup(store, file, NULL, &err), err);
    close(file);
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_backup");
    TCase *tcase = tcase_create("backup");
    tcase_add_checked_fixture(tcase, setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_a_backup_is_a_store);
    tcase_add_test(tcase, test_a_backup_is_consistent_while_others_write);
    tcase_add_test(tcase, test_damage_is_not_backed_up);
    tcase_add_test(tcase, test_no_room);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
