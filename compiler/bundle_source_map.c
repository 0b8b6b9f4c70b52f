#include "bundle_source_map.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "error_set.h"
#include "source_map.h"

static bool starts_with(const char *text, size_t size_bytes, const char *prefix)
{
    size_t prefix_size = strlen(prefix);
    return size_bytes >= prefix_size && memcmp(text, prefix, prefix_size) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A quote or a blank in the URL: the line is the end of something else, as of a template literal.
 */
static bool url_is_plain(const char *url, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (is_blank(url[i]) || url[i] == '"' || url[i] == '\'' || url[i] == '`') return false;
    return size_bytes > 0;
}

/* The line from `start` to `end`, without blanks around it, as a map comment. */
static bundle_map_comment line_as_comment(const char *source, size_t start, size_t end)
{
    static const char *const prefixes[] = {"//# sourceMappingURL=", "//@ sourceMappingURL="};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        if (!starts_with(source + start, end - start, prefixes[i])) continue;
        size_t url_start = start + strlen(prefixes[i]);
        if (url_is_plain(source + url_start, end - url_start))
            return (bundle_map_comment){start, url_start, end - url_start};
    }
    return (bundle_map_comment){0};
}

/* Looks at lines from the last one up, for as long as they are blank or comments. */
bundle_map_comment bundle_map_comment_find(const char *source, size_t size_bytes)
{
    size_t line_end = size_bytes;
    while (line_end > 0) {
        const char *newline = memrchr(source, '\n', line_end);
        size_t line_start = newline == NULL ? 0 : (size_t)(newline - source) + 1;
        size_t start = line_start;
        size_t end = line_end;
        while (start < end && is_blank(source[start]))
            start++;
        while (end > start && is_blank(source[end - 1]))
            end--;
        bundle_map_comment comment = line_as_comment(source, start, end);
        if (comment.url_size_bytes > 0) return comment;
        if (start < end && !starts_with(source + start, end - start, "//")) break;
        if (newline == NULL) break;
        line_end = line_start - 1;
    }
    return (bundle_map_comment){0};
}

bool bundle_map_is_inline(const char *url, size_t url_size_bytes)
{
    return starts_with(url, url_size_bytes, "data:");
}

int bundle_map_decode(const char *url, size_t url_size_bytes, char **out, size_t *out_size_bytes,
                      snapcell_error *err)
{
    *out = NULL;
    *out_size_bytes = 0;
    static const char marker[] = ";base64,";
    const char *comma = memchr(url, ',', url_size_bytes);
    size_t head_size = comma == NULL ? 0 : (size_t)(comma - url) + 1;
    size_t marker_size = sizeof(marker) - 1;
    if (head_size < marker_size || memcmp(url + head_size - marker_size, marker, marker_size) != 0)
        return SNAPCELL_OK;

    size_t text_size = url_size_bytes - head_size;
    char *map = malloc(text_size / 4 * 3 + 4);
    if (map == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a source map of %zu bytes",
                         text_size);
    size_t size;
    const char *end;
    if (sodium_base642bin((unsigned char *)map, text_size / 4 * 3 + 3, url + head_size, text_size,
                          NULL, &size, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != url + url_size_bytes) {
        free(map);
        return SNAPCELL_OK;
    }
    map[size] = '\0';
    *out = map;
    *out_size_bytes = size;
    return SNAPCELL_OK;
}

bool bundle_map_is_json(const char *map, size_t size_bytes)
{
    if (!source_map_is_bounded(map, size_bytes)) return false;
    json_t *json = json_loadb(map, size_bytes, 0, NULL);
    bool is_object = json_is_object(json);
    json_decref(json);
    return is_object;
}
