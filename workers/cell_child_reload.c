/* Serving calls with a fresh cell each, or with one that is kept. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <string.h>

#include "cell_child.h"
#include "cell_restore.h"
#include "child_side.h"
#include "cleanup.h"
#include "error_set.h"

/* --- Ends --- */

/* The host reads from the signal which limit it was. Called on a thread that blocks all signals. */
static void reload_overrun(void *user, int code)
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
static void *reload_watch_host(void *user)
{
    struct pollfd polled = {.fd = *(const int *)user, .events = POLLRDHUP};
    for (;;) {
        int count = poll(&polled, 1, -1);
        if (count > 0 || (count < 0 && errno != EINTR)) raise(SIGKILL);
    }
    return NULL;
}

static int reload_start_watch(cell_child *child, snapcell_error *err)
{
    pthread_t thread;
    int problem = pthread_create(&thread, NULL, reload_watch_host, &child->fd);
    if (problem != 0)
        return error_set_errno(err, SNAPCELL_E_INTERNAL, problem,
                               "cannot start a thread in the worker");
    pthread_detach(thread);
    return SNAPCELL_OK;
}

/* --- Loading --- */

static int reload_cell(cell_child *child, snapcell_error *err)
{
    if (child->cell != NULL) return SNAPCELL_OK;
    const cell_load *load = child->load;
    if (load->prelude_only)
        return cell_load_prelude(child->loader, load->ref, &load->options, &child->cell, err);
    return snapcell_cell_load(child->loader, load->ref, &load->options, &child->cell, err);
}

static int reload_prepare(cell_child *child, snapcell_error *err)
{
    const cell_load *load = child->load;
    int status = cell_child_open_loader(child, NULL, NULL, reload_overrun, err);
    if (status == SNAPCELL_OK)
        status = snapcell_loader_seal(child->loader, load->ref, &load->options, err);
    if (status == SNAPCELL_OK) status = reload_start_watch(child, err);
    if (status == SNAPCELL_OK) status = cell_child_enter_sandbox(load, NULL, 0, err);
    if (status == SNAPCELL_OK) status = reload_cell(child, err);
    return status;
}

static bool reload_send_ready(cell_child *child)
{
    const snapcell_artifact_info *info = snapcell_cell_info(child->cell);
    const cell_ready ready = {.shape = info->shape,
                              .policy = child->load->policy,
                              .has_prelude = info->prelude_length > 0};
    return cell_child_send_ready(child, &ready);
}

/* Whatever goes wrong is told by the process that the host starts then. */
static bool reload_take_artifact(cell_child *child, cell_load *load, const void *body,
                                 size_t size_bytes)
{
    cell_go_on_order order;
    if (!cell_go_on_read(body, size_bytes, &order) ||
        cell_go_on(child->cell, order.ref, &load->options, order.artifact,
                   order.artifact_size_bytes, NULL) != SNAPCELL_OK)
        return false;
    load->ref = strdup(order.ref);
    return load->ref != NULL;
}

static int reload_go_on_with_text(cell_child *child, const cell_text_order *order,
                                  const uint8_t *prelude_hash, snapcell_error *err)
{
    if (memcmp(order->prelude_sha256, prelude_hash, IMAGE_HASH_SIZE) != 0)
        return error_set(err, SNAPCELL_E_USAGE, "the text is for another prelude, or encoding");
    const image_rest rest = {
        .encoding = order->is_utf16 ? ARTIFACT_TEXT_UTF16LE : ARTIFACT_TEXT_LATIN1,
        .text = order->text,
        .text_size_bytes = order->text_size_bytes,
        .source_map = order->source_map,
        .source_map_size_bytes = order->source_map_size_bytes,
    };
    return cell_go_on_with_text(child->cell, &rest, err);
}

/* There is nothing that another process could load: what goes wrong is told here. */
static bool reload_take_text(cell_child *child, const void *body, size_t size_bytes,
                             const uint8_t *prelude_hash)
{
    snapcell_error error = {0};
    cell_text_order order;
    if (!cell_text_order_read(body, size_bytes, &order)) return false;
    if (reload_go_on_with_text(child, &order, prelude_hash, &error) == SNAPCELL_OK) return true;
    cell_child_send_error(child, &error);
    return false;
}

