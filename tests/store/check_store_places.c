/* Where a store cannot be opened or written: missing, foreign, damaged, read-only, full. */
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_fixture.h"

static snapcell_error err;
static char data_path[128];
static char lock_path[128];

static void setup(void)
{
    fixture_setup();
    snprintf(data_path, sizeof(data_path), "%s/data.mdb", fixture_store);
    snprintf(lock_path, sizeof(lock_path), "%s/lock.mdb", fixture_store);
}

static void assert_refused(snapcell_store_mode mode, int code)
{
    snapcell_store *store = (void *)&err;
    memset(&err, 0, sizeof(err));
    ck_assert_fails(snapcell_store_open(fixture_store, mode, &store, &err), code, err);
    ck_assert_ptr_null(store);
    ck_assert_ptr_nonnull(strstr(err.message, fixture_store));
}

static void assert_refused_in_all_modes(int code)
{
    assert_refused(SNAPCELL_STORE_READ, code);
    assert_refused(SNAPCELL_STORE_WRITE, code);
    assert_refused(SNAPCELL_STORE_CREATE, code);
}

static void fill(uint32_t count)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "name-%u", i);
        ck_assert_ok(fixture_put(store, i, 1, 1000, name, &err), err);
    }
    snapcell_store_close(store);
}

/* --- No store
 * -------------------------------------------------------------------------------------------------
 */

START_TEST(test_missing)
{
    assert_refused(SNAPCELL_STORE_READ, SNAPCELL_E_NOT_FOUND);
    assert_refused(SNAPCELL_STORE_WRITE, SNAPCELL_E_NOT_FOUND);
    ck_assert_int_ne(access(fixture_store, F_OK), 0);
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    assert_refused(SNAPCELL_STORE_READ, SNAPCELL_E_NOT_FOUND);
    assert_refused(SNAPCELL_STORE_WRITE, SNAPCELL_E_NOT_FOUND);
    ck_assert_int_ne(access(lock_path, F_OK), 0);
    fill(1);
}
END_TEST

START_TEST(test_directory_above_is_missing)
{
    strcat(fixture_store, "/deeper");
    assert_refused_in_all_modes(SNAPCELL_E_NOT_FOUND);
}
END_TEST

START_TEST(test_path_is_a_file)
{
    fixture_write_file(fixture_store, "text", 4);
    assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
    strcat(fixture_store, "/deeper");
    assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
}
END_TEST

START_TEST(test_data_is_no_lmdb_file)
{
    static char bytes[20000];
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    fixture_write_file(data_path, "", 0);
    assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
    static const size_t sizes[] = {1, 15, 16, 151, 152, 153, 4096, 8192, sizeof(bytes)};
    for (int fill_byte = 0; fill_byte < 256; fill_byte += 85) {
        memset(bytes, fill_byte, sizeof(bytes));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            fixture_write_file(data_path, bytes, sizes[i]);
            assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
        }
    }
    /* Left as it was, and nothing put next to it. */
    ck_assert_uint_eq(fixture_file_size(data_path), sizeof(bytes));
    ck_assert_int_ne(access(lock_path, F_OK), 0);
}
END_TEST

START_TEST(test_data_is_no_regular_file)
{
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    ck_assert_int_eq(mkdir(data_path, 0755), 0);
    assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
    ck_assert_int_eq(rmdir(data_path), 0);
    ck_assert_int_eq(mkfifo(data_path, 0644), 0);
    assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
    ck_assert_int_eq(unlink(data_path), 0);
    ck_assert_int_eq(symlink("/dev/zero", data_path), 0);
    assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
}
END_TEST

