/* Compiles with the real engine: what fails and how, what is made, and that it is always the same.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact_reader.h"
#include "compiler_fixture.h"
#include "patience.h"

static const char hello[] = "export default { fetch() { return new Response('hello') } }\n";

/* --- What fails --- */

static const struct failure {
    const char *source;
    int code;
    const char *message;
    uint32_t line;
    uint32_t column; /* 0: any */
} failures[] = {
    {"export default {\n  fetch() { return f( }\n}", SNAPCELL_E_SCRIPT, "SyntaxError", 2, 0},
    {"function f() {\n  throw new TypeError('nope')\n}\nf()", SNAPCELL_E_SCRIPT, "TypeError: nope",
     2, 9},
    {"throw 'text'", SNAPCELL_E_SCRIPT, "text", 1, 0},
    {"\nawait Promise.reject(new RangeError('late'))\nexport default {}", SNAPCELL_E_SCRIPT,
     "RangeError: late", 2, 0},
    {"\n\nimport x from 'left-pad'\nexport default { fetch() { return x } }", SNAPCELL_E_SCRIPT,
     "left-pad", 3, 0},
    {"\nconst x = require('left-pad')\nmodule.exports = { fetch() { return x } }",
     SNAPCELL_E_SCRIPT, "left-pad", 2, 0},
    {"const x = 1", SNAPCELL_E_NO_HANDLER, "fn.js", 0, 0},
    {"", SNAPCELL_E_USAGE, "is empty", 0, 0},
    {"\x7f"
     "ELF\xff",
     SNAPCELL_E_USAGE, "bad byte 0xff at offset 4", 0, 0},
};

START_TEST(test_bad_bundle_is_an_error_with_its_place)
{
    const struct failure *failure = &failures[_i];
    const char *path = fixture_write_text("fn.js", failure->source);
    snapcell_error error;
    fixture_compile_fails(path, NULL, failure->code, failure->message, &error);
    ck_assert_uint_eq(error.line, failure->line);
    if (failure->column != 0) ck_assert_uint_eq(error.column, failure->column);
    if (failure->line != 0) ck_assert_str_eq(error.file, path);
}
END_TEST

START_TEST(test_missing_file_is_an_error)
{
    snapcell_error error;
    fixture_compile_fails(fixture_path("no.js"), NULL, SNAPCELL_E_NOT_FOUND, "no.js", &error);
    fixture_compile_fails(NULL, NULL, SNAPCELL_E_USAGE, NULL, &error);
}
END_TEST

static const char *const loops[] = {
    "for (;;);",
    "export default { fetch() {} }; while (true) try { for (;;); } finally { continue }",
    "/(a*)*b/.test('a'.repeat(40))",
    "export default { fetch() {} }; (function f() { Promise.resolve().then(f) })()",
};

START_TEST(test_endless_loop_hits_the_wall_limit)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    const char *path = fixture_write_text("fn.js", loops[_i]);
    snapcell_error error;
    char limit[32];
    /* A busy machine may take longer until the worker begins. */
    options.wall_limit_ms = 500;
    do {
        options.wall_limit_ms *= 2;
        fixture_compile_fails(path, &options, SNAPCELL_E_WALL_LIMIT, NULL, &error);
    } while (strstr(error.message, "did not begin") != NULL);
    ck_assert_ptr_nonnull(strstr(error.message, "endless loop"));
    snprintf(limit, sizeof(limit), "%u ms", options.wall_limit_ms);
    ck_assert_ptr_nonnull(strstr(error.message, limit));
}
END_TEST

START_TEST(test_promise_that_never_settles_is_an_error)
{
    snapcell_error error;
    fixture_compile_fails(
        fixture_write_text("fn.js", "await new Promise(() => {}); export default {}"), NULL,
        SNAPCELL_E_SCRIPT, NULL, &error);
}
END_TEST

static const char *const hogs[] = {
    "const a = []; for (;;) a.push({})",
    "const a = []; for (;;) a.push(new ArrayBuffer(1 << 24))",
    "const m = new Map(); for (let i = 0; ; i++) m.set(i, [i])",
    "let s = []; for (;;) s.push('x'.repeat(1 << 20) + s.length)",
    "new Array(2 ** 27).fill({})",
};

