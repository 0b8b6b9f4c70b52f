/* `gc` killed at random moments, while writers and readers go on in the files that it replaces. Now
 * and then a writer is killed, too, so that the next one inherits LMDB's lock. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_fixture.h"
#include "torture_report.h"

#define WRITERS 2u
#define READERS 3u
#define NAMES_EACH 8u /* of a writer */
#define VERSIONS 32u  /* of each name, put in turn */
#define ENGINE 1

enum { READ_NEWEST, NO_FAILURE, REPLACED, KEPT, SOUND, PROMISES };
static torture_promise promises[PROMISES] = {
    [READ_NEWEST] = {"a reader sees what was acknowledged before it looked, whole"},
    [NO_FAILURE] = {"neither writers nor readers fail while gc replaces the file"},
    [REPLACED] = {"gc gives space back while others have the store open"},
    [KEPT] = {"after gc was killed every acknowledged change is there"},
    [SOUND] = {"after gc was killed every page of the store has one use"},
};

typedef struct shared_state {
    _Atomic unsigned long reads;
    _Atomic unsigned long changes;
    _Atomic unsigned long begun_collecting;
    _Atomic unsigned long copies; /* compact ones put in place, and told of */
    _Atomic long gc_us;           /* how long the last of them took */
    _Atomic bool stop;
    /* Versions count on; that of an artifact is the rest by VERSIONS. */
    _Atomic uint32_t begun[WRITERS][NAMES_EACH];
    _Atomic uint32_t done[WRITERS][NAMES_EACH];
} shared_state;

static shared_state *shared;
static fixture_artifact artifacts[WRITERS][NAMES_EACH][VERSIONS];
static uint32_t random_state;

static void pause_us(long us)
{
    const struct timespec pause = {.tv_nsec = us * 1000};
    nanosleep(&pause, NULL);
}

static long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void name_of(uint32_t writer, uint32_t number, char out[32])
{
    snprintf(out, 32, "writer-%u-%u", writer, number);
}

/* --- Children: exit status 0, or which promise was broken
 * -------------------------------------------------------------------------------------------------
 */

static int put_next(snapcell_store *store, uint32_t writer, uint32_t number)
{
    char name[32];
    snapcell_error err;
    const uint32_t version = shared->done[writer][number] + 1;
    const fixture_artifact *artifact = &artifacts[writer][number][version % VERSIONS];
    name_of(writer, number, name);
    shared->begun[writer][number] = version;
    int status = snapcell_store_put(store, artifact->bytes, artifact->size_bytes, name, &err);
    if (status == SNAPCELL_OK)
        shared->done[writer][number] = version;
    else
        fprintf(stderr, "put: %s\n", err.message);
    shared->changes++;
    return status;
}

static int write_on(void *argument)
{
    const uint32_t writer = *(const uint32_t *)argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    for (uint32_t i = 0; !shared->stop; i++) {
        if (put_next(store, writer, i % NAMES_EACH) != SNAPCELL_OK) return NO_FAILURE + 1;
        pause_us(500);
    }
    snapcell_store_close(store);
    return 0;
}

static int read_one(snapcell_store *store, uint32_t writer, uint32_t number)
{
    char name[32];
    snapcell_error err;
    snapcell_key key;
    snapcell_store_view view;
    name_of(writer, number, name);
    const uint32_t before = shared->done[writer][number];
    int status = snapcell_store_resolve(store, name, NULL, &key, &err);
    if (status == SNAPCELL_OK) status = snapcell_store_view_open(store, &key, &view, &err);
    if (status == SNAPCELL_E_NOT_FOUND) return 0; /* put again and collected in between */
    if (status != SNAPCELL_OK) {
        fprintf(stderr, "read: %s\n", err.message);
        return NO_FAILURE + 1;
    }
    const uint32_t after = shared->begun[writer][number];
    bool expected = false;
    for (uint32_t version = before; version <= after; version++) {
        const fixture_artifact *artifact = &artifacts[writer][number][version % VERSIONS];
        expected = expected || (view.size_bytes == artifact->size_bytes &&
                                memcmp(view.bytes, artifact->bytes, view.size_bytes) == 0);
    }
    snapcell_store_view_close(store, &view);
    shared->reads++;
    return expected ? 0 : READ_NEWEST + 1;
}

static int read_on(void *argument)
{
    uint32_t random = (uint32_t)getpid() * 2 + 1;
    (void)argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    while (!shared->stop) {
        const int broken = read_one(store, fixture_random(&random) % WRITERS,
                                    fixture_random(&random) % NAMES_EACH);
        if (broken != 0) return broken;
        pause_us(200);
    }
    snapcell_store_close(store);
    return 0;
}

