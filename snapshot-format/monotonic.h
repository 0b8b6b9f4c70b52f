/* The one clock by which durations, deadlines and limits go. Internal. */
#ifndef SNAPCELL_MONOTONIC_H
#define SNAPCELL_MONOTONIC_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SECOND UINT64_C(1000000000)

/* Any of the kernel's clocks, as one of CPU time; 0 of a thread that has ended. */
static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static inline uint64_t monotonic_now_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

/* A moment of it, as functions that wait take it. */
static inline struct timespec monotonic_moment(uint64_t moment_ns)
{
    struct timespec moment;
    moment.tv_sec = (time_t)(moment_ns / NS_PER_SECOND);
    moment.tv_nsec = (long)(moment_ns % NS_PER_SECOND);
    return moment;
}

#endif
