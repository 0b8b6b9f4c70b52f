/* Small parts of the server: routes, addresses, places in JSON, ids, histograms. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "serve_address.h"
#include "serve_identity.h"
#include "serve_json_place.h"
#include "serve_metrics.h"
#include "serve_route.h"
#include "serve_watch.h"

/* --- Routes --- */

static serve_routes routes;

static void setup_routes(void)
{
    static const char *const patterns[][2] = {
        {"*.example.com/*", "wild"},           {"a.example.com/*", "host"},
        {"a.example.com/api/*", "api"},        {"a.example.com/api/x", "exact"},
        {"*.b.example.com/*", "closer"},       {"example.org", "whole"},
        {"*example.net/only", "ends"},         {"/any/*", "path"},
        {"https://s.example.com/*", "scheme"},
    };
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        ck_assert_int_eq(serve_routes_add(&routes, patterns[i][0], patterns[i][1], NULL),
                         SNAPCELL_OK);
    serve_routes_sort(&routes);
}

static void teardown_routes(void)
{
    serve_routes_release(&routes);
}

START_TEST(test_the_most_specific_route_wins)
{
    static const char *const cases[][3] = {
        {"x.example.com", "/", "wild"},      {"a.example.com", "/", "host"},
        {"a.example.com", "/api/y", "api"},  {"a.example.com", "/api/x", "exact"},
        {"a.example.com", "/api/xy", "api"}, {"a.example.com", "/api", "host"},
        {"x.b.example.com", "/", "closer"},  {"example.org", "/deep/path", "whole"},
        {"my.example.net", "/only", "ends"}, {"example.net", "/only", "ends"},
        {"example.net", "/only/x", NULL},    {"example.com", "/", NULL},
        {"else.where", "/any/x", "path"},    {"else.where", "/", NULL},
        {"s.example.com", "/", "scheme"},    {"x.example.com", "/any/x", "wild"},
    };
    const char *const *one = cases[_i];
    const char *found = serve_routes_find(&routes, one[0], one[1], strlen(one[1]));
    if (one[2] == NULL)
        ck_assert_ptr_null(found);
    else
        ck_assert_str_eq(found, one[2]);
}
END_TEST

START_TEST(test_patterns_that_are_none)
{
    static const char *const patterns[] = {"", "a.*.example/", "a/*/b", "a:80/", "a/?q", "a/#f"};
    snapcell_error error;
    serve_routes none = {0};
    ck_assert_int_eq(serve_routes_add(&none, patterns[_i], "f", &error), SNAPCELL_E_USAGE);
    ck_assert_int_ne(error.message[0], '\0');
    serve_routes_release(&none);
}
END_TEST

/* --- Addresses --- */

