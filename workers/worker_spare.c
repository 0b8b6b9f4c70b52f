/* A process that waits for a function to load. To start the program takes longer than what comes
 * after it. */
#include <poll.h>
#include <pthread.h>

#include "worker_state.h"

/* It says HELLO, and nothing more; what closed its end is dead. */
static bool spare_lives(const child_process *process)
{
    struct pollfd polled = {.fd = process->socket_fd, .events = POLLIN | POLLRDHUP};
    return poll(&polled, 1, 0) <= 0 || (polled.revents & (POLLHUP | POLLRDHUP | POLLERR)) == 0;
}

bool worker_spare_restores(const snapcell_workers *workers)
{
    return workers->options.policy == SNAPCELL_WORKERS_RESTORE && !workers->options.prepare_soon;
}

bool worker_spare_take(snapcell_workers *workers, cell_policy policy, child_process *out)
{
    worker_spare *spare = &workers->spare;
    if ((policy == CELL_POLICY_RESTORE) != worker_spare_restores(workers)) return false;
    pthread_mutex_lock(&spare->lock);
    bool is_there = spare->is_there && child_process_is_ours(&spare->process);
    if (is_there) {
        *out = spare->process;
        spare->is_there = false;
    }
    pthread_mutex_unlock(&spare->lock);
    if (!is_there || spare_lives(out)) return is_there;
    child_process_end(out);
    return false;
}

void worker_spare_end(snapcell_workers *workers)
{
    worker_spare *spare = &workers->spare;
    if (spare->is_there) child_process_end(&spare->process);
    spare->is_there = false;
}

bool worker_spare_is_there(snapcell_workers *workers)
{
    worker_spare *spare = &workers->spare;
    pthread_mutex_lock(&spare->lock);
    bool is_there = spare->is_there;
    pthread_mutex_unlock(&spare->lock);
    return is_there;
}

void worker_spare_put(snapcell_workers *workers, child_process *process)
{
    worker_spare *spare = &workers->spare;
    pthread_mutex_lock(&spare->lock);
    bool is_kept = !spare->is_there;
    if (is_kept) {
        spare->process = *process;
        spare->is_there = true;
    }
    pthread_mutex_unlock(&spare->lock);
    if (!is_kept) child_process_end(process); /* another thread was faster */
}
