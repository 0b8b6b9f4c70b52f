/* The text was read by jansson: what is passed over here is known to be JSON. All the same nothing
 * is read after its end. */
#include "serve_json_place.h"

#include <stdbool.h>
#include <string.h>

#include <jansson.h>

typedef struct place_reader {
    const char *at;
    const char *end;
} place_reader;

static char place_peek(place_reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL &&
           *reader->at != '\0')
        reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

static void place_skip_string(place_reader *reader)
{
    reader->at++;
    while (reader->at < reader->end && *reader->at != '"')
        reader->at += *reader->at == '\\' ? 2 : 1;
    reader->at++;
    if (reader->at > reader->end) reader->at = reader->end;
}

/* Strings hide brackets; all others are counted. */
static void place_skip_value(place_reader *reader)
{
    size_t depth = 0;
    do {
        char c = place_peek(reader);
        if (c == '\0') return;
        if (c == '"') {
            place_skip_string(reader);
        } else if (c == '{' || c == '[') {
            depth++;
            reader->at++;
        } else if (c == '}' || c == ']') {
            depth--;
            reader->at++;
        } else if (c == ',' || c == ':') {
            reader->at++;
        } else {
            while (reader->at < reader->end && strchr(",:]} \t\r\n", *reader->at) == NULL)
                reader->at++;
        }
    } while (depth > 0);
}

static bool place_is_key(const char *from, const char *to, const char *key)
{
    json_t *value = json_loadb(from, (size_t)(to - from), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    const char *text = json_string_value(value);
    bool same = text != NULL && strcmp(text, key) == 0;
    json_decref(value);
    return same;
}

/* From an object's '{' to the last member with this key: that one counts. */
static void place_enter_object(place_reader *reader, const char *key, bool of_key)
{
    const char *found = reader->at;
    reader->at++;
    while (place_peek(reader) == '"') {
        const char *from = reader->at;
        place_skip_string(reader);
        bool same = place_is_key(from, reader->at, key);
        if (place_peek(reader) == ':') reader->at++;
        place_peek(reader);
        if (same) found = of_key ? from : reader->at;
        place_skip_value(reader);
        if (place_peek(reader) == ',') reader->at++;
    }
    reader->at = found;
}

static void place_enter_array(place_reader *reader, size_t index)
{
    reader->at++;
    for (size_t i = 0; i < index && place_peek(reader) != '\0'; i++) {
        place_skip_value(reader);
        if (place_peek(reader) == ',') reader->at++;
    }
    place_peek(reader);
}

static void place_enter(place_reader *reader, const serve_json_step *step, bool of_key)
{
    if (step == NULL) return;
    place_enter(reader, step->parent, false);
    char c = place_peek(reader);
    if (step->key != NULL && c == '{')
        place_enter_object(reader, step->key, of_key);
    else if (step->key == NULL && c == '[')
        place_enter_array(reader, step->index);
}

serve_json_place serve_json_find(const char *text, size_t size_bytes, const serve_json_step *step,
                                 int of_key)
{
    place_reader reader = {text, text + size_bytes};
    place_peek(&reader);
    place_enter(&reader, step, of_key != 0);
    serve_json_place place = {1, 1};
    for (const char *c = text; c < reader.at && c < reader.end; c++) {
        bool is_line = *c == '\n';
        place.line += is_line;
        place.column = is_line ? 1 : place.column + (((unsigned char)*c & 0xc0) != 0x80);
    }
    return place;
}
