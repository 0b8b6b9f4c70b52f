#include "watchdog.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "patience.h"

#define THREAD_COUNT 4

/* Longer than any test may take: a limit that is not to be hit. */
#define FAR_MS 3600000

/* A limit that only a thread hits which is busy or sleeps: what else a test does takes less. */
#define NEAR_MS patient_ms(5)

typedef struct witness {
    atomic_int count;
    atomic_int limit;
    atomic_bool ended; /* set after watchdog_end() */
    atomic_bool late;  /* fired although ended */
} witness;

static void note(void *user, watchdog_limit limit)
{
    witness *seen = user;
    if (atomic_load(&seen->ended)) atomic_store(&seen->late, true);
    atomic_store(&seen->limit, (int)limit);
    atomic_fetch_add(&seen->count, 1);
}

/* Uses CPU time until the watch has fired. */
static void burn_until_fired(witness *seen)
{
    while (atomic_load(&seen->count) == 0) {}
}

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void sleep_until_fired(witness *seen)
{
    while (atomic_load(&seen->count) == 0)
        sleep_ms(1);
}

START_TEST(test_cpu_limit_fires_on_a_busy_thread)
{
    witness seen = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, 5, FAR_MS, note, NULL, &seen), 0);
    burn_until_fired(&seen);
    watchdog_end(&watch);
    ck_assert_int_eq(atomic_load(&seen.limit), WATCHDOG_CPU);
    ck_assert_int_eq(watch.fired, WATCHDOG_CPU);
    ck_assert_int_eq(atomic_load(&seen.count), 1);
}
END_TEST

/* --- Overruns --- */

static void note_overrun(void *user, watchdog_limit limit)
{
    note((witness *)user + 1, limit);
}

START_TEST(test_an_overrun_follows_a_limit)
{
    witness seen[2] = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, 5, FAR_MS, note, note_overrun, seen), 0);
    burn_until_fired(&seen[1]);
    watchdog_end(&watch);
    ck_assert_int_eq(atomic_load(&seen[0].count), 1);
    ck_assert_int_eq(atomic_load(&seen[1].count), 1);
    ck_assert_int_eq(atomic_load(&seen[1].limit), WATCHDOG_CPU);
}
END_TEST

START_TEST(test_an_overrun_of_wall_time_follows_in_sleep)
{
    witness seen[2] = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, FAR_MS, 5, note, note_overrun, seen), 0);
    sleep_until_fired(&seen[1]);
    watchdog_end(&watch);
    ck_assert_int_eq(atomic_load(&seen[0].count), 1);
    ck_assert_int_eq(atomic_load(&seen[1].count), 1);
    ck_assert_int_eq(atomic_load(&seen[1].limit), WATCHDOG_WALL);
}
END_TEST

static uint64_t thread_cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* For a CPU limit only CPU time counts: a thread that sleeps, or is kept off the CPU, has not
 * gone on. On a busy machine it may learn of the limit too late to end in time, and tries again. */
START_TEST(test_no_overrun_for_what_ends_in_time)
{
    const uint64_t late_ms = NEAR_MS + WATCHDOG_OVERRUN_MS - 1;
    for (uint64_t used_ms = UINT64_MAX; used_ms >= late_ms;) {
        witness seen[2] = {0};
        watchdog_watch watch;
        const uint64_t start_ms = thread_cpu_ms();
        ck_assert_int_eq(watchdog_begin(&watch, NEAR_MS, FAR_MS, note, note_overrun, seen), 0);
        burn_until_fired(&seen[0]);
        sleep_ms(20 * NEAR_MS);
        used_ms = thread_cpu_ms() - start_ms;
        watchdog_end(&watch);
        sleep_ms(10 * NEAR_MS);
        ck_assert_int_eq(atomic_load(&seen[0].count), 1);
        if (used_ms < late_ms) ck_assert_int_eq(atomic_load(&seen[1].count), 0);
    }
}
END_TEST

START_TEST(test_wall_limit_fires_on_a_sleeping_thread)
{
    witness seen = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, FAR_MS, 5, note, NULL, &seen), 0);
    sleep_until_fired(&seen);
    watchdog_end(&watch);
    ck_assert_int_eq(watch.fired, WATCHDOG_WALL);
    ck_assert_int_eq(atomic_load(&seen.count), 1);
}
END_TEST

/* A CPU limit is looked at many times while the thread sleeps, and must not fire. */
START_TEST(test_cpu_limit_does_not_count_sleep)
{
    witness seen = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, NEAR_MS, 0, note, NULL, &seen), 0);
    sleep_ms(12 * NEAR_MS);
    ck_assert_int_eq(atomic_load(&seen.count), 0);
    burn_until_fired(&seen); /* it is still watched */
    watchdog_end(&watch);
    ck_assert_int_eq(watch.fired, WATCHDOG_CPU);
}
END_TEST

/* The time of before the watch is not held against it. */
START_TEST(test_cpu_limit_counts_from_begin)
{
    clock_t start = clock();
    while ((clock() - start) * 1000 / CLOCKS_PER_SEC < 10 * NEAR_MS) {}
    witness seen = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, 8 * NEAR_MS, 0, note, NULL, &seen), 0);
    sleep_ms(18 * NEAR_MS);
    watchdog_end(&watch);
    ck_assert_int_eq(watch.fired, 0);
    ck_assert_int_eq(atomic_load(&seen.count), 0);
}
END_TEST

