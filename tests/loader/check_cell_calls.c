/* What functions see and give back: requests, events, env, console, errors, host functions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* --- Host functions: one table for the compiler, one for the loader --- */

static const char *const value_type_names[] = {"undefined", "null",  "boolean", "number",
                                               "string",    "bytes", "json"};

/* describe(value): "TYPE:TEXT" as the host saw it. */
static int host_describe(void *user, snapcell_host_call *call)
{
    (void)user;
    snapcell_value value = snapcell_host_argument(call, 0);
    char text[256];
    int size = snprintf(text, sizeof(text), "%zu:%s:", snapcell_host_argument_count(call),
                        value_type_names[value.type]);
    if (value.type == SNAPCELL_VALUE_BOOLEAN)
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%d", value.boolean);
    else if (value.type == SNAPCELL_VALUE_NUMBER)
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%g", value.number);
    else if (value.type >= SNAPCELL_VALUE_STRING && value.data[value.size_bytes] == '\0')
        for (size_t i = 0; i < value.size_bytes; i++)
            size += snprintf(text + size, sizeof(text) - (size_t)size,
                             value.data[i] >= ' ' && value.data[i] <= '~' ? "%c" : "<%02x>",
                             (unsigned char)value.data[i]);
    snapcell_value result = {
        .type = SNAPCELL_VALUE_STRING, .data = text, .size_bytes = (size_t)size};
    return snapcell_host_return(call, &result, NULL) == SNAPCELL_OK ? 0 : -1;
}

/* make(n): a value of type n. */
static int host_make(void *user, snapcell_host_call *call)
{
    (void)user;
    snapcell_value value = {.type = (snapcell_value_type)snapcell_host_argument(call, 0).number,
                            .boolean = true,
                            .number = 2.5};
    if (value.type == SNAPCELL_VALUE_STRING) value.data = "caf\xc3\xa9";
    if (value.type == SNAPCELL_VALUE_BYTES) value.data = "\x01\x02\xff";
    if (value.type == SNAPCELL_VALUE_JSON) value.data = "{\"a\":[1,null]}";
    if (value.data != NULL) value.size_bytes = strlen(value.data);
    return snapcell_host_return(call, &value, NULL) == SNAPCELL_OK ? 0 : -1;
}

static int host_fail(void *user, snapcell_host_call *call)
{
    (void)user;
    return snapcell_host_throw(call, "the table is gone");
}

/* stage(): "build" or "run". */
static int host_stage(void *user, snapcell_host_call *call)
{
    snapcell_value result = {
        .type = SNAPCELL_VALUE_STRING, .data = user, .size_bytes = strlen(user)};
    return snapcell_host_return(call, &result, NULL) == SNAPCELL_OK ? 0 : -1;
}

static snapcell_host *make_host(const char *stage)
{
    static char stages[2][8] = {"build", "run"};
    snapcell_host *host = NULL;
    if (snapcell_host_new(&host, NULL) != SNAPCELL_OK ||
        snapcell_host_add(host, "describe", host_describe, NULL, NULL) != SNAPCELL_OK ||
        snapcell_host_add(host, "make", host_make, NULL, NULL) != SNAPCELL_OK ||
        snapcell_host_add(host, "fail", host_fail, NULL, NULL) != SNAPCELL_OK ||
        snapcell_host_add(host, "stage", host_stage, stages[strcmp(stage, "run") == 0], NULL) !=
            SNAPCELL_OK)
        abort();
    return host;
}

/* --- The functions --- */

static const char fetcher_source[] =
    "let count = 0;\n"
    "export default { async fetch(request, env, ctx) {\n"
    "  const path = request.url.replace('http://localhost', '');\n"
    "  switch (path) {\n"
    "  case '/': return new Response('hello');\n"
    "  case '/count': return new Response(String(++count));\n"
    "  case '/env': return new Response(JSON.stringify(env));\n"
    "  case '/echo': return new Response(request.method + ' ' + request.headers.get('x-in') + ' ' "
    "+\n"
    "      await request.text(), { status: 201, headers: { 'x-out': 'yes' } });\n"
    "  case '/log': console.debug('d'); console.log('one', 2); console.warn('w');\n"
    "      console.error('e'); return new Response('');\n"
    "  case '/timer': return new Promise(r => setTimeout(() => r(new Response('late')), 5));\n"
    "  case '/throw': throw new TypeError('no good');\n"
    "  case '/reject': await null; return Promise.reject(new RangeError('too far'));\n"
    "  case '/nothing': return undefined;\n"
    "  case '/never': return new Promise(() => {});\n"
    "  case '/deep': return (function f() { return f() + 1; })();\n"
    "  }\n"
    "  return new Response('no such page', { status: 404 });\n"
    "} };\n";

