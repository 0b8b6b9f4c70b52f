#include "manifest.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "cleanup.h"
#include "compile_protocol.h"
#include "engine.h"
#include "error_set.h"
#include "hex.h"
#include "host_table.h"

static const char *const format_names[] = {"auto", "esm", "commonjs", "script"};
/* As the option --shape has them. */
static const char *const shape_names[] = {"auto", "fetch", "event"};

static void manifest_decref(json_t **json)
{
    json_decref(*json);
}
#define cleanup_json cleanup(manifest_decref)

/* --- Writing: jansson keeps keys in the order in which they are set. A NULL from a failed
 * allocation is handed on, and refused by the *_new() functions, which take their values over. */

static bool object_put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

/* Bytes that are UTF-8 go in as text, so that people can read them; a zero would stop parsers. */
static bool object_put_bytes(json_t *object, const char *key, const char *base64_key,
                             const void *data, size_t size_bytes)
{
    if (size_bytes == 0) return object_put(object, key, json_string(""));
    if (u8_check(data, size_bytes) == NULL && memchr(data, 0, size_bytes) == NULL)
        return object_put(object, key, json_stringn(data, size_bytes));
    size_t capacity = sodium_base64_ENCODED_LEN(size_bytes, sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *text = malloc(capacity);
    if (text == NULL) return false;
    sodium_bin2base64(text, capacity, data, size_bytes, sodium_base64_VARIANT_ORIGINAL);
    return object_put(object, base64_key, json_string(text));
}

static json_t *header_to_json(const snapcell_header *header)
{
    json_t *json = json_object();
    if (object_put(json, "name", json_string(header->name)) &&
        object_put_bytes(json, "value", "value_base64", header->value, strlen(header->value)))
        return json;
    json_decref(json);
    return NULL;
}

static json_t *request_to_json(const snapcell_request *request)
{
    json_t *json = json_object();
    bool done = object_put(json, "method", json_string(compile_request_method(request))) &&
                object_put(json, "url", json_string(compile_request_url(request)));
    if (done && request->header_count > 0) {
        json_t *headers = json_array();
        for (size_t i = 0; done && i < request->header_count; i++)
            done = json_array_append_new(headers, header_to_json(&request->headers[i])) == 0;
        done = object_put(json, "headers", headers) && done;
    }
    if (done && request->body != NULL)
        done =
            object_put_bytes(json, "body", "body_base64", request->body, request->body_size_bytes);
    if (done) return json;
    json_decref(json);
    return NULL;
}

static json_t *options_to_json(const compile_recipe *recipe)
{
    cleanup_json json_t *warm = json_array();
    for (size_t i = 0; i < recipe->warm_count; i++)
        if (json_array_append_new(warm, request_to_json(&recipe->warm[i])) != 0) return NULL;
    return json_pack("{s:s, s:s, s:i, s:b, s:s, s:O}", "format", format_names[recipe->format],
                     "shape", shape_names[recipe->shape], "level", recipe->level, "raw",
                     (int)recipe->raw, "entropy", recipe->entropy_allowed ? "allow" : "fresh",
                     "warm", warm);
}

static json_t *texts_to_json(const char *const *texts, size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(json, json_string(texts[i])) == 0) continue;
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *host_to_json(const snapcell_host *host)
{
    json_t *json = json_array();
    for (size_t i = 0; host != NULL && i < host->count; i++) {
        if (json_array_append_new(json, json_string(host->functions[i].name)) == 0) continue;
        json_decref(json);
        return NULL;
    }
    return json;
}

/* "a b c" to ["a", "b", "c"]. */
static json_t *words_to_json(const char *words)
{
    json_t *json = json_array();
    const char *at = words == NULL ? "" : words;
    for (;;) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " ");
        if (size == 0) return json;
        if (json_array_append_new(json, json_stringn(at, size)) != 0) break;
        at += size;
    }
    json_decref(json);
    return NULL;
}

/* "a 1 b 2" to {"a": 1, "b": 2}. */
static json_t *counts_to_json(const char *words)
{
    json_t *json = json_object();
    const char *at = words == NULL ? "" : words;
    for (;;) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " ");
        if (size == 0) return json;
        char *end;
        json_int_t bytes = strtoll(at + size, &end, 10);
        if (json_object_setn_new(json, at, size, json_integer(bytes)) != 0) break;
        at = end;
    }
    json_decref(json);
    return NULL;
}

static json_t *note_to_json(const snapcell_note *note)
{
    static const char *const kinds[] = {"",       "entropy", "random", "clock",
                                        "object", "timer",   "engine"};
    json_t *json = json_pack("{s:s, s:b, s:b, s:s, s:I}", "kind", kinds[note->kind], "prevents",
                             (int)note->prevents, "warm", (int)note->warm, "what", note->what,
                             "count", (json_int_t)note->count);
    const char *const texts[] = {note->place, note->path, note->advice};
    static const char *const keys[] = {"place", "path", "advice"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (json == NULL || texts[i][0] == '\0') continue;
        if (object_put(json, keys[i], json_string(texts[i]))) continue;
        json_decref(json);
        json = NULL;
    }
    return json;
}

