#include "registry_answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <jansson.h>

#include "error_set.h"
#include "oci_manifest.h"
#include "utf8.h"

/* --- Challenges --- */

typedef struct challenge_reader {
    const char *at;
    char word[64];                 /* a scheme, or a parameter's name; cut to fit */
    char value[REGISTRY_URL_SIZE]; /* cut to fit */
    bool cut;
} challenge_reader;

static bool is_token_character(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~/", c) != NULL);
}

static void skip_blanks(challenge_reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t')
        reader->at++;
}

static bool read_word(challenge_reader *reader)
{
    size_t size = 0;
    const char *begin = reader->at;
    for (; is_token_character(*reader->at); reader->at++)
        if (size + 1 < sizeof(reader->word)) reader->word[size++] = *reader->at;
    reader->word[size] = '\0';
    return reader->at > begin;
}

static void value_put(challenge_reader *reader, size_t *size, char c)
{
    if (*size + 1 < sizeof(reader->value))
        reader->value[(*size)++] = c;
    else
        reader->cut = true;
}

/* After '=': a quoted string, or a word. */
static void read_value(challenge_reader *reader)
{
    size_t size = 0;
    reader->cut = false;
    if (*reader->at == '"') {
        for (reader->at++; *reader->at != '\0' && *reader->at != '"'; reader->at++) {
            if (*reader->at == '\\' && reader->at[1] != '\0') reader->at++;
            value_put(reader, &size, *reader->at);
        }
        if (*reader->at == '"') reader->at++;
    } else {
        for (; is_token_character(*reader->at) || *reader->at == ':' || *reader->at == '=';
             reader->at++)
            value_put(reader, &size, *reader->at);
    }
    reader->value[size] = '\0';
}

static void take_parameter(const challenge_reader *reader, registry_challenge *out)
{
    const char *value = reader->cut ? "" : reader->value;
    const size_t size = strlen(value);
    if (strcasecmp(reader->word, "realm") == 0 && registry_url_is_valid(value))
        strcpy(out->realm, value);
    if (strcasecmp(reader->word, "service") == 0 && size < sizeof(out->service))
        strcpy(out->service, value);
    if (strcasecmp(reader->word, "scope") == 0 && size < sizeof(out->scope))
        strcpy(out->scope, value);
}

void registry_challenge_add(registry_challenge *out, const char *value)
{
    challenge_reader reader = {.at = value};
    bool in_bearer = false;
    for (;;) {
        while (*reader.at == ' ' || *reader.at == '\t' || *reader.at == ',')
            reader.at++;
        if (!read_word(&reader)) return; /* the end, or nothing that makes sense */
        skip_blanks(&reader);
        if (*reader.at == '=') {
            reader.at++;
            skip_blanks(&reader);
            read_value(&reader);
            if (in_bearer) take_parameter(&reader, out);
            continue;
        }
        in_bearer = strcasecmp(reader.word, "Bearer") == 0 && !out->bearer;
        out->bearer = out->bearer || in_bearer;
        out->basic = out->basic || strcasecmp(reader.word, "Basic") == 0;
    }
}

/* --- Documents --- */

static json_t *load(const void *body, size_t size_bytes)
{
    return size_bytes == 0 ? NULL : json_loadb(body, size_bytes, JSON_REJECT_DUPLICATES, NULL);
}

bool registry_token_read(const void *body, size_t size_bytes, char out[REGISTRY_TOKEN_SIZE])
{
    cleanup_oci_json json_t *json = load(body, size_bytes);
    const char *token = json_string_value(json_object_get(json, "token"));
    if (token == NULL || token[0] == '\0')
        token = json_string_value(json_object_get(json, "access_token"));
    if (token == NULL || token[0] == '\0' || strlen(token) >= REGISTRY_TOKEN_SIZE) return false;
    for (const char *at = token; *at != '\0'; at++)
        if (*at <= ' ' || *at >= 0x7f) return false;
    strcpy(out, token);
    return true;
}

