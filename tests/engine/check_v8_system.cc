// What V8 expects of a newer system's libraries, whether the system or engine/v8_system.cc has it.
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string>

#include <check.h>

#include "../format/check_run.h"
extern "C" {
long __isoc23_strtol(const char *text, char **end, int base);
unsigned long __isoc23_strtoul(const char *text, char **end, int base);
long long __isoc23_strtoll(const char *text, char **end, int base);
unsigned long long __isoc23_strtoull(const char *text, char **end, int base);
int __isoc23_sscanf(const char *text, const char *format, ...);

// std::string's own: the string is not looked at.
void ReplaceInString(std::string *, char *at, size_t replaced_size, const char *from, size_t size,
                     size_t tail_size) //
    asm("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE15_M_replace_coldEPcmPKcmm");
}

START_TEST(test_numbers_are_read)
{
    char *end = nullptr;
    ck_assert_int_eq(__isoc23_strtol("-12x", &end, 10), -12);
    ck_assert_str_eq(end, "x");
    ck_assert_uint_eq(__isoc23_strtoul("0x1f", nullptr, 0), 31);
    ck_assert_int_eq(__isoc23_strtoll("-9223372036854775808", nullptr, 10), LLONG_MIN);
    ck_assert_uint_eq(__isoc23_strtoull("18446744073709551615", nullptr, 10), ULLONG_MAX);
    unsigned first = 0, second = 0;
    char flag = 0;
    ck_assert_int_eq(__isoc23_sscanf("7f-80 r", "%x-%x %c", &first, &second, &flag), 3);
    ck_assert_uint_eq(first, 0x7f);
    ck_assert_uint_eq(second, 0x80);
    ck_assert_int_eq(flag, 'r');
}
END_TEST

// Every part of a string replaced by every other part of it.
START_TEST(test_a_part_of_a_string_replaces_another)
{
    const std::string text = "0123456789";
    const size_t size = text.size();
    for (size_t at = 0; at <= size; at++)
        for (size_t replaced = 0; at + replaced <= size; replaced++)
            for (size_t from = 0; from <= size; from++)
                for (size_t length = 0; from + length <= size; length++) {
                    std::string expected =
                        text.substr(0, at) + text.substr(from, length) + text.substr(at + replaced);
                    char buffer[32];
                    memcpy(buffer, text.data(), size);
                    std::string unused;
                    ReplaceInString(&unused, buffer + at, replaced, buffer + from, length,
                                    size - at - replaced);
                    ck_assert(std::string(buffer, expected.size()) == expected);
                }
}
END_TEST

int main()
{
    Suite *suite = suite_create("v8_system");
    TCase *tcase = tcase_create("v8_system");
    tcase_add_test(tcase, test_numbers_are_read);
    tcase_add_test(tcase, test_a_part_of_a_string_replaces_another);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
