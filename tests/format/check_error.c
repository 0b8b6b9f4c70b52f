#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "error_set.h"
#include "utf8.h"

static const struct {
    const char *name;
    int value;
    const char *text;
} table[] = {
#define ERROR_ROW(name, value, text) {#name, value, text},
    SNAPCELL_ERROR_MAP(ERROR_ROW)
#undef ERROR_ROW
};

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

START_TEST(test_error_names_and_texts)
{
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        ck_assert_str_eq(snapcell_error_name(table[i].value), table[i].name);
        ck_assert_str_eq(snapcell_error_describe(table[i].value), table[i].text);
        ck_assert_int_eq(table[i].value, -(int)i); /* none is left out, none is used twice */
    }
    ck_assert_str_eq(snapcell_error_name(SNAPCELL_E_TOO_LARGE), "E_TOO_LARGE");
}
END_TEST

START_TEST(test_error_unknown_codes)
{
    const int codes[] = {1, -(int)TABLE_SIZE, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        ck_assert_str_eq(snapcell_error_name(codes[i]), "E_UNKNOWN");
        ck_assert_ptr_nonnull(snapcell_error_describe(codes[i]));
    }
}
END_TEST

START_TEST(test_error_set_clears_the_rest)
{
    snapcell_error err;
    memset(&err, 'x', sizeof(err));
    ck_assert_int_eq(error_set(&err, SNAPCELL_E_IO, "%s: %d bytes", "store", 7), SNAPCELL_E_IO);
    ck_assert_int_eq(err.code, SNAPCELL_E_IO);
    ck_assert_str_eq(err.message, "store: 7 bytes");
    ck_assert_str_eq(err.file, "");
    ck_assert_str_eq(err.stack, "");
    ck_assert_uint_eq(err.line, 0);
    ck_assert_uint_eq(err.column, 0);
}
END_TEST

START_TEST(test_error_set_takes_null)
{
    ck_assert_int_eq(error_set(NULL, SNAPCELL_E_USAGE, "%d", 1), SNAPCELL_E_USAGE);
    ck_assert_int_eq(error_set_errno(NULL, SNAPCELL_E_IO, ENOSPC, "%d", 1), SNAPCELL_E_FULL);
}
END_TEST

START_TEST(test_error_set_takes_its_own_message)
{
    snapcell_error err;
    error_set(&err, SNAPCELL_E_IO, "inner");
    error_set(&err, SNAPCELL_E_SCRIPT, "outer: %s", err.message);
    ck_assert_str_eq(err.message, "outer: inner");
}
END_TEST

