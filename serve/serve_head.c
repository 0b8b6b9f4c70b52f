#include "serve_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool head_refuse(serve_refusal *refusal, int status, const char *reason)
{
    *refusal = (serve_refusal){status, reason};
    return false;
}

void serve_head_release(serve_head *head)
{
    free(head->block);
    head->block = NULL;
    head->header_count = 0;
}

/* --- Lines --- */

size_t serve_head_end(const char *data, size_t size_bytes, size_t *seen_bytes)
{
    size_t at = *seen_bytes;
    while (at < size_bytes) {
        const char *feed = memchr(data + at, '\n', size_bytes - at);
        if (feed == NULL) break;
        size_t line = (size_t)(feed - data);
        if (line + 1 < size_bytes && data[line + 1] == '\n') return line + 2;
        if (line + 2 < size_bytes && data[line + 1] == '\r' && data[line + 2] == '\n')
            return line + 3;
        if (line + 3 > size_bytes) {
            *seen_bytes = line;
            return 0;
        }
        at = line + 1;
    }
    *seen_bytes = size_bytes;
    return 0;
}

/* RFC 9110, 5.6.2. */
static bool head_is_token_byte(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* "Name: value", without its line's end. */
static bool head_check_line(const char *line, size_t size_bytes, serve_refusal *refusal)
{
    size_t name = 0;
    while (name < size_bytes && head_is_token_byte((unsigned char)line[name]))
        name++;
    if (name == 0 || name == size_bytes || line[name] != ':')
        return head_refuse(refusal, 400, "a header line is not a name, a colon and a value");
    for (size_t i = name + 1; i < size_bytes; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return head_refuse(refusal, 400, "a header's value has a control character in it");
    }
    return true;
}

bool serve_head_check_lines(const char *data, size_t size_bytes, size_t first,
                            serve_refusal *refusal)
{
    size_t at = 0;
    for (size_t number = 0; at < size_bytes; number++) {
        const char *feed = memchr(data + at, '\n', size_bytes - at);
        if (feed == NULL || feed == data + at || feed[-1] != '\r')
            return head_refuse(refusal, 400, "a line does not end with CR LF");
        size_t line = (size_t)(feed - data) - 1 - at;
        if (number >= first && line > 0 && !head_check_line(data + at, line, refusal)) return false;
        if (number < first && memchr(data + at, '\r', line) != NULL)
            return head_refuse(refusal, 400, "a line does not end with CR LF");
        at += line + 2;
        if (line == 0 && (number < first || at != size_bytes))
            return head_refuse(refusal, 400, "a line is empty");
    }
    return true;
}

/* --- Fields --- */

const char *serve_head_find(const serve_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0) return head->headers[i].value;
    return NULL;
}

/* Digits alone: no sign, no list, no blank. */
static bool head_read_length(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

static bool head_take_length(serve_head *head, const char *value, serve_refusal *refusal)
{
    if (head->has_length) return head_refuse(refusal, 400, "there are several Content-Lengths");
    head->has_length = true;
    if (!head_read_length(value, &head->length_bytes))
        return head_refuse(refusal, 400, "the Content-Length is not a number");
    return true;
}

static bool head_take_coding(serve_head *head, const char *value, serve_refusal *refusal)
{
    if (head->is_chunked || head->minor == 0)
        return head_refuse(refusal, 400, "the Transfer-Encoding makes no sense here");
    if (strcasecmp(value, "chunked") != 0)
        return head_refuse(refusal, 501, "of transfer codings, only chunked is known here");
    head->is_chunked = true;
    return true;
}

/* What can stand in a Host: letters, digits, and what addresses, ports and encoded names have. */
bool serve_head_is_host(const char *host)
{
    for (const char *c = host; *c != '\0'; c++) {
        bool plain =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!plain && strchr("-._~:[]%!$&'()*+,;=", *c) == NULL) return false;
    }
    return true;
}

static bool head_take_host(serve_head *head, const char *value, serve_refusal *refusal)
{
    if (head->host != NULL) return head_refuse(refusal, 400, "there are several Host headers");
    if (!serve_head_is_host(value)) return head_refuse(refusal, 400, "the Host is not one");
    head->host = value;
    return true;
}

static bool head_take_field(serve_head *head, const snapcell_header *field, serve_refusal *refusal)
{
    if (strcasecmp(field->name, "host") == 0) return head_take_host(head, field->value, refusal);
    if (strcasecmp(field->name, "content-length") == 0)
        return head_take_length(head, field->value, refusal);
    if (strcasecmp(field->name, "transfer-encoding") == 0)
        return head_take_coding(head, field->value, refusal);
    if (strcasecmp(field->name, "expect") == 0) {
        bool is_continue = strcasecmp(field->value, "100-continue") == 0;
        head->expects_continue |= is_continue && head->minor > 0;
        head->expects_other |= !is_continue;
    }
    return true;
}

/* "http://host/path" names its host itself; in the block, the host is moved to where a zero can
 * follow it: onto the scheme. */
static bool head_split_target(serve_head *head, serve_refusal *refusal)
{
    char *target = head->block + (head->target - head->block);
    head->path = target;
    if (*target == '/' || strcmp(target, "*") == 0) return true;
    size_t scheme = strncasecmp(target, "https://", 8) == 0  ? 8
                    : strncasecmp(target, "http://", 7) == 0 ? 7
                                                             : 0;
    size_t host = strcspn(target + scheme, "/?#");
    if (scheme == 0 || host == 0)
        return head_refuse(refusal, 400, "the request's target is neither a path nor a URL");
    head->target_is_https = scheme == 8;
    head->path = target + scheme + host;
    memmove(target, target + scheme, host);
    target[host] = '\0';
    head->host = target;
    if (!serve_head_is_host(target)) return head_refuse(refusal, 400, "the URL's host is not one");
    return true;
}

static bool head_check_target(const serve_head *head, serve_refusal *refusal)
{
    for (const char *c = head->target; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            return head_refuse(refusal, 400,
                               "the request's target has a character that must be "
                               "percent-encoded");
    return true;
}

bool serve_head_check_fields(serve_head *head, serve_refusal *refusal)
{
    head->host = NULL;
    for (size_t i = 0; i < head->header_count; i++)
        if (!head_take_field(head, &head->headers[i], refusal)) return false;
    if (head->is_chunked && head->has_length)
        return head_refuse(refusal, 400, "there are a Content-Length and a Transfer-Encoding");
    if (head->host == NULL && head->minor > 0)
        return head_refuse(refusal, 400, "the Host header is missing");
    if (!head_check_target(head, refusal) || !head_split_target(head, refusal)) return false;
    if (head->host == NULL) head->host = "";
    if (head->expects_other) return head_refuse(refusal, 417, "only 100-continue can be expected");
    return true;
}
