/* Feeds the files of folders to a fuzz target, without a fuzzing engine: `corpus_replay FOLDER...`.
 * Linked with one target each. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_SIZE_MAX (1u << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A target may have none. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    uint8_t *buffer = malloc(INPUT_SIZE_MAX);
    const size_t size = buffer == NULL ? 0 : fread(buffer, 1, INPUT_SIZE_MAX, file);
    (void)fclose(file);
    if (buffer == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    /* Just as large as the input, so that a sanitizer sees each byte read beyond it. */
    uint8_t *input = realloc(buffer, size > 0 ? size : 1);
    if (input == NULL) {
        perror(path);
        free(buffer);
        return EXIT_FAILURE;
    }
    (void)LLVMFuzzerTestOneInput(input, size);
    free(input);
    return EXIT_SUCCESS;
}

static int replay_folder(const char *path, unsigned *count)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    int status = EXIT_SUCCESS;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.') continue;
        char file[4096];
        (void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (replay_file(file) != EXIT_SUCCESS) status = EXIT_FAILURE;
        (*count)++;
    }
    (void)closedir(folder);
    return status;
}

int main(int argc, char **argv)
{
    int status = EXIT_SUCCESS;
    unsigned count = 0;
    if (LLVMFuzzerInitialize != NULL) (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        if (replay_folder(argv[i], &count) != EXIT_SUCCESS) status = EXIT_FAILURE;
    }
    printf("%u inputs\n", count);
    return count > 0 ? status : EXIT_FAILURE;
}
