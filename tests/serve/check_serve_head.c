/* Requests out of bytes: what the tests with real connections cannot tell apart. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "serve_parser.h"

static serve_parser parser;
static serve_head head;
static char body[256];

static void collect(void *user, const char *data, size_t size_bytes)
{
    (void)user;
    strncat(body, data, size_bytes);
}

static size_t read_head(const char *text)
{
    serve_parser_init(&parser);
    body[0] = '\0';
    return serve_parser_read_head(&parser, text, strlen(text), 4096, &head);
}

START_TEST(test_a_head_says_what_it_says)
{
    static const char text[] = "\r\nPOST http://Host.example:8080/p?q HTTP/1.1\r\nHost: other\r\n"
                               "Empty:\r\nSpaced: \t a b \t\r\nContent-Length: 12\r\n\r\nbody";
    ck_assert_uint_eq(read_head(text), sizeof(text) - 1 - 4);
    ck_assert_int_eq(parser.state, SERVE_PARSER_BODY);
    ck_assert_str_eq(head.method, "POST");
    ck_assert_str_eq(head.host, "Host.example:8080");
    ck_assert_str_eq(head.path, "/p?q");
    ck_assert_uint_eq(head.length_bytes, 12);
    ck_assert(head.keeps_alive && !head.is_chunked && head.minor == 1);
    ck_assert_str_eq(serve_head_find(&head, "empty"), "");
    ck_assert_str_eq(serve_head_find(&head, "spaced"), "a b");
    ck_assert_ptr_null(serve_head_find(&head, "missing"));
    serve_head_release(&head);
}
END_TEST

START_TEST(test_what_ends_a_connection)
{
    static const struct {
        const char *text;
        bool keeps_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\nhost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nhost: a\r\nconnection: x, close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", true},
    };
    ck_assert_uint_eq(read_head(cases[_i].text), strlen(cases[_i].text));
    ck_assert_int_eq(parser.state, SERVE_PARSER_DONE);
    ck_assert_int_eq(head.keeps_alive, cases[_i].keeps_alive);
    serve_head_release(&head);
}
END_TEST

START_TEST(test_an_incomplete_head_is_waited_for_at_each_byte)
{
    static const char text[] = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    serve_parser_init(&parser);
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        char *copy = malloc(size + 1); /* nothing after it may be read */
        memcpy(copy, text, size);
        ck_assert_uint_eq(serve_parser_read_head(&parser, copy, size, 4096, &head), 0);
        ck_assert_int_eq(parser.state, SERVE_PARSER_HEAD);
        free(copy);
    }
    ck_assert_uint_eq(serve_parser_read_head(&parser, text, sizeof(text) - 1, 4096, &head),
                      sizeof(text) - 1);
    serve_head_release(&head);
}
END_TEST

START_TEST(test_a_body_ends_where_the_next_request_begins)
{
    static const char text[] = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
                               "3;x\r\nabc\r\n2\r\nde\r\n0\r\nt: v\r\n\r\nGET";
    size_t at = read_head(text);
    ck_assert(head.is_chunked);
    while (parser.state != SERVE_PARSER_DONE) {
        size_t taken =
            serve_parser_read_body(&parser, text + at, strlen(text + at), 4096, collect, NULL);
        ck_assert_uint_gt(taken, 0);
        at += taken;
    }
    ck_assert_str_eq(body, "abcde");
    ck_assert_str_eq(text + at, "GET");
    serve_head_release(&head);
}
END_TEST

START_TEST(test_too_many_headers_are_431)
{
    char text[4096] = "GET / HTTP/1.1\r\nhost: a\r\n";
    for (int i = 0; i < SERVE_HEADER_COUNT_MAX; i++)
        strcat(text, "x: y\r\n");
    strcat(text, "\r\n");
    ck_assert_uint_eq(read_head(text), 0);
    ck_assert_int_eq(parser.state, SERVE_PARSER_BROKEN);
    ck_assert_int_eq(parser.refusal.status, 431);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serve_head");
    TCase *all = tcase_create("all");
    tcase_add_test(all, test_a_head_says_what_it_says);
    tcase_add_loop_test(all, test_what_ends_a_connection, 0, 5);
    tcase_add_test(all, test_an_incomplete_head_is_waited_for_at_each_byte);
    tcase_add_test(all, test_a_body_ends_where_the_next_request_begins);
    tcase_add_test(all, test_too_many_headers_are_431);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
