/* The child's side: one function, call after call, until the host is gone. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "cell_protocol.h"
#include "child_side.h"
#include "cleanup.h"
#include "engine.h"
#include "error_set.h"
#include "snapcell/sandbox.h"
#include "snapcell/worker.h"

typedef struct cell_child {
    int fd;
    const cell_load *load;
    snapcell_loader *loader; /* goes with the process */
    snapcell_cell *cell;     /* for the next call; NULL: to be loaded */
    bool loads_ahead;        /* a `code` artifact is evaluated when it is called for */
} cell_child;

/* --- Messages --- */

static bool child_send(int fd, cell_message_type type, const wire_writer *body)
{
    return child_side_send(fd, type, body, cell_body_size_max);
}

static bool child_send_error(int fd, const snapcell_error *error)
{
    cleanup_writer wire_writer writer = {0};
    wire_error_write(&writer, error);
    return child_send(fd, CELL_MESSAGE_ERROR, &writer);
}

static bool child_send_hello(int fd)
{
    cleanup_writer wire_writer writer = {0};
    cell_hello_write(&writer, &(wire_hello){CELL_PROTOCOL_VERSION, engine_fingerprint()});
    return child_send(fd, CELL_MESSAGE_HELLO, &writer);
}

static bool child_send_ready(int fd, const snapcell_cell *cell)
{
    cleanup_writer wire_writer writer = {0};
    cell_ready_write(&writer, snapcell_cell_info(cell)->shape);
    return child_send(fd, CELL_MESSAGE_READY, &writer);
}

/* An answer that does not fit, or for which memory is short, is told of. */
static bool child_send_answer(int fd, cell_message_type type, const wire_writer *body)
{
    if (child_side_fits(type, body, cell_body_size_max)) return child_send(fd, type, body);
    snapcell_error error;
    if (body->failed)
        error_set(&error, SNAPCELL_E_NOMEM, "no memory in the worker for the answer");
    else
        error_set(&error, SNAPCELL_E_TOO_LARGE, "the answer has %zu bytes, which is too large",
                  body->size_bytes);
    return child_send_error(fd, &error);
}

static void child_log(void *user, snapcell_log_level level, const char *function_name,
                      const char *text, size_t text_size_bytes)
{
    (void)function_name;
    size_t size = text_size_bytes;
    if (size > CELL_LOG_SIZE_MAX) {
        size = CELL_LOG_SIZE_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    cleanup_writer wire_writer writer = {0};
    wire_log_write(&writer, &(wire_log){level, text, size});
    child_send(*(const int *)user, CELL_MESSAGE_LOG, &writer);
}

/* --- Ends --- */

/* The host reads from the signal which limit it was. Called on a thread that blocks all signals. */
static void child_overrun(void *user, int code)
{
    (void)user;
    int number = code == SNAPCELL_E_CPU_LIMIT ? SIGXCPU : SIGALRM;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

/* Without it a function that never ends would outlive its host. PR_SET_PDEATHSIG does not do: it
 * goes by the thread of the host that started this process. */
static void *child_watch_host(void *user)
{
    struct pollfd polled = {.fd = *(const int *)user, .events = POLLRDHUP};
    for (;;) {
        int count = poll(&polled, 1, -1);
        if (count > 0 || (count < 0 && errno != EINTR)) raise(SIGKILL);
    }
    return NULL;
}

static int child_start_watch(cell_child *child, snapcell_error *err)
{
    pthread_t thread;
    int problem = pthread_create(&thread, NULL, child_watch_host, &child->fd);
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_INTERNAL, problem,
                               "cannot start a thread in the worker");
    pthread_detach(thread);
    return SNAPCELL_OK;
}

/* --- Loading --- */

static void child_trust_cleanup(snapcell_trust **trust)
{
    snapcell_trust_free(*trust);
}

static int child_make_trust(const cell_load *load, snapcell_trust **out, snapcell_error *err)
{
    int status = snapcell_trust_new(out, err);
    for (uint32_t i = 0; i < load->key_count && status == SNAPCELL_OK; i++) {
        const cell_trust_key *key = &load->keys[i];
        status = snapcell_trust_add_key(*out, key->public_key, key->comment, err);
        if (status == SNAPCELL_OK && key->revoked)
            status = snapcell_trust_revoke(*out, key->public_key, err);
    }
    return status;
}

static int child_open_loader(cell_child *child, snapcell_error *err)
{
    cleanup(child_trust_cleanup) snapcell_trust *trust = NULL;
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    int status = SNAPCELL_OK;
    if (child->load->has_trust) status = child_make_trust(child->load, &trust, err);
    if (status != SNAPCELL_OK) return status;
    options.store_path = child->load->store_path;
    options.log = child->load->logs ? child_log : NULL;
    options.log_user = &child->fd;
    options.trust = trust;
    options.overrun = child_overrun;
    return snapcell_loader_open(&options, &child->loader, err);
}

static int child_enter_sandbox(const cell_load *load, snapcell_error *err)
{
    static const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (load->no_sandbox) return SNAPCELL_OK;
    snapcell_sandbox_options options = SNAPCELL_SANDBOX_OPTIONS_INIT;
    options.data_limit_bytes = load->data_limit_bytes;
    return snapcell_sandbox_enter(&options, err);
}

static int child_load_cell(cell_child *child, snapcell_error *err)
{
    if (child->cell != NULL) return SNAPCELL_OK;
    const cell_load *load = child->load;
    return snapcell_cell_load(child->loader, load->ref, &load->options, &child->cell, err);
}

static int child_prepare(cell_child *child, snapcell_error *err)
{
    const cell_load *load = child->load;
    int status = child_open_loader(child, err);
    if (status == SNAPCELL_OK)
        status = snapcell_loader_seal(child->loader, load->ref, &load->options, err);
    if (status == SNAPCELL_OK) status = child_start_watch(child, err);
    if (status == SNAPCELL_OK) status = child_enter_sandbox(load, err);
    if (status == SNAPCELL_OK) status = child_load_cell(child, err);
    return status;
}

/* --- Calls --- */

static int child_fetch(cell_child *child, const cell_call *call, wire_writer *answer,
                       snapcell_error *err)
{
    snapcell_response *response = NULL;
    int status = snapcell_cell_fetch(child->cell, &call->request, &response, err);
    if (status == SNAPCELL_OK) cell_response_write(answer, response);
    snapcell_response_free(response);
    return status;
}

static int child_invoke(cell_child *child, const cell_call *call, wire_writer *answer,
                        snapcell_error *err)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    int status =
        call->kind == CELL_CALL_INVOKE
            ? snapcell_cell_invoke(child->cell, call->event_json, &text, &size, err)
            : snapcell_cell_call(child->cell, call->handler, call->event_json, &text, &size, err);
    if (status == SNAPCELL_OK) cell_result_write(answer, text, size);
    return status;
}

