/* What the tests of the store share: directories, artifacts, child processes. */
#ifndef SNAPCELL_STORE_FIXTURE_H
#define SNAPCELL_STORE_FIXTURE_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

#include "snapcell/store.h"

/* The store of a test: a path in a new directory of its own, which does not exist yet. Removed,
 * with the directory, by fixture_teardown(). */
extern char fixture_directory[64];
extern char fixture_store[80];
void fixture_setup(void);
void fixture_setup_fast(void); /* in memory, where syncing costs nothing */
void fixture_teardown(void);

/* An artifact whose bytes, key and engine follow from a number. */
typedef struct fixture_artifact {
    uint8_t *bytes;
    size_t size_bytes;
    snapcell_key key;
    snapcell_fingerprint engine;
} fixture_artifact;

/* Stops the process when it cannot be made. */
fixture_artifact fixture_artifact_new(uint32_t number, uint8_t engine, size_t blob_size_bytes);
/* With a key of the test's own. */
fixture_artifact fixture_artifact_with_key(uint32_t number, uint8_t engine, size_t blob_size_bytes,
                                           const snapcell_key *key);
void fixture_artifact_free(fixture_artifact *artifact);
snapcell_fingerprint fixture_engine(uint8_t engine);

snapcell_store *fixture_open(snapcell_store_mode mode);
int fixture_put(snapcell_store *store, uint32_t number, uint8_t engine, size_t blob_size_bytes,
                const char *name, snapcell_error *err);
/* Whether the store has exactly this artifact. */
bool fixture_has(snapcell_store *store, uint32_t number, uint8_t engine, size_t blob_size_bytes);
/* Counts the artifacts; -1 when one of them does not pass its own check. */
long fixture_count_whole(snapcell_store *store);

/* Runs `work` in a child process; its result is the child's exit status. */
typedef int fixture_work(void *argument);
pid_t fixture_start(fixture_work *work, void *argument);
int fixture_wait(pid_t pid);
int fixture_run(fixture_work *work, void *argument);

void fixture_write_file(const char *path, const void *bytes, size_t size_bytes);
uint64_t fixture_file_size(const char *path);
/* A file system of its own at `path`, which goes away with the process. False without the right. */
bool fixture_mount_small(const char *path, const char *options);
void fixture_remount_read_only(const char *path);
void fixture_become_nobody(void);

/* A small generator with a fixed seed. */
uint32_t fixture_random(uint32_t *state);

#define ck_assert_ok(status, err)                                                                  \
    ck_assert_msg((status) == SNAPCELL_OK, "expected success, got %s", (err).message)
#define ck_assert_fails(status, expected, err)                                                     \
    do {                                                                                           \
        int fixture_rc = (status);                                                                 \
        ck_assert_msg(fixture_rc == (expected), "expected %s, got %s (%s)",                        \
                      snapcell_error_name(expected), snapcell_error_name(fixture_rc),              \
                      (err).message);                                                              \
        ck_assert_int_eq((err).code, (expected));                                                  \
        ck_assert_uint_gt(strlen((err).message), 10);                                              \
    } while (0)

int fixture_main(Suite *suite);

#endif
