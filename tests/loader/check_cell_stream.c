/* Calls whose bodies come and go in pieces: slow, broken and vanished ends, and constant memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "patience.h"

#define BIG_SIZE_BYTES ((size_t)10 << 20)
#define SMALL_MEMORY_BYTES ((uint64_t)8 << 20)

static const char source[] =
    "const encode = text => new TextEncoder().encode(text);\n"
    "let kept;\n"
    "function ticking(log) {\n"
    "  let n = 0;\n"
    "  return new ReadableStream({\n"
    "    pull(c) { c.enqueue(encode(`tick ${n++}\\n`)); },\n"
    "    cancel(reason) { log(`cancelled: ${reason.name}: ${reason.message}`); },\n"
    "  }, { highWaterMark: 0 });\n"
    "}\n"
    "export default { async fetch(request, env, ctx) {\n"
    "  switch (request.url.replace('http://localhost', '')) {\n"
    "  case '/echo': return new Response(request.body, { status: 201, headers: { a: 'b' } });\n"
    "  case '/upper': {\n"
    "    const upper = new TransformStream({ transform(chunk, c) {\n"
    "      c.enqueue(encode(new TextDecoder().decode(chunk).toUpperCase())); } });\n"
    "    return new Response(request.body.pipeThrough(upper)); }\n"
    "  case '/text': return new Response(await request.text());\n"
    "  case '/clone': { const two = request.clone();\n"
    "    return new Response(await request.text() + '|' + await two.text()); }\n"
    "  case '/again': { const two = new Request(request, { headers: { a: 'b' } });\n"
    "    return new Response(request.bodyUsed + await two.text()); }\n"
    "  case '/failing': try { return new Response(await request.text()); }\n"
    "    catch (e) { return new Response(`${e.name}: ${e.message}`, { status: 400 }); }\n"
    "  case '/keep': kept = request; return new Response('kept');\n"
    "  case '/kept': try { return new Response(await kept.text()); }\n"
    "    catch (e) { return new Response(`${e.name}: ${e.message}`); }\n"
    "  case '/big': return new Response('x'.repeat(1 << 20));\n"
    "  case '/produce': { let left = 160; const chunk = new Uint8Array(65536).fill(120);\n"
    "    return new Response(new ReadableStream({ pull(c) {\n"
    "      if (left-- > 0) c.enqueue(chunk.slice()); else c.close(); } })); }\n"
    "  case '/forever': request.signal.addEventListener('abort', () =>\n"
    "      console.log('aborted: ' + request.signal.reason.name));\n"
    "    return new Response(ticking(console.log));\n"
    "  case '/unlistened': return new Response(ticking(console.log));\n"
    "  case '/bad-cancel': return new Response(new ReadableStream({\n"
    "      pull(c) { c.enqueue(encode('x')); }, cancel() { throw new Error('no'); } }));\n"
    "  case '/breaks': { let n = 0; return new Response(new ReadableStream({ pull(c) {\n"
    "      if (n++) throw new RangeError('broke'); c.enqueue(encode('first')); } })); }\n"
    "  case '/no-bytes': return new Response(new ReadableStream({ pull(c) { c.enqueue('text'); }\n"
    "      }));\n"
    "  case '/throws': throw new Error('before');\n"
    "  case '/locked': { const r = new Response(ticking(() => {})); r.body.getReader(); return r; "
    "}\n"
    "  case '/waits': ctx.waitUntil(new Promise(r => setTimeout(r, 2)).then(() =>\n"
    "      console.log('waited'))); return new Response('before');\n"
    "  case '/ticks': { let ticks = 0; const timer = setInterval(() => ticks++, 1);\n"
    "    const text = await request.text(); clearInterval(timer);\n"
    "    return new Response(`${text} ${ticks > 0}`); }\n"
    "  case '/detach': { let chunk; let n = 0;\n"
    "    return new Response(new ReadableStream({ pull(c) {\n"
    "      if (n++) return c.close();\n"
    "      chunk = new Uint8Array(1000); c.enqueue(chunk);\n"
    "      setTimeout(() => chunk.buffer.transfer(), 0); } }, { highWaterMark: 0 })); }\n"
    "  case '/unread': setTimeout(() => {}, 1); request.text(); return new Response('early');\n"
    "  }\n"
    "  return new Response(null, { status: 204 });\n"
    "} };\n";

static const char event_source[] = "export default function handler() { return 1; }\n";

static void make_store(void)
{
    static const fixture_function functions[] = {
        {"streamer", source, NULL},
        {"event", event_source, NULL},
    };
    fixture_new_store();
    fixture_compile(functions, sizeof(functions) / sizeof(*functions), NULL);
}

/* --- The other side of a call --- */

