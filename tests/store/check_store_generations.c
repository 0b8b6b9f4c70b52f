/* gc puts a compact copy in place of the file that others, and this process, have open. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_fixture.h"

#define THREADS 4
#define COPIES 5

static snapcell_error err;

static int collect_once(void *argument)
{
    snapcell_store_gc_result *result = argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    int status = snapcell_store_gc(store, result, &err);
    snapcell_store_close(store);
    if (status != SNAPCELL_OK || result->removed_count != 1) return 1;
    return result->freed_size_bytes == 0 ? 10 : 20;
}

static bool maps_an_old_generation(void)
{
    char line[512];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        found = found || strstr(line, "data.mdb (deleted)") != NULL;
    }
    fclose(maps);
    return found;
}

static int remove_name_a(void *argument)
{
    (void)argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    int status = snapcell_store_remove_name(store, "a", &err);
    snapcell_store_close(store);
    return status == SNAPCELL_OK ? 0 : 1;
}

START_TEST(test_space_returns_while_others_have_it_open)
{
    snapcell_key key;
    snapcell_store_gc_result result;
    snapcell_store_view view;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact a = fixture_artifact_new(2, 1, 50000);
    ck_assert_ok(fixture_put(store, 1, 1, 1000000, NULL, &err), err);
    ck_assert_ok(fixture_put(store, 2, 1, 50000, "a", &err), err);
    ck_assert_ok(snapcell_store_view_open(store, &a.key, &view, &err), err);
    ck_assert_int_eq(fixture_run(collect_once, &result), 20);
    ck_assert(maps_an_old_generation());
    /* What is written to the new one is seen at once, while the view stays with the old one. */
    ck_assert_int_eq(fixture_run(remove_name_a, NULL), 0);
    ck_assert_fails(snapcell_store_resolve(store, "a", NULL, &key, &err), SNAPCELL_E_NOT_FOUND,
                    err);
    ck_assert_mem_eq(view.bytes, a.bytes, a.size_bytes);
    ck_assert(maps_an_old_generation());
    snapcell_store_view_close(store, &view);
    ck_assert(!maps_an_old_generation());
    /* A write goes to the generation that is there by then. */
    ck_assert_ok(fixture_put(store, 3, 1, 1000000, NULL, &err), err);
    ck_assert_int_eq(fixture_run(collect_once, &result), 20);
    ck_assert_ok(fixture_put(store, 4, 1, 1000, "b", &err), err);
    ck_assert_ok(snapcell_store_check(store, &err), err);
    snapcell_store_close(store);
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert(fixture_has(store, 4, 1, 1000));
    ck_assert_int_eq(fixture_count_whole(store), 1);
    snapcell_store_close(store);
    fixture_artifact_free(&a);
}
END_TEST

static int collect_within(void *user, const snapcell_store_name *entry)
{
    snapcell_store *store = user;
    snapcell_store_gc_result result;
    snapcell_key key;
    if (fixture_run(collect_once, &result) != 20) return 1;
    if (fixture_run(remove_name_a, NULL) != 0) return 2;
    /* The state that is being listed: waiting for its end would be in vain. */
    return snapcell_store_resolve(store, entry->name, NULL, &key, &err) == SNAPCELL_OK ? 0 : 3;
}

START_TEST(test_a_listing_stays_in_its_generation)
{
    snapcell_key key;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 1000000, NULL, &err), err);
    ck_assert_ok(fixture_put(store, 2, 1, 1000, "a", &err), err);
    ck_assert_int_eq(snapcell_store_each_name(store, collect_within, store, &err), 0);
    ck_assert_fails(snapcell_store_resolve(store, "a", NULL, &key, &err), SNAPCELL_E_NOT_FOUND,
                    err);
    snapcell_store_close(store);
}
END_TEST

static int hold_open(void *argument)
{
    const int pipe = *(const int *)argument;
    snapcell_store *held = fixture_open(SNAPCELL_STORE_READ);
    if (write(pipe, "", 1) != 1) return 1;
    pause();
    snapcell_store_close(held);
    return 0;
}