START_TEST(test_memory_hog_hits_the_memory_limit)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.memory_limit_bytes = UINT64_C(64) << 20;
    options.wall_limit_ms = patient_ms(60000);
    const char *path = fixture_write_text("fn.js", hogs[_i]);
    snapcell_error error;
    fixture_compile_fails(path, &options, SNAPCELL_E_MEMORY_LIMIT, "more than 64 MiB", &error);
    ck_assert_ptr_nonnull(strstr(error.message, path));
}
END_TEST

START_TEST(test_limits_that_make_no_sense_are_refused)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.memory_limit_bytes = 1;
    snapcell_error error;
    fixture_compile_fails(fixture_write_text("fn.js", hello), &options, SNAPCELL_E_USAGE,
                          "at least 16 MiB", &error);
}
END_TEST

/* A batch goes on with the next bundle. */
START_TEST(test_failures_leave_nothing_behind)
{
    snapcell_error error;
    fixture_compile_fails(fixture_write_text("bad.js", "throw 1"), NULL, SNAPCELL_E_SCRIPT, NULL,
                          &error);
    snapcell_compiled_free(fixture_compile(fixture_write_text("good.js", hello), NULL));
}
END_TEST

/* --- What V8 cannot snapshot --- */

static const char *const unsnapshotables[] = {
    "const memory = new WebAssembly.Memory({ initial: 1 })\n"
    "export default { fetch() { return new Response(String(memory.buffer.byteLength)) } }",
    "const id = crypto.randomUUID()\nexport default { fetch() { return new Response(id) } }",
};

START_TEST(test_unsnapshotable_becomes_code_with_a_warning)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.entropy = SNAPCELL_ENTROPY_FRESH;
    const char *path = fixture_write_text("fn.js", unsnapshotables[_i]);
    snapcell_compiled *compiled = fixture_compile(path, &options);
    ck_assert_int_eq(snapcell_compiled_info(compiled)->kind, SNAPCELL_ARTIFACT_CODE);
    ck_assert_uint_ge(snapcell_compiled_warning_count(compiled), 1);
    const char *warning = snapcell_compiled_warning(compiled, 0);
    ck_assert_ptr_nonnull(strstr(warning, "compiled to a code artifact, not a snapshot: "));
    ck_assert_ptr_nonnull(strstr(warning, _i == 0 ? "WebAssembly" : "crypto.randomUUID"));
    ck_assert_ptr_null(strstr(warning, path));
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_unsnapshotable_is_an_error_when_strict)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.strict = true;
    const char *path = fixture_write_text("fn.js", unsnapshotables[_i]);
    snapcell_error error;
    fixture_compile_fails(path, &options, SNAPCELL_E_UNSNAPSHOTABLE,
                          _i == 0 ? "WebAssembly" : "crypto.randomUUID", &error);
    ck_assert_ptr_nonnull(strstr(error.message, path));
}
END_TEST

/* --- What is made --- */

static void expect_same_bytes(const snapcell_compiled *a, const snapcell_compiled *b)
{
    size_t a_size;
    size_t b_size;
    const void *a_bytes = snapcell_compiled_artifact(a, &a_size);
    const void *b_bytes = snapcell_compiled_artifact(b, &b_size);
    ck_assert_uint_eq(a_size, b_size);
    ck_assert_int_eq(memcmp(a_bytes, b_bytes, a_size), 0);
}

/* A bundle in which much could differ from run to run. */
static const char restless[] =
    "const now = Date.now(), random = Math.random(), zone = new Date(0).getTimezoneOffset()\n"
    "const map = new Map(); for (let i = 0; i < 500; i++) map.set('key' + i, { i, random })\n"
    "const set = new WeakMap([[map, now]])\n"
    "console.log('caf\xc3\xa9', typeof URL, new URL('http://a/b').pathname)\n"
    "export default { fetch(r) { return new Response([now, random, zone, set.get(map)].join()) } "
    "}\n";

