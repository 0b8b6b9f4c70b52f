/* Requests out of a connection's bytes: heads, checked, and bodies without their framing. Internal
 * to serve/. Wraps llhttp, which sees only what serve_head.h let through. */
#ifndef SNAPCELL_SERVE_PARSER_H
#define SNAPCELL_SERVE_PARSER_H

#include <llhttp.h>

#include "serve_head.h"

typedef enum serve_parser_state {
    SERVE_PARSER_HEAD = 0, /* expects a request */
    SERVE_PARSER_BODY,
    SERVE_PARSER_TRAILER,
    SERVE_PARSER_DONE, /* the request is complete */
    SERVE_PARSER_BROKEN,
} serve_parser_state;

/* A piece of a body. */
typedef void serve_parser_body_fn(void *user, const char *data, size_t size_bytes);

typedef struct serve_parser {
    llhttp_t llhttp;
    serve_parser_state state;
    size_t seen_bytes;      /* of a head or trailer that is not complete */
    uint64_t framing_bytes; /* of the body that was fed: what was not body */
    uint64_t body_bytes;
    serve_head *head; /* while one is read */
    serve_parser_body_fn *on_body;
    void *user;
    serve_refusal refusal;
} serve_parser;

void serve_parser_init(serve_parser *parser);

/* After a request: expects the next one. */
void serve_parser_next(serve_parser *parser);

/* Reads a head from the beginning of `data`: how many bytes it has, with empty lines before it; 0:
 * more are needed. `*out` is filled in when the state is BODY or DONE after it: release it. BROKEN:
 * see `refusal`. `size_max_bytes`: of a head. */
size_t serve_parser_read_head(serve_parser *parser, const char *data, size_t size_bytes,
                              size_t size_max_bytes, serve_head *out);

/* Reads on in the body: how many bytes were taken; pieces go to `on_body`. In the state TRAILER it
 * may take none, until more come. `size_max_bytes`: of a trailer. */
size_t serve_parser_read_body(serve_parser *parser, const char *data, size_t size_bytes,
                              size_t size_max_bytes, serve_parser_body_fn *on_body, void *user);

#endif
