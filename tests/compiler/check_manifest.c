#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_fixture.h"
#include "engine.h"

static snapcell_header headers[] = {{"Accept", "text/html"}, {"X-Latin", "caf\xe9"}};
static const snapcell_request warm[] = {
    SNAPCELL_REQUEST_INIT,
    {sizeof(snapcell_request), NULL, "/caf\xc3\xa9?\"", headers, 2, "{\"a\":1}", 7},
    {sizeof(snapcell_request), "PUT", "/", NULL, 0, "\0\xff", 2},
    {sizeof(snapcell_request), "PUT", "/", NULL, 0, "", 0},
};
#define WARM_COUNT (sizeof(warm) / sizeof(*warm))

static char *write_sample_of(snapcell_artifact_kind kind)
{
    bundle_file bundle = {.path = (char *)"dir/a.js", .file_name = "a.js", .size_bytes = 99};
    bundle.hash[0] = 0xab;
    compile_recipe recipe = {.name = "fn",
                             .format = SNAPCELL_FORMAT_ESM,
                             .shape = SNAPCELL_SHAPE_JSON,
                             .warm = warm,
                             .warm_count = WARM_COUNT,
                             .level = 7,
                             .entropy_allowed = true};
    snapcell_note note_items[] = {
        {SNAPCELL_NOTE_OBJECT, true, false, 2, "an object", "a.js:1:2", "globalThis.a", "make it"},
        {SNAPCELL_NOTE_CLOCK, false, true, 3, "Date.now()", "", "", ""},
    };
    note_list notes = {note_items, 2, 2};
    const char *const warnings[] = {"w"};
    manifest_facts facts = {.kind = kind,
                            .shape = SNAPCELL_SHAPE_JSON,
                            .format = SNAPCELL_SOURCE_SCRIPT,
                            .warnings = warnings,
                            .warning_count = 1,
                            .apis = "fetch  url ",
                            .heap = "code 12  strings 3",
                            .notes = &notes};
    char *text = NULL;
    size_t size = 0;
    snapcell_error error;
    fixture_expect(manifest_write(&bundle, &recipe, &facts, &text, &size, &error), SNAPCELL_OK,
                   &error, NULL);
    ck_assert_uint_eq(size, strlen(text));
    return text;
}

static char *write_sample(void)
{
    return write_sample_of(SNAPCELL_ARTIFACT_CODE);
}

START_TEST(test_manifest_has_these_bytes)
{
    char *text = write_sample();
    static const char before[] =
        "{\"name\":\"fn\",\"file\":\"a.js\",\"shape\":\"json\",\"kind\":\"code\","
        "\"format\":\"script\",\"options\":{\"format\":\"esm\",\"shape\":\"event\",\"level\":7,"
        "\"raw\":false,"
        "\"entropy\":\"allow\",\"warm\":["
        "{\"method\":\"GET\",\"url\":\"/\"},"
        "{\"method\":\"POST\",\"url\":\"/caf\xc3\xa9?\\\"\",\"headers\":["
        "{\"name\":\"Accept\",\"value\":\"text/html\"},"
        "{\"name\":\"X-Latin\",\"value_base64\":\"Y2Fm6Q==\"}],\"body\":\"{\\\"a\\\":1}\"},"
        "{\"method\":\"PUT\",\"url\":\"/\",\"body_base64\":\"AP8=\"},"
        "{\"method\":\"PUT\",\"url\":\"/\",\"body\":\"\"}]},\"warnings\":[\"w\"],"
        "\"engine\":{\"v8\":\"";
    static const char after[] =
        "\"},\"notes\":[{\"kind\":\"object\",\"prevents\":true,\"warm\":false,"
        "\"what\":\"an object\",\"count\":2,\"place\":\"a.js:1:2\",\"path\":\"globalThis.a\","
        "\"advice\":\"make it\"}],\"host\":[],\"apis\":[\"fetch\",\"url\"],"
        "\"heap\":{\"code\":12,\"strings\":3},\"bundle\":{\"bytes\":99,"
        "\"hash\":\"ab000000000000000000000000000000\"},\"source_map\":false}";
    ck_assert_str_eq(text + strlen(text) - strlen(after), after);
    text[strlen(before)] = '\0';
    ck_assert_str_eq(text, before);
    free(text);
}
END_TEST

/* What a `code` artifact took from the clock it takes again; a snapshot keeps it. */
START_TEST(test_snapshot_lists_what_it_took)
{
    char *text = write_sample_of(SNAPCELL_ARTIFACT_SNAPSHOT);
    ck_assert_ptr_nonnull(strstr(text, "{\"kind\":\"clock\",\"prevents\":false,\"warm\":true,"
                                       "\"what\":\"Date.now()\",\"count\":3}]"));
    free(text);
}
END_TEST

