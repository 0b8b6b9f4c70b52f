/* snapcell-net: fetches for a process that has no network. Started by snapcell/net.h as
 *   snapcell-net FD [--private] [--no-sandbox] [--proxies] [--ca-file FILE] HOST...
 * with a socket to that process on FD; ends when its other end is closed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_transfer.h"
#include "sandbox_client.h"

#define POLL_MS 1000
#define SERVE_FRAMES_MAX 64 /* before the transfers have their turn */

/* What was received and not understood yet. */
typedef struct net_input {
    char *data; /* room for the largest frame */
    size_t size_bytes;
    bool ended;
} net_input;

#define INPUT_CAPACITY (sizeof(net_frame_header) + NET_FRAME_SIZE_MAX)

static void input_receive(net_input *input, int fd)
{
    ssize_t count =
        recv(fd, input->data + input->size_bytes, INPUT_CAPACITY - input->size_bytes, MSG_DONTWAIT);
    if (count > 0) input->size_bytes += (size_t)count;
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) input->ended = true;
}

static void serve_close_all(net_server *server)
{
    while (server->transfers != NULL)
        net_transfer_close(server->transfers);
}

/* False when it makes no sense; frames for what has ended meanwhile do. */
static bool serve_frame(net_server *server, const net_frame_header *header, const char *data)
{
    wire_reader body = wire_reader_over(data, header->size_bytes);
    if (header->type == NET_START) return net_transfer_start(server, header->id, &body);
    if (header->type == NET_RESET) {
        serve_close_all(server);
        return true;
    }
    net_transfer *transfer = net_transfer_find(server, header->id);
    if (transfer == NULL) return true;
    switch ((net_frame_type)header->type) {
    case NET_BODY:
    case NET_BODY_LAST:
        return net_transfer_take_body(transfer, data, header->size_bytes,
                                      header->type == NET_BODY_LAST);
    case NET_CREDIT:
        net_transfer_add_credit(transfer, wire_get_u32(&body));
        return !body.failed;
    case NET_CLOSE:
        net_transfer_close(transfer);
        return true;
    default:
        return false;
    }
}

/* Serves the frames that are there as a whole. Whether there may be more of them. */
static bool serve_input(net_server *server, net_input *input)
{
    input_receive(input, server->fd);
    size_t at = 0;
    int count = 0;
    net_frame_header header;
    while (count++ < SERVE_FRAMES_MAX && input->size_bytes - at >= sizeof(header)) {
        memcpy(&header, input->data + at, sizeof(header));
        if (header.size_bytes > NET_FRAME_SIZE_MAX) server->client_gone = true;
        if (server->client_gone || input->size_bytes - at - sizeof(header) < header.size_bytes)
            break;
        if (!serve_frame(server, &header, input->data + at + sizeof(header)))
            server->client_gone = true;
        at += sizeof(header) + header.size_bytes;
    }
    memmove(input->data, input->data + at, input->size_bytes - at);
    input->size_bytes -= at;
    if (input->ended) server->client_gone = true;
    return at > 0;
}

static void serve_finished(net_server *server)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(server->multi, &left)) != NULL;)
        if (message->msg == CURLMSG_DONE)
            net_transfer_finish(message->easy_handle, message->data.result);
}

static void serve(net_server *server, net_input *input)
{
    while (!server->client_gone) {
        int running = 0;
        bool more = serve_input(server, input);
        curl_multi_perform(server->multi, &running);
        serve_finished(server);
        struct curl_waitfd waited = {.fd = server->fd, .events = CURL_WAIT_POLLIN};
        if (!more) curl_multi_poll(server->multi, &waited, 1, POLL_MS, NULL);
    }
    serve_close_all(server);
}

static int fail(const char *what)
{
    fprintf(stderr, "snapcell-net: %s\n", what);
    return 3;
}

static int run(net_server *server)
{
    net_input input = {.data = malloc(INPUT_CAPACITY)};
    if (input.data == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail("no memory for libcurl");
    server->multi = curl_multi_init();
    if (server->multi == NULL) return fail("no memory for libcurl");
    serve(server, &input);
    curl_multi_cleanup(server->multi);
    curl_global_cleanup();
    free(input.data);
    return 0;
}

/* Before a byte from elsewhere is read. */
static int confine(net_server *server)
{
    snapcell_error err;
    if (server->ca_file == NULL) server->ca_file = getenv("SSL_CERT_FILE");
    server->ca_folder = getenv("SSL_CERT_DIR");
    const char *const readable[] = {server->ca_file, server->ca_folder};
    if (server->unconfined || sandbox_client_enter(readable, 2, &err) == SNAPCELL_OK) return 0;
    return fail(err.message);
}

/* Everything on the command line was checked by who started us. */
static int parse_rules(int argc, char **argv, net_rule *rules, net_server *server)
{
    for (int i = 2; i < argc; i++) {
        snapcell_error err;
        if (strcmp(argv[i], "--private") == 0)
            server->allow_private = true;
        else if (strcmp(argv[i], "--no-sandbox") == 0)
            server->unconfined = true;
        else if (strcmp(argv[i], "--proxies") == 0)
            server->use_proxies = true;
        else if (strcmp(argv[i], "--ca-file") == 0 && i + 1 < argc)
            server->ca_file = argv[++i];
        else if (net_rule_parse(argv[i], &rules[server->rule_count++], &err) != SNAPCELL_OK)
            return fail(err.message);
    }
    server->rules = rules;
    return 0;
}

int main(int argc, char **argv)
{
    net_server server = {.fd = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0};
    if (server.fd <= 0) return fail("this program is started by `snapcell run --allow-net`");
    net_rule *rules = calloc((size_t)argc, sizeof(*rules));
    if (rules == NULL) return fail("no memory for the list of hosts");
    int status = parse_rules(argc, argv, rules, &server);
    signal(SIGPIPE, SIG_IGN);
    if (status == 0) status = confine(&server);
    if (status == 0) status = run(&server);
    free(rules);
    return status;
}