typedef struct peer {
    const char *input; /* repeated `repeat` times, `piece` bytes at a time */
    size_t repeat;
    size_t piece; /* 0: whole */
    size_t offset;
    unsigned read_later;  /* answers of LATER before each piece */
    unsigned write_later; /* the same, before bytes are taken */
    unsigned waited_read, waited_write;
    unsigned later; /* how often LATER was answered for what comes next */
    bool read_breaks;
    bool refuses_head;
    size_t take_max;   /* 0: all */
    size_t gone_after; /* 0: never */
    bool ended;
    int status;
    char header[16];
    char output[256]; /* its beginning */
    size_t output_size;
    char order[512]; /* r: a read, w: a write, log lines */
} peer;

static peer *logging; /* where console output goes */

static void note(peer *self, const char *text)
{
    size_t used = strlen(self->order);
    snprintf(self->order + used, sizeof(self->order) - used, "%s", text);
}

static void on_log(void *user, snapcell_log_level level, const char *function_name,
                   const char *text, size_t text_size_bytes)
{
    (void)user;
    (void)level;
    (void)function_name;
    (void)text_size_bytes;
    if (logging == NULL) return;
    note(logging, text);
    note(logging, "\n");
}

static bool peer_later(peer *self, unsigned count)
{
    if (self->later++ < count) return true;
    self->later = 0;
    return false;
}

static ptrdiff_t peer_read(void *user, void *buffer, size_t size_bytes)
{
    peer *self = user;
    if (peer_later(self, self->read_later)) return SNAPCELL_STREAM_LATER;
    note(self, "r");
    size_t length = strlen(self->input);
    if (self->offset == length * self->repeat)
        return self->read_breaks ? SNAPCELL_STREAM_FAILED : 0;
    size_t size = length * self->repeat - self->offset;
    if (self->piece != 0 && size > self->piece) size = self->piece;
    if (size > size_bytes) size = size_bytes;
    for (size_t i = 0; i < size; i++)
        ((char *)buffer)[i] = self->input[(self->offset + i) % length];
    self->offset += size;
    return (ptrdiff_t)size;
}

static int peer_head(void *user, const snapcell_response *head)
{
    peer *self = user;
    ck_assert_int_eq(self->status, 0);
    size_t body_size = 1;
    self->status = snapcell_response_status(head);
    if (snapcell_response_header_count(head) > 0)
        snprintf(self->header, sizeof(self->header), "%s", snapcell_response_header(head, 0).value);
    (void)snapcell_response_body(head, &body_size);
    return self->refuses_head;
}

static ptrdiff_t peer_write(void *user, const void *data, size_t size_bytes)
{
    peer *self = user;
    ck_assert_int_ne(self->status, 0);
    ck_assert(!self->ended);
    if (size_bytes == 0) {
        self->ended = true;
        note(self, "end\n");
        return 0;
    }
    if (peer_later(self, self->write_later)) return SNAPCELL_STREAM_LATER;
    if (self->gone_after != 0 && self->output_size >= self->gone_after)
        return SNAPCELL_STREAM_FAILED;
    note(self, "w");
    if (self->take_max != 0 && size_bytes > self->take_max) size_bytes = self->take_max;
    for (size_t i = 0; i < size_bytes && self->output_size + i < sizeof(self->output) - 1; i++)
        self->output[self->output_size + i] = ((const char *)data)[i];
    self->output_size += size_bytes;
    return (ptrdiff_t)size_bytes;
}

static void peer_wait(void *user, bool reading, bool writing, uint32_t timeout_ms)
{
    peer *self = user;
    ck_assert(reading || writing);
    ck_assert_uint_gt(timeout_ms, 0);
    self->waited_read += reading;
    self->waited_write += writing;
}

static snapcell_stream peer_stream(peer *self)
{
    snapcell_stream stream = SNAPCELL_STREAM_INIT;
    stream.user = self;
    stream.read = self->input != NULL ? peer_read : NULL;
    stream.head = peer_head;
    stream.write = peer_write;
    if (self->input != NULL && self->repeat == 0) self->repeat = 1;
    return stream;
}

/* --- Helpers --- */

static snapcell_loader *loader;

static void setup(void)
{
    loader = fixture_open(NULL, on_log, NULL);
}

static void teardown(void)
{
    logging = NULL;
    snapcell_loader_close(loader);
}

