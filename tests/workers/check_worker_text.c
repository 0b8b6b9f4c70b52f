/* Workers that have evaluated a prelude, and go on with a text of which no artifact was made yet.
 */
#include <signal.h>
#include <sodium.h>
#include <string.h>

#include "prelude_fixture.h"

/* Until the next one. */
static const void *hash_of(const void *prelude, size_t size_bytes)
{
    static uint8_t hash[SNAPCELL_WORKER_SHA256_SIZE];
    crypto_hash_sha256(hash, prelude, size_bytes);
    return hash;
}

static snapcell_worker_text latin1(const char *rest)
{
    snapcell_worker_text text = SNAPCELL_WORKER_TEXT_INIT;
    text.text = rest;
    text.text_size_bytes = strlen(rest);
    text.prelude_sha256 = hash_of(PRELUDE, strlen(PRELUDE));
    return text;
}

static snapcell_worker *go_on_from(const char *ref, const snapcell_worker_text *text)
{
    snapcell_worker *worker = prelude_start_waiting(ref);
    ck_assert_int_eq(snapcell_worker_go_on_with_text(worker, text, NULL), SNAPCELL_OK);
    return worker;
}

/* Is what a worker that loads the version is, with nothing of it in the store. */
static void expect_text(const char *rest, const char *answer)
{
    const snapcell_worker_text text = latin1(rest);
    snapcell_worker *worker = go_on_from(prelude_first.ref, &text);
    prelude_become_ready(worker);
    version same = prelude_make(PRELUDE, rest, NULL);
    snapcell_worker *loaded = prelude_start(same.ref, false, 0);
    prelude_become_ready(loaded);
    for (int i = 0; i < 3; i++) { /* each in a fresh instance */
        workers_expect(worker, "/", answer);
        workers_expect(loaded, "/", answer);
    }
    snapcell_worker_free(worker);
    snapcell_worker_free(loaded);
    prelude_release(&same);
}

START_TEST(test_it_goes_on)
{
    expect_text(
        "import { add, count, list } from 'snapcell:prelude';\n"
        "export default { fetch: () => new Response(`${list} ${count} ${add()} ${count}`) };\n"
        "add();\n",
        "later 1 2 2");
    expect_text("import { place } from 'snapcell:prelude';\n"
                "const lines = [...(place() + new Error().stack).matchAll(/f\\.js:\\d+/g)];\n"
                "export default { fetch: () => new Response(lines.join()) };\n",
                "f.js:2,f.js:6,f.js:6");
}
END_TEST

/* Latin-1 is a byte a character. */
START_TEST(test_characters)
{
    const snapcell_worker_text text =
        latin1("export default { fetch: () => new Response('\xe9'.charCodeAt(0) + '') };\n");
    snapcell_worker *worker = go_on_from(prelude_first.ref, &text);
    prelude_become_ready(worker);
    workers_expect(worker, "/", "233");
    snapcell_worker_free(worker);
}
END_TEST

/* One wide character, and all of a bundle is kept so. */
START_TEST(test_utf16)
{
    static const char rest[] = "import { add } from 'snapcell:prelude';\n"
                               "export default { fetch: () => new Response('$' + add()) };\n";
    version wide = prelude_make(
        PRELUDE, "export default { fetch: () => new Response('\xe2\x82\xac') };\n", NULL);
    uint16_t units[sizeof(rest)];
    for (size_t i = 0; i < sizeof(rest); i++)
        units[i] = rest[i] == '$' ? 0x20ac : (uint16_t)rest[i];
    snapcell_worker_text text = SNAPCELL_WORKER_TEXT_INIT;
    text.text = units;
    text.text_size_bytes = 2 * (sizeof(rest) - 1);
    text.is_utf16 = true;
    uint16_t prelude[sizeof(PRELUDE)];
    for (size_t i = 0; i < sizeof(PRELUDE); i++)
        prelude[i] = (uint16_t)PRELUDE[i];
    text.prelude_sha256 = hash_of(prelude, 2 * (sizeof(PRELUDE) - 1));
    snapcell_worker *worker = go_on_from(wide.ref, &text);
    prelude_become_ready(worker);
    workers_expect(worker, "/",
                   "\xe2\x82\xac"
                   "1");
    snapcell_worker_free(worker);

    prelude_expect_end(go_on_from(prelude_first.ref, &text), SNAPCELL_E_USAGE, "encoding");
    prelude_release(&wide);
}
END_TEST

START_TEST(test_what_cannot_be_evaluated)
{
    snapcell_error err = {0};
    snapcell_worker_text text = latin1("\nthrow new Error('thrown below');\n");
    snapcell_worker *worker = go_on_from(prelude_first.ref, &text);
    while (snapcell_worker_advance(worker, &err) == SNAPCELL_WORKER_STARTING)
        prelude_advance(worker);
    ck_assert_int_eq(err.line, 6);
    prelude_expect_end(worker, SNAPCELL_E_SCRIPT, "thrown below");
    text = latin1("export default {");
    prelude_expect_end(go_on_from(prelude_first.ref, &text), SNAPCELL_E_SCRIPT, "SyntaxError");
    text = latin1("import { absent } from 'snapcell:prelude';\n");
    prelude_expect_end(go_on_from(prelude_first.ref, &text), SNAPCELL_E_SCRIPT, "absent");
    text = latin1("export const nothing = 1;\n");
    prelude_expect_end(go_on_from(prelude_first.ref, &text), SNAPCELL_E_NO_HANDLER, "");
}
END_TEST

