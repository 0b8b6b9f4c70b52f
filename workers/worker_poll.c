/* What a worker waits for, as one descriptor. */
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "monotonic.h"
#include "worker_state.h"

#define DYING_POLL_MS 2

bool worker_is_connected(const snapcell_worker *worker)
{
    return worker->stage == WORKER_STAGE_HELLO || worker->stage == WORKER_STAGE_LOADING ||
           worker->stage == WORKER_STAGE_WAITING || worker->stage == WORKER_STAGE_SERVING;
}

bool worker_watch(snapcell_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};
    worker->polls_room = false;
    return epoll_ctl(worker->poll_fd, EPOLL_CTL_ADD, worker->process.socket_fd, &event) == 0;
}

void worker_push(snapcell_worker *worker)
{
    if (!worker_is_connected(worker)) return;
    worker_link_flush(&worker->link); /* that it is gone shows when something is received */
    bool is_sending = worker_link_is_sending(&worker->link);
    if (is_sending == worker->polls_room) return;
    struct epoll_event event = {.events = is_sending ? EPOLLIN | EPOLLOUT : EPOLLIN};
    if (epoll_ctl(worker->poll_fd, EPOLL_CTL_MOD, worker->process.socket_fd, &event) == 0)
        worker->polls_room = is_sending;
}

void worker_watch_death(snapcell_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(worker->poll_fd, EPOLL_CTL_DEL, worker->process.socket_fd, NULL);
    worker->exit_fd = pidfd_open(worker->process.pid, 0);
    if (worker->exit_fd < 0) return;
    if (epoll_ctl(worker->poll_fd, EPOLL_CTL_ADD, worker->exit_fd, &event) == 0) return;
    close(worker->exit_fd);
    worker->exit_fd = -1;
}

/* A process that was forked from the host shares the descriptors with it. */
void worker_unwatch(snapcell_worker *worker)
{
    if (child_process_is_ours(&worker->process))
        epoll_ctl(worker->poll_fd, EPOLL_CTL_DEL, worker->process.socket_fd, NULL);
    if (worker->exit_fd >= 0) close(worker->exit_fd);
    worker->exit_fd = -1;
}

void worker_wait(const snapcell_worker *worker, int limit_ms)
{
    struct pollfd polled = {.fd = worker->poll_fd, .events = POLLIN};
    int timeout_ms = snapcell_worker_timeout_ms(worker);
    if (limit_ms >= 0 && (timeout_ms < 0 || limit_ms < timeout_ms)) timeout_ms = limit_ms;
    poll(&polled, 1, timeout_ms);
}

snapcell_worker_state worker_state(const snapcell_worker *worker)
{
    if (worker->exchange.is_active) return SNAPCELL_WORKER_CALLING;
    switch (worker->stage) {
    case WORKER_STAGE_HELLO:
    case WORKER_STAGE_LOADING:
    case WORKER_STAGE_WAITING:
    case WORKER_STAGE_DYING:
        return SNAPCELL_WORKER_STARTING;
    case WORKER_STAGE_SERVING:
        return SNAPCELL_WORKER_READY;
    case WORKER_STAGE_NONE:
    case WORKER_STAGE_ENDED:
        break;
    }
    return SNAPCELL_WORKER_ENDED;
}

int snapcell_worker_fd(const snapcell_worker *worker)
{
    return worker->poll_fd;
}

int snapcell_worker_timeout_ms(const snapcell_worker *worker)
{
    if (worker->stage == WORKER_STAGE_DYING && worker->exit_fd < 0) return DYING_POLL_MS;
    if (worker->deadline_ns == UINT64_MAX) return -1;
    uint64_t now_ns = monotonic_now_ns();
    if (now_ns >= worker->deadline_ns) return 0;
    uint64_t left_ms = (worker->deadline_ns - now_ns) / NS_PER_MS + 1;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}
