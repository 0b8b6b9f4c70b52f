#include "host_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "error_set.h"

static_assert(sizeof(XXH128_canonical_t) == sizeof(snapcell_fingerprint),
              "a fingerprint is a canonical XXH3-128");

/* --- The table --- */

int snapcell_host_new(snapcell_host **out, snapcell_error *err)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a host table");
    return SNAPCELL_OK;
}

void snapcell_host_free(snapcell_host *host)
{
    if (host == NULL) return;
    free(host->functions);
    free(host);
}

/* Words that look like names but that no script can call. */
static bool host_name_is_reserved(const char *name)
{
    static const char *const words[] = {
        "await",    "break",     "case",       "catch",      "class",   "const",   "continue",
        "debugger", "default",   "delete",     "do",         "else",    "enum",    "export",
        "extends",  "false",     "finally",    "for",        "if",      "import",  "in",
        "let",      "new",       "null",       "return",     "static",  "super",   "switch",
        "this",     "throw",     "true",       "try",        "typeof",  "var",     "void",
        "while",    "with",      "yield",      "public",     "package", "private", "protected",
        "function", "interface", "implements", "instanceof",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(name, words[i]) == 0) return true;
    return false;
}

static bool host_name_is_identifier(const char *name)
{
    static const char start[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$0123456789";
    size_t size = strlen(name);
    return size > 0 && strspn(name, start) > 0 && strspn(name, rest) == size &&
           !host_name_is_reserved(name);
}

static int host_check_name(const snapcell_host *host, const char *name, snapcell_error *err)
{
    if (name == NULL || !host_name_is_identifier(name))
        return error_set(err, SNAPCELL_E_USAGE,
                         "a host function's name must be a JavaScript identifier in ASCII, "
                         "but it is '%.64s'",
                         name == NULL ? "(NULL)" : name);
    if (strlen(name) > HOST_FUNCTION_NAME_SIZE_MAX)
        return error_set(err, SNAPCELL_E_USAGE,
                         "host function '%.64s...': a name has at most %d characters, this one %zu",
                         name, HOST_FUNCTION_NAME_SIZE_MAX, strlen(name));
    for (size_t i = 0; i < host->count; i++)
        if (strcmp(host->functions[i].name, name) == 0)
            return error_set(err, SNAPCELL_E_USAGE, "host function '%s' is in the table already",
                             name);
    return SNAPCELL_OK;
}

int snapcell_host_add(snapcell_host *host, const char *name, snapcell_host_fn *callback, void *user,
                      snapcell_error *err)
{
    int status = host_check_name(host, name, err);
    if (status != SNAPCELL_OK) return status;
    if (callback == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "host function '%s' needs a callback, got NULL",
                         name);
    if (host->count == HOST_FUNCTION_COUNT_MAX)
        return error_set(err, SNAPCELL_E_USAGE,
                         "host function '%s' does not fit: a table holds at most %d", name,
                         HOST_FUNCTION_COUNT_MAX);

    host_function *grown = reallocarray(host->functions, host->count + 1, sizeof(*host->functions));
    if (grown == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for host function '%s'", name);
    host->functions = grown;
    host_function *function = &grown[host->count];
    memset(function, 0, sizeof(*function));
    memcpy(function->name, name, strlen(name));
    function->callback = callback;
    function->user = user;
    host->count++;
    return SNAPCELL_OK;
}

/* Each name goes in with its size in front, so that no two tables give the same text to hash. */
snapcell_fingerprint snapcell_host_fingerprint(const snapcell_host *host)
{
    uint8_t text[HOST_FUNCTION_COUNT_MAX * (1 + HOST_FUNCTION_NAME_SIZE_MAX)];
    size_t text_size = 0;
    size_t count = host == NULL ? 0 : host->count;
    for (size_t i = 0; i < count; i++) {
        const char *name = host->functions[i].name;
        text[text_size++] = (uint8_t)strlen(name);
        for (const char *letter = name; *letter != '\0'; letter++)
            text[text_size++] = (uint8_t)*letter;
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, text_size));
    snapcell_fingerprint fingerprint;
    memcpy(fingerprint.bytes, canonical.digest, sizeof(fingerprint.bytes));
    return fingerprint;
}

/* --- A call --- */

size_t snapcell_host_argument_count(const snapcell_host_call *call)
{
    return call->argument_count;
}

snapcell_value snapcell_host_argument(const snapcell_host_call *call, size_t index)
{
    if (index >= call->argument_count) return (snapcell_value){.type = SNAPCELL_VALUE_UNDEFINED};
    return call->arguments[index];
}

static bool host_value_has_data(const snapcell_value *value)
{
    return value->type == SNAPCELL_VALUE_STRING || value->type == SNAPCELL_VALUE_BYTES ||
           value->type == SNAPCELL_VALUE_JSON;
}

static char *host_copy_data(const snapcell_value *value)
{
    char *copy = value->size_bytes == SIZE_MAX ? NULL : malloc(value->size_bytes + 1);
    if (copy == NULL) return NULL;
    if (value->size_bytes > 0) memcpy(copy, value->data, value->size_bytes);
    copy[value->size_bytes] = '\0';
    return copy;
}

int snapcell_host_return(snapcell_host_call *call, const snapcell_value *value, snapcell_error *err)
{
    if ((unsigned)value->type > SNAPCELL_VALUE_JSON)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a host function returned a value of type %d; types go from 0 to %d",
                         (int)value->type, (int)SNAPCELL_VALUE_JSON);
    if (host_value_has_data(value) && value->data == NULL && value->size_bytes > 0)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a host function returned NULL for data of %zu bytes", value->size_bytes);

    snapcell_value copy = *value;
    copy.data = NULL;
    if (host_value_has_data(value)) {
        copy.data = host_copy_data(value);
        if (copy.data == NULL)
            return error_set(err, SNAPCELL_E_NOMEM,
                             "no memory for a host function's result of %zu bytes",
                             value->size_bytes);
    } else {
        copy.size_bytes = 0;
    }
    free((void *)call->result.data);
    call->result = copy;
    return SNAPCELL_OK;
}

int snapcell_host_throw(snapcell_host_call *call, const char *message)
{
    static const char unnamed[] = "the host function failed";
    if (message == NULL) message = unnamed;
    size_t size_max = sizeof(call->error_message) - 1;
    size_t size = strnlen(message, size_max + 1);
    if (size > size_max) {
        size = size_max; /* cut in front of a character, never inside one */
        while (size > 0 && ((unsigned char)message[size] & 0xC0) == 0x80)
            size--;
    }
    memcpy(call->error_message, message, size);
    call->error_message[size] = '\0';
    return -1;
}
