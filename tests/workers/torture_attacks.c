/* Functions that try to leave something for the next call, or to break the restore of their
 * worker's memory (attacks/attacks.js): torture_attacks --count N. After each, all memory of the
 * worker is compared with what it was, the next call is answered as the first one was, and the
 * process lives on. Some attacks are cut at a random moment, too. $SNAPCELL_EXPECTED_TIER: of this
 * machine, or of what a test has left of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"

#define SOURCE_SIZE_MAX ((size_t)128 << 10)
#define ATTACKS_MAX 128
#define MOMENT_NS_MAX 30000000u
/* Long enough for the calls that are not attacks, some 15 ms of CPU, on a slow machine that others
 * use as well. */
#define CPU_LIMIT_MS 500
#define WALL_LIMIT_MS 20000
/* One in so many attacks is cut. */
#define CUT_EVERY 3

/* How a worker begins. */
typedef enum start { LOADED, LAUNCHED } start;

enum { TIER, FINDS, ENDS, NEXT, ALIVE, SAME, SAME_LAUNCHED, PROMISES };
static torture_promise promises[PROMISES] = {
    [TIER] = {"the tier is the best that there is"},
    [FINDS] = {"a byte that differs after a restore is found"},
    [ENDS] = {"an attack ends with an answer, an error of its own, or that of a limit"},
    [NEXT] = {"the call after an attack is answered as the first one was"},
    [ALIVE] = {"it is answered by the same process"},
    [SAME] = {"after a restore all memory is as it was, and what the kernel holds"},
    [SAME_LAUNCHED] = {"so it is in a worker that was launched from an image"},
};

static char source[SOURCE_SIZE_MAX];
static char attack_names[8192];
static const char *attacks[ATTACKS_MAX];
static unsigned attack_count;

/* --- The function --- */

static void read_source(void)
{
    FILE *file = fopen(ATTACKS_DIR "/attacks.js", "r");
    if (file == NULL || fread(source, 1, sizeof(source) - 1, file) == 0) {
        fprintf(stderr, "cannot read %s/attacks.js\n", ATTACKS_DIR);
        exit(2);
    }
    fclose(file);
}

static void list_attacks(snapcell_worker *worker)
{
    char *answer = restore_ask(worker, "/names", NULL);
    if (strlen(answer) >= sizeof(attack_names)) exit(2);
    strcpy(attack_names, answer);
    free(answer);
    char *rest = attack_names;
    for (char *name; (name = strsep(&rest, ",")) != NULL && attack_count < ATTACKS_MAX;)
        attacks[attack_count++] = name;
}

/* --- Tries --- */

static bool is_expected(int status)
{
    return status == SNAPCELL_OK || status == SNAPCELL_E_SCRIPT || status == SNAPCELL_E_CANCELLED ||
           status == SNAPCELL_E_CPU_LIMIT || status == SNAPCELL_E_WALL_LIMIT ||
           status == SNAPCELL_E_MEMORY_LIMIT || status == SNAPCELL_E_RESPONSE_LIMIT;
}

static void attack(const restore_victim *of, const char *name, const char *variant)
{
    char url[128];
    char *answer;
    snapcell_error err = {0};
    restore_cut cut;
    const bool is_cut = restore_below(CUT_EVERY) == 0;
    snprintf(url, sizeof(url), "/%s", name);
    if (is_cut) restore_cut_begin(&cut, of->worker, MOMENT_NS_MAX);
    const int status = restore_fetch(of->worker, url, NULL, &answer, &err);
    if (is_cut) restore_cut_end(&cut);
    torture_try(&promises[ENDS], is_expected(status), "%s, %s%s: %s", name, variant,
                is_cut ? ", cut" : "", err.message);
    free(answer);
}

static snapcell_worker *load(snapcell_workers *workers, start how)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = (uint64_t)64 << 20;
    options.cpu_limit_ms = CPU_LIMIT_MS;
    options.wall_limit_ms = WALL_LIMIT_MS;
    return how == LAUNCHED ? restore_launch(workers, "attacks", &options)
                           : restore_load(workers, "attacks", &options);
}

