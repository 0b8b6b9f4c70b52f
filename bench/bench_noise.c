#include "bench_noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_statistics.h"

#define BENCH_SPIN_ROUNDS 400000

/* Above the first a run is noisy, above the second unusable. */
#define BENCH_SPREAD_NOISY 1.10
#define BENCH_SPREAD_UNUSABLE 1.50
#define BENCH_STEAL_NOISY 1.0
#define BENCH_STEAL_UNUSABLE 10.0
#define BENCH_LOAD_NOISY 0.5 /* a CPU */
#define BENCH_LOAD_UNUSABLE 1.5

static void bench_read_ticks(uint64_t *steal, uint64_t *all)
{
    *steal = *all = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (!file) return;
    char line[512];
    if (fgets(line, sizeof line, file)) {
        char *at = line + strcspn(line, " ");
        /* user nice system idle iowait irq softirq steal; the guests' are in user already */
        for (int i = 0; i < 8; i++) {
            uint64_t ticks = strtoull(at, &at, 10);
            *all += ticks;
            if (i == 7) *steal = ticks;
        }
    }
    fclose(file);
}

void bench_noise_begin(bench_noise *noise)
{
    bench_read_ticks(&noise->steal_ticks, &noise->all_ticks);
    if (getloadavg(&noise->load_average, 1) != 1) noise->load_average = 0;
}

static bool bench_noise_reserve(bench_noise *noise)
{
    if (noise->count < noise->capacity) return true;
    size_t capacity = noise->capacity ? 2 * noise->capacity : 256;
    uint64_t *grown = realloc(noise->spins_ns, capacity * sizeof *grown);
    if (!grown) return false;
    noise->spins_ns = grown;
    noise->capacity = capacity;
    return true;
}

void bench_noise_spin(bench_noise *noise)
{
    if (!bench_noise_reserve(noise)) return;
    uint64_t start_ns = bench_now_ns();
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
    noise->spins_ns[noise->count++] = bench_now_ns() - start_ns;
}

static bench_verdict bench_grade(double value, double noisy, double unusable)
{
    if (value > unusable) return BENCH_UNUSABLE;
    return value > noisy ? BENCH_NOISY : BENCH_QUIET;
}

static bench_verdict bench_grade_load(const bench_noise_facts *facts)
{
    return bench_grade(facts->load_average / facts->cpus, BENCH_LOAD_NOISY, BENCH_LOAD_UNUSABLE);
}

bench_verdict bench_noise_judge(const bench_noise_facts *facts)
{
    bench_verdict spread =
        bench_grade(facts->spin_p90_to_p50, BENCH_SPREAD_NOISY, BENCH_SPREAD_UNUSABLE);
    bench_verdict steal =
        bench_grade(facts->steal_percent, BENCH_STEAL_NOISY, BENCH_STEAL_UNUSABLE);
    bench_verdict load = bench_grade_load(facts);
    bench_verdict worst = spread > steal ? spread : steal;
    return load > worst ? load : worst;
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
    if (bench_grade_load(facts) != BENCH_QUIET)
        json_array_append_new(reasons, json_sprintf("the load average was %.2f on %d CPUs when the "
                                                    "run began: other programs were busy",
                                                    facts->load_average, facts->cpus));
    return reasons;
}

json_t *bench_noise_end(bench_noise *noise)
{
    static const char *const names[] = {"quiet", "noisy", "unusable"};
    uint64_t steal, all;
    bench_read_ticks(&steal, &all);
    bench_statistics spins = bench_statistics_of(noise->spins_ns, noise->count);
    uint64_t ticks = all - noise->all_ticks;
    bench_noise_facts facts = {
        .spin_p90_to_p50 = spins.p50 ? (double)spins.p90 / (double)spins.p50 : 1,
        .steal_percent = ticks ? 100.0 * (double)(steal - noise->steal_ticks) / (double)ticks : 0,
        .load_average = noise->load_average,
        .cpus = (int)sysconf(_SC_NPROCESSORS_ONLN),
    };
    bench_verdict verdict = bench_noise_judge(&facts);
    return json_pack("{s:s, s:b, s:o, s:f, s:f, s:f, s:I, s:I, s:I}", "verdict", names[verdict],
                     "usable", verdict != BENCH_UNUSABLE, "reasons", bench_noise_reasons(&facts),
                     "spin_p90_to_p50", facts.spin_p90_to_p50, "steal_percent", facts.steal_percent,
                     "load_average_at_start", facts.load_average, "spin_count",
                     (json_int_t)spins.count, "spin_p50_ns", (json_int_t)spins.p50, "spin_max_ns",
                     (json_int_t)spins.max);
}

void bench_noise_release(bench_noise *noise)
{
    free(noise->spins_ns);
    *noise = (bench_noise){0};
}
