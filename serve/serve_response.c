#include "serve_response.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

const char *serve_status_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
        if (phrases[i].status == status) return phrases[i].phrase;
    return "";
}

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