/* Another store's file, which has transactions of its own, does not fit the lock file in use. */
START_TEST(test_a_file_from_elsewhere_is_refused)
{
    int ends[2];
    char byte;
    char path[160];
    char from[160];
    char other_path[128];
    snapcell_key key;
    snapcell_store *other = NULL;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < 9; i++)
        ck_assert_ok(fixture_put(store, i, 1, 1000, "a", &err), err);
    snprintf(other_path, sizeof(other_path), "%s/other", fixture_directory);
    ck_assert_ok(snapcell_store_open(other_path, SNAPCELL_STORE_CREATE, &other, &err), err);
    ck_assert_ok(fixture_put(other, 1, 1, 1000, "a", &err), err);
    snapcell_store_close(other);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fixture_start(hold_open, &ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture_store);
    snprintf(from, sizeof(from), "%s/data.mdb", other_path);
    ck_assert_int_eq(rename(from, path), 0);
    ck_assert_fails(snapcell_store_resolve(store, "a", NULL, &key, &err), SNAPCELL_E_BUSY, err);
    kill(pid, SIGKILL);
    fixture_wait(pid);
    ck_assert_ok(snapcell_store_resolve(store, "a", NULL, &key, &err), err);
    snapcell_store_close(store);
}
END_TEST

/* --- Threads
 * -------------------------------------------------------------------------------------------------
 */

typedef struct reading_thread {
    pthread_t thread;
    snapcell_store *store;
    const fixture_artifact *artifact;
    _Atomic bool *stop;
    const char *failed;
} reading_thread;

/* Views are open most of the time, so that at each moment some thread has one. */
static void *read_on(void *argument)
{
    reading_thread *self = argument;
    const fixture_artifact *artifact = self->artifact;
    while (!*self->stop && self->failed == NULL) {
        snapcell_store_view view;
        if (snapcell_store_view_open(self->store, &artifact->key, &view, NULL) != SNAPCELL_OK) {
            self->failed = "view";
            break;
        }
        usleep(300);
        if (memcmp(view.bytes, artifact->bytes, artifact->size_bytes) != 0) self->failed = "bytes";
        snapcell_store_view_close(self->store, &view);
    }
    return NULL;
}

START_TEST(test_threads_move_over_without_waiting_for_views)
{
    reading_thread threads[THREADS];
    snapcell_store_gc_result result;
    _Atomic bool stop = false;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    fixture_artifact artifact = fixture_artifact_new(1, 1, 70000);
    ck_assert_ok(snapcell_store_put(store, artifact.bytes, artifact.size_bytes, "a", &err), err);
    for (size_t i = 0; i < THREADS; i++) {
        threads[i] = (reading_thread){.store = store, .artifact = &artifact, .stop = &stop};
        ck_assert_int_eq(pthread_create(&threads[i].thread, NULL, read_on, &threads[i]), 0);
    }
    for (uint32_t i = 0; i < COPIES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "name-%u", i);
        ck_assert_ok(fixture_put(store, 2 + i, 1, 1000000, NULL, &err), err);
        /* Another process's, then one of this. */
        if (i % 2 == 0)
            ck_assert_int_eq(fixture_run(collect_once, &result), 20);
        else
            ck_assert_ok(snapcell_store_gc(store, &result, &err), err);
        ck_assert_ok(fixture_put(store, 100 + i, 1, 500, name, &err), err);
    }
    stop = true;
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
        ck_assert_ptr_null(threads[i].failed);
    }
    ck_assert_ok(snapcell_store_check(store, &err), err);
    ck_assert_int_eq(fixture_count_whole(store), 1 + COPIES);
    snapcell_store_close(store);
    fixture_artifact_free(&artifact);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_generations");
    TCase *tcase = tcase_create("generations");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_space_returns_while_others_have_it_open);
    tcase_add_test(tcase, test_a_listing_stays_in_its_generation);
    tcase_add_test(tcase, test_a_file_from_elsewhere_is_refused);
    tcase_add_test(tcase, test_threads_move_over_without_waiting_for_views);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
