/* Several processes at one store: writing, reading, dying, collecting, forking. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store_fixture.h"

#define ARTIFACTS_EACH 40
#define WRITERS 2
#define READERS 4

static snapcell_error err;

static size_t blob_size_of(uint32_t number)
{
    return number % 5 == 0 ? 150000 + number : 200 + number % 3 * 1700;
}

static void pause_us(long us)
{
    const struct timespec pause = {.tv_nsec = us * 1000};
    nanosleep(&pause, NULL);
}

static int put_named(snapcell_store *store, uint32_t number)
{
    char name[32];
    snprintf(name, sizeof(name), "name-%u", number);
    int status = fixture_put(store, number, 1, blob_size_of(number), name, &err);
    if (status != SNAPCELL_OK) fprintf(stderr, "put: %s\n", err.message);
    return status;
}

/* Puts its own artifacts, and one that the other writer puts as well, again and again. */
static int write_many(void *argument)
{
    const uint32_t first = *(const uint32_t *)argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t number = first; number < first + ARTIFACTS_EACH; number++) {
        if (put_named(store, number) != SNAPCELL_OK) return 1;
        if (put_named(store, 5000) != SNAPCELL_OK) return 1;
        if (!fixture_has(store, number, 1, blob_size_of(number))) return 2;
    }
    snapcell_store_close(store);
    return 0;
}

/* Until all are there, what is there is whole, and never less than before. */
static int read_until_complete(void *argument)
{
    (void)argument;
    snapcell_store *store = NULL;
    while (snapcell_store_open(fixture_store, SNAPCELL_STORE_READ, &store, &err) != SNAPCELL_OK) {
        if (err.code != SNAPCELL_E_NOT_FOUND) {
            fprintf(stderr, "open: %s\n", err.message);
            return 1;
        }
        pause_us(500);
    }
    for (long before = 0; before < WRITERS * ARTIFACTS_EACH + 1;) {
        long count = fixture_count_whole(store);
        if (count < before) return 2;
        before = count;
        snapcell_fingerprint engine = fixture_engine(1);
        snapcell_key key;
        int status = snapcell_store_resolve(store, "name-1000", &engine, &key, &err);
        if (status != SNAPCELL_OK && status != SNAPCELL_E_NOT_FOUND) return 3;
    }
    snapcell_store_close(store);
    return 0;
}

START_TEST(test_writers_and_readers_together)
{
    pid_t pids[WRITERS + READERS];
    uint32_t firsts[WRITERS] = {1000, 2000};
    for (size_t i = 0; i < READERS; i++) {
        pids[WRITERS + i] = fixture_start(read_until_complete, NULL);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pids[i] = fixture_start(write_many, &firsts[i]);
    }
    for (size_t i = 0; i < WRITERS + READERS; i++) {
        ck_assert_int_eq(fixture_wait(pids[i]), 0);
    }
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_eq(fixture_count_whole(store), WRITERS * ARTIFACTS_EACH + 1);
    snapcell_store_close(store);
}
END_TEST

static int create_and_put_one(void *argument)
{
    const uint32_t number = *(const uint32_t *)argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    int status = fixture_put(store, number, 1, 100, NULL, &err);
    snapcell_store_close(store);
    return status == SNAPCELL_OK ? 0 : 1;
}

START_TEST(test_created_by_many_at_once)
{
    enum { PROCESSES = 12 };
    pid_t pids[PROCESSES];
    uint32_t numbers[PROCESSES];
    for (uint32_t i = 0; i < PROCESSES; i++) {
        numbers[i] = i;
        pids[i] = fixture_start(create_and_put_one, &numbers[i]);
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        ck_assert_int_eq(fixture_wait(pids[i]), 0);
    }
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_eq(fixture_count_whole(store), PROCESSES);
    snapcell_store_close(store);
}
END_TEST

