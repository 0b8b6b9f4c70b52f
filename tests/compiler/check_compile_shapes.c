/* Every shape of function that the compiler takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_fixture.h"

#define REQUEST "request => new Response(request.url)"
#define FETCH "fetch(request, env, ctx) { return new Response('x') }"

static const struct shape_case {
    const char *source;
    snapcell_source_format format;
    snapcell_handler_shape shape;
} cases[] = {
    /* --- modules --- */
    {"export default { " FETCH " }", SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    {"const value = await Promise.resolve(1)\nexport default { " FETCH " }", SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_FETCH},
    {"class App { " FETCH " }\nconst app = new App()\nexport { app as default }",
     SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    /* A router that takes any other name for a method, as itty-router's. */
    {"const router = new Proxy({ " FETCH " }, { get: (o, name) => o[name] ?? (() => router) })\n"
     "export default router",
     SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    {"export default function handler(event, context) { return event }", SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_JSON},
    {"export default async (event) => event", SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_JSON},
    {"export function handler(event) { return event }", SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_JSON},
    {"const handler = async event => event\nexport { handler }", SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_JSON},
    /* --- functions of a Request, by what edge platforms read --- */
    {"export const config = { runtime: 'edge' }\nexport default " REQUEST, SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_FETCH},
    {"export const config = { runtime: 'experimental-edge' }\nexport default " REQUEST,
     SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    {"export const runtime = 'edge'\nexport default " REQUEST, SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_FETCH},
    {"export const config = { path: '/hello' }\nexport default " REQUEST, SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_FETCH},
    {"export const config = { path: ['/a', '/b'] }\nexport const handler = " REQUEST,
     SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    {"exports.config = { runtime: 'edge' }\nexports.default = " REQUEST, SNAPCELL_SOURCE_COMMONJS,
     SNAPCELL_SHAPE_FETCH},
    {"module.exports = " REQUEST "\nmodule.exports.config = { runtime: 'edge' }",
     SNAPCELL_SOURCE_COMMONJS, SNAPCELL_SHAPE_FETCH},
    /* What says nothing of the kind. */
    {"export const config = { runtime: 'nodejs', path: 1 }\nexport default event => event",
     SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_JSON},
    {"export const config = null, runtime = 'nodejs20.x'\nexport default event => event",
     SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_JSON},
    /* --- classes, and functions that are more than that --- */
    {"export default class { " FETCH " }", SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    {"export default class { static " FETCH " }", SNAPCELL_SOURCE_ESM, SNAPCELL_SHAPE_FETCH},
    {"class A { " FETCH " }\nmodule.exports = class extends A {}", SNAPCELL_SOURCE_COMMONJS,
     SNAPCELL_SHAPE_FETCH},
    {"export default Object.assign(() => {}, { " FETCH " })", SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_FETCH},
    {"export default class {}\nexport const handler = e => e", SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_JSON},
    {"export class handler {}\nexport async function fetch() {}", SNAPCELL_SOURCE_ESM,
     SNAPCELL_SHAPE_FETCH},
    /* --- scripts --- */
    {"addEventListener('fetch', e => e.respondWith(new Response('x')))", SNAPCELL_SOURCE_SCRIPT,
     SNAPCELL_SHAPE_FETCH},
    {"(() => { addEventListener('fetch', e => { e.respondWith(new Response('x')) }) })()",
     SNAPCELL_SOURCE_SCRIPT, SNAPCELL_SHAPE_FETCH},
    {"\"use strict\"; (function () { globalThis.handler = function (event, context) {} })()",
     SNAPCELL_SOURCE_SCRIPT, SNAPCELL_SHAPE_JSON},
    /* What asks for Node's modules where there is a `require` is not CommonJS for that. */
    {"(() => { if (typeof require !== 'undefined') require('crypto')\n"
     "addEventListener('fetch', e => e.respondWith(new Response('x'))) })()",
     SNAPCELL_SOURCE_SCRIPT, SNAPCELL_SHAPE_FETCH},
    /* --- CommonJS --- */
    /* esbuild's shim, which keeps `require`. */
    {"var shim = typeof require !== 'undefined' ? require : null\n"
     "module.exports = { fetch() { return new Response(typeof shim) } }",
     SNAPCELL_SOURCE_COMMONJS, SNAPCELL_SHAPE_FETCH},
    {"module.exports = { " FETCH " }", SNAPCELL_SOURCE_COMMONJS, SNAPCELL_SHAPE_FETCH},
    {"module.exports = function (event) { return event }", SNAPCELL_SOURCE_COMMONJS,
     SNAPCELL_SHAPE_JSON},
    {"exports.handler = async event => event", SNAPCELL_SOURCE_COMMONJS, SNAPCELL_SHAPE_JSON},
    {"Object.defineProperty(exports, '__esModule', { value: true })\n"
     "exports.default = { " FETCH " }",
     SNAPCELL_SOURCE_COMMONJS, SNAPCELL_SHAPE_FETCH},
};

START_TEST(test_shape_is_found)
{
    const struct shape_case *test = &cases[_i];
    snapcell_compiled *compiled = fixture_compile(fixture_write_text("fn.js", test->source), NULL);
    const snapcell_artifact_info *info = snapcell_compiled_info(compiled);
    ck_assert_int_eq(info->kind, SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_int_eq(info->source_format, test->format);
    ck_assert_int_eq(info->shape, test->shape);
    ck_assert_uint_gt(info->blob_size_bytes, 0);
    ck_assert_uint_eq(snapcell_compiled_warning_count(compiled), 0);
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_format_that_is_given_is_taken)
{
    const struct shape_case *test = &cases[_i];
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.format = (snapcell_format)test->format;
    snapcell_compiled *compiled =
        fixture_compile(fixture_write_text("fn.js", test->source), &options);
    ck_assert_int_eq(snapcell_compiled_info(compiled)->source_format, test->format);
    snapcell_compiled_free(compiled);
}
END_TEST

/* A function is what the options say; anything else stays what it is. */
static const struct given_case {
    const char *source;
    snapcell_handler_shape given;
    snapcell_handler_shape shape;
} given_cases[] = {
    {"export default " REQUEST, SNAPCELL_SHAPE_FETCH, SNAPCELL_SHAPE_FETCH},
    {"export default " REQUEST, SNAPCELL_SHAPE_JSON, SNAPCELL_SHAPE_JSON},
    {"export const handler = " REQUEST, SNAPCELL_SHAPE_FETCH, SNAPCELL_SHAPE_FETCH},
    {"module.exports = " REQUEST, SNAPCELL_SHAPE_FETCH, SNAPCELL_SHAPE_FETCH},
    {"globalThis.handler = " REQUEST, SNAPCELL_SHAPE_FETCH, SNAPCELL_SHAPE_FETCH},
    {"export const config = { runtime: 'edge' }\nexport default event => event",
     SNAPCELL_SHAPE_JSON, SNAPCELL_SHAPE_JSON},
    {"export default Object.assign(event => event, { fetch() {} })", SNAPCELL_SHAPE_JSON,
     SNAPCELL_SHAPE_JSON},
    {"export default { " FETCH " }", SNAPCELL_SHAPE_JSON, SNAPCELL_SHAPE_FETCH},
};

START_TEST(test_shape_that_is_given_is_taken)
{
    const struct given_case *test = &given_cases[_i];
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.shape = test->given;
    snapcell_compiled *compiled =
        fixture_compile(fixture_write_text("fn.js", test->source), &options);
    ck_assert_int_eq(snapcell_compiled_info(compiled)->shape, test->shape);
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_wrong_format_is_an_error)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.format = SNAPCELL_FORMAT_SCRIPT;
    snapcell_error error;
    fixture_compile_fails(fixture_write_text("fn.js", "export default { " FETCH " }"), &options,
                          SNAPCELL_E_SCRIPT, "SyntaxError", &error);
}
END_TEST

static void count_log(void *user, snapcell_log_level level, const char *function_name,
                      const char *text, size_t text_size_bytes)
{
    (void)level;
    (void)function_name;
    (void)text_size_bytes;
    char *all = user;
    strcat(strcat(all, text), ";");
}

START_TEST(test_warm_up_runs_the_handler)
{
    static const snapcell_header headers[] = {{"x-a", "b"}};
    const snapcell_request warm[] = {
        {sizeof(snapcell_request), NULL, "/first?q", headers, 1, NULL, 0},
        {sizeof(snapcell_request), NULL, "/second", NULL, 0, "body", 4},
    };
    char all[500] = "";
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.warm = warm;
    options.warm_count = 2;
    options.log = count_log;
    options.log_user = all;
    const char *path = fixture_write_text(
        "fn.js", "export default { async fetch(r) {\n"
                 "  console.log(r.method + ' ' + r.url + ' ' + r.headers.get('x-a') + ' ' +\n"
                 "              await r.text())\n"
                 "  return new Response('')\n} }");
    snapcell_compiled *compiled = fixture_compile(path, &options);
    ck_assert_str_eq(all,
                     "GET http://localhost/first?q b ;POST http://localhost/second null body;");
    ck_assert_ptr_nonnull(strstr(fixture_manifest(compiled), "\"url\":\"/second\""));
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_warm_up_that_throws_is_an_error)
{
    const snapcell_request warm = SNAPCELL_REQUEST_INIT;
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.warm = &warm;
    options.warm_count = 1;
    const char *path = fixture_write_text("fn.js", "export default { fetch() {\n"
                                                   "  throw new Error('cold')\n} }");
    snapcell_error error;
    fixture_compile_fails(path, &options, SNAPCELL_E_SCRIPT, "cold", &error);
    ck_assert_uint_eq(error.line, 2);
}
END_TEST

START_TEST(test_warm_up_that_loops_hits_the_wall_limit)
{
    const snapcell_request warm = SNAPCELL_REQUEST_INIT;
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.warm = &warm;
    options.warm_count = 1;
    options.wall_limit_ms = 1000;
    const char *path = fixture_write_text("fn.js", "export default { fetch() { for (;;); } }");
    snapcell_error error;
    fixture_compile_fails(path, &options, SNAPCELL_E_WALL_LIMIT, "1000 ms", &error);
}
END_TEST

int main(void)
{
    const int case_count = (int)(sizeof(cases) / sizeof(*cases));
    const int given_count = (int)(sizeof(given_cases) / sizeof(*given_cases));
    const fixture_test tests[] = {
        {test_shape_is_found, case_count},
        {test_format_that_is_given_is_taken, case_count},
        {test_shape_that_is_given_is_taken, given_count},
        {test_wrong_format_is_an_error, 0},
        {test_warm_up_runs_the_handler, 0},
        {test_warm_up_that_throws_is_an_error, 0},
        {test_warm_up_that_loops_hits_the_wall_limit, 0},
    };
    return FIXTURE_RUN("compile_shapes", tests);
}