static int collect_on(void *argument)
{
    snapcell_error err;
    snapcell_store_gc_result result;
    (void)argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    while (!shared->stop) {
        const long since_us = now_us();
        shared->begun_collecting++;
        if (snapcell_store_gc(store, &result, &err) != SNAPCELL_OK) {
            fprintf(stderr, "gc: %s\n", err.message);
            return NO_FAILURE + 1;
        }
        if (result.freed_size_bytes == 0) continue;
        shared->gc_us = now_us() - since_us;
        shared->copies++;
    }
    snapcell_store_close(store);
    return 0;
}

/* --- The course of it
 * -------------------------------------------------------------------------------------------------
 */

static void fill(void)
{
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < WRITERS * NAMES_EACH; i++) {
        for (uint32_t j = 0; j < VERSIONS; j++) {
            artifacts[i / NAMES_EACH][i % NAMES_EACH][j] =
                fixture_artifact_new(i * VERSIONS + j, ENGINE, j % 3 == 0 ? 60000 + i : 500 + i);
        }
        if (put_next(store, i / NAMES_EACH, i % NAMES_EACH) != SNAPCELL_OK) abort();
    }
    snapcell_store_close(store);
}

static void end_child(pid_t pid, bool by_force)
{
    if (by_force) kill(pid, SIGKILL);
    const int ended = fixture_wait(pid);
    if (by_force && ended == 1000 + SIGKILL) return;
    torture_try(&promises[ended == READ_NEWEST + 1 ? READ_NEWEST : NO_FAILURE], ended == 0,
                "a process ended with %d", ended);
}

/* Waits at most ten seconds for the count to go beyond what it was. */
static void await(const _Atomic unsigned long *count, unsigned long before)
{
    for (int i = 0; i < 10000 && *count == before; i++) {
        pause_us(1000);
    }
}

/* At a random moment of its first gc or of its second; every fourth may finish one before. */
static void kill_one_collector(bool may_finish)
{
    const unsigned long begun = shared->begun_collecting;
    const unsigned long copies = shared->copies;
    pid_t pid = fixture_start(collect_on, NULL);
    await(&shared->begun_collecting, begun);
    if (may_finish) await(&shared->copies, copies);
    const long most_us = shared->gc_us > 500 ? shared->gc_us * 3 / 2 : 20000;
    pause_us((long)fixture_random(&random_state) % (most_us < 900000 ? most_us : 900000));
    end_child(pid, true);
}

static void kill_collectors(unsigned long count, pid_t *writers, uint32_t *numbers)
{
    for (unsigned long i = 0; i < count; i++) {
        kill_one_collector(i % 4 == 0);
        const uint32_t writer = fixture_random(&random_state) % WRITERS;
        if (i % 4 == 3) {
            end_child(writers[writer], true);
            writers[writer] = fixture_start(write_on, &numbers[writer]);
        }
        torture_progress(i, count);
    }
}

static void check_end(void)
{
    snapcell_error err;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    int status = snapcell_store_gc(store, NULL, &err);
    if (status == SNAPCELL_OK) status = snapcell_store_check(store, &err);
    torture_try(&promises[SOUND], status == SNAPCELL_OK, "%s",
                status == SNAPCELL_OK ? "" : err.message);
    for (uint32_t i = 0; i < WRITERS * NAMES_EACH; i++) {
        char name[32];
        snapcell_key key = {{0}};
        bool kept = false;
        const uint32_t writer = i / NAMES_EACH;
        const uint32_t number = i % NAMES_EACH;
        name_of(writer, number, name);
        snapcell_store_resolve(store, name, NULL, &key, NULL);
        for (uint32_t j = shared->done[writer][number]; j <= shared->begun[writer][number]; j++) {
            kept = kept ||
                   memcmp(&key, &artifacts[writer][number][j % VERSIONS].key, sizeof(key)) == 0;
        }
        torture_try(&promises[KEPT], kept, "%s", name);
    }
    snapcell_store_close(store);
}

static void run(unsigned long count)
{
    uint32_t numbers[WRITERS] = {0, 1};
    pid_t writers[WRITERS];
    pid_t readers[READERS];
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = fixture_start(write_on, &numbers[i]);
    }
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i] = fixture_start(read_on, NULL);
    }
    kill_collectors(count, writers, numbers);
    shared->stop = true;
    for (uint32_t i = 0; i < WRITERS; i++) {
        end_child(writers[i], false);
    }
    for (uint32_t i = 0; i < READERS; i++) {
        end_child(readers[i], false);
    }
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 40);
    random_state = options.seed;
    fixture_setup_fast();
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) abort();
    fill();
    run(options.count);
    check_end();
    promises[READ_NEWEST].tries += shared->reads;
    promises[NO_FAILURE].tries += shared->changes;
    promises[REPLACED].tries = shared->copies;
    fprintf(stderr, "%lu compact copies were finished\n", shared->copies);
    fixture_teardown();
    return torture_report(promises, PROMISES);
}
