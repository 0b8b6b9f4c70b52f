/* Bytes that grow. A failed allocation is kept until somebody looks. Internal to serve/. */
#ifndef SNAPCELL_SERVE_BUFFER_H
#define SNAPCELL_SERVE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: empty. Release with serve_buffer_release(). */
typedef struct serve_buffer {
    char *data;
    size_t size_bytes;
    size_t capacity_bytes;
    bool failed; /* memory was short; what was added since is missing */
} serve_buffer;

void serve_buffer_release(serve_buffer *buffer);

/* Makes room for more bytes and gives their place; NULL when memory is short. They count once
 * `size_bytes` is raised. */
char *serve_buffer_reserve(serve_buffer *buffer, size_t size_bytes);

void serve_buffer_add(serve_buffer *buffer, const void *data, size_t size_bytes);
void serve_buffer_text(serve_buffer *buffer, const char *text);
void serve_buffer_format(serve_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes bytes away from the beginning. Memory of an empty buffer that has become large is freed. */
void serve_buffer_drop(serve_buffer *buffer, size_t size_bytes);

#endif