/* Line 1 of the bundle is line 10 of src/orig.ts. */
static const char mapped_source[] = "export default { fetch() { throw new Error('boom'); } };\n";
static const char mapped_map[] =
    "{\"version\":3,\"sources\":[\"src/orig.ts\"],\"names\":[],\"mappings\":\"AASE\"}";

static const char adder_source[] = "export default function handler(event, context) {\n"
                                   "  if (event.fail) throw new Error('asked to fail');\n"
                                   "  if (event.nothing) return;\n"
                                   "  return { sum: (event.a ?? 0) + (event.b ?? 0) };\n"
                                   "}\n";

static const char host_source[] =
    "const at = stage();\n"
    "export default function handler(event) {\n"
    "  if (event.at) return [at, stage()];\n"
    "  if (event.fail) { try { fail(); } catch (e) { return [e instanceof Error, e.message]; } }\n"
    "  if (event.uncaught) fail();\n"
    "  if (event.make !== undefined) {\n"
    "    const v = make(event.make);\n"
    "    return [typeof v, v instanceof ArrayBuffer || ArrayBuffer.isView(v)\n"
    "      ? [...new Uint8Array(v.buffer ?? v)] : v ?? String(v)];\n"
    "  }\n"
    "  return [describe(), describe(undefined), describe(null), describe(true), describe(1.5),\n"
    "    describe('a\\u00e9'), describe(new Uint8Array([1, 65])),\n"
    "    describe(new Uint8Array([0, 1, 2]).subarray(1)), describe(new Uint8Array([7]).buffer),\n"
    "    describe({ a: [1] }), describe([2]), describe(1, 2, 3)];\n"
    "}\n";

/* A random value of the top level must be fresh in each instance: no snapshot, a `code` artifact.
 */
static const char code_source[] = "const id = crypto.randomUUID();\n"
                                  "export default { fetch() { return new Response(id); } };\n";
static const char code_late_source[] = "const id = crypto.randomUUID();\n"
                                       "if (stage() === 'run') throw new Error('late failure');\n"
                                       "export default { fetch() { return new Response(id); } };\n";

static void make_store(void)
{
    static const fixture_function plain[] = {
        {"fetcher", fetcher_source, NULL},
        {"mapped", mapped_source, mapped_map},
        {"adder", adder_source, NULL},
        {"code", code_source, NULL},
    };
    static const fixture_function hosted[] = {
        {"hosted", host_source, NULL},
        {"code-late", code_late_source, NULL},
    };
    fixture_new_store();
    snapcell_host *host = make_host("build");
    fixture_compile(plain, sizeof(plain) / sizeof(*plain), NULL);
    fixture_compile(hosted, sizeof(hosted) / sizeof(*hosted), host);
    snapcell_host_free(host);
}

/* --- Helpers --- */

static snapcell_loader *loader;

static void setup(void)
{
    loader = fixture_open(NULL, NULL, NULL);
}

static void teardown(void)
{
    snapcell_loader_close(loader);
}

static void expect_failure(snapcell_cell *cell, const char *url, int code, snapcell_error *err)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = url;
    snapcell_response *response = (snapcell_response *)&request;
    int status = snapcell_cell_fetch(cell, &request, &response, err);
    ck_assert_msg(status == code, "%s: expected %s, got %s: %s", url, snapcell_error_name(code),
                  snapcell_error_name(status), err->message);
    ck_assert_int_eq(err->code, code);
    ck_assert_ptr_null(response);
}

static void expect_in(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in: %s", part, text);
}

/* --- Requests --- */

