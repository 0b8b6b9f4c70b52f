#include "torture_store.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define FUNCTIONS_MIN 8

static char folder_path[64];

void torture_require(int status, const snapcell_error *err, const char *what)
{
    if (status == SNAPCELL_OK) return;
    fprintf(stderr, "%s: %s: %s\n%s\n", program_invocation_short_name, what, err->message,
            err->stack);
    exit(EXIT_FAILURE);
}

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
    (void)facts;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    (void)nftw(folder_path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *torture_folder(void)
{
    if (folder_path[0] != '\0') return folder_path;
    (void)snprintf(folder_path, sizeof(folder_path), "/tmp/snapcell-%.20s-XXXXXX",
                   program_invocation_short_name);
    if (mkdtemp(folder_path) == NULL) {
        perror(folder_path);
        exit(EXIT_FAILURE);
    }
    (void)atexit(remove_folder);
    return folder_path;
}

static int add_name(void *user, const snapcell_store_name *entry)
{
    torture_functions *functions = user;
    if (functions->count < TORTURE_FUNCTIONS_MAX)
        strcpy(functions->names[functions->count++], entry->name);
    return 0;
}

void torture_compile_all(const char *folder, const char *options, torture_functions *out)
{
    char command[1024];
    const char *program = getenv("SNAPCELL_WORKER");
    snapcell_error err = {0};
    snapcell_store *store = NULL;
    (void)snprintf(command, sizeof(command),
                   "'%s' compile %s --store '%s' '%s'/*.js >/dev/null 2>&1",
                   program != NULL ? program : "snapcell", options, torture_folder(), folder);
    const int ended = system(command);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) > 1) {
        fprintf(stderr, "cannot compile %s/*.js with $SNAPCELL_WORKER: %s\n", folder, command);
        exit(EXIT_FAILURE);
    }
    torture_require(snapcell_store_open(torture_folder(), SNAPCELL_STORE_READ, &store, &err), &err,
                    "open");
    out->count = 0;
    torture_require(snapcell_store_each_name(store, add_name, out, &err), &err, "list");
    snapcell_store_close(store);
    if (out->count >= FUNCTIONS_MIN) return;
    fprintf(stderr, "only %zu functions in %s\n", out->count, folder);
    exit(EXIT_FAILURE);
}
