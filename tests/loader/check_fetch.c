/* fetch(): what functions see of a client of the embedder's, and what it sees of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_client.h"
#include "fixture.h"

/* Runs the code that the event holds, with `at`, a way to the fake server. */
static const char runner_source[] =
    "const Code = (async () => {}).constructor;\n"
    "const at = path => `http://fake.test${path}`;\n"
    "const why = async promise => {\n"
    "    try { return `no error: ${await promise}`; }\n"
    "    catch (e) { return `${e.name}: ${e.message} [${e.cause?.code ?? e.cause?.message}]`; }\n"
    "};\n"
    "const bytes = n => new Uint8Array(n).map((_, i) => i % 251);\n"
    "const stream = (...chunks) => new ReadableStream({\n"
    "    pull(c) { chunks.length ? c.enqueue(chunks.shift()) : c.close(); } });\n"
    "export default async (event, context) => {\n"
    "    const code = new Code('at', 'why', 'bytes', 'stream', 'context', event.code);\n"
    "    return code(at, why, bytes, stream, context);\n"
    "};\n";

static snapcell_loader *loader;
static snapcell_cell *cell;

static void make_store(void)
{
    static const fixture_function functions[] = {{"runner", runner_source, NULL}};
    fixture_new_store();
    fixture_compile(functions, 1, NULL);
}

static void open_with(const snapcell_fetch_client *client)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.fetch_client = client;
    loader = fixture_open_with(&options);
    cell = fixture_load(loader, "runner", NULL);
}

static void setup(void)
{
    fake_client_reset();
    open_with(&fake_client);
}

static void teardown(void)
{
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}

/* The code as an event; Owned, free(). */
static char *event_of(const char *code)
{
    char *event = malloc(2 * strlen(code) + 32);
    char *at = event + sprintf(event, "{\"code\":\"");
    for (const char *c = code; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') *at++ = '\\';
        *at++ = *c;
    }
    strcpy(at, "\"}");
    return event;
}

