/* Keeps SIGXFSZ, which a write beyond the limit for files raises, from ending the embedder. */
#include <errno.h>
#include <time.h>

#include "store_internal.h"

void store_signal_guard_begin(store_signal_guard *guard)
{
    sigset_t set;
    sigset_t pending;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    sigpending(&pending);
    guard->was_pending = sigismember(&pending, SIGXFSZ) == 1;
    pthread_sigmask(SIG_BLOCK, &set, &guard->old_mask);
}

void store_signal_guard_end(store_signal_guard *guard)
{
    const int old_errno = errno;
    const struct timespec no_time = {0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    while (!guard->was_pending && sigtimedwait(&set, NULL, &no_time) > 0) {}
    pthread_sigmask(SIG_SETMASK, &guard->old_mask, NULL);
    errno = old_errno;
}
