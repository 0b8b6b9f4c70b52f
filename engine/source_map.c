#include "source_map.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cleanup.h"

#define SOURCE_MAP_SIZE_MAX ((size_t)1 << 30)
#define SOURCE_MAP_SECTION_COUNT_MAX 10000
#define SOURCE_MAP_SEGMENT_COUNT_MAX ((size_t)16 << 20)
/* Values take some 50 times their text in memory: 150 MB for so many. */
#define SOURCE_MAP_VALUE_COUNT_MAX 1000000
/* A long sourceRoot before many files would take the product of both. */
#define SOURCE_MAP_FILES_SIZE_MAX ((size_t)64 << 20)
#define SOURCE_MAP_UNMAPPED (-1)

/* From this place of the bundle on, up to the next segment of the line; all from 0. */
typedef struct source_map_segment {
    uint32_t line;
    uint32_t column;
    int32_t source; /* index of the file, or SOURCE_MAP_UNMAPPED */
    uint32_t source_line;
    uint32_t source_column;
} source_map_segment;

struct source_map {
    source_map_segment *segments; /* in the order of the bundle */
    size_t segment_count;
    size_t segment_capacity;
    char **files;
    size_t file_count;
    size_t files_size_bytes; /* of their names */
};

/* Where a section of an index map begins in the bundle, and where the next one does. */
typedef struct source_map_range {
    uint32_t line;
    uint32_t column;
    uint32_t end_line;
    uint32_t end_column;
} source_map_range;

static void source_map_cleanup_json(json_t **json)
{
    json_decref(*json);
}

static void source_map_cleanup_map(source_map **map)
{
    source_map_free(*map);
}

void source_map_free(source_map *map)
{
    if (map == NULL) return;
    for (size_t i = 0; i < map->file_count; i++)
        free(map->files[i]);
    free(map->files);
    free(map->segments);
    free(map);
}

/* --- Segments --- */

static int source_map_add_segment(source_map *map, const source_map_segment *segment)
{
    if (map->segment_count == SOURCE_MAP_SEGMENT_COUNT_MAX) return -1;
    if (map->segment_count == map->segment_capacity) {
        size_t capacity = map->segment_capacity == 0 ? 256 : map->segment_capacity * 2;
        source_map_segment *grown = reallocarray(map->segments, capacity, sizeof(*grown));
        if (grown == NULL) return -1;
        map->segments = grown;
        map->segment_capacity = capacity;
    }
    map->segments[map->segment_count++] = *segment;
    return 0;
}

static int source_map_compare_places(uint32_t line_a, uint32_t column_a, uint32_t line_b,
                                     uint32_t column_b)
{
    if (line_a != line_b) return line_a < line_b ? -1 : 1;
    if (column_a != column_b) return column_a < column_b ? -1 : 1;
    return 0;
}

/* By place; of two at one place the mapped one comes last, and is the one that is found. */
static int source_map_compare_segments(const void *left, const void *right)
{
    const source_map_segment *a = left, *b = right;
    int order = source_map_compare_places(a->line, a->column, b->line, b->column);
    if (order != 0) return order;
    return (a->source > b->source) - (a->source < b->source);
}

static void source_map_sort(source_map *map)
{
    for (size_t i = 1; i < map->segment_count; i++) {
        if (source_map_compare_segments(&map->segments[i - 1], &map->segments[i]) > 0) {
            qsort(map->segments, map->segment_count, sizeof(*map->segments),
                  source_map_compare_segments);
            return;
        }
    }
}

/* --- Mappings: base64 VLQ --- */

static int source_map_base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

/* Reads one number and moves `*text` past it. Returns -1 when there is none, or none that fits 32
 * bits. */
static int source_map_read_vlq(const char **text, int64_t *out)
{
    uint64_t bits = 0;
    for (unsigned shift = 0; shift <= 30; shift += 5) {
        int digit = source_map_base64_digit(**text);
        if (digit < 0) return -1;
        (*text)++;
        bits |= (uint64_t)(digit & 31) << shift;
        if (digit & 32) continue;
        *out = (bits & 1) ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
        return 0;
    }
    return -1;
}

/* Reads the 1, 4 or 5 numbers of a segment. Returns how many, or -1. */
static int source_map_read_fields(const char **text, int64_t fields[5])
{
    int count = 0;
    while (**text != '\0' && **text != ',' && **text != ';') {
        if (count == 5 || source_map_read_vlq(text, &fields[count]) != 0) return -1;
        count++;
    }
    return count == 1 || count == 4 || count == 5 ? count : -1;
}