START_TEST(test_ranges_of_addresses)
{
    static const struct {
        const char *range;
        const char *address;
        bool is_in;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1", true},    {"127.0.0.1", "127.0.0.2", false},
        {"10.0.0.0/8", "10.255.1.2", true},  {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/9", "10.128.0.1", false}, {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "::1", false},         {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},      {"unix", "", true},
        {"unix", "127.0.0.1", false},        {"0.0.0.0/0", "", false},
    };
    char *item = strdup(cases[_i].range);
    serve_strings ranges = {&item, 1};
    ck_assert_int_eq(serve_address_check_range(item, NULL), SNAPCELL_OK);
    ck_assert_int_eq(serve_address_is_in(&ranges, cases[_i].address), cases[_i].is_in);
    free(item);
}
END_TEST

START_TEST(test_addresses_to_listen_at)
{
    static const char *const good[] = {"127.0.0.1:0", "[::1]:80",    ":80",          "80", "*:80",
                                       "localhost:1", "unix:/tmp/x", "0.0.0.0:65535"};
    static const char *const bad[] = {"",      "host:80", "127.0.0.1", "127.0.0.1:65536",
                                      "unix:", "::1:x",   "[::1]",     "1.2.3.4:8a"};
    serve_address address;
    ck_assert_int_eq(serve_address_parse(good[_i], &address, NULL), SNAPCELL_OK);
    ck_assert_int_eq(serve_address_parse(bad[_i], &address, NULL), SNAPCELL_E_USAGE);
}
END_TEST

/* --- Places --- */

START_TEST(test_places_of_values_and_keys)
{
    static const char text[] =
        "{ \"a\": [1, {\"b\\\"}\": \"x\"}],\n  \"c\": \"\\u00e4\u00e4\", \"d\":5}";
    const serve_json_step a = {.key = "a"};
    const serve_json_step second = {.parent = &a, .index = 1};
    const serve_json_step b = {.parent = &second, .key = "b\"}"};
    const serve_json_step d = {.key = "d"};
    const size_t size = sizeof(text) - 1;
    serve_json_place place = serve_json_find(text, size, &b, 0);
    ck_assert_uint_eq(place.line, 1);
    ck_assert_uint_eq(place.column, 21);
    place = serve_json_find(text, size, &b, 1);
    ck_assert_uint_eq(place.column, 13);
    place = serve_json_find(text, size, &d, 0);
    ck_assert_uint_eq(place.line, 2);
    ck_assert_uint_eq(place.column, 23);
    place = serve_json_find(text, size, NULL, 0);
    ck_assert_uint_eq(place.column, 1);
}
END_TEST

/* --- Ids and histograms --- */

START_TEST(test_traces)
{
    char out[SERVE_TRACE_SIZE];
    static const char given[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    serve_identity_trace(given, out);
    ck_assert_int_eq(strncmp(out, given, 36), 0);
    ck_assert_int_ne(strncmp(out, given, 52), 0);
    ck_assert_str_eq(out + 52, "-01");
    static const char *const bad[] = {"00-0af7",
                                      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        serve_identity_trace(bad[i], out);
        ck_assert_int_ne(strncmp(out + 3, bad[i] + 3, 32), 0);
        ck_assert_uint_eq(strlen(out), 55);
    }
}
END_TEST

START_TEST(test_histograms_and_labels)
{
    serve_histogram histogram = {0};
    serve_buffer out = {0};
    serve_histogram_add(&histogram, 100000);
    serve_histogram_add(&histogram, 100001);
    serve_histogram_add(&histogram, UINT64_C(60000000000));
    serve_metrics_histogram(&out, "x", "l=\"v\"", &histogram);
    serve_buffer_add(&out, "", 1);
    ck_assert_ptr_nonnull(strstr(out.data, "x_bucket{l=\"v\",le=\"0.0001\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "x_bucket{l=\"v\",le=\"0.00025\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "x_bucket{l=\"v\",le=\"10\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "x_bucket{l=\"v\",le=\"+Inf\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "x_count{l=\"v\"} 3\n"));
    out.size_bytes = 0;
    serve_metrics_label(&out, "f", "a\"b\\c\nd");
    serve_buffer_add(&out, "", 1);
    ck_assert_str_eq(out.data, "f=\"a\\\"b\\\\c\\nd\"");
    serve_buffer_release(&out);
}
END_TEST

/* --- A new version, compared with the one before --- */

START_TEST(test_a_version_is_compared_with_the_one_before)
{
    static const struct {
        serve_watch_counts now, before;
        bool is_worse;
    } cases[] = {
        {{20, 20}, {0, 0}, true},      /* nothing is known of the one before */
        {{19, 19}, {0, 0}, false},     /* too few to judge */
        {{20, 2}, {100, 0}, false},    /* 10 percent more are allowed */
        {{20, 3}, {100, 0}, true},     /* 15 are not */
        {{100, 60}, {100, 55}, false}, /* both fail, as when a database is away */
        {{100, 66}, {100, 55}, true},  /* but this one more */
        {{100, 0}, {100, 100}, false}, /* it is better */
        {{0, 0}, {0, 0}, false},
    };
    const serve_watch_settings settings = {1, 20, 10};
    ck_assert(serve_watch_is_worse(&settings, &cases[_i].now, &cases[_i].before) ==
              cases[_i].is_worse);
}
END_TEST

START_TEST(test_requests_are_counted_with_their_version)
{
    serve_watch watch = {.settings = {1, 1, 0}};
    serve_function_watch function = {0};
    serve_watch_count(&watch, &function, true, 5);
    serve_watch_rotate(&function);
    serve_watch_count(&watch, &function, false, 6);
    serve_watch_switch(&function);
    ck_assert_uint_eq(function.before.answers, 2);
    ck_assert_uint_eq(function.before.failures, 1);
    watch.switched_ns = 10;
    serve_watch_count(&watch, &function, true, 9); /* began on the version before */
    ck_assert_uint_eq(function.recent[0].answers, 0);
    serve_watch_count(&watch, &function, true, 10);
    ck_assert_uint_eq(function.recent[0].answers, 1);
    ck_assert_uint_eq(function.recent[0].failures, 1);
    serve_watch_rotate(&function);
    serve_watch_rotate(&function); /* two periods ago is forgotten */
    serve_watch_switch(&function);
    ck_assert_uint_eq(function.before.answers, 0);
    watch.settings.period_ns = 0; /* nobody wants to know */
    serve_watch_count(&watch, &function, true, 11);
    ck_assert_uint_eq(function.recent[0].answers, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serve_parts");
    TCase *route = tcase_create("routes");
    tcase_add_checked_fixture(route, setup_routes, teardown_routes);
    tcase_add_loop_test(route, test_the_most_specific_route_wins, 0, 16);
    tcase_add_loop_test(route, test_patterns_that_are_none, 0, 6);
    TCase *rest = tcase_create("rest");
    tcase_add_loop_test(rest, test_ranges_of_addresses, 0, 12);
    tcase_add_loop_test(rest, test_addresses_to_listen_at, 0, 8);
    tcase_add_test(rest, test_places_of_values_and_keys);
    tcase_add_test(rest, test_traces);
    tcase_add_test(rest, test_histograms_and_labels);
    tcase_add_loop_test(rest, test_a_version_is_compared_with_the_one_before, 0, 8);
    tcase_add_test(rest, test_requests_are_counted_with_their_version);
    suite_add_tcase(suite, route);
    suite_add_tcase(suite, rest);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