START_TEST(test_fetch_answers)
{
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    fixture_expect_response(cell, "/", 200, "hello");
    fixture_expect_response(cell, "http://localhost/", 200, "hello");
    fixture_expect_response(cell, NULL, 200, "hello");
    fixture_expect_response(cell, "/elsewhere", 404, "no such page");
    fixture_expect_response(cell, "/timer", 200, "late");
    snapcell_response *response = NULL;
    ck_assert_int_eq(snapcell_cell_fetch(cell, NULL, &response, NULL), SNAPCELL_OK);
    ck_assert_str_eq(snapcell_response_body(response, NULL), "hello");
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_name_key_and_prefix_load_the_same)
{
    snapcell_cell *by_name = fixture_load(loader, "fetcher", NULL);
    char key[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&snapcell_cell_info(by_name)->key, key);
    snapcell_cell *by_key = fixture_load(loader, key, NULL);
    key[12] = '\0';
    snapcell_cell *by_prefix = fixture_load(loader, key, NULL);
    fixture_expect_response(by_key, "/", 200, "hello");
    fixture_expect_response(by_prefix, "/", 200, "hello");
    ck_assert_str_eq(snapcell_cell_info(by_prefix)->name, "fetcher");
    ck_assert_int_eq(snapcell_cell_info(by_prefix)->kind, SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_ptr_null(snapcell_cell_info(by_prefix)->manifest);
    snapcell_cell_dispose(by_name);
    snapcell_cell_dispose(by_key);
    snapcell_cell_dispose(by_prefix);
}
END_TEST

START_TEST(test_state_is_a_cells_own)
{
    snapcell_cell *first = fixture_load(loader, "fetcher", NULL);
    snapcell_cell *second = fixture_load(loader, "fetcher", NULL);
    fixture_expect_response(first, "/count", 200, "1");
    fixture_expect_response(first, "/count", 200, "2");
    fixture_expect_response(second, "/count", 200, "1");
    snapcell_cell_dispose(first);
    fixture_expect_response(second, "/count", 200, "2");
    snapcell_cell_dispose(second);
}
END_TEST

START_TEST(test_method_headers_and_body_go_both_ways)
{
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    snapcell_header header = {"X-In", "7"};
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.method = "PUT";
    request.url = "/echo";
    request.headers = &header;
    request.header_count = 1;
    request.body = "caf\xc3\xa9";
    request.body_size_bytes = 5;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    ck_assert_msg(snapcell_cell_fetch(cell, &request, &response, &err) == SNAPCELL_OK, "%s",
                  err.message);
    ck_assert_int_eq(snapcell_response_status(response), 201);
    ck_assert_str_eq(snapcell_response_body(response, NULL), "PUT 7 caf\xc3\xa9");
    bool found = false;
    for (size_t i = 0; i < snapcell_response_header_count(response); i++)
        found |= strcmp(snapcell_response_header(response, i).name, "x-out") == 0 &&
                 strcmp(snapcell_response_header(response, i).value, "yes") == 0;
    ck_assert(found);
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
}
END_TEST

/* A caller built when the struct ended after `url` has nothing but garbage there. */
START_TEST(test_request_of_an_older_caller_is_taken)
{
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    snapcell_request request;
    memset(&request, 0xff, sizeof(request));
    request.struct_size = offsetof(snapcell_request, headers);
    request.method = "GET";
    request.url = "/";
    snapcell_response *response = NULL;
    ck_assert_int_eq(snapcell_cell_fetch(cell, &request, &response, NULL), SNAPCELL_OK);
    snapcell_response_free(response);
    request.struct_size = 0;
    ck_assert_int_eq(snapcell_cell_fetch(cell, &request, &response, NULL), SNAPCELL_E_USAGE);
    ck_assert_ptr_null(response);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_request_that_is_none_is_refused)
{
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    snapcell_response *response = NULL;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.method = "GET IT";
    ck_assert_int_eq(snapcell_cell_fetch(cell, &request, &response, NULL), SNAPCELL_E_USAGE);
    request.method = NULL;
    request.header_count = 1;
    ck_assert_int_eq(snapcell_cell_fetch(cell, &request, &response, NULL), SNAPCELL_E_USAGE);
    fixture_expect_response(cell, "/", 200, "hello"); /* the cell is none the worse */
    snapcell_cell_dispose(cell);
}
END_TEST

/* --- Events --- */

START_TEST(test_invoke_answers)
{
    snapcell_cell *cell = fixture_load(loader, "adder", NULL);
    fixture_expect_result(cell, "{\"a\":1,\"b\":2}", "{\"sum\":3}");
    fixture_expect_result(cell, NULL, "{\"sum\":0}");
    fixture_expect_result(cell, "{\"nothing\":true}", "null");
    char *result = NULL;
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &result, NULL, NULL), SNAPCELL_OK);
    free(result);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_event_that_is_no_json_is_refused)
{
    snapcell_cell *cell = fixture_load(loader, "adder", NULL);
    char *result = (char *)&cell;
    size_t size = 9;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{a:1}", &result, &size, &err), SNAPCELL_E_USAGE);
    expect_in(err.message, "JSON");
    ck_assert_ptr_null(result);
    ck_assert_uint_eq(size, 0);
    fixture_expect_result(cell, "{\"a\":1}", "{\"sum\":1}");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_wrong_shape_is_refused_both_ways)
{
    snapcell_cell *fetcher = fixture_load(loader, "fetcher", NULL);
    snapcell_cell *adder = fixture_load(loader, "adder", NULL);
    snapcell_error err = {0};
    char *result = NULL;
    ck_assert_int_eq(snapcell_cell_invoke(fetcher, "{}", &result, NULL, &err),
                     SNAPCELL_E_WRONG_SHAPE);
    expect_in(err.message, "fetcher");
    expect_failure(adder, "/", SNAPCELL_E_WRONG_SHAPE, &err);
    expect_in(err.message, "adder");
    fixture_expect_response(fetcher, "/", 200, "hello");
    fixture_expect_result(adder, "{}", "{\"sum\":0}");
    snapcell_cell_dispose(fetcher);
    snapcell_cell_dispose(adder);
}
END_TEST

