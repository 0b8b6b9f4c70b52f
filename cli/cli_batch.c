/* Several jobs at once, reported in order. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "cli.h"

#define BATCH_JOBS_MAX 256

typedef struct batch_state {
    const cli_batch *batch;
    pthread_mutex_t lock;
    size_t next;    /* to be begun */
    size_t done;    /* how many are */
    size_t printed; /* how many have been reported */
    bool *finished; /* by index */
    bool progress;
} batch_state;

size_t cli_cpu_count(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return 1;
    int count = CPU_COUNT(&cpus);
    return count < 1 ? 1 : count > BATCH_JOBS_MAX ? BATCH_JOBS_MAX : (size_t)count;
}

static void batch_progress(const batch_state *state, const char *label)
{
    if (!state->progress) return;
    if (label)
        cli_say("\r\033[K[%zu/%zu] %.60s", state->done, state->batch->count, label);
    else
        cli_say("\r\033[K");
}

/* Tells of everything that is finished and whose turn it is. */
static void batch_print(batch_state *state)
{
    const cli_batch *batch = state->batch;
    batch_progress(state, NULL);
    for (; state->printed < batch->count && state->finished[state->printed]; state->printed++)
        batch->print(batch->user, state->printed);
    cli_flush(); /* a pipeline reads each line as it comes */
}

static void *batch_thread(void *user)
{
    batch_state *state = user;
    const cli_batch *batch = state->batch;
    pthread_mutex_lock(&state->lock);
    while (state->next < batch->count) {
        size_t index = state->next++;
        batch_progress(state, batch->label(batch->user, index));
        pthread_mutex_unlock(&state->lock);
        batch->work(batch->user, index);
        pthread_mutex_lock(&state->lock);
        state->finished[index] = true;
        state->done++;
        batch_print(state);
    }
    pthread_mutex_unlock(&state->lock);
    return NULL;
}

bool cli_batch_run(const cli_batch *batch)
{
    cleanup_free bool *finished = calloc(batch->count + 1, sizeof(*finished));
    if (!finished) return false;
    batch_state state = {
        .batch = batch,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .finished = finished,
        .progress = batch->count > 1 && cli_fancy(),
    };
    pthread_t threads[BATCH_JOBS_MAX];
    size_t thread_count = 0;
    size_t wanted = batch->jobs < batch->count ? batch->jobs : batch->count;
    /* This thread works, too; where no other can be had, it does everything. */
    while (thread_count + 1 < wanted && thread_count < BATCH_JOBS_MAX &&
           pthread_create(&threads[thread_count], NULL, batch_thread, &state) == 0)
        thread_count++;
    batch_thread(&state);
    for (size_t i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&state.lock);
    return true;
}