START_TEST(test_same_input_gives_same_bytes)
{
    const char *path = fixture_write_text("fn.js", restless);
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    warm.url = "/warm";
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.warm = &warm;
    options.warm_count = 1;
    options.raw = _i == 1;
    setenv("TZ", "Asia/Tokyo", 1);
    snapcell_compiled *first = fixture_compile(path, &options);
    setenv("TZ", "America/New_York", 1);
    setenv("LANG", "tr_TR.UTF-8", 1);
    snapcell_compiled *second = fixture_compile(path, &options);
    expect_same_bytes(first, second);

    /* From another folder, too. */
    ck_assert_int_eq(mkdir(fixture_path("sub"), 0700), 0);
    snapcell_compiled *third = fixture_compile(fixture_write_text("sub/fn.js", restless), &options);
    expect_same_bytes(first, third);
    snapcell_compiled_free(first);
    snapcell_compiled_free(second);
    snapcell_compiled_free(third);
}
END_TEST

START_TEST(test_artifact_tells_what_it_is)
{
    const char *path = fixture_write_text("some.fn.js", hello);
    snapcell_compiled *compiled = fixture_compile(path, NULL);
    const snapcell_artifact_info *info = snapcell_compiled_info(compiled);
    ck_assert_int_eq(info->kind, SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_int_eq(info->shape, SNAPCELL_SHAPE_FETCH);
    ck_assert_int_eq(info->source_format, SNAPCELL_SOURCE_ESM);
    ck_assert_str_eq(info->name, "some.fn");
    ck_assert_str_eq(info->file_name, "some.fn.js");
    ck_assert_str_eq(snapcell_compiled_name(compiled), "some.fn");
    ck_assert_uint_eq(info->source_size_bytes, strlen(hello));
    snapcell_key key;
    ck_assert_int_eq(snapcell_compile_key(path, NULL, &key, NULL), SNAPCELL_OK);
    ck_assert_mem_eq(key.bytes, info->key.bytes, 16);
    ck_assert_uint_eq(snapcell_compiled_warning_count(compiled), 0);

    size_t size;
    const void *bytes = snapcell_compiled_artifact(compiled, &size);
    artifact_view view;
    ck_assert_int_eq(artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, NULL), SNAPCELL_OK);
    ck_assert_int_eq(view.source_encoding, ARTIFACT_TEXT_LATIN1);
    ck_assert_ptr_null(view.source_map.data);
    snapcell_compiled_free(compiled);
}
END_TEST

START_TEST(test_memory_and_file_give_the_same)
{
    snapcell_compiled *file = fixture_compile(fixture_write_text("fn.js", hello), NULL);
    snapcell_compiled *memory = NULL;
    snapcell_error error;
    fixture_expect(snapcell_compile_memory("else/where/fn.js", hello, strlen(hello), NULL, 0, NULL,
                                           &memory, &error),
                   SNAPCELL_OK, &error, NULL);
    expect_same_bytes(file, memory);
    snapcell_compiled_free(file);
    snapcell_compiled_free(memory);
    snapcell_compiled_free(NULL);
}
END_TEST

START_TEST(test_recompile_gives_the_same)
{
    static const snapcell_header headers[] = {{"x-latin", "caf\xe9"}};
    const snapcell_request warm[] = {
        {sizeof(snapcell_request), NULL, "/a?b=c", headers, 1, "\0\xff", 2},
        SNAPCELL_REQUEST_INIT,
    };
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.name = "another name";
    options.format = SNAPCELL_FORMAT_ESM;
    options.warm = warm;
    options.warm_count = 2;
    options.level = 3;
    options.raw = _i == 1;
    const char *path =
        fixture_write_text("fn.js", "\xef\xbb\xbf"
                                    "export default { async fetch(r) {\n"
                                    "  return new Response('\xe2\x82\xac' + await r.text())\n} }\n"
                                    "//# sourceMappingURL=data:application/json;base64,"
                                    "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXSwibWFwcGluZ3MiOiIifQ==\n");
    snapcell_compiled *first = fixture_compile(path, &options);
    ck_assert_ptr_nonnull(strstr(fixture_manifest(first), "\"source_map\":true"));
    size_t size;
    const void *bytes = snapcell_compiled_artifact(first, &size);

    snapcell_compile_options other = SNAPCELL_COMPILE_OPTIONS_INIT;
    other.name = "ignored";
    other.level = 19;
    other.wall_limit_ms = patient_ms(20000);
    snapcell_compiled *second = NULL;
    snapcell_error error;
    fixture_expect(snapcell_recompile(bytes, size, _i == 1 ? NULL : &other, &second, &error),
                   SNAPCELL_OK, &error, NULL);
    expect_same_bytes(first, second);
    snapcell_compiled_free(second);

    second = first;
    fixture_expect(snapcell_recompile(bytes, size - 1, NULL, &second, &error), SNAPCELL_E_CORRUPT,
                   &error, NULL);
    ck_assert_ptr_null(second);
    snapcell_compiled_free(first);
}
END_TEST

