/* Makes the base blob while the engine is built: make_base_blob FILE. Not part of the libraries. */
#include <stdio.h>
#include <string.h>

#include "engine.h"

static const char smallest_function[] = "export default { fetch() { return new Response('') } }";

static const void *source_data(void *user)
{
    return user;
}

static int write_file(const char *path, const void *bytes, size_t size_bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) return -1;
    size_t written = fwrite(bytes, 1, size_bytes, file);
    int closed = fclose(file);
    return written == size_bytes && closed == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_base_blob FILE\n");
        return 2;
    }
    engine_bundle bundle = {
        .file_name = "base.js",
        .source = {.encoding = ARTIFACT_TEXT_LATIN1,
                   .length = sizeof smallest_function - 1,
                   .data = source_data,
                   .user = (void *)(uintptr_t)smallest_function},
    };
    engine_build_options options = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .format = ENGINE_FORMAT_ESM,
        .memory_limit_bytes = (uint64_t)256 << 20,
        .function_name = "base",
    };
    engine_build_result result;
    snapcell_error err;
    if (engine_start(ENGINE_MODE_BUILD, &err) != SNAPCELL_OK ||
        engine_build(&bundle, &options, &result, &err) != SNAPCELL_OK) {
        fprintf(stderr, "make_base_blob: %s\n", err.message);
        return 1;
    }
    if (write_file(argv[1], result.blob, result.blob_size_bytes) != 0) {
        fprintf(stderr, "make_base_blob: cannot write %s\n", argv[1]);
        return 1;
    }
    engine_build_result_release(&result);
    return 0;
}
