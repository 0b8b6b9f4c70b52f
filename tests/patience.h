/* Limits of time on a slow machine. */
#ifndef SNAPCELL_TESTS_PATIENCE_H
#define SNAPCELL_TESTS_PATIENCE_H

#include <stdint.h>
#include <stdlib.h>

/* A limit in which something must get done: as much longer as Check's own limits are made by the
 * same variable. */
static inline uint32_t patient_ms(uint32_t ms)
{
    const char *times = getenv("CK_TIMEOUT_MULTIPLIER");
    return times == NULL ? ms : ms * (uint32_t)strtoul(times, NULL, 10);
}

#endif
