/* Reading: what is read is copied into one block of memory, `texts`. */
#include "warm_requests.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Space for texts; it is as large as the whole manifest, so that they always fit. */
typedef struct text_pool {
    char *at;
    char *end;
} text_pool;

static char *pool_add(text_pool *pool, const void *data, size_t size_bytes)
{
    if ((size_t)(pool->end - pool->at) <= size_bytes) return NULL;
    char *copy = pool->at;
    memcpy(copy, data, size_bytes);
    copy[size_bytes] = '\0';
    pool->at += size_bytes + 1;
    return copy;
}

static char *pool_add_base64(text_pool *pool, const json_t *text, size_t *size_bytes)
{
    size_t capacity = (size_t)(pool->end - pool->at);
    if (capacity == 0 || sodium_base642bin((unsigned char *)pool->at, capacity - 1,
                                           json_string_value(text), json_string_length(text), NULL,
                                           size_bytes, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    char *copy = pool->at;
    copy[*size_bytes] = '\0';
    pool->at += *size_bytes + 1;
    return copy;
}

static char *pool_add_text(text_pool *pool, const json_t *object, const char *key)
{
    const json_t *text = json_object_get(object, key);
    if (!json_is_string(text)) return NULL;
    return pool_add(pool, json_string_value(text), json_string_length(text));
}

static char *pool_add_bytes(text_pool *pool, const json_t *object, const char *key,
                            const char *base64_key, size_t *size_bytes)
{
    const json_t *text = json_object_get(object, key);
    *size_bytes = json_string_length(text);
    if (json_is_string(text)) return pool_add_text(pool, object, key);
    text = json_object_get(object, base64_key);
    return json_is_string(text) ? pool_add_base64(pool, text, size_bytes) : NULL;
}

static bool headers_from_json(const json_t *json, snapcell_request *request, text_pool *pool)
{
    size_t count = json_array_size(json);
    if (count > WARM_HEADER_COUNT_MAX) return false;
    snapcell_header *headers = calloc(count + 1, sizeof(*headers));
    request->headers = headers;
    if (headers == NULL) return false;
    request->header_count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *header = json_array_get(json, i);
        size_t size;
        headers[i].name = pool_add_text(pool, header, "name");
        headers[i].value = pool_add_bytes(pool, header, "value", "value_base64", &size);
        if (headers[i].name == NULL || headers[i].value == NULL) return false;
    }
    return true;
}

static bool request_from_json(const json_t *json, snapcell_request *request, text_pool *pool)
{
    request->struct_size = sizeof(*request);
    request->method = pool_add_text(pool, json, "method");
    request->url = pool_add_text(pool, json, "url");
    if (request->method == NULL || request->url == NULL) return false;
    if (json_object_get(json, "body") != NULL || json_object_get(json, "body_base64") != NULL) {
        request->body =
            pool_add_bytes(pool, json, "body", "body_base64", &request->body_size_bytes);
        if (request->body == NULL) return false;
    }
    return headers_from_json(json_object_get(json, "headers"), request, pool);
}

static bool requests_from_json(const json_t *json, warm_requests *out, text_pool *pool)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > WARM_COUNT_MAX) return false;
    out->requests = calloc(count + 1, sizeof(*out->requests));
    if (out->requests == NULL) return false;
    out->count = count;
    for (size_t i = 0; i < count; i++)
        if (!request_from_json(json_array_get(json, i), &out->requests[i], pool)) return false;
    return true;
}

bool warm_requests_read(const json_t *json, size_t size_bytes_max, warm_requests *out)
{
    *out = (warm_requests){.texts = malloc(size_bytes_max + 1)};
    if (out->texts == NULL) return false;
    text_pool pool = {out->texts, (char *)out->texts + size_bytes_max + 1};
    if (requests_from_json(json, out, &pool)) return true;
    warm_requests_release(out);
    return false;
}

bool warm_requests_of_manifest(const char *manifest, size_t size_bytes, warm_requests *out)
{
    *out = (warm_requests){0};
    json_t *json = json_loadb(manifest, size_bytes, 0, NULL);
    const json_t *warm = json_object_get(json_object_get(json, "options"), "warm");
    /* A text in JSON takes its own size and two quotes at least. */
    bool read = warm != NULL && warm_requests_read(warm, size_bytes, out);
    json_decref(json);
    return read;
}

void warm_requests_release(warm_requests *warm)
{
    for (size_t i = 0; i < warm->count; i++)
        free((void *)warm->requests[i].headers);
    free(warm->requests);
    free(warm->texts);
    *warm = (warm_requests){0};
}