/* Control characters of a hostile text would reach a terminal. */
static void clean(char *text)
{
    const size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        const size_t step = utf8_character_size((const uint8_t *)text + at, size - at);
        const unsigned char byte = (unsigned char)text[at];
        if (step == 0 || byte < ' ' || byte == 0x7f ||
            (byte == 0xc2 && (unsigned char)text[at + 1] < 0xa0))
            text[at] = '?';
        at += step > 0 && text[at] != '?' ? step : 1;
    }
}

const char *registry_error_text(const void *body, size_t size_bytes, char out[REGISTRY_TEXT_SIZE])
{
    cleanup_oci_json json_t *json = load(body, size_bytes);
    const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
    const char *code = json_string_value(json_object_get(first, "code"));
    const char *message = json_string_value(json_object_get(first, "message"));
    const json_t *detail = json_object_get(first, "detail");
    if (code == NULL) code = json_string_value(json_object_get(json, "error"));
    if (message == NULL) message = json_string_value(json_object_get(json, "details"));
    const char *more = json_is_string(detail) ? json_string_value(detail) : "";
    char text[4 * REGISTRY_TEXT_SIZE];
    (void)snprintf(text, sizeof(text), "%.200s%s%.400s%s%.400s", code != NULL ? code : "",
                   code != NULL && message != NULL ? ": " : "", message != NULL ? message : "",
                   more[0] != '\0' ? ", " : "", more);
    clean(text);
    error_text_copy(out, REGISTRY_TEXT_SIZE, text, strlen(text));
    return out;
}

bool registry_tags_read(const void *body, size_t size_bytes, registry_tag_fn *each, void *user,
                        int *said)
{
    cleanup_oci_json json_t *json = load(body, size_bytes);
    const json_t *tags = json_object_get(json, "tags");
    *said = 0;
    if (!json_is_object(json) || (tags != NULL && !json_is_array(tags) && !json_is_null(tags)))
        return false;
    for (size_t i = 0; *said == 0 && i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag == NULL || !oci_tag_is_valid(tag)) return false;
        *said = each(user, tag);
    }
    return true;
}

/* --- Headers --- */

bool registry_link_next(const char *value, char out[REGISTRY_URL_SIZE])
{
    const char *open = strchr(value, '<');
    const char *close = open != NULL ? strchr(open, '>') : NULL;
    if (close == NULL || (size_t)(close - open) > REGISTRY_URL_SIZE) return false;
    if (strcasestr(close, "rel=\"next\"") == NULL && strcasestr(close, "rel=next") == NULL)
        return false;
    const size_t size = (size_t)(close - open) - 1;
    memcpy(out, open + 1, size);
    out[size] = '\0';
    return size > 0;
}

static bool read_number(const char **at, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)**at) || strspn(*at, "0123456789") > 18) return false;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

bool registry_content_range(const char *value, uint64_t *first)
{
    uint64_t last = 0;
    if (strncasecmp(value, "bytes ", 6) != 0) return false;
    const char *at = value + 6;
    return read_number(&at, first) && *at++ == '-' && read_number(&at, &last) && *at == '/' &&
           last >= *first;
}

bool registry_upload_range(const char *value, uint64_t *out_size_bytes)
{
    uint64_t first = 0, last = 0;
    const char *at = strncasecmp(value, "bytes=", 6) == 0 ? value + 6 : value;
    if (!read_number(&at, &first) || *at++ != '-' || !read_number(&at, &last) || *at != '\0' ||
        first != 0)
        return false;
    /* Docker's registry says "0-0" of nothing and of one byte. */
    *out_size_bytes = last == 0 ? 0 : last + 1;
    return true;
}

bool registry_retry_after(const char *value, int64_t now, uint64_t *out_seconds)
{
    struct tm date = {0};
    const char *at = value;
    if (read_number(&at, out_seconds)) return *at == '\0';
    const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (end == NULL || *end != '\0') return false;
    const int64_t moment = timegm(&date);
    *out_seconds = moment > now ? (uint64_t)(moment - now) : 0;
    return true;
}
