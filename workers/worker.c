/* Workers: made, and released. */
#include "snapcell/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "error_set.h"
#include "public_struct.h"
#include "worker_state.h"

static void worker_cleanup(snapcell_worker **worker)
{
    snapcell_worker_free(*worker);
}

static int worker_open_poll(snapcell_worker *worker, snapcell_error *err)
{
    worker->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (worker->poll_fd >= 0) return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_IO, errno, "%s: cannot open a descriptor for a worker",
                           worker->title);
}

/* One without a process. `*out`: Owned, also on failure. */
static int worker_new(snapcell_workers *workers, const char *ref, const char *title,
                      snapcell_worker **out, snapcell_error *err)
{
    snapcell_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
    *out = worker;
    pthread_mutex_init(&worker->lock, NULL); /* cannot fail */
    worker->workers = workers;
    worker->wanted = (cell_policy)workers->options.policy;
    worker->poll_fd = worker->exit_fd = worker->net.fd = worker->net.exit_fd = -1;
    worker->deadline_ns = UINT64_MAX;
    worker_link_open(&worker->link, -1);
    worker->ref = strdup(ref);
    worker->title = strdup(title);
    if (worker->ref == NULL || worker->title == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
    return worker_open_poll(worker, err);
}

static int worker_make(snapcell_workers *workers, const char *ref,
                       const snapcell_worker_options *options, snapcell_worker **out,
                       snapcell_error *err)
{
    snapcell_cell_options cell;
    int status =
        public_struct_read(&cell, sizeof(cell), options->cell, "snapcell_cell_options", err);
    if (status == SNAPCELL_OK && ref == NULL)
        status = error_set(err, SNAPCELL_E_USAGE, "a function's name or key is needed, got NULL");
    if (status == SNAPCELL_OK) status = worker_check_options(&cell, err);
    if (status == SNAPCELL_OK)
        status =
            worker_new(workers, ref, cell.signed_name != NULL ? cell.signed_name : ref, out, err);
    if (status != SNAPCELL_OK) return status;
    (*out)->is_soon = options->soon;
    (*out)->is_counted = !options->after_soon;
    (*out)->prelude_only = options->prelude_only;
    if (options->prelude_only) (*out)->wanted = CELL_POLICY_RELOAD;
    (*out)->logs = workers->options.log != NULL || options->logs;
    worker_set_limits(*out, &cell);
    status = worker_net_set(*out, options->net, err);
    if (status == SNAPCELL_OK) status = worker_write_load(*out, &cell, err);
    return status == SNAPCELL_OK ? worker_begin_start(*out, err) : status;
}

int snapcell_worker_start(snapcell_workers *workers, const char *ref,
                          const snapcell_worker_options *options, snapcell_worker **out,
                          snapcell_error *err)
{
    *out = NULL;
    snapcell_worker_options given;
    int status = public_struct_read(&given, sizeof(given), options, "snapcell_worker_options", err);
    if (status != SNAPCELL_OK) return status;
    snapcell_worker *worker cleanup(worker_cleanup) = NULL;
    status = worker_make(workers, ref, &given, &worker, err);
    if (status != SNAPCELL_OK) return status;
    worker->is_async = true;
    *out = steal_pointer(&worker);
    return SNAPCELL_OK;
}

int snapcell_worker_load(snapcell_workers *workers, const char *ref,
                         const snapcell_cell_options *options, snapcell_worker **out,
                         snapcell_error *err)
{
    *out = NULL;
    snapcell_worker *worker cleanup(worker_cleanup) = NULL;
    int status =
        worker_make(workers, ref, &(snapcell_worker_options){.cell = options}, &worker, err);
    if (status == SNAPCELL_OK) status = worker_become_ready(worker, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&worker);
    return status;
}

/* The environment of a function may hold secrets. */
void snapcell_worker_free(snapcell_worker *worker)
{
    if (worker == NULL) return;
    worker_stop(worker);
    worker_release_exchange(worker);
    worker_net_release(worker);
    if (worker->poll_fd >= 0) close(worker->poll_fd);
    if (worker->load.size_bytes > 0) explicit_bzero(worker->load.data, worker->load.size_bytes);
    wire_writer_release(&worker->load);
    wire_writer_release(&worker->image_load);
    pthread_mutex_destroy(&worker->lock);
    free(worker->ref);
    free(worker->title);
    free(worker);
}

snapcell_handler_shape snapcell_worker_shape(const snapcell_worker *worker)
{
    return worker->shape;
}

snapcell_worker_origin snapcell_worker_get_origin(const snapcell_worker *worker)
{
    return worker->origin;
}

int snapcell_worker_process_id(const snapcell_worker *worker)
{
    return worker->running ? worker->process.pid : 0;
}

void snapcell_worker_cancel(snapcell_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->calling && worker->running && !worker->cancelled) {
        worker->cancelled = true;
        const child_process *process = &worker->process;
        uint64_t call = worker->call_number;
        bool told =
            worker->policy == CELL_POLICY_RESTORE &&
            send(process->control_fd, &call, sizeof(call), MSG_NOSIGNAL) == (ssize_t)sizeof(call);
        if (!told && process->pid > 0) kill(process->pid, SIGKILL);
    }
    pthread_mutex_unlock(&worker->lock);
}