/* Its two modules are no bundle that could become a snapshot. */
START_TEST(test_a_prelude_is_kept)
{
    static const char source[] = "export const n = 1;\n"
                                 "import { n } from 'snapcell:prelude';\n"
                                 "export default { fetch() { return new Response(n); } };\n";
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_compiled *first = NULL, *second = NULL;
    snapcell_error error;
    options.unevaluated = true;
    options.format = SNAPCELL_FORMAT_ESM;
    options.prelude_length = 20;
    fixture_expect(snapcell_compile_memory("fn.js", source, sizeof(source) - 1, NULL, 0, &options,
                                           &first, &error),
                   SNAPCELL_OK, &error, NULL);
    size_t size;
    const void *bytes = snapcell_compiled_artifact(first, &size);
    fixture_expect(snapcell_recompile(bytes, size, NULL, &second, &error), SNAPCELL_OK, &error,
                   NULL);
    ck_assert_uint_eq(snapcell_compiled_info(second)->prelude_length, 20);
    ck_assert_int_eq(snapcell_compiled_info(second)->kind, SNAPCELL_ARTIFACT_CODE);
    snapcell_compiled_free(second);
    snapcell_compiled_free(first);
    options.prelude_length = sizeof(source) - 1; /* nothing comes after it */
    fixture_expect(snapcell_compile_memory("fn.js", source, sizeof(source) - 1, NULL, 0, &options,
                                           &first, &error),
                   SNAPCELL_E_USAGE, &error, "prelude");
}
END_TEST

START_TEST(test_source_map_that_cannot_be_used_is_a_warning)
{
    const char *path = fixture_write_text("fn.js", hello);
    snapcell_compiled *without = fixture_compile(path, NULL);
    fixture_write_text("fn.js.map", "<html>");
    snapcell_compiled *with = fixture_compile(path, NULL);
    ck_assert_uint_eq(snapcell_compiled_warning_count(with), 1);
    ck_assert_ptr_nonnull(strstr(snapcell_compiled_warning(with, 0), "fn.js.map"));
    expect_same_bytes(without, with); /* the key is the same, too */
    snapcell_compiled_free(without);
    snapcell_compiled_free(with);
}
END_TEST

/* line 1 of the bundle, column 1 came from line 10, column 5 of origin.ts */
START_TEST(test_errors_go_through_the_source_map)
{
    fixture_write_text("fn.js.map", "{\"version\":3,\"sources\":[\"origin.ts\"],\"names\":[],"
                                    "\"mappings\":\"AASI\"}");
    const char *path = fixture_write_text("fn.js", "throw new Error('mapped')");
    snapcell_error error;
    fixture_compile_fails(path, NULL, SNAPCELL_E_SCRIPT, "mapped", &error);
    ck_assert_ptr_nonnull(strstr(error.file, "origin.ts"));
    ck_assert_uint_eq(error.line, 10);
}
END_TEST

/* --- Console and host functions --- */

static void log_append(void *user, snapcell_log_level level, const char *function_name,
                       const char *text, size_t text_size_bytes)
{
    char *all = user;
    ck_assert_uint_eq(strlen(text), text_size_bytes);
    sprintf(all + strlen(all), "%d %s %s\n", (int)level, function_name, text);
}

START_TEST(test_console_output_is_handed_over)
{
    char all[1000] = "";
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.log = log_append;
    options.log_user = all;
    const char *path =
        fixture_write_text("fn.js", "console.log('top'); console.error('caf\xc3\xa9')\n"
                                    "export default { fetch() { return new Response('') } }");
    snapcell_compiled_free(fixture_compile(path, &options));
    ck_assert_str_eq(all, "1 fn top\n3 fn caf\xc3\xa9\n");
}
END_TEST

