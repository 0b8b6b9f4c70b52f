#include "cell_heat.h"

#define HEAT_MS UINT64_C(1000000)

/* V8's optimizing compilers take up what was called 400 times, and 3,000 times. In between calls
 * get no faster, so that their times do not tell when to end. */
#define HEAT_ROUNDS_ENOUGH 4000
/* For functions that take long: of their rounds, fewer are enough. */
#define HEAT_NS_MAX (800 * HEAT_MS)
/* Early slices are short, since what comes first gains most. */
static const uint32_t slice_ms[] = {5, 20, 50, 100, 200, 400};
#define HEAT_SLICE_LENGTHS (sizeof(slice_ms) / sizeof(*slice_ms))
/* Of a slice that holds up calls. */
#define HEAT_BUSY_NS (20 * HEAT_MS)
/* A checkpoint takes as long as that. */
#define HEAT_WORTH_NS (10 * HEAT_MS)
#define HEAT_FAILURES_MAX 3
/* Rounds that were ordered have a limit of time, too. */
#define HEAT_ORDERED_NS_MAX (2000 * HEAT_MS)

bool cell_heat_next(const cell_heat *heat, uint32_t wanted, uint32_t slices_max, bool is_idle,
                    cell_heat_slice *out)
{
    if (heat->is_done || heat->slices >= slices_max) return false;
    if (wanted != 0) {
        *out = (cell_heat_slice){wanted, HEAT_ORDERED_NS_MAX};
        return heat->slices == 0;
    }
    uint32_t length = heat->slices < HEAT_SLICE_LENGTHS ? heat->slices : HEAT_SLICE_LENGTHS - 1;
    uint64_t ns_max = slice_ms[length] * HEAT_MS;
    if (!is_idle && ns_max > HEAT_BUSY_NS) ns_max = HEAT_BUSY_NS;
    *out = (cell_heat_slice){HEAT_ROUNDS_ENOUGH - heat->rounds, ns_max};
    return true;
}

bool cell_heat_is_worth(uint64_t spent_ns)
{
    return spent_ns >= HEAT_WORTH_NS;
}

/* What was dropped while the collector ran lies among what lives, and looks the same. */
void cell_heat_fail_slice(cell_heat *heat, uint32_t wanted)
{
    heat->calls_since = 0;
    heat->is_done = wanted != 0 || ++heat->failures == HEAT_FAILURES_MAX;
}

void cell_heat_end_slice(cell_heat *heat, uint32_t wanted, uint32_t rounds, uint64_t spent_ns)
{
    heat->rounds += rounds;
    heat->spent_ns += spent_ns;
    heat->slices++;
    heat->calls_since = 0;
    heat->is_done =
        wanted != 0 || heat->rounds >= HEAT_ROUNDS_ENOUGH || heat->spent_ns >= HEAT_NS_MAX;
}
