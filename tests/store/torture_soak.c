/* A soak of `--count` seconds: two writers, a collector, and eight readers that are killed and
 * started again each second. What is read is whole, nobody fails, the file does not grow without
 * end, and the slots of those killed are used again. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_fixture.h"
#include "torture_report.h"

#define WRITERS 2u
#define READERS 8u
#define NAMES_EACH 16u /* of a writer */
#define VERSIONS 12u   /* of each name, put in turn */
#define ENGINE 1
/* What is live, what waits for the collector, and what a killed reader holds back for a second. */
#define FILE_SIZE_FACTOR_MAX 16

enum { READ_WHOLE, NO_FAILURE, SIZE_BOUNDED, SLOTS_FREED, SOUND, PROMISES };
static torture_promise promises[PROMISES] = {
    [READ_WHOLE] = {"readers see whole artifacts, whatever goes on"},
    [NO_FAILURE] = {"writers and the collector never fail"},
    [SIZE_BOUNDED] = {"the store's file stays within 16 times what is live"},
    [SLOTS_FREED] = {"slots of killed readers are used again"},
    [SOUND] = {"after the soak every page has one use, and the last of each name is there"},
};

typedef struct shared_counts {
    _Atomic unsigned long reads;
    _Atomic unsigned long bad_reads;
    _Atomic unsigned long changes;
    _Atomic unsigned long bad_changes;
    _Atomic bool stop;
    _Atomic uint32_t last[WRITERS][NAMES_EACH]; /* the version that was acknowledged */
} shared_counts;

static shared_counts *shared;
static fixture_artifact artifacts[WRITERS][NAMES_EACH][VERSIONS];
static uint64_t live_size;

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void name_of(uint32_t writer, uint32_t number, char out[32])
{
    snprintf(out, 32, "writer-%u-%u", writer, number);
}

static void make_artifacts(void)
{
    for (uint32_t i = 0; i < WRITERS * NAMES_EACH * VERSIONS; i++) {
        const uint32_t version = i % VERSIONS;
        const size_t size = i % 7 == 0 ? 60000 + i * 10 : 500 + i * 20;
        fixture_artifact *artifact =
            &artifacts[i / VERSIONS / NAMES_EACH][i / VERSIONS % NAMES_EACH][version];
        *artifact = fixture_artifact_new(i, ENGINE, size);
        live_size += artifact->size_bytes / VERSIONS;
    }
}

/* --- Children
 * -------------------------------------------------------------------------------------------------
 */

static void count_change(int status, const snapcell_error *err)
{
    shared->changes++;
    if (status == SNAPCELL_OK) return;
    if (shared->bad_changes++ < 5) fprintf(stderr, "%s\n", err->message);
}

static int put_version(snapcell_store *store, uint32_t writer, uint32_t name, uint32_t version,
                       snapcell_error *err)
{
    char text[32];
    const fixture_artifact *artifact = &artifacts[writer][name][version];
    name_of(writer, name, text);
    int status = snapcell_store_put(store, artifact->bytes, artifact->size_bytes, text, err);
    if (status == SNAPCELL_OK) shared->last[writer][name] = version;
    return status;
}

/* Opens the store again now and then, which is when the collector can make its copy. */
static int write_on(void *argument)
{
    const uint32_t writer = *(const uint32_t *)argument;
    uint32_t random = 77 + writer * 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!shared->stop) {
        snapcell_error err;
        snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
        for (int i = 0; i < 200 && !shared->stop; i++) {
            const uint32_t name = fixture_random(&random) % NAMES_EACH;
            const uint32_t version = fixture_random(&random) % VERSIONS;
            count_change(put_version(store, writer, name, version, &err), &err);
            pause_ms(5);
        }
        snapcell_store_close(store);
    }
    return 0;
}

static int collect_on(void *argument)
{
    (void)argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!shared->stop) {
        snapcell_error err;
        snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
        count_change(snapcell_store_gc(store, NULL, &err), &err);
        snapcell_store_close(store);
        pause_ms(50);
    }
    return 0;
}

/* A version can be collected between its name's lookup and its own; that is not damage. */
static void read_one(snapcell_store *store, uint32_t writer, uint32_t name)
{
    char text[32];
    snapcell_key key;
    snapcell_store_view view;
    snapcell_artifact_info info;
    const snapcell_fingerprint engine = fixture_engine(ENGINE);
    name_of(writer, name, text);
    int status = snapcell_store_resolve(store, text, &engine, &key, NULL);
    shared->reads++;
    if (status != SNAPCELL_OK) {
        shared->bad_reads++;
        return;
    }
    status = snapcell_store_view_open(store, &key, &view, NULL);
    if (status == SNAPCELL_E_NOT_FOUND) return;
    if (status != SNAPCELL_OK ||
        snapcell_artifact_inspect(view.bytes, view.size_bytes, &info, NULL) != SNAPCELL_OK ||
        memcmp(&info.key, &key, sizeof(key)) != 0)
        shared->bad_reads++;
    if (status == SNAPCELL_OK) snapcell_store_view_close(store, &view);
}

