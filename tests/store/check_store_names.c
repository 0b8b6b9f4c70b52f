/* Names' records: their checksums, and stores of the format that had none. */
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "snapcell/release.h"
#include "store_fixture.h"

#define NAME "a-name"
#define RECORD_SIZE (sizeof(NAME) + sizeof(snapcell_fingerprint) + sizeof(snapcell_key) + 8)

static snapcell_error err;
static char data_path[128];

static void setup(void)
{
    fixture_setup_fast();
    snprintf(data_path, sizeof(data_path), "%s/data.mdb", fixture_store);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, NAME, &err), err);
    snapcell_store_close(store);
}

static int resolve(snapcell_store *store, const char *name, snapcell_key *out)
{
    const snapcell_fingerprint engine = fixture_engine(1);
    return snapcell_store_resolve(store, name, &engine, out, &err);
}

/* --- Checksums
 * -------------------------------------------------------------------------------------------------
 */

static uint8_t *read_data(size_t *out_size)
{
    *out_size = (size_t)fixture_file_size(data_path);
    uint8_t *bytes = malloc(*out_size);
    FILE *file = fopen(data_path, "rb");
    ck_assert_ptr_nonnull(bytes);
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(bytes, 1, *out_size, file), *out_size);
    fclose(file);
    return bytes;
}

/* The record in the newest leaf: name, zero byte, engine, key, checksum. */
static uint8_t *find_record(uint8_t *bytes, size_t size)
{
    uint8_t pattern[sizeof(NAME) + sizeof(snapcell_fingerprint)] = NAME;
    const snapcell_fingerprint engine = fixture_engine(1);
    memcpy(pattern + sizeof(NAME), &engine, sizeof(engine));
    uint8_t *found = memmem(bytes, size, pattern, sizeof(pattern));
    ck_assert_ptr_nonnull(found);
    ck_assert_ptr_null(
        memmem(found + 1, size - (size_t)(found + 1 - bytes), pattern, sizeof(pattern)));
    return found;
}

static void assert_damage_is_seen(const snapcell_key *right)
{
    snapcell_key key;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_fails(snapcell_store_check(store, &err), SNAPCELL_E_STORE_CORRUPT, err);
    const int status = resolve(store, NAME, &key);
    ck_assert(status == SNAPCELL_E_STORE_CORRUPT || status == SNAPCELL_E_NOT_FOUND ||
              (status == SNAPCELL_OK && memcmp(&key, right, sizeof(key)) == 0));
    /* A bit may have made another name of it. */
    ck_assert_int_ne(resolve(store, "a-nam", &key), SNAPCELL_OK);
    snapcell_store_close(store);
}

START_TEST(test_each_bit_of_a_record)
{
    size_t size;
    snapcell_key right;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_ok(resolve(store, NAME, &right), err);
    snapcell_store_close(store);
    uint8_t *bytes = read_data(&size);
    uint8_t *record = find_record(bytes, size);
    for (size_t bit = 0; bit < RECORD_SIZE * 8; bit++) {
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fixture_write_file(data_path, bytes, size);
        assert_damage_is_seen(&right);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(bytes);
}
END_TEST

/* --- Format 1
 * -------------------------------------------------------------------------------------------------
 */

static void put(MDB_txn *txn, const char *database, MDB_val key, MDB_val value)
{
    MDB_dbi dbi;
    ck_assert_int_eq(mdb_dbi_open(txn, database, 0, &dbi), MDB_SUCCESS);
    ck_assert_int_eq(mdb_put(txn, dbi, &key, &value, 0), MDB_SUCCESS);
}

/* Says that the store has a format, and cuts the name's value to a key when that had no more. */
static void make_format(uint8_t version)
{
    char format[] = "snapcell store\0?";
    format[sizeof(format) - 2] = (char)version;
    uint8_t record[sizeof(NAME) + sizeof(snapcell_fingerprint)] = NAME;
    const snapcell_fingerprint engine = fixture_engine(1);
    const fixture_artifact artifact = fixture_artifact_new(1, 1, 100);
    snapcell_key key = artifact.key;
    MDB_env *env;
    MDB_txn *txn;
    memcpy(record + sizeof(NAME), &engine, sizeof(engine));
    ck_assert_int_eq(mdb_env_create(&env), MDB_SUCCESS);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 3), MDB_SUCCESS);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, 0, 0644), MDB_SUCCESS);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), MDB_SUCCESS);
    put(txn, "meta", (MDB_val){6, "format"}, (MDB_val){sizeof(format) - 1, format});
    if (version == 1)
        put(txn, "names", (MDB_val){sizeof(record), record}, (MDB_val){sizeof(key), &key});
    ck_assert_int_eq(mdb_txn_commit(txn), MDB_SUCCESS);
    mdb_env_close(env);
    fixture_artifact_free((fixture_artifact *)(uintptr_t)&artifact);
}

