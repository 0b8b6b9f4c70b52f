/* snapcell-net in the hands of a compromised client: it serves nothing that was not
 * allowed, and ends at what makes no sense. */
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../format/check_run.h"
#include "cleanup.h"
#include "net_wire.h"
#include "snapcell/net.h"

static int fd;

static void setup(void)
{
    static const char *const allow[] = {"allowed.test", "127.0.0.2"};
    snapcell_net_options options = SNAPCELL_NET_OPTIONS_INIT;
    options.allow = allow;
    options.allow_count = 2;
    options.program_path = SNAPCELL_NET;
    int ends[2];
    snapcell_error err = {0};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    int status = snapcell_net_serve(&options, ends[1], NULL, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    close(ends[1]);
    fd = ends[0];
}

static void teardown(void)
{
    close(fd);
}

static void send_start(uint32_t id, const char *method, const char *url, const char *name,
                       const char *value)
{
    snapcell_header header = {name, value};
    wire_writer body = {0};
    wire_put_u64(&body, (uint64_t)SNAPCELL_BODY_NONE);
    wire_put_string(&body, method);
    wire_put_string(&body, url);
    net_put_headers(&body, &header, 1);
    ck_assert(net_send(fd, NET_START, id, body.data, body.size_bytes));
    wire_writer_release(&body);
}

/* The next frame must be a failure that says so. */
static void expect_failure(uint32_t id, const char *words)
{
    net_frame_header header;
    char body[4096];
    ck_assert_int_eq(recv(fd, &header, sizeof(header), MSG_WAITALL), sizeof(header));
    ck_assert_uint_eq(header.type, NET_FAIL);
    ck_assert_uint_eq(header.id, id);
    ck_assert_int_eq(recv(fd, body, header.size_bytes, MSG_WAITALL), header.size_bytes);
    wire_reader reader = wire_reader_over(body, header.size_bytes);
    wire_get_string(&reader);
    const char *message = wire_get_string(&reader);
    ck_assert_msg(strstr(message, words) != NULL, "%s", message);
}

/* A request that was right may have failed before the nonsense was read. */
static void expect_end(void)
{
    char told[4096];
    while (recv(fd, told, sizeof(told), 0) > 0)
        ;
}

START_TEST(test_what_is_not_allowed_is_refused)
{
    static const char *const urls[] = {
        "http://other.test/",
        "http://allowed.test.other.test/",
        "http://127.0.0.1/",
        "http://allowed.test@other.test/",
        "http://other.test#@allowed.test/",
        "http://other.test\\@allowed.test/",
    };
    for (uint32_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        send_start(i, "GET", urls[i], "a", "b");
        expect_failure(i, i < 4 ? "not among" : "");
    }
    send_start(90, "GET", "file:///etc/passwd", "a", "b");
    expect_failure(90, "");
    send_start(91, "GET", "ftp://allowed.test/", "a", "b");
    expect_failure(91, "");
    send_start(92, "GET", "http://allowed.test/", "a", "b\r\nhost: other");
    expect_failure(92, "header");
    send_start(93, "GET", "http://allowed.test/", "a: x\r\nb", "c");
    expect_failure(93, "header");
}
END_TEST

static void send_nonsense(int which)
{
    static const char zeros[NET_FRAME_SIZE_MAX];
    net_frame_header header = {NET_START, 1, NET_FRAME_SIZE_MAX + 1};
    switch (which) {
    case 0:
        send(fd, &header, sizeof(header), MSG_NOSIGNAL);
        return;
    case 1:
        net_send(fd, NET_START, 1, "short", 5);
        return;
    case 2:
        net_send(fd, NET_START, 1, zeros, sizeof(zeros));
        return;
    case 3:
        send_start(1, "GET /x HTTP/1.1\r\nHost:", "http://allowed.test/", "a", "b");
        return;
    case 4:
        send_start(1, "", "http://allowed.test/", "a", "b");
        return;
    case 5: /* a piece that nobody requested */
        send_start(1, "GET", "http://allowed.test/", "a", "b");
        net_send(fd, NET_BODY, 1, "x", 1);
        return;
    case 6: /* a number that is taken */
        send_start(1, "GET", "http://allowed.test/", "a", "b");
        send_start(1, "GET", "http://allowed.test/", "a", "b");
        return;
    default:
        send_start(1, "GET", "http://allowed.test/", "a", "b");
        net_send(fd, which == 7 ? NET_DATA : (net_frame_type)99, 1, "x", 1);
        return;
    }
}

START_TEST(test_nonsense_ends_it)
{
    send_nonsense(_i);
    expect_end();
}
END_TEST

START_TEST(test_random_bytes_end_it_or_are_passed_over)
{
    uint32_t state = 88172645u + (uint32_t)_i;
    unsigned char bytes[3000];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = i % 12 == 1 || i % 12 == 10 ? 0 : (unsigned char)state % 24;
    }
    send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    char drop[4096];
    while (recv(fd, drop, sizeof(drop), 0) > 0)
        continue;
}
END_TEST

static int listen_without_answering(char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000002)}};
    socklen_t address_size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, address_size), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &address_size), 0);
    snprintf(url, size, "http://127.0.0.2:%u/", ntohs(address.sin_port));
    return listener;
}

START_TEST(test_requests_are_counted)
{
    char url[64];
    cleanup_close int listener = listen_without_answering(url, sizeof(url));
    for (uint32_t id = 0; id <= 512; id++)
        send_start(id, "GET", url, "a", "b");
    net_frame_header header;
    char body[4096];
    for (;;) {
        ck_assert_int_eq(recv(fd, &header, sizeof(header), MSG_WAITALL), sizeof(header));
        ck_assert_int_eq(recv(fd, body, header.size_bytes, MSG_WAITALL), header.size_bytes);
        if (memmem(body, header.size_bytes, "more than 512", 13) != NULL) break;
    }
}
END_TEST

START_TEST(test_start_fails_in_words)
{
    static const char *const bad[] = {"a b"};
    snapcell_net_options options = SNAPCELL_NET_OPTIONS_INIT;
    snapcell_net *net = NULL;
    snapcell_error err = {0};
    options.program_path = "/nonexistent/snapcell-net";
    ck_assert_int_eq(snapcell_net_open(&options, &net, &err), SNAPCELL_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/snapcell-net"));
    options.program_path = SNAPCELL_NET;
    ck_assert_int_eq(snapcell_net_open(&options, &net, &err), SNAPCELL_OK);
    snapcell_net_close(net); /* waits for the process, which must end */
    net = NULL;
    options.allow = bad;
    options.allow_count = 1;
    ck_assert_int_eq(snapcell_net_open(&options, &net, &err), SNAPCELL_E_USAGE);
    options.allow = NULL;
    ck_assert_int_eq(snapcell_net_open(&options, &net, &err), SNAPCELL_E_USAGE);
    options.struct_size = 0;
    ck_assert_int_eq(snapcell_net_open(&options, &net, &err), SNAPCELL_E_USAGE);
    ck_assert_ptr_null(net);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_process");
    TCase *tcase = tcase_create("net_process");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_what_is_not_allowed_is_refused);
    tcase_add_loop_test(tcase, test_nonsense_ends_it, 0, 9);
    tcase_add_loop_test(tcase, test_random_bytes_end_it_or_are_passed_over, 0, 20);
    tcase_add_test(tcase, test_requests_are_counted);
    tcase_add_test(tcase, test_start_fails_in_words);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
