/* What registries answer: URLs, challenges, ranges, documents. */
#include <stdlib.h>
#include <string.h>

#include "../format/check_run.h"
#include "registry_answer.h"

static char url[REGISTRY_URL_SIZE];

START_TEST(test_locations_are_resolved)
{
    static const char base[] = "https://example.org:5000/v2/a/blobs/uploads/1?x=y";
    static const struct {
        const char *location, *result;
    } cases[] = {
        {"https://other.example/x?y", "https://other.example/x?y"},
        {"HTTP://other.example", "HTTP://other.example"},
        {"//other.example/x", "https://other.example/x"},
        {"/x?y=z", "https://example.org:5000/x?y=z"},
        {"2?z", "https://example.org:5000/v2/a/blobs/uploads/2?z"},
        {"?z=1", "https://example.org:5000/v2/a/blobs/uploads/1?z=1"},
        {"https://[::1]:80/a_b~c", "https://[::1]:80/a_b~c"},
        {"https://my_bucket.example/%2F", "https://my_bucket.example/%2F"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert(registry_url_resolve(base, cases[i].location, url));
        ck_assert_str_eq(url, cases[i].result);
    }
    ck_assert(registry_url_resolve("https://example.org", "x", url));
    ck_assert_str_eq(url, "https://example.org/x");
    static const char *const bad[] = {"",
                                      "file:///etc/passwd",
                                      "ftp://other.example/",
                                      "x:y",
                                      "https://",
                                      "https://user@other.example/",
                                      "https://user:pass@other.example/",
                                      "//user@other.example/",
                                      "https://other.example:0/",
                                      "https://other.example:99999/",
                                      "https://other.example:8x/",
                                      "https://other.example\\@evil.example/",
                                      "https://other.example#@evil.example/",
                                      "https://other.example/a b",
                                      "/a\tb",
                                      "/a\r\nX: y",
                                      "/\xc3\xa4",
                                      "https://[::1/",
                                      "https://[::1]x/",
                                      "https://[]/"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!registry_url_resolve(base, bad[i], url), "%s", bad[i]);
    ck_assert(!registry_url_is_valid("ftp://example.org/"));
    ck_assert(!registry_url_is_valid("file:///etc/passwd"));
}
END_TEST

START_TEST(test_long_locations_are_refused)
{
    char *location = malloc(2 * REGISTRY_URL_SIZE);
    memset(location, 'x', 2 * REGISTRY_URL_SIZE);
    memcpy(location, "https://example.org/", 20);
    location[REGISTRY_URL_SIZE] = '\0';
    ck_assert(!registry_url_resolve("https://example.org/", location, url));
    location[REGISTRY_URL_SIZE - 1] = '\0';
    ck_assert(registry_url_resolve("https://example.org/", location, url));
    ck_assert(!registry_url_add_query(url, "digest", "x"));
    free(location);
}
END_TEST

START_TEST(test_origins)
{
    ck_assert(registry_url_same_origin("https://a.example/x", "https://A.example:443/y?z"));
    ck_assert(registry_url_same_origin("http://a.example:80", "http://a.example/"));
    ck_assert(registry_url_same_origin("https://[::1]:443/", "https://[::1]"));
    ck_assert(!registry_url_same_origin("https://a.example/", "http://a.example/"));
    ck_assert(!registry_url_same_origin("https://a.example/", "http://a.example:443/"));
    ck_assert(!registry_url_same_origin("https://a.example/", "https://a.example:444/"));
    ck_assert(!registry_url_same_origin("https://a.example/", "https://a.example.evil/"));
    ck_assert(!registry_url_same_origin("https://a.example/", "https://b.example/"));
}
END_TEST

START_TEST(test_queries_are_escaped)
{
    strcpy(url, "https://a.example/x?y=z");
    ck_assert(registry_url_add_query(url, "scope", "repository:a/b:pull,push &\xc3\xa4"));
    ck_assert_str_eq(url, "https://a.example/x?y=z&scope=repository%3Aa%2Fb%3Apull%2Cpush%20%26"
                          "%C3%A4");
    strcpy(url, "https://a.example/x");
    ck_assert(registry_url_add_query(url, "a", "b"));
    ck_assert_str_eq(url, "https://a.example/x?a=b");
}
END_TEST

START_TEST(test_challenges)
{
    registry_challenge challenge = {0};
    registry_challenge_add(&challenge, "Negotiate abc==, bEARER realm = \"https://a.example/t?x\" ,"
                                       "service=\"a \\\"b\\\"\",scope=\"repository:a:pull,push\", "
                                       "Basic realm=\"https://evil.example/\"");
    ck_assert(challenge.basic && challenge.bearer);
    ck_assert_str_eq(challenge.realm, "https://a.example/t?x");
    ck_assert_str_eq(challenge.service, "a \"b\"");
    ck_assert_str_eq(challenge.scope, "repository:a:pull,push");
    registry_challenge_add(&challenge, "Bearer realm=\"https://second.example/\"");
    ck_assert_str_eq(challenge.realm, "https://a.example/t?x");
    static const char *const useless[] = {"",
                                          ",,, ,",
                                          "\"",
                                          "Bearer",
                                          "Bearer realm",
                                          "Bearer realm=",
                                          "Bearer realm=\"",
                                          "Bearer realm=\"file:///etc/passwd\"",
                                          "Bearer realm=\"https://user@a.example/\"",
                                          "Bearer realm=\"https://a.example/\\",
                                          "realm=\"https://a.example/\""};
    for (size_t i = 0; i < sizeof(useless) / sizeof(*useless); i++) {
        memset(&challenge, 0, sizeof(challenge));
        registry_challenge_add(&challenge, useless[i]);
        if (strstr(useless[i], "a.example/\\") == NULL)
            ck_assert_msg(challenge.realm[0] == '\0', "%s", useless[i]);
        ck_assert(!challenge.basic);
    }
}
END_TEST

START_TEST(test_ranges_and_waits)
{
    uint64_t number = 7;
    ck_assert(registry_content_range("bytes 5-9/10", &number) && number == 5);
    ck_assert(registry_content_range("bytes 0-0/*", &number) && number == 0);
    static const char *const bad[] = {"",
                                      "bytes",
                                      "bytes 5",
                                      "bytes 9-5/10",
                                      "items 1-2/3",
                                      "bytes -1-2/3",
                                      "bytes 1-2",
                                      "bytes 99999999999999999999-1/2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!registry_content_range(bad[i], &number), "%s", bad[i]);
    ck_assert(registry_upload_range("0-9", &number) && number == 10);
    ck_assert(registry_upload_range("bytes=0-9", &number) && number == 10);
    ck_assert(registry_upload_range("0-0", &number) && number == 0);
    ck_assert(!registry_upload_range("1-9", &number));
    ck_assert(!registry_upload_range("0-9x", &number));
    ck_assert(registry_retry_after("120", 0, &number) && number == 120);
    ck_assert(registry_retry_after("Mon, 01 Jan 2024 00:01:00 GMT", 1704067200, &number));
    ck_assert_uint_eq(number, 60);
    ck_assert(registry_retry_after("Mon, 01 Jan 2024 00:00:00 GMT", 1804067200, &number));
    ck_assert_uint_eq(number, 0);
    ck_assert(!registry_retry_after("soon", 0, &number));
    ck_assert(!registry_retry_after("-1", 0, &number));
    ck_assert(!registry_retry_after("99999999999999999999", 0, &number));
}
END_TEST

START_TEST(test_links)
{
    ck_assert(registry_link_next("</v2/a/tags/list?last=b&n=5>; rel=\"next\"", url));
    ck_assert_str_eq(url, "/v2/a/tags/list?last=b&n=5");
    ck_assert(!registry_link_next("</x>; rel=\"prev\"", url));
    ck_assert(!registry_link_next("/x; rel=next", url));
    ck_assert(!registry_link_next("<>; rel=next", url));
    ck_assert(!registry_link_next("", url));
}
END_TEST

static int count_tag(void *user, const char *tag)
{
    (void)tag;
    return ++*(int *)user == 3 ? 42 : 0;
}

static bool tags_of(const char *text, int *count, int *said)
{
    *count = 0;
    return registry_tags_read(text, strlen(text), count_tag, count, said);
}

START_TEST(test_tags)
{
    int count, said;
    ck_assert(tags_of("{\"name\":\"a\",\"tags\":[\"a\",\"B_c.d-e\"]}", &count, &said));
    ck_assert_int_eq(count, 2);
    ck_assert(tags_of("{\"tags\":null}", &count, &said) && count == 0);
    ck_assert(tags_of("{\"tags\":[\"a\",\"b\",\"c\",\"d\"]}", &count, &said));
    ck_assert_int_eq(said, 42);
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"tags\":7}",
                                      "{\"tags\":[7]}",
                                      "{\"tags\":[\"a/b\"]}",
                                      "{\"tags\":[\"\\u001b[31m\"]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!tags_of(bad[i], &count, &said), "%s", bad[i]);
}
END_TEST

START_TEST(test_tokens_and_errors)
{
    static char token[REGISTRY_TOKEN_SIZE];
    char text[REGISTRY_TEXT_SIZE];
    ck_assert(registry_token_read("{\"token\":\"a.b-c\"}", 17, token));
    ck_assert_str_eq(token, "a.b-c");
    ck_assert(registry_token_read("{\"token\":\"\",\"access_token\":\"d\"}", 31, token));
    ck_assert_str_eq(token, "d");
    ck_assert(!registry_token_read("{\"token\":\"a b\"}", 15, token));
    ck_assert(!registry_token_read("{\"token\":\"\"}", 12, token));
    ck_assert(!registry_token_read("{\"token\":7}", 11, token));
    ck_assert(!registry_token_read("", 0, token));
    static const char body[] =
        "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\n\\u001b[2J\\u009bx\","
        "\"detail\":\"why \xc3\xa4\"}]}";
    ck_assert_str_eq(registry_error_text(body, sizeof(body) - 1, text),
                     "DENIED: no??[2J??x, why \xc3\xa4");
    ck_assert_str_eq(registry_error_text("<html>", 6, text), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry_answer");
    TCase *tcase = tcase_create("answers");
    tcase_add_test(tcase, test_locations_are_resolved);
    tcase_add_test(tcase, test_long_locations_are_refused);
    tcase_add_test(tcase, test_origins);
    tcase_add_test(tcase, test_queries_are_escaped);
    tcase_add_test(tcase, test_challenges);
    tcase_add_test(tcase, test_ranges_and_waits);
    tcase_add_test(tcase, test_links);
    tcase_add_test(tcase, test_tags);
    tcase_add_test(tcase, test_tokens_and_errors);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
