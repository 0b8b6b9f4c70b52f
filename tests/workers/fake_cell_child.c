/* A worker of cells that behaves as its first argument says. It is started through a script whose
 * first line names it and the argument. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell_protocol.h"
#include "engine.h"
#include "socket_io.h"

#define SOCKET_FD 3

static void die(const char *what)
{
    fprintf(stderr, "fake worker: %s\n", what);
    _exit(99);
}

static void send_all(const void *data, size_t size)
{
    if (!socket_write_all(SOCKET_FD, data, size)) _exit(98);
}

static void send_header(uint32_t type, size_t size)
{
    uint8_t header[WIRE_HEADER_SIZE];
    wire_header_write(&(wire_header){type, size}, header);
    send_all(header, sizeof(header));
}

static void send_message(uint32_t type, wire_writer *writer)
{
    send_header(type, writer->size_bytes);
    send_all(writer->data, writer->size_bytes);
    wire_writer_release(writer);
}

static void receive_message(uint32_t type)
{
    uint8_t data[WIRE_HEADER_SIZE];
    wire_header header;
    if (recv(SOCKET_FD, data, sizeof(data), MSG_WAITALL) != sizeof(data) ||
        !wire_header_read(data, cell_body_size_max, &header) || header.type != type)
        die("no header");
    char *body = malloc(header.body_size_bytes);
    if (body == NULL || recv(SOCKET_FD, body, header.body_size_bytes, MSG_WAITALL) !=
                            (ssize_t)header.body_size_bytes)
        die("no body");
    free(body);
}

static void send_garbage(void)
{
    char garbage[64];
    memset(garbage, 'x', sizeof(garbage));
    send_all(garbage, sizeof(garbage));
}

static void send_hello(uint32_t version, uint8_t change)
{
    wire_writer writer = {0};
    wire_hello hello = {version, engine_fingerprint()};
    hello.engine.bytes[0] ^= change;
    cell_hello_write(&writer, &hello);
    send_message(CELL_MESSAGE_HELLO, &writer);
}

/* Of the first call. */
static wire_writer begin_message(void)
{
    wire_writer writer = {0};
    cell_number_write(&writer, 1);
    return writer;
}

static void send_bytes(uint32_t type, const char *text)
{
    wire_writer writer = begin_message();
    wire_put_raw(&writer, text, strlen(text));
    send_message(type, &writer);
}

static void send_log(const char *text)
{
    wire_writer writer = begin_message();
    wire_log_write(&writer, &(wire_log){SNAPCELL_LOG_INFO, text, strlen(text)});
    send_message(CELL_MESSAGE_LOG, &writer);
}

static void send_head(uint32_t status, const char *name, const char *value)
{
    wire_writer writer = begin_message();
    wire_put_u32(&writer, status);
    wire_put_u32(&writer, 1);
    wire_put_string(&writer, name);
    wire_put_string(&writer, value);
    send_message(CELL_MESSAGE_HEAD, &writer);
}

static void send_response(uint32_t status, const char *name, const char *value)
{
    send_head(status, name, value);
    send_bytes(CELL_MESSAGE_DATA, "fake");
    send_bytes(CELL_MESSAGE_END, "");
    send_bytes(CELL_MESSAGE_SETTLED, "");
}

/* Until the host is gone. */
static void wait_for_ever(void)
{
    struct pollfd polled = {.fd = SOCKET_FD, .events = POLLRDHUP};
    poll(&polled, 1, -1);
    _exit(0);
}

static void send_ready(snapcell_handler_shape shape, cell_policy policy)
{
    wire_writer writer = {0};
    cell_number_write(&writer, 0);
    cell_ready_write(&writer, &(cell_ready){.shape = shape, .policy = policy});
    send_message(CELL_MESSAGE_READY, &writer);
}

static void get_ready(void)
{
    send_hello(CELL_PROTOCOL_VERSION, 0);
    receive_message(CELL_MESSAGE_LOAD);
    send_ready(SNAPCELL_SHAPE_FETCH, CELL_POLICY_RESTORE);
}

