/* A thread that ends calls which run for too long. One thread serves the whole process; it starts
 * with the first watch and sleeps while there is nothing to watch. Internal to the engine. */
#ifndef SNAPCELL_WATCHDOG_H
#define SNAPCELL_WATCHDOG_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum watchdog_limit {
    WATCHDOG_CPU = 1,
    WATCHDOG_WALL = 2,
} watchdog_limit;

/* Called on the watchdog's thread, at most once a watch. Must be short, must not call the functions
 * below, and must not wait for a thread that does. */
typedef void watchdog_fn(void *user, watchdog_limit limit);

/* One call being watched. Lives in the caller; must not move between begin and end. */
typedef struct watchdog_watch {
    struct watchdog_watch *next;
    struct watchdog_watch *previous;
    clockid_t cpu_clock; /* of the thread that began the watch */
    uint64_t cpu_deadline_ns;
    uint64_t wall_deadline_ns;
    uint64_t look_ns; /* before this, neither deadline can be reached */
    watchdog_fn *fire;
    watchdog_fn *overrun;
    void *user;
    int fired;   /* the watchdog_limit that was hit; to be read after watchdog_end() */
    int linked;  /* in the list; under the watchdog's lock */
    int watched; /* there was a limit to watch */
} watchdog_watch;

/* So much later than the limit, by its own clock, `overrun` is called. */
#define WATCHDOG_OVERRUN_MS 10

/* Watches the calling thread until watchdog_end(); a limit of 0 ms is none, and with none nothing
 * is done. `overrun` (may be NULL) is for a watch that does not end although `fire` was called;
 * once, too. Returns 0, or -1 when the thread cannot be started (watchdog_end() is allowed then).
 * Not to be used in the child of a fork(). */
int watchdog_begin(watchdog_watch *watch, uint32_t cpu_limit_ms, uint32_t wall_limit_ms,
                   watchdog_fn *fire, watchdog_fn *overrun, void *user);

/* Ends a watch; after it returned, neither function is running or will be called. On the same
 * thread as begin; a zeroed or ended watch is allowed. */
void watchdog_end(watchdog_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
