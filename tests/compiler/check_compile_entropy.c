/* Random values and the clock at build time: what is refused, allowed, and told. */
#include <stdio.h>
#include <string.h>

#include "compiler_fixture.h"

/* Notes as lines "kind prevents warm count what @ place". */
typedef struct notebook {
    char text[8192];
} notebook;

static void take_note(void *user, const snapcell_note *note)
{
    notebook *book = user;
    size_t size = strlen(book->text);
    snprintf(book->text + size, sizeof(book->text) - size, "%d %d %d %u %s @ %s\n", note->kind,
             note->prevents, note->warm, note->count, note->what, note->place);
}

static snapcell_compiled *compile(const char *source, const char *const *warm,
                                  snapcell_entropy entropy, notebook *book)
{
    snapcell_request requests[8];
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    for (; warm != NULL && warm[options.warm_count] != NULL; options.warm_count++) {
        requests[options.warm_count] = (snapcell_request)SNAPCELL_REQUEST_INIT;
        requests[options.warm_count].url = warm[options.warm_count];
    }
    options.warm = requests;
    options.entropy = entropy;
    if (book != NULL) {
        book->text[0] = '\0';
        options.note = take_note;
        options.note_user = book;
    }
    return fixture_compile(fixture_write_text("fn.js", source), &options);
}

static void expect_kind(snapcell_compiled *compiled, snapcell_artifact_kind kind)
{
    const char *warning = snapcell_compiled_warning(compiled, 0);
    ck_assert_msg(snapcell_compiled_info(compiled)->kind == kind, "kind %d: %s",
                  (int)snapcell_compiled_info(compiled)->kind, warning ? warning : "no warning");
    snapcell_compiled_free(compiled);
}

/* --- At top level --- */

static const struct {
    const char *source;
    const char *what;
} drawn[] = {
    {"const id = crypto.randomUUID()\nexport default { fetch: () => id }", "crypto.randomUUID()"},
    {"const b = crypto.getRandomValues(new Uint8Array(1))\nexport default { fetch: () => b }",
     "crypto.getRandomValues()"},
    {"const k = await crypto.subtle.generateKey('AES-GCM' && {name:'AES-GCM',length:128}, true, "
     "['encrypt'])\nexport default { fetch: () => k }",
     "crypto.subtle.generateKey()"},
    {"const k = await crypto.subtle.generateKey({name:'ECDSA',namedCurve:'P-256'}, true, "
     "['sign'])\nexport default { fetch: () => k }",
     "crypto.subtle.generateKey()"},
};
#define DRAWN_COUNT (int)(sizeof(drawn) / sizeof(*drawn))

START_TEST(test_drawn_at_top_level_is_code)
{
    notebook book;
    snapcell_compiled *compiled = compile(drawn[_i].source, NULL, SNAPCELL_ENTROPY_FRESH, &book);
    const char *warning = snapcell_compiled_warning(compiled, 0);
    ck_assert_ptr_nonnull(warning);
    ck_assert_ptr_nonnull(strstr(warning, drawn[_i].what));
    ck_assert_ptr_nonnull(strstr(warning, "(fn.js:1:"));
    char note[200];
    snprintf(note, sizeof(note), "1 1 0 1 %s was called at top level @ fn.js:1:", drawn[_i].what);
    ck_assert_msg(strstr(book.text, note) != NULL, "%s", book.text);
    ck_assert_ptr_nonnull(
        strstr(fixture_manifest(compiled), "\"kind\":\"entropy\",\"prevents\":true"));
    expect_kind(compiled, SNAPCELL_ARTIFACT_CODE);
}
END_TEST

START_TEST(test_drawn_at_top_level_is_an_error_by_default)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_error error;
    fixture_compile_fails(fixture_write_text("fn.js", drawn[_i].source), &options,
                          SNAPCELL_E_UNSNAPSHOTABLE, drawn[_i].what, &error);
    ck_assert_str_eq(error.file, "fn.js");
    ck_assert_uint_eq(error.line, 1);
    ck_assert_uint_gt(error.column, 1);
    ck_assert_ptr_nonnull(strstr(error.message, "--entropy fresh"));
}
END_TEST

