/* One request and its answer. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error_set.h"
#include "registry_state.h"

#define USER_AGENT "snapcell"
#define IDLE_LIMIT_MS 60000u
#define SMALL_LIMIT_MS 120000u /* one who sends a byte now and then must not hold us up */
#define ERROR_SIZE_MAX ((size_t)64 << 10)
#define HEADER_COUNT 8

typedef struct exchange_state {
    registry_client *registry;
    const registry_request *request;
    registry_reply *reply;
    bool to_sink;
    size_t capacity;
    size_t size_max;
    bool no_memory;
} exchange_state;

void registry_reply_release(registry_reply *reply)
{
    free(reply->body);
    reply->body = NULL;
    reply->body_size_bytes = 0;
}

/* --- The head --- */

static void take(char *out, size_t capacity, const char *value)
{
    if (strlen(value) < capacity) strcpy(out, value);
}

static void take_header(registry_reply *reply, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *out;
        size_t capacity;
    } wanted[] = {
        {"location", reply->location, sizeof(reply->location)},
        {"link", reply->link, sizeof(reply->link)},
        {"content-type", reply->content_type, sizeof(reply->content_type)},
        {"docker-content-digest", reply->digest, sizeof(reply->digest)},
        {"range", reply->range, sizeof(reply->range)},
        {"content-range", reply->content_range, sizeof(reply->content_range)},
        {"retry-after", reply->retry_after, sizeof(reply->retry_after)},
        {"oci-chunk-min-length", reply->chunk_min, sizeof(reply->chunk_min)},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (strcasecmp(name, wanted[i].name) == 0) take(wanted[i].out, wanted[i].capacity, value);
    if (strcasecmp(name, "www-authenticate") == 0) registry_challenge_add(&reply->challenge, value);
}

static bool on_head(void *user, int status, const snapcell_header *headers, size_t count)
{
    exchange_state *exchange = user;
    const registry_request *request = exchange->request;
    exchange->reply->status = status;
    for (size_t i = 0; i < count; i++)
        take_header(exchange->reply, headers[i].name, headers[i].value);
    const bool is_good = status >= 200 && status < 300;
    exchange->size_max = !is_good                       ? ERROR_SIZE_MAX
                         : request->reply_size_max != 0 ? request->reply_size_max
                                                        : REGISTRY_SMALL_SIZE_MAX;
    exchange->to_sink = request->sink != NULL && (status == 200 || status == 206);
    return !exchange->to_sink || request->sink->begin(request->sink->user, exchange->reply);
}

/* --- The body --- */

static bool body_grow(exchange_state *exchange, size_t size)
{
    if (size <= exchange->capacity) return true;
    size_t capacity = exchange->capacity != 0 ? exchange->capacity : 4096;
    while (capacity < size)
        capacity *= 2;
    uint8_t *grown = realloc(exchange->reply->body, capacity);
    if (grown == NULL) return false;
    exchange->reply->body = grown;
    exchange->capacity = capacity;
    return true;
}

static bool on_data(void *user, const void *data, size_t size_bytes)
{
    exchange_state *exchange = user;
    registry_reply *reply = exchange->reply;
    const registry_sink *sink = exchange->request->sink;
    if (exchange->to_sink) return sink->data(sink->user, data, size_bytes);
    const size_t size = reply->body_size_bytes + size_bytes;
    reply->is_too_large = size > exchange->size_max;
    if (reply->is_too_large) return false;
    exchange->no_memory = !body_grow(exchange, size);
    if (exchange->no_memory) return false;
    if (size_bytes > 0) memcpy(reply->body + reply->body_size_bytes, data, size_bytes);
    reply->body_size_bytes = size;
    return true;
}

static void on_sent(void *user, size_t size_bytes)
{
    const exchange_state *exchange = user;
    const registry_options *options = exchange->registry->options;
    if (exchange->request->shows_progress && options->progress != NULL)
        options->progress(options->user, size_bytes, exchange->request->body_size_bytes);
}

/* --- The whole --- */

static size_t exchange_headers(const registry_request *request, const char *authorization,
                               snapcell_header out[HEADER_COUNT])
{
    const snapcell_header all[HEADER_COUNT] = {
        {"User-Agent", USER_AGENT},
        {"Accept-Encoding", "identity"}, /* digests are of bytes as they are */
        {"Accept", request->accept != NULL ? request->accept : "*/*"},
        {"Content-Type", request->content_type},
        {"Content-Range", request->content_range},
        {"Range", request->range},
        {"If-None-Match", request->if_none_match},
        {"Authorization", authorization},
    };
    size_t count = 0;
    for (size_t i = 0; i < HEADER_COUNT; i++)
        if (all[i].value != NULL) out[count++] = all[i];
    return count;
}

/* What is wrong now and will be so at the next try. */
static bool is_lasting(const net_call_failure *failure)
{
    const char *code = failure->code;
    static const char *const lasting[] = {"ENOTFOUND", "ECONNREFUSED", "ERR_TLS_CERT", "EACCES"};
    for (size_t i = 0; i < sizeof(lasting) / sizeof(*lasting); i++)
        if (strcmp(code, lasting[i]) == 0) return true;
    return code[0] == '\0' && (strstr(failure->message, "SSL") != NULL ||
                               strstr(failure->message, "certificate") != NULL);
}

static int exchange_failed(const registry_client *registry, const char *url,
                           const net_call_failure *failure, snapcell_error *err)
{
    const char *hint = "";
    if (strcmp(failure->code, "ERR_TLS_CERT") == 0)
        hint = "; --ca-file names the certificate of a registry's own authority";
    else if (strstr(failure->message, "wrong version number") != NULL)
        hint = "; a registry without TLS needs --plain-http";
    return error_set(err, SNAPCELL_E_IO, "no answer of %s from %.*s: %s%s", registry->host,
                     (int)strcspn(url, "?"), url, failure->message, hint);
}

int registry_exchange(registry_client *registry, const registry_request *request, const char *url,
                      const char *authorization, registry_reply *reply, bool *again,
                      snapcell_error *err)
{
    snapcell_header headers[HEADER_COUNT];
    net_call_failure failure;
    exchange_state exchange = {.registry = registry, .request = request, .reply = reply};
    registry_reply_release(reply);
    memset(reply, 0, sizeof(*reply));
    take(reply->url, sizeof(reply->url), url);
    const net_call call = {
        .method = request->method,
        .url = url,
        .headers = headers,
        .header_count = exchange_headers(request, authorization, headers),
        .has_body = request->has_body,
        .body = request->body,
        .body_size_bytes = request->body_size_bytes,
        .idle_limit_ms = IDLE_LIMIT_MS,
        .wall_limit_ms = request->is_small ? SMALL_LIMIT_MS : 0,
        .head = on_head,
        .data = on_data,
        .sent = on_sent,
        .user = &exchange,
    };
    const net_call_end end = net_call_run(registry->line, &call, &failure);
    *again = end == NET_CALL_FAILED && !is_lasting(&failure);
    if (exchange.no_memory) return error_set(err, SNAPCELL_E_NOMEM, "no memory for an answer");
    if (end == NET_CALL_DONE || end == NET_CALL_STOPPED) return SNAPCELL_OK;
    return exchange_failed(registry, url, &failure, err);
}