/* Opening and closing race in LMDB 0.9.24: the last one destroys its mutexes. */
static int open_and_close_often(void *argument)
{
    uint32_t number = *(const uint32_t *)argument;
    for (int i = 0; i < 1000; i++) {
        snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
        if (!fixture_has(store, 1, 1, 100)) return 1;
        snapcell_store_close(store);
        if (i % 50 != 0) continue;
        store = fixture_open(SNAPCELL_STORE_WRITE);
        if (fixture_put(store, ++number, 1, 100, NULL, &err) != SNAPCELL_OK) {
            fprintf(stderr, "put: %s\n", err.message);
            return 2;
        }
        snapcell_store_close(store);
    }
    return 0;
}

START_TEST(test_opened_and_closed_by_many)
{
    enum { PROCESSES = 4 };
    pid_t pids[PROCESSES];
    uint32_t numbers[PROCESSES];
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, NULL, &err), err);
    snapcell_store_close(store);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        numbers[i] = (i + 1) * 1000;
        pids[i] = fixture_start(open_and_close_often, &numbers[i]);
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        ck_assert_int_eq(fixture_wait(pids[i]), 0);
    }
    store = fixture_open(SNAPCELL_STORE_READ);
    ck_assert_int_eq(fixture_count_whole(store), PROCESSES * 20 + 1);
    snapcell_store_close(store);
}
END_TEST

/* --- Killed
 * -------------------------------------------------------------------------------------------------
 */

typedef struct killed_writer {
    uint32_t first;
    int pipe;
} killed_writer;

/* Tells each number once its put is acknowledged. */
static int put_until_killed(void *argument)
{
    const killed_writer *writer = argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t number = writer->first;; number++) {
        char name[32];
        snprintf(name, sizeof(name), "name-%u", number);
        int status = fixture_put(store, number, 1, blob_size_of(number), name, &err);
        if (status != SNAPCELL_OK) {
            fprintf(stderr, "put: %s\n", err.message);
            return 1;
        }
        if (write(writer->pipe, &number, sizeof(number)) != sizeof(number)) return 1;
    }
}

static bool has_name(snapcell_store *store, uint32_t number)
{
    char name[32];
    snapcell_key key;
    snprintf(name, sizeof(name), "name-%u", number);
    return snapcell_store_resolve(store, name, NULL, &key, NULL) == SNAPCELL_OK;
}

/* Every acknowledged put is there, artifact and name; at most one more is, and that one whole. */
static void assert_all_there(uint32_t first, uint32_t next, long *total)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t number = first; number < next; number++) {
        ck_assert_msg(fixture_has(store, number, 1, blob_size_of(number)), "lost put %u", number);
        ck_assert(has_name(store, number));
    }
    bool one_more = fixture_has(store, next, 1, blob_size_of(next));
    ck_assert_int_eq(has_name(store, next), one_more);
    *total += next - first + (one_more ? 1 : 0);
    ck_assert_int_eq(fixture_count_whole(store), *total);
    snapcell_store_close(store);
}

START_TEST(test_killed_while_putting)
{
    uint32_t random = 20240607;
    uint32_t acknowledged = 0;
    long total = 0;
    for (uint32_t round = 0; round < 100; round++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        killed_writer writer = {.first = round * 1000, .pipe = ends[1]};
        pid_t pid = fixture_start(put_until_killed, &writer);
        close(ends[1]);
        struct pollfd ready = {.fd = ends[0], .events = POLLIN};
        /* In some rounds while it opens, mostly somewhere in a put. */
        if (round % 10 != 0) poll(&ready, 1, 10000);
        pause_us(fixture_random(&random) % 15000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(fixture_wait(pid), 1000 + SIGKILL);
        uint32_t next = writer.first;
        uint32_t number;
        while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
            ck_assert_uint_eq(number, next);
            next++;
        }
        close(ends[0]);
        acknowledged += next - writer.first;
        assert_all_there(writer.first, next, &total);
    }
    ck_assert_uint_gt(acknowledged, 90);
}
END_TEST