static int read_on(void *argument)
{
    uint32_t random = (uint32_t)getpid() * 2 + 1;
    (void)argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!shared->stop) {
        snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
        for (int i = 0; i < 300; i++) {
            read_one(store, fixture_random(&random) % WRITERS,
                     fixture_random(&random) % NAMES_EACH);
            if (i % 4 == 0) pause_ms(2);
        }
        snapcell_store_close(store);
    }
    return 0;
}

/* --- The soak
 * -------------------------------------------------------------------------------------------------
 */

static void fill(void)
{
    snapcell_error err;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_CREATE);
    for (uint32_t i = 0; i < WRITERS * NAMES_EACH; i++) {
        if (put_version(store, i / NAMES_EACH, i % NAMES_EACH, 0, &err) != SNAPCELL_OK) abort();
    }
    snapcell_store_close(store);
}

static void sample(uint64_t *size_max)
{
    snapcell_store_stat stat = {0};
    snapcell_error err;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_READ);
    int status = snapcell_store_stat_get(store, &stat, &err);
    snapcell_store_close(store);
    if (stat.file_size_bytes > *size_max) *size_max = stat.file_size_bytes;
    torture_try(&promises[SIZE_BOUNDED],
                status == SNAPCELL_OK && stat.file_size_bytes <= live_size * FILE_SIZE_FACTOR_MAX,
                "%llu bytes, of which %llu are live", (unsigned long long)stat.file_size_bytes,
                (unsigned long long)live_size);
    /* Each process has one reader at most, which is a slot; the dead ones are those of a second. */
    torture_try(&promises[SLOTS_FREED], stat.reader_count <= 2 * READERS + WRITERS + 1,
                "%u slots taken", stat.reader_count);
}

static void restart_readers(pid_t *readers)
{
    for (uint32_t i = 0; i < READERS; i++) {
        if (readers[i] > 0) {
            kill(readers[i], SIGKILL);
            const int ended = fixture_wait(readers[i]);
            /* It may have ended by itself only by a failure. */
            if (ended != 1000 + SIGKILL) shared->bad_reads++;
        }
        readers[i] = fixture_start(read_on, NULL);
    }
}

static void soak(unsigned long seconds)
{
    uint32_t numbers[WRITERS] = {0, 1};
    pid_t workers[WRITERS + 1];
    pid_t readers[READERS] = {0};
    uint64_t size_max = 0;
    for (uint32_t i = 0; i < WRITERS; i++) {
        workers[i] = fixture_start(write_on, &numbers[i]);
    }
    workers[WRITERS] = fixture_start(collect_on, NULL);
    for (unsigned long i = 0; i < seconds; i++) {
        restart_readers(readers);
        pause_ms(1000);
        sample(&size_max);
        torture_progress(i, seconds);
    }
    shared->stop = true;
    for (uint32_t i = 0; i < WRITERS + 1; i++) {
        const int ended = fixture_wait(workers[i]);
        torture_try(&promises[NO_FAILURE], ended == 0, "worker %u: %d", i, ended);
    }
    for (uint32_t i = 0; i < READERS; i++) {
        fixture_wait(readers[i]);
    }
    fprintf(stderr, "%lu changes, %lu reads, at most %llu bytes for %llu live ones\n",
            shared->changes, shared->reads, (unsigned long long)size_max,
            (unsigned long long)live_size);
}

static void check_end(void)
{
    snapcell_error err;
    snapcell_store_stat stat;
    snapcell_store *store = fixture_open(SNAPCELL_STORE_WRITE);
    int status = snapcell_store_check(store, &err);
    torture_try(&promises[SOUND], status == SNAPCELL_OK, "%s",
                status == SNAPCELL_OK ? "" : err.message);
    for (uint32_t i = 0; i < WRITERS * NAMES_EACH; i++) {
        char name[32];
        snapcell_key key = {{0}};
        name_of(i / NAMES_EACH, i % NAMES_EACH, name);
        const uint32_t version = shared->last[i / NAMES_EACH][i % NAMES_EACH];
        snapcell_store_resolve(store, name, NULL, &key, NULL);
        const fixture_artifact *artifact = &artifacts[i / NAMES_EACH][i % NAMES_EACH][version];
        torture_try(&promises[SOUND], memcmp(&key, &artifact->key, sizeof(key)) == 0, "%s", name);
    }
    snapcell_store_stat_get(store, &stat, &err);
    torture_try(&promises[SLOTS_FREED], stat.reader_count == 0, "%u at the end", stat.reader_count);
    snapcell_store_close(store);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 10);
    fixture_setup_fast();
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) abort();
    make_artifacts();
    fill();
    soak(options.count);
    check_end();
    promises[READ_WHOLE].tries = shared->reads;
    promises[READ_WHOLE].failures = shared->bad_reads;
    promises[NO_FAILURE].tries += shared->changes;
    promises[NO_FAILURE].failures += shared->bad_changes;
    fixture_teardown();
    return torture_report(promises, PROMISES);
}
