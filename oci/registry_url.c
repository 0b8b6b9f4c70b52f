#include "registry_url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *after_scheme(const char *url)
{
    if (strncasecmp(url, "https://", 8) == 0) return url + 8;
    if (strncasecmp(url, "http://", 7) == 0) return url + 7;
    return NULL;
}

static size_t authority_size(const char *authority)
{
    return strcspn(authority, "/?");
}

static bool port_is_valid(const char *at, const char *end)
{
    if (at == end) return true;
    unsigned port = 0;
    if (*at++ != ':' || at == end) return false;
    for (; at < end; at++) {
        if (!isdigit((unsigned char)*at)) return false;
        port = port * 10 + (unsigned)(*at - '0');
        if (port > 65535) return false;
    }
    return port > 0;
}

static bool authority_is_valid(const char *authority)
{
    const char *at = authority;
    const char *end = authority + authority_size(authority);
    if (*at == '[') {
        at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
        return *at == ']' && at - authority > 2 && port_is_valid(at + 1, end);
    }
    while (at < end && (isalnum((unsigned char)*at) || strchr("._-", *at) != NULL))
        at++;
    return at > authority && port_is_valid(at, end);
}

/* Nothing that one parser might skip and another one not. */
static bool characters_are_valid(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f ||
            strchr("\\#\"<>^`{|}", *text) != NULL)
            return false;
    return true;
}

bool registry_url_is_valid(const char *url)
{
    const char *authority = after_scheme(url);
    return authority != NULL && strlen(url) < REGISTRY_URL_SIZE && characters_are_valid(url) &&
           authority_is_valid(authority);
}

bool registry_url_is_plain(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0;
}

bool registry_url_resolve(const char *base, const char *location, char out[REGISTRY_URL_SIZE])
{
    const char *authority = after_scheme(base);
    if (authority == NULL) return false;
    /* Another scheme: a relative reference has no ':' in its first part. */
    if (after_scheme(location) == NULL && location[strcspn(location, ":/?")] == ':') return false;
    const size_t origin = (size_t)(authority - base) + authority_size(authority);
    size_t keep = 0; /* of the base */
    if (after_scheme(location) != NULL) {
        keep = 0;
    } else if (strncmp(location, "//", 2) == 0) {
        keep = (size_t)(authority - base) - 2;
    } else if (location[0] == '/') {
        keep = origin;
    } else {
        keep = strcspn(base, "?");
        /* Relative to the folder; a query alone, to the path. */
        while (location[0] != '?' && keep > origin && base[keep - 1] != '/')
            keep--;
    }
    const char *slash = keep == origin && location[0] != '/' && location[0] != '?' ? "/" : "";
    const int size = snprintf(out, REGISTRY_URL_SIZE, "%.*s%s%s", (int)keep, base, slash, location);
    return location[0] != '\0' && size > 0 && size < REGISTRY_URL_SIZE &&
           registry_url_is_valid(out);
}

/* "host:port", with the scheme's port where there is none. */
static void origin_of(const char *url, char out[REGISTRY_URL_SIZE + 8])
{
    const char *authority = after_scheme(url);
    const size_t size = authority_size(authority);
    const char *close = memchr(authority, ']', size);
    const char *colon = close != NULL ? close + 1 : memchr(authority, ':', size);
    const bool has_port = colon != NULL && colon < authority + size && *colon == ':';
    (void)snprintf(out, REGISTRY_URL_SIZE + 8, "%.*s%s", (int)size, authority,
                   has_port                     ? ""
                   : registry_url_is_plain(url) ? ":80"
                                                : ":443");
}

bool registry_url_same_origin(const char *a, const char *b)
{
    char left[REGISTRY_URL_SIZE + 8];
    char right[REGISTRY_URL_SIZE + 8];
    origin_of(a, left);
    origin_of(b, right);
    return registry_url_is_plain(a) == registry_url_is_plain(b) && strcasecmp(left, right) == 0;
}

bool registry_url_add_query(char url[REGISTRY_URL_SIZE], const char *name, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t size = strlen(url);
    const int added = snprintf(url + size, REGISTRY_URL_SIZE - size,
                               "%c%s=", strchr(url, '?') != NULL ? '&' : '?', name);
    if (added < 0 || (size_t)added >= REGISTRY_URL_SIZE - size) return false;
    size += (size_t)added;
    for (; *value != '\0'; value++) {
        const unsigned char byte = (unsigned char)*value;
        if (size + 4 > REGISTRY_URL_SIZE) return false;
        if (isalnum(byte) || strchr("-._~", byte) != NULL) {
            url[size++] = (char)byte;
        } else {
            url[size++] = '%';
            url[size++] = hex[byte >> 4];
            url[size++] = hex[byte & 15];
        }
    }
    url[size] = '\0';
    return true;
}
