/* Credentials as docker keeps them. */
#include <stdlib.h>
#include <string.h>

#include "../format/check_run.h"
#include "docker_credentials.h"
#include <stdio.h>

static snapcell_error err;
static char helper[64];
static docker_credentials found;

static int read_config(const char *text, const char *host)
{
    docker_credentials_release(&found);
    return docker_config_read(text, strlen(text), host, &found, helper, &err);
}

START_TEST(test_hosts_are_found)
{
    static const struct {
        const char *key, *host;
        bool is_found;
    } cases[] = {
        {"example.org", "example.org", true},
        {"example.org:5000", "example.org:5000", true},
        {"https://example.org/v1/", "example.org", true},
        {"http://Example.org:5000/v2/", "example.org:5000", true},
        {"https://index.docker.io/v1/", "docker.io", true},
        {"example.org", "example.org:5000", false},
        {"example.org.evil", "example.org", false},
        {"evil.example.org", "example.org", false},
        {"https://example.org.evil/v1/", "example.org", false},
        {"https://example.org@evil/", "example.org", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[200];
        snprintf(text, sizeof(text), "{\"auths\":{\"%s\":{\"auth\":\"YTpiOmM=\"}}}", cases[i].key);
        ck_assert_int_eq(read_config(text, cases[i].host), 0);
        ck_assert_msg((found.user != NULL) == cases[i].is_found, "%s", cases[i].key);
        if (!cases[i].is_found) continue;
        ck_assert_str_eq(found.user, "a");
        ck_assert_str_eq(found.password, "b:c");
    }
}
END_TEST

START_TEST(test_other_kinds)
{
    ck_assert_int_eq(
        read_config("{\"auths\":{\"a\":{\"username\":\"u\",\"password\":\"p\"}}}", "a"), 0);
    ck_assert_str_eq(found.user, "u");
    ck_assert_int_eq(read_config("{\"auths\":{\"a\":{\"identitytoken\":\"i\"}}}", "a"), 0);
    ck_assert_str_eq(found.identity_token, "i");
    ck_assert_int_eq(read_config("{\"auths\":{\"a\":{\"registrytoken\":\"r\"}}}", "a"), 0);
    ck_assert_str_eq(found.registry_token, "r");
    ck_assert_int_eq(read_config("{\"auths\":{\"a\":{}},\"HttpHeaders\":{}}", "a"), 0);
    ck_assert_ptr_null(found.user);
    ck_assert_int_eq(read_config("{}", "a"), 0);
}
END_TEST

START_TEST(test_helpers_are_named)
{
    ck_assert_int_eq(read_config("{\"credsStore\":\"all\",\"credHelpers\":{\"a\":\"one\"}}", "a"),
                     0);
    ck_assert_str_eq(helper, "one");
    ck_assert_int_eq(read_config("{\"credsStore\":\"all\",\"credHelpers\":{\"a\":\"one\"}}", "b"),
                     0);
    ck_assert_str_eq(helper, "all");
    ck_assert_int_eq(read_config("{\"credHelpers\":{\"docker.io\":\"hub\"}}", "docker.io"), 0);
    ck_assert_str_eq(helper, "hub");
    ck_assert_int_eq(read_config("{\"credsStore\":\"../evil\"}", "a"), SNAPCELL_E_IO);
    ck_assert_int_eq(read_config("{\"credsStore\":\"a b\"}", "a"), SNAPCELL_E_IO);
}
END_TEST

START_TEST(test_bad_files)
{
    static const char *const bad[] = {"", "[]", "x", "{\"auths\":{\"a\":{\"auth\":\"%\"}}}",
                                      "{\"auths\":{\"a\":{\"auth\":\"YWJj\"}}}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        ck_assert_int_eq(read_config(bad[i], "a"), SNAPCELL_E_IO);
        ck_assert_str_ne(err.message, "");
    }
}
END_TEST

static int read_helper(const char *text)
{
    docker_credentials_release(&found);
    return docker_helper_read(text, strlen(text), &found, &err);
}

START_TEST(test_helpers_answers)
{
    ck_assert_int_eq(read_helper("{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}"), 0);
    ck_assert_str_eq(found.user, "u");
    ck_assert_str_eq(found.password, "s");
    ck_assert_int_eq(read_helper("{\"Username\":\"<token>\",\"Secret\":\"s\"}"), 0);
    ck_assert_ptr_null(found.user);
    ck_assert_str_eq(found.identity_token, "s");
    static const char *const bad[] = {"", "{}", "[]", "{\"Username\":\"u\"}",
                                      "{\"Username\":1,\"Secret\":\"s\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_int_eq(read_helper(bad[i]), SNAPCELL_E_IO);
    docker_credentials_release(&found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("docker_credentials");
    TCase *tcase = tcase_create("credentials");
    tcase_add_test(tcase, test_hosts_are_found);
    tcase_add_test(tcase, test_other_kinds);
    tcase_add_test(tcase, test_helpers_are_named);
    tcase_add_test(tcase, test_bad_files);
    tcase_add_test(tcase, test_helpers_answers);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