static void make_foreign(const char *database, const char *key, const char *value)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key_value = {.mv_size = strlen(key), .mv_data = (char *)(uintptr_t)key};
    MDB_val data = {.mv_size = strlen(value), .mv_data = (char *)(uintptr_t)value};
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 4), 0);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, 0, 0644), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, database, MDB_CREATE, &dbi), 0);
    ck_assert_int_eq(mdb_put(txn, dbi, &key_value, &data, 0), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

START_TEST(test_data_of_another_program)
{
    static const struct {
        const char *database;
        const char *key;
        const char *value;
    } foreign[] = {{NULL, "a", "b"},
                   {NULL, "meta", "not a database"},
                   {"artifacts", "a", "b"},
                   {"meta", "a", "b"},
                   {"meta", "format", "other program's"},
                   {"meta", "format", "snapcell store"}};
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
        make_foreign(foreign[i].database, foreign[i].key, foreign[i].value);
        assert_refused_in_all_modes(SNAPCELL_E_NOT_A_STORE);
        ck_assert_int_eq(unlink(data_path), 0);
        ck_assert_int_eq(unlink(lock_path), 0);
        ck_assert_int_eq(rmdir(fixture_store), 0);
    }
}
END_TEST

START_TEST(test_lock_file_of_garbage_is_made_anew)
{
    static char bytes[300000];
    fill(3);
    memset(bytes, 0xA5, sizeof(bytes));
    for (size_t size = 0; size <= sizeof(bytes); size += sizeof(bytes) / 3) {
        fixture_write_file(lock_path, bytes, size);
        snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
        ck_assert_int_eq(fixture_count_whole(store), 3);
        snapcell_store_close(store);
    }
}
END_TEST

START_TEST(test_store_left_half_made)
{
    /* A process that died while it made a store leaves the file that it was filling. */
    char path[128];
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    snprintf(path, sizeof(path), "%s/data.mdb.new", fixture_store);
    fixture_write_file(path, "half", 4);
    assert_refused(SNAPCELL_STORE_READ, SNAPCELL_E_NOT_FOUND);
    fill(1);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* --- Damaged
 * -------------------------------------------------------------------------------------------------
 */

static void patch(uint64_t offset, const void *bytes, size_t size_bytes)
{
    int file = open(data_path, O_WRONLY);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, bytes, size_bytes, (off_t)offset), (ssize_t)size_bytes);
    close(file);
}

START_TEST(test_truncated)
{
    fill(50);
    const uint64_t whole = fixture_file_size(data_path);
    for (uint64_t size = whole - 4096; size > 4096; size = size * 3 / 4) {
        ck_assert_int_eq(truncate(data_path, (off_t)size), 0);
        assert_refused_in_all_modes(SNAPCELL_E_STORE_CORRUPT);
        ck_assert_ptr_nonnull(strstr(err.message, size >= 4096 + 152 ? "truncated" : "damaged"));
    }
    ck_assert_int_eq(truncate(data_path, 2000), 0);
    assert_refused_in_all_modes(SNAPCELL_E_STORE_CORRUPT);
}
END_TEST

static uint64_t last_page(void)
{
    uint64_t transactions[2];
    uint64_t pages[2];
    int file = open(data_path, O_RDONLY);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pread(file, &pages[i], 8, i * 4096 + 136), 8);
        ck_assert_int_eq(pread(file, &transactions[i], 8, i * 4096 + 144), 8);
    }
    close(file);
    return pages[transactions[1] > transactions[0]];
}

/* LMDB may take a page at the end of the file and free it in the same transaction, without writing
 * it: then the file is shorter than its pages, and sound. */
