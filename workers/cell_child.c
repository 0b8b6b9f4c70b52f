/* What all ways of serving share: messages, the loader, the sandbox. */
#include "cell_child.h"

#include <sys/resource.h>

#include "cell_restore.h"
#include "child_side.h"
#include "cleanup.h"
#include "error_set.h"
#include "sandbox_restoring.h"
#include "snapcell/worker.h"

/* --- Messages --- */

static void child_log(void *user, snapcell_log_level level, const char *function_name,
                      const char *text, size_t text_size_bytes)
{
    (void)function_name;
    cell_child *child = user;
    if (child->is_quiet) return;
    size_t size = text_size_bytes;
    if (size > CELL_LOG_SIZE_MAX) {
        size = CELL_LOG_SIZE_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    cleanup_writer wire_writer writer = {0};
    wire_log_write(&writer, &(wire_log){level, text, size});
    cell_child_send(child, CELL_MESSAGE_LOG, &writer);
}

/* --- Loads --- */

static void *child_outer_calloc(size_t count, size_t size_bytes)
{
    size_t whole;
    return __builtin_mul_overflow(count, size_bytes, &whole) ? NULL : outer_alloc(whole);
}

/* Not restored with the rest of the memory: it holds what the host says about each call. */
bool cell_child_receive_load(int fd, outer_buffer *body, cell_load *out, int *net_fd)
{
    wire_header header;
    if (!child_side_receive_header_file(fd, &header, cell_body_size_max, net_fd) ||
        header.type != CELL_MESSAGE_LOAD || !outer_buffer_init(body, header.body_size_bytes))
        return false;
    return child_side_receive_body(fd, &header, body->data) &&
           cell_load_read(body->data, header.body_size_bytes, child_outer_calloc, out);
}

/* --- Steps --- */

bool cell_child_open_boxes(cell_child *child, cell_boxes *boxes, cell_cut *cut)
{
    child->inbox = &boxes->inbox;
    child->outbox = &boxes->outbox;
    child->body = &boxes->body;
    child->net = &boxes->net;
    return cell_inbox_init(child->inbox, child->fd, cut, child->load->call_size_max) &&
           cell_outbox_init(child->outbox, child->fd, cut) &&
           outer_buffer_init(child->body, CELL_WINDOW_SIZE) &&
           cell_net_init(child->net, child->net_fd, cut, child->outbox, &child->is_quiet);
}

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

int cell_child_open_loader(cell_child *child, engine_exhausted_fn *exhausted, void *user,
                           snapcell_overrun_fn *overrun, snapcell_error *err)
{
    cleanup(child_trust_cleanup) snapcell_trust *trust = NULL;
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    int status = cell_child_make_host(child, &options.host, err);
    if (status == SNAPCELL_OK && child->load->has_trust)
        status = child_make_trust(child->load, &trust, err);
    if (status != SNAPCELL_OK) return status;
    options.store_path = child->load->store_path;
    options.log = child->load->logs ? child_log : NULL;
    options.log_user = child;
    options.trust = trust;
    const snapcell_fetch_client client = cell_net_client(child->net);
    if (child->load->has_net) options.fetch_client = &client;
    options.overrun = overrun;
    return loader_open_restoring(&options, exhausted, user, &child->loader, err);
}

int cell_child_enter_sandbox(const cell_load *load, const int *files, size_t file_count,
                             snapcell_error *err)
{
    static const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (load->no_sandbox) return SNAPCELL_OK;
    snapcell_sandbox_options options = SNAPCELL_SANDBOX_OPTIONS_INIT;
    options.data_limit_bytes = load->data_limit_bytes;
    return files != NULL ? sandbox_enter_restoring(&options, files, file_count, err)
                         : snapcell_sandbox_enter(&options, err);
}
