/* What clients send: requests one after the other, fed in pieces whose size the first byte says. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_input.h"
#include "serve_parser.h"

#define FUZZ_HEAD_MAX 4096

static void fuzz_on_body(void *user, const char *data, size_t size_bytes)
{
    size_t *sum = user;
    for (size_t i = 0; i < size_bytes; i++)
        *sum += (unsigned char)data[i]; /* all of it can be read */
}

/* What was taken can be read in one way alone. */
static void fuzz_check_head(const serve_head *head)
{
    fuzz_require(head->method != NULL && *head->method != '\0');
    fuzz_require(head->host != NULL && head->path != NULL && head->minor <= 1);
    fuzz_require(!(head->is_chunked && head->has_length));
    fuzz_require(*head->path == '\0' || strchr("/?#*", *head->path) != NULL);
    fuzz_require(head->header_count <= SERVE_HEADER_COUNT_MAX);
    for (size_t i = 0; i < head->header_count; i++) {
        const snapcell_header *header = &head->headers[i];
        fuzz_require(*header->name != '\0' && strpbrk(header->name, " \t\r\n:") == NULL);
        fuzz_require(strpbrk(header->value, "\r\n") == NULL);
        fuzz_require(header->value[0] != ' ' && header->value[0] != '\t');
    }
}

/* How many bytes were taken; 0: more are needed, or it is over. */
static size_t fuzz_step(serve_parser *parser, const char *data, size_t size_bytes, size_t *sum)
{
    serve_head head;
    if (parser->state == SERVE_PARSER_DONE) serve_parser_next(parser);
    if (parser->state != SERVE_PARSER_HEAD)
        return serve_parser_read_body(parser, data, size_bytes, FUZZ_HEAD_MAX, fuzz_on_body, sum);
    size_t taken = serve_parser_read_head(parser, data, size_bytes, FUZZ_HEAD_MAX, &head);
    fuzz_require(taken <= size_bytes);
    if (taken == 0) return 0;
    fuzz_check_head(&head);
    serve_head_release(&head);
    return taken;
}

static void fuzz_feed(serve_parser *parser, const char *data, size_t size_bytes, size_t piece)
{
    size_t sum = 0;
    size_t at = 0;
    for (size_t here = 0; here < size_bytes && parser->state != SERVE_PARSER_BROKEN;) {
        here = here + piece < size_bytes ? here + piece : size_bytes;
        for (size_t taken = 1; taken > 0 && at < here && parser->state != SERVE_PARSER_BROKEN;) {
            taken = fuzz_step(parser, data + at, here - at, &sum);
            at += taken;
        }
    }
    fuzz_require(parser->state != SERVE_PARSER_BROKEN || parser->refusal.status >= 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    serve_parser whole;
    serve_parser pieces;
    char *copy = malloc(size); /* so that reading past its end is noticed */
    if (copy == NULL) return 0;
    memcpy(copy, data + 1, size - 1);
    serve_parser_init(&whole);
    fuzz_feed(&whole, copy, size - 1, size);
    serve_parser_init(&pieces);
    fuzz_feed(&pieces, copy, size - 1, (size_t)data[0] + 1);
    /* Where it is cut says nothing about what it is. */
    fuzz_require(whole.state == pieces.state);
    free(copy);
    return 0;
}
