#include "bench_threads.h"

#include <pthread.h>
#include <stdatomic.h>

#include "error_set.h"
#include "monotonic.h"

typedef struct bench_thread {
    const bench_subject_type *type;
    void *subject;
    const char *ref;
    pthread_barrier_t *barrier;
    uint64_t duration_ns;
    uint64_t loads;
    uint64_t end_ns;
    int code;
    snapcell_error error;
    pthread_t thread;
} bench_thread;

static void *bench_thread_main(void *argument)
{
    bench_thread *self = argument;
    pthread_barrier_wait(self->barrier);
    uint64_t stop_ns = monotonic_now_ns() + self->duration_ns;
    do {
        void *instance;
        bench_sample sample = {0};
        self->code = self->type->load(self->subject, self->ref, &instance, &sample, &self->error);
        if (self->code != SNAPCELL_OK) break;
        self->type->dispose(instance);
        self->loads++;
        self->end_ns = monotonic_now_ns();
    } while (self->end_ns < stop_ns);
    return NULL;
}

/* Joins `count` threads and sums up what they did. */
static int bench_threads_join(bench_thread *threads, uint32_t count, uint64_t start_ns,
                              bench_rate *out, snapcell_error *err)
{
    int status = SNAPCELL_OK;
    uint64_t end_ns = start_ns;
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(threads[i].thread, NULL);
        out->loads += threads[i].loads;
        if (threads[i].end_ns > end_ns) end_ns = threads[i].end_ns;
        if (threads[i].code == SNAPCELL_OK || status != SNAPCELL_OK) continue;
        status = threads[i].code;
        if (err) *err = threads[i].error;
    }
    out->elapsed_ns = end_ns - start_ns;
    return status;
}

int bench_threads_run(const bench_subject_type *type, void *subject, const char *ref,
                      uint32_t thread_count, uint32_t duration_ms, bench_rate *out,
                      snapcell_error *err)
{
    *out = (bench_rate){0};
    if (thread_count < 1 || thread_count > BENCH_THREADS_MAX)
        return error_set(err, SNAPCELL_E_USAGE, "1 to %d threads were expected, got %u",
                         BENCH_THREADS_MAX, thread_count);
    bench_thread *threads = calloc(thread_count, sizeof(*threads));
    pthread_barrier_t barrier;
    if (!threads || pthread_barrier_init(&barrier, NULL, thread_count + 1) != 0) {
        free(threads);
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for %u threads", thread_count);
    }
    for (uint32_t i = 0; i < thread_count; i++) {
        threads[i] = (bench_thread){.type = type,
                                    .subject = subject,
                                    .ref = ref,
                                    .barrier = &barrier,
                                    .duration_ns = (uint64_t)duration_ms * 1000000u};
        /* Those that run wait at the barrier for one that is missing: there is no way on. */
        if (pthread_create(&threads[i].thread, NULL, bench_thread_main, &threads[i]) != 0)
            return error_set(err, SNAPCELL_E_NOMEM, "thread %u of %u cannot be started", i + 1,
                             thread_count);
    }
    pthread_barrier_wait(&barrier);
    int status = bench_threads_join(threads, thread_count, monotonic_now_ns(), out, err);
    pthread_barrier_destroy(&barrier);
    free(threads);
    return status;
}
