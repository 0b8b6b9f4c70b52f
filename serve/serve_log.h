/* The server's log: a JSON object a line, on a descriptor that may be slow. Internal to serve/. */
#ifndef SNAPCELL_SERVE_LOG_H
#define SNAPCELL_SERVE_LOG_H

#include <stdint.h>

#include "serve_buffer.h"

typedef struct serve_log {
    int fd;
    bool is_file; /* writing does not wait for a reader */
    serve_buffer lines;
    uint64_t dropped; /* lines, since nobody read them */
    char time[40];    /* of the last second that was looked up */
    int64_t time_second;
    uint64_t flushed_ns;
} serve_log;

void serve_log_init(serve_log *log, int fd);
void serve_log_release(serve_log *log);

/* Begins a line: {"time":"...","level":"...","event":"...". */
void serve_log_begin(serve_log *log, const char *level, const char *event);
void serve_log_text(serve_log *log, const char *name, const char *value);
/* `value` may have zeros in it; what is not UTF-8 becomes U+FFFD. */
void serve_log_bytes(serve_log *log, const char *name, const char *value, size_t size_bytes);
void serve_log_number(serve_log *log, const char *name, uint64_t value);
void serve_log_milliseconds(serve_log *log, const char *name, uint64_t ns);
void serve_log_end(serve_log *log);

/* Writes what can be written without waiting. */
void serve_log_flush(serve_log *log);

/* The same; a few lines wait until the last time was a while ago. */
void serve_log_flush_some(serve_log *log, uint64_t now_ns);

#endif