/* --- env --- */

START_TEST(test_env_is_given)
{
    const snapcell_env env[] = {{"GREETING", "gr\xc3\xbc\xc3\x9f dich"}, {"EMPTY", ""}};
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env = env;
    options.env_count = 2;
    snapcell_cell *cell = fixture_load(loader, "fetcher", &options);
    fixture_expect_response(cell, "/env", 200,
                            "{\"GREETING\":\"gr\xc3\xbc\xc3\x9f dich\",\"EMPTY\":\"\"}");
    snapcell_cell_dispose(cell);
    cell = fixture_load(loader, "fetcher", NULL);
    fixture_expect_response(cell, "/env", 200, "{}");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_env_without_names_or_values_is_refused)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_cell *cell = NULL;
    options.env_count = 1;
    ck_assert_int_eq(snapcell_cell_load(loader, "fetcher", &options, &cell, NULL),
                     SNAPCELL_E_USAGE);
    snapcell_env env[] = {{"A", "1"}, {"B", NULL}};
    options.env = env;
    options.env_count = 2;
    ck_assert_int_eq(snapcell_cell_load(loader, "fetcher", &options, &cell, NULL),
                     SNAPCELL_E_USAGE);
    env[1] = (snapcell_env){NULL, "1"};
    ck_assert_int_eq(snapcell_cell_load(loader, "fetcher", &options, &cell, NULL),
                     SNAPCELL_E_USAGE);
    ck_assert_ptr_null(cell);
}
END_TEST

/* --- Errors --- */

START_TEST(test_script_error_has_place_and_stack)
{
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    snapcell_error err = {0};
    expect_failure(cell, "/throw", SNAPCELL_E_SCRIPT, &err);
    expect_in(err.message, "TypeError: no good");
    ck_assert_str_eq(err.file, "fetcher.js");
    ck_assert_uint_eq(err.line, 13);
    ck_assert_uint_gt(err.column, 1);
    expect_in(err.stack, "fetcher.js:13:");
    expect_failure(cell, "/reject", SNAPCELL_E_SCRIPT, &err);
    expect_in(err.message, "RangeError: too far");
    ck_assert_uint_eq(err.line, 14);
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_source_map_leads_to_the_original)
{
    snapcell_cell *cell = fixture_load(loader, "mapped", NULL);
    snapcell_error err = {0};
    expect_failure(cell, "/", SNAPCELL_E_SCRIPT, &err);
    expect_in(err.message, "boom");
    ck_assert_str_eq(err.file, "src/orig.ts");
    ck_assert_uint_eq(err.line, 10);
    ck_assert_uint_eq(err.column, 3);
    expect_in(err.stack, "src/orig.ts:10:3");
    snapcell_cell_dispose(cell);
}
END_TEST

static const char *const failing_paths[] = {"/throw", "/reject", "/nothing", "/never", "/deep"};

START_TEST(test_cell_can_be_called_after_a_script_error)
{
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    snapcell_error err = {0};
    expect_failure(cell, failing_paths[_i], SNAPCELL_E_SCRIPT, &err);
    ck_assert_str_ne(err.message, "");
    fixture_expect_response(cell, "/", 200, "hello");
    expect_failure(cell, failing_paths[_i], SNAPCELL_E_SCRIPT, &err);
    fixture_expect_response(cell, "/count", 200, "1");
    snapcell_cell_dispose(cell);
}
END_TEST

