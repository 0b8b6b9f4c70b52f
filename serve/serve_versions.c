#include "serve_versions.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"

#define VERSIONS_READ_BYTES ((size_t)256 << 10)
#define VERSIONS_LINE_BYTES_MAX ((size_t)4 << 10)
#define VERSIONS_TEXT_BYTES_MAX ((json_int_t)256 << 20)

static void versions_log(const serve_versions *versions, const char *event,
                         const snapcell_error *why)
{
    serve_log *log = &versions->context->log;
    serve_log_begin(log, "info", event);
    if (versions->version.name != NULL) serve_log_text(log, "function", versions->version.name);
    serve_log_text(log, "error", why->message);
    serve_log_end(log);
    serve_log_flush(log);
}

/* --- One version --- */

static int version_serve(const serve_versions *versions, snapcell_error *err)
{
    const serve_version *version = &versions->version;
    const serve_names *names = &versions->context->names;
    const serve_name *name = serve_names_find(names, version->name, strlen(version->name));
    if (name == NULL || strcmp(name->name, version->name) != 0)
        return error_set(err, SNAPCELL_E_NOT_FOUND, "the store has no function '%s'",
                         version->name);
    serve_function *function = serve_pool_function(versions->pool, name);
    if (function == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a function");
    snapcell_worker_text text = SNAPCELL_WORKER_TEXT_INIT;
    text.text = versions->bytes.data;
    text.text_size_bytes = version->text_size_bytes;
    text.is_utf16 = version->is_utf16;
    text.prelude_sha256 = version->prelude_sha256;
    if (version->map_size_bytes > 0)
        text.source_map = versions->bytes.data + version->text_size_bytes;
    text.source_map_size_bytes = version->map_size_bytes;
    return serve_pool_serve_early(function, &text, err);
}

static void version_finish(serve_versions *versions)
{
    snapcell_error error;
    serve_version *version = &versions->version;
    if (version_serve(versions, &error) != SNAPCELL_OK)
        versions_log(versions, "version_declined", &error);
    serve_buffer_drop(&versions->bytes, version->text_size_bytes + version->map_size_bytes);
    free(version->name);
    *version = (serve_version){0};
}

/* --- What comes --- */

static bool line_read_hash(const char *hex, uint8_t out[SNAPCELL_WORKER_SHA256_SIZE])
{
    size_t size = 0;
    return strlen(hex) == (size_t)2 * SNAPCELL_WORKER_SHA256_SIZE &&
           sodium_hex2bin(out, SNAPCELL_WORKER_SHA256_SIZE, hex, strlen(hex), NULL, &size, NULL) ==
               0 &&
           size == SNAPCELL_WORKER_SHA256_SIZE;
}

static bool line_is_good(json_t *line, serve_version *out)
{
    const char *name;
    const char *prelude;
    const char *encoding;
    json_int_t text_size;
    json_int_t map_size;
    if (json_unpack_ex(line, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:I, s:I}", "function", &name,
                       "prelude_sha256", &prelude, "encoding", &encoding, "text_bytes", &text_size,
                       "map_bytes", &map_size) != 0)
        return false;
    *out = (serve_version){.is_utf16 = strcmp(encoding, "utf-16le") == 0,
                           .text_size_bytes = (size_t)text_size,
                           .map_size_bytes = (size_t)map_size};
    if (!line_read_hash(prelude, out->prelude_sha256) ||
        (!out->is_utf16 && strcmp(encoding, "latin1") != 0) || text_size <= 0 || map_size < 0 ||
        text_size > VERSIONS_TEXT_BYTES_MAX || map_size > VERSIONS_TEXT_BYTES_MAX)
        return false;
    out->name = strdup(name);
    return out->name != NULL;
}

