#include "compile_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler_fixture.h"

static snapcell_key key_of(const char *path, const snapcell_compile_options *options)
{
    snapcell_key key;
    snapcell_error error;
    fixture_expect(snapcell_compile_key(path, options, &key, &error), SNAPCELL_OK, &error, NULL);
    return key;
}

static bool same(const snapcell_key *a, const snapcell_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static int host_nothing(void *user, snapcell_host_call *call)
{
    (void)user;
    (void)call;
    return 0;
}

static const char source[] = "export default {}";

START_TEST(test_same_input_gives_same_key)
{
    snapcell_key first = key_of(fixture_write_text("a.js", source), NULL);
    snapcell_key second = key_of(fixture_path("a.js"), NULL);
    ck_assert(same(&first, &second));
}
END_TEST

START_TEST(test_what_does_not_decide_the_artifact_is_not_in_the_key)
{
    const char *path = fixture_write_text("a.js", source);
    snapcell_key plain = key_of(path, NULL);
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.name = "a";
    options.level = SNAPCELL_LEVEL_DEFAULT;
    options.strict = true;
    options.entropy = SNAPCELL_ENTROPY_FRESH;
    options.memory_limit_bytes = UINT64_C(1) << 30;
    options.wall_limit_ms = 1;
    options.worker_path = "/nowhere";
    snapcell_key other = key_of(path, &options);
    ck_assert(same(&plain, &other));

    options.raw = true;
    snapcell_key raw = key_of(path, &options);
    options.level = 19;
    other = key_of(path, &options);
    ck_assert(same(&raw, &other));
}
END_TEST

/* Keys of one bundle with everything that decides, changed one by one: all differ. */
START_TEST(test_whatever_decides_the_artifact_changes_the_key)
{
    snapcell_key keys[40];
    size_t count = 0;
    const char *path = fixture_write_text("a.js", source);
    keys[count++] = key_of(path, NULL);
    snapcell_compile_options allowing = SNAPCELL_COMPILE_OPTIONS_INIT;
    allowing.entropy = SNAPCELL_ENTROPY_ALLOW;
    keys[count++] = key_of(path, &allowing);
    snapcell_compile_options shaped = SNAPCELL_COMPILE_OPTIONS_INIT;
    for (int shape = SNAPCELL_SHAPE_FETCH; shape <= SNAPCELL_SHAPE_JSON; shape++) {
        shaped.shape = (snapcell_handler_shape)shape;
        keys[count++] = key_of(path, &shaped);
    }
    keys[count++] = key_of(fixture_write_text("b.js", source), NULL);

    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.name = "b"; /* with a.js */
    keys[count++] = key_of(path, &options);
    options = (snapcell_compile_options)SNAPCELL_COMPILE_OPTIONS_INIT;
    for (int format = 1; format <= 3; format++) {
        options.format = (snapcell_format)format;
        keys[count++] = key_of(path, &options);
    }
    options = (snapcell_compile_options)SNAPCELL_COMPILE_OPTIONS_INIT;
    options.format = SNAPCELL_FORMAT_ESM;
    options.unevaluated = true;
    keys[count++] = key_of(path, &options);
    for (uint32_t length = 1; length < 3; length++) {
        options.prelude_length = length;
        keys[count++] = key_of(path, &options);
    }
    options = (snapcell_compile_options)SNAPCELL_COMPILE_OPTIONS_INIT;
    options.level = 1;
    keys[count++] = key_of(path, &options);
    options.raw = true;
    keys[count++] = key_of(path, &options);

    options = (snapcell_compile_options)SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_header headers[] = {{"a", "b"}, {"a", "b"}};
    snapcell_request warm[] = {SNAPCELL_REQUEST_INIT, SNAPCELL_REQUEST_INIT};
    options.warm = warm;
    options.warm_count = 1;
    keys[count++] = key_of(path, &options);
    options.warm_count = 2;
    keys[count++] = key_of(path, &options);
    options.warm_count = 1;
    warm[0].url = "/x";
    keys[count++] = key_of(path, &options);
    warm[0].method = "POST";
    keys[count++] = key_of(path, &options);
    warm[0].body = "";
    keys[count++] = key_of(path, &options);
    warm[0].body_size_bytes = 1;
    keys[count++] = key_of(path, &options);
    warm[0].headers = headers;
    warm[0].header_count = 1;
    keys[count++] = key_of(path, &options);
    warm[0].header_count = 2;
    keys[count++] = key_of(path, &options);

    options = (snapcell_compile_options)SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_host *host = NULL;
    ck_assert_int_eq(snapcell_host_new(&host, NULL), SNAPCELL_OK);
    options.host = host;
    snapcell_key empty_host = key_of(path, &options);
    ck_assert(same(&empty_host, &keys[0]));
    ck_assert_int_eq(snapcell_host_add(host, "f", host_nothing, NULL, NULL), SNAPCELL_OK);
    keys[count++] = key_of(path, &options);
    snapcell_host_free(host);

    fixture_write_text("a.js.map", "{}");
    keys[count++] = key_of(path, NULL);
    fixture_write_text("a.js.map", "{\"version\":3}");
    keys[count++] = key_of(path, NULL);
    keys[count++] = key_of(fixture_write_text("a.js", "export default {} "), NULL);

    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            ck_assert_msg(!same(&keys[i], &keys[j]), "keys %zu and %zu are the same", i, j);
}
END_TEST

START_TEST(test_defaults_of_a_request_are_filled_in)
{
    const char *path = fixture_write_text("a.js", source);
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    options.warm = &warm;
    options.warm_count = 1;
    snapcell_key implied = key_of(path, &options);
    warm.method = "GET";
    warm.url = "/";
    snapcell_key said = key_of(path, &options);
    ck_assert(same(&implied, &said));
}
END_TEST

static void expect_usage(const snapcell_compile_options *options, int code, const char *part)
{
    snapcell_key key;
    snapcell_error error;
    const char *path = fixture_write_text("a.js", source);
    fixture_expect(snapcell_compile_key(path, options, &key, &error), code, &error, part);
}

START_TEST(test_bad_options_are_refused)
{
    snapcell_compile_options good = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_compile_options bad = good;
    bad.struct_size = 0;
    expect_usage(&bad, SNAPCELL_E_USAGE, "struct_size");
    bad.struct_size = sizeof(bad) + 1;
    expect_usage(&bad, SNAPCELL_E_USAGE, "struct_size");
    bad = good;
    bad.level = 20;
    expect_usage(&bad, SNAPCELL_E_USAGE, "level");
    bad.level = -1;
    expect_usage(&bad, SNAPCELL_E_USAGE, "level");
    bad = good;
    bad.entropy = (snapcell_entropy)3;
    expect_usage(&bad, SNAPCELL_E_USAGE, "random values");
    bad = good;
    bad.shape = (snapcell_handler_shape)3;
    expect_usage(&bad, SNAPCELL_E_USAGE, "shape");
    bad = good;
    bad.format = (snapcell_format)4;
    expect_usage(&bad, SNAPCELL_E_USAGE, "format");
    bad.format = (snapcell_format)-1;
    expect_usage(&bad, SNAPCELL_E_USAGE, "format");
    bad = good;
    bad.unevaluated = true;
    expect_usage(&bad, SNAPCELL_E_USAGE, "its format");
    bad.format = SNAPCELL_FORMAT_ESM;
    bad.strict = true;
    expect_usage(&bad, SNAPCELL_E_USAGE, "no snapshot");
    bad.strict = false;
    bad.prelude_length = 1;
    bad.format = SNAPCELL_FORMAT_SCRIPT;
    expect_usage(&bad, SNAPCELL_E_USAGE, "prelude");
    bad.format = SNAPCELL_FORMAT_ESM;
    bad.unevaluated = false;
    expect_usage(&bad, SNAPCELL_E_USAGE, "prelude");
}
END_TEST

START_TEST(test_bad_names_are_refused)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 2];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    options.name = name;
    expect_usage(&options, SNAPCELL_E_USAGE, "at most 200 bytes");
    name[sizeof(name) - 2] = '\0';
    expect_usage(&options, SNAPCELL_OK, NULL);
    static const char *const names[] = {"", "a/b", "a\tb", "\xff", "a\x7f", "a\xc2\x85"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        options.name = names[i];
        expect_usage(&options, SNAPCELL_E_USAGE, "name");
    }
}
END_TEST

