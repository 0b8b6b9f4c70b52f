#include "request_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error_set.h"
#include "http_token.h"
#include "public_struct.h"

static bool request_is_header_value(const char *text)
{
    return text != NULL && strpbrk(text, "\r\n") == NULL;
}

/* The methods that the Fetch standard knows in any case (2.2.1); others are what they are. */
static const char *request_normal_method(const char *method)
{
    static const char *const known[] = {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcasecmp(method, known[i]) == 0) return known[i];
    return method;
}

static bool request_has_scheme(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* Blanks and control characters would not survive a URL parser; the function would see another URL
 * than was given. */
static bool request_is_clean_url(const char *url)
{
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f) return false;
    return true;
}

/* A path is appended to a host; an absolute URL without a path gets one, as a URL parser would give
 * it. */
static char *request_complete_url(const char *url)
{
    static const char host[] = "http://localhost";
    bool absolute = request_has_scheme(url);
    const char *authority = absolute ? strstr(url, "://") + 3 : NULL;
    bool bare = absolute && strpbrk(authority, "/?#") == NULL;
    size_t size = strlen(url) + sizeof(host) + 1;
    char *complete = malloc(size);
    if (complete == NULL) return NULL;
    complete[0] = '\0';
    if (!absolute) strcat(complete, host);
    strcat(complete, url);
    if (bare) strcat(complete, "/");
    /* A fragment is never sent to a server. */
    char *fragment = strchr(complete, '#');
    if (fragment != NULL) *fragment = '\0';
    return complete;
}

int headers_check(const snapcell_header *headers, size_t count, snapcell_error *err)
{
    if (count > 0 && headers == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "there are %zu headers, but headers is NULL",
                         count);
    for (size_t i = 0; i < count; i++) {
        const snapcell_header *header = &headers[i];
        if (!http_is_token(header->name))
            return error_set(err, SNAPCELL_E_USAGE, "header name \"%s\" is not a token",
                             header->name != NULL ? header->name : "(null)");
        if (!request_is_header_value(header->value))
            return error_set(err, SNAPCELL_E_USAGE, "the value of header \"%s\" %s", header->name,
                             header->value != NULL ? "has a line break in it" : "is NULL");
    }
    return SNAPCELL_OK;
}

static int request_fill(const snapcell_request *request, bool streamed, checked_request *out,
                        snapcell_error *err)
{
    const char *url = request->url != NULL ? request->url : "/";
    const char *method = request->method;
    bool has_body = request->body != NULL || streamed;
    if (method == NULL) method = has_body ? "POST" : "GET";
    if (!http_is_token(method))
        return error_set(err, SNAPCELL_E_USAGE, "method \"%s\" is not a token", method);
    if ((url[0] != '/' && !request_has_scheme(url)) || !request_is_clean_url(url))
        return error_set(err, SNAPCELL_E_USAGE,
                         "\"%s\" is not a URL: expected http://..., https://... or a path", url);
    if (request->body == NULL && request->body_size_bytes > 0)
        return error_set(err, SNAPCELL_E_USAGE, "the body's size is %zu, but body is NULL",
                         request->body_size_bytes);
    if (request->body != NULL && streamed)
        return error_set(err, SNAPCELL_E_USAGE,
                         "the request has a body, and the stream has a `read` that gives one: one "
                         "of the two must be NULL");
    bool bodiless = strcasecmp(method, "GET") == 0 || strcasecmp(method, "HEAD") == 0;
    if (bodiless && has_body)
        return error_set(err, SNAPCELL_E_USAGE, "a %s request cannot have a body", method);
    int status = headers_check(request->headers, request->header_count, err);
    if (status != SNAPCELL_OK) return status;
    out->url = request_complete_url(url);
    if (out->url == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a URL of %zu bytes", strlen(url));
    out->method = request_normal_method(method);
    out->headers = request->headers;
    out->header_count = request->header_count;
    out->body = request->body;
    out->body_size_bytes = request->body_size_bytes;
    return SNAPCELL_OK;
}

int request_check(const snapcell_request *request, bool streamed, checked_request *out,
                  snapcell_error *err)
{
    snapcell_request given;
    memset(out, 0, sizeof(*out));
    int status = public_struct_read(&given, sizeof(given), request, "snapcell_request", err);
    return status == SNAPCELL_OK ? request_fill(&given, streamed, out, err) : status;
}

void request_release(checked_request *request)
{
    free(request->url);
    request->url = NULL;
}