/* Whether there is a version of which the line has come. */
static bool versions_begin(serve_versions *versions, snapcell_error *err)
{
    serve_buffer *bytes = &versions->bytes;
    if (versions->version.name != NULL) return true;
    const char *end = bytes->size_bytes > 0 ? memchr(bytes->data, '\n', bytes->size_bytes) : NULL;
    size_t size = end != NULL ? (size_t)(end - bytes->data) : bytes->size_bytes;
    if (end == NULL && size <= VERSIONS_LINE_BYTES_MAX) return false;
    json_t *line = size <= VERSIONS_LINE_BYTES_MAX
                       ? json_loadb(bytes->data, size, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    if (line != NULL && line_is_good(line, &versions->version))
        serve_buffer_drop(bytes, size + 1);
    else
        error_set(err, SNAPCELL_E_USAGE,
                  "expected a line {\"function\": NAME, \"prelude_sha256\": HEX, \"encoding\": "
                  "\"latin1\" or \"utf-16le\", \"text_bytes\": N, \"map_bytes\": N}, got '%.*s'",
                  (int)(size < 80 ? size : 80), bytes->data);
    json_decref(line);
    return versions->version.name != NULL;
}

static bool versions_is_whole(const serve_versions *versions)
{
    const serve_version *version = &versions->version;
    return versions->bytes.size_bytes >= version->text_size_bytes + version->map_size_bytes;
}

/* What is wrong once cannot be told from what follows: nothing more is read. */
static void versions_fail(serve_versions *versions, const snapcell_error *why)
{
    versions_log(versions, "versions_lost", why);
    serve_versions_close(versions);
}

static void versions_on_readable(uv_poll_t *poll, int status, int events)
{
    serve_versions *versions = poll->data;
    snapcell_error error = {0};
    (void)status;
    (void)events;
    char *place = serve_buffer_reserve(&versions->bytes, VERSIONS_READ_BYTES);
    ssize_t size = place != NULL ? read(versions->fd, place, VERSIONS_READ_BYTES) : -1;
    int problem = place != NULL ? errno : ENOMEM;
    if (size < 0 && (problem == EAGAIN || problem == EINTR)) return;
    if (size < 0) {
        error_set_errno(&error, SNAPCELL_E_IO, problem, "cannot read standard input");
        versions_fail(versions, &error);
        return;
    }
    if (size == 0) {
        serve_versions_close(versions);
        versions->ended(versions->user);
        return;
    }
    versions->bytes.size_bytes += (size_t)size;
    while (versions_begin(versions, &error) && versions_is_whole(versions))
        version_finish(versions);
    if (error.code != SNAPCELL_OK) versions_fail(versions, &error);
}

/* --- Its life --- */

/* A worker gets what is standard input when it is started. */
static int versions_take_input(snapcell_error *err)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    cleanup_close int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && empty >= 0 && dup2(empty, STDIN_FILENO) >= 0) return fd;
    error_set_errno(err, SNAPCELL_E_IO, errno, "cannot take standard input");
    if (fd >= 0) close(fd);
    return -1;
}

int serve_versions_open(serve_versions *versions, serve_context *context, serve_pool *pool,
                        void (*ended)(void *user), void *user, snapcell_error *err)
{
    int fd = versions_take_input(err);
    if (fd < 0) return SNAPCELL_E_IO;
    int problem = uv_poll_init(context->loop, &versions->poll, fd);
    if (problem != 0) {
        close(fd);
        return error_set_errno(err, SNAPCELL_E_IO, -problem,
                               "cannot wait for standard input, which must be a pipe or a socket");
    }
    versions->context = context;
    versions->pool = pool;
    versions->ended = ended;
    versions->user = user;
    versions->fd = fd;
    versions->poll.data = versions;
    problem = uv_poll_start(&versions->poll, UV_READABLE, versions_on_readable);
    if (problem == 0) return SNAPCELL_OK;
    serve_versions_close(versions);
    return error_set_errno(err, SNAPCELL_E_IO, -problem, "cannot wait for standard input");
}

void serve_versions_close(serve_versions *versions)
{
    if (versions->fd == 0) return;
    uv_poll_stop(&versions->poll);
    uv_close((uv_handle_t *)&versions->poll, NULL);
    close(versions->fd);
    versions->fd = 0;
    free(versions->version.name);
    versions->version = (serve_version){0};
    serve_buffer_release(&versions->bytes);
    versions->bytes = (serve_buffer){0};
}
