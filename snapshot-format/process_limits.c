#include "process_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

/* Measured: one engine alone begins with 1.0 GB of addresses, one whose memory is put back
 * with 1.8; it keeps most of that without using it. */
#define LIMIT_ENGINE_ADDRESSES (2048 * MIB)

/* For a limit the kernel counts ticks, and for what it tells of a child it counts time: on a busy
 * machine the two are apart by much. */
#define LIMIT_CPU_RELIABLE_PERCENT 60

/* False: there is none. */
static bool limit_read(int resource, uint64_t *value)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return false;
    *value = limit.rlim_cur;
    return limit.rlim_cur != RLIM_INFINITY;
}

bool limit_says_files(int errnum, char *out)
{
    uint64_t count = 0;
    out[0] = '\0';
    if (errnum != EMFILE || !limit_read(RLIMIT_NOFILE, &count)) return false;
    (void)snprintf(out, LIMIT_TEXT_SIZE,
                   "this process may have %" PRIu64 " open; raise that limit (ulimit -n)", count);
    return true;
}

bool limit_says_address_space(uint64_t heap_bytes, char *out)
{
    uint64_t size_bytes = 0;
    uint64_t needed_bytes = LIMIT_ENGINE_ADDRESSES + heap_bytes;
    out[0] = '\0';
    if (!limit_read(RLIMIT_AS, &size_bytes) || size_bytes >= needed_bytes) return false;
    (void)snprintf(out, LIMIT_TEXT_SIZE,
                   "a process may have %" PRIu64 " MiB of address space here, and the engine may "
                   "need %" PRIu64 " MiB; raise that limit (ulimit -v)",
                   size_bytes / MIB, needed_bytes / MIB);
    return true;
}

static uint64_t limit_time_ms(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
}

uint64_t limit_cpu_ms(const struct rusage *usage)
{
    return limit_time_ms(&usage->ru_utime) + limit_time_ms(&usage->ru_stime);
}

bool limit_says_cpu(uint64_t used_ms, char *out)
{
    uint64_t limit_s = 0;
    out[0] = '\0';
    if (!limit_read(RLIMIT_CPU, &limit_s) || used_ms < limit_s * 10 * LIMIT_CPU_RELIABLE_PERCENT)
        return false;
    (void)snprintf(out, LIMIT_TEXT_SIZE,
                   "its process used the %" PRIu64 " s of CPU time that one may have here; raise "
                   "that limit (ulimit -t)",
                   limit_s);
    return true;
}
