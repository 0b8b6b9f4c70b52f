#include "serve_parser.h"

#include <stdlib.h>
#include <string.h>

/* Chunks' sizes, their extensions, and line ends may be so much more than the body itself. */
#define PARSER_FRAMING_MAX ((uint64_t)16384)
#define PARSER_FRAMING_FACTOR 16u
/* Empty lines before a request, which old clients send after a body. */
#define PARSER_EMPTY_LINES_MAX ((size_t)4)

static bool parser_break(serve_parser *parser, int status, const char *reason)
{
    parser->state = SERVE_PARSER_BROKEN;
    parser->refusal = (serve_refusal){status, reason};
    return false;
}

/* --- What llhttp calls --- */

/* Names and values are cut where they end, once llhttp has read past them: in the block. */
static void parser_cut(const char *at, size_t size_bytes)
{
    char *end = (char *)(uintptr_t)(at + size_bytes);
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
}

static int parser_on_url(llhttp_t *llhttp, const char *at, size_t size_bytes)
{
    serve_parser *parser = llhttp->data;
    (void)size_bytes;
    if (parser->head != NULL && parser->head->target == NULL) parser->head->target = at;
    return 0;
}

static int parser_on_name(llhttp_t *llhttp, const char *at, size_t size_bytes)
{
    serve_parser *parser = llhttp->data;
    serve_head *head = parser->head;
    (void)size_bytes;
    if (head == NULL) return 0; /* of a trailer */
    if (head->header_count == SERVE_HEADER_COUNT_MAX) {
        parser->refusal = (serve_refusal){431, "there are too many headers"};
        return -1;
    }
    head->headers[head->header_count] = (snapcell_header){at, NULL};
    return 0;
}

/* Of an empty one, the place is not its own. */
static int parser_on_value(llhttp_t *llhttp, const char *at, size_t size_bytes)
{
    serve_parser *parser = llhttp->data;
    serve_head *head = parser->head;
    if (head != NULL && size_bytes > 0) head->headers[head->header_count].value = at;
    return 0;
}

static int parser_on_value_end(llhttp_t *llhttp)
{
    serve_parser *parser = llhttp->data;
    if (parser->head != NULL) parser->head->header_count++;
    return 0;
}

static int parser_on_headers(llhttp_t *llhttp)
{
    serve_parser *parser = llhttp->data;
    llhttp->upgrade = 0; /* no other protocol is spoken here, and none has to be */
    if (parser->head != NULL) parser->head->keeps_alive = llhttp_should_keep_alive(llhttp) != 0;
    return 0;
}

static int parser_on_body(llhttp_t *llhttp, const char *at, size_t size_bytes)
{
    serve_parser *parser = llhttp->data;
    parser->body_bytes += size_bytes;
    if (parser->on_body != NULL) parser->on_body(parser->user, at, size_bytes);
    return 0;
}

/* A chunk of no bytes is the last one; what follows is read as a head would be. */
static int parser_on_chunk(llhttp_t *llhttp)
{
    serve_parser *parser = llhttp->data;
    if (llhttp->content_length > 0) return 0;
    parser->state = SERVE_PARSER_TRAILER;
    parser->seen_bytes = 0;
    return HPE_PAUSED;
}

static int parser_on_complete(llhttp_t *llhttp)
{
    serve_parser *parser = llhttp->data;
    parser->state = SERVE_PARSER_DONE;
    return HPE_PAUSED; /* the next request is looked at before llhttp sees it */
}

static const llhttp_settings_t parser_settings = {
    .on_url = parser_on_url,
    .on_header_field = parser_on_name,
    .on_header_value = parser_on_value,
    .on_header_value_complete = parser_on_value_end,
    .on_headers_complete = parser_on_headers,
    .on_body = parser_on_body,
    .on_chunk_header = parser_on_chunk,
    .on_message_complete = parser_on_complete,
};

void serve_parser_init(serve_parser *parser)
{
    *parser = (serve_parser){0};
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &parser_settings);
    parser->llhttp.data = parser;
}

void serve_parser_next(serve_parser *parser)
{
    llhttp_reset(&parser->llhttp);
    parser->state = SERVE_PARSER_HEAD;
    parser->seen_bytes = 0;
    parser->framing_bytes = 0;
    parser->body_bytes = 0;
}

/* Feeds llhttp; gives how many bytes it took. */
static size_t parser_feed(serve_parser *parser, const char *data, size_t size_bytes)
{
    llhttp_errno_t problem = llhttp_execute(&parser->llhttp, data, size_bytes);
    if (problem == HPE_OK) return size_bytes;
    size_t taken = (size_t)(llhttp_get_error_pos(&parser->llhttp) - data);
    if (problem == HPE_PAUSED) {
        llhttp_resume(&parser->llhttp);
        return taken;
    }
    serve_refusal refusal = parser->refusal;
    if (refusal.status == 0)
        refusal = (serve_refusal){400, llhttp_get_error_reason(&parser->llhttp)};
    if (problem == HPE_INVALID_METHOD) refusal = (serve_refusal){501, "the method is not known"};
    if (problem == HPE_INVALID_VERSION) refusal = (serve_refusal){505, "only HTTP/1.1 is spoken"};
    parser_break(parser, refusal.status, refusal.reason);
    return taken;
}

/* --- Heads --- */