static int host_twice(void *user, snapcell_host_call *call)
{
    (*(int *)user)++;
    snapcell_value value = snapcell_host_argument(call, 0);
    if (value.type != SNAPCELL_VALUE_NUMBER) return snapcell_host_throw(call, "not a number");
    value.number *= 2;
    return snapcell_host_return(call, &value, NULL);
}

START_TEST(test_host_functions_are_called_here)
{
    char all[1000] = "";
    int calls = 0;
    snapcell_host *host = NULL;
    ck_assert_int_eq(snapcell_host_new(&host, NULL), SNAPCELL_OK);
    ck_assert_int_eq(snapcell_host_add(host, "twice", host_twice, &calls, NULL), SNAPCELL_OK);
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.host = host;
    options.log = log_append;
    options.log_user = all;
    options.warm = &warm;
    options.warm_count = 1;
    const char *path = fixture_write_text(
        "fn.js", "console.log(twice(21)); try { twice('x') } catch (e) { console.log(e.message) }\n"
                 "export default { fetch() { return new Response(String(twice(1))) } }");
    snapcell_compiled *compiled = fixture_compile(path, &options);
    ck_assert_int_eq(calls, 3);
    ck_assert_str_eq(all, "1 fn 42\n1 fn not a number\n");
    ck_assert_int_eq(snapcell_compiled_info(compiled)->kind, SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_ptr_nonnull(strstr(fixture_manifest(compiled), "\"host\":[\"twice\"]"));
    snapcell_fingerprint expected = snapcell_host_fingerprint(host);
    ck_assert_mem_eq(snapcell_compiled_info(compiled)->host.bytes, expected.bytes, 16);
    snapcell_compiled_free(compiled);
    snapcell_host_free(host);
}
END_TEST

/* --- The worker and its parent --- */

/* A worker in an endless loop goes away with the process that waits for it. */
START_TEST(test_worker_dies_with_its_parent)
{
    const char *path = fixture_write_text("fn.js", "for (;;);");
    int ready[2];
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t parent = fork();
    if (parent == 0) {
        snapcell_compiled *compiled = NULL;
        if (write(ready[1], "x", 1) == 1) snapcell_compile_file(path, NULL, &compiled, NULL);
        _exit(0);
    }
    char byte;
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    usleep(500 * 1000); /* enough, or not: dying early is dying, too */
    ck_assert_int_eq(kill(parent, SIGKILL), 0);
    ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
    /* The orphan, if it was born, comes to this process; Check's own time limit is the bound. */
    int status;
    pid_t orphan = waitpid(-1, &status, 0);
    if (orphan > 0) ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 1);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(*(array)))

int main(void)
{
    const fixture_test tests[] = {
        {test_bad_bundle_is_an_error_with_its_place, COUNT(failures)},
        {test_missing_file_is_an_error, 0},
        {test_endless_loop_hits_the_wall_limit, COUNT(loops)},
        {test_promise_that_never_settles_is_an_error, 0},
        {test_memory_hog_hits_the_memory_limit, COUNT(hogs)},
        {test_limits_that_make_no_sense_are_refused, 0},
        {test_failures_leave_nothing_behind, 0},
        {test_unsnapshotable_becomes_code_with_a_warning, COUNT(unsnapshotables)},
        {test_unsnapshotable_is_an_error_when_strict, COUNT(unsnapshotables)},
        {test_same_input_gives_same_bytes, 2},
        {test_artifact_tells_what_it_is, 0},
        {test_memory_and_file_give_the_same, 0},
        {test_recompile_gives_the_same, 2},
        {test_a_prelude_is_kept, 0},
        {test_source_map_that_cannot_be_used_is_a_warning, 0},
        {test_errors_go_through_the_source_map, 0},
        {test_console_output_is_handed_over, 0},
        {test_host_functions_are_called_here, 0},
        {test_worker_dies_with_its_parent, 0},
    };
    return FIXTURE_RUN("compile", tests);
}
