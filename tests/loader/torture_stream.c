/* Bodies in pieces of any size, with peers that are slow, break off or go away at any moment:
 * torture_stream --count N calls, seeded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "torture_report.h"

enum { WHOLE, BROKEN, GONE, AGAIN, PROMISES };
static torture_promise promises[PROMISES] = {
    [WHOLE] = {"a body comes out as the function made it, however it is cut"},
    [BROKEN] = {"a request's body that breaks off fails the call, after a beginning that is right"},
    [GONE] = {"a reader that goes away ends the call well, and cancels the stream once"},
    [AGAIN] = {"the cell answers the next request"},
};

static const char source[] =
    "const flip = chunk => chunk.map(byte => byte ^ 0x55);\n"
    "const later = () => new Promise(resolve => setTimeout(resolve, 0));\n"
    "function wrapped(stream, slow) {\n"
    "  const reader = stream.getReader();\n"
    "  return new ReadableStream({\n"
    "    async pull(c) {\n"
    "      if (slow) await later();\n"
    "      const { done, value } = await reader.read();\n"
    "      if (done) c.close(); else c.enqueue(flip(value));\n"
    "    },\n"
    "    cancel(reason) { console.log('cancelled'); return reader.cancel(reason); },\n"
    "  });\n"
    "}\n"
    "const pages = {\n"
    "  '/wrapped': request => wrapped(request.body, false),\n"
    "  '/slow': request => wrapped(request.body, true),\n"
    "  '/transform': request => wrapped(request.body.pipeThrough(new TransformStream())),\n"
    "  '/bytes': async request => wrapped(new Response(await request.bytes()).body),\n"
    "  '/tee': async request => { const two = request.clone(); await request.text();\n"
    "    return wrapped(two.body); },\n"
    "};\n"
    "export default { async fetch(request) {\n"
    "  const page = pages[request.url.replace('http://localhost', '')];\n"
    "  return new Response(page ? await page(request) : 'fine');\n"
    "} };\n";

static const char *const urls[] = {"/wrapped", "/slow", "/transform", "/bytes", "/tee"};

#define SIZE_MAX_BYTES 300000u
#define CALLS_A_CELL 50u

/* The peer of a call, and what it saw. */
static struct {
    uint32_t size;
    uint32_t breaks_at; /* of the request; beyond its size: never */
    uint32_t gone_at;   /* of the response; the same */
    uint32_t sent;
    uint32_t taken;
    unsigned later_in_100; /* how often it has nothing to do */
    bool equal;
    bool ended;
    bool failed; /* it said that it is gone, or that the sender is */
    unsigned cancelled;
} peer;

/* --- Chance --- */

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return below == 0 ? 0 : random_state % below;
}

/* Small as often as large. */
static uint32_t draw_size(uint32_t most)
{
    return draw(2) == 0 ? draw(most < 20 ? most : 20) : draw(most);
}

static uint8_t byte_at(uint32_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8));
}

/* --- The callbacks --- */

static ptrdiff_t on_read(void *user, void *buffer, size_t size_bytes)
{
    (void)user;
    if (draw(100) < peer.later_in_100) return SNAPCELL_STREAM_LATER;
    if (peer.sent >= peer.breaks_at) {
        peer.failed = true;
        return SNAPCELL_STREAM_FAILED;
    }
    uint32_t rest = peer.size - peer.sent;
    if (rest == 0) return 0;
    uint32_t size = 1 + draw_size(rest);
    if (size > rest) size = rest;
    if (size > size_bytes) size = (uint32_t)size_bytes;
    for (uint32_t i = 0; i < size; i++)
        ((uint8_t *)buffer)[i] = byte_at(peer.sent + i);
    peer.sent += size;
    return (ptrdiff_t)size;
}

static ptrdiff_t on_write(void *user, const void *data, size_t size_bytes)
{
    (void)user;
    if (size_bytes == 0) {
        peer.equal &= !peer.ended;
        peer.ended = true;
        return 0;
    }
    if (draw(100) < peer.later_in_100) return SNAPCELL_STREAM_LATER;
    if (peer.taken >= peer.gone_at) {
        peer.equal &= !peer.failed; /* it is told once */
        peer.failed = true;
        return SNAPCELL_STREAM_FAILED;
    }
    uint32_t size = 1 + draw_size((uint32_t)size_bytes);
    if (size > size_bytes) size = (uint32_t)size_bytes;
    for (uint32_t i = 0; i < size; i++)
        peer.equal &= ((const uint8_t *)data)[i] == (byte_at(peer.taken + i) ^ 0x55);
    peer.taken += size;
    return (ptrdiff_t)size;
}