/* A message of `before` times 'a' and then characters of 1 to 4 bytes, all of it too long. */
START_TEST(test_error_set_cuts_at_a_character)
{
    static const char *const characters[] = {"b", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    snapcell_error err;
    const size_t room = sizeof(err.message) - 1;
    for (size_t before = room - 8; before <= room; before++) {
        const char *character = characters[_i];
        const size_t size = strlen(character);
        char text[2048] = "";
        memset(text, 'a', before);
        for (size_t at = before; at + size < sizeof(text); at += size) {
            memcpy(text + at, character, size);
        }
        error_set(&err, SNAPCELL_E_IO, "%s", text);
        const size_t expected = before + (room - before) / size * size;
        ck_assert_uint_eq(strlen(err.message), expected);
        ck_assert_int_eq(memcmp(err.message, text, expected), 0);
    }
}
END_TEST

START_TEST(test_error_set_gives_one_line_of_utf8)
{
    snapcell_error err;
    error_set(&err, SNAPCELL_E_IO, "%s", "a\nb\tc\033[2Jd\x7f \xff\xc0\x80 \xed\xa0\x80 \xe2\x82");
    ck_assert_str_eq(err.message, "a b c [2Jd  ??? ??? ??");
    error_set(&err, SNAPCELL_E_IO, "%s",
              "\xc2\x9b"
              "2J\xc2\xa0");
    ck_assert_str_eq(err.message, "  2J\xc2\xa0"); /* C1, as a terminal's CSI */
}
END_TEST

START_TEST(test_error_set_errno_maps_codes)
{
    static const struct {
        int errnum;
        int code;
    } cases[] = {
        {ENOSPC, SNAPCELL_E_FULL},      {EDQUOT, SNAPCELL_E_FULL},
        {ENOMEM, SNAPCELL_E_NOMEM},     {EROFS, SNAPCELL_E_READ_ONLY},
        {ENOENT, SNAPCELL_E_NOT_FOUND}, {EACCES, SNAPCELL_E_IO},
        {EIO, SNAPCELL_E_IO},           {0, SNAPCELL_E_IO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snapcell_error err;
        memset(&err, 'x', sizeof(err));
        const int status = error_set_errno(&err, SNAPCELL_E_IO, cases[i].errnum, "open %s", "f");
        char expected[256];
        (void)snprintf(expected, sizeof(expected), "open f: %s", strerror(cases[i].errnum));
        ck_assert_int_eq(status, cases[i].code);
        ck_assert_int_eq(err.code, cases[i].code);
        ck_assert_str_eq(err.message, expected);
        ck_assert_str_eq(err.file, "");
    }
}
END_TEST

START_TEST(test_error_set_errno_names_numbers_without_a_text)
{
    snapcell_error err;
    ck_assert_int_eq(error_set_errno(&err, SNAPCELL_E_IO, 100000, "read"), SNAPCELL_E_IO);
    ck_assert_str_eq(err.message, "read: Unknown error 100000");
    ck_assert_int_eq(error_set_errno(&err, SNAPCELL_E_IO, EBADF, "read"), SNAPCELL_E_IO);
    ck_assert_str_eq(err.message, "read: Bad file descriptor");
}
END_TEST

START_TEST(test_error_set_errno_keeps_the_reason)
{
    char path[2000] = "";
    for (size_t i = 0; i + 2 < sizeof(path); i += 2) {
        memcpy(path + i, "\xc3\xa9", 2);
    }
    snapcell_error err;
    error_set_errno(&err, SNAPCELL_E_IO, EACCES, "%s", path);
    const char *reason = strstr(err.message, ": Permission denied");
    ck_assert_ptr_nonnull(reason);
    ck_assert_uint_gt(strlen(err.message), sizeof(err.message) - 4);
    ck_assert_uint_eq((size_t)(reason - err.message) % 2, 0);
}
END_TEST

START_TEST(test_error_text_copy)
{
    char out[6];
    error_text_copy(out, sizeof(out), "a\nb", 3);
    ck_assert_str_eq(out, "a\nb"); /* a stack has lines */
    error_text_copy(out, sizeof(out), "abcd\xc3\xa9", 6);
    ck_assert_str_eq(out, "abcd");
    error_text_copy(out, sizeof(out), "abc\xc3\xa9", 5);
    ck_assert_str_eq(out, "abc\xc3\xa9");
    error_text_copy(out, sizeof(out), "a\0b", 3);
    ck_assert_str_eq(out, "a?b");
    error_text_copy(out, sizeof(out), NULL, 0);
    ck_assert_str_eq(out, "");
    error_text_copy(out, 1, "abc", 3);
    ck_assert_str_eq(out, "");
}
END_TEST

/* Every code point, encoded by hand, and what is none. */
START_TEST(test_utf8_knows_every_character)
{
    uint32_t wrong_count = 0; /* a million assertions would take seconds */
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint8_t text[4] = {(uint8_t)point};
        size_t size = 1;
        if (point >= 0x80) {
            size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
            static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
            for (size_t i = size - 1; i > 0; i--) {
                text[i] = (uint8_t)(0x80 | (point >> 6 * (size - 1 - i) & 0x3f));
            }
            text[0] = (uint8_t)(leads[size] | point >> 6 * (size - 1));
        }
        const bool surrogate = point >= 0xd800 && point <= 0xdfff;
        wrong_count += utf8_character_size(text, size) != (surrogate ? 0 : size);
        wrong_count += utf8_character_size(text, size - 1) != 0;
    }
    ck_assert_uint_eq(wrong_count, 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\xc1\xbf", 2), 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\xe0\x9f\xbf", 3), 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\xf0\x8f\xbf\xbf", 4), 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\xf4\x90\x80\x80", 4), 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\xf5\x80\x80\x80", 4), 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\xe2\x82\x28", 3), 0);
    ck_assert_uint_eq(utf8_character_size((const uint8_t *)"\x80", 1), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tcase = tcase_create("error");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_error_names_and_texts);
    tcase_add_test(tcase, test_error_unknown_codes);
    tcase_add_test(tcase, test_error_set_clears_the_rest);
    tcase_add_test(tcase, test_error_set_takes_null);
    tcase_add_test(tcase, test_error_set_takes_its_own_message);
    tcase_add_loop_test(tcase, test_error_set_cuts_at_a_character, 0, 4);
    tcase_add_test(tcase, test_error_set_gives_one_line_of_utf8);
    tcase_add_test(tcase, test_error_set_errno_maps_codes);
    tcase_add_test(tcase, test_error_set_errno_names_numbers_without_a_text);
    tcase_add_test(tcase, test_error_set_errno_keeps_the_reason);
    tcase_add_test(tcase, test_error_text_copy);
    tcase_add_test(tcase, test_utf8_knows_every_character);
    return check_run(suite);
}
