/* Values out of JSON, by tables: each says which keys there are, what they hold and where that
 * goes. All that is wrong is told, with its place. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "cleanup.h"
#include "error_set.h"
#include "serve_config_read.h"

/* --- Problems --- */

void config_problem(config_reader *reader, const serve_json_step *step, bool of_key,
                    const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    serve_json_place place = serve_json_find(reader->text, reader->size_bytes, step, of_key);
    reader->problem_count++;
    if (reader->problem != NULL)
        reader->problem(reader->user, reader->path, place.line, place.column, message);
}

static const char *config_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

bool config_expect(config_reader *reader, const serve_json_step *step, const json_t *value,
                   json_type type, const char *wanted)
{
    if (json_typeof(value) == type) return true;
    config_problem(reader, step, false, "expected %s, and here is %s", wanted,
                   config_type_name(value));
    return false;
}

/* How many letters must be changed, added or left out, at most `max`. */
static size_t config_distance(const char *a, const char *b, size_t max)
{
    if (*a == '\0' || *b == '\0') return strlen(a) + strlen(b);
    if (*a == *b) return config_distance(a + 1, b + 1, max);
    if (max == 0) return 1;
    size_t best = config_distance(a + 1, b + 1, max - 1);
    size_t other = config_distance(a + 1, b, max - 1);
    if (other < best) best = other;
    other = config_distance(a, b + 1, max - 1);
    return 1 + (other < best ? other : best);
}

static void config_unknown_key(config_reader *reader, const serve_json_step *step,
                               const config_key *keys)
{
    char list[512] = "";
    size_t limit = strlen(step->key) < 4 ? 1 : 2;
    for (const config_key *key = keys; key->name != NULL; key++) {
        if (config_distance(step->key, key->name, limit + 1) <= limit) {
            config_problem(reader, step, true, "\"%s\" is not known here; did you mean \"%s\"?",
                           step->key, key->name);
            return;
        }
        size_t size = strlen(list);
        snprintf(list + size, sizeof(list) - size, "%s%s", size > 0 ? ", " : "", key->name);
    }
    config_problem(reader, step, true, "\"%s\" is not known here; there are: %s", step->key, list);
}

/* --- Values --- */

static void config_take_string(config_reader *reader, const serve_json_step *step,
                               const json_t *value, char **out)
{
    if (!config_expect(reader, step, value, JSON_STRING, "a string")) return;
    if (json_string_length(value) == 0 ||
        strlen(json_string_value(value)) != json_string_length(value)) {
        config_problem(reader, step, false,
                       "the string may not be empty or have a zero byte in it");
        return;
    }
    free(*out);
    *out = strdup(json_string_value(value));
    reader->no_memory |= *out == NULL;
}

static void config_take_number(config_reader *reader, const serve_json_step *step,
                               const json_t *value, const config_key *key, void *out)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < (json_int_t)key->min || (uint64_t)number > key->max) {
        config_problem(reader, step, false,
                       "expected a whole number from %" PRIu64 " to %" PRIu64 "", key->min,
                       key->max);
        return;
    }
    if (key->kind == CONFIG_NUMBER_64)
        *(uint64_t *)out = (uint64_t)number * key->unit;
    else
        *(uint32_t *)out = (uint32_t)number;
}

bool config_add_string(config_reader *reader, serve_strings *strings, const char *text)
{
    char **items = realloc(strings->items, (strings->count + 1) * sizeof(*items));
    char *copy = strdup(text);
    if (items != NULL) strings->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        reader->no_memory = true;
        return false;
    }
    items[strings->count++] = copy;
    return true;
}

static void config_take_strings(config_reader *reader, const serve_json_step *step, json_t *value,
                                const config_key *key, serve_strings *out)
{
    snapcell_error error;
    if (json_is_string(value)) { /* one stands for a list of one */
        if (key->check != NULL && key->check(json_string_value(value), &error) != SNAPCELL_OK)
            config_problem(reader, step, false, "%s", error.message);
        config_add_string(reader, out, json_string_value(value));
        return;
    }
    if (!config_expect(reader, step, value, JSON_ARRAY, "a string, or an array of strings")) return;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const serve_json_step item = {.parent = step, .index = i};
        const json_t *text = json_array_get(value, i);
        if (!config_expect(reader, &item, text, JSON_STRING, "a string")) continue;
        if (key->check != NULL && key->check(json_string_value(text), &error) != SNAPCELL_OK)
            config_problem(reader, &item, false, "%s", error.message);
        config_add_string(reader, out, json_string_value(text));
    }
}

