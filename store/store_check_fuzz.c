/* Damaged store files: the input is bytes to change in a sound one. Whatever they are, the check
 * and salvage give an answer, and LMDB can follow what the check found sound. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "artifact_writer.h"
#include "fuzz_folder.h"
#include "snapcell/store.h"
#include "store_salvage.h"

#define FUZZ_ARTIFACT_COUNT 26

static int fuzz_file;       /* data.mdb, open from one input to the next */
static uint8_t *fuzz_image; /* its bytes while it is sound */
static size_t fuzz_image_size;

/* The library's, which waits for another process that may be writing: here there is none. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}

/* --- Start --- */

/* Every third is large enough for overflow pages; some are removed, so that there are free pages.
 */
static void fuzz_fill(snapcell_store *store)
{
    static char blob[9000];
    for (uint8_t i = 0; i < FUZZ_ARTIFACT_COUNT; i++) {
        artifact_spec spec = {
            .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
            .shape = SNAPCELL_SHAPE_FETCH,
            .source_format = SNAPCELL_SOURCE_ESM,
            .name = "made",
            .file_name = "made.js",
            .blob = {blob, i % 3 == 0 ? sizeof(blob) : 400},
            .source = {"0", 1},
            .manifest = {"{}", 2},
        };
        memset(spec.key.bytes, i * 5, sizeof(spec.key.bytes));
        uint8_t *bytes = NULL;
        size_t size = 0;
        char name[SNAPCELL_NAME_SIZE_MAX + 1];
        (void)snprintf(name, sizeof(name), "%u%0190d", (unsigned)i, 0);
        fuzz_require(artifact_write(&spec, &bytes, &size, NULL) == SNAPCELL_OK);
        fuzz_require(snapcell_store_put(store, bytes, size, name, NULL) == SNAPCELL_OK);
        if (i % 7 == 0) fuzz_require(snapcell_store_remove(store, &spec.key, NULL) == SNAPCELL_OK);
        free(bytes);
    }
}

static void fuzz_read_image(void)
{
    char path[300];
    struct stat facts;
    (void)snprintf(path, sizeof(path), "%s/data.mdb", fuzz_folder);
    fuzz_file = open(path, O_RDWR | O_CLOEXEC);
    fuzz_require(fuzz_file >= 0 && fstat(fuzz_file, &facts) == 0);
    fuzz_image_size = (size_t)facts.st_size;
    fuzz_image = malloc(fuzz_image_size);
    fuzz_require(fuzz_image != NULL);
    fuzz_require(pread(fuzz_file, fuzz_image, fuzz_image_size, 0) == (ssize_t)fuzz_image_size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_folder_make();
    snapcell_store *store = NULL;
    fuzz_require(snapcell_store_open(fuzz_folder, SNAPCELL_STORE_CREATE, &store, NULL) ==
                 SNAPCELL_OK);
    fuzz_fill(store);
    snapcell_store_close(store);
    fuzz_read_image();
    return 0;
}

/* --- One file --- */

/* A change is four bytes: page, offset in it, value. Returns where it goes. */
static size_t fuzz_take_change(fuzz_input *input, size_t size, uint8_t *value)
{
    const size_t page = fuzz_take_u8(input);
    const size_t offset = (size_t)(fuzz_take_u8(input) << 8 | fuzz_take_u8(input)) % 4096;
    *value = fuzz_take_u8(input);
    return (page * 4096 + offset) % size;
}

static void fuzz_write(const void *bytes, size_t size_bytes, size_t at)
{
    fuzz_require(pwrite(fuzz_file, bytes, size_bytes, (off_t)at) == (ssize_t)size_bytes);
}

static void fuzz_damage(fuzz_input input, size_t size)
{
    if (size < fuzz_image_size) fuzz_require(ftruncate(fuzz_file, (off_t)size) == 0);
    while (input.size_bytes > 0) {
        uint8_t value;
        const size_t at = fuzz_take_change(&input, size, &value);
        fuzz_write(&value, 1, at);
    }
}

/* Only what was changed: the whole would take longer than looking at it. */
static void fuzz_mend(fuzz_input input, size_t size)
{
    while (input.size_bytes > 0) {
        uint8_t value;
        const size_t at = fuzz_take_change(&input, size, &value);
        fuzz_write(fuzz_image + at, 1, at);
    }
    if (size < fuzz_image_size) fuzz_write(fuzz_image + size, fuzz_image_size - size, size);
}

static int fuzz_see_artifact(void *user, const snapcell_key *key, const void *bytes, size_t size)
{
    snapcell_artifact_info info;
    (void)key;
    *(uint64_t *)user += snapcell_artifact_inspect(bytes, size, &info, NULL) == SNAPCELL_OK;
    return 0;
}

static int fuzz_see_name(void *user, const snapcell_store_name *entry)
{
    *(uint64_t *)user += strlen(entry->name);
    return 0;
}

static void fuzz_follow(void)
{
    snapcell_store *store = NULL;
    uint64_t seen = 0;
    snapcell_error err = {0};
    const int status = snapcell_store_open(fuzz_folder, SNAPCELL_STORE_READ, &store, &err);
    fuzz_require(status == SNAPCELL_OK || err.message[0] != '\0');
    if (status != SNAPCELL_OK) return;
    if (snapcell_store_check(store, &err) != SNAPCELL_OK) fuzz_require(err.message[0] != '\0');
    (void)snapcell_store_each_artifact(store, fuzz_see_artifact, &seen, NULL);
    (void)snapcell_store_each_name(store, fuzz_see_name, &seen, NULL);
    snapcell_store_close(store);
}

static void fuzz_salvage(size_t file_size)
{
    snapcell_error err = {0};
    salvage_finds finds = {0};
    const int found = salvage_find(fuzz_file, fuzz_folder, &finds, &err);
    fuzz_require(found == SNAPCELL_OK || err.message[0] != '\0');
    for (size_t i = 0; i < finds.artifact_count; i++)
        fuzz_require(finds.artifacts[i].offset + finds.artifacts[i].size_bytes <= file_size);
    salvage_finds_release(&finds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const uint8_t cut = fuzz_take_u8(&input);
    const size_t file_size = cut < 8 ? fuzz_image_size / 8 * (cut + 1u) : fuzz_image_size;
    fuzz_damage(input, file_size);
    fuzz_salvage(file_size);
    fuzz_follow();
    fuzz_mend(input, file_size);
    return 0;
}