START_TEST(test_script_error_of_an_event)
{
    snapcell_cell *cell = fixture_load(loader, "adder", NULL);
    char *result = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{\"fail\":1}", &result, NULL, &err),
                     SNAPCELL_E_SCRIPT);
    expect_in(err.message, "asked to fail");
    ck_assert_uint_eq(err.line, 2);
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{\"fail\":1}", &result, NULL, NULL),
                     SNAPCELL_E_SCRIPT);
    fixture_expect_result(cell, "{}", "{\"sum\":0}");
    snapcell_cell_dispose(cell);
}
END_TEST

/* --- Console --- */

typedef struct log_line {
    snapcell_log_level level;
    char name[32];
    char text[64];
} log_line;

typedef struct log_lines {
    log_line lines[8];
    size_t count;
} log_lines;

static void keep_line(void *user, snapcell_log_level level, const char *function_name,
                      const char *text, size_t text_size_bytes)
{
    log_lines *kept = user;
    ck_assert_uint_lt(kept->count, 8);
    log_line *line = &kept->lines[kept->count++];
    line->level = level;
    snprintf(line->name, sizeof(line->name), "%s", function_name);
    snprintf(line->text, sizeof(line->text), "%s", text);
    ck_assert_uint_eq(strlen(text), text_size_bytes);
}

START_TEST(test_console_goes_to_the_log)
{
    log_lines kept = {0};
    snapcell_loader *logging = fixture_open(NULL, keep_line, &kept);
    snapcell_cell *cell = fixture_load(logging, "fetcher", NULL);
    fixture_expect_response(cell, "/log", 200, "");
    static const log_line expected[] = {
        {SNAPCELL_LOG_DEBUG, "fetcher", "d"},
        {SNAPCELL_LOG_INFO, "fetcher", "one 2"},
        {SNAPCELL_LOG_WARN, "fetcher", "w"},
        {SNAPCELL_LOG_ERROR, "fetcher", "e"},
    };
    ck_assert_uint_eq(kept.count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(kept.lines[i].level, expected[i].level);
        ck_assert_str_eq(kept.lines[i].name, expected[i].name);
        ck_assert_str_eq(kept.lines[i].text, expected[i].text);
    }
    snapcell_cell_dispose(cell);
    snapcell_loader_close(logging);
}
END_TEST

/* --- Host functions --- */