static void on_wait(void *user, bool reading, bool writing, uint32_t timeout_ms)
{
    (void)user;
    peer.equal &= (reading || writing) && timeout_ms > 0;
}

static void on_log(void *user, snapcell_log_level level, const char *function_name,
                   const char *text, size_t text_size_bytes)
{
    (void)user;
    (void)level;
    (void)function_name;
    (void)text_size_bytes;
    if (strcmp(text, "cancelled") == 0) peer.cancelled++;
}

/* --- A call --- */

static void prepare(int promise)
{
    memset(&peer, 0, sizeof(peer));
    peer.equal = true;
    peer.size = draw_size(SIZE_MAX_BYTES) + 1;
    peer.breaks_at = promise == BROKEN ? draw(peer.size + 1) : UINT32_MAX;
    peer.gone_at = promise == GONE ? draw(peer.size) : UINT32_MAX;
    peer.later_in_100 = draw(3) == 0 ? 0 : draw(90);
}

static bool is_whole(int status)
{
    return status == SNAPCELL_OK && peer.ended && peer.taken == peer.size && !peer.cancelled;
}

/* A stream that was closed by the time the reader went has nothing to cancel. */
static bool is_cancelled(int status)
{
    bool closed = peer.sent == peer.size;
    return status == SNAPCELL_OK && !peer.ended &&
           (peer.cancelled == 1 || (closed && peer.cancelled == 0));
}

/* Whether the call went as it must. A reader may have got everything before it went. */
static bool is_kept(int promise, int status, const snapcell_error *err)
{
    if (!peer.equal) return false;
    if (promise == WHOLE) return is_whole(status);
    if (promise == GONE) return peer.failed ? is_cancelled(status) : is_whole(status);
    return status == SNAPCELL_E_SCRIPT && !peer.ended && peer.failed &&
           strstr(err->message, "broke off") != NULL;
}

static void call(snapcell_cell *cell, int promise)
{
    const char *url = urls[draw(sizeof(urls) / sizeof(*urls))];
    snapcell_error err = {0};
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_stream stream = SNAPCELL_STREAM_INIT;
    prepare(promise);
    request.url = url;
    stream.read = on_read;
    stream.write = on_write;
    stream.wait = on_wait;
    uint32_t started = random_state;
    int status = snapcell_cell_stream(cell, &request, &stream, &err);
    torture_try(
        &promises[promise], is_kept(promise, status, &err),
        "%s, %u bytes, from %u: %s, %u sent, %u taken, ended %d, equal %d, cancelled %u: %s", url,
        peer.size, started, snapcell_error_name(status), peer.sent, peer.taken, peer.ended,
        peer.equal, peer.cancelled, err.message);
}

static void call_again(snapcell_cell *cell)
{
    snapcell_error err = {0};
    snapcell_response *response = NULL;
    int status = snapcell_cell_fetch(cell, NULL, &response, &err);
    torture_try(&promises[AGAIN],
                status == SNAPCELL_OK &&
                    strcmp(snapcell_response_body(response, NULL), "fine") == 0,
                "%s: %s", snapcell_error_name(status), err.message);
    snapcell_response_free(response);
}

/* --- All of them --- */

static snapcell_loader *open_loader(const char *store_path)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    snapcell_loader *loader = NULL;
    options.store_path = store_path;
    options.log = on_log;
    if (snapcell_loader_open(&options, &loader, NULL) != SNAPCELL_OK) exit(2);
    return loader;
}

static snapcell_cell *load(snapcell_loader *loader)
{
    snapcell_cell *cell = NULL;
    if (snapcell_cell_load(loader, "streamer", NULL, &cell, NULL) != SNAPCELL_OK) exit(2);
    return cell;
}

int main(int argc, char **argv)
{
    torture_options options = torture_arguments(argc, argv, 300);
    random_state = options.seed != 0 ? options.seed : 1;
    const char *store_path = fixture_new_store();
    fixture_compile(&(fixture_function){"streamer", source, NULL}, 1, NULL);
    snapcell_loader *loader = open_loader(store_path);
    snapcell_cell *cell = NULL;
    for (unsigned long i = 0; i < options.count; i++) {
        if (i % CALLS_A_CELL == 0) {
            snapcell_cell_dispose(cell);
            cell = load(loader);
        }
        call(cell, (int)(i % AGAIN));
        call_again(cell);
        torture_progress(i + 1, options.count);
    }
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
    fixture_remove();
    return torture_report(promises, PROMISES);
}
