#include "bench_noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "bench_statistics.h"
#include "monotonic.h"

#define BENCH_SPIN_ROUNDS 400000

/* Above the first a run is noisy, above the second unusable. */
#define BENCH_SPREAD_NOISY 1.10
#define BENCH_SPREAD_UNUSABLE 1.50
#define BENCH_STEAL_NOISY 1.0
#define BENCH_STEAL_UNUSABLE 10.0
#define BENCH_OTHERS_NOISY 5.0
#define BENCH_OTHERS_UNUSABLE 30.0

typedef struct bench_ticks {
    uint64_t steal;
    uint64_t busy; /* in programs and in the kernel for them */
    uint64_t all;
} bench_ticks;

static bench_ticks bench_read_ticks(void)
{
    /* user nice system idle iowait irq softirq steal; the guests' are in user already */
    enum { IDLE = 3, IOWAIT = 4, STEAL = 7, FIELDS = 8 };
    bench_ticks ticks = {0};
    FILE *file = fopen("/proc/stat", "re");
    if (!file) return ticks;
    char line[512];
    if (fgets(line, sizeof(line), file)) {
        char *at = line + strcspn(line, " ");
        for (int i = 0; i < FIELDS; i++) {
            uint64_t field = strtoull(at, &at, 10);
            ticks.all += field;
            if (i == STEAL) ticks.steal = field;
            if (i != STEAL && i != IDLE && i != IOWAIT) ticks.busy += field;
        }
    }
    fclose(file);
    return ticks;
}

/* Of this process and of its children that were waited for. */
static double bench_own_ticks(void)
{
    double seconds = 0;
    const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage usage = {0};
        getrusage(whose[i], &usage);
        seconds += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    return seconds * (double)sysconf(_SC_CLK_TCK);
}

void bench_noise_begin(bench_noise *noise)
{
    bench_ticks ticks = bench_read_ticks();
    noise->steal_ticks = ticks.steal;
    noise->busy_ticks = ticks.busy;
    noise->all_ticks = ticks.all;
    if (getloadavg(&noise->load_average, 1) != 1) noise->load_average = 0;
}

static bool bench_noise_reserve(bench_noise *noise)
{
    if (noise->count < noise->capacity) return true;
    size_t capacity = noise->capacity ? 2 * noise->capacity : 256;
    uint64_t *grown = realloc(noise->spins_ns, capacity * sizeof(*grown));
    if (!grown) return false;
    noise->spins_ns = grown;
    noise->capacity = capacity;
    return true;
}

void bench_noise_spin(bench_noise *noise)
{
    if (!bench_noise_reserve(noise)) return;
    uint64_t start_ns = monotonic_now_ns();
    /* Each step needs the one before, and the result is kept: nothing can be left out. */
    volatile uint64_t kept;
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < BENCH_SPIN_ROUNDS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    kept = x;
    (void)kept;
    noise->spins_ns[noise->count++] = monotonic_now_ns() - start_ns;
}

static bench_verdict bench_grade(double value, double noisy, double unusable)
{
    if (value > unusable) return BENCH_UNUSABLE;
    return value > noisy ? BENCH_NOISY : BENCH_QUIET;
}

bench_verdict bench_noise_judge(const bench_noise_facts *facts)
{
    bench_verdict spread =
        bench_grade(facts->spin_p90_to_p50, BENCH_SPREAD_NOISY, BENCH_SPREAD_UNUSABLE);
    bench_verdict steal =
        bench_grade(facts->steal_percent, BENCH_STEAL_NOISY, BENCH_STEAL_UNUSABLE);
    bench_verdict others =
        bench_grade(facts->others_percent, BENCH_OTHERS_NOISY, BENCH_OTHERS_UNUSABLE);
    bench_verdict worst = spread > steal ? spread : steal;
    return others > worst ? others : worst;
}

static json_t *bench_noise_reasons(const bench_noise_facts *facts)
{
    json_t *reasons = json_array();
    if (facts->spin_p90_to_p50 > BENCH_SPREAD_NOISY)
        json_array_append_new(reasons,
                              json_sprintf("the same work took %.2f times its median at p90; "
                                           "below %.2f is quiet",
                                           facts->spin_p90_to_p50, BENCH_SPREAD_NOISY));
    if (facts->steal_percent > BENCH_STEAL_NOISY)
        json_array_append_new(reasons, json_sprintf("the hypervisor took %.1f %% of the CPU time; "
                                                    "below %.1f %% is quiet",
                                                    facts->steal_percent, BENCH_STEAL_NOISY));
    if (facts->others_percent > BENCH_OTHERS_NOISY)
        json_array_append_new(reasons, json_sprintf("other programs took %.1f %% of the CPU time; "
                                                    "below %.1f %% is quiet",
                                                    facts->others_percent, BENCH_OTHERS_NOISY));
    return reasons;
}

static double bench_share_percent(double part, double all)
{
    return all > 0 && part > 0 ? 100 * part / all : 0;
}

json_t *bench_noise_end(bench_noise *noise)
{
    static const char *const names[] = {"quiet", "noisy", "unusable"};
    bench_ticks ticks = bench_read_ticks();
    bench_statistics spins = bench_statistics_of(noise->spins_ns, noise->count);
    double all = (double)(ticks.all - noise->all_ticks);
    double others = (double)(ticks.busy - noise->busy_ticks) - bench_own_ticks();
    bench_noise_facts facts = {
        .spin_p90_to_p50 = spins.p50 ? (double)spins.p90 / (double)spins.p50 : 1,
        .steal_percent = bench_share_percent((double)(ticks.steal - noise->steal_ticks), all),
        .others_percent = bench_share_percent(others, all),
    };
    bench_verdict verdict = bench_noise_judge(&facts);
    return json_pack("{s:s, s:b, s:o, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "verdict",
                     names[verdict], "usable", verdict != BENCH_UNUSABLE, "reasons",
                     bench_noise_reasons(&facts), "spin_p90_to_p50", facts.spin_p90_to_p50,
                     "steal_percent", facts.steal_percent, "others_percent", facts.others_percent,
                     "load_average_at_start", noise->load_average, "spin_count",
                     (json_int_t)spins.count, "spin_p50_ns", (json_int_t)spins.p50, "spin_max_ns",
                     (json_int_t)spins.max);
}

void bench_noise_release(bench_noise *noise)
{
    free(noise->spins_ns);
    *noise = (bench_noise){0};
}