/* Dies while others have the store open, so that nobody cleans up by opening it first. */
START_TEST(test_killed_while_others_use_it)
{
    uint32_t random = 42;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t round = 0; round < 20; round++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        killed_writer writer = {.first = round * 1000, .pipe = ends[1]};
        pid_t pid = fixture_start(put_until_killed, &writer);
        close(ends[1]);
        uint32_t number;
        ck_assert_int_eq(read(ends[0], &number, sizeof(number)), sizeof(number));
        pause_us(fixture_random(&random) % 8000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(fixture_wait(pid), 1000 + SIGKILL);
        uint32_t next = writer.first + 1;
        while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
            next = number + 1;
        }
        close(ends[0]);
        for (uint32_t i = writer.first; i < next; i++) {
            ck_assert(fixture_has(store, i, 1, blob_size_of(i)));
        }
        ck_assert_ok(fixture_put(store, round * 1000 + 999, 1, 5000, NULL, &err), err);
        ck_assert_int_gt(fixture_count_whole(store), 0);
    }
    snapcell_store_close(store);
}
END_TEST

static int hold_view_forever(void *argument)
{
    const int *pipe_end = argument;
    snapcell_store_view view;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    fixture_artifact one = fixture_artifact_new(1, 1, 300000);
    if (snapcell_store_view_open(store, &one.key, &view, &err) != SNAPCELL_OK) return 1;
    if (write(*pipe_end, "v", 1) != 1) return 1;
    for (;;) {
        pause();
    }
}

START_TEST(test_dead_readers_are_cleared)
{
    int ends[2];
    char byte;
    snapcell_store_stat figures;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 300000, "a", &err), err);
    snapcell_store_close(store);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fixture_start(hold_view_forever, &ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    store = fixture_open(SNAPCELL_STORE_WRITE);
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(fixture_wait(pid), 1000 + SIGKILL);
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 1); /* a slot that nobody gave back */
    /* A handle to the same environment does not open LMDB, a new process does. */
    uint32_t number = 2;
    ck_assert_int_eq(fixture_run(create_and_put_one, &number), 0);
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 0);
    snapcell_store_close(store);
}
END_TEST

static int fill_reader_slots(void *argument)
{
    const int *pipe_end = argument;
    snapcell_store_view view;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    fixture_artifact one = fixture_artifact_new(1, 1, 100);
    int status;
    while ((status = snapcell_store_view_open(store, &one.key, &view, &err)) == SNAPCELL_OK) {}
    if (status != SNAPCELL_E_BUSY || strstr(err.message, "reader slots") == NULL) return 1;
    if (write(*pipe_end, "v", 1) != 1) return 1;
    for (;;) {
        pause();
    }
}

START_TEST(test_slots_of_dead_readers_are_used_again)
{
    int ends[2];
    char byte;
    snapcell_store_view view;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, "a", &err), err);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fixture_start(fill_reader_slots, &ends[1]);
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    /* The one slot of this process is in its pool, a second one is not to be had. */
    fixture_artifact one = fixture_artifact_new(1, 1, 100);
    snapcell_store_view second;
    int status = snapcell_store_view_open(store, &one.key, &view, &err);
    if (status == SNAPCELL_OK) status = snapcell_store_view_open(store, &one.key, &second, &err);
    ck_assert_fails(status, SNAPCELL_E_BUSY, err);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(fixture_wait(pid), 1000 + SIGKILL);
    ck_assert_ok(snapcell_store_view_open(store, &one.key, &second, &err), err);
    ck_assert_mem_eq(second.bytes, one.bytes, one.size_bytes);
    snapcell_store_view_close(store, &second);
    snapcell_store_view_close(store, &view);
    snapcell_store_close(store);
    fixture_artifact_free(&one);
}
END_TEST

/* --- Collected while used
 * -------------------------------------------------------------------------------------------------
 */

/* Until the writers are gone, which hold the other end of the pipe. */
static int collect_often(void *argument)
{
    struct pollfd end = {.fd = *(const int *)argument, .events = POLLIN};
    unsigned copies = 0;
    bool last;
    do {
        snapcell_store_gc_result result;
        last = poll(&end, 1, 2) != 0;
        snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
        if (snapcell_store_gc(store, &result, &err) != SNAPCELL_OK) {
            fprintf(stderr, "gc: %s\n", err.message);
            return 1;
        }
        copies += result.freed_size_bytes > 0;
        snapcell_store_close(store);
    } while (!last);
    return copies > 0 ? 0 : 20;
}