/* In `block`, the strings of a head end where blanks or the line do. */
static void parser_cut_lines(serve_head *head)
{
    for (size_t i = 0; i < head->header_count; i++) {
        snapcell_header *header = &head->headers[i];
        size_t name_size = strcspn(header->name, ":");
        if (header->value == NULL) {
            header->value = header->name + name_size + 1;
            header->value += strspn(header->value, " \t");
        }
        parser_cut(header->value, strcspn(header->value, "\r"));
        parser_cut(header->name, name_size);
    }
}

/* "GET /path HTTP/1.1" with one blank each. llhttp has taken it by now. */
static bool parser_cut_request_line(serve_parser *parser, serve_head *head)
{
    char *space = strchr(head->block, ' ');
    char *end = head->target != NULL ? strchr(head->target, ' ') : NULL;
    if (space == NULL || end == NULL || head->target != space + 1 ||
        (strncmp(end + 1, "HTTP/1.1\r\n", 10) != 0 && strncmp(end + 1, "HTTP/1.0\r\n", 10) != 0))
        return parser_break(parser, 400, "the request line is not METHOD TARGET HTTP/1.1");
    head->minor = parser->llhttp.http_minor;
    head->method = head->block;
    *space = '\0';
    *end = '\0';
    return true;
}

static bool parser_take_head(serve_parser *parser, const char *data, size_t size_bytes,
                             serve_head *out)
{
    out->block = malloc(size_bytes + 1);
    if (out->block == NULL) return parser_break(parser, 503, "memory is short");
    memcpy(out->block, data, size_bytes);
    out->block[size_bytes] = '\0';
    parser->head = out;
    size_t taken = parser_feed(parser, out->block, size_bytes);
    parser->head = NULL;
    if (parser->state == SERVE_PARSER_BROKEN) return false;
    if (taken != size_bytes || strlen(out->block) != size_bytes)
        return parser_break(parser, 400, "the request's head is not one");
    if (!parser_cut_request_line(parser, out)) return false;
    parser_cut_lines(out);
    serve_refusal refusal = {0};
    if (!serve_head_check_fields(out, &refusal))
        return parser_break(parser, refusal.status, refusal.reason);
    if (parser->state == SERVE_PARSER_HEAD) parser->state = SERVE_PARSER_BODY;
    return true;
}

size_t serve_parser_read_head(serve_parser *parser, const char *data, size_t size_bytes,
                              size_t size_max_bytes, serve_head *out)
{
    size_t skipped = 0;
    while (skipped < 2 * PARSER_EMPTY_LINES_MAX && skipped + 1 < size_bytes &&
           data[skipped] == '\r' && data[skipped + 1] == '\n')
        skipped += 2;
    data += skipped;
    size_bytes -= skipped;
    if (skipped > 0) parser->seen_bytes = 0;
    size_t end = serve_head_end(data, size_bytes, &parser->seen_bytes);
    if (end > size_max_bytes || (end == 0 && size_bytes > size_max_bytes)) {
        parser_break(parser, 431, "the request's head is too large");
        return 0;
    }
    if (end == 0) return 0;
    if (!serve_head_check_lines(data, end, 1, &parser->refusal)) {
        parser->state = SERVE_PARSER_BROKEN;
        return 0;
    }
    memset(out, 0, offsetof(serve_head, headers)); /* those are written before they are read */
    if (!parser_take_head(parser, data, end, out)) serve_head_release(out);
    parser->seen_bytes = 0;
    return parser->state == SERVE_PARSER_BROKEN ? 0 : skipped + end;
}

/* --- Bodies --- */

static size_t parser_read_trailer(serve_parser *parser, const char *data, size_t size_bytes,
                                  size_t size_max_bytes)
{
    size_t end = 0;
    if (size_bytes >= 2 && data[0] == '\r' && data[1] == '\n')
        end = 2;
    else if (size_bytes > 0 && data[0] == '\n')
        end = 1;
    else
        end = serve_head_end(data, size_bytes, &parser->seen_bytes);
    if (end > size_max_bytes || (end == 0 && size_bytes > size_max_bytes)) {
        parser_break(parser, 431, "the request's trailer is too large");
        return 0;
    }
    if (end == 0) return 0;
    if (!serve_head_check_lines(data, end, 0, &parser->refusal)) {
        parser->state = SERVE_PARSER_BROKEN;
        return 0;
    }
    size_t taken = parser_feed(parser, data, end);
    if (parser->state == SERVE_PARSER_TRAILER || taken != end)
        parser_break(parser, 400, "the request's trailer is not one");
    return taken;
}

size_t serve_parser_read_body(serve_parser *parser, const char *data, size_t size_bytes,
                              size_t size_max_bytes, serve_parser_body_fn *on_body, void *user)
{
    size_t taken = 0;
    if (parser->state == SERVE_PARSER_BODY && size_bytes > 0) {
        uint64_t before = parser->body_bytes;
        parser->on_body = on_body;
        parser->user = user;
        taken = parser_feed(parser, data, size_bytes);
        parser->framing_bytes += taken - (parser->body_bytes - before);
        if (parser->framing_bytes > PARSER_FRAMING_MAX + PARSER_FRAMING_FACTOR * parser->body_bytes)
            parser_break(parser, 400, "the chunks have more framing than body");
    }
    if (parser->state == SERVE_PARSER_TRAILER)
        taken += parser_read_trailer(parser, data + taken, size_bytes - taken, size_max_bytes);
    return taken;
}
