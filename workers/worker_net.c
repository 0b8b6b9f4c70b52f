/* The network of a worker: a process snapcell-net that serves it alone, by a socket that the worker
 * was given. Started when its function first fetches. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error_set.h"
#include "process_spawn.h"
#include "public_struct.h"
#include "worker_state.h"

/* --- What it may reach --- */

static bool net_copy_hosts(const snapcell_net_options *given, snapcell_net_options *out)
{
    char **allow = calloc(given->allow_count + 1, sizeof(*allow));
    out->allow = (const char *const *)allow;
    out->allow_count = 0;
    if (allow == NULL) return false;
    for (size_t i = 0; i < given->allow_count; i++) {
        allow[i] = strdup(given->allow[i]);
        if (allow[i] == NULL) return false;
        out->allow_count++;
    }
    return true;
}

static int net_check(const snapcell_net_options *given, snapcell_error *err)
{
    if (given->allow_count > 0 && given->allow == NULL)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_net_options.allow is NULL, but allow_count is %zu",
                         given->allow_count);
    int status = SNAPCELL_OK;
    for (size_t i = 0; i < given->allow_count && status == SNAPCELL_OK; i++)
        status = given->allow[i] != NULL
                     ? snapcell_net_check_host(given->allow[i], err)
                     : error_set(err, SNAPCELL_E_USAGE, "host %zu of allow is NULL", i);
    return status;
}

int worker_net_set(snapcell_worker *worker, const snapcell_net_options *options,
                   snapcell_error *err)
{
    snapcell_net_options given;
    worker_net *net = &worker->net;
    if (options == NULL) return SNAPCELL_OK;
    int status = public_struct_read(&given, sizeof(given), options, "snapcell_net_options", err);
    if (status == SNAPCELL_OK) status = net_check(&given, err);
    if (status != SNAPCELL_OK) return status;
    net->options = given;
    net->options.program_path = NULL;
    bool copied = net_copy_hosts(&given, &net->options);
    if (copied && given.program_path != NULL) {
        net->options.program_path = strdup(given.program_path);
        copied = net->options.program_path != NULL;
    }
    net->is_wanted = true;
    return copied ? SNAPCELL_OK : error_set(err, SNAPCELL_E_NOMEM, "no memory for a worker");
}

void worker_net_release(snapcell_worker *worker)
{
    worker_net *net = &worker->net;
    for (size_t i = 0; i < net->options.allow_count; i++)
        free((char *)net->options.allow[i]);
    free((void *)net->options.allow);
    free((char *)net->options.program_path);
    net->options = (snapcell_net_options){0};
}

/* --- Its process --- */

int worker_net_open(snapcell_worker *worker, int *its_fd, snapcell_error *err)
{
    int ends[2];
    *its_fd = -1;
    if (!worker->net.is_wanted) return SNAPCELL_OK;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, SNAPCELL_E_IO, errno, "%s: cannot open a socket",
                               worker->title);
    worker->net.fd = ends[0];
    *its_fd = ends[1];
    return SNAPCELL_OK;
}

void worker_net_close(snapcell_worker *worker)
{
    worker_net *net = &worker->net;
    if (net->fd >= 0) close(net->fd);
    net->fd = -1;
    if (net->exit_fd >= 0 && child_process_is_ours(&worker->process))
        epoll_ctl(worker->poll_fd, EPOLL_CTL_DEL, net->exit_fd, NULL);
    if (net->exit_fd >= 0) close(net->exit_fd);
    net->exit_fd = -1;
    if (net->pid > 0 && child_process_is_ours(&worker->process)) {
        kill(net->pid, SIGKILL); /* nobody is served by it */
        if (worker->is_async)
            workers_bury(worker->workers, net->pid);
        else
            process_wait(net->pid);
    }
    net->pid = 0;
}

/* The function's fetches fail when there is none. */
static void net_tell(const snapcell_worker *worker, const char *message)
{
    const snapcell_workers_options *options = &worker->workers->options;
    if (options->log != NULL)
        options->log(options->log_user, SNAPCELL_LOG_ERROR, worker->title, message,
                     strlen(message));
}

/* Told of once: a call that is under way goes on. */
static void net_watch(snapcell_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
    int fd = pidfd_open(worker->net.pid, 0);
    worker->net.exit_fd = fd;
    if (fd < 0 || epoll_ctl(worker->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0) return;
    close(fd);
    worker->net.exit_fd = -1;
}

bool worker_net_is_lost(const snapcell_worker *worker)
{
    struct pollfd polled = {.fd = worker->net.exit_fd, .events = POLLIN};
    return polled.fd >= 0 && poll(&polled, 1, 0) > 0;
}

child_outcome worker_net_start(snapcell_worker *worker)
{
    worker_net *net = &worker->net;
    snapcell_error error;
    if (net->fd < 0) return CHILD_NONSENSE; /* none was given, or it asked before */
    if (snapcell_net_serve(&net->options, net->fd, &net->pid, &error) != SNAPCELL_OK) {
        net->pid = 0;
        net_tell(worker, error.message);
    } else {
        net_watch(worker);
    }
    close(net->fd);
    net->fd = -1;
    return CHILD_OK;
}
