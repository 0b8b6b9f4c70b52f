/* Command lines, from main() on, with a store in a folder that is made anew for each of them. The
 * input is arguments, a zero byte after each. No worker can be started. */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "fuzz_input.h"

#define FUZZ_ARGUMENT_COUNT_MAX 12
#define FUZZ_ARGUMENT_SIZE 300

int snapcell_main(int argc, char **argv);

static const char *const fuzz_golden[] = {"good-raw", "good-utf16"};
#define FUZZ_GOLDEN_COUNT (sizeof fuzz_golden / sizeof *fuzz_golden)

static char fuzz_folder[64];
static char *fuzz_store; /* data.mdb of a store with the golden artifacts */
static size_t fuzz_store_size;
static char *fuzz_artifacts[FUZZ_GOLDEN_COUNT];
static size_t fuzz_artifact_sizes[FUZZ_GOLDEN_COUNT];

/* --- The folder --- */

static int fuzz_remove_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts;
    (void)type;
    return walk->level == 0 ? 0 : remove(path);
}

static void fuzz_clear(void)
{
    (void)nftw(fuzz_folder, fuzz_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void fuzz_remove_folder(void)
{
    fuzz_clear();
    (void)rmdir(fuzz_folder);
}

static void fuzz_write(const char *path, const void *data, size_t size_bytes)
{
    fuzz_require(cli_write_file(path, data, size_bytes, true, NULL) == SNAPCELL_OK);
}

static void fuzz_fill(void)
{
    static const char request[] = "{\"url\":\"/a\",\"method\":\"POST\",\"headers\":{\"a\":\"b\"},"
                                  "\"body\":{\"c\":1}}";
    fuzz_clear();
    fuzz_require(mkdir("snapcell-store", 0700) == 0);
    fuzz_write("snapcell-store/data.mdb", fuzz_store, fuzz_store_size);
    fuzz_write("a.snapcell", fuzz_artifacts[0], fuzz_artifact_sizes[0]);
    fuzz_write("a.js", "0", 1);
    fuzz_write("a.json", request, sizeof request - 1);
}

/* --- Start --- */

static void fuzz_make_store(void)
{
    snapcell_store *store = NULL;
    fuzz_require(snapcell_store_open("made", SNAPCELL_STORE_CREATE, &store, NULL) == SNAPCELL_OK);
    for (size_t i = 0; i < FUZZ_GOLDEN_COUNT; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s.artifact", GOLDEN_DIR, fuzz_golden[i]);
        fuzz_require(cli_read_file(path, 1 << 20, &fuzz_artifacts[i], &fuzz_artifact_sizes[i],
                                   NULL) == SNAPCELL_OK);
        (void)snapcell_store_put(store, fuzz_artifacts[i], fuzz_artifact_sizes[i],
                                 i == 0 ? "a" : "b", NULL);
    }
    snapcell_store_close(store);
    fuzz_require(cli_read_file("made/data.mdb", 1 << 24, &fuzz_store, &fuzz_store_size, NULL) ==
                 SNAPCELL_OK);
}

/* What is printed is of no interest; standard error is the fuzzing engine's own. */
static void fuzz_silence(void)
{
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    fuzz_require(nowhere >= 0 && dup2(nowhere, STDIN_FILENO) == STDIN_FILENO);
    fuzz_require(freopen("/dev/null", "w", stdout) != NULL);
    fuzz_require(cli_messages_to(nowhere));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    (void)snprintf(fuzz_folder, sizeof fuzz_folder, "%s/snapcell-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_require(mkdtemp(fuzz_folder) != NULL && chdir(fuzz_folder) == 0);
    (void)atexit(fuzz_remove_folder);
    fuzz_require(setenv("SNAPCELL_WORKER", "./no-worker", 1) == 0);
    fuzz_make_store();
    fuzz_silence();
    return 0;
}

/* --- Command lines --- */

/* Stays in its folder, starts no benchmark, and is no worker. */
static bool fuzz_is_allowed(char *const *argv, int argc)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '\0' && strchr(argv[i], '/') != NULL && strncmp(argv[i], "http", 4) != 0)
            return false;
    return argc < 2 || (strcmp(argv[1], "bench") != 0 && strstr(argv[1], "worker") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "snapcell";
    char texts[FUZZ_ARGUMENT_COUNT_MAX][FUZZ_ARGUMENT_SIZE];
    char *argv[FUZZ_ARGUMENT_COUNT_MAX + 2] = {program};
    int argc = 1;
    fuzz_input input = {data, size};
    while (input.size_bytes > 0 && argc <= FUZZ_ARGUMENT_COUNT_MAX) {
        (void)fuzz_take_text(&input, texts[argc - 1], FUZZ_ARGUMENT_SIZE);
        argv[argc] = texts[argc - 1];
        argc++;
    }
    if (!fuzz_is_allowed(argv, argc)) return 0;
    fuzz_fill();
    const int status = snapcell_main(argc, argv);
    fuzz_require(status >= CLI_DONE && status <= CLI_LIMIT);
    return 0;
}