START_TEST(test_no_limit_is_no_watch)
{
    witness seen = {0};
    watchdog_watch watch;
    ck_assert_int_eq(watchdog_begin(&watch, 0, 0, note, NULL, &seen), 0);
    ck_assert_int_eq(watch.watched, 0);
    watchdog_end(&watch);
    watchdog_end(&watch);
    ck_assert_int_eq(watch.fired, 0);
}
END_TEST

/* The thread sleeps towards a far deadline when a near one comes. */
START_TEST(test_near_deadline_behind_a_far_one_is_kept)
{
    witness far = {0}, near = {0};
    watchdog_watch far_watch, near_watch;
    ck_assert_int_eq(watchdog_begin(&far_watch, 0, FAR_MS, note, NULL, &far), 0);
    sleep_ms(20);
    ck_assert_int_eq(watchdog_begin(&near_watch, 0, 5, note, NULL, &near), 0);
    sleep_until_fired(&near);
    watchdog_end(&near_watch);
    watchdog_end(&far_watch);
    ck_assert_int_eq(near_watch.fired, WATCHDOG_WALL);
    ck_assert_int_eq(far_watch.fired, 0);
}
END_TEST

START_TEST(test_watches_end_in_any_order)
{
    witness seen[3] = {0};
    watchdog_watch watches[3];
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(watchdog_begin(&watches[i], 0, FAR_MS, note, NULL, &seen[i]), 0);
    for (int i = 0; i < 3; i++)
        watchdog_end(&watches[orders[_i][i]]);
    /* The list is sound still. */
    ck_assert_int_eq(watchdog_begin(&watches[0], 0, 1, note, NULL, &seen[0]), 0);
    sleep_until_fired(&seen[0]);
    watchdog_end(&watches[0]);
    ck_assert_int_eq(atomic_load(&seen[1].count) + atomic_load(&seen[2].count), 0);
}
END_TEST

/* Ends watches around the moment at which they fire: none may fire afterwards. */
static void *race_end(void *user)
{
    bool *late = user;
    for (int i = 0; i < 300; i++) {
        witness seen = {0};
        watchdog_watch watch;
        ck_assert_int_eq(watchdog_begin(&watch, 1, 1, note, NULL, &seen), 0);
        struct timespec pause = {.tv_nsec = 900000 + i % 30 * 10000};
        nanosleep(&pause, NULL);
        watchdog_end(&watch);
        atomic_store(&seen.ended, true);
        int count = atomic_load(&seen.count);
        sched_yield();
        if (atomic_load(&seen.late) || atomic_load(&seen.count) != count || count > 1 ||
            count != (watch.fired != 0))
            *late = true;
    }
    return NULL;
}

START_TEST(test_nothing_fires_after_end)
{
    pthread_t threads[THREAD_COUNT];
    bool late[THREAD_COUNT] = {false};
    for (int i = 0; i < THREAD_COUNT; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, race_end, &late[i]), 0);
    for (int i = 0; i < THREAD_COUNT; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert(!late[i]);
    }
}
END_TEST

/* Each watch reads the clock of its own thread: the busy one is stopped, the idle one is not. In an
 * emulated machine the idle one may be busy, too, with the start of the other: it tries again. */
static void *burn_thread(void *user)
{
    witness *seen = user;
    watchdog_watch watch;
    if (watchdog_begin(&watch, NEAR_MS, 0, note, NULL, seen) != 0) return NULL;
    burn_until_fired(seen);
    watchdog_end(&watch);
    return NULL;
}

START_TEST(test_cpu_clocks_are_per_thread)
{
    for (uint64_t used_ms = NEAR_MS; used_ms >= NEAR_MS - 1;) {
        witness busy = {0}, idle = {0};
        watchdog_watch watch;
        pthread_t thread;
        const uint64_t start_ms = thread_cpu_ms();
        ck_assert_int_eq(watchdog_begin(&watch, NEAR_MS, 0, note, NULL, &idle), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, burn_thread, &busy), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        used_ms = thread_cpu_ms() - start_ms;
        watchdog_end(&watch);
        ck_assert_int_eq(atomic_load(&busy.limit), WATCHDOG_CPU);
        if (used_ms < NEAR_MS - 1) ck_assert_int_eq(atomic_load(&idle.count), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watchdog");
    TCase *tcase = tcase_create("watchdog");
    tcase_add_test(tcase, test_cpu_limit_fires_on_a_busy_thread);
    tcase_add_test(tcase, test_an_overrun_follows_a_limit);
    tcase_add_test(tcase, test_an_overrun_of_wall_time_follows_in_sleep);
    tcase_add_test(tcase, test_no_overrun_for_what_ends_in_time);
    tcase_add_test(tcase, test_wall_limit_fires_on_a_sleeping_thread);
    tcase_add_test(tcase, test_cpu_limit_does_not_count_sleep);
    tcase_add_test(tcase, test_cpu_limit_counts_from_begin);
    tcase_add_test(tcase, test_no_limit_is_no_watch);
    tcase_add_test(tcase, test_near_deadline_behind_a_far_one_is_kept);
    tcase_add_loop_test(tcase, test_watches_end_in_any_order, 0, 6);
    tcase_add_test(tcase, test_nothing_fires_after_end);
    tcase_add_test(tcase, test_cpu_clocks_are_per_thread);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