static json_t *notes_to_json(const manifest_facts *facts)
{
    json_t *json = json_array();
    for (size_t i = 0; facts->notes != NULL && i < facts->notes->count; i++) {
        const snapcell_note *note = &facts->notes->items[i];
        if (!note->prevents && facts->kind == SNAPCELL_ARTIFACT_CODE) continue;
        if (json_array_append_new(json, note_to_json(note)) == 0) continue;
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *engine_to_json(void)
{
    char fingerprint[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint engine = engine_fingerprint();
    hex_format(engine.bytes, sizeof(engine.bytes), fingerprint);
    return json_pack("{s:s, s:s, s:s, s:s}", "v8", engine_v8_version(), "flags", engine_v8_flags(),
                     "arch", engine_architecture(), "fingerprint", fingerprint);
}

static json_t *bundle_to_json(const bundle_file *bundle)
{
    char hash[2 * sizeof(bundle->hash) + 1];
    hex_format(bundle->hash, sizeof(bundle->hash), hash);
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)bundle->size_bytes, "hash", hash);
}

static json_t *manifest_to_json(const bundle_file *bundle, const compile_recipe *recipe,
                                const manifest_facts *facts)
{
    bool is_fetch = facts->shape == SNAPCELL_SHAPE_FETCH;
    bool is_snapshot = facts->kind == SNAPCELL_ARTIFACT_SNAPSHOT;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", /* */
                     "name", recipe->name, "file", bundle->file_name,                          /* */
                     "shape", is_fetch ? "fetch" : "json",                                     /* */
                     "kind", is_snapshot ? "snapshot" : "code",                                /* */
                     "format", format_names[facts->format],                                    /* */
                     "options", options_to_json(recipe),                                       /* */
                     "warnings", texts_to_json(facts->warnings, facts->warning_count), "engine",
                     engine_to_json(),                    /* */
                     "notes", notes_to_json(facts),       /* */
                     "host", host_to_json(recipe->host),  /* */
                     "apis", words_to_json(facts->apis),  /* */
                     "heap", counts_to_json(facts->heap), /* */
                     "bundle", bundle_to_json(bundle),    /* */
                     "source_map", (int)(bundle->source_map != NULL));
}

int manifest_write(const bundle_file *bundle, const compile_recipe *recipe,
                   const manifest_facts *facts, char **out, size_t *out_size_bytes,
                   snapcell_error *err)
{
    cleanup_json json_t *json = manifest_to_json(bundle, recipe, facts);
    *out = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    if (*out == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the manifest of %s", bundle->path);
    *out_size_bytes = strlen(*out);
    return SNAPCELL_OK;
}

/* --- Reading: what is read is copied into one block of memory, `texts`. --- */

static bool format_from_name(const char *name, snapcell_format *out)
{
    for (size_t i = 0; name != NULL && i < sizeof(format_names) / sizeof(*format_names); i++) {
        if (strcmp(name, format_names[i]) != 0) continue;
        *out = (snapcell_format)i;
        return true;
    }
    return false;
}

/* Artifacts from before there was a choice have none. */
static bool shape_from_json(const json_t *json, snapcell_handler_shape *out)
{
    if (json == NULL) return true;
    const char *name = json_string_value(json);
    for (size_t i = 0; name != NULL && i < sizeof(shape_names) / sizeof(*shape_names); i++) {
        if (strcmp(name, shape_names[i]) != 0) continue;
        *out = (snapcell_handler_shape)i;
        return true;
    }
    return false;
}

static bool recipe_from_json(json_t *json, manifest_recipe *recipe, size_t size_bytes)
{
    json_int_t bytes;
    const char *format;
    int raw;
    json_t *warm;
    if (json_unpack(json, "{s:{s:I}, s:{s:s, s:i, s:b, s:o}}", "bundle", "bytes", &bytes, "options",
                    "format", &format, "level", &recipe->level, "raw", &raw, "warm", &warm) != 0)
        return false;
    json_t *options = json_object_get(json, "options");
    if (bytes < 0 || !format_from_name(format, &recipe->format) ||
        !shape_from_json(json_object_get(options, "shape"), &recipe->shape))
        return false;
    recipe->bundle_size_bytes = (uint64_t)bytes;
    recipe->raw = raw != 0;
    /* Artifacts from before there was a choice have none. */
    const char *entropy = json_string_value(json_object_get(options, "entropy"));
    recipe->entropy_allowed = entropy != NULL && strcmp(entropy, "allow") == 0;
    return warm_requests_read(warm, size_bytes, &recipe->warm);
}

int manifest_read(const char *manifest, size_t size_bytes, manifest_recipe *out,
                  snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    json_error_t problem;
    cleanup_json json_t *json = json_loadb(manifest, size_bytes, 0, &problem);
    if (json == NULL)
        return error_set(err, SNAPCELL_E_CORRUPT, "the manifest is not JSON: %s", problem.text);
    if (recipe_from_json(json, out, size_bytes)) return SNAPCELL_OK;
    manifest_recipe_release(out);
    return error_set(err, SNAPCELL_E_CORRUPT,
                     "the manifest does not tell how the artifact was compiled");
}

void manifest_recipe_release(manifest_recipe *recipe)
{
    warm_requests_release(&recipe->warm);
    memset(recipe, 0, sizeof(*recipe));
}