static uint8_t format_of_store(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {6, "format"};
    MDB_val value;
    ck_assert_int_eq(mdb_env_create(&env), MDB_SUCCESS);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 3), MDB_SUCCESS);
    ck_assert_int_eq(mdb_env_open(env, fixture_store, MDB_RDONLY, 0644), MDB_SUCCESS);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), MDB_SUCCESS);
    ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &dbi), MDB_SUCCESS);
    ck_assert_int_eq(mdb_get(txn, dbi, &key, &value), MDB_SUCCESS);
    const uint8_t version = ((const uint8_t *)value.mv_data)[value.mv_size - 1];
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return version;
}

START_TEST(test_format_1_is_read_and_made_2_by_a_write)
{
    snapcell_key key;
    ck_assert_uint_eq(format_of_store(), 4);
    make_format(1);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(resolve(store, NAME, &key), err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    ck_assert_ok(fixture_put(store, 2, 1, 100, "another", &err), err);
    ck_assert_ok(resolve(store, NAME, &key), err);
    ck_assert_ok(resolve(store, "another", &key), err);
    /* The same name and key again: that gives the record a checksum. */
    ck_assert_ok(fixture_put(store, 1, 1, 100, NAME, &err), err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
    ck_assert_uint_eq(format_of_store(), 2);
}
END_TEST

START_TEST(test_a_release_makes_it_format_3)
{
    snapcell_key key;
    make_format(1);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(resolve(store, NAME, &key), err);
    const snapcell_release_item item = {.name = NAME, .key = key};
    ck_assert_ok(snapcell_release_create(store, "r", NULL, &item, 1, &err), err);
    ck_assert_ok(snapcell_release_activate(store, "r", NULL, &err), err);
    ck_assert_ok(fixture_put(store, 2, 1, 100, "another", &err), err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    ck_assert_ok(resolve(store, NAME, &key), err);
    snapcell_store_close(store);
    ck_assert_uint_eq(format_of_store(), 3);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_ok(resolve(store, NAME, &key), err);
    snapcell_store_close(store);
}
END_TEST

/* A program of before, which would go on writing a file that was replaced. */
static int hold_as_before(int pipe)
{
    const struct flock lock = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = (off_t)1 << 62, .l_len = 1};
    int file = open(data_path, O_RDWR);
    if (file < 0 || fcntl(file, F_OFD_SETLK, &lock) != 0) return 1;
    char byte = 0;
    return write(pipe, &byte, 1) == 1 && read(pipe, &byte, 1) == 0 ? 0 : 2;
}

START_TEST(test_gc_makes_it_format_4_and_spares_who_does_not_know_it)
{
    int ends[2];
    char byte;
    snapcell_key key;
    snapcell_store_gc_result result;
    make_format(2);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        _exit(hold_as_before(ends[1]));
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(fixture_put(store, 7, 1, 500000, NULL, &err), err);
    ck_assert_ok(snapcell_store_gc(store, &result, &err), err);
    ck_assert_uint_eq(result.removed_count, 1);
    ck_assert_uint_eq(result.freed_size_bytes, 0);
    close(ends[0]);
    ck_assert_int_eq(fixture_wait(pid), 0);
    ck_assert_ok(snapcell_store_gc(store, &result, &err), err);
    ck_assert_uint_gt(result.freed_size_bytes, 400000);
    ck_assert_ok(resolve(store, NAME, &key), err);
    snapcell_store_close(store);
    ck_assert_uint_eq(format_of_store(), 4);
}
END_TEST

START_TEST(test_a_later_format_is_refused)
{
    static const uint8_t versions[] = {0, 5, 255};
    for (size_t i = 0; i < sizeof(versions); i++) {
        snapcell_store *store;
        make_format(versions[i]);
        ck_assert_fails(snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, &err),
                        SNAPCELL_E_NOT_A_STORE, err);
        ck_assert_ptr_nonnull(strstr(err.message, "store format"));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_names");
    TCase *tcase = tcase_create("names");
    tcase_add_checked_fixture(tcase, setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_each_bit_of_a_record);
    tcase_add_test(tcase, test_format_1_is_read_and_made_2_by_a_write);
    tcase_add_test(tcase, test_a_release_makes_it_format_3);
    tcase_add_test(tcase, test_gc_makes_it_format_4_and_spares_who_does_not_know_it);
    tcase_add_test(tcase, test_a_later_format_is_refused);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
