#include "bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "bundle_source_map.h"
#include "compiler_fixture.h"

static bundle_file read_bundle(const char *path)
{
    bundle_file bundle;
    snapcell_error error;
    fixture_expect(bundle_read(path, &bundle, &error), SNAPCELL_OK, &error, NULL);
    return bundle;
}

static bundle_file read_text(const char *text)
{
    return read_bundle(fixture_write_text("a.js", text));
}

static void expect_text(const bundle_file *bundle, const char *text)
{
    ck_assert_int_eq(bundle->encoding, ARTIFACT_TEXT_LATIN1);
    ck_assert_uint_eq(bundle->text_size_bytes, strlen(text));
    ck_assert_mem_eq(bundle->text, text, strlen(text));
}

START_TEST(test_ascii_is_kept_and_hashed_whole)
{
    static const char text[] = "export default {}\n";
    bundle_file bundle = read_text(text);
    expect_text(&bundle, text);
    ck_assert_str_eq(bundle.file_name, "a.js");
    ck_assert_uint_eq(bundle.size_bytes, strlen(text));
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(text, strlen(text)));
    ck_assert_mem_eq(bundle.hash, hash.digest, 16);
    ck_assert_ptr_null(bundle.source_map);
    bundle_release(&bundle);
}
END_TEST

START_TEST(test_characters_below_256_become_latin1)
{
    bundle_file bundle = read_text("'\xc2\x80\xc3\xa9\xc3\xbf'");
    expect_text(&bundle, "'\x80\xe9\xff'");
    bundle_release(&bundle);
}
END_TEST

START_TEST(test_others_become_utf16)
{
    bundle_file bundle = read_text("\xc4\x80"
                                   "a\xc3\xa9\xf0\x9f\x98\x80");
    static const uint8_t expected[] = {0x00, 0x01, 'a', 0, 0xe9, 0, 0x3d, 0xd8, 0x00, 0xde};
    ck_assert_int_eq(bundle.encoding, ARTIFACT_TEXT_UTF16LE);
    ck_assert_uint_eq(bundle.text_size_bytes, sizeof(expected));
    ck_assert_mem_eq(bundle.text, expected, sizeof(expected));
    bundle_release(&bundle);
}
END_TEST

START_TEST(test_byte_order_mark_is_dropped_but_hashed)
{
    bundle_file with = read_text("\xef\xbb\xbfx");
    expect_text(&with, "x");
    ck_assert_uint_eq(with.size_bytes, 4);
    bundle_file without = read_text("x");
    ck_assert_mem_ne(with.hash, without.hash, 16);
    bundle_release(&with);
    bundle_release(&without);
}
END_TEST

static const struct bad_file {
    const char *data;
    size_t size;
    const char *message;
} bad_files[] = {
    {"", 0, "is empty"},
    {"var a\0b", 7, "zero byte at offset 5"},
    {"\x7f"
     "ELF\x02\x01\x01\0",
     8, "zero byte at offset 7"},
    {"ab\xff", 3, "bad byte 0xff at offset 2"},
    {"ab\xc3", 3, "bad byte 0xc3 at offset 2"},           /* cut short */
    {"\xc0\xaf", 2, "bad byte 0xc0 at offset 0"},         /* overlong */
    {"x\xed\xa0\x80", 4, "bad byte 0xed at offset 1"},    /* half a surrogate pair */
    {"\xf4\x90\x80\x80", 4, "bad byte 0xf4 at offset 0"}, /* above U+10FFFF */
};

START_TEST(test_what_is_no_text_is_refused)
{
    const struct bad_file *bad = &bad_files[_i];
    const char *path = fixture_write("bad.js", bad->data, bad->size);
    bundle_file bundle;
    snapcell_error error;
    int status = bundle_read(path, &bundle, &error);
    fixture_expect(status, SNAPCELL_E_USAGE, &error, bad->message);
    ck_assert_ptr_nonnull(strstr(error.message, path));
    ck_assert_ptr_null(bundle.text);
    status = bundle_from_memory("bad.js", bad->data, bad->size, NULL, 0, &bundle, &error);
    fixture_expect(status, SNAPCELL_E_USAGE, &error, bad->message);
}
END_TEST

START_TEST(test_what_is_no_file_is_refused)
{
    bundle_file bundle;
    snapcell_error error;
    fixture_expect(bundle_read(fixture_path("no.js"), &bundle, &error), SNAPCELL_E_NOT_FOUND,
                   &error, "no.js");
    ck_assert_int_eq(mkdir(fixture_path("folder"), 0700), 0);
    fixture_expect(bundle_read(fixture_path("folder"), &bundle, &error), SNAPCELL_E_USAGE, &error,
                   "is a directory");
}
END_TEST