static int call(snapcell_cell *cell, const char *url, peer *self, bool waits, snapcell_error *err)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_stream stream = peer_stream(self);
    request.url = url;
    if (waits) stream.wait = peer_wait;
    logging = self;
    return snapcell_cell_stream(cell, &request, &stream, err);
}

/* A call in a cell of its own that must go well. */
static void expect_call(const char *url, peer *self)
{
    snapcell_error err = {0};
    snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
    int status = call(cell, url, self, true, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s: %s", url, err.message);
    snapcell_cell_dispose(cell);
}

static void expect_failure(const char *url, peer *self, const snapcell_cell_options *options,
                           int code, const char *message)
{
    snapcell_error err = {0};
    snapcell_cell *cell = fixture_load(loader, "streamer", options);
    int status = call(cell, url, self, true, &err);
    ck_assert_msg(status == code, "%s: expected %s, got %s: %s", url, snapcell_error_name(code),
                  snapcell_error_name(status), err.message);
    ck_assert_msg(strstr(err.message, message) != NULL, "'%s' is not in: %s", message, err.message);
    ck_assert(!self->ended);
    snapcell_cell_dispose(cell);
}

/* --- Bodies --- */

START_TEST(test_bodies_come_and_go_in_turn)
{
    peer self = {.input = "abcdef", .piece = 2};
    expect_call("/echo", &self);
    ck_assert_int_eq(self.status, 201);
    ck_assert_str_eq(self.header, "b");
    ck_assert_str_eq(self.output, "abcdef");
    ck_assert_str_eq(self.order, "rwrwrwrend\n");
}
END_TEST

START_TEST(test_bodies_are_read_in_every_way)
{
    static const struct {
        const char *url, *output;
    } cases[] = {{"/upper", "ABC"}, {"/text", "abc"}, {"/clone", "abc|abc"}, {"/again", "trueabc"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (unsigned later = 0; later < 2; later++) {
            peer self = {.input = "abc", .piece = 1, .read_later = later, .write_later = later};
            expect_call(cases[i].url, &self);
            ck_assert_str_eq(self.output, cases[i].output);
            ck_assert(self.ended);
            ck_assert_uint_eq(self.waited_read > 0, later);
        }
}
END_TEST

START_TEST(test_whole_answers_and_none)
{
    peer big = {.take_max = 1000, .write_later = 1};
    expect_call("/big", &big);
    ck_assert_uint_eq(big.output_size, 1 << 20);
    ck_assert_uint_gt(big.waited_write, 0);
    peer none = {0};
    expect_call("/none", &none);
    ck_assert_int_eq(none.status, 204);
    ck_assert_str_eq(none.order, "end\n");
}
END_TEST

START_TEST(test_slow_ends_without_a_wait)
{
    peer self = {.input = "abc", .piece = 1, .read_later = 1, .write_later = 1, .take_max = 1};
    snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
    ck_assert_int_eq(call(cell, "/echo", &self, false, NULL), SNAPCELL_OK);
    ck_assert_str_eq(self.output, "abc");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_timers_run_while_a_body_is_late)
{
    peer self = {.input = "abc", .read_later = 10};
    snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
    ck_assert_int_eq(call(cell, "/ticks", &self, false, NULL), SNAPCELL_OK);
    ck_assert_str_eq(self.output, "abc true");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_body_ends_before_waitUntil)
{
    peer self = {0};
    expect_call("/waits", &self);
    ck_assert_str_eq(self.order, "wend\nwaited\n");
}
END_TEST

/* More than the cell's memory, both ways, in a cell that could not hold it; at ends that are ready
 * and at ends that have to be waited for. */
START_TEST(test_big_bodies_take_constant_memory)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = SMALL_MEMORY_BYTES;
    static const char *const urls[] = {"/echo", "/produce"};
    for (size_t i = 0; i < 2; i++) {
        peer self = {.input = i == 0 ? "0123456789abcdef" : NULL, .repeat = BIG_SIZE_BYTES / 16};
        snapcell_error err = {0};
        snapcell_cell *cell = fixture_load(loader, "streamer", &options);
        for (unsigned calls = 0; calls < 4; calls++) {
            self.read_later = self.write_later = calls % 2;
            self.offset = self.output_size = 0;
            self.status = self.ended = 0;
            int status = call(cell, urls[i], &self, true, &err);
            ck_assert_msg(status == SNAPCELL_OK, "%s: %s", urls[i], err.message);
            ck_assert_uint_eq(self.output_size, BIG_SIZE_BYTES);
        }
        snapcell_cell_dispose(cell);
    }
}
END_TEST

START_TEST(test_a_whole_body_counts_for_the_limit)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = SMALL_MEMORY_BYTES;
    peer self = {.input = "0123456789abcdef", .repeat = BIG_SIZE_BYTES / 8};
    expect_failure("/text", &self, &options, SNAPCELL_E_MEMORY_LIMIT, "");
}
END_TEST

/* --- Ends that break off --- */

START_TEST(test_request_breaks_off)
{
    for (unsigned later = 0; later < 2; later++) {
        peer self = {.input = "abc", .read_breaks = true, .read_later = later};
        expect_call("/failing", &self);
        ck_assert_int_eq(self.status, 400);
        ck_assert_str_eq(self.output,
                         "TypeError: the request's body broke off: its sender is gone");
    }
    peer self = {.input = "abc", .read_breaks = true};
    expect_failure("/echo", &self, NULL, SNAPCELL_E_SCRIPT, "broke off");
    ck_assert_str_eq(self.output, "abc");
}
END_TEST

START_TEST(test_reader_is_gone)
{
    for (unsigned later = 0; later < 2; later++) {
        peer self = {.gone_after = 1, .write_later = later};
        expect_call("/forever", &self);
        ck_assert_str_eq(self.output, "tick 0\n");
        ck_assert(!self.ended);
        ck_assert_str_eq(self.order, "waborted: AbortError\ncancelled: AbortError: nobody reads "
                                     "the response's body any more\n");
    }
    peer whole = {.gone_after = 1, .take_max = 10};
    expect_call("/big", &whole);
    ck_assert(!whole.ended);
}
END_TEST

START_TEST(test_nobody_wants_the_body)
{
    peer self = {.refuses_head = true};
    expect_call("/unlistened", &self);
    ck_assert_int_eq(self.status, 200);
    ck_assert_str_eq(self.order, "cancelled: AbortError: nobody reads the response's body any "
                                 "more\n");
    peer whole = {.refuses_head = true};
    expect_call("/big", &whole);
    ck_assert_str_eq(whole.order, "");
}
END_TEST

START_TEST(test_head_has_no_body)
{
    static const char *const urls[] = {"/unlistened", "/big"};
    for (size_t i = 0; i < 2; i++) {
        peer self = {0};
        snapcell_request request = SNAPCELL_REQUEST_INIT;
        snapcell_stream stream = peer_stream(&self);
        snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
        request.method = "HEAD";
        request.url = urls[i];
        logging = &self;
        ck_assert_int_eq(snapcell_cell_stream(cell, &request, &stream, NULL), SNAPCELL_OK);
        ck_assert_int_eq(self.status, 200);
        ck_assert_uint_eq(self.output_size, 0);
        ck_assert(self.ended);
        snapcell_cell_dispose(cell);
    }
}
END_TEST

START_TEST(test_cancel_that_throws_is_told)
{
    peer self = {.gone_after = 1};
    expect_call("/bad-cancel", &self);
    ck_assert_ptr_nonnull(strstr(self.order, "Uncaught (in waitUntil) Error: no"));
}
END_TEST

/* --- Functions that fail --- */

START_TEST(test_stream_breaks_after_the_head)
{
    peer self = {0};
    expect_failure("/breaks", &self, NULL, SNAPCELL_E_SCRIPT, "RangeError: broke");
    ck_assert_int_eq(self.status, 200);
    ck_assert_str_eq(self.output, "first");
    peer text = {0};
    expect_failure("/no-bytes", &text, NULL, SNAPCELL_E_SCRIPT, "not a Uint8Array");
}
END_TEST

START_TEST(test_failures_before_the_head)
{
    static const char *const urls[] = {"/throws", "/locked"};
    for (size_t i = 0; i < 2; i++) {
        peer self = {0};
        expect_failure(urls[i], &self, NULL, SNAPCELL_E_SCRIPT, i == 0 ? "before" : "locked");
        ck_assert_int_eq(self.status, 0);
    }
}
END_TEST

START_TEST(test_chunks_taken_away_meanwhile)
{
    peer self = {.take_max = 10, .write_later = 2};
    expect_call("/detach", &self);
    ck_assert_uint_lt(self.output_size, 1000);
    ck_assert(self.ended);
}
END_TEST

START_TEST(test_kept_body_does_not_read_another_call)
{
    snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
    peer first = {.input = "first"};
    ck_assert_int_eq(call(cell, "/keep", &first, true, NULL), SNAPCELL_OK);
    peer second = {.input = "second"};
    ck_assert_int_eq(call(cell, "/kept", &second, true, NULL), SNAPCELL_OK);
    ck_assert_str_eq(second.output,
                     "TypeError: the request's body can only be read while its call lasts");
    ck_assert_uint_eq(second.offset, 0);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_read_that_is_left_behind)
{
    snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
    for (unsigned i = 0; i < 2; i++) {
        peer self = {.input = "first", .read_later = 1000};
        ck_assert_int_eq(call(cell, "/unread", &self, true, NULL), SNAPCELL_OK);
        ck_assert_str_eq(self.order, "wend\n");
    }
    fixture_expect_response(cell, "/", 204, "");
    snapcell_cell_dispose(cell);
}
END_TEST

/* --- Limits --- */

START_TEST(test_limits_hold_while_the_other_side_is_slow)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    char limit[32];
    options.wall_limit_ms = patient_ms(200);
    snprintf(limit, sizeof(limit), "limit of %u ms", options.wall_limit_ms);
    peer sender = {.input = "abc", .read_later = UINT32_MAX};
    expect_failure("/text", &sender, &options, SNAPCELL_E_WALL_LIMIT, limit);
    peer reader = {.write_later = UINT32_MAX};
    expect_failure("/forever", &reader, &options, SNAPCELL_E_WALL_LIMIT, limit);
    peer whole = {.write_later = UINT32_MAX};
    expect_failure("/big", &whole, &options, SNAPCELL_E_WALL_LIMIT, limit);
}
END_TEST

