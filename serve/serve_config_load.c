/* A configuration out of a file. */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "error_set.h"
#include "serve_config_read.h"

#define CONFIG_FILE_SIZE_MAX ((size_t)16 << 20)

static int config_finish(const config_reader *reader, snapcell_error *err)
{
    if (reader->no_memory)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for what %s says", reader->path);
    if (reader->problem_count == 0) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE, "%s: %zu thing%s to be put right", reader->path,
                     reader->problem_count, reader->problem_count == 1 ? "" : "s");
}

int serve_config_parse(const char *path, const char *folder, const char *text, size_t size_bytes,
                       serve_config *config, serve_problem_fn *problem, void *user,
                       snapcell_error *err)
{
    config_reader reader = {.path = path,
                            .folder = folder,
                            .text = text,
                            .size_bytes = size_bytes,
                            .config = config,
                            .problem = problem,
                            .user = user};
    json_error_t wrong;
    json_t *value = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &wrong);
    if (value == NULL) {
        if (problem != NULL)
            problem(user, path, wrong.line > 0 ? (size_t)wrong.line : 1,
                    wrong.column > 0 ? (size_t)wrong.column : 1, wrong.text);
        return error_set(err, SNAPCELL_E_USAGE, "%s is not JSON: %s", path, wrong.text);
    }
    config_take_all(&reader, value, config);
    json_decref(value);
    return config_finish(&reader, err);
}

int serve_config_read(const char *path, serve_config *config, serve_problem_fn *problem, void *user,
                      snapcell_error *err)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    int status = config_read_file(path, CONFIG_FILE_SIZE_MAX, &text, &size, err);
    if (status != SNAPCELL_OK) return status;
    config_hash_text(config, text, size);
    cleanup_free char *folder = strdup(path);
    char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
    if (slash != NULL) slash[slash == folder] = '\0';
    return serve_config_parse(path, slash != NULL ? folder : NULL, text, size, config, problem,
                              user, err);
}
