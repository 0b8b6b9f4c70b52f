#include "serve_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE_MIN ((size_t)1024)
/* An empty buffer above this size gives its memory back. */
#define BUFFER_KEEP_MAX ((size_t)16384)

void serve_buffer_release(serve_buffer *buffer)
{
    free(buffer->data);
    *buffer = (serve_buffer){0};
}

char *serve_buffer_reserve(serve_buffer *buffer, size_t size_bytes)
{
    size_t wanted;
    if (__builtin_add_overflow(buffer->size_bytes, size_bytes, &wanted)) {
        buffer->failed = true;
        return NULL;
    }
    if (wanted > buffer->capacity_bytes) {
        size_t capacity = buffer->capacity_bytes > 0 ? buffer->capacity_bytes : BUFFER_SIZE_MIN;
        while (capacity < wanted)
            capacity = capacity > wanted / 2 ? capacity * 2 : wanted;
        char *data = realloc(buffer->data, capacity);
        if (data == NULL) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity_bytes = capacity;
    }
    return buffer->data + buffer->size_bytes;
}

void serve_buffer_add(serve_buffer *buffer, const void *data, size_t size_bytes)
{
    if (size_bytes == 0) return;
    char *place = serve_buffer_reserve(buffer, size_bytes);
    if (place == NULL) return;
    memcpy(place, data, size_bytes);
    buffer->size_bytes += size_bytes;
}

void serve_buffer_text(serve_buffer *buffer, const char *text)
{
    serve_buffer_add(buffer, text, strlen(text));
}

void serve_buffer_format(serve_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char small[256];
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof(small)) {
        serve_buffer_add(buffer, small, (size_t)size);
    } else if (size >= 0) {
        char *place = serve_buffer_reserve(buffer, (size_t)size + 1);
        if (place != NULL) vsnprintf(place, (size_t)size + 1, format, again);
        if (place != NULL) buffer->size_bytes += (size_t)size;
    }
    va_end(again);
}

void serve_buffer_drop(serve_buffer *buffer, size_t size_bytes)
{
    buffer->size_bytes -= size_bytes;
    if (buffer->size_bytes > 0)
        memmove(buffer->data, buffer->data + size_bytes, buffer->size_bytes);
    else if (buffer->capacity_bytes > BUFFER_KEEP_MAX)
        serve_buffer_release(buffer);
}
