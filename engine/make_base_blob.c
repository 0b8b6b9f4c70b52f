/* Makes the base blob while the engine is built: make_base_blob FILE FIRST. Not part of the
 * libraries.
 *
 * It is two snapshots, one after the other: of the smallest function, which small ones resemble,
 * and of one that holds what larger ones use. FIRST is a line for an assembler, with the size of
 * the first. */
#include <stdio.h>
#include <string.h>

#include "base_functions.h"
#include "engine.h"

static const char smallest_function[] = BASE_SMALLEST_FUNCTION;
static const char function_of_many_apis[] = BASE_FUNCTION_OF_MANY_APIS;

static const void *source_data(void *user)
{
    return user;
}

static int build(const char *function, size_t length, FILE *file)
{
    engine_bundle bundle = {
        .file_name = "base.js",
        .source = {.encoding = ARTIFACT_TEXT_LATIN1,
                   .length = length,
                   .data = source_data,
                   .user = (void *)(uintptr_t)function},
    };
    engine_build_options options = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .format = ENGINE_FORMAT_ESM,
        .memory_limit_bytes = (uint64_t)256 << 20,
        .function_name = "base",
    };
    engine_build_result result;
    snapcell_error err;
    if (engine_build(&bundle, &options, &result, &err) != SNAPCELL_OK) {
        fprintf(stderr, "make_base_blob: %s\n", err.message);
        return -1;
    }
    size_t written = fwrite(result.blob, 1, result.blob_size_bytes, file);
    int status = written == result.blob_size_bytes ? 0 : -1;
    if (status != 0) perror("make_base_blob");
    engine_build_result_release(&result);
    return status;
}

static int note_size(const char *path, long size_bytes)
{
    FILE *file = fopen(path, "w");
    bool fine = file != NULL && size_bytes > 0 && fprintf(file, ".quad %ld\n", size_bytes) > 0;
    if (file != NULL) fine = fclose(file) == 0 && fine;
    if (!fine) perror(path);
    return fine ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: make_base_blob FILE FIRST\n");
        return 2;
    }
    snapcell_error err;
    if (engine_start(ENGINE_MODE_BUILD, &err) != SNAPCELL_OK) {
        fprintf(stderr, "make_base_blob: %s\n", err.message);
        return 1;
    }
    FILE *file = fopen(argv[1], "wb");
    if (file == NULL) {
        perror(argv[1]);
        return 1;
    }
    int small = build(smallest_function, sizeof(smallest_function) - 1, file);
    int noted = note_size(argv[2], ftell(file));
    int large = build(function_of_many_apis, sizeof(function_of_many_apis) - 1, file);
    int closed = fclose(file);
    return small == 0 && noted == 0 && large == 0 && closed == 0 ? 0 : 1;
}