START_TEST(test_drawn_at_top_level_is_allowed)
{
    notebook book;
    snapcell_compiled *compiled = compile(drawn[_i].source, NULL, SNAPCELL_ENTROPY_ALLOW, &book);
    char note[200];
    snprintf(note, sizeof(note), "1 0 0 1 %s @ fn.js:1:", drawn[_i].what);
    ck_assert_msg(strstr(book.text, note) != NULL, "%s", book.text);
    ck_assert_ptr_nonnull(strstr(fixture_manifest(compiled), "\"entropy\":\"allow\""));
    ck_assert_ptr_nonnull(
        strstr(fixture_manifest(compiled), "\"kind\":\"entropy\",\"prevents\":false"));
    expect_kind(compiled, SNAPCELL_ARTIFACT_SNAPSHOT);
}
END_TEST

/* What comes before `export default`, and whether the snapshot depends on what was drawn. */
static const struct {
    const char *source;
    bool depends;
} tried[] = {
    {"crypto.randomUUID();", false},
    {"const probe = crypto.getRandomValues(new Uint8Array(32)); if (probe.length !== 32) throw 1;",
     false},
    {"const length = crypto.randomUUID().length; kept = length;", false},
    {"const pool = crypto.getRandomValues(new Uint8Array(16)).fill(0); kept = pool;", false},
    {"kept = crypto.getRandomValues(new Uint8Array(1))[0] % 2;", true},
    {"kept = () => {}; kept[crypto.randomUUID()] = 1;", true},
    {"if (crypto.getRandomValues(new Uint8Array(1))[0] % 2 === 0) throw new Error('even');", true},
    {"setTimeout(() => {}, 2000 + crypto.getRandomValues(new Uint8Array(1))[0]);", true},
    {"kept = Number('0x' + crypto.randomUUID().slice(0, 8));", true},
};
#define TRIED_COUNT (int)(sizeof(tried) / sizeof(*tried))

static snapcell_compiled *compile_tried(int i, snapcell_entropy entropy, notebook *book)
{
    static const char *const warm[] = {"/", NULL};
    char source[600];
    snprintf(source, sizeof(source),
             "let kept, last; const scratch = new Uint8Array(16);\n%s\n"
             "export default { fetch() { last = [kept, crypto.getRandomValues(scratch)[0] & 1];\n"
             "return new Response('x') } }",
             tried[i].source);
    return compile(source, warm, entropy, book);
}

START_TEST(test_what_leaves_no_trace_may_be_drawn_at_top_level)
{
    notebook book;
    snapcell_compiled *fresh = compile_tried(_i, SNAPCELL_ENTROPY_FRESH, &book);
    if (tried[_i].depends) {
        expect_kind(fresh, SNAPCELL_ARTIFACT_CODE);
        return;
    }
    ck_assert_msg(strstr(book.text, "1 0 0 1 crypto.") != NULL, "%s", book.text);
    /* The same recipe, and so the same key: it must be the same artifact. */
    snapcell_compiled *strict = compile_tried(_i, SNAPCELL_ENTROPY_ERROR, &book);
    size_t sizes[2];
    const void *bytes[] = {snapcell_compiled_artifact(fresh, &sizes[0]),
                           snapcell_compiled_artifact(strict, &sizes[1])};
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], sizes[0]);
    expect_kind(fresh, SNAPCELL_ARTIFACT_SNAPSHOT);
    expect_kind(strict, SNAPCELL_ARTIFACT_SNAPSHOT);
}
END_TEST

/* An error for random values is none for other causes. */
START_TEST(test_only_random_values_are_an_error)
{
    expect_kind(compile("new WebAssembly.Memory({initial: 1}); export default { fetch() {} }", NULL,
                        SNAPCELL_ENTROPY_ERROR, NULL),
                SNAPCELL_ARTIFACT_CODE);
}
END_TEST

