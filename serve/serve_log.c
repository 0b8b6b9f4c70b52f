#include "serve_log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <unistr.h>

#include "monotonic.h"

/* Fewer bytes than that wait for others, for so long. */
#define LOG_SIZE_SOME ((size_t)16384)
#define LOG_WAIT_NS (20 * NS_PER_MS)
/* As much is kept for a reader that is slow. */
#define LOG_SIZE_MAX ((size_t)1 << 20)

void serve_log_init(serve_log *log, int fd)
{
    struct stat status;
    *log = (serve_log){.fd = fd, .time_second = -1};
    log->is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

void serve_log_release(serve_log *log)
{
    serve_log_flush(log);
    serve_buffer_release(&log->lines);
}

static const char *log_time(serve_log *log)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != log->time_second) {
        struct tm parts;
        gmtime_r(&now.tv_sec, &parts);
        strftime(log->time, sizeof(log->time), "%Y-%m-%dT%H:%M:%S.000Z", &parts);
        log->time_second = now.tv_sec;
    }
    unsigned ms = (unsigned)(now.tv_nsec / 1000000);
    log->time[20] = (char)('0' + ms / 100);
    log->time[21] = (char)('0' + ms / 10 % 10);
    log->time[22] = (char)('0' + ms % 10);
    return log->time;
}

void serve_log_begin(serve_log *log, const char *level, const char *event)
{
    serve_buffer_text(&log->lines, "{\"time\":\"");
    serve_buffer_text(&log->lines, log_time(log));
    serve_buffer_text(&log->lines, "\",\"level\":\"");
    serve_buffer_text(&log->lines, level);
    serve_buffer_text(&log->lines, "\",\"event\":\"");
    serve_buffer_text(&log->lines, event);
    serve_buffer_text(&log->lines, "\"");
}

static void log_name(serve_log *log, const char *name)
{
    serve_buffer_text(&log->lines, ",\"");
    serve_buffer_text(&log->lines, name);
    serve_buffer_text(&log->lines, "\":");
}

static bool log_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character; gives how many bytes it had. */
static size_t log_escape(serve_buffer *out, const char *text, size_t size_bytes)
{
    unsigned char c = (unsigned char)text[0];
    if (c >= 0x80) {
        ucs4_t character;
        int size = u8_mbtoucr(&character, (const uint8_t *)text, size_bytes);
        if (size > 0)
            serve_buffer_add(out, text, (size_t)size);
        else
            serve_buffer_text(out, "\xef\xbf\xbd");
        return size > 0 ? (size_t)size : 1;
    }
    if (c == '\n')
        serve_buffer_text(out, "\\n");
    else if (c == '"' || c == '\\')
        serve_buffer_format(out, "\\%c", c);
    else
        serve_buffer_format(out, "\\u%04x", c);
    return 1;
}

void serve_log_bytes(serve_log *log, const char *name, const char *value, size_t size_bytes)
{
    log_name(log, name);
    serve_buffer_text(&log->lines, "\"");
    for (size_t at = 0; at < size_bytes;) {
        size_t plain = 0;
        while (at + plain < size_bytes && log_is_plain((unsigned char)value[at + plain]))
            plain++;
        serve_buffer_add(&log->lines, value + at, plain);
        at += plain;
        if (at < size_bytes) at += log_escape(&log->lines, value + at, size_bytes - at);
    }
    serve_buffer_text(&log->lines, "\"");
}

void serve_log_text(serve_log *log, const char *name, const char *value)
{
    serve_log_bytes(log, name, value, strlen(value));
}

void serve_log_number(serve_log *log, const char *name, uint64_t value)
{
    log_name(log, name);
    serve_buffer_format(&log->lines, "%" PRIu64, value);
}

void serve_log_milliseconds(serve_log *log, const char *name, uint64_t ns)
{
    log_name(log, name);
    serve_buffer_format(&log->lines, "%" PRIu64 ".%03" PRIu64, ns / NS_PER_MS,
                        ns % NS_PER_MS / 1000);
}

/* The newest lines are dropped when nobody reads: those before them may be half written. */
void serve_log_end(serve_log *log)
{
    serve_buffer_text(&log->lines, "}\n");
    if (log->lines.size_bytes <= LOG_SIZE_MAX && !log->lines.failed) return;
    serve_log_flush(log);
    if (log->lines.size_bytes <= LOG_SIZE_MAX && !log->lines.failed) return;
    log->lines.failed = false;
    char *data = log->lines.data;
    size_t keep = log->lines.size_bytes;
    while (keep > 0 && (keep > LOG_SIZE_MAX || data[keep - 1] != '\n')) {
        if (data[keep - 1] == '\n') log->dropped++;
        keep--;
    }
    log->lines.size_bytes = keep;
}

/* To a pipe or a terminal, as much as fits without waiting is written at a time. */
void serve_log_flush(serve_log *log)
{
    while (log->lines.size_bytes > 0) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        if (!log->is_file && (poll(&ready, 1, 0) <= 0 || (ready.revents & POLLOUT) == 0)) return;
        size_t size = log->lines.size_bytes;
        if (!log->is_file && size > PIPE_BUF) size = PIPE_BUF;
        ssize_t written = write(log->fd, log->lines.data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            log->lines.size_bytes = 0; /* its reader has closed it, or the disk is full */
            return;
        }
        serve_buffer_drop(&log->lines, (size_t)written);
    }
}

void serve_log_flush_some(serve_log *log, uint64_t now_ns)
{
    if (log->lines.size_bytes == 0) return;
    if (log->lines.size_bytes < LOG_SIZE_SOME && now_ns - log->flushed_ns < LOG_WAIT_NS) return;
    log->flushed_ns = now_ns;
    serve_log_flush(log);
}