/* Waits for what to go on with. It is loaded for later calls, too: `load` is changed to it. */
static bool reload_go_on(cell_child *child, cell_load *load)
{
    cleanup_free void *body = NULL;
    wire_header header;
    uint8_t prelude_hash[IMAGE_HASH_SIZE]; /* before anybody waits */
    if (cell_hash_prelude(child->cell, prelude_hash, NULL) != SNAPCELL_OK ||
        !reload_send_ready(child) ||
        !child_side_receive(child->fd, &header, &body, cell_body_size_max))
        return false;
    load->prelude_only = false;
    if (header.type == CELL_MESSAGE_GO_ON_TEXT)
        return reload_take_text(child, body, header.body_size_bytes, prelude_hash);
    return header.type == CELL_MESSAGE_GO_ON &&
           reload_take_artifact(child, load, body, header.body_size_bytes);
}

/* --- Calls --- */

/* A kept cell lives until a limit has condemned it; other errors leave it as it is. */
static bool reload_cell_lives(int status)
{
    return status == SNAPCELL_OK || status == SNAPCELL_E_SCRIPT || status == SNAPCELL_E_USAGE ||
           status == SNAPCELL_E_WRONG_SHAPE || status == SNAPCELL_E_NO_HANDLER;
}

static void reload_drop_cell(cell_child *child)
{
    snapcell_cell_dispose(child->cell);
    child->cell = NULL;
}

/* Answers one call; the cell is disposed of, and the next one made, after the answer is out. A
 * `code` artifact is evaluated when it is called for. False: the host is gone. */
static bool reload_answer(cell_child *child, const cell_call *call, bool loads_ahead)
{
    snapcell_error error = {0};
    bool sent;
    int status = reload_cell(child, &error);
    if (status == SNAPCELL_OK)
        status = cell_child_answer(child, call, &sent);
    else
        sent = cell_child_send_error(child, &error);
    if (child->load->policy != CELL_POLICY_KEEP || !reload_cell_lives(status))
        reload_drop_cell(child);
    if (sent && loads_ahead) reload_cell(child, NULL); /* tried again when needed */
    if (!child->is_trimmed) snapcell_loader_trim(child->loader);
    child->is_trimmed = true;
    return sent;
}

static bool reload_serve_call(cell_child *child, bool loads_ahead)
{
    cell_inbox_message message;
    cell_call call;
    if (!cell_inbox_receive_call(child->inbox, &message) ||
        !cell_call_read(message.body, message.body_size_bytes, &call))
        return false;
    cell_outbox_begin(child->outbox, call.number);
    bool sent = reload_answer(child, &call, loads_ahead);
    cell_call_release(&call);
    cell_outbox_begin(child->outbox, 0);
    outer_buffer_wipe(child->body);
    /* A cell that is kept may have fetches that go on. */
    if (child->load->policy != CELL_POLICY_KEEP) cell_net_forget(child->net);
    cell_inbox_forget(child->inbox);
    return sent;
}

int cell_child_reload(cell_child *child)
{
    snapcell_error error = {0};
    cell_boxes *boxes = outer_alloc(sizeof(*boxes));
    cell_load *load = outer_alloc(sizeof(*load));
    if (boxes == NULL || load == NULL || !cell_child_open_boxes(child, boxes, NULL)) return 1;
    *load = *child->load;
    child->load = load;
    if (load->prelude_only) loader_rehearse();
    if (reload_prepare(child, &error) != SNAPCELL_OK) {
        cell_child_send_error(child, &error);
        return 1;
    }
    if (load->prelude_only && !reload_go_on(child, load)) return 1;
    const snapcell_artifact_info *info = snapcell_cell_info(child->cell);
    bool loads_ahead = info->kind == SNAPCELL_ARTIFACT_SNAPSHOT;
    if (!reload_send_ready(child)) return 1;
    while (reload_serve_call(child, loads_ahead))
        continue;
    return 0;
}