static void take_call(void)
{
    get_ready();
    receive_message(CELL_MESSAGE_CALL);
}

/* --- While it is loaded --- */

static void do_old_hello(void)
{
    send_hello(CELL_PROTOCOL_VERSION - 1, 0);
    wait_for_ever();
}

static void do_other_engine(void)
{
    send_hello(CELL_PROTOCOL_VERSION, 1);
    wait_for_ever();
}

static void do_exit(void)
{
    _exit(7);
}

static void do_bad_ready(void)
{
    send_hello(CELL_PROTOCOL_VERSION, 0);
    receive_message(CELL_MESSAGE_LOAD);
    send_ready((snapcell_handler_shape)99, CELL_POLICY_RESTORE);
    wait_for_ever();
}

/* What was not requested, and would make instances share state. */
static void do_other_policy(void)
{
    send_hello(CELL_PROTOCOL_VERSION, 0);
    receive_message(CELL_MESSAGE_LOAD);
    send_ready(SNAPCELL_SHAPE_FETCH, CELL_POLICY_KEEP);
    wait_for_ever();
}

static void do_error_that_is_none(void)
{
    wire_writer writer = {0};
    wire_error_write(&writer, &(snapcell_error){.code = SNAPCELL_OK});
    send_message(CELL_MESSAGE_ERROR, &writer);
    wait_for_ever();
}

static void do_early_log(void)
{
    send_log("hello");
    wait_for_ever();
}

/* --- While it is called --- */

static void do_garbage(void)
{
    take_call();
    send_garbage();
    wait_for_ever();
}

static void do_wrong_type(void)
{
    take_call();
    send_bytes(CELL_MESSAGE_DATA, "1"); /* without a head */
    wait_for_ever();
}

static void do_unknown_type(void)
{
    take_call();
    send_bytes(99, "1");
    wait_for_ever();
}

static void do_huge(void)
{
    take_call();
    send_header(CELL_MESSAGE_HEAD, (size_t)1 << 30);
    wait_for_ever();
}

static void do_bad_status(void)
{
    take_call();
    send_response(99, "a", "b");
    wait_for_ever();
}

static void do_bad_header(void)
{
    take_call();
    send_response(200, "a", "b\r\nset-cookie: c");
    wait_for_ever();
}

static void do_bad_log(void)
{
    take_call();
    send_log("\xff");
    wait_for_ever();
}

static void do_bad_error(void)
{
    take_call();
    wire_writer writer = begin_message();
    wire_error_write(&writer, &(snapcell_error){.code = 1});
    send_message(CELL_MESSAGE_ERROR, &writer);
    wait_for_ever();
}

static void do_half(void)
{
    take_call();
    send_header(CELL_MESSAGE_HEAD, 100);
    send_all("half", 4);
    _exit(0);
}

static void do_mute(void)
{
    take_call();
    wait_for_ever();
}

static void do_babble(void)
{
    take_call();
    for (;;)
        send_log("and");
}

static void do_drip(void)
{
    take_call();
    send_header(CELL_MESSAGE_HEAD, 1 << 20);
    for (;;) {
        send_all("x", 1);
        usleep(1000);
    }
}

static void do_deaf(void)
{
    get_ready();
    wait_for_ever();
}

static void do_double(void)
{
    take_call();
    send_response(200, "a", "b");
    send_response(200, "a", "b");
    wait_for_ever();
}

/* --- Against a host with an event loop --- */

/* More than anybody gave credit for. */
static void do_flood(void)
{
    static char piece[CELL_PIECE_SIZE_MAX];
    take_call();
    send_head(200, "a", "b");
    for (;;) {
        wire_writer writer = begin_message();
        wire_put_raw(&writer, piece, sizeof(piece));
        send_message(CELL_MESSAGE_DATA, &writer);
    }
}

static void do_two_heads(void)
{
    take_call();
    send_head(200, "a", "b");
    send_head(200, "a", "b");
    wait_for_ever();
}

