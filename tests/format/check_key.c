#include <string.h>

#include "check_run.h"
#include "hex.h"
#include "snapcell/artifact.h"

START_TEST(test_key_round_trip)
{
    for (unsigned seed = 0; seed < 256; seed++) {
        snapcell_key key;
        for (size_t i = 0; i < sizeof(key.bytes); i++) {
            key.bytes[i] = (uint8_t)(seed + 17 * i);
        }
        char text[SNAPCELL_KEY_HEX_SIZE];
        snapcell_key_format(&key, text);
        ck_assert_uint_eq(strlen(text), 32);
        snapcell_key again;
        ck_assert_int_eq(snapcell_key_parse(text, &again, NULL), SNAPCELL_OK);
        ck_assert_mem_eq(&again, &key, sizeof(key));
    }
}
END_TEST

START_TEST(test_key_format_is_lower_case_hex_in_order)
{
    const snapcell_key key = {{0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff, 0x10,
                               0x20, 0x30, 0x40, 0x50, 0x60}};
    char text[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&key, text);
    ck_assert_str_eq(text, "000123456789abcdefff102030405060");
    snapcell_fingerprint fingerprint;
    memcpy(&fingerprint, &key, sizeof(key));
    snapcell_fingerprint_format(&fingerprint, text);
    ck_assert_str_eq(text, "000123456789abcdefff102030405060");
    snapcell_key upper;
    ck_assert_int_eq(snapcell_key_parse("000123456789ABCDEFFF102030405060", &upper, NULL),
                     SNAPCELL_OK);
    ck_assert_mem_eq(&upper, &key, sizeof(key));
    char none[1] = "x";
    hex_format(key.bytes, 0, none);
    ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(test_key_parse_refuses_what_is_no_key)
{
    static const char *const texts[] = {
        "",
        "0",
        "000123456789abcdefff10203040506",   /* 31 digits */
        "000123456789abcdefff1020304050600", /* 33 digits */
        "000123456789abcdefff10203040506g",
        "000123456789abcdefff10203040506 ",
        " 00123456789abcdefff102030405060",
        "0x0123456789abcdefff102030405060",
        "-00123456789abcdefff102030405060",
        "000123456789abcdefff10203040506\xc3\xa9",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        snapcell_key key;
        memset(&key, 0x5a, sizeof(key));
        const snapcell_key before = key;
        snapcell_error err;
        ck_assert_int_eq(snapcell_key_parse(texts[i], &key, &err), SNAPCELL_E_USAGE);
        ck_assert_int_eq(err.code, SNAPCELL_E_USAGE);
        ck_assert_ptr_nonnull(strstr(err.message, "32 hex digits"));
        ck_assert_mem_eq(&key, &before, sizeof(key));
    }
}
END_TEST

/* Every byte at every place: a digit or not. */
START_TEST(test_key_parse_knows_digits)
{
    for (size_t at = 0; at < 32; at++) {
        for (int byte = 1; byte < 256; byte++) {
            char text[] = "000123456789abcdefff102030405060";
            text[at] = (char)byte;
            snapcell_key key;
            const int expected =
                strchr("0123456789abcdefABCDEF", byte) ? SNAPCELL_OK : SNAPCELL_E_USAGE;
            ck_assert_int_eq(snapcell_key_parse(text, &key, NULL), expected);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key");
    TCase *tcase = tcase_create("key");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, test_key_round_trip);
    tcase_add_test(tcase, test_key_format_is_lower_case_hex_in_order);
    tcase_add_test(tcase, test_key_parse_refuses_what_is_no_key);
    tcase_add_test(tcase, test_key_parse_knows_digits);
    return check_run(suite);
}
