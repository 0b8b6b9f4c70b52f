#include "cell_heat.h"

/* Found for each function: slices grow as V8's thresholds do, and end early rather than hold up a
 * call for longer than this. */
static const uint32_t slice_rounds[] = {2, 6, 16, 48, 96, 192};
#define HEAT_SLICES (sizeof(slice_rounds) / sizeof(*slice_rounds))
#define HEAT_SLICE_NS UINT64_C(20000000)
/* A slice that gains less than this part of a round's time is the last. */
#define HEAT_GAIN_PARTS 25
#define HEAT_ROUNDS_MIN 160
#define HEAT_TIME_NS_MAX UINT64_C(600000000)
/* Rounds that were ordered have a limit of time, too. */
#define HEAT_ORDERED_NS_MAX UINT64_C(2000000000)

uint32_t cell_heat_next(const cell_heat *heat, uint32_t wanted, uint32_t slices_max)
{
    if (heat->is_done || heat->slices >= slices_max) return 0;
    if (wanted != 0) return heat->slices == 0 ? wanted : 0;
    return heat->slices < HEAT_SLICES ? slice_rounds[heat->slices] : 0;
}

bool cell_heat_goes_on(uint32_t wanted, uint64_t spent_ns)
{
    return spent_ns < (wanted != 0 ? HEAT_ORDERED_NS_MAX : HEAT_SLICE_NS);
}

static void heat_sort(uint64_t *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        uint32_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

void cell_heat_end_slice(cell_heat *heat, uint32_t wanted, uint64_t *round_ns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        heat->spent_ns += round_ns[i];
    heat_sort(round_ns, count);
    uint64_t median_ns = count > 0 ? round_ns[count / 2] : 0;
    uint64_t gain_ns = heat->best_ns > median_ns ? heat->best_ns - median_ns : 0;
    bool gained = heat->best_ns == 0 || gain_ns > heat->best_ns / HEAT_GAIN_PARTS;
    if (heat->best_ns == 0 || median_ns < heat->best_ns) heat->best_ns = median_ns;
    heat->rounds += count;
    heat->slices++;
    heat->calls_since = 0;
    heat->is_done = wanted != 0 || count == 0 || heat->spent_ns > HEAT_TIME_NS_MAX ||
                    (!gained && heat->rounds >= HEAT_ROUNDS_MIN);
}