START_TEST(test_last_page_free_and_never_written)
{
    uint32_t random = 5;
    fixture_teardown();
    fixture_setup_fast();
    snprintf(data_path, sizeof(data_path), "%s/data.mdb", fixture_store);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (int i = 0; fixture_file_size(data_path) > last_page() * 4096; i++) {
        char name[32];
        ck_assert_int_lt(i, 100000);
        const uint32_t number = fixture_random(&random) % 48;
        snprintf(name, sizeof(name), "name-%u", fixture_random(&random) % 20);
        if (fixture_random(&random) % 3 == 0)
            snapcell_store_remove_name(store, name, NULL);
        else
            fixture_put(store, number, 1,
                        number % 3 == 0 ? 20000 + number * 1000 : 200 + number * 40, name, &err);
        if (i % 16 == 0) snapcell_store_gc(store, NULL, &err);
    }
    snapcell_store_close(store);
    for (int mode = SNAPCELL_STORE_READ; mode <= SNAPCELL_STORE_CREATE; mode++) {
        store = fixture_open((snapcell_store_mode)mode);
        ck_assert_ok(snapcell_store_check(store, &err), err);
        ck_assert_int_gt(fixture_count_whole(store), 0);
        if (mode != SNAPCELL_STORE_READ)
            ck_assert_ok(fixture_put(store, 900 + (uint32_t)mode, 1, 30000, "a", &err), err);
        snapcell_store_close(store);
    }
}
END_TEST

/* Not "out of memory" for a table of so many pages. */
START_TEST(test_last_page_far_beyond_the_file)
{
    fill(20);
    for (uint64_t last = (uint64_t)1 << 22; last != 0; last <<= 7) {
        for (uint64_t i = 0; i < 2; i++)
            patch(i * 4096 + 136, &last, sizeof(last));
        assert_refused_in_all_modes(SNAPCELL_E_STORE_CORRUPT);
        ck_assert_ptr_nonnull(strstr(err.message, "truncated: expected "));
    }
}
END_TEST

/* Some of the pages in use lie after it, in the file. */
START_TEST(test_last_page_too_small)
{
    fill(20);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(fixture_put(store, 900, 1, 100000, NULL, &err), err);
    snapcell_store_close(store);
    for (uint64_t last = last_page() - 1; last > 0; last--) {
        for (uint64_t i = 0; i < 2; i++)
            patch(i * 4096 + 136, &last, sizeof(last));
        assert_refused_in_all_modes(SNAPCELL_E_STORE_CORRUPT);
    }
}
END_TEST

START_TEST(test_first_pages_damaged)
{
    static const char zeros[4096];
    static const struct {
        uint64_t offset;
        size_t size_bytes;
        int code;
    } damages[] = {
        {0, 4096, SNAPCELL_E_STORE_CORRUPT},      {4096, 4096, SNAPCELL_E_STORE_CORRUPT},
        {10, 2, SNAPCELL_E_STORE_CORRUPT},        {16, 4, SNAPCELL_E_STORE_CORRUPT},
        {20, 4, SNAPCELL_E_NOT_A_STORE},          {40, 4, SNAPCELL_E_STORE_CORRUPT},
        {4096 + 16, 4, SNAPCELL_E_STORE_CORRUPT},
    };
    char saved[8192];
    fill(5);
    int file = open(data_path, O_RDONLY);
    ck_assert_int_eq(pread(file, saved, sizeof(saved), 0), sizeof(saved));
    close(file);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        patch(damages[i].offset, zeros, damages[i].size_bytes);
        assert_refused_in_all_modes(damages[i].code);
        patch(0, saved, sizeof(saved));
    }
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_eq(fixture_count_whole(store), 5);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_roots_damaged)
{
    /* Everything but the meta pages, zeroed: the roots of the trees are not pages any more. */
    static const char zeros[4096];
    fill(5);
    const uint64_t whole = fixture_file_size(data_path);
    for (uint64_t offset = 8192; offset < whole; offset += 4096) {
        patch(offset, zeros, sizeof(zeros));
    }
    assert_refused_in_all_modes(SNAPCELL_E_STORE_CORRUPT);
}
END_TEST

/* --- Read-only
 * -------------------------------------------------------------------------------------------------
 */