/* A kept cell lives until a limit has condemned it; other errors leave it as it is. */
static bool child_cell_lives(int status)
{
    return status == SNAPCELL_OK || status == SNAPCELL_E_SCRIPT || status == SNAPCELL_E_USAGE ||
           status == SNAPCELL_E_WRONG_SHAPE || status == SNAPCELL_E_NO_HANDLER;
}

static void child_drop_cell(cell_child *child)
{
    snapcell_cell_dispose(child->cell);
    child->cell = NULL;
}

/* Answers one call; the cell is disposed of, and the next one made, after the answer is out. False:
 * the host is gone. */
static bool child_answer(cell_child *child, const cell_call *call)
{
    snapcell_error error = {0};
    cleanup_writer wire_writer answer = {0};
    bool fetches = call->kind == CELL_CALL_FETCH;
    int status = child_load_cell(child, &error);
    if (status == SNAPCELL_OK)
        status = fetches ? child_fetch(child, call, &answer, &error)
                         : child_invoke(child, call, &answer, &error);
    cell_message_type type = fetches ? CELL_MESSAGE_RESPONSE : CELL_MESSAGE_RESULT;
    bool sent = status == SNAPCELL_OK ? child_send_answer(child->fd, type, &answer)
                                      : child_send_error(child->fd, &error);
    if (!child->load->keep_cell || !child_cell_lives(status)) child_drop_cell(child);
    if (sent && child->loads_ahead) child_load_cell(child, NULL); /* tried again when needed */
    return sent;
}

static bool child_serve_call(cell_child *child)
{
    wire_header header;
    cleanup_free void *body = NULL;
    cell_call call;
    if (!child_side_receive(child->fd, &header, &body, cell_body_size_max) ||
        header.type != CELL_MESSAGE_CALL || !cell_call_read(body, header.body_size_bytes, &call))
        return false;
    bool sent = child_answer(child, &call);
    cell_call_release(&call);
    return sent;
}

static int child_serve(cell_child *child)
{
    snapcell_error error = {0};
    if (child_prepare(child, &error) != SNAPCELL_OK) {
        child_send_error(child->fd, &error);
        return 1;
    }
    child->loads_ahead = snapcell_cell_info(child->cell)->kind == SNAPCELL_ARTIFACT_SNAPSHOT;
    if (!child_send_ready(child->fd, child->cell)) return 1;
    while (child_serve_call(child))
        continue;
    return 0;
}

int snapcell_cell_worker(int socket_fd)
{
    wire_header header;
    cleanup_free void *body = NULL;
    cell_load load;
    if (!child_send_hello(socket_fd) ||
        !child_side_receive(socket_fd, &header, &body, cell_body_size_max) ||
        header.type != CELL_MESSAGE_LOAD || !cell_load_read(body, header.body_size_bytes, &load))
        return 1;
    cell_child child = {.fd = socket_fd, .load = &load};
    int status = child_serve(&child);
    cell_load_release(&load);
    return status;
}