/* --- In a warm-up --- */

/* The handler keeps what `%s` makes of random values. */
static const char keeping[] =
    "let kept; const draw = n => crypto.getRandomValues(new Uint8Array(n));\n"
    "const hex = b => [...b].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "export default { async fetch() { %s; return new Response(kept) } }";

static const struct {
    const char *statement;
    bool is_found;
} kept[] = {
    {"kept = crypto.randomUUID()", true},
    {"kept = crypto.randomUUID().replaceAll('-', '')", true},
    {"kept = { deep: [new Map([['id', crypto.randomUUID()]])] }", true},
    {"kept = draw(16)", true},
    {"kept = draw(8)", true},
    {"kept = draw(1000)", true},
    {"kept = hex(draw(16))", true},
    {"kept = hex(draw(16)).toUpperCase()", true},
    {"kept = btoa(String.fromCharCode(...draw(24)))", true},
    {"kept = btoa(String.fromCharCode(...draw(24))).replaceAll('+', '-').replaceAll('/', '_')",
     true},
    {"kept = await crypto.subtle.generateKey({name:'AES-GCM',length:256}, true, ['encrypt'])",
     true},
    /* A UUID of version 4, as packages make it. */
    {"const b = draw(16); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128; kept = b", true},
    {"const b = draw(16); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128; kept = hex(b)", true},
    {"const b = draw(16); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128;\n"
     "kept = hex(b).replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')",
     true},
    /* A buffer that is kept: filled once, and something may go with it; or again and again. */
    {"kept ||= draw(16)", true},
    {"kept ||= { salt: draw(16), made: 1 }", true},
    {"kept ||= new Uint8Array(16); crypto.getRandomValues(kept)", false},
    {"kept ||= new Uint8Array(16); globalThis.id ||= hex(crypto.getRandomValues(kept))", true},
    {"kept ||= { pool: new Uint32Array(64), at: 64 };\n"
     "if (kept.at > 60) { crypto.getRandomValues(kept.pool); kept.at = 0 } kept.at += 4",
     false},
    /* What is used up by the request does no harm; nor are values that are too short to be told. */
    {"const id = crypto.randomUUID(); kept = id.length", false},
    {"const b = draw(64); kept = b.length", false},
    {"kept = draw(4)", false},
    {"kept = Math.random()", false},
};
#define KEPT_COUNT (int)(sizeof(kept) / sizeof(*kept))

static const char *const once[] = {"/", NULL};

START_TEST(test_what_a_warm_up_drew_is_not_kept)
{
    char source[600];
    snprintf(source, sizeof(source), keeping, kept[_i].statement);
    notebook book;
    snapcell_compiled *compiled = compile(source, once, SNAPCELL_ENTROPY_FRESH, &book);
    if (kept[_i].is_found) {
        const char *warning = snapcell_compiled_warning(compiled, 0);
        ck_assert_ptr_nonnull(warning);
        ck_assert_ptr_nonnull(strstr(warning, "gave to a warm-up request (fn.js:"));
        ck_assert_ptr_nonnull(strstr(book.text, "1 1 1 1 the snapshot keeps what crypto."));
    }
    expect_kind(compiled, kept[_i].is_found ? SNAPCELL_ARTIFACT_CODE : SNAPCELL_ARTIFACT_SNAPSHOT);
}
END_TEST

START_TEST(test_what_a_warm_up_drew_is_kept_when_allowed)
{
    char source[600];
    snprintf(source, sizeof(source), keeping, kept[0].statement);
    expect_kind(compile(source, once, SNAPCELL_ENTROPY_ALLOW, NULL), SNAPCELL_ARTIFACT_SNAPSHOT);
}
END_TEST

/* --- Clock and Math.random() --- */