/* Reading works, in every way, without permission to write; writing says why not. */
static void check_read_only(void)
{
    snapcell_store *store = NULL;
    snapcell_store_stat figures;
    snapcell_store_view view;
    snapcell_store_view second;
    snapcell_key key;
    ck_assert_ok(snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, &err), err);
    ck_assert_int_eq(fixture_count_whole(store), 3);
    ck_assert_ok(snapcell_store_resolve(store, "name-2", NULL, &key, &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &key, &view, &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &key, &second, &err), err);
    ck_assert_uint_eq(view.size_bytes, second.size_bytes);
    ck_assert_mem_eq(view.bytes, second.bytes, view.size_bytes);
    snapcell_store_view_close(store, &view);
    snapcell_store_view_close(store, &second);
    ck_assert(fixture_has(store, 1, 1, 1000));
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_eq(figures.artifact_count, 3);
    ck_assert_uint_eq(figures.reader_max, 0);
    assert_refused(SNAPCELL_STORE_WRITE, SNAPCELL_E_READ_ONLY);
    assert_refused(SNAPCELL_STORE_CREATE, SNAPCELL_E_READ_ONLY);
    ck_assert(fixture_has(store, 2, 1, 1000));
    snapcell_store_close(store);
}

START_TEST(test_read_only_file_system)
{
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    if (!fixture_mount_small(fixture_store, "size=4m")) return;
    fill(3);
    /* With the lock file there, and without it. */
    fixture_remount_read_only(fixture_store);
    check_read_only();
}
END_TEST

START_TEST(test_read_only_file_system_without_lock_file)
{
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    if (!fixture_mount_small(fixture_store, "size=4m")) return;
    fill(3);
    ck_assert_int_eq(unlink(lock_path), 0);
    fixture_remount_read_only(fixture_store);
    check_read_only();
}
END_TEST

START_TEST(test_new_store_on_read_only_file_system)
{
    if (!fixture_mount_small(fixture_directory, "size=1m")) return;
    fixture_remount_read_only(fixture_directory);
    assert_refused(SNAPCELL_STORE_CREATE, SNAPCELL_E_READ_ONLY);
}
END_TEST

static int read_as_nobody(void *argument)
{
    (void)argument;
    fixture_become_nobody();
    check_read_only();
    return 0;
}

START_TEST(test_directory_of_another_user)
{
    fill(3);
    ck_assert_int_eq(chmod(fixture_store, 0555), 0);
    ck_assert_int_eq(chmod(data_path, 0444), 0);
    ck_assert_int_eq(chmod(lock_path, 0444), 0);
    ck_assert_int_eq(fixture_run(read_as_nobody, NULL), 0);
    ck_assert_int_eq(unlink(lock_path) == 0 || geteuid() != 0, 1);
    ck_assert_int_eq(fixture_run(read_as_nobody, NULL), 0);
    ck_assert_int_eq(chmod(fixture_store, 0755), 0);
}
END_TEST

static int open_unreadable(void *argument)
{
    (void)argument;
    fixture_become_nobody();
    assert_refused(SNAPCELL_STORE_READ, SNAPCELL_E_IO);
    return 0;
}

START_TEST(test_not_even_readable)
{
    fill(1);
    ck_assert_int_eq(chmod(data_path, 0), 0);
    ck_assert_int_eq(fixture_run(open_unreadable, NULL), 0);
}
END_TEST

#define UNLOCKED_ROUNDS 60

/* Without LMDB's lock file, pages are reused under such a reader, except for our own lock. */
static int read_unlocked_often(void *argument)
{
    const int *pipe_end = argument;
    fixture_become_nobody();
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    for (char byte; fcntl(*pipe_end, F_SETFL, O_NONBLOCK) == 0 && read(*pipe_end, &byte, 1) != 0;) {
        if (fixture_count_whole(store) < 1) return 1;
        for (uint32_t i = 0; i < UNLOCKED_ROUNDS; i++) {
            snapcell_store_view view;
            snapcell_artifact_info info;
            fixture_artifact artifact = fixture_artifact_new(i, 1, 60000);
            int status = snapcell_store_view_open(store, &artifact.key, &view, &err);
            fixture_artifact_free(&artifact);
            if (status == SNAPCELL_E_NOT_FOUND) continue;
            if (status != SNAPCELL_OK) return 2;
            status = snapcell_artifact_inspect(view.bytes, view.size_bytes, &info, &err);
            snapcell_store_view_close(store, &view);
            if (status != SNAPCELL_OK) return 3;
        }
    }
    snapcell_store_close(store);
    return 0;
}