START_TEST(test_size_has_a_cap)
{
    const char *path = fixture_write_text("big.js", "x");
    ck_assert_int_eq(truncate(path, (off_t)BUNDLE_SIZE_MAX + 1), 0);
    bundle_file bundle;
    snapcell_error error;
    fixture_expect(bundle_read(path, &bundle, &error), SNAPCELL_E_TOO_LARGE, &error, "64 MiB");
    /* One without a size of its own. */
    fixture_expect(bundle_read("/dev/zero", &bundle, &error), SNAPCELL_E_TOO_LARGE, &error, NULL);
}
END_TEST

START_TEST(test_file_names_that_cannot_be_kept_are_refused)
{
    bundle_file bundle;
    snapcell_error error;
    static const char *const names[] = {"a\nb.js", "a\xff.js", "folder/"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        fixture_expect(bundle_from_memory(names[i], "x", 1, NULL, 0, &bundle, &error),
                       SNAPCELL_E_USAGE, &error, "file name");
}
END_TEST

/* {"version":3} */
#define MAP_URL "data:application/json;charset=utf-8;base64,eyJ2ZXJzaW9uIjozfQ=="

START_TEST(test_inline_map_is_cut_out)
{
    bundle_file bundle = read_text("let a\n//# sourceMappingURL=" MAP_URL "\n\n// end\n");
    expect_text(&bundle, "let a\n\n\n// end\n");
    ck_assert_str_eq(bundle.source_map, "{\"version\":3}");
    ck_assert_uint_eq(bundle.source_map_size_bytes, 13);
    ck_assert_str_eq(bundle.warning, "");
    bundle_release(&bundle);
}
END_TEST

/* How a data: URL may write {"version":3}. */
static const char *const inline_maps[] = {
    "data:application/json;base64,eyJ2ZXJzaW9uIjozfQ",
    "data:application/json;BASE64,eyJ2ZXJzaW9uIjozfQ%3D%3D",
    "data:application/json;charset=utf-8,%7B%22version%22%3a3%7d",
    "data:,{%22version%22:3}",
    "data:application/json,)]}'%0A%7B%22version%22%3A3%7D",
    "data:application/json,%EF%BB%BF%7B%22version%22%3A3%7D",
};

START_TEST(test_inline_map_is_decoded)
{
    char text[200];
    snprintf(text, sizeof(text), "x\n//# sourceMappingURL=%s\n", inline_maps[_i]);
    bundle_file bundle = read_text(text);
    expect_text(&bundle, "x\n\n");
    ck_assert_ptr_nonnull(bundle.source_map);
    ck_assert_ptr_nonnull(strstr(bundle.source_map, "{\"version\":3}"));
    ck_assert_uint_eq(bundle.source_map_size_bytes, strlen(bundle.source_map));
    ck_assert_str_eq(bundle.warning, "");
    bundle_release(&bundle);
}
END_TEST

static const char *const bad_inline_maps[] = {
    "x\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9u!!!",
    "x\n//# sourceMappingURL=data:application/json;base64,e",
    "x\n//# sourceMappingURL=data:application/json,%5B%5D",
    "x\n//# sourceMappingURL=data:application/json;base64,%7B%7D",
    "x\n//# sourceMappingURL=data:application/json;base64,",
    "x\n//# sourceMappingURL=data:application/json;base64,WzFd", /* [1] */
    "x\n//# sourceMappingURL=data:",
};

START_TEST(test_bad_inline_map_is_dropped_with_a_warning)
{
    bundle_file bundle = read_text(bad_inline_maps[_i]);
    expect_text(&bundle, "x\n");
    ck_assert_ptr_null(bundle.source_map);
    ck_assert_ptr_nonnull(strstr(bundle.warning, "source map in the bundle"));
    bundle_release(&bundle);
}
END_TEST

START_TEST(test_map_in_a_block_is_cut_out)
{
    bundle_file bundle = read_text("let a\n/*# sourceMappingURL=" MAP_URL " */\n");
    expect_text(&bundle, "let a\n\n");
    ck_assert_str_eq(bundle.source_map, "{\"version\":3}");
    bundle_release(&bundle);
}
END_TEST

START_TEST(test_map_beside_the_bundle_is_read)
{
    fixture_write_text("other.map", "{\"version\":3,\"names\":[]}");
    bundle_file bundle = read_text("x\n//# sourceMappingURL=other.map\n");
    ck_assert_str_eq(bundle.source_map, "{\"version\":3,\"names\":[]}");
    bundle_release(&bundle);

    fixture_write_text("a.js.map", "{}");
    bundle = read_text("x\n");
    ck_assert_str_eq(bundle.source_map, "{}");
    bundle_release(&bundle);

    fixture_write_text("a.js.map", ")]}'\n{\"version\":3}");
    bundle = read_text("x\n");
    ck_assert_str_eq(bundle.source_map, "\n{\"version\":3}");
    bundle_release(&bundle);

    fixture_write_text("a.js.map", "no json");
    bundle = read_text("x\n");
    ck_assert_ptr_null(bundle.source_map);
    ck_assert_ptr_nonnull(strstr(bundle.warning, "not a JSON object"));
    bundle_release(&bundle);
}
END_TEST

START_TEST(test_map_elsewhere_is_not_read)
{
    ck_assert_int_eq(mkdir(fixture_path("sub"), 0700), 0);
    fixture_write_text("sub/secret.json", "{\"version\":3}");
    static const char *const urls[] = {"sub/secret.json",
                                       "../etc/passwd",
                                       "/etc/passwd",
                                       "file:secret",
                                       "https://example.com/a.map",
                                       "sub"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        char text[200];
        snprintf(text, sizeof(text), "x\n//# sourceMappingURL=%s\n", urls[i]);
        bundle_file bundle = read_text(text);
        ck_assert_ptr_null(bundle.source_map);
        bundle_release(&bundle);
    }
}
END_TEST

START_TEST(test_map_given_replaces_the_inline_one)
{
    static const char text[] = "x\n//# sourceMappingURL=" MAP_URL;
    bundle_file bundle;
    snapcell_error error;
    int status = bundle_from_memory("dir/a.js", text, strlen(text), "{}", 2, &bundle, &error);
    fixture_expect(status, SNAPCELL_OK, &error, NULL);
    expect_text(&bundle, "x\n");
    ck_assert_str_eq(bundle.source_map, "{}");
    ck_assert_str_eq(bundle.file_name, "a.js");
    bundle_release(&bundle);
}
END_TEST

static const struct comment_case {
    const char *source;
    const char *url; /* NULL: none */
} comment_cases[] = {
    {"a\n//# sourceMappingURL=a.map", "a.map"},
    {"a\r\n  //@ sourceMappingURL=a.map  \r\n\r\n", "a.map"},
    {"//# sourceMappingURL=1\n//# sourceMappingURL=2\n// x", "2"},
    {"//#\tsourceMappingURL=a.map", "a.map"},
    {"//#sourceMappingURL=a.map", "a.map"},
    {"f()\n/*# sourceMappingURL=a.map */", "a.map"},
    {"/*@ sourceMappingURL=data:,{}*/\n", "data:,{}"},
    {"/*# sourceMappingURL=a.map", NULL},
    {"/*# sourceMappingURL= */", NULL},
    {"/*/", NULL},
    {"//# sourceMappingURL=a.map */", NULL},
    {"/# sourceMappingURL=a.map", NULL},
    {"//# sourceMappingURL=a.map\nf()", NULL},
    {"`\n//# sourceMappingURL=a.map`", NULL},
    {"//# sourceMappingURL=", NULL},
    {"f() //# sourceMappingURL=a.map", NULL},
    {"", NULL},
    {"\n\n", NULL},
};

START_TEST(test_comment_is_found_at_the_end_only)
{
    const struct comment_case *test = &comment_cases[_i];
    bundle_map_comment found = bundle_map_comment_find(test->source, strlen(test->source));
    if (test->url == NULL) {
        ck_assert_uint_eq(found.url_size_bytes, 0);
        return;
    }
    ck_assert_uint_eq(found.url_size_bytes, strlen(test->url));
    ck_assert_mem_eq(test->source + found.url_start, test->url, strlen(test->url));
    ck_assert_int_eq(test->source[found.start], '/');
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(*(array)))

int main(void)
{
    const fixture_test tests[] = {
        {test_ascii_is_kept_and_hashed_whole, 0},
        {test_characters_below_256_become_latin1, 0},
        {test_others_become_utf16, 0},
        {test_byte_order_mark_is_dropped_but_hashed, 0},
        {test_what_is_no_text_is_refused, COUNT(bad_files)},
        {test_what_is_no_file_is_refused, 0},
        {test_size_has_a_cap, 0},
        {test_file_names_that_cannot_be_kept_are_refused, 0},
        {test_inline_map_is_cut_out, 0},
        {test_inline_map_is_decoded, COUNT(inline_maps)},
        {test_bad_inline_map_is_dropped_with_a_warning, COUNT(bad_inline_maps)},
        {test_map_in_a_block_is_cut_out, 0},
        {test_map_beside_the_bundle_is_read, 0},
        {test_map_elsewhere_is_not_read, 0},
        {test_map_given_replaces_the_inline_one, 0},
        {test_comment_is_found_at_the_end_only, COUNT(comment_cases)},
    };
    return FIXTURE_RUN("bundle", tests);
}
