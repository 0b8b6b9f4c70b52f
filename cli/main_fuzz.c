/* Command lines, from main() on, in a folder with a store, an artifact, a function and a request,
 * which is as it was before each of them. The input is arguments, a zero byte after each. No worker
 * can be started. */
#include <fcntl.h>

#include "cli.h"
#include "fuzz_folder.h"

#define FUZZ_ARGUMENT_COUNT_MAX 12
#define FUZZ_ARGUMENT_SIZE 300
#define FUZZ_LONG_AGO 1 /* second of the epoch: when all was made that was not altered since */

int snapcell_main(int argc, char **argv);

static const char fuzz_request[] = "{\"url\":\"/a\",\"method\":\"POST\",\"headers\":{\"a\":\"b\"},"
                                   "\"body\":{\"c\":1}}";
static char fuzz_function[] = "0";

typedef struct fuzz_file {
    const char *path; /* in the folder */
    char *bytes;      /* NULL: a folder */
    size_t size_bytes;
} fuzz_file;

enum { FUZZ_HERE, FUZZ_STORE, FUZZ_LOCK, FUZZ_DATA, FUZZ_ARTIFACT, FUZZ_FILE_COUNT = 7 };
static fuzz_file fuzz_files[FUZZ_FILE_COUNT] = {
    {.path = "."},
    {.path = "snapcell-store"},
    {.path = "snapcell-store/lock.mdb"},
    {.path = "snapcell-store/data.mdb"},
    {.path = "a.snapcell"},
    {"a.js", fuzz_function, sizeof(fuzz_function) - 1},
    {"a.json", (char *)(uintptr_t)fuzz_request, sizeof(fuzz_request) - 1},
};

/* --- The folder --- */

/* LMDB writes its lock file whenever a store is opened: only that it is there counts. */
static bool fuzz_is_altered(int index)
{
    struct stat facts;
    if (stat(fuzz_files[index].path, &facts) != 0) return true;
    return index != FUZZ_LOCK && facts.st_mtime != FUZZ_LONG_AGO;
}

static void fuzz_write(const fuzz_file *made)
{
    const int file = open(made->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_require(file >= 0);
    fuzz_require(write(file, made->bytes, made->size_bytes) == (ssize_t)made->size_bytes);
    fuzz_require(close(file) == 0);
}

static void fuzz_age(int index)
{
    static const struct timespec times[2] = {{.tv_sec = FUZZ_LONG_AGO}, {.tv_sec = FUZZ_LONG_AGO}};
    fuzz_require(utimensat(AT_FDCWD, fuzz_files[index].path, times, 0) == 0);
}

/* Few command lines alter anything, and those that do mostly the store's file alone. */
static void fuzz_restore(void)
{
    const bool starts_over = fuzz_is_altered(FUZZ_HERE) || fuzz_is_altered(FUZZ_STORE);
    if (starts_over) {
        fuzz_folder_clear();
        fuzz_require(mkdir(fuzz_files[FUZZ_STORE].path, 0700) == 0);
    }
    for (int i = FUZZ_FILE_COUNT - 1; i >= 0; i--) {
        if (!starts_over && !fuzz_is_altered(i)) continue;
        if (fuzz_files[i].bytes != NULL) fuzz_write(&fuzz_files[i]);
        fuzz_age(i);
    }
}

/* --- Start --- */

static void fuzz_read(const char *path, int index)
{
    fuzz_file *file = &fuzz_files[index];
    fuzz_require(cli_read_file(path, 1 << 24, &file->bytes, &file->size_bytes, NULL) ==
                 SNAPCELL_OK);
}

/* A store with the golden artifacts "b" and "a"; the latter is a file, too. */
static void fuzz_make_store(void)
{
    static const char *const golden[] = {"good-utf16", "good-raw"};
    snapcell_store *store = NULL;
    fuzz_require(snapcell_store_open("made", SNAPCELL_STORE_CREATE, &store, NULL) == SNAPCELL_OK);
    for (int i = 0; i < 2; i++) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s.artifact", GOLDEN_DIR, golden[i]);
        free(fuzz_files[FUZZ_ARTIFACT].bytes);
        fuzz_read(path, FUZZ_ARTIFACT);
        (void)snapcell_store_put(store, fuzz_files[FUZZ_ARTIFACT].bytes,
                                 fuzz_files[FUZZ_ARTIFACT].size_bytes, i == 0 ? "b" : "a", NULL);
    }
    snapcell_store_close(store);
    fuzz_read("made/data.mdb", FUZZ_DATA);
    fuzz_read("made/lock.mdb", FUZZ_LOCK);
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
    fuzz_folder_make();
    fuzz_require(chdir(fuzz_folder) == 0);
    fuzz_require(setenv("SNAPCELL_WORKER", "./no-worker", 1) == 0);
    fuzz_make_store();
    fuzz_silence();
    return 0;
}

/* --- Command lines --- */

/* Stays in its folder, starts no benchmark or server, and is not a child. */
static bool fuzz_is_allowed(char *const *argv, int argc)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '\0' && strchr(argv[i], '/') != NULL && strncmp(argv[i], "http", 4) != 0)
            return false;
    static const char *const others[] = {"bench", "serve", "compile-child", "cell-worker"};
    for (int i = 1; i < argc; i++)
        for (size_t j = 0; j < sizeof(others) / sizeof(*others); j++)
            if (strcmp(argv[i], others[j]) == 0) return false;
    return true;
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
    fuzz_restore();
    const int status = snapcell_main(argc, argv);
    fuzz_require(status >= CLI_DONE && status <= CLI_LIMIT);
    return 0;
}