static void expect(const char *code, const char *result)
{
    char *event = event_of(code);
    char *json = NULL;
    snapcell_error err = {0};
    int status = snapcell_cell_invoke(cell, event, &json, NULL, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s\n%s\n%s", code, err.message, err.stack);
    ck_assert_msg(strcmp(json, result) == 0, "%s\nexpected %s\ngot      %s", code, result, json);
    free(json);
    free(event);
}

static int invoke_failing(const char *code, snapcell_error *err)
{
    char *event = event_of(code);
    char *json = NULL;
    int status = snapcell_cell_invoke(cell, event, &json, NULL, err);
    ck_assert_ptr_null(json);
    free(event);
    return status;
}

/* --- Answers --- */

static const struct {
    const char *code;
    const char *result;
} answers[] = {
    {"const r = await fetch(at('/a?b#c')); return [r.status, r.statusText, r.url, r.redirected, "
     "r.type, r.ok, r.headers.get('x-path'), await r.text()]",
     "[200,\"Fine\",\"http://fake.test/a?b\",false,\"basic\",true,\"/a?b\",\"/a?b\"]"},
    {"return (await fetch(new Request(at('/status/404')))).status", "404"},
    {"return (await fetch(new URL(at('/x')))).headers.get('X-PATH')", "\"/x\""},
    {"const r = await fetch(at('/x')); r.headers.set('a', 'b')", NULL},
    {"const r = await fetch(at('/status/204')); return [r.status, r.body, await r.text()]",
     "[204,null,\"\"]"},
    {"const r = await fetch(at('/x'), {method: 'HEAD'}); return [r.body, await r.text()]",
     "[null,\"\"]"},
    {"const r = await fetch(at('/big/300000')); return (await r.text()).length", "300000"},
    {"const r = (await fetch(at('/big/300000'))).clone(); return (await r.bytes()).length",
     "300000"},
    {"const r = await fetch(at('/big/300000')); const m = r.body.getReader({mode: 'byob'}); "
     "let n = 0; for (;;) { const {done, value} = await m.read(new Uint8Array(1000)); "
     "if (done) return n; n += value.length; }",
     "300000"},
    {"const r = await fetch(at('/big/10000000')); const m = r.body.getReader(); await m.read(); "
     "await m.cancel(); return 1",
     "1"},
    /* Bodies of requests. */
    {"return (await fetch(at('/echo'), {method: 'POST', body: 'caf\xc3\xa9'})).text()",
     "\"caf\xc3\xa9\""},
    {"return (await fetch(at('/echo'), {method: 'POST'})).text()", "\"\""},
    {"const b = bytes(200000); const r = await fetch(at('/echo'), {method: 'PUT', body: b}); "
     "const c = await r.bytes(); return c.length === b.length && c.every((x, i) => x === b[i])",
     "true"},
    {"const b = bytes(200000); const r = await fetch(at('/echo'), {method: 'POST', duplex: 'half', "
     "body: stream(b, new Uint8Array(0), b)}); const c = await r.bytes(); "
     "return c.length === 400000 && c.every((x, i) => x === b[i % 200000])",
     "true"},
    {"const f = new FormData(); f.set('a', 'b'); "
     "const r = await fetch(at('/echo'), {method: 'POST', body: f}); "
     "return (await r.text()).includes('form-data; name=')",
     "true"},
    {"const q = new Request(at('/echo'), {method: 'POST', body: 'x'}); await fetch(q); "
     "return q.bodyUsed",
     "true"},
    /* Many at once. */
    {"const all = Array.from({length: 50}, (_, i) => fetch(at('/big/' + (i * 1000 + 1)))"
     ".then(r => r.text())); return (await Promise.all(all)).reduce((n, t) => n + t.length, 0)",
     "1225050"},
    /* Redirects. */
    {"const r = await fetch(at('/redirect/302//next#h')); return [r.redirected, r.url]",
     "[true,\"http://fake.test/next\"]"},
    {"const r = await fetch(at('/redirect/302//x'), {redirect: 'manual'}); "
     "return [r.status, r.headers.get('location'), await r.text()]",
     "[302,\"/x\",\"moved\"]"},
    {"return why(fetch(at('/redirect/302//x'), {redirect: 'error'}))",
     "\"TypeError: fetch: GET http://fake.test/redirect/302//x: it redirects (302), and redirect "
     "is \\\"error\\\" [it redirects (302), and redirect is \\\"error\\\"]\""},
    {"return why(fetch(at('/redirect/301/ftp://x/')))",
     "\"TypeError: fetch: GET http://fake.test/redirect/301/ftp://x/: it redirects to a URL with "
     "the scheme \\\"ftp:\\\" [it redirects to a URL with the scheme \\\"ftp:\\\"]\""},
    {"return why(fetch(at('/redirect/307//echo'), {method: 'POST', body: stream(bytes(1)), "
     "duplex: 'half'})).then(t => t.includes('cannot be sent again'))",
     "true"},
    {"return (await fetch(at('/redirect/307//echo'), {method: 'POST', body: 'again'})).text()",
     "\"again\""},
    {"return (await fetch(at('/redirect/302//echo'), {method: 'POST', body: 'gone'})).text()",
     "\"\""},
    {"return (await fetch(at('/redirect/303//echo'), {method: 'PUT', body: 'gone'})).text()",
     "\"\""},
    {"return (await fetch(at('/redirect/302//echo'), {method: 'PUT', body: 'kept'})).text()",
     "\"kept\""},
    /* Failures. */
    {"return why(fetch(at('/fail?secret')))",
     "\"TypeError: fetch: GET http://fake.test/fail: nobody listens [ECONNREFUSED]\""},
    {"return why(fetch(at('/empty')))",
     "\"TypeError: fetch: GET http://fake.test/empty: the client ended it without a response "
     "[the client ended it without a response]\""},
    {"return why(fetch(at('/refuse')))",
     "\"TypeError: fetch: GET http://fake.test/refuse: this host is not allowed [this host is not "
     "allowed]\""},
    {"const r = await fetch(at('/reset')); return why(r.text())",
     "\"TypeError: fetch: GET http://fake.test/reset: the connection was reset [ECONNRESET]\""},
    {"return why(fetch('ftp://x/'))",
     "\"TypeError: fetch: a URL with the scheme \\\"ftp:\\\" cannot be fetched [undefined]\""},
    {"return why(fetch('http://x:25/'))",
     "\"TypeError: fetch: port 25 of x is not one of the web's [undefined]\""},
    {"return why(fetch('/relative')).then(t => t.slice(0, 9))", "\"TypeError\""},
    {"return why(fetch()).then(t => t.slice(0, 9))", "\"TypeError\""},
    {"return why(fetch(at('/x'), {headers: {a: 'b\\r\\nc: d'}})).then(t => t.slice(0, 9))",
     "\"TypeError\""},
    {"return why(fetch(at('/x'), {integrity: 'sha256-x'})).then(t => t.slice(0, 9))",
     "\"TypeError\""},
    {"return why(fetch(at('/echo'), {method: 'POST', body: stream('text'), duplex: 'half'}))",
     "\"TypeError: fetch: a chunk of the request's body is not a Uint8Array [undefined]\""},
    {"return why(fetch(at('/echo'), {method: 'POST', duplex: 'half', "
     "body: new ReadableStream({pull() { throw new RangeError('mine'); }})}))",
     "\"RangeError: mine [undefined]\""},
    /* Aborting. */
    {"return why(fetch(at('/x'), {signal: AbortSignal.abort()}))",
     "\"AbortError: This operation was aborted [undefined]\""},
    {"return why(fetch(at('/silent'), {signal: AbortSignal.timeout(5)}))",
     "\"TimeoutError: The operation timed out [undefined]\""},
    {"const c = new AbortController(); const r = await fetch(at('/stall'), {signal: c.signal}); "
     "const m = r.body.getReader(); const first = await m.read(); setTimeout(() => c.abort(), 5); "
     "return [first.value.length, await why(m.read())]",
     "[4,\"AbortError: This operation was aborted [undefined]\"]"},
    {"const c = new AbortController(); const r = await fetch(at('/x'), {signal: c.signal}); "
     "const t = await r.text(); c.abort(); return t",
     "\"/x\""},
    {"const c = new AbortController(); let reason; const body = new ReadableStream({"
     "pull() {}, cancel(r) { reason = r.name; }}); setTimeout(() => c.abort(), 5); "
     "const t = await why(fetch(at('/echo'), {method: 'POST', body, duplex: 'half', "
     "signal: c.signal})); return [t.slice(0, 10), reason]",
     "[\"AbortError\",\"AbortError\"]"},
    /* data: URLs need no client. */
    {"const r = await fetch('data:text/html;charset=x,a%20b#c'); "
     "return [r.status, r.headers.get('content-type'), await r.text(), r.url]",
     "[200,\"text/html;charset=x\",\"a b\",\"data:text/html;charset=x,a%20b\"]"},
    {"const r = await fetch('data:;base64,aGk='); "
     "return [r.headers.get('content-type'), await r.text()]",
     "[\"text/plain;charset=US-ASCII\",\"hi\"]"},
    {"return why(fetch('data:;base64,a')).then(t => t.slice(0, 9))", "\"TypeError\""},
    {"return why(fetch('data:nothing')).then(t => t.slice(0, 9))", "\"TypeError\""},
};

START_TEST(test_function_sees)
{
    if (answers[_i].result != NULL) {
        expect(answers[_i].code, answers[_i].result);
    } else {
        snapcell_error err = {0};
        ck_assert_int_eq(invoke_failing(answers[_i].code, &err), SNAPCELL_E_SCRIPT);
    }
    fake_counts counts = fake_client_counts();
    ck_assert_uint_eq(counts.closed, counts.started);
    ck_assert_uint_le(counts.most_ahead, 2 * SNAPCELL_FETCH_WINDOW_BYTES);
}
END_TEST

/* --- What the client sees --- */

static void expect_sent(const char *code, const char *request)
{
    snapcell_error err = {0};
    char *event = event_of(code);
    char *json = NULL;
    int status = snapcell_cell_invoke(cell, event, &json, NULL, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s\n%s", code, err.message);
    free(json);
    free(event);
    ck_assert_str_eq(fake_client_counts().last, request);
}

START_TEST(test_client_sees_requests)
{
    expect_sent("await fetch(at('/p?q#f'))",
                "GET http://fake.test/p?q\naccept: */*\nuser-agent: snapcell\n");
    expect_sent(
        "await fetch(at('/'), {method: 'post', body: 'x', headers: {Accept: 'a', "
        "'User-Agent': 'u', Host: 'other', Connection: 'close', TE: 'x', a: 'caf\\u00e9'}})",
        "POST http://fake.test/\na: caf\xe9\naccept: a\ncontent-type: "
        "text/plain;charset=UTF-8\nuser-agent: u\n");
}
END_TEST

START_TEST(test_redirect_takes_headers_along)
{
    static const char options[] = ", {method: 'POST', body: 'x', headers: {authorization: 'a', "
                                  "cookie: 'c', accept: '*', 'user-agent': 'u', x: 'y'}})";
    char code[512];
    snprintf(code, sizeof(code), "await fetch(at('/redirect/307//same')%s", options);
    expect_sent(code, "POST http://fake.test/same\naccept: *\nauthorization: a\ncontent-type: "
                      "text/plain;charset=UTF-8\ncookie: c\nuser-agent: u\nx: y\n");
    snprintf(code, sizeof(code), "await fetch(at('/redirect/307/http://other.test/x')%s", options);
    expect_sent(code, "POST http://other.test/x\naccept: *\ncontent-type: "
                      "text/plain;charset=UTF-8\nuser-agent: u\nx: y\n");
    snprintf(code, sizeof(code), "await fetch(at('/redirect/303//same')%s", options);
    expect_sent(code, "GET http://fake.test/same\naccept: *\nauthorization: a\ncookie: c\n"
                      "user-agent: u\nx: y\n");
}
END_TEST

START_TEST(test_redirects_end_after_twenty)
{
    expect(
        "return why(fetch(at('/redirect/302/'))).then(t => t.includes('more than 20 redirects'))",
        "true");
    ck_assert_uint_eq(fake_client_counts().started, 21);
}
END_TEST

/* --- Limits, and the end of a call --- */

START_TEST(test_wall_limit_ends_a_wait)
{
    snapcell_cell_dispose(cell);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.wall_limit_ms = 400; /* it holds for the load, too */
    cell = fixture_load(loader, "runner", &options);
    snapcell_error err = {0};
    const char *const codes[] = {"await fetch(at('/silent'))",
                                 "await (await fetch(at('/stall'))).text()"};
    ck_assert_int_eq(invoke_failing(codes[_i], &err), SNAPCELL_E_WALL_LIMIT);
    fake_counts counts = fake_client_counts();
    ck_assert_uint_eq(counts.closed, 1);
    ck_assert_uint_eq(counts.given_up, 1);
}
END_TEST

START_TEST(test_memory_limit_counts_bodies)
{
    snapcell_cell_dispose(cell);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = 16 << 20;
    cell = fixture_load(loader, "runner", &options);
    snapcell_error err = {0};
    const char *const codes[] = {
        "await (await fetch(at('/big/100000000'))).bytes()",
        "await Promise.all(Array.from({length: 200}, () => fetch(at('/silent'))))"};
    ck_assert_int_eq(invoke_failing(codes[_i], &err), SNAPCELL_E_MEMORY_LIMIT);
    fake_counts counts = fake_client_counts();
    ck_assert_uint_eq(counts.closed, counts.started);
}
END_TEST

/* As many bytes as never fit into the limit at once go through. */
START_TEST(test_streams_take_little_memory)
{
    snapcell_cell_dispose(cell);
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = 16 << 20;
    cell = fixture_load(loader, "runner", &options);
    expect("let n = 0; for await (const c of (await fetch(at('/big/50000000'))).body) "
           "n += c.length; return n",
           "50000000");
    /* What was read just now counts until the client is told. */
    ck_assert_uint_le(fake_client_counts().most_ahead, 2 * SNAPCELL_FETCH_WINDOW_BYTES);
}
END_TEST

START_TEST(test_end_of_the_call_gives_up_what_is_not_awaited)
{
    expect("globalThis.kept = (await fetch(at('/stall'))).body.getReader(); "
           "fetch(at('/silent')).catch(() => {}); return (await kept.read()).value.length",
           "4");
    fake_counts counts = fake_client_counts();
    ck_assert_uint_eq(counts.started, 2);
    ck_assert_uint_eq(counts.given_up, 2);
    expect("return why(kept.read()).then(t => t.includes('waitUntil'))", "true");
}
END_TEST

START_TEST(test_waitUntil_goes_on)
{
    expect("context.waitUntil(fetch(at('/x')).then(r => r.text()).then(t => globalThis.late = t)); "
           "return 1",
           "1");
    expect("return late", "\"/x\"");
}
END_TEST

START_TEST(test_promise_that_waits_for_nothing_is_told)
{
    snapcell_error err = {0};
    ck_assert_int_eq(invoke_failing("await fetch(at('/stall')); await new Promise(() => {})", &err),
                     SNAPCELL_E_SCRIPT);
    ck_assert_ptr_nonnull(strstr(err.message, "never be settled"));
    ck_assert_uint_eq(fake_client_counts().given_up, 1);
}
END_TEST

/* --- Without a client, and at build time --- */

START_TEST(test_without_a_client)
{
    teardown();
    open_with(NULL);
    expect("return why(fetch(at('/x')))",
           "\"TypeError: fetch: GET http://fake.test/x: this function was given no network: name "
           "the host with `run --allow-net HOST`, or set fetch_client of snapcell_loader_options "
           "[this function was given no network: name the host with `run --allow-net HOST`, or set "
           "fetch_client of snapcell_loader_options]\"");
    expect("return (await fetch('data:,x')).text()", "\"x\"");
}
END_TEST

START_TEST(test_client_must_be_whole)
{
    snapcell_fetch_client clients[5];
    for (int i = 0; i < 5; i++)
        clients[i] = fake_client;
    clients[0].start = NULL;
    clients[1].send = NULL;
    clients[2].read = NULL;
    clients[3].close = NULL;
    clients[4].struct_size = 0;
    for (int i = 0; i < 5; i++) {
        snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
        snapcell_loader *refused = NULL;
        snapcell_error err = {0};
        options.fetch_client = &clients[i];
        options.store_path = "/nonexistent";
        ck_assert_int_eq(snapcell_loader_open(&options, &refused, &err), SNAPCELL_E_USAGE);
        ck_assert_ptr_nonnull(strstr(err.message, "snapcell_fetch_client"));
    }
}
END_TEST

static int compile(const char *source, const snapcell_request *warm, snapcell_error *err)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.warm = warm;
    options.warm_count = warm != NULL;
    snapcell_compiled *compiled = NULL;
    int status = snapcell_compile_memory("top.mjs", source, strlen(source), NULL, 0, &options,
                                         &compiled, err);
    snapcell_compiled_free(compiled);
    return status;
}

START_TEST(test_top_level_is_an_error_with_a_place)
{
    static const char *const sources[] = {
        "let x;\nx = await fetch('http://x.test/');\nexport default () => x;\n",
        "let x;\nx = fetch('http://x.test/').catch(() => 'fallback');\nexport default () => x;\n",
        "let x;\nx = await fetch('http://x.test/').catch(() => 'fallback');\nexport default () => "
        "x;\n",
    };
    snapcell_error err = {0};
    ck_assert_int_eq(compile(sources[_i], NULL, &err), SNAPCELL_E_SCRIPT);
    ck_assert_msg(strstr(err.message, "at top level") != NULL, "%s", err.message);
    ck_assert_str_eq(err.file, "top.mjs");
    ck_assert_uint_eq(err.line, 2);
    ck_assert_uint_gt(err.column, 4);
}
END_TEST

START_TEST(test_top_level_may_read_data_urls)
{
    snapcell_error err = {0};
    ck_assert_int_eq(compile("const x = await (await fetch('data:,x')).text();\n"
                             "export default () => x;\n",
                             NULL, &err),
                     SNAPCELL_OK);
}
END_TEST

START_TEST(test_warm_up_has_no_network)
{
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    snapcell_error err = {0};
    ck_assert_int_eq(
        compile("export default { fetch: () => fetch('http://x.test/') };\n", &warm, &err),
        SNAPCELL_E_SCRIPT);
    ck_assert_msg(strstr(err.message, "warm-up request") != NULL, "%s", err.message);
    ck_assert_int_eq(compile("export default { fetch: () => fetch('http://x.test/')"
                             ".catch(() => new Response('fallback')) };\n",
                             &warm, &err),
                     SNAPCELL_OK);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("fetch");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_function_sees, 0, (int)(sizeof(answers) / sizeof(*answers)));
    tcase_add_test(tcase, test_client_sees_requests);
    tcase_add_test(tcase, test_redirect_takes_headers_along);
    tcase_add_test(tcase, test_redirects_end_after_twenty);
    tcase_add_loop_test(tcase, test_wall_limit_ends_a_wait, 0, 2);
    tcase_add_loop_test(tcase, test_memory_limit_counts_bodies, 0, 2);
    tcase_add_test(tcase, test_streams_take_little_memory);
    tcase_add_test(tcase, test_end_of_the_call_gives_up_what_is_not_awaited);
    tcase_add_test(tcase, test_waitUntil_goes_on);
    tcase_add_test(tcase, test_promise_that_waits_for_nothing_is_told);
    tcase_add_test(tcase, test_without_a_client);
    tcase_add_test(tcase, test_client_must_be_whole);
    tcase_add_loop_test(tcase, test_top_level_is_an_error_with_a_place, 0, 3);
    tcase_add_test(tcase, test_top_level_may_read_data_urls);
    tcase_add_test(tcase, test_warm_up_has_no_network);
    return fixture_run(suite_create("fetch"), tcase);
}