START_TEST(test_uses_are_told_with_their_places)
{
    notebook book;
    snapcell_compiled_free(compile("const a = Date.now();\n"
                                   "const b = new Date(), c = new Date(0), d = Date();\n"
                                   "class E extends Date {}\n"
                                   "const e = new E();\n"
                                   "const f = performance.now();\n"
                                   "const r = Math.random;\n"
                                   "for (let i = 0; i < 3; i++) r();\n"
                                   "export default { fetch() { return new Response(Date.now()) } }",
                                   once, SNAPCELL_ENTROPY_FRESH, &book));
    ck_assert_str_eq(book.text, "3 0 0 1 Date.now() @ fn.js:1:16\n"
                                "3 0 0 1 new Date() @ fn.js:2:11\n"
                                "3 0 0 1 Date() @ fn.js:2:44\n"
                                "3 0 0 1 new Date() @ fn.js:3:1\n"
                                "3 0 0 1 performance.now() @ fn.js:5:23\n"
                                "2 0 0 3 Math.random() @ fn.js:7:29\n"
                                "3 0 1 1 Date.now() @ fn.js:8:53\n");
}
END_TEST

/* A hundred places: twenty lines, the last for the rest. */
START_TEST(test_many_uses_are_counted)
{
    char source[4000] = "export default { fetch() {} }\n";
    for (int i = 0; i < 100; i++)
        strcat(source, "Math.random();\n");
    notebook book;
    snapcell_compiled_free(compile(source, NULL, SNAPCELL_ENTROPY_FRESH, &book));
    size_t lines = 0;
    for (const char *c = book.text; *c != '\0'; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, 20);
    ck_assert_msg(strstr(book.text, "2 0 0 81 others @ \n") != NULL, "%s", book.text);
}
END_TEST

/* A million calls are no reason to fail: they are counted. */
START_TEST(test_endless_uses_are_counted)
{
    notebook book;
    snapcell_compiled_free(compile("for (let i = 0; i < 1e6; i++) Math.random();\n"
                                   "export default { fetch() {} }",
                                   NULL, SNAPCELL_ENTROPY_FRESH, &book));
    ck_assert_str_eq(book.text, "2 0 0 20000 Math.random() @ fn.js:1:36\n"
                                "2 0 0 980000 others @ \n");
}
END_TEST

/* Looking does not change what is made, and what is looked at does not see it. */
START_TEST(test_a_survey_leaves_no_trace)
{
    static const char source[] =
        "const names = [Math.random.name, Date.name, String(Date), typeof Date.now(),\n"
        "  new Date() instanceof Date, new Date().constructor === Date,\n"
        "  Object.getOwnPropertyNames(Math).length, Math.random.length];\n"
        "if (names.join() !== 'random,Date,function Date() { [native code] "
        "},number,true,true,44,0')\n"
        "  throw new Error(names.join());\n"
        "globalThis.handler = () => names;";
    notebook book;
    snapcell_compiled *first = compile(source, NULL, SNAPCELL_ENTROPY_FRESH, &book);
    snapcell_compiled *second = compile(source, NULL, SNAPCELL_ENTROPY_FRESH, NULL);
    size_t sizes[2];
    const void *bytes[] = {snapcell_compiled_artifact(first, &sizes[0]),
                           snapcell_compiled_artifact(second, &sizes[1])};
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], sizes[0]);
    snapcell_compiled_free(first);
    snapcell_compiled_free(second);
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_drawn_at_top_level_is_code, DRAWN_COUNT},
        {test_drawn_at_top_level_is_an_error_by_default, DRAWN_COUNT},
        {test_drawn_at_top_level_is_allowed, DRAWN_COUNT},
        {test_what_leaves_no_trace_may_be_drawn_at_top_level, TRIED_COUNT},
        {test_only_random_values_are_an_error, 0},
        {test_what_a_warm_up_drew_is_not_kept, KEPT_COUNT},
        {test_what_a_warm_up_drew_is_kept_when_allowed, 0},
        {test_uses_are_told_with_their_places, 0},
        {test_many_uses_are_counted, 0},
        {test_endless_uses_are_counted, 0},
        {test_a_survey_leaves_no_trace, 0},
    };
    return FIXTURE_RUN("compile_entropy", tests);
}
