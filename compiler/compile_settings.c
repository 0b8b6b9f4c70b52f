#include "compile_settings.h"

#include <inttypes.h>
#include <string.h>
#include <unistr.h>

#include "compile_protocol.h"
#include "error_set.h"
#include "http_token.h"
#include "public_struct.h"

#define MIB (UINT64_C(1) << 20)
#define MEMORY_LIMIT_MIN (16 * MIB) /* below it V8 cannot even start */
#define LEVEL_MAX 19

int compile_options_read(const snapcell_compile_options *options, snapcell_compile_options *out,
                         snapcell_error *err)
{
    return public_struct_read(out, sizeof(*out), options, "snapcell_compile_options", err);
}

/* --- The name --- */

/* What stands before the last dot; a dot at the start begins no extension. */
static size_t stem_size(const char *file_name)
{
    const char *dot = strrchr(file_name, '.');
    return dot == NULL || dot == file_name ? strlen(file_name) : (size_t)(dot - file_name);
}

static int recipe_set_name(compile_recipe *recipe, const char *name, const bundle_file *bundle,
                           snapcell_error *err)
{
    const char *text = name == NULL ? bundle->file_name : name;
    size_t size = name == NULL ? stem_size(text) : strlen(name);
    if (size > SNAPCELL_ARTIFACT_NAME_SIZE_MAX) return snapcell_name_check(text, err);
    memcpy(recipe->name, text, size);
    return snapcell_name_check(recipe->name, err);
}

/* --- Warm-up requests --- */

const char *compile_request_method(const snapcell_request *request)
{
    if (request->method != NULL) return request->method;
    return request->body != NULL ? "POST" : "GET";
}

const char *compile_request_url(const snapcell_request *request)
{
    return request->url != NULL ? request->url : "/";
}

static int warm_check_headers(const snapcell_request *request, size_t number, uint64_t *size,
                              snapcell_error *err)
{
    if (request->header_count > WARM_HEADER_COUNT_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "warm-up request %zu has %zu headers; at most %d",
                         number, request->header_count, WARM_HEADER_COUNT_MAX);
    for (size_t i = 0; i < request->header_count; i++) {
        const snapcell_header *header = &request->headers[i];
        if (header->value == NULL || !http_is_token(header->name))
            return error_set(
                err, SNAPCELL_E_USAGE,
                "warm-up request %zu: header %zu has no name or value that HTTP allows", number,
                i + 1);
        if (strpbrk(header->value, "\r\n") != NULL)
            return error_set(err, SNAPCELL_E_USAGE,
                             "warm-up request %zu: the value of header '%s' holds a line break",
                             number, header->name);
        *size += strlen(header->name) + strlen(header->value);
    }
    return SNAPCELL_OK;
}

static int warm_check(const snapcell_request *request, size_t number, uint64_t *size,
                      snapcell_error *err)
{
    /* Of another version the next one of the array would not be where it is looked for. */
    if (request->struct_size != sizeof(*request))
        return error_set(err, SNAPCELL_E_USAGE,
                         "warm-up request %zu: struct_size is %zu; expected %zu", number,
                         request->struct_size, sizeof(*request));
    const char *method = compile_request_method(request);
    if (!http_is_token(method))
        return error_set(err, SNAPCELL_E_USAGE,
                         "warm-up request %zu: '%.40s' is not an HTTP method", number, method);
    const char *url = compile_request_url(request);
    if (u8_check((const uint8_t *)url, strlen(url)) != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "warm-up request %zu: the URL is not UTF-8",
                         number);
    *size += strlen(method) + strlen(url);
    if (request->body != NULL) *size += request->body_size_bytes;
    return warm_check_headers(request, number, size, err);
}

static int recipe_set_warm(compile_recipe *recipe, const snapcell_compile_options *options,
                           snapcell_error *err)
{
    if (options->warm_count > WARM_COUNT_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "%zu warm-up requests; at most %d are taken",
                         options->warm_count, WARM_COUNT_MAX);
    if (options->warm_count > 0 && options->warm == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "warm_count is %zu, but warm is NULL",
                         options->warm_count);
    uint64_t size = 0;
    for (size_t i = 0; i < options->warm_count; i++) {
        int status = warm_check(&options->warm[i], i + 1, &size, err);
        if (status != SNAPCELL_OK) return status;
    }
    if (size > COMPILE_WARM_SIZE_MAX)
        return error_set(err, SNAPCELL_E_TOO_LARGE,
                         "the warm-up requests have %" PRIu64 " bytes; at most %" PRIu64
                         " are kept in an artifact",
                         size, COMPILE_WARM_SIZE_MAX);
    recipe->warm = options->warm_count > 0 ? options->warm : NULL;
    recipe->warm_count = options->warm_count;
    return SNAPCELL_OK;
}