static void expect_place(const char *ref, const snapcell_worker_text *text, const char *file,
                         uint32_t line)
{
    snapcell_error err = {0};
    snapcell_worker *worker = go_on_from(ref, text);
    while (snapcell_worker_advance(worker, &err) == SNAPCELL_WORKER_STARTING)
        prelude_advance(worker);
    ck_assert_str_eq(err.file, file);
    ck_assert_uint_eq(err.line, line);
    prelude_expect_end(worker, SNAPCELL_E_SCRIPT, "thrown");
}

/* Of what is below the prelude by the text's own map, of the prelude by the artifact's. */
START_TEST(test_both_maps_count)
{
    static const char prelude[] = "export const fail = () => {\n"
                                  "    throw new Error('thrown above');\n"
                                  "};\n";
    static const char map[] = "{\"version\":3,\"sources\":[\"pack.ts\",\"old.ts\"],\"names\":[],"
                              "\"mappings\":\"AAUA;AACA;AACA;ACAA;AACA\"}";
    static const char rest_map[] = "{\"version\":3,\"sources\":[\"new.ts\"],\"names\":[],"
                                   "\"mappings\":\"AAoBA;AACA\"}";
    version mapped = prelude_make(prelude, "export default { fetch() {} };\n", map);
    snapcell_worker_text text = latin1("\nthrow new Error('thrown below');\n");
    text.prelude_sha256 = hash_of(prelude, strlen(prelude));
    text.source_map = rest_map;
    text.source_map_size_bytes = strlen(rest_map);
    expect_place(mapped.ref, &text, "new.ts", 22);
    text.text = "import { fail } from 'snapcell:prelude';\nfail();\n";
    text.text_size_bytes = strlen(text.text);
    expect_place(mapped.ref, &text, "pack.ts", 12);

    text.source_map = "no map";
    text.source_map_size_bytes = strlen(text.source_map);
    expect_place(mapped.ref, &text, "f.js", 2);
    text.source_map = NULL;
    expect_place(mapped.ref, &text, "pack.ts", 12);
    prelude_release(&mapped);
}
END_TEST

/* Whose names may be the same, and what they stand for another thing. */
START_TEST(test_another_prelude)
{
    snapcell_worker_text text = latin1("export default { fetch: () => new Response('') };\n");
    static const char other[] = PRELUDE " ";
    text.prelude_sha256 = hash_of(other, strlen(other));
    prelude_expect_end(go_on_from(prelude_first.ref, &text), SNAPCELL_E_USAGE, "another prelude");
}
END_TEST

/* Nobody could load what it was. */
START_TEST(test_a_process_that_dies_is_not_replaced)
{
    const snapcell_worker_text text = latin1("export default { fetch() {} };\n");
    snapcell_worker *worker = prelude_start_waiting(prelude_first.ref);
    kill(snapcell_worker_process_id(worker), SIGSTOP); /* before it has gone on */
    ck_assert_int_eq(snapcell_worker_go_on_with_text(worker, &text, NULL), SNAPCELL_OK);
    kill(snapcell_worker_process_id(worker), SIGKILL);
    prelude_expect_end(worker, SNAPCELL_E_WORKER_DIED, "");
    worker = go_on_from(prelude_first.ref, &text);
    prelude_become_ready(worker);
    kill(snapcell_worker_process_id(worker), SIGKILL);
    while (snapcell_worker_advance(worker, NULL) == SNAPCELL_WORKER_READY)
        prelude_advance(worker);
    prelude_expect_end(worker, SNAPCELL_E_WORKER_DIED, "");
}
END_TEST

static void expect_refusal(snapcell_worker *worker, const snapcell_worker_text *text, int code)
{
    ck_assert_int_eq(snapcell_worker_go_on_with_text(worker, text, NULL), code);
}

START_TEST(test_what_is_refused)
{
    const snapcell_worker_text good = latin1("export default { fetch: () => new Response('') };\n");
    snapcell_worker_text text = good;
    snapcell_worker *worker = prelude_start(prelude_first.ref, true, 0);
    expect_refusal(worker, &good, SNAPCELL_E_USAGE); /* it has not begun */
    snapcell_worker_free(worker);
    worker = prelude_start_waiting(prelude_first.ref);
    text.text = NULL;
    expect_refusal(worker, &text, SNAPCELL_E_USAGE);
    text = good;
    text.is_utf16 = true;
    text.text_size_bytes = 7;
    expect_refusal(worker, &text, SNAPCELL_E_USAGE);
    text = good;
    text.text_size_bytes = (size_t)64 << 20;
    expect_refusal(worker, &text, SNAPCELL_E_TOO_LARGE);
    text = good;
    text.source_map = "";
    text.source_map_size_bytes = (size_t)64 << 20;
    expect_refusal(worker, &text, SNAPCELL_E_TOO_LARGE);
    expect_refusal(worker, &good, SNAPCELL_OK);
    prelude_become_ready(worker);
    expect_refusal(worker, &good, SNAPCELL_E_USAGE);
    snapcell_worker_free(worker);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("worker_text");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, prelude_setup, prelude_teardown);
    tcase_add_test(tests, test_it_goes_on);
    tcase_add_test(tests, test_characters);
    tcase_add_test(tests, test_utf16);
    tcase_add_test(tests, test_what_cannot_be_evaluated);
    tcase_add_test(tests, test_both_maps_count);
    tcase_add_test(tests, test_another_prelude);
    tcase_add_test(tests, test_a_process_that_dies_is_not_replaced);
    tcase_add_test(tests, test_what_is_refused);
    return fixture_run(suite_create("worker_text"), tests);
}
