/* Rewrites tests/golden/artifact/: `make_golden FOLDER`. Only for a change of the format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact_samples.h"

static int write_file(const char *folder, const char *name, const uint8_t *bytes, size_t size_bytes)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s.artifact", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    const size_t written = fwrite(bytes, 1, size_bytes, file);
    if (fclose(file) != 0 || written != size_bytes) {
        perror(path);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int write_compressed(const char *folder, const char *name, artifact_codec codec)
{
    artifact_spec spec = sample_spec();
    spec.blob = (artifact_part){sample_large_blob, sizeof(sample_large_blob)};
    spec.codec = codec;
    spec.prefix = (artifact_part){sample_large_prefix, sizeof(sample_large_prefix)};
    spec.level = 9;
    uint8_t *bytes = NULL;
    size_t size = 0;
    snapcell_error err;
    if (artifact_write(&spec, &bytes, &size, &err) != SNAPCELL_OK) {
        (void)fprintf(stderr, "make_golden: %s\n", err.message);
        return EXIT_FAILURE;
    }
    const int status = write_file(folder, name, bytes, size);
    free(bytes);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_golden FOLDER\n");
        return 2;
    }
    static test_sample made;
    int status = write_compressed(argv[1], "compressed", ARTIFACT_CODEC_ZSTD);
    if (status == EXIT_SUCCESS) {
        status = write_compressed(argv[1], "compressed-prefix", ARTIFACT_CODEC_ZSTD_PREFIX);
    }
    for (size_t i = 0; i < sample_case_count && status == EXIT_SUCCESS; i++) {
        const sample_case *row = sample_case_make(i, &made);
        status = write_file(argv[1], row->name, made.bytes, made.size_bytes);
    }
    return status;
}