static void config_take_word(config_reader *reader, const serve_json_step *step,
                             const json_t *value, const config_key *key, uint32_t *out)
{
    char list[128] = "";
    const char *text = json_string_value(value);
    for (uint32_t i = 0; key->words[i] != NULL; i++) {
        if (text != NULL && strcmp(text, key->words[i]) == 0) {
            *out = i;
            return;
        }
        size_t size = strlen(list);
        snprintf(list + size, sizeof(list) - size, "%s\"%s\"", size > 0 ? ", " : "", key->words[i]);
    }
    config_problem(reader, step, false, "expected one of %s", list);
}

static void config_take(config_reader *reader, const serve_json_step *step, json_t *value,
                        const config_key *key, void *base)
{
    void *out = (char *)base + key->offset;
    switch (key->kind) {
    case CONFIG_STRING:
        config_take_string(reader, step, value, out);
        return;
    case CONFIG_STRINGS:
        config_take_strings(reader, step, value, key, out);
        return;
    case CONFIG_NUMBER:
    case CONFIG_NUMBER_64:
        config_take_number(reader, step, value, key, out);
        return;
    case CONFIG_FLAG:
        if (json_is_boolean(value))
            *(bool *)out = json_is_true(value);
        else
            config_problem(reader, step, false, "expected true or false, and here is %s",
                           config_type_name(value));
        return;
    case CONFIG_WORD:
        config_take_word(reader, step, value, key, out);
        return;
    case CONFIG_OBJECT:
        config_take_object(reader, step, value, key->keys, base);
        return;
    default:
        key->take(reader, step, value, base);
    }
}

void config_take_object(config_reader *reader, const serve_json_step *step, json_t *value,
                        const config_key *keys, void *base)
{
    if (!config_expect(reader, step, value, JSON_OBJECT, "an object")) return;
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        const serve_json_step inner = {.parent = step, .key = name};
        const config_key *key = keys;
        while (key->name != NULL && strcmp(key->name, name) != 0)
            key++;
        if (key->name == NULL)
            config_unknown_key(reader, &inner, keys);
        else
            config_take(reader, &inner, member, key, base);
    }
}

/* --- Files --- */

/* `*out`: Owned, free(). */
int config_read_file(const char *path, size_t size_max, char **out, size_t *out_size,
                     snapcell_error *err)
{
    struct stat status;
    *out = NULL;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, SNAPCELL_E_IO, "cannot read %s: it is %s, not a file", path,
                         S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe");
    if ((uint64_t)status.st_size > size_max)
        return error_set(err, SNAPCELL_E_USAGE, "%s has more than %zu bytes", path, size_max);
    cleanup_free char *text = malloc((size_t)status.st_size + 1);
    if (text == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for %s", path);
    size_t size = 0;
    while (size < (size_t)status.st_size) {
        ssize_t got = read(fd, text + size, (size_t)status.st_size - size);
        if (got < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot read %s", path);
        if (got == 0) break;
        size += (size_t)got;
    }
    text[size] = '\0';
    *out_size = size;
    *out = steal_pointer(&text);
    return SNAPCELL_OK;
}

void config_hash_text(serve_config *config, const char *text, size_t size_bytes)
{
    /* With the byte that ends the text, so that two texts are not taken for one. */
    config->text_hash = XXH3_64bits_withSeed(text, size_bytes + 1, config->text_hash);
}

char *config_path(const config_reader *reader, const char *path)
{
    char *out;
    if (path[0] == '/' || reader->folder == NULL) return strdup(path);
    return asprintf(&out, "%s/%s", reader->folder, path) >= 0 ? out : NULL;
}
