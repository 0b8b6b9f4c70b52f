/* What cannot be in a snapshot, and how it is explained: by path, place and advice. */
#include <stdio.h>
#include <string.h>

#include "compiler_fixture.h"

/* Lines "what | path | place". */
typedef struct notebook {
    char text[8192];
    size_t without_advice;
} notebook;

static void take_note(void *user, const snapcell_note *note)
{
    notebook *book = user;
    size_t size = strlen(book->text);
    ck_assert(note->prevents);
    book->without_advice += note->advice[0] == '\0';
    snprintf(book->text + size, sizeof(book->text) - size, "%s | %s | %s\n", note->what, note->path,
             note->place);
}

#define WASM "new Uint8Array([0,97,115,109,1,0,0,0])"
/* (module (import "a" "b" (func))) and (module (memory (export "m") 1)) */
#define IMPORTING "new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,2,7,1,1,97,1,98,0,0])"
#define MEMORY "new Uint8Array([0,97,115,109,1,0,0,0,5,3,1,0,1,7,5,1,1,109,2,0])"
#define HANDLER "export default { fetch() { return new Response('') } };\n"

static const struct {
    const char *source;
    const char *notes;
} causes[] = {
    /* V8's own Intl, which a bundle sees when its text does not have the word. */
    {"globalThis.cache = { list: [0, new globalThis['In' + 'tl'].DateTimeFormat('en')] "
     "};\n" HANDLER,
     "an object made by Intl.DateTimeFormat | globalThis.cache.list[1] | fn.js:1:32\n"},
    {"const sort = globalThis['In' + 'tl'].Collator('de');\n"
     "export default { fetch() { return new Response(sort.compare('a', 'b')) } };",
     "an object made by Intl.Collator | sort | fn.js:1:38\n"},
    {"const cache = { instance: null };\n"
     "cache.instance = new WebAssembly.Instance(new WebAssembly.Module(" IMPORTING
     "), { a: { b() {} } });\n"
     "globalThis.cache = cache;\n" HANDLER,
     "an object made by WebAssembly.Instance | globalThis.cache.instance | fn.js:2:18\n"},
    {"const { exports } = (await WebAssembly.instantiate(" IMPORTING
     ", { a: { b() {} } })).instance;\n"
     "export default { fetch() { return exports } };",
     "WebAssembly.instantiate was used |  | fn.js:1:40\n"},
    {"globalThis.tag = new WebAssembly.Tag({ parameters: [] });\n" HANDLER,
     "an object made by WebAssembly.Tag | globalThis.tag | fn.js:1:18\n"},
    /* What only the evaluation that was to become the snapshot noticed. */
    {"new WebAssembly.Instance(new WebAssembly.Module(" MEMORY ")).exports.m;\n" HANDLER,
     "a memory of WebAssembly was used at build time (fn.js:1:124) |  | \n"},
    /* There is always one more object to call back for. */
    {"const r = new FinalizationRegistry(() => r.register({}, 1)); r.register({}, 1);\n"
     "export default { fetch() { return r } };",
     "an object made by FinalizationRegistry | r | fn.js:1:11\n"},
    /* All of them, not the first alone. */
    {"const id = crypto.randomUUID();\n"
     "globalThis.format = new globalThis['In' + 'tl'].NumberFormat();\n"
     "new WebAssembly.Memory({initial: 1});\n" HANDLER,
     "crypto.randomUUID() was called at top level |  | fn.js:1:19\n"
     "an object made by Intl.NumberFormat | globalThis.format | fn.js:2:21\n"
     "WebAssembly.Memory was used |  | fn.js:3:1\n"},
};

START_TEST(test_causes_are_explained)
{
    notebook book = {0};
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.entropy = SNAPCELL_ENTROPY_FRESH;
    options.note = take_note;
    options.note_user = &book;
    snapcell_compiled *compiled =
        fixture_compile(fixture_write_text("fn.js", causes[_i].source), &options);
    ck_assert_int_eq(snapcell_compiled_info(compiled)->kind, SNAPCELL_ARTIFACT_CODE);
    ck_assert_msg(strstr(book.text, causes[_i].notes) != NULL, "%s", book.text);
    ck_assert_uint_eq(book.without_advice, 0);
    snapcell_compiled_free(compiled);
}
END_TEST