START_TEST(test_bad_requests_are_refused)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_request many[65];
    for (size_t i = 0; i < 65; i++)
        many[i] = (snapcell_request)SNAPCELL_REQUEST_INIT;
    options.warm_count = 1;
    expect_usage(&options, SNAPCELL_E_USAGE, "but warm is NULL");
    options.warm = many;
    options.warm_count = 65;
    expect_usage(&options, SNAPCELL_E_USAGE, "at most 64");
    options.warm_count = 64;
    expect_usage(&options, SNAPCELL_OK, NULL);
    options.warm_count = 1;
    many[0].method = "GE T";
    expect_usage(&options, SNAPCELL_E_USAGE, "not an HTTP method");
    many[0].method = NULL;
    many[0].url = "/\xff";
    expect_usage(&options, SNAPCELL_E_USAGE, "URL");
    many[0].url = NULL;
    snapcell_header headers[] = {{"a b", "c"}};
    many[0].headers = headers;
    many[0].header_count = 1;
    expect_usage(&options, SNAPCELL_E_USAGE, "header 1");
    headers[0] = (snapcell_header){"a", "b\r\nc: d"};
    expect_usage(&options, SNAPCELL_E_USAGE, "line break");
    many[0].header_count = 0;
    many[0].body = source;
    many[0].body_size_bytes = COMPILE_WARM_SIZE_MAX + 1;
    expect_usage(&options, SNAPCELL_E_TOO_LARGE, "warm-up");
    many[0] = (snapcell_request)SNAPCELL_REQUEST_INIT;
    many[0].struct_size = 1;
    expect_usage(&options, SNAPCELL_E_USAGE, "struct_size");
}
END_TEST

int main(void)
{
    const fixture_test tests[] = {
        {test_same_input_gives_same_key, 0},
        {test_what_does_not_decide_the_artifact_is_not_in_the_key, 0},
        {test_whatever_decides_the_artifact_changes_the_key, 0},
        {test_defaults_of_a_request_are_filled_in, 0},
        {test_bad_options_are_refused, 0},
        {test_bad_names_are_refused, 0},
        {test_bad_requests_are_refused, 0},
    };
    return FIXTURE_RUN("compile_key", tests);
}