/* What only an evaluation could find out has to be given. */
static int recipe_set_unevaluated(compile_recipe *recipe, const snapcell_compile_options *options,
                                  snapcell_error *err)
{
    recipe->unevaluated = options->unevaluated;
    recipe->prelude_length = options->prelude_length;
    if (options->prelude_length > 0 &&
        (!options->unevaluated || options->format != SNAPCELL_FORMAT_ESM))
        return error_set(err, SNAPCELL_E_USAGE,
                         "only an ES module that is not evaluated can have a prelude");
    if (!options->unevaluated) return SNAPCELL_OK;
    if (options->format == SNAPCELL_FORMAT_AUTO)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a bundle that is not evaluated needs its format: esm, commonjs or "
                         "script");
    if (options->warm_count > 0 || options->strict || options->heap != NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a bundle that is not evaluated becomes no snapshot, answers no warm-up "
                         "request and has no heap");
    return SNAPCELL_OK;
}

/* --- All of it --- */

int compile_recipe_init(const snapcell_compile_options *options, const bundle_file *bundle,
                        compile_recipe *out, snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    snapcell_compile_options given;
    int status = compile_options_read(options, &given, err);
    if (status != SNAPCELL_OK) return status;
    if ((unsigned)given.format > SNAPCELL_FORMAT_SCRIPT)
        return error_set(err, SNAPCELL_E_USAGE, "there is no source format %d", (int)given.format);
    if (given.level < 0 || given.level > LEVEL_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "the level is %d; expected 1 to %d, or 0 for %d",
                         given.level, LEVEL_MAX, SNAPCELL_LEVEL_DEFAULT);
    if ((unsigned)given.entropy > SNAPCELL_ENTROPY_ALLOW)
        return error_set(err, SNAPCELL_E_USAGE, "there is no rule %d for random values",
                         (int)given.entropy);
    if ((unsigned)given.shape > SNAPCELL_SHAPE_JSON)
        return error_set(err, SNAPCELL_E_USAGE, "there is no handler shape %d", (int)given.shape);
    out->shape = given.shape;
    out->format = given.format;
    out->entropy_allowed = given.entropy == SNAPCELL_ENTROPY_ALLOW;
    out->raw = given.raw;
    out->level = given.level == 0 ? SNAPCELL_LEVEL_DEFAULT : given.level;
    if (given.raw) out->level = 0;
    out->host = given.host;
    status = recipe_set_name(out, given.name, bundle, err);
    if (status == SNAPCELL_OK) status = recipe_set_warm(out, &given, err);
    if (status == SNAPCELL_OK) status = recipe_set_unevaluated(out, &given, err);
    return status;
}

int compile_limits_init(const snapcell_compile_options *options, compile_limits *out,
                        snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    snapcell_compile_options given;
    int status = compile_options_read(options, &given, err);
    if (status != SNAPCELL_OK) return status;
    if (given.memory_limit_bytes != 0 && given.memory_limit_bytes < MEMORY_LIMIT_MIN)
        return error_set(err, SNAPCELL_E_USAGE,
                         "the memory limit is %" PRIu64 " bytes; the engine needs at least %" PRIu64
                         " MiB",
                         given.memory_limit_bytes, MEMORY_LIMIT_MIN / MIB);
    out->strict = given.strict;
    out->no_sandbox = given.no_sandbox;
    out->entropy_strict = given.entropy == SNAPCELL_ENTROPY_ERROR;
    out->memory_limit_bytes = given.memory_limit_bytes == 0
                                  ? SNAPCELL_COMPILE_MEMORY_LIMIT_BYTES_DEFAULT
                                  : given.memory_limit_bytes;
    out->wall_limit_ms =
        given.wall_limit_ms == 0 ? SNAPCELL_COMPILE_WALL_LIMIT_MS_DEFAULT : given.wall_limit_ms;
    out->worker_path = given.worker_path;
    out->log = given.log;
    out->log_user = given.log_user;
    out->note = given.note;
    out->note_user = given.note_user;
    out->heap = given.heap;
    out->heap_user = given.heap_user;
    return SNAPCELL_OK;
}