/* Opens and closes, so that the collector is alone now and then. */
static int put_and_check_often(void *argument)
{
    const uint32_t first = *(const uint32_t *)argument;
    for (uint32_t i = 0; i < 60; i++) {
        char name[32];
        uint32_t number = first + i;
        snprintf(name, sizeof(name), "name-%u", number);
        snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
        int status = fixture_put(store, number, 1, 20000, name, &err);
        /* Rubbish for the collector: more than it leaves alone. */
        if (status == SNAPCELL_OK) status = fixture_put(store, number + 500, 1, 200000, NULL, &err);
        if (status != SNAPCELL_OK) {
            fprintf(stderr, "put: %s\n", err.message);
            return 1;
        }
        for (uint32_t j = first; j <= number; j++) {
            if (!fixture_has(store, j, 1, 20000)) return 2;
        }
        snapcell_store_close(store);
        pause_us(20000);
    }
    return 0;
}

START_TEST(test_collected_while_others_write)
{
    uint32_t firsts[] = {1000, 2000};
    pid_t pids[2];
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    snapcell_store_close(fixture_open(SNAPCELL_STORE_CREATE));
    pids[0] = fixture_start(put_and_check_often, &firsts[0]);
    pids[1] = fixture_start(put_and_check_often, &firsts[1]);
    close(ends[1]);
    pid_t collector = fixture_start(collect_often, &ends[0]);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(fixture_wait(pids[i]), 0);
    }
    ck_assert_int_eq(fixture_wait(collector), 0);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    for (uint32_t i = 0; i < 60; i++) {
        ck_assert(fixture_has(store, 1000 + i, 1, 20000));
        ck_assert(fixture_has(store, 2000 + i, 1, 20000));
    }
    snapcell_store_close(store);
}
END_TEST

/* --- Forked
 * -------------------------------------------------------------------------------------------------
 */

typedef struct forked_state {
    snapcell_store *store;
    snapcell_store_view view;
    snapcell_key key;
} forked_state;

static int count_names(void *user, const snapcell_store_name *entry)
{
    (void)entry;
    ++*(int *)user;
    return 0;
}

static int use_inherited(void *argument)
{
    forked_state *state = argument;
    snapcell_store *store = state->store;
    snapcell_store_view view;
    snapcell_store_stat figures;
    snapcell_key key;
    void *copy;
    size_t size_bytes;
    int names = 0;
    const int codes[] = {
        fixture_put(store, 9, 1, 100, "b", &err),
        snapcell_store_get(store, &state->key, &copy, &size_bytes, &err),
        snapcell_store_view_open(store, &state->key, &view, &err),
        snapcell_store_resolve(store, "a", NULL, &key, &err),
        snapcell_store_each_name(store, count_names, &names, &err),
        snapcell_store_stat_get(store, &figures, &err),
        snapcell_store_remove_name(store, "a", &err),
        snapcell_store_gc(store, NULL, &err),
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] != SNAPCELL_E_USAGE || strstr(err.message, "fork") == NULL) {
            return (int)i + 1;
        }
    }
    snapcell_store_view_close(store, &state->view);
    snapcell_store_close(store);
    /* Opened again it works, next to the parent. */
    store = fixture_open(SNAPCELL_STORE_WRITE);
    if (!fixture_has(store, 1, 1, 100)) return 50;
    if (fixture_put(store, 2, 1, 100, "child", &err) != SNAPCELL_OK) return 51;
    snapcell_store_close(store);
    return 0;
}

