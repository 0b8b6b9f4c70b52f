#include "bundle_source_map.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
 * encodeURIComponent(), which makes data: URLs of text, leaves single quotes as they are. */
static bool url_is_plain(const char *url, size_t size_bytes)
{
    bool is_inline = bundle_map_is_inline(url, size_bytes);
    for (size_t i = 0; i < size_bytes; i++)
        if (is_blank(url[i]) || url[i] == '"' || url[i] == '`' || (url[i] == '\'' && !is_inline))
            return false;
    return size_bytes > 0;
}

/* The line from `start` to `end`, without blanks around it, as a map comment: "//#
 * sourceMappingURL=URL", or the same between the marks of a block. "@" is the mark of old. */
static bundle_map_comment line_as_comment(const char *source, size_t start, size_t end)
{
    static const char name[] = "sourceMappingURL=";
    const bundle_map_comment none = {0};
    const char *line = source + start;
    size_t size = end - start;
    if (size < 4 || line[0] != '/' || (line[2] != '#' && line[2] != '@')) return none;
    bool is_block = line[1] == '*';
    if (is_block ? line[size - 2] != '*' || line[size - 1] != '/' : line[1] != '/') return none;
    if (is_block) size -= 2;
    while (is_block && size > 3 && is_blank(line[size - 1]))
        size--;
    size_t at = 3;
    while (at < size && is_blank(line[at]))
        at++;
    if (!starts_with(line + at, size - at, name)) return none;
    at += sizeof(name) - 1;
    if (!url_is_plain(line + at, size - at)) return none;
    return (bundle_map_comment){start, end, start + at, size - at};
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

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* `out` may be `text`. */
static size_t percent_decode(const char *text, size_t size_bytes, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        int high = text[i] == '%' && size_bytes - i > 2 ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        out[size++] = (char)(low >= 0 ? high << 4 | low : text[i]);
        if (low >= 0) i += 2;
    }
    return size;
}

/* In place, with padding or without. False when it is not base64. */
static bool base64_decode(char *text, size_t *size_bytes)
{
    size_t text_size = *size_bytes;
    const char *end;
    if (text_size % 4 == 0)
        for (int i = 0; i < 2 && text_size > 0 && text[text_size - 1] == '='; i++)
            text_size--;
    /* What is written never overtakes what is read. */
    return sodium_base642bin((unsigned char *)text, text_size, text, text_size, NULL, size_bytes,
                             &end, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           end == text + text_size;
}

/* Whether a data: URL says before its comma that it is in base64. */
static bool head_is_base64(const char *head, size_t size_bytes)
{
    static const char marker[] = ";base64";
    size_t marker_size = sizeof(marker) - 1;
    return size_bytes >= marker_size &&
           strncasecmp(head + size_bytes - marker_size, marker, marker_size) == 0;
}

int bundle_map_decode(const char *url, size_t url_size_bytes, char **out, size_t *out_size_bytes,
                      snapcell_error *err)
{
    *out = NULL;
    *out_size_bytes = 0;
    const char *comma = memchr(url, ',', url_size_bytes);
    if (comma == NULL) return SNAPCELL_OK;
    size_t text_size = url_size_bytes - (size_t)(comma + 1 - url);
    char *map = malloc(text_size + 1);
    if (map == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a source map of %zu bytes",
                         text_size);
    size_t size = percent_decode(comma + 1, text_size, map);
    if (head_is_base64(url, (size_t)(comma - url)) && !base64_decode(map, &size)) {
        free(map);
        return SNAPCELL_OK;
    }
    map[size] = '\0';
    *out = map;
    *out_size_bytes = size;
    return SNAPCELL_OK;
}

void bundle_map_strip(char *map, size_t *size_bytes)
{
    size_t skip = starts_with(map, *size_bytes, "\xef\xbb\xbf") ? 3 : 0;
    if (starts_with(map + skip, *size_bytes - skip, ")]}"))
        while (skip < *size_bytes && map[skip] != '\n' && map[skip] != '\r')
            skip++;
    *size_bytes -= skip;
    memmove(map, map + skip, *size_bytes);
    map[*size_bytes] = '\0';
}

bool bundle_map_is_json(const char *map, size_t size_bytes)
{
    if (!source_map_is_bounded(map, size_bytes)) return false;
    json_t *json = json_loadb(map, size_bytes, JSON_ALLOW_NUL, NULL);
    bool is_object = json_is_object(json);
    json_decref(json);
    return is_object;
}