/* The running values that the numbers of a segment are relative to. 64 bits: SOURCE_MAP_SIZE_MAX
 * numbers of 32 bits cannot overflow them. */
typedef struct source_map_cursor {
    int64_t line;
    int64_t column;
    int64_t source;
    int64_t source_line;
    int64_t source_column;
} source_map_cursor;

/* The part of a source map that is being read: where it goes in the bundle, and its files. */
typedef struct source_map_part {
    source_map_range range;
    size_t first_file;
    size_t file_count;
} source_map_part;

static bool source_map_is_mapped(const source_map *map, const source_map_part *part,
                                 const source_map_cursor *at)
{
    return at->source >= 0 && (uint64_t)at->source < part->file_count &&
           map->files[part->first_file + (size_t)at->source] != NULL && at->source_line >= 0 &&
           at->source_line < UINT32_MAX && at->source_column >= 0 && at->source_column < UINT32_MAX;
}

/* Adds the segment at the cursor; one that belongs to the next section is dropped. */
static int source_map_add_at(source_map *map, const source_map_part *part,
                             const source_map_cursor *at, bool has_source)
{
    int64_t line = at->line + part->range.line;
    int64_t column = at->column + (at->line == 0 ? part->range.column : 0);
    if (column < 0 || column >= UINT32_MAX || line >= UINT32_MAX) return -1;
    source_map_segment segment = {
        .line = (uint32_t)line, .column = (uint32_t)column, .source = SOURCE_MAP_UNMAPPED};
    if (source_map_compare_places(segment.line, segment.column, part->range.end_line,
                                  part->range.end_column) >= 0)
        return 0;
    if (has_source && source_map_is_mapped(map, part, at)) {
        segment.source = (int32_t)(part->first_file + (size_t)at->source);
        segment.source_line = (uint32_t)at->source_line;
        segment.source_column = (uint32_t)at->source_column;
    }
    return source_map_add_segment(map, &segment);
}

static int source_map_read_mappings(source_map *map, const source_map_part *part, const char *text)
{
    source_map_cursor at = {0};
    while (*text != '\0') {
        if (*text == ';') {
            at.line++;
            at.column = 0;
            text++;
            continue;
        }
        if (*text == ',') {
            text++;
            continue;
        }
        int64_t fields[5];
        int count = source_map_read_fields(&text, fields);
        if (count < 0) return -1;
        at.column += fields[0];
        if (count >= 4) {
            at.source += fields[1];
            at.source_line += fields[2];
            at.source_column += fields[3];
        }
        if (source_map_add_at(map, part, &at, count >= 4) != 0) return -1;
    }
    return 0;
}

/* --- JSON --- */

/* A copy of a text as a name that is printed in a line. Bundlers put U+0000 before the names of
 * modules that are no files: it is left out. NULL when memory is short. */
static char *source_map_copy_name(const json_t *json)
{
    const char *text = json_string_value(json);
    size_t size = json_string_length(json), length = 0;
    char *name = malloc(size + 1);
    if (name == NULL) return NULL;
    for (size_t i = 0; i < size; i++) {
        bool is_control = (unsigned char)text[i] < 0x20 || text[i] == 0x7F;
        if (text[i] != '\0') name[length++] = is_control ? '?' : text[i];
    }
    name[length] = '\0';
    return name;
}

/* "ROOT/FILE", or a copy of FILE when there is no root. NULL when memory is short. */
static char *source_map_join(const char *root, const json_t *file)
{
    cleanup_free char *name = source_map_copy_name(file);
    if (name == NULL || root == NULL || root[0] == '\0') return steal_pointer(&name);
    const char *slash = root[strlen(root) - 1] == '/' ? "" : "/";
    char *joined = NULL;
    return asprintf(&joined, "%s%s%s", root, slash, name) < 0 ? NULL : joined;
}

static int source_map_read_part(source_map *map, const json_t *json, const source_map_range *range);

/* Appends the files of `json` to the map's, NULL for those without a name. */
static int source_map_read_files(source_map *map, const json_t *json, source_map_part *part)
{
    const json_t *sources = json_object_get(json, "sources");
    const json_t *root_json = json_object_get(json, "sourceRoot");
    cleanup_free char *root = json_is_string(root_json) ? source_map_copy_name(root_json) : NULL;
    if (json_is_string(root_json) && root == NULL) return -1;
    size_t count = json_array_size(sources);
    if (!json_is_array(sources) || count > INT32_MAX - map->file_count) return -1;
    part->first_file = map->file_count;
    part->file_count = count;
    if (count == 0) return 0;

    char **grown = reallocarray(map->files, map->file_count + count, sizeof(*grown));
    if (grown == NULL) return -1;
    map->files = grown;
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(sources, i);
        char *file = json_is_string(name) ? source_map_join(root, name) : NULL;
        if (json_is_string(name) && file == NULL) return -1;
        map->files[map->file_count++] = file;
        map->files_size_bytes += file == NULL ? 0 : strlen(file);
        if (map->files_size_bytes > SOURCE_MAP_FILES_SIZE_MAX) return -1;
    }
    return 0;
}