START_TEST(test_forked_child_opens_anew)
{
    forked_state state = {.store = fixture_open(SNAPCELL_STORE_CREATE)};
    fixture_artifact one = fixture_artifact_new(1, 1, 100);
    snapcell_store_stat figures;
    state.key = one.key;
    ck_assert_ok(fixture_put(state.store, 1, 1, 100, "a", &err), err);
    ck_assert_ok(snapcell_store_view_open(state.store, &one.key, &state.view, &err), err);
    ck_assert_int_eq(fixture_run(use_inherited, &state), 0);
    /* The child's end took nothing from the parent: not its view, nor its slot, nor its locks. */
    ck_assert_ok(snapcell_store_stat_get(state.store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 1);
    ck_assert_mem_eq(state.view.bytes, one.bytes, one.size_bytes);
    snapcell_store_view_close(state.store, &state.view);
    ck_assert(fixture_has(state.store, 2, 1, 100));
    ck_assert_ok(fixture_put(state.store, 3, 1, 100, "b", &err), err);
    snapcell_store_close(state.store);
    fixture_artifact_free(&one);
}
END_TEST

/* --- The same process id twice
 * -------------------------------------------------------------------------------------------------
 */

typedef struct namespace_work {
    fixture_work *work;
    void *argument;
} namespace_work;

static int run_as_process_1(void *argument)
{
    const namespace_work *inner = argument;
    if (unshare(CLONE_NEWPID) != 0) return 99;
    return fixture_run(inner->work, inner->argument);
}

typedef struct holder_pipes {
    int ready[2];
    int end[2];
} holder_pipes;

static int hold_view_until_told(void *argument)
{
    holder_pipes *pipes = argument;
    snapcell_store_view view;
    char byte;
    if (getpid() != 1) return 98;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    fixture_artifact one = fixture_artifact_new(1, 1, 100);
    if (snapcell_store_view_open(store, &one.key, &view, &err) != SNAPCELL_OK) return 1;
    if (write(pipes->ready[1], "v", 1) != 1 || read(pipes->end[0], &byte, 1) != 1) return 2;
    if (memcmp(view.bytes, one.bytes, one.size_bytes) != 0) return 3;
    snapcell_store_view_close(store, &view);
    snapcell_store_close(store);
    return 0;
}

static int read_with_same_id(void *argument)
{
    (void)argument;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    if (getpid() != 1 || !fixture_has(store, 1, 1, 100)) return 1;
    snapcell_store_close(store);
    int status = snapcell_store_open(fixture_store, SNAPCELL_STORE_WRITE, &store, &err);
    return status == SNAPCELL_E_BUSY && strstr(err.message, "namespace") != NULL ? 0 : 2;
}

START_TEST(test_same_process_id_in_two_namespaces)
{
    char byte;
    holder_pipes pipes;
    snapcell_store_stat figures;
    if (geteuid() != 0) return;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    ck_assert_ok(fixture_put(store, 1, 1, 100, NULL, &err), err);
    ck_assert_int_eq(pipe(pipes.ready), 0);
    ck_assert_int_eq(pipe(pipes.end), 0);
    namespace_work holder = {hold_view_until_told, &pipes};
    pid_t pid = fixture_start(run_as_process_1, &holder);
    close(pipes.ready[1]);
    if (read(pipes.ready[0], &byte, 1) != 1) {
        ck_assert_int_eq(fixture_wait(pid), 99); /* not allowed here */
        return;
    }
    namespace_work reader = {read_with_same_id, NULL};
    ck_assert_int_eq(fixture_run(run_as_process_1, &reader), 0);
    ck_assert_ok(snapcell_store_stat_get(store, &figures, &err), err);
    ck_assert_uint_eq(figures.reader_count, 1);
    ck_assert_int_eq(write(pipes.end[1], "e", 1), 1);
    ck_assert_int_eq(fixture_wait(pid), 0);
    snapcell_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_processes");
    TCase *tcase = tcase_create("processes");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, test_writers_and_readers_together);
    tcase_add_test(tcase, test_created_by_many_at_once);
    tcase_add_test(tcase, test_opened_and_closed_by_many);
    tcase_add_test(tcase, test_killed_while_putting);
    tcase_add_test(tcase, test_killed_while_others_use_it);
    tcase_add_test(tcase, test_dead_readers_are_cleared);
    tcase_add_test(tcase, test_slots_of_dead_readers_are_used_again);
    tcase_add_test(tcase, test_collected_while_others_write);
    tcase_add_test(tcase, test_forked_child_opens_anew);
    tcase_add_test(tcase, test_same_process_id_in_two_namespaces);
    suite_add_tcase(suite, tcase);
    return fixture_main(suite);
}
