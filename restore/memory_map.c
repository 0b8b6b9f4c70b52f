#include "memory_map.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

typedef struct map_reader {
    const char *at;
    const char *end;
    bool failed;
} map_reader;

static int map_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static uint64_t map_number(map_reader *reader, unsigned base)
{
    uint64_t value = 0;
    const char *start = reader->at;
    for (; reader->at < reader->end; reader->at++) {
        int digit = map_digit(*reader->at);
        if (digit < 0 || (unsigned)digit >= base) break;
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            reader->failed = true;
    }
    if (reader->at == start) reader->failed = true;
    return value;
}

static void map_expect(map_reader *reader, char c)
{
    if (reader->at < reader->end && *reader->at == c)
        reader->at++;
    else
        reader->failed = true;
}

/* One of two letters; true for the first. */
static bool map_flag(map_reader *reader, char yes, char no)
{
    bool is_set = reader->at < reader->end && *reader->at == yes;
    if (is_set)
        reader->at++;
    else
        map_expect(reader, no);
    return is_set;
}

static bool map_starts(const map_reader *reader, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(reader->end - reader->at) >= size && memcmp(reader->at, text, size) == 0;
}

/* START-END PERMISSIONS OFFSET MAJOR:MINOR INODE NAME */
static void map_line(map_reader *reader, memory_mapping *out)
{
    out->start = (uintptr_t)map_number(reader, 16);
    map_expect(reader, '-');
    out->end = (uintptr_t)map_number(reader, 16);
    map_expect(reader, ' ');
    out->protection = map_flag(reader, 'r', '-') ? PROT_READ : PROT_NONE;
    if (map_flag(reader, 'w', '-')) out->protection |= PROT_WRITE;
    if (map_flag(reader, 'x', '-')) out->protection |= PROT_EXEC;
    out->is_private = map_flag(reader, 'p', 's');
    map_expect(reader, ' ');
    out->offset = map_number(reader, 16);
    map_expect(reader, ' ');
    uint64_t major = map_number(reader, 16);
    map_expect(reader, ':');
    uint64_t minor = map_number(reader, 16);
    out->device = makedev((unsigned)major, (unsigned)minor);
    map_expect(reader, ' ');
    out->inode = map_number(reader, 10);
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
    out->is_special = map_starts(reader, "[v");
    reader->at = reader->end;
    if (out->end <= out->start) reader->failed = true;
}

int memory_map_parse(const char *text, size_t size_bytes, memory_mapping *out, size_t capacity)
{
    const char *end = text + size_bytes;
    size_t count = 0;
    uintptr_t before = 0;
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (line_end == NULL || count == capacity) return -1;
        map_reader reader = {text, line_end, false};
        memory_mapping *mapping = &out[count++];
        map_line(&reader, mapping);
        if (reader.failed || mapping->start < before) return -1;
        before = mapping->end;
        text = line_end + 1;
    }
    return (int)count;
}

uint64_t memory_map_size_bytes(const memory_mapping *mappings, size_t count)
{
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        if (mappings[i].start <= UINTPTR_MAX / 2) size += mappings[i].end - mappings[i].start;
    return size;
}
