/* What a function sees of a request. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "serve_exchange_state.h"

bool exchange_list_has(const char *list, const char *name)
{
    size_t size = strlen(name);
    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, " \t,");
        if (item == size && strncasecmp(list, name, size) == 0) return true;
        list += item;
    }
    return false;
}

/* What a proxy that is not trusted, or a client, says of where a request came from. */
static bool request_is_hearsay(const char *name)
{
    return strncasecmp(name, "x-forwarded-", 12) == 0 || strcasecmp(name, "forwarded") == 0 ||
           strcasecmp(name, "x-real-ip") == 0 || strcasecmp(name, "x-request-id") == 0;
}

static bool request_passes_on(const serve_exchange *exchange, const char *name,
                              const char *connection)
{
    if (serve_header_is_local(name) || strcasecmp(name, "expect") == 0 ||
        strcasecmp(name, "proxy-authorization") == 0 || strcasecmp(name, "traceparent") == 0 ||
        strcasecmp(name, "x-forwarded-for") == 0 || strcasecmp(name, "x-request-id") == 0)
        return false;
    if (!exchange->is_trusted && request_is_hearsay(name)) return false;
    return connection == NULL || !exchange_list_has(connection, name);
}

static bool request_is_https(const serve_exchange *exchange)
{
    const char *scheme = serve_head_find(&exchange->head, "x-forwarded-proto");
    if (!exchange->is_trusted) return false;
    return exchange->head.target_is_https || (scheme != NULL && strcasecmp(scheme, "https") == 0);
}

const char *exchange_host(const serve_exchange *exchange)
{
    const char *host = serve_head_find(&exchange->head, "x-forwarded-host");
    if (exchange->is_trusted && host != NULL && serve_head_is_host(host)) return host;
    return exchange->head.host;
}

/* Text and its place in the buffer, which may move while it grows. */
static size_t request_mark(serve_buffer *text, const char *a, const char *b, const char *c)
{
    size_t place = text->size_bytes;
    serve_buffer_text(text, a);
    serve_buffer_text(text, b);
    serve_buffer_add(text, c, strlen(c) + 1);
    return place;
}

static void request_add(exchange_request *out, const char *name, const char *value)
{
    out->headers[out->request.header_count++] = (snapcell_header){name, value};
}

static void request_copy_headers(exchange_request *out, const serve_exchange *exchange)
{
    const serve_head *head = &exchange->head;
    const char *connection = serve_head_find(head, "connection");
    for (size_t i = 0; i < head->header_count; i++)
        if (request_passes_on(exchange, head->headers[i].name, connection))
            request_add(out, head->headers[i].name, head->headers[i].value);
    request_add(out, "traceparent", exchange->trace);
    request_add(out, "x-request-id", exchange->id);
}

bool exchange_request_init(exchange_request *out, const serve_exchange *exchange)
{
    const serve_head *head = &exchange->head;
    const char *host = exchange_host(exchange);
    const char *before = exchange->is_trusted ? serve_head_find(head, "x-forwarded-for") : NULL;
    out->request = (snapcell_request){.struct_size = sizeof(out->request), .method = head->method};
    out->text = (serve_buffer){0};
    const char *scheme = request_is_https(exchange) ? "https://" : "http://";
    size_t url = request_mark(&out->text, scheme, *host != '\0' ? host : "localhost",
                              *head->path == '/' ? head->path : "/");
    if (*head->path == '?') {
        out->text.size_bytes--;
        serve_buffer_add(&out->text, head->path, strlen(head->path) + 1);
    }
    size_t from =
        request_mark(&out->text, before != NULL ? before : "",
                     before != NULL && *exchange->address != '\0' ? ", " : "", exchange->address);
    if (out->text.failed) {
        exchange_request_release(out);
        return false;
    }
    request_copy_headers(out, exchange);
    if (out->text.data[from] != '\0') request_add(out, "x-forwarded-for", out->text.data + from);
    out->request.url = out->text.data + url;
    out->request.headers = out->headers;
    return true;
}

void exchange_request_release(exchange_request *request)
{
    serve_buffer_release(&request->text);
}

/* --- JSON --- */

/* What is not UTF-8 was sent as Latin-1, as a rule of HTTP says. */
static json_t *request_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL) return value;
    serve_buffer utf8 = {0};
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char pair[2] = {(char)(0xc0 | (c >> 6)), (char)(0x80 | (c & 0x3f))};
        if (c < 0x80)
            serve_buffer_add(&utf8, text, 1);
        else
            serve_buffer_add(&utf8, pair, 2);
    }
    if (!utf8.failed) value = json_stringn(utf8.data, utf8.size_bytes);
    serve_buffer_release(&utf8);
    return value;
}

static json_t *request_headers_json(const exchange_request *request)
{
    json_t *headers = json_object();
    for (size_t i = 0; headers != NULL && i < request->request.header_count; i++) {
        const snapcell_header *header = &request->request.headers[i];
        char *name = strdup(header->name);
        for (char *c = name; c != NULL && *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        json_t *value = request_text(header->value);
        const char *before =
            name != NULL ? json_string_value(json_object_get(headers, name)) : NULL;
        if (before != NULL && value != NULL) {
            json_t *both = json_sprintf("%s, %s", before, json_string_value(value));
            json_decref(value);
            value = both;
        }
        if (name == NULL || json_object_set_new(headers, name, value) != 0) {
            json_decref(headers);
            headers = NULL;
        }
        free(name);
    }
    return headers;
}

char *exchange_request_event(const serve_exchange *exchange, const exchange_request *request)
{
    if (exchange->body.size_bytes > 0)
        return strndup(exchange->body.data, exchange->body.size_bytes);
    json_t *event = json_pack("{s:s, s:o, s:o, s:n}", "method", exchange->head.method, "url",
                              request_text(request->request.url), "headers",
                              request_headers_json(request), "body");
    char *text = event != NULL ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    return text;
}
