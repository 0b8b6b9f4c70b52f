/* The gate of an environment: operations and views are inside; a thread that must close LMDB keeps
 * all others out. Views need not get out where data.mdb was superseded: they have a map of their
 * own. */
#include <errno.h>
#include <unistd.h>

#include "error_set.h"
#include "monotonic.h"
#include "store_internal.h"

static int store_gate_check_process(const store_environment *environment, snapcell_error *err)
{
    pid_t pid = getpid();
    if (pid == environment->pid) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_USAGE,
                     "the store %s was opened by process %ld and cannot be used in process %ld: "
                     "open it again after fork()",
                     environment->path, (long)environment->pid, (long)pid);
}

/* An earlier attempt to open LMDB again failed: once more, now that somebody needs it. */
static int store_gate_reconnect(store_environment *environment, snapcell_error *err)
{
    environment->exclusive = true;
    pthread_mutex_unlock(&environment->mutex);
    int status = store_environment_connect(environment, environment->writable,
                                           environment->map_size_bytes, err);
    pthread_mutex_lock(&environment->mutex);
    environment->exclusive = false;
    pthread_cond_broadcast(&environment->changed);
    return status;
}

int store_gate_enter(store_environment *environment, snapcell_error *err)
{
    int status = store_gate_check_process(environment, err);
    if (status != SNAPCELL_OK) return status;
    pthread_mutex_lock(&environment->mutex);
    while (environment->exclusive || environment->waiting > 0) {
        pthread_cond_wait(&environment->changed, &environment->mutex);
    }
    if (environment->env == NULL) status = store_gate_reconnect(environment, err);
    if (status == SNAPCELL_OK) environment->active++;
    pthread_mutex_unlock(&environment->mutex);
    return status;
}

void store_gate_leave(store_environment *environment)
{
    pthread_mutex_lock(&environment->mutex);
    environment->active--;
    if (environment->active == 0) pthread_cond_broadcast(&environment->changed);
    pthread_mutex_unlock(&environment->mutex);
}

void store_gate_list(store_environment *environment, bool begin)
{
    pthread_mutex_lock(&environment->mutex);
    environment->listings += begin ? 1 : -1U;
    pthread_cond_broadcast(&environment->changed);
    pthread_mutex_unlock(&environment->mutex);
}

static bool store_gate_is_busy(const store_environment *environment, store_gate_wait wait)
{
    return environment->active > 0 || environment->exclusive ||
           (wait == STORE_GATE_ALL && environment->attached > 0);
}

int store_gate_close(store_environment *environment, store_gate_wait wait, snapcell_error *err)
{
    int status = store_gate_check_process(environment, err);
    if (status != SNAPCELL_OK) return status;
    const struct timespec deadline =
        monotonic_moment(monotonic_now_ns() + (uint64_t)STORE_GATE_WAIT_MS * NS_PER_MS);
    int waited = 0;
    pthread_mutex_lock(&environment->mutex);
    environment->waiting++;
    while (store_gate_is_busy(environment, wait) && waited != ETIMEDOUT) {
        if (wait == STORE_GATE_SHORT && environment->listings > 0) break;
        waited = pthread_cond_timedwait(&environment->changed, &environment->mutex, &deadline);
    }
    environment->waiting--;
    if (store_gate_is_busy(environment, wait)) {
        status = error_set(err, SNAPCELL_E_BUSY,
                           "the store %s must be mapped again, but %u views or operations of this "
                           "process are open: close them and try again",
                           environment->path, environment->active + environment->attached);
        pthread_cond_broadcast(&environment->changed);
    } else {
        environment->exclusive = true;
    }
    pthread_mutex_unlock(&environment->mutex);
    return status;
}

void store_gate_open(store_environment *environment)
{
    pthread_mutex_lock(&environment->mutex);
    environment->exclusive = false;
    pthread_cond_broadcast(&environment->changed);
    pthread_mutex_unlock(&environment->mutex);
}
