#include "serve_sandbox.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error_set.h"
#include "program_path.h"
#include "sandbox_server.h"

#define SANDBOX_PATHS_MAX 1024u

/* Paths to be given to the sandbox; those that were made are freed. */
typedef struct sandbox_paths {
    char *items[SANDBOX_PATHS_MAX];
    size_t count;
    bool no_memory;
} sandbox_paths;

static void sandbox_paths_cleanup(sandbox_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
}

/* `path` + `tail`; what is too much is left out: reading it again will fail, and say so. */
static void sandbox_add(sandbox_paths *paths, const char *path, size_t path_size, const char *tail)
{
    char *copy;
    if (paths->count == SANDBOX_PATHS_MAX) return;
    if (asprintf(&copy, "%.*s%s", (int)path_size, path, tail) < 0)
        paths->no_memory = true;
    else
        paths->items[paths->count++] = copy;
}

/* The folder that a file is in: editors replace a file by another. */
static void sandbox_add_folder(sandbox_paths *paths, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        sandbox_add(paths, ".", 1, "");
    else
        sandbox_add(paths, path, slash == path ? 1 : (size_t)(slash - path), "");
}

static int sandbox_add_programs(sandbox_paths *paths, snapcell_error *err)
{
    cleanup_free char *program = NULL;
    int status = program_path_find(NULL, &program, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free char *whole = realpath(program, NULL);
    const char *path = whole != NULL ? whole : program;
    const char *slash = strrchr(path, '/');
    size_t folder_size = slash != NULL ? (size_t)(slash - path) : 0;
    sandbox_add(paths, path, strlen(path), "");
    static const char *const helpers[] = {
        "/snapcell-net",
        "/../libexec/snapcell/snapcell-net",
        "/snapcell-launch",
        "/../libexec/snapcell/snapcell-launch",
    };
    for (size_t i = 0; i < sizeof(helpers) / sizeof(*helpers); i++)
        sandbox_add(paths, path, folder_size, helpers[i]);
    return SNAPCELL_OK;
}

static void sandbox_add_config(sandbox_paths *paths, const serve_config *config,
                               const char *config_path)
{
    if (config_path != NULL) sandbox_add_folder(paths, config_path);
    for (size_t i = 0; i < config->secret_files.count; i++)
        sandbox_add(paths, config->secret_files.items[i], strlen(config->secret_files.items[i]),
                    "");
}

static void sandbox_log(serve_context *context, bool keeps_user)
{
    if (!keeps_user) return;
    serve_log_begin(&context->log, "warn", "keeps_root");
    serve_log_text(&context->log, "error",
                   "the server goes on as root: the user nobody cannot read the store, the "
                   "program, the configuration or a secret");
    serve_log_end(&context->log);
}

int serve_sandbox_enter(serve_context *context, const char *config_path,
                        const serve_strings *socket_paths, snapcell_error *err)
{
    bool was_root = geteuid() == 0;
    bool keeps_user = false;
    cleanup(sandbox_paths_cleanup) sandbox_paths readable = {0};
    cleanup(sandbox_paths_cleanup) sandbox_paths programs = {0};
    cleanup(sandbox_paths_cleanup) sandbox_paths removable = {0};
    const char *writable[] = {context->names.store_path};
    sandbox_add_config(&readable, &context->settings->config, config_path);
    for (size_t i = 0; i < socket_paths->count; i++)
        sandbox_add_folder(&removable, socket_paths->items[i]);
    int status = sandbox_add_programs(&programs, err);
    if (status != SNAPCELL_OK) return status;
    if (readable.no_memory || programs.no_memory || removable.no_memory)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for paths");
    const sandbox_server_files files = {
        .readable = (const char *const *)readable.items,
        .readable_count = readable.count,
        .writable = writable,
        .writable_count = 1,
        .programs = (const char *const *)programs.items,
        .program_count = programs.count,
        .removable = (const char *const *)removable.items,
        .removable_count = removable.count,
        .changeable = context->settings->config.image_folder,
    };
    status = sandbox_server_enter(&files, &keeps_user, err);
    if (status == SNAPCELL_OK) sandbox_log(context, was_root && keeps_user);
    return status;
}
