#include "store_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact_writer.h"

#define FIXTURE_NOBODY 65534

char fixture_directory[64];
char fixture_store[80];

/* Not Check's own: torture programs are here without it. */
#define fixture_require(condition)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void fixture_setup_in(const char *place)
{
    snprintf(fixture_directory, sizeof(fixture_directory), "%s/snapcell-store-XXXXXX", place);
    fixture_require(mkdtemp(fixture_directory) != NULL);
    fixture_require(chmod(fixture_directory, 0755) == 0);
    snprintf(fixture_store, sizeof(fixture_store), "%s/store", fixture_directory);
}

void fixture_setup(void)
{
    fixture_setup_in("/tmp");
}

void fixture_setup_fast(void)
{
    fixture_setup_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static int fixture_remove_entry(const char *path, const struct stat *status, int type,
                                struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void fixture_teardown(void)
{
    /* A test may have mounted something on it, in this process only. */
    while (umount2(fixture_store, MNT_DETACH) == 0) {}
    while (umount2(fixture_directory, MNT_DETACH) == 0) {}
    nftw(fixture_directory, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void fixture_stop(const char *what, const snapcell_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    abort();
}

uint32_t fixture_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

snapcell_fingerprint fixture_engine(uint8_t engine)
{
    snapcell_fingerprint fingerprint = {{0}};
    memset(fingerprint.bytes, engine, sizeof(fingerprint.bytes));
    return fingerprint;
}

static snapcell_key fixture_key(uint32_t number, uint8_t engine)
{
    snapcell_key key = {{0}};
    uint32_t state = (number + 1) * 2654435761u ^ ((uint32_t)engine << 8) ^ 0x5EED;
    for (size_t i = 0; i < sizeof(key.bytes); i++) {
        key.bytes[i] = (uint8_t)(fixture_random(&state) >> 11);
    }
    return key;
}

fixture_artifact fixture_artifact_with_key(uint32_t number, uint8_t engine, size_t blob_size_bytes,
                                           const snapcell_key *key)
{
    snapcell_error err;
    uint32_t state = number * 747796405u + 2891336453u;
    fixture_artifact artifact = {.key = *key, .engine = fixture_engine(engine)};
    uint8_t *blob = malloc(blob_size_bytes);
    if (blob == NULL) abort();
    for (size_t i = 0; i < blob_size_bytes; i++) {
        blob[i] = (uint8_t)fixture_random(&state);
    }
    const artifact_spec spec = {.kind = SNAPCELL_ARTIFACT_SNAPSHOT,
                                .shape = SNAPCELL_SHAPE_FETCH,
                                .source_format = SNAPCELL_SOURCE_ESM,
                                .key = *key,
                                .engine = artifact.engine,
                                .name = "test",
                                .file_name = "test.js",
                                .blob = {blob, blob_size_bytes},
                                .source = {"export default {}", 17},
                                .source_encoding = ARTIFACT_TEXT_LATIN1,
                                .manifest = {"{}", 2},
                                .codec = ARTIFACT_CODEC_RAW};
    if (artifact_write(&spec, &artifact.bytes, &artifact.size_bytes, &err) != SNAPCELL_OK) {
        fixture_stop("cannot make an artifact", &err);
    }
    free(blob);
    return artifact;
}

fixture_artifact fixture_artifact_new(uint32_t number, uint8_t engine, size_t blob_size_bytes)
{
    snapcell_key key = fixture_key(number, engine);
    return fixture_artifact_with_key(number, engine, blob_size_bytes, &key);
}

void fixture_artifact_free(fixture_artifact *artifact)
{
    free(artifact->bytes);
    memset(artifact, 0, sizeof(*artifact));
}

snapcell_store *fixture_open(snapcell_store_mode mode)
{
    snapcell_error err;
    snapcell_store *store;
    if (snapcell_store_open(fixture_store, mode, &store, &err) != SNAPCELL_OK) {
        fixture_stop("cannot open the store", &err);
    }
    return store;
}

int fixture_put(snapcell_store *store, uint32_t number, uint8_t engine, size_t blob_size_bytes,
                const char *name, snapcell_error *err)
{
    fixture_artifact artifact = fixture_artifact_new(number, engine, blob_size_bytes);
    int status = snapcell_store_put(store, artifact.bytes, artifact.size_bytes, name, err);
    fixture_artifact_free(&artifact);
    return status;
}

bool fixture_has(snapcell_store *store, uint32_t number, uint8_t engine, size_t blob_size_bytes)
{
    snapcell_store_view view;
    fixture_artifact artifact = fixture_artifact_new(number, engine, blob_size_bytes);
    bool same = snapcell_store_view_open(store, &artifact.key, &view, NULL) == SNAPCELL_OK &&
                view.size_bytes == artifact.size_bytes &&
                memcmp(view.bytes, artifact.bytes, artifact.size_bytes) == 0;
    snapcell_store_view_close(store, &view);
    fixture_artifact_free(&artifact);
    return same;
}

static int fixture_count_one(void *user, const snapcell_key *key, const void *bytes,
                             size_t size_bytes)
{
    snapcell_artifact_info info;
    if (snapcell_artifact_inspect(bytes, size_bytes, &info, NULL) != SNAPCELL_OK) return 1;
    if (memcmp(&info.key, key, sizeof(*key)) != 0) return 1;
    ++*(long *)user;
    return 0;
}

long fixture_count_whole(snapcell_store *store)
{
    long count = 0;
    return snapcell_store_each_artifact(store, fixture_count_one, &count, NULL) == 0 ? count : -1;
}

pid_t fixture_start(fixture_work *work, void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(work(argument));
    return pid;
}

int fixture_wait(pid_t pid)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int fixture_run(fixture_work *work, void *argument)
{
    return fixture_wait(fixture_start(work, argument));
}

void fixture_write_file(const char *path, const void *bytes, size_t size_bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    fixture_require(file >= 0);
    fixture_require(write(file, bytes, size_bytes) == (ssize_t)size_bytes);
    close(file);
}

uint64_t fixture_file_size(const char *path)
{
    struct stat status;
    fixture_require(stat(path, &status) == 0);
    return (uint64_t)status.st_size;
}

bool fixture_mount_small(const char *path, const char *options)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0) return false;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return false;
    return mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

void fixture_remount_read_only(const char *path)
{
    fixture_require(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
}

void fixture_become_nobody(void)
{
    if (geteuid() != 0) return;
    if (setgroups(0, NULL) != 0 || setgid(FIXTURE_NOBODY) != 0 || setuid(FIXTURE_NOBODY) != 0) {
        abort();
    }
}

int fixture_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