/* The causes are told when the compile fails for them, too. */
START_TEST(test_causes_are_explained_when_strict)
{
    notebook book = {0};
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.note = take_note;
    options.note_user = &book;
    options.strict = true;
    snapcell_error error;
    fixture_compile_fails(fixture_write_text("fn.js", causes[0].source), &options,
                          SNAPCELL_E_UNSNAPSHOTABLE, "is kept as `globalThis.cache.list[1]`",
                          &error);
    ck_assert_str_eq(book.text, causes[0].notes);
    ck_assert_str_eq(error.file, "fn.js");
    ck_assert_uint_eq(error.line, 1);
    ck_assert_uint_eq(error.column, 32);
}
END_TEST

/* Line 1 of the bundle came from line 5 of app.ts. */
START_TEST(test_places_go_through_the_source_map)
{
    static const char source[] =
        "globalThis.f = new globalThis['In' + 'tl'].DateTimeFormat();\n" HANDLER;
    static const char map[] = "{\"version\":3,\"sources\":[\"app.ts\"],\"names\":[],"
                              "\"mappings\":\"AAIA\"}";
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.strict = true;
    snapcell_compiled *compiled = NULL;
    snapcell_error error;
    int status = snapcell_compile_memory("fn.js", source, strlen(source), map, strlen(map),
                                         &options, &compiled, &error);
    fixture_expect(status, SNAPCELL_E_UNSNAPSHOTABLE, &error, "(app.ts:5:1");
    ck_assert_str_eq(error.file, "app.ts");
    ck_assert_uint_eq(error.line, 5);
}
END_TEST

/* None of these keeps a function from being a snapshot. */
static const char *const snapshotable[] = {
    "globalThis.f = new Intl.DateTimeFormat('en'); globalThis.f.format(0);\n" HANDLER,
    "(1.5).toLocaleString('de'); 'a'.localeCompare('b'); new Date(0).toLocaleString();\n" HANDLER,
    "setTimeout(() => {}, 500); const t = setInterval(() => {}, 1e6); clearInterval(t);\n" HANDLER,
    "WebAssembly.validate(" WASM "); new WebAssembly.Module(" IMPORTING ");\n" HANDLER,
    "globalThis.i = new WebAssembly.Instance(new WebAssembly.Module(" MEMORY "));\n" HANDLER,
    "globalThis.i = await WebAssembly.instantiate(" WASM ");\n" HANDLER,
    "setTimeout(() => {}, 5000); setInterval(() => {}, 3000, {});\n" HANDLER,
    "const r = new FinalizationRegistry(() => {}); r.register({}, 1);\n"
    "export default { fetch() { return r } };",
    "const r = new FinalizationRegistry(() => { throw 1 }); r.register({}, 1, r);\n"
    "export default { fetch() { return r } };",
    "(async () => { await new Promise(() => {}) })();\n" HANDLER,
    "const s = new ReadableStream({ pull(c) { c.enqueue(1) } }); s.getReader().read();\n" HANDLER,
    "function M() { 'use asm'; function f(a) { a = a | 0; return a | 0 } return { f: f } }\n"
    "const m = M(); if (m.f(2) !== 2) throw 1;\n" HANDLER,
    "globalThis.w = new WeakRef({}); new WeakMap([[{}, 1]]);\n" HANDLER,
};

START_TEST(test_these_are_snapshots)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.strict = true;
    snapcell_compiled_free(
        fixture_compile(fixture_write_text("fn.js", snapshotable[_i]), &options));
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_causes_are_explained, (int)(sizeof(causes) / sizeof(*causes))},
        {test_causes_are_explained_when_strict, 0},
        {test_places_go_through_the_source_map, 0},
        {test_these_are_snapshots, (int)(sizeof(snapshotable) / sizeof(*snapshotable))},
    };
    return FIXTURE_RUN("compile_causes", tests);
}