/* --- What is not a call --- */

static void expect_usage(snapcell_cell *cell, const snapcell_request *request,
                         const snapcell_stream *stream, const char *message)
{
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_stream(cell, request, stream, &err), SNAPCELL_E_USAGE);
    ck_assert_msg(strstr(err.message, message) != NULL, "'%s' is not in: %s", message, err.message);
}

START_TEST(test_refuses_what_is_no_call)
{
    snapcell_cell *cell = fixture_load(loader, "streamer", NULL);
    peer self = {.input = "abc"};
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_stream stream = peer_stream(&self);
    request.method = "GET";
    expect_usage(cell, &request, &stream, "a GET request cannot have a body");
    request.method = "POST";
    request.body = "x";
    request.body_size_bytes = 1;
    expect_usage(cell, &request, &stream, "one of the two must be NULL");
    stream.write = NULL;
    expect_usage(cell, &request, &stream, "snapcell_stream.write is NULL");
    expect_usage(cell, NULL, NULL, "snapcell_stream.write is NULL");
    stream.struct_size = 1;
    expect_usage(cell, &request, &stream, "snapcell_stream.struct_size is 1");
    snapcell_cell_dispose(cell);

    snapcell_cell *event = fixture_load(loader, "event", NULL);
    peer none = {0};
    ck_assert_int_eq(call(event, "/", &none, true, NULL), SNAPCELL_E_WRONG_SHAPE);
    snapcell_cell_dispose(event);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("cell_stream");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_bodies_come_and_go_in_turn);
    tcase_add_test(tcase, test_bodies_are_read_in_every_way);
    tcase_add_test(tcase, test_whole_answers_and_none);
    tcase_add_test(tcase, test_slow_ends_without_a_wait);
    tcase_add_test(tcase, test_timers_run_while_a_body_is_late);
    tcase_add_test(tcase, test_body_ends_before_waitUntil);
    tcase_add_test(tcase, test_big_bodies_take_constant_memory);
    tcase_add_test(tcase, test_a_whole_body_counts_for_the_limit);
    tcase_add_test(tcase, test_request_breaks_off);
    tcase_add_test(tcase, test_reader_is_gone);
    tcase_add_test(tcase, test_nobody_wants_the_body);
    tcase_add_test(tcase, test_head_has_no_body);
    tcase_add_test(tcase, test_cancel_that_throws_is_told);
    tcase_add_test(tcase, test_stream_breaks_after_the_head);
    tcase_add_test(tcase, test_failures_before_the_head);
    tcase_add_test(tcase, test_chunks_taken_away_meanwhile);
    tcase_add_test(tcase, test_kept_body_does_not_read_another_call);
    tcase_add_test(tcase, test_read_that_is_left_behind);
    tcase_add_test(tcase, test_limits_hold_while_the_other_side_is_slow);
    tcase_add_test(tcase, test_refuses_what_is_no_call);
    Suite *suite = suite_create("cell_stream");
    return fixture_run(suite, tcase);
}
