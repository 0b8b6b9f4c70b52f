/* Which hosts may be reached, and which addresses are the public Internet's. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../format/check_run.h"
#include "net_rules.h"

START_TEST(test_rule_is_parsed)
{
    static const struct {
        const char *text, *host;
        unsigned port;
        bool wildcard, is_address;
    } cases[] = {
        {"example.org", "example.org", 0, false, false},
        {"Example.ORG:8443", "example.org", 8443, false, false},
        {"*.example.org", "example.org", 0, true, false},
        {"*.localhost:80", "localhost", 80, true, false},
        {"*", "", 0, true, false},
        {"*:443", "", 443, true, false},
        {"localhost", "localhost", 0, false, true},
        {"127.0.0.1:1", "127.0.0.1", 1, false, true},
        {"[::1]", "[::1]", 0, false, true},
        {"[FE80::1]:65535", "[fe80::1]", 65535, false, true},
        {"xn--caf-dma.example", "xn--caf-dma.example", 0, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        net_rule rule;
        ck_assert_int_eq(net_rule_parse(cases[i].text, &rule, NULL), SNAPCELL_OK);
        ck_assert_str_eq(rule.host, cases[i].host);
        ck_assert_uint_eq(rule.port, cases[i].port);
        ck_assert_int_eq(rule.wildcard, cases[i].wildcard);
        ck_assert_int_eq(rule.is_address, cases[i].is_address);
    }
}
END_TEST

static const char *const no_rules[] = {
    "",      ":80",   "a:",   "a:0",         "a:65536",    "a:8x",    "a:-1",
    "a:+1",  "a b",   "a/b",  "http://a",    "a?b",        "a@b",     "*a",
    "a.*.b", "**",    "*.",   ".a",          "[::1",       "::1",     "[::g]",
    "[]",    "[1.2]", "a\nb", "caf\xc3\xa9", "*.10.0.0.1", "*.[::1]", "a:1:2",
};

START_TEST(test_nonsense_is_refused)
{
    for (size_t i = 0; i < sizeof(no_rules) / sizeof(*no_rules); i++) {
        net_rule rule;
        snapcell_error err = {0};
        ck_assert_msg(net_rule_parse(no_rules[i], &rule, &err) == SNAPCELL_E_USAGE, "%s",
                      no_rules[i]);
        ck_assert_ptr_nonnull(strstr(err.message, "expected HOST"));
    }
    char longest[NET_HOST_SIZE_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    net_rule rule;
    longest[NET_HOST_SIZE_MAX] = '\0';
    ck_assert_int_eq(net_rule_parse(longest, &rule, NULL), SNAPCELL_E_USAGE);
    longest[NET_HOST_SIZE_MAX - 1] = '\0';
    ck_assert_int_eq(net_rule_parse(longest, &rule, NULL), SNAPCELL_OK);
}
END_TEST

static bool allows(const char *text, const char *host, unsigned port)
{
    net_rule rule;
    ck_assert_int_eq(net_rule_parse(text, &rule, NULL), SNAPCELL_OK);
    return net_rules_find(&rule, 1, host, port) != NULL;
}

START_TEST(test_rules_allow_what_they_name)
{
    ck_assert(allows("a.test", "a.test", 80));
    ck_assert(allows("a.test", "A.Test", 80));
    ck_assert(allows("a.test:80", "a.test", 80));
    ck_assert(!allows("a.test:80", "a.test", 81));
    ck_assert(!allows("a.test", "b.a.test", 80));
    ck_assert(!allows("a.test", "xa.test", 80));
    ck_assert(!allows("a.test", "a.test.", 80));
    ck_assert(!allows("a.test", "a.test.evil.test", 80));
    ck_assert(allows("*.a.test", "b.a.test", 80));
    ck_assert(allows("*.a.test", "c.b.a.test", 80));
    ck_assert(!allows("*.a.test", "a.test", 80));
    ck_assert(!allows("*.a.test", ".a.test", 80));
    ck_assert(!allows("*.a.test", "xa.test", 80));
    ck_assert(!allows("*.a.test:80", "b.a.test", 81));
    ck_assert(allows("*", "b.a.test", 81));
    ck_assert(allows("[::1]", "[::1]", 80));
    ck_assert_ptr_null(net_rules_find(NULL, 0, "a.test", 80));
}
END_TEST

/* A rule that names the address decides before one that allows anything. */
START_TEST(test_exact_rule_comes_first)
{
    net_rule rules[3];
    ck_assert_int_eq(net_rule_parse("*", &rules[0], NULL), SNAPCELL_OK);
    ck_assert_int_eq(net_rule_parse("127.0.0.1", &rules[1], NULL), SNAPCELL_OK);
    ck_assert_int_eq(net_rule_parse("*:80", &rules[2], NULL), SNAPCELL_OK);
    ck_assert_ptr_eq(net_rules_find(rules, 3, "127.0.0.1", 80), &rules[1]);
    ck_assert_ptr_ne(net_rules_find(rules, 3, "127.0.0.2", 80), &rules[1]);
}
END_TEST

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return net_address_is_public((struct sockaddr *)&in);
    ck_assert_int_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return net_address_is_public((struct sockaddr *)&in6);
}

START_TEST(test_addresses)
{
    static const char *const open[] = {
        "1.1.1.1",          "9.255.255.255",   "11.0.0.0",       "100.63.255.255",
        "100.128.0.0",      "126.0.0.1",       "128.0.0.1",      "169.253.0.1",
        "172.15.255.255",   "172.32.0.0",      "192.0.1.0",      "192.167.255.255",
        "192.169.0.0",      "198.17.0.0",      "198.20.0.0",     "223.255.0.1",
        "2606:4700::1111",  "2001:4860::8888", "::ffff:8.8.8.8", "2002:0808:0808::1",
        "64:ff9b::808:808",
    };
    static const char *const closed[] = {
        "0.0.0.0",     "0.1.2.3",          "10.0.0.1",        "10.255.255.255",  "100.64.0.1",
        "100.127.0.1", "127.0.0.1",        "127.255.255.255", "169.254.169.254", "172.16.0.1",
        "172.31.0.1",  "192.0.0.1",        "192.168.255.255", "198.18.0.1",      "198.19.0.1",
        "224.0.0.1",   "239.0.0.1",        "240.0.0.1",       "255.255.255.255", "::",
        "::1",         "fc00::1",          "fdff::1",         "fe80::1",         "fec0::1",
        "ff02::1",     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",  "2002:7f00:1::1",
        "2001:0:1::1", "::127.0.0.1",      "100::1",
    };
    for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
        ck_assert_msg(is_public(open[i]), "%s", open[i]);
    for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++)
        ck_assert_msg(!is_public(closed[i]), "%s", closed[i]);
    ck_assert(!net_address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("net_rules");
    tcase_add_test(tcase, test_rule_is_parsed);
    tcase_add_test(tcase, test_nonsense_is_refused);
    tcase_add_test(tcase, test_rules_allow_what_they_name);
    tcase_add_test(tcase, test_exact_rule_comes_first);
    tcase_add_test(tcase, test_addresses);
    Suite *suite = suite_create("net_rules");
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