START_TEST(test_host_functions_see_every_type)
{
    snapcell_host *host = make_host("run");
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    snapcell_cell *cell = fixture_load(hosting, "hosted", NULL);
    fixture_expect_result(cell, "{}",
                          "[\"0:undefined:\",\"1:undefined:\",\"1:null:\",\"1:boolean:1\","
                          "\"1:number:1.5\",\"1:string:a<c3><a9>\",\"1:bytes:<01>A\","
                          "\"1:bytes:<01><02>\",\"1:bytes:<07>\",\"1:json:{\\\"a\\\":[1]}\","
                          "\"1:json:[2]\",\"3:number:1\"]");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

START_TEST(test_host_functions_give_every_type)
{
    static const char *const results[] = {
        "[\"undefined\",\"undefined\"]",
        "[\"object\",\"null\"]",
        "[\"boolean\",true]",
        "[\"number\",2.5]",
        "[\"string\",\"caf\xc3\xa9\"]",
        "[\"object\",[1,2,255]]",
        "[\"object\",{\"a\":[1,null]}]",
    };
    snapcell_host *host = make_host("run");
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    snapcell_cell *cell = fixture_load(hosting, "hosted", NULL);
    for (int i = 0; i < 7; i++) {
        char event[32];
        snprintf(event, sizeof(event), "{\"make\":%d}", i);
        fixture_expect_result(cell, event, results[i]);
    }
    snapcell_cell_dispose(cell);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

START_TEST(test_host_function_throws_an_error)
{
    snapcell_host *host = make_host("run");
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    snapcell_cell *cell = fixture_load(hosting, "hosted", NULL);
    fixture_expect_result(cell, "{\"fail\":1}", "[true,\"the table is gone\"]");
    char *result = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{\"uncaught\":1}", &result, NULL, &err),
                     SNAPCELL_E_SCRIPT);
    expect_in(err.message, "the table is gone");
    ck_assert_uint_eq(err.line, 5);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

/* At top level it was called in the compiling process, in a call it is called here. */
START_TEST(test_host_functions_run_on_both_sides)
{
    snapcell_host *host = make_host("run");
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    snapcell_cell *cell = fixture_load(hosting, "hosted", NULL);
    fixture_expect_result(cell, "{\"at\":1}", "[\"build\",\"run\"]");
    snapcell_cell_dispose(cell);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

START_TEST(test_other_host_tables_are_refused)
{
    snapcell_cell *cell = NULL;
    ck_assert_int_eq(snapcell_cell_load(loader, "hosted", NULL, &cell, NULL),
                     SNAPCELL_E_OTHER_HOST);
    snapcell_host *host = make_host("run");
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    ck_assert_int_eq(snapcell_cell_load(hosting, "fetcher", NULL, &cell, NULL),
                     SNAPCELL_E_OTHER_HOST);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

/* --- `code` artifacts --- */

START_TEST(test_code_artifact_is_evaluated_at_every_load)
{
    snapcell_response *responses[2];
    for (int i = 0; i < 2; i++) {
        snapcell_cell *cell = fixture_load(loader, "code", NULL);
        ck_assert_int_eq(snapcell_cell_info(cell)->kind, SNAPCELL_ARTIFACT_CODE);
        ck_assert_int_eq(snapcell_cell_fetch(cell, NULL, &responses[i], NULL), SNAPCELL_OK);
        snapcell_cell_dispose(cell);
    }
    const char *first = snapcell_response_body(responses[0], NULL);
    const char *second = snapcell_response_body(responses[1], NULL);
    ck_assert_uint_eq(strlen(first), 36);
    ck_assert_str_ne(first, second);
    snapcell_response_free(responses[0]);
    snapcell_response_free(responses[1]);
}
END_TEST

START_TEST(test_code_artifact_whose_top_level_fails)
{
    snapcell_host *host = make_host("run");
    snapcell_loader *hosting = fixture_open(host, NULL, NULL);
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    ck_assert_int_eq(snapcell_cell_load(hosting, "code-late", NULL, &cell, &err),
                     SNAPCELL_E_SCRIPT);
    expect_in(err.message, "late failure");
    ck_assert_str_eq(err.file, "code-late.js");
    ck_assert_uint_eq(err.line, 2);
    ck_assert_ptr_null(cell);
    snapcell_loader_close(hosting);
    snapcell_host_free(host);
}
END_TEST

int main(void)
{
    make_store();
    TCase *tcase = tcase_create("cell_calls");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_fetch_answers);
    tcase_add_test(tcase, test_name_key_and_prefix_load_the_same);
    tcase_add_test(tcase, test_state_is_a_cells_own);
    tcase_add_test(tcase, test_method_headers_and_body_go_both_ways);
    tcase_add_test(tcase, test_request_of_an_older_caller_is_taken);
    tcase_add_test(tcase, test_request_that_is_none_is_refused);
    tcase_add_test(tcase, test_invoke_answers);
    tcase_add_test(tcase, test_event_that_is_no_json_is_refused);
    tcase_add_test(tcase, test_wrong_shape_is_refused_both_ways);
    tcase_add_test(tcase, test_env_is_given);
    tcase_add_test(tcase, test_env_without_names_or_values_is_refused);
    tcase_add_test(tcase, test_script_error_has_place_and_stack);
    tcase_add_test(tcase, test_source_map_leads_to_the_original);
    tcase_add_loop_test(tcase, test_cell_can_be_called_after_a_script_error, 0,
                        (int)(sizeof(failing_paths) / sizeof(*failing_paths)));
    tcase_add_test(tcase, test_script_error_of_an_event);
    tcase_add_test(tcase, test_console_goes_to_the_log);
    tcase_add_test(tcase, test_host_functions_see_every_type);
    tcase_add_test(tcase, test_host_functions_give_every_type);
    tcase_add_test(tcase, test_host_function_throws_an_error);
    tcase_add_test(tcase, test_host_functions_run_on_both_sides);
    tcase_add_test(tcase, test_other_host_tables_are_refused);
    tcase_add_test(tcase, test_code_artifact_is_evaluated_at_every_load);
    tcase_add_test(tcase, test_code_artifact_whose_top_level_fails);
    return fixture_run(suite_create("cell_calls"), tcase);
}
