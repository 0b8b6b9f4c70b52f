#include "child_words.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

/* A line, without the "# " before it and blanks after it. */
typedef struct words_line {
    const char *data;
    size_t size_bytes;
} words_line;

static bool line_next(const char **at, words_line *out)
{
    if (**at == '\0') return false;
    const char *start = *at;
    size_t size = strcspn(start, "\n");
    *at = start + size + (start[size] == '\n');
    while (size > 0 && (*start == '#' || *start == ' ')) {
        start++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)start[size - 1]))
        size--;
    *out = (words_line){start, size};
    return true;
}

static bool line_begins(const words_line *line, const char *prefix)
{
    size_t size = strlen(prefix);
    return line->size_bytes >= size && memcmp(line->data, prefix, size) == 0;
}

/* "Fatal error in FILE, line N" is followed by what the error is; other last words are whole. */
static words_line words_find(const char *words)
{
    words_line first = {"", 0};
    words_line line;
    bool fatal = false;
    while (line_next(&words, &line)) {
        if (line.size_bytes == 0) continue;
        if (fatal) return line;
        if (line_begins(&line, "Fatal error in ")) {
            fatal = true;
            continue;
        }
        if (line_begins(&line, "Fatal ") || line_begins(&line, "Check failed")) return line;
        if (first.size_bytes == 0) first = line;
    }
    return first;
}

bool child_ran_out_of_memory(int signal, const char *words)
{
    static const char *const signs[] = {"out of memory", "std::bad_alloc", "invalid size error",
                                        "invalid array length", "OutOfMemory"};
    if (signal != SIGABRT && signal != SIGTRAP && signal != SIGILL) return false;
    words_line cause = words_find(words);
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
        if (memmem(cause.data, cause.size_bytes, signs[i], strlen(signs[i])) != NULL) return true;
    return false;
}

static size_t address_size(const char *text, size_t size_bytes)
{
    if (size_bytes < 3 || text[0] != '0' || text[1] != 'x') return 0;
    size_t size = 2;
    while (size < size_bytes && isxdigit((unsigned char)text[size]))
        size++;
    return size > 2 ? size : 0;
}

void child_words_cause(const char *words, char *out)
{
    static const char address[] = "(address)";
    words_line line = words_find(words);
    size_t size = 0;
    for (size_t i = 0; i < line.size_bytes;) {
        size_t hex = address_size(line.data + i, line.size_bytes - i);
        size_t needed = hex > 0 ? sizeof(address) - 1 : 1;
        if (size + needed > CHILD_CAUSE_SIZE_MAX) break;
        if (hex > 0)
            memcpy(out + size, address, needed);
        else
            out[size] = isprint((unsigned char)line.data[i]) ? line.data[i] : '?';
        size += needed;
        i += hex > 0 ? hex : 1;
    }
    while (size > 0 && (out[size - 1] == '.' || out[size - 1] == ' '))
        size--;
    out[size] = '\0';
}