static int source_map_read_plain(source_map *map, const json_t *json, const source_map_range *range)
{
    const char *mappings = json_string_value(json_object_get(json, "mappings"));
    if (json_integer_value(json_object_get(json, "version")) != 3 || mappings == NULL) return -1;
    source_map_part part = {.range = *range};
    if (source_map_read_files(map, json, &part) != 0) return -1;

    /* What the section before this one maps ends here. */
    source_map_segment start = {
        .line = range->line, .column = range->column, .source = SOURCE_MAP_UNMAPPED};
    if ((range->line != 0 || range->column != 0) && source_map_add_segment(map, &start) != 0)
        return -1;
    return source_map_read_mappings(map, &part, mappings);
}

static int source_map_read_offset(const json_t *section, uint32_t *line, uint32_t *column)
{
    const json_t *offset = json_object_get(section, "offset");
    const json_t *line_json = json_object_get(offset, "line");
    const json_t *column_json = json_object_get(offset, "column");
    if (!json_is_integer(line_json) || !json_is_integer(column_json)) return -1;
    json_int_t line_value = json_integer_value(line_json);
    json_int_t column_value = json_integer_value(column_json);
    if (line_value < 0 || line_value >= UINT32_MAX || column_value < 0 ||
        column_value >= UINT32_MAX)
        return -1;
    *line = (uint32_t)line_value;
    *column = (uint32_t)column_value;
    return 0;
}

/* Of a section that counts from the beginning of `whole`. -1 when it is none, or too far. */
static int source_map_read_beginning(const json_t *section, const source_map_range *whole,
                                     uint32_t *line, uint32_t *column)
{
    if (source_map_read_offset(section, line, column) != 0) return -1;
    if (*line == 0 && __builtin_add_overflow(*column, whole->column, column)) return -1;
    return __builtin_add_overflow(*line, whole->line, line) ? -1 : 0;
}

/* From where the section begins to where the next one does, within `whole`. */
static int source_map_read_range(const json_t *sections, size_t i, const source_map_range *whole,
                                 source_map_range *out)
{
    *out = *whole;
    if (source_map_read_beginning(json_array_get(sections, i), whole, &out->line, &out->column) !=
        0)
        return -1;
    if (i + 1 == json_array_size(sections)) return 0;
    uint32_t line, column;
    if (source_map_read_beginning(json_array_get(sections, i + 1), whole, &line, &column) != 0 ||
        source_map_compare_places(out->line, out->column, line, column) > 0)
        return -1;
    if (source_map_compare_places(line, column, out->end_line, out->end_column) < 0) {
        out->end_line = line;
        out->end_column = column;
    }
    return 0;
}

static int source_map_read_sections(source_map *map, const json_t *json, const json_t *sections,
                                    const source_map_range *whole)
{
    size_t count = json_array_size(sections);
    if (json_integer_value(json_object_get(json, "version")) != 3 ||
        count > SOURCE_MAP_SECTION_COUNT_MAX)
        return -1;
    for (size_t i = 0; i < count; i++) {
        source_map_range range;
        if (source_map_read_range(sections, i, whole, &range) != 0) return -1;
        if (source_map_compare_places(range.line, range.column, range.end_line, range.end_column) >
            0)
            continue; /* all of it lies beyond the end of the whole */
        const json_t *part = json_object_get(json_array_get(sections, i), "map");
        if (source_map_read_part(map, part, &range) != 0) return -1;
    }
    return 0;
}

static int source_map_read_part(source_map *map, const json_t *json, const source_map_range *range)
{
    const json_t *sections = json_object_get(json, "sections");
    return json_is_array(sections) ? source_map_read_sections(map, json, sections, range)
                                   : source_map_read_plain(map, json, range);
}

/* Servers put a line that begins with ")]}'" before JSON to keep it from being run as a script. */
static void source_map_skip_guard(const char **json, size_t *size)
{
    if (*size < 4 || memcmp(*json, ")]}'", 4) != 0) return;
    const char *end = memchr(*json, '\n', *size);
    if (end == NULL) return;
    *size -= (size_t)(end + 1 - *json);
    *json = end + 1;
}

