#include "net_fetch.h"

#include <stdlib.h>

#include "cleanup.h"
#include "error_set.h"

int net_fetch_write_start(wire_writer *body, const snapcell_fetch_request *request,
                          snapcell_error *err)
{
    wire_put_u64(body, (uint64_t)request->body_size_bytes);
    wire_put_string(body, request->method);
    wire_put_string(body, request->url);
    net_put_headers(body, request->headers, request->header_count);
    if (net_body_fits(body)) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_TOO_LARGE,
                     "the request's URL and headers take more than %u bytes", NET_FRAME_SIZE_MAX);
}

void net_fetch_fail(snapcell_fetch **fetch, const char *code, const char *message)
{
    snapcell_fetch *given = steal_pointer(fetch);
    snapcell_fetch_fail(given, code[0] != '\0' ? code : NULL, message);
}

static bool fetch_take_head(snapcell_fetch **fetch, wire_reader *body)
{
    int status = (int)wire_get_u32(body);
    const char *text = wire_get_string(body);
    cleanup_free snapcell_header *headers = NULL;
    size_t count = net_get_headers(body, &headers);
    if (body->failed) return false;
    snapcell_error err;
    if (snapcell_fetch_head(*fetch, status, text, headers, count, &err) != SNAPCELL_OK)
        net_fetch_fail(fetch, "", err.message);
    return true;
}

static bool fetch_take_failure(snapcell_fetch **fetch, wire_reader *body)
{
    const char *code = wire_get_string(body);
    const char *message = wire_get_string(body);
    if (body->failed) return false;
    net_fetch_fail(fetch, code, message);
    return true;
}

bool net_fetch_take(snapcell_fetch **fetch, net_frame_type type, wire_reader *body)
{
    switch (type) {
    case NET_PULL:
        snapcell_fetch_pull(*fetch);
        return true;
    case NET_HEAD:
        return fetch_take_head(fetch, body);
    case NET_DATA: { /* there is room for what there was credit for */
        size_t size_bytes = (size_t)(body->end - body->at);
        return snapcell_fetch_write(*fetch, body->at, size_bytes) == size_bytes;
    }
    case NET_END:
        snapcell_fetch_end(steal_pointer(fetch));
        return true;
    case NET_FAIL:
        return fetch_take_failure(fetch, body);
    default:
        return false;
    }
}
