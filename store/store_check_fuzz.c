/* Damaged store files: the input is bytes to change in a sound one. Whatever they are, the check
 * and salvage give an answer, and LMDB can follow what the check found sound. */
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact_writer.h"
#include "fuzz_input.h"
#include "snapcell/store.h"
#include "store_salvage.h"

#define FUZZ_ARTIFACT_COUNT 40

static char fuzz_folder[64];
static char fuzz_file[80];
static uint8_t *fuzz_image;
static size_t fuzz_image_size;

/* --- Start --- */

static int fuzz_remove_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts;
    (void)type;
    (void)walk;
    return remove(path);
}

static void fuzz_remove_folder(void)
{
    (void)nftw(fuzz_folder, fuzz_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

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
            .blob = {blob, i % 3 == 0 ? sizeof blob : 400},
            .source = {"0", 1},
            .manifest = {"{}", 2},
        };
        memset(spec.key.bytes, i * 5, sizeof spec.key.bytes);
        uint8_t *bytes = NULL;
        size_t size = 0;
        char name[100];
        (void)snprintf(name, sizeof name, "%u%080d", (unsigned)i, 0);
        fuzz_require(artifact_write(&spec, &bytes, &size, NULL) == SNAPCELL_OK);
        fuzz_require(snapcell_store_put(store, bytes, size, name, NULL) == SNAPCELL_OK);
        if (i % 7 == 0) fuzz_require(snapcell_store_remove(store, &spec.key, NULL) == SNAPCELL_OK);
        free(bytes);
    }
}

static void fuzz_read_image(void)
{
    FILE *file = fopen(fuzz_file, "rb");
    struct stat facts;
    fuzz_require(file != NULL && fstat(fileno(file), &facts) == 0);
    fuzz_image_size = (size_t)facts.st_size;
    fuzz_image = malloc(fuzz_image_size);
    fuzz_require(fuzz_image != NULL);
    fuzz_require(fread(fuzz_image, 1, fuzz_image_size, file) == fuzz_image_size);
    (void)fclose(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    (void)snprintf(fuzz_folder, sizeof fuzz_folder, "%s/snapcell-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_require(mkdtemp(fuzz_folder) != NULL);
    (void)atexit(fuzz_remove_folder);
    (void)snprintf(fuzz_file, sizeof fuzz_file, "%s/data.mdb", fuzz_folder);
    snapcell_store *store = NULL;
    fuzz_require(snapcell_store_open(fuzz_folder, SNAPCELL_STORE_CREATE, &store, NULL) ==
                 SNAPCELL_OK);
    fuzz_fill(store);
    snapcell_store_close(store);
    fuzz_read_image();
    return 0;
}

/* --- One file --- */

/* A change is four bytes: page, offset in it, value. Returns the file, with `*size` bytes of it. */
static int fuzz_write(fuzz_input input, size_t *size)
{
    const uint8_t cut = fuzz_take_u8(&input);
    *size = cut < 8 ? fuzz_image_size / 8 * (cut + 1u) : fuzz_image_size;
    const int file = open(fuzz_file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_require(file >= 0 && pwrite(file, fuzz_image, *size, 0) == (ssize_t)*size);
    while (input.size_bytes > 0) {
        const size_t page = fuzz_take_u8(&input);
        const size_t offset = (size_t)(fuzz_take_u8(&input) << 8 | fuzz_take_u8(&input)) % 4096;
        const uint8_t value = fuzz_take_u8(&input);
        const size_t at = (page * 4096 + offset) % *size;
        fuzz_require(pwrite(file, &value, 1, (off_t)at) == 1);
    }
    return file;
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
    const int code = snapcell_store_open(fuzz_folder, SNAPCELL_STORE_READ, &store, &err);
    fuzz_require(code == SNAPCELL_OK || err.message[0] != '\0');
    if (code != SNAPCELL_OK) return;
    if (snapcell_store_check(store, &err) != SNAPCELL_OK) fuzz_require(err.message[0] != '\0');
    (void)snapcell_store_each_artifact(store, fuzz_see_artifact, &seen, NULL);
    (void)snapcell_store_each_name(store, fuzz_see_name, &seen, NULL);
    snapcell_store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t file_size;
    snapcell_error err = {0};
    const int file = fuzz_write((fuzz_input){data, size}, &file_size);
    salvage_finds finds = {0};
    const int found = salvage_find(file, fuzz_folder, &finds, &err);
    fuzz_require(found == SNAPCELL_OK || err.message[0] != '\0');
    for (size_t i = 0; i < finds.artifact_count; i++)
        fuzz_require(finds.artifacts[i].offset + finds.artifacts[i].size_bytes <= file_size);
    salvage_finds_release(&finds);
    (void)close(file);
    fuzz_follow();
    return 0;
}
