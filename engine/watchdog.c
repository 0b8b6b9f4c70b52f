/* The watches form a list under one mutex; the thread sleeps until the earliest moment at which one
 * of them may be due. Ending a watch wakes nobody: the thread then wakes once for nothing, at most
 * once per limit, which is cheaper than a signal per call.
 *
 * `fire` runs with the mutex held: that is what lets watchdog_end() promise that it is not running.
 * So it must be short and must not call back into this file.
 *
 * After fork() the child has no such thread, and the mutex may be held forever there; V8 does not
 * survive a fork either, and nothing here tries to. */
#include "watchdog.h"

#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "monotonic.h"

#define WATCHDOG_STACK_SIZE ((size_t)256 << 10)
#define WATCHDOG_NEVER UINT64_MAX

/* The shortest sleep for the sake of a CPU clock: a thread that is kept off the CPU comes ever
 * closer to its deadline without reaching it, and would be looked at without end. */
#define WATCHDOG_SLEEP_NS_MIN UINT64_C(200000)

static pthread_mutex_t watchdog_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t watchdog_wake = PTHREAD_COND_INITIALIZER;
static watchdog_watch *watchdog_first;
static uint64_t watchdog_wake_ns = WATCHDOG_NEVER; /* when the thread wakes by itself */
static bool watchdog_started;

static void watchdog_unlink(watchdog_watch *watch)
{
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        watchdog_first = watch->next;
    if (watch->next != NULL) watch->next->previous = watch->previous;
    watch->next = watch->previous = NULL;
    watch->linked = 0;
}

static void watchdog_link(watchdog_watch *watch)
{
    watch->previous = NULL;
    watch->next = watchdog_first;
    if (watchdog_first != NULL) watchdog_first->previous = watch;
    watchdog_first = watch;
    watch->linked = 1;
}

/* The limit that `watch` has hit, or 0; and then when to look again. A thread cannot use up CPU
 * time faster than time passes, so that its clock need not be read before that. */
static int watchdog_inspect(watchdog_watch *watch, uint64_t now_ns)
{
    if (now_ns >= watch->wall_deadline_ns) return WATCHDOG_WALL;
    if (watch->cpu_deadline_ns == WATCHDOG_NEVER) return 0;

    uint64_t used_ns = clock_read_ns(watch->cpu_clock);
    if (used_ns >= watch->cpu_deadline_ns) return WATCHDOG_CPU;
    uint64_t left_ns = watch->cpu_deadline_ns - used_ns;
    if (left_ns < WATCHDOG_SLEEP_NS_MIN) left_ns = WATCHDOG_SLEEP_NS_MIN;
    watch->look_ns = now_ns + left_ns;
    if (watch->look_ns > watch->wall_deadline_ns) watch->look_ns = watch->wall_deadline_ns;
    return 0;
}

/* Only the limit that was hit counts from here on. */
static void watchdog_prolong(watchdog_watch *watch, int limit, uint64_t now_ns)
{
    const uint64_t more_ns = WATCHDOG_OVERRUN_MS * UINT64_C(1000000);
    bool cpu = limit == WATCHDOG_CPU;
    watch->wall_deadline_ns = cpu ? WATCHDOG_NEVER : watch->wall_deadline_ns + more_ns;
    watch->cpu_deadline_ns = cpu ? watch->cpu_deadline_ns + more_ns : WATCHDOG_NEVER;
    watch->look_ns = cpu ? now_ns + WATCHDOG_SLEEP_NS_MIN : watch->wall_deadline_ns;
}

static void watchdog_hit(watchdog_watch *watch, int limit, uint64_t now_ns)
{
    bool first = watch->fired == 0;
    watch->fired = limit;
    if (first && watch->overrun != NULL)
        watchdog_prolong(watch, limit, now_ns);
    else
        watchdog_unlink(watch);
    (first ? watch->fire : watch->overrun)(watch->user, (watchdog_limit)limit);
}