static void do_data_after_end(void)
{
    take_call();
    send_head(200, "a", "b");
    send_bytes(CELL_MESSAGE_END, "");
    send_bytes(CELL_MESSAGE_DATA, "x");
    wait_for_ever();
}

static void do_settled_early(void)
{
    take_call();
    send_head(200, "a", "b");
    send_bytes(CELL_MESSAGE_SETTLED, "");
    wait_for_ever();
}

static void do_other_call(void)
{
    wire_writer writer = {0};
    take_call();
    cell_number_write(&writer, 2);
    send_message(CELL_MESSAGE_END, &writer);
    wait_for_ever();
}

/* More of a body than may be on its way. */
static void do_pull_too_much(void)
{
    wire_writer writer = begin_message();
    take_call();
    cell_credit_write(&writer, CELL_WINDOW_SIZE + 1);
    send_message(CELL_MESSAGE_PULL, &writer);
    wait_for_ever();
}

static void do_unasked_net(void)
{
    take_call();
    send_bytes(CELL_MESSAGE_NET, "");
    wait_for_ever();
}

static void do_unknown_host_function(void)
{
    wire_writer writer = begin_message();
    take_call();
    wire_put_u32(&writer, 0);
    wire_put_u32(&writer, 0);
    send_message(CELL_MESSAGE_HOST_CALL, &writer);
    wait_for_ever();
}

/* A piece that never comes to its end, byte by byte. */
static void do_slow_piece(void)
{
    take_call();
    send_head(200, "a", "b");
    send_header(CELL_MESSAGE_DATA, CELL_PIECE_SIZE_MAX);
    for (;;) {
        send_all("x", 1);
        usleep(1000);
    }
}

static void do_speak_idle(void)
{
    get_ready();
    usleep(50000);
    send_garbage();
    wait_for_ever();
}

static void do_bad_result(void)
{
    take_call();
    send_bytes(CELL_MESSAGE_DATA, "\"\xff\"");
    send_bytes(CELL_MESSAGE_END, "");
    send_bytes(CELL_MESSAGE_SETTLED, "");
    wait_for_ever();
}

static const struct {
    const char *name;
    void (*run)(void);
} behaviours[] = {
    {"garbage-hello", send_garbage},
    {"old-hello", do_old_hello},
    {"other-engine", do_other_engine},
    {"exit", do_exit},
    {"silent", wait_for_ever},
    {"bad-ready", do_bad_ready},
    {"other-policy", do_other_policy},
    {"error-that-is-none", do_error_that_is_none},
    {"early-log", do_early_log},
    {"garbage", do_garbage},
    {"wrong-type", do_wrong_type},
    {"unknown-type", do_unknown_type},
    {"huge", do_huge},
    {"bad-status", do_bad_status},
    {"bad-header", do_bad_header},
    {"bad-log", do_bad_log},
    {"bad-error", do_bad_error},
    {"half", do_half},
    {"mute", do_mute},
    {"babble", do_babble},
    {"drip", do_drip},
    {"deaf", do_deaf},
    {"double", do_double},
    {"bad-result", do_bad_result},
    {"flood", do_flood},
    {"two-heads", do_two_heads},
    {"data-after-end", do_data_after_end},
    {"settled-early", do_settled_early},
    {"other-call", do_other_call},
    {"pull-too-much", do_pull_too_much},
    {"unasked-net", do_unasked_net},
    {"unknown-host-function", do_unknown_host_function},
    {"slow-piece", do_slow_piece},
    {"speak-idle", do_speak_idle},
};

int main(int argc, char **argv)
{
    /* fake_cell_child BEHAVIOUR SCRIPT cell-worker 3 */
    if (argc != 5 || strcmp(argv[3], "cell-worker") != 0 || strcmp(argv[4], "3") != 0)
        die("started in another way than expected");
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(*behaviours); i++) {
        if (strcmp(behaviours[i].name, argv[1]) != 0) continue;
        behaviours[i].run();
        return 0;
    }
    die("no such behaviour");
}
