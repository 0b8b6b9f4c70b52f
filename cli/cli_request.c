/* Requests as a person types them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "error_set.h"

#define WARM_FILE_SIZE_MAX ((size_t)64 << 20)

bool cli_header_split(char *text, snapcell_header *out)
{
    char *colon = strchr(text, ':');
    if (!colon || colon == text) return false;
    *colon = '\0';
    char *value = colon + 1;
    value += strspn(value, " \t");
    for (size_t size = strlen(value); size && strchr(" \t", value[size - 1]); size--)
        value[size - 1] = '\0';
    *out = (snapcell_header){.name = text, .value = value};
    return strpbrk(text, " \t\r\n") == NULL && strpbrk(value, "\r\n") == NULL;
}

/* A path in a URL and a path on disk both begin with a slash: what ends in .json and is a file is
 * taken for a file. */
static bool warm_is_url(const char *text)
{
    struct stat there;
    size_t size = strlen(text);
    if (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) return true;
    if (text[0] != '/') return false;
    bool json = size > 5 && strcmp(text + size - 5, ".json") == 0;
    return !(json && stat(text, &there) == 0 && S_ISREG(there.st_mode));
}

static int warm_set_headers(cli_warm *warm, json_t *headers, const char *path, snapcell_error *err)
{
    if (!headers || json_is_null(headers)) return SNAPCELL_OK;
    if (!json_is_object(headers))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: \"headers\" must be an object of names and strings", path);
    warm->headers = calloc(json_object_size(headers) + 1, sizeof(*warm->headers));
    if (!warm->headers) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %s", path);
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach(headers, name, value)
    {
        if (!json_is_string(value))
            return error_set(err, SNAPCELL_E_USAGE, "%s: header \"%s\" must be a string", path,
                             name);
        warm->headers[count++] = (snapcell_header){.name = name, .value = json_string_value(value)};
    }
    warm->request.headers = warm->headers;
    warm->request.header_count = count;
    return SNAPCELL_OK;
}

/* A body that is not a string is sent as the JSON text that it is. */
static int warm_set_body(cli_warm *warm, json_t *body, const char *path, snapcell_error *err)
{
    if (!body || json_is_null(body)) return SNAPCELL_OK;
    if (json_is_string(body)) {
        warm->request.body = json_string_value(body);
        warm->request.body_size_bytes = json_string_length(body);
        return SNAPCELL_OK;
    }
    warm->body = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!warm->body) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %s", path);
    warm->request.body = warm->body;
    warm->request.body_size_bytes = strlen(warm->body);
    return SNAPCELL_OK;
}

static int warm_set_text(json_t *value, const char *field, const char **out, const char *path,
                         snapcell_error *err)
{
    if (!value || json_is_null(value)) return SNAPCELL_OK;
    if (!json_is_string(value))
        return error_set(err, SNAPCELL_E_USAGE, "%s: \"%s\" must be a string", path, field);
    *out = json_string_value(value);
    return SNAPCELL_OK;
}

static int warm_set(cli_warm *warm, const char *path, snapcell_error *err)
{
    const char *field;
    json_t *value;
    json_object_foreach(warm->document, field, value)
    {
        int status = SNAPCELL_OK;
        if (strcmp(field, "url") == 0)
            status = warm_set_text(value, field, &warm->request.url, path, err);
        else if (strcmp(field, "method") == 0)
            status = warm_set_text(value, field, &warm->request.method, path, err);
        else if (strcmp(field, "headers") == 0)
            status = warm_set_headers(warm, value, path, err);
        else if (strcmp(field, "body") == 0)
            status = warm_set_body(warm, value, path, err);
        else
            status = error_set(err, SNAPCELL_E_USAGE,
                               "%s: unknown field \"%s\"; url, method, headers and body are known",
                               path, field);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

int cli_warm_init(cli_warm *warm, const char *text, snapcell_error *err)
{
    *warm = (cli_warm){.request = SNAPCELL_REQUEST_INIT};
    if (warm_is_url(text)) {
        warm->request.url = text;
        return SNAPCELL_OK;
    }
    cleanup_free char *json = NULL;
    size_t json_size_bytes = 0;
    int status = cli_read_file(text, WARM_FILE_SIZE_MAX, &json, &json_size_bytes, err);
    if (status == SNAPCELL_E_NOT_FOUND)
        return error_set(err, status,
                         "--warm %s: no such file; a URL path begins with '/', a JSON file must be "
                         "there",
                         text);
    if (status != SNAPCELL_OK) return status;
    json_error_t where;
    warm->document = json_loadb(json, json_size_bytes, JSON_REJECT_DUPLICATES, &where);
    if (!warm->document)
        return error_set(err, SNAPCELL_E_USAGE, "%s:%d:%d: not JSON: %s", text, where.line,
                         where.column, where.text);
    if (!json_is_object(warm->document))
        return error_set(err, SNAPCELL_E_USAGE,
                         "%s: a warm-up request is an object {url, method, headers, body}", text);
    return warm_set(warm, text, err);
}

void cli_warm_release(cli_warm *warm)
{
    json_decref(warm->document);
    free(warm->headers);
    free(warm->body);
    *warm = (cli_warm){0};
}