/* Each value but the first has a comma or an opening bracket before it. */
bool source_map_is_bounded(const char *json, size_t json_size_bytes)
{
    size_t count = 0;
    bool in_text = false;
    for (size_t i = 0; i < json_size_bytes; i++) {
        const char c = json[i];
        if (c == '"') in_text = !in_text;
        if (in_text && c == '\\') i++;
        if (!in_text && (c == ',' || c == '[' || c == '{')) count++;
    }
    return json_size_bytes <= SOURCE_MAP_SIZE_MAX && count <= SOURCE_MAP_VALUE_COUNT_MAX;
}

source_map *source_map_new(const char *json, size_t json_size_bytes)
{
    if (json == NULL || !source_map_is_bounded(json, json_size_bytes)) return NULL;
    source_map_skip_guard(&json, &json_size_bytes);
    /* Source texts within the map may hold any character, U+0000 too. */
    json_t *root cleanup(source_map_cleanup_json) =
        json_loadb(json, json_size_bytes, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(root)) return NULL;
    source_map *map cleanup(source_map_cleanup_map) = calloc(1, sizeof(*map));
    if (map == NULL) return NULL;

    const source_map_range whole = {.end_line = UINT32_MAX, .end_column = UINT32_MAX};
    if (source_map_read_part(map, root, &whole) != 0) return NULL;
    source_map_sort(map);
    return steal_pointer(&map);
}

/* --- Finding --- */

int source_map_find(const source_map *map, uint32_t line, uint32_t column, const char **file,
                    uint32_t *out_line, uint32_t *out_column)
{
    if (map == NULL || line == 0 || column == 0) return 0;
    size_t low = 0, high = map->segment_count; /* the first segment after the place */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const source_map_segment *at = &map->segments[middle];
        if (source_map_compare_places(at->line, at->column, line - 1, column - 1) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return 0;
    const source_map_segment *found = &map->segments[low - 1];
    if (found->line != line - 1 || found->source == SOURCE_MAP_UNMAPPED) return 0;
    *file = map->files[found->source];
    *out_line = found->source_line + 1;
    *out_column = found->source_column + 1;
    return 1;
}

/* --- Stacks --- */

/* Reads ":DIGITS" that fits 32 bits. Returns what follows it, or NULL. */
static const char *source_map_read_number(const char *text, uint32_t *out)
{
    if (*text++ != ':') return NULL;
    uint64_t value = 0;
    const char *digit = text;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        value = value * 10 + (uint64_t)(*digit - '0');
        if (value > UINT32_MAX) return NULL;
    }
    if (digit == text) return NULL;
    *out = (uint32_t)value;
    return digit;
}

/* Whether a name could go on to the left with this character: then FILE is the end of another. */
static bool source_map_is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c & 0x80) != 0 || (c != '\0' && strchr("_-.$/\\", c) != NULL);
}

/* The next "FILE:LINE:COLUMN" in `text`. Returns where it begins, or NULL; `*end` is after it. */
static const char *source_map_next_place(const char *text, const char *start, const char *file,
                                         uint32_t *line, uint32_t *column, const char **end)
{
    size_t file_size = strlen(file);
    for (const char *at = text; (at = strstr(at, file)) != NULL; at++) {
        if (at > start && source_map_is_name_character(at[-1])) continue;
        const char *behind_line = source_map_read_number(at + file_size, line);
        if (behind_line == NULL) continue;
        *end = source_map_read_number(behind_line, column);
        if (*end != NULL) return at;
    }
    return NULL;
}

static void source_map_write_rewritten(FILE *out, const source_map *map, const char *bundle_file,
                                       const char *stack)
{
    const char *rest = stack, *end = NULL;
    uint32_t line = 0, column = 0;
    for (const char *at;
         (at = source_map_next_place(rest, stack, bundle_file, &line, &column, &end)) != NULL;
         rest = end) {
        fwrite(rest, 1, (size_t)(at - rest), out);
        const char *file = NULL;
        if (source_map_find(map, line, column, &file, &line, &column))
            fprintf(out, "%s:%u:%u", file, line, column);
        else
            fwrite(at, 1, (size_t)(end - at), out);
    }
    fputs(rest, out);
}

char *source_map_rewrite(const source_map *map, const char *bundle_file, const char *stack)
{
    if (map == NULL || bundle_file[0] == '\0') return strdup(stack);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return NULL;
    source_map_write_rewritten(out, map, bundle_file, stack);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
