/* A client whose other end of the socket goes away or talks nonsense: fetch() is rejected, and the
 * cell goes on. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../loader/fixture.h"
#include "net_wire.h"
#include "snapcell/net.h"

static const char source[] =
    "export default async () => {\n"
    "    try { return (await (await fetch('http://x.test/')).text()).length; }\n"
    "    catch (error) { return error.message; }\n"
    "};\n";

/* --- The other end --- */

static void send_text_pair(int fd, net_frame_type type, uint32_t id, const char *a, const char *b)
{
    wire_writer body = {0};
    wire_put_string(&body, a);
    wire_put_string(&body, b);
    net_send(fd, type, id, body.data, body.size_bytes);
    wire_writer_release(&body);
}

static void send_head(int fd, uint32_t id, uint32_t status, const char *name)
{
    snapcell_header header = {name, "value"};
    wire_writer body = {0};
    wire_put_u32(&body, status);
    wire_put_string(&body, "");
    net_put_headers(&body, &header, 1);
    net_send(fd, NET_HEAD, id, body.data, body.size_bytes);
    wire_writer_release(&body);
}

typedef void peer_fn(int fd);

static void peer_goes(int fd)
{
    (void)fd;
}

static void peer_sends_half_a_header(int fd)
{
    send(fd, "abc", 3, 0);
}

static void peer_announces_too_much(int fd)
{
    net_frame_header header = {NET_DATA, 1, NET_FRAME_SIZE_MAX + 1};
    send(fd, &header, sizeof(header), 0);
}

static void peer_sends_unknown(int fd)
{
    net_send(fd, (net_frame_type)99, 1, "x", 1);
}

static void peer_cuts_the_head(int fd)
{
    net_send(fd, NET_HEAD, 1, "\xc8\0\0\0\1\0\0\0", 8);
}

static void peer_floods(int fd)
{
    static char flood[SNAPCELL_FETCH_WINDOW_BYTES + 1];
    send_head(fd, 1, 200, "a");
    net_send(fd, NET_DATA, 1, flood, sizeof(flood));
}

static void peer_has_a_bad_status(int fd)
{
    send_head(fd, 1, 99, "a");
}

static void peer_has_a_bad_name(int fd)
{
    send_head(fd, 1, 200, "a b");
}

static void peer_ends_at_once(int fd)
{
    net_send(fd, NET_END, 1, NULL, 0);
}

static void peer_fails(int fd)
{
    send_text_pair(fd, NET_FAIL, 1, "ECODE", "why");
}

/* What is for another fetch, or comes late, harms nobody. */
static void peer_is_good(int fd)
{
    send_head(fd, 7, 200, "a");
    send_head(fd, 1, 200, "a");
    net_send(fd, NET_DATA, 1, "four", 4);
    net_send(fd, NET_END, 1, NULL, 0);
    net_send(fd, NET_END, 1, NULL, 0);
}

static const struct {
    peer_fn *act;
    const char *result;
} peers[] = {
    {peer_goes, "the process that has the network ended"},
    {peer_sends_half_a_header, "the process that has the network ended"},
    {peer_announces_too_much, "the process that has the network ended"},
    {peer_sends_unknown, "the process that has the network ended"},
    {peer_cuts_the_head, "the process that has the network ended"},
    {peer_floods, "the process that has the network ended"},
    {peer_has_a_bad_status, "200 to 599, not 99"},
    {peer_has_a_bad_name, "is not a token"},
    {peer_ends_at_once, "without a response"},
    {peer_fails, "why"},
    {peer_is_good, "4"},
};

typedef struct peer {
    int fd;
    peer_fn *act;
} peer;

static void *peer_run(void *user)
{
    const peer *self = user;
    net_frame_header header;
    char body[4096];
    if (recv(self->fd, &header, sizeof(header), MSG_WAITALL) == sizeof(header) &&
        recv(self->fd, body, header.size_bytes, MSG_WAITALL) == (ssize_t)header.size_bytes)
        self->act(self->fd);
    shutdown(self->fd, SHUT_WR);
    return NULL;
}

/* --- The tests --- */

START_TEST(test_other_end)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    snapcell_net *net = NULL;
    ck_assert_int_eq(snapcell_net_attach(ends[0], &net, NULL), SNAPCELL_OK);
    peer other = {ends[1], peers[_i].act};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, peer_run, &other), 0);

    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.fetch_client = snapcell_net_client(net);
    snapcell_loader *loader = fixture_open_with(&options);
    snapcell_cell *cell = fixture_load(loader, "fetcher", NULL);
    char *json = NULL;
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &json, NULL, NULL), SNAPCELL_OK);
    ck_assert_msg(strstr(json, peers[_i].result) != NULL, "%s", json);
    free(json);
    pthread_join(thread, NULL);
    /* Once it has gone, the next fetch is refused at once. */
    ck_assert_int_eq(snapcell_cell_invoke(cell, "{}", &json, NULL, NULL), SNAPCELL_OK);
    ck_assert_msg(strstr(json, "the process that has the network ended") != NULL, "%s", json);
    free(json);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
    snapcell_net_close(net);
    close(ends[1]);
}
END_TEST

START_TEST(test_unused_client_ends)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    snapcell_net *net = NULL;
    ck_assert_int_eq(snapcell_net_attach(ends[0], &net, NULL), SNAPCELL_OK);
    snapcell_net_close(net);
    snapcell_net_close(NULL);
    char byte;
    ck_assert_int_eq(recv(ends[1], &byte, 1, 0), 0);
    close(ends[1]);
}
END_TEST

int main(void)
{
    static const fixture_function functions[] = {{"fetcher", source, NULL}};
    fixture_new_store();
    fixture_compile(functions, 1, NULL);
    TCase *tcase = tcase_create("net_client");
    tcase_add_loop_test(tcase, test_other_end, 0, (int)(sizeof(peers) / sizeof(*peers)));
    tcase_add_test(tcase, test_unused_client_ends);
    return fixture_run(suite_create("net_client"), tcase);
}
