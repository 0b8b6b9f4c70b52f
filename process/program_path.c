#include "program_path.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"

#define PROGRAM "snapcell"
/* Runs what runs now, even where an upgrade has put another program in its place. */
#define RUNNING_PROGRAM "/proc/self/exe"

static bool path_is_program(const char *path)
{
    struct stat status;
    return path != NULL && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           access(path, X_OK) == 0;
}

/* `folder` and `name` in one, when that is a program. */
static char *program_in(const char *folder, size_t folder_size, const char *name)
{
    char *path;
    if (asprintf(&path, "%.*s/%s", (int)folder_size, folder, name) < 0) return NULL;
    if (path_is_program(path)) return path;
    free(path);
    return NULL;
}

static bool running_program_is_ours(const char *running)
{
    const char *slash = running == NULL ? NULL : strrchr(running, '/');
    return slash != NULL && strcmp(slash + 1, PROGRAM) == 0;
}

/* The file that this code came from when it is a shared library; NULL when it is the program. */
static char *library_path(void)
{
    static const char here;
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL ||
        map->l_name == NULL || strchr(map->l_name, '/') == NULL)
        return NULL;
    return realpath(map->l_name, NULL);
}

/* ../../bin is for Debian's lib/x86_64-linux-gnu. */
static char *program_beside(const char *file)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    if (slash == NULL) return NULL;
    static const char *const names[] = {PROGRAM, "../bin/" PROGRAM, "../../bin/" PROGRAM};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char *path = program_in(file, (size_t)(slash - file), names[i]);
        if (path != NULL) return path;
    }
    return NULL;
}

/* Empty and relative entries of $PATH are passed over: the working folder may be anyone's. */
static char *program_on_path(void)
{
    const char *at = secure_getenv("PATH");
    while (at != NULL && *at != '\0') {
        size_t size = strcspn(at, ":");
        char *path = *at == '/' ? program_in(at, size, PROGRAM) : NULL;
        if (path != NULL) return path;
        at += size;
        if (*at == ':') at++;
    }
    return NULL;
}

static char *program_path_search(void)
{
    cleanup_free char *running = realpath(RUNNING_PROGRAM, NULL);
    cleanup_free char *library = library_path();
    bool is_ours = running_program_is_ours(running);
    if (library == NULL && is_ours) return strdup(RUNNING_PROGRAM);

    char *path = program_beside(library != NULL ? library : running);
    if (path == NULL && is_ours) path = strdup(RUNNING_PROGRAM);
    return path != NULL ? path : program_on_path();
}

int program_path_find(const char *given, char **out, snapcell_error *err)
{
    *out = NULL;
    const char *from = "worker_path";
    if (given == NULL) {
        given = secure_getenv("SNAPCELL_WORKER");
        from = "$SNAPCELL_WORKER";
    }
    if (given != NULL && *given != '\0') {
        if (!path_is_program(given))
            return error_set(err, SNAPCELL_E_INTERNAL,
                             "%s is %s, which is not an executable program; expected `" PROGRAM
                             "`, which works in a process of its own",
                             from, given);
        *out = strdup(given);
        return *out != NULL ? SNAPCELL_OK
                            : error_set(err, SNAPCELL_E_NOMEM, "no memory for a path");
    }
    *out = program_path_search();
    if (*out != NULL) return SNAPCELL_OK;
    return error_set(
        err, SNAPCELL_E_INTERNAL,
        "the `" PROGRAM "` program, which works in a process of its own, is neither "
        "next to the library nor in ../bin from it nor on $PATH: set $SNAPCELL_WORKER");
}