/* Each attack in turn, begun where the one before left off. */
static void try_attacks(restore_victim *of, const char *variant, unsigned long count)
{
    static unsigned long at;
    char what[256];
    if (attack_count == 0) list_attacks(of->worker);
    for (unsigned long i = 0; i < count; i++, at++) {
        const char *name = attacks[at % attack_count];
        attack(of, name, variant);
        snprintf(what, sizeof(what), "%s, %s", name, variant);
        restore_victim_look(of, &promises[NEXT], &promises[ALIVE], what);
        torture_progress(i, count);
    }
}

/* False: this machine makes no images. A worker whose memory differs ends: what is counted are the
 * restores that went well. */
static bool try_variant(const restore_lab *lab, const char *store, const restore_variant *variant,
                        start how, unsigned long count)
{
    snapcell_workers *workers = restore_lab_open(lab, store, variant);
    snapcell_worker *worker = load(workers, how);
    if (worker != NULL) {
        restore_victim it = restore_victim_new(worker);
        try_attacks(&it, variant->name, count);
        const snapcell_workers_counts counts = restore_counts(workers);
        torture_try(&promises[SAME + how],
                    counts.restores > count && counts.deaths == 0 && counts.anomalies == 0 &&
                        counts.fallbacks == 0,
                    "%s: %lu restores, %lu deaths, %lu anomalies", variant->name,
                    (unsigned long)counts.restores, (unsigned long)counts.deaths,
                    (unsigned long)counts.anomalies);
        promises[SAME + how].tries += counts.restores;
        restore_victim_free(&it);
    }
    snapcell_workers_close(workers);
    return worker != NULL;
}

/* A comparison that finds nothing anywhere would be worth nothing. False: as above. */
static bool try_spoiled(const restore_lab *lab, const char *store, const restore_variant *variant,
                        start how)
{
    snapcell_workers *workers = restore_lab_open(lab, store, variant);
    lab->report->spoils_launched = true; /* what an image has of the report is what there was */
    snapcell_worker *worker = load(workers, how);
    lab->report->spoils_memory = how == LOADED;
    if (worker != NULL) {
        char *answer;
        snapcell_error err = {0};
        for (int i = 0; i < 2; i++) {
            restore_fetch(worker, "/", NULL, &answer, &err);
            free(answer);
        }
        torture_try(&promises[FINDS], restore_counts(workers).deaths > 0, "%s: %s", variant->name,
                    err.message);
    }
    lab->report->spoils_memory = lab->report->spoils_launched = false;
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    return worker != NULL;
}

static void try_tier(void)
{
    const char *expected = getenv("SNAPCELL_EXPECTED_TIER");
    const snapcell_restore_tier tier = snapcell_restore_probe();
    torture_try(&promises[TIER],
                expected != NULL ? tier == (snapcell_restore_tier)atoi(expected)
                                 : tier != SNAPCELL_RESTORE_NONE,
                "%d, not %s", (int)tier, expected);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 120);
    const char *store = fixture_new_store();
    restore_lab lab;
    restore_lab_init(&lab);
    lab.report->checks_memory = true;
    restore_seed(options.seed);
    read_source();
    fixture_compile_warm(&(fixture_function){"attacks", source, NULL}, 1, "/warm");
    try_tier();
    bool launches = true;
    for (size_t i = 0; i < RESTORE_VARIANTS; i++) {
        try_spoiled(&lab, store, &restore_variants[i], LOADED);
        launches = launches && try_spoiled(&lab, store, &restore_variants[i], LAUNCHED);
    }
    const unsigned long count = 1 + options.count / RESTORE_VARIANTS / 2;
    for (size_t i = 0; i < RESTORE_VARIANTS; i++) {
        try_variant(&lab, store, &restore_variants[i], LOADED, count);
        if (launches) try_variant(&lab, store, &restore_variants[i], LAUNCHED, count);
    }
    if (!launches) fprintf(stderr, "nothing is launched: no images are made without pagemap\n");
    fprintf(stderr, "%lu pages were compared\n", (unsigned long)lab.report->pages);
    restore_lab_release(&lab);
    fixture_remove();
    return torture_report(promises, launches ? PROMISES : SAME_LAUNCHED);
}