START_TEST(test_recipe_comes_back)
{
    char *text = write_sample();
    manifest_recipe recipe;
    snapcell_error error;
    int status = manifest_read(text, strlen(text), &recipe, &error);
    fixture_expect(status, SNAPCELL_OK, &error, NULL);
    ck_assert_uint_eq(recipe.bundle_size_bytes, 99);
    ck_assert_int_eq(recipe.format, SNAPCELL_FORMAT_ESM);
    ck_assert_int_eq(recipe.shape, SNAPCELL_SHAPE_JSON);
    ck_assert_int_eq(recipe.level, 7);
    ck_assert(!recipe.raw);
    ck_assert(recipe.entropy_allowed);
    ck_assert_uint_eq(recipe.warm.count, WARM_COUNT);
    ck_assert_str_eq(recipe.warm.requests[0].method, "GET");
    ck_assert_ptr_null(recipe.warm.requests[0].body);
    ck_assert_str_eq(recipe.warm.requests[1].url, "/caf\xc3\xa9?\"");
    ck_assert_uint_eq(recipe.warm.requests[1].header_count, 2);
    ck_assert_str_eq(recipe.warm.requests[1].headers[1].value, "caf\xe9");
    ck_assert_uint_eq(recipe.warm.requests[1].body_size_bytes, 7);
    ck_assert_str_eq(recipe.warm.requests[1].body, "{\"a\":1}");
    ck_assert_uint_eq(recipe.warm.requests[2].body_size_bytes, 2);
    ck_assert_mem_eq(recipe.warm.requests[2].body, "\0\xff", 2);
    ck_assert_ptr_nonnull(recipe.warm.requests[3].body);
    ck_assert_uint_eq(recipe.warm.requests[3].body_size_bytes, 0);
    manifest_recipe_release(&recipe);
    free(text);
}
END_TEST

START_TEST(test_older_manifest_is_read)
{
    static const char text[] = "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\","
                               "\"level\":1,\"raw\":false,\"warm\":[]}}";
    manifest_recipe recipe;
    snapcell_error error;
    int status = manifest_read(text, strlen(text), &recipe, &error);
    fixture_expect(status, SNAPCELL_OK, &error, NULL);
    ck_assert(!recipe.entropy_allowed);
    ck_assert_int_eq(recipe.shape, 0);
    manifest_recipe_release(&recipe);
}
END_TEST

static const char *const bad_manifests[] = {
    "",
    "{",
    "[]",
    "{}",
    "1",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false}}",
    "{\"bundle\":{\"bytes\":-1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false,"
    "\"warm\":[]}}",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"wat\",\"level\":1,\"raw\":false,"
    "\"warm\":[]}}",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false,"
    "\"warm\":{}}}",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false,"
    "\"warm\":[1]}}",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false,"
    "\"warm\":[{\"method\":\"GET\",\"url\":\"/\",\"body_base64\":\"!\"}]}}",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false,"
    "\"warm\":[{\"method\":\"GET\",\"url\":\"/\",\"headers\":[{\"name\":\"a\"}]}]}}",
    "{\"bundle\":{\"bytes\":1},\"options\":{\"format\":\"auto\",\"level\":1,\"raw\":false,"
    "\"warm\":[{\"method\":\"GET\",\"\":\"/w==\"}]}}",
};

START_TEST(test_bad_manifest_is_refused)
{
    manifest_recipe recipe;
    snapcell_error error;
    const char *text = bad_manifests[_i];
    int status = manifest_read(text, strlen(text), &recipe, &error);
    fixture_expect(status, SNAPCELL_E_CORRUPT, &error, "manifest");
    ck_assert_ptr_null(recipe.warm.requests);
    ck_assert_ptr_null(recipe.warm.texts);
}
END_TEST

/* Cut anywhere, it is refused and nothing is read beyond its end. */
START_TEST(test_truncated_manifest_is_refused)
{
    char *text = write_sample();
    size_t size = strlen(text);
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = malloc(cut + (cut == 0));
        memcpy(copy, text, cut);
        manifest_recipe recipe;
        ck_assert_int_eq(manifest_read(copy, cut, &recipe, NULL), SNAPCELL_E_CORRUPT);
        free(copy);
    }
    free(text);
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_manifest_has_these_bytes, 0},
        {test_snapshot_lists_what_it_took, 0},
        {test_recipe_comes_back, 0},
        {test_older_manifest_is_read, 0},
        {test_bad_manifest_is_refused, (int)(sizeof(bad_manifests) / sizeof(*bad_manifests))},
        {test_truncated_manifest_is_refused, 0},
    };
    return FIXTURE_RUN("manifest", tests);
}