START_TEST(test_unlocked_reader_beside_a_writer)
{
    int ends[2];
    pid_t pids[2];
    if (geteuid() != 0) return;
    snapcell_store_close(fixture_open(SNAPCELL_STORE_CREATE));
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(fixture_put(store, 1000, 1, 100, "stays", &err), err);
    snapcell_store_close(store);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    for (size_t i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            close(ends[1]);
            _exit(read_unlocked_often(&ends[0]));
        }
    }
    store = fixture_open(SNAPCELL_STORE_WRITE);
    for (uint32_t i = 0; i < UNLOCKED_ROUNDS; i++) {
        ck_assert_ok(fixture_put(store, i, 1, 60000, NULL, &err), err);
        fixture_artifact old = fixture_artifact_new(i - 2, 1, 60000);
        if (i >= 2) ck_assert_ok(snapcell_store_remove(store, &old.key, &err), err);
        fixture_artifact_free(&old);
    }
    close(ends[1]);
    ck_assert_int_eq(fixture_wait(pids[0]), 0);
    ck_assert_int_eq(fixture_wait(pids[1]), 0);
    snapcell_store_close(store);
}
END_TEST

/* --- Full
 * -------------------------------------------------------------------------------------------------
 */

/* Puts until there is no more room, several times over; what is in stays whole. */
static void fill_up(uint32_t first, size_t blob_size_bytes)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    uint32_t number = first;
    int status;
    while ((status = fixture_put(store, number, 1, blob_size_bytes, NULL, &err)) == SNAPCELL_OK) {
        number++;
        ck_assert_uint_lt(number, first + 1000);
    }
    ck_assert_fails(status, SNAPCELL_E_FULL, err);
    for (int i = 0; i < 3; i++) {
        ck_assert_fails(fixture_put(store, number, 1, blob_size_bytes, "x", &err), SNAPCELL_E_FULL,
                        err);
    }
    for (uint32_t i = first; i < number; i++) {
        ck_assert(fixture_has(store, i, 1, blob_size_bytes));
    }
    ck_assert(!fixture_has(store, number, 1, blob_size_bytes));
    ck_assert_int_ge(fixture_count_whole(store), number - first);
    snapcell_store_close(store);
}

static void fill_up_and_free(void)
{
    snapcell_store_gc_result result;
    fill(3);
    fill_up(1000, 150000);
    fill_up(3000, 20000);
    fill_up(5000, 100);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    /* What is removed makes room, once the compact copy or reuse got it. */
    fixture_artifact big = fixture_artifact_new(1000, 1, 150000);
    int status = snapcell_store_remove(store, &big.key, &err);
    ck_assert(status == SNAPCELL_OK || status == SNAPCELL_E_FULL);
    status = snapcell_store_gc(store, &result, &err);
    ck_assert(status == SNAPCELL_OK || status == SNAPCELL_E_FULL);
    ck_assert_int_ge(fixture_count_whole(store), 3);
    snapcell_store_close(store);
    fixture_artifact_free(&big);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_ge(fixture_count_whole(store), 3);
    snapcell_store_close(store);
}

START_TEST(test_full_file_system)
{
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    if (!fixture_mount_small(fixture_store, "size=1m")) return;
    fill_up_and_free();
}
END_TEST

/* Within a page, where writes are cut short, and between two, where they fail with a signal. */
static const rlim_t size_limits[] = {900000, 901120};

START_TEST(test_full_by_file_size_limit)
{
    const struct rlimit limit = {.rlim_cur = size_limits[_i], .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_DFL); /* some parents ignore it, and that is inherited */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill_up_and_free();
}
END_TEST