/* Fires what is due. Returns when the next look is due. */
static uint64_t watchdog_sweep(uint64_t now_ns)
{
    uint64_t next_look_ns = WATCHDOG_NEVER;
    for (watchdog_watch *watch = watchdog_first, *next; watch != NULL; watch = next) {
        next = watch->next;
        int limit = watch->look_ns <= now_ns ? watchdog_inspect(watch, now_ns) : 0;
        if (limit != 0) watchdog_hit(watch, limit, now_ns);
        if (watch->linked && watch->look_ns < next_look_ns) next_look_ns = watch->look_ns;
    }
    return next_look_ns;
}

static void *watchdog_main(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&watchdog_mutex);
    for (;;) {
        watchdog_wake_ns = watchdog_sweep(monotonic_now_ns());
        if (watchdog_wake_ns == WATCHDOG_NEVER) {
            pthread_cond_wait(&watchdog_wake, &watchdog_mutex);
            continue;
        }
        struct timespec until = monotonic_moment(watchdog_wake_ns);
        pthread_cond_clockwait(&watchdog_wake, &watchdog_mutex, CLOCK_MONOTONIC, &until);
    }
    return NULL;
}

/* Starts the thread, detached, for the life of the process; signals are left to the embedder's
 * threads. */
static int watchdog_start(void)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_t thread;
    int failed = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0 ||
                 pthread_attr_setstacksize(&attributes, WATCHDOG_STACK_SIZE) != 0 ||
                 pthread_sigmask(SIG_BLOCK, &all, &before) != 0;
    if (!failed) {
        failed = pthread_create(&thread, &attributes, watchdog_main, NULL) != 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!failed) pthread_setname_np(thread, "snapcell-watch");
    }
    pthread_attr_destroy(&attributes);
    return failed ? -1 : 0;
}

static uint64_t watchdog_limit_ns(uint32_t limit_ms)
{
    return limit_ms == 0 ? WATCHDOG_NEVER : limit_ms * NS_PER_MS;
}

static int watchdog_fill(watchdog_watch *watch, uint32_t cpu_limit_ms, uint32_t wall_limit_ms)
{
    uint64_t cpu_ns = watchdog_limit_ns(cpu_limit_ms);
    uint64_t wall_ns = watchdog_limit_ns(wall_limit_ms);
    uint64_t now_ns = monotonic_now_ns();
    watch->wall_deadline_ns = wall_limit_ms == 0 ? WATCHDOG_NEVER : now_ns + wall_ns;
    watch->cpu_deadline_ns = WATCHDOG_NEVER;
    watch->look_ns = now_ns + (cpu_ns < wall_ns ? cpu_ns : wall_ns);
    if (cpu_limit_ms == 0) return 0;
    if (pthread_getcpuclockid(pthread_self(), &watch->cpu_clock) != 0) return -1;
    watch->cpu_deadline_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns;
    return 0;
}

int watchdog_begin(watchdog_watch *watch, uint32_t cpu_limit_ms, uint32_t wall_limit_ms,
                   watchdog_fn *fire, watchdog_fn *overrun, void *user)
{
    *watch = (watchdog_watch){.fire = fire, .overrun = overrun, .user = user};
    if (cpu_limit_ms == 0 && wall_limit_ms == 0) return 0;
    if (watchdog_fill(watch, cpu_limit_ms, wall_limit_ms) != 0) return -1;

    int status = 0;
    bool wake = false;
    pthread_mutex_lock(&watchdog_mutex);
    if (!watchdog_started) {
        status = watchdog_start();
        watchdog_started = status == 0;
    }
    if (status == 0) {
        watchdog_link(watch);
        watch->watched = 1;
        wake = watch->look_ns < watchdog_wake_ns;
        if (wake) watchdog_wake_ns = watch->look_ns;
    }
    pthread_mutex_unlock(&watchdog_mutex);
    if (wake) pthread_cond_signal(&watchdog_wake);
    return status;
}

void watchdog_end(watchdog_watch *watch)
{
    if (!watch->watched) return;
    pthread_mutex_lock(&watchdog_mutex);
    if (watch->linked) watchdog_unlink(watch);
    pthread_mutex_unlock(&watchdog_mutex);
    watch->watched = 0;
}
