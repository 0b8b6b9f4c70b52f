#include "serve_response.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

bool serve_status_is_bare(int status)
{
    return status == 204 || status == 304 || status < 200;
}

bool serve_header_is_local(const char *name)
{
    static const char *const local[] = {"connection", "keep-alive",        "proxy-connection", "te",
                                        "trailer",    "transfer-encoding", "upgrade"};
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
        if (strcasecmp(name, local[i]) == 0) return true;
    return false;
}

/* Made once a second. */
static const char *response_date(void)
{
    static char text[40];
    static time_t second = -1;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != second) {
        struct tm parts;
        gmtime_r(&now.tv_sec, &parts);
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        second = now.tv_sec;
    }
    return text;
}

void serve_response_begin(serve_buffer *out, int status, bool has_date)
{
    char line[] = "HTTP/1.1 000 ";
    line[9] = (char)('0' + status / 100 % 10);
    line[10] = (char)('0' + status / 10 % 10);
    line[11] = (char)('0' + status % 10);
    serve_buffer_add(out, line, sizeof(line) - 1);
    serve_buffer_text(out, serve_status_phrase(status));
    serve_buffer_text(out, "\r\n");
    if (!has_date) serve_response_header(out, "date", response_date());
}

void serve_response_header(serve_buffer *out, const char *name, const char *value)
{
    serve_buffer_text(out, name);
    serve_buffer_add(out, ": ", 2);
    serve_buffer_text(out, value);
    serve_buffer_add(out, "\r\n", 2);
}

void serve_response_finish(serve_buffer *out, serve_framing framing, uint64_t length_bytes,
                           bool keeps_alive, uint8_t minor)
{
    if (framing == SERVE_FRAMING_LENGTH)
        serve_buffer_format(out, "content-length: %" PRIu64 "\r\n", length_bytes);
    if (framing == SERVE_FRAMING_CHUNKED) serve_buffer_text(out, "transfer-encoding: chunked\r\n");
    if (!keeps_alive)
        serve_buffer_text(out, "connection: close\r\n");
    else if (minor == 0)
        serve_buffer_text(out, "connection: keep-alive\r\n");
    serve_buffer_add(out, "\r\n", 2);
}

void serve_response_plain(serve_buffer *out, int status, const char *extra, const char *text,
                          bool has_body, bool keeps_alive, uint8_t minor)
{
    serve_response_begin(out, status, false);
    if (!serve_status_is_bare(status))
        serve_response_header(out, "content-type", "text/plain; charset=utf-8");
    serve_buffer_text(out, extra);
    serve_response_finish(out,
                          serve_status_is_bare(status) ? SERVE_FRAMING_NONE : SERVE_FRAMING_LENGTH,
                          strlen(text), keeps_alive, minor);
    if (has_body && !serve_status_is_bare(status)) serve_buffer_text(out, text);
}