START_TEST(test_full_file_system_is_read)
{
    char path[128];
    char bytes[4096] = {0};
    ck_assert_int_eq(mkdir(fixture_store, 0755), 0);
    if (!fixture_mount_small(fixture_store, "size=512k")) return;
    fill(3);
    ck_assert_int_eq(unlink(lock_path), 0);
    snprintf(path, sizeof(path), "%s/filler", fixture_store);
    int file = open(path, O_WRONLY | O_CREAT, 0644);
    while (write(file, bytes, sizeof(bytes)) > 0) {}
    close(file);
    /* The lock file is written through a map, where no room would be a SIGBUS. */
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_eq(fixture_count_whole(store), 3);
    snapcell_store_close(store);
    assert_refused(SNAPCELL_STORE_WRITE, SNAPCELL_E_FULL);
    ck_assert_int_eq(unlink(path), 0);
    store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_int_eq(fixture_count_whole(store), 3);
    snapcell_store_close(store);
}
END_TEST

START_TEST(test_new_store_on_full_file_system)
{
    if (!fixture_mount_small(fixture_directory, "size=8k")) return;
    assert_refused(SNAPCELL_STORE_CREATE, SNAPCELL_E_FULL);
    ck_assert_int_ne(access(fixture_store, F_OK), 0);
}
END_TEST

START_TEST(test_new_store_with_file_size_limit)
{
    const struct rlimit limit = {.rlim_cur = 6000, .rlim_max = RLIM_INFINITY};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_refused(SNAPCELL_STORE_CREATE, SNAPCELL_E_FULL);
    ck_assert_int_ne(access(fixture_store, F_OK), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    fill(1);
}
END_TEST

START_TEST(test_little_address_space)
{
    const struct rlimit limit = {.rlim_cur = (rlim_t)2 << 30, .rlim_max = RLIM_INFINITY};
    snapcell_store_stat figures;
#if !defined(__SANITIZE_ADDRESS__)
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
#endif
    (void)limit;
    fill(3);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_ge(figures.map_size_bytes, 1 << 20);
    ck_assert_int_eq(fixture_count_whole(store), 3);
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_places");
    TCase *tcase = tcase_create("places");
    tcase_add_checked_fixture(tcase, setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_missing);
    tcase_add_test(tcase, test_directory_above_is_missing);
    tcase_add_test(tcase, test_path_is_a_file);
    tcase_add_test(tcase, test_data_is_no_lmdb_file);
    tcase_add_test(tcase, test_data_is_no_regular_file);
    tcase_add_test(tcase, test_data_of_another_program);
    tcase_add_test(tcase, test_lock_file_of_garbage_is_made_anew);
    tcase_add_test(tcase, test_store_left_half_made);
    tcase_add_test(tcase, test_truncated);
    tcase_add_test(tcase, test_last_page_free_and_never_written);
    tcase_add_test(tcase, test_last_page_far_beyond_the_file);
    tcase_add_test(tcase, test_last_page_too_small);
    tcase_add_test(tcase, test_first_pages_damaged);
    tcase_add_test(tcase, test_roots_damaged);
    tcase_add_test(tcase, test_read_only_file_system);
    tcase_add_test(tcase, test_read_only_file_system_without_lock_file);
    tcase_add_test(tcase, test_new_store_on_read_only_file_system);
    tcase_add_test(tcase, test_directory_of_another_user);
    tcase_add_test(tcase, test_not_even_readable);
    tcase_add_test(tcase, test_unlocked_reader_beside_a_writer);
    tcase_add_test(tcase, test_full_file_system);
    tcase_add_loop_test(tcase, test_full_by_file_size_limit, 0, 2);
    tcase_add_test(tcase, test_full_file_system_is_read);
    tcase_add_test(tcase, test_new_store_on_full_file_system);
    tcase_add_test(tcase, test_new_store_with_file_size_limit);
    tcase_add_test(tcase, test_little_address_space);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
