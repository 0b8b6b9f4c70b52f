/* Functions that try to leave something for the next call, or to break the restore of their
 * worker's memory (attacks/attacks.js): torture_attacks --count N. After each, all memory of the
 * worker is compared with what it was, the next call is answered as the first one was, and the
 * process lives on. Some attacks are cut at a random moment, too. $SNAPCELL_EXPECTED_TIER: of this
 * machine, or of what a test has left of it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"

#define SOURCE_SIZE_MAX ((size_t)128 << 10)
#define ATTACKS_MAX 128
#define MOMENT_NS_MAX 30000000u
/* Long enough for the calls that are not attacks, on a machine that others use. */
#define CPU_LIMIT_MS 60
#define WALL_LIMIT_MS 2000
/* One in so many attacks is cut. */
#define CUT_EVERY 3

enum { TIER, FINDS, ENDS, SAME, NEXT, ALIVE, PROMISES };
static torture_promise promises[PROMISES] = {
    [TIER] = {"the tier is the best that there is"},
    [FINDS] = {"a byte that differs after a restore is found"},
    [ENDS] = {"an attack ends with an answer, an error of its own, or that of a limit"},
    [SAME] = {"after a restore all memory is as it was, and what the kernel holds"},
    [NEXT] = {"the call after an attack is answered as the first one was"},
    [ALIVE] = {"it is answered by the same process"},
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
    char *answer;
    if (restore_fetch(worker, "/names", NULL, &answer, NULL) != SNAPCELL_OK ||
        strlen(answer) >= sizeof(attack_names))
        exit(2);
    strcpy(attack_names, answer);
    free(answer);
    char *rest = attack_names;
    for (char *name; (name = strsep(&rest, ",")) != NULL && attack_count < ATTACKS_MAX;)
        attacks[attack_count++] = name;
}

/* --- Tries --- */

typedef struct victim {
    const restore_variant *variant;
    snapcell_worker *worker;
    char *first_answer; /* Owned */
    int process_id;
} victim;

typedef struct order {
    snapcell_worker *worker;
    long moment_ns;
} order;

static void *cancel_later(void *argument)
{
    const order *it = argument;
    nanosleep(&(struct timespec){.tv_nsec = it->moment_ns}, NULL);
    snapcell_worker_cancel(it->worker);
    return NULL;
}

static bool is_expected(int status)
{
    return status == SNAPCELL_OK || status == SNAPCELL_E_SCRIPT || status == SNAPCELL_E_CANCELLED ||
           status == SNAPCELL_E_CPU_LIMIT || status == SNAPCELL_E_WALL_LIMIT ||
           status == SNAPCELL_E_MEMORY_LIMIT || status == SNAPCELL_E_RESPONSE_LIMIT;
}

static void attack(victim *of, const char *name)
{
    char url[128];
    char *answer;
    snapcell_error err = {0};
    pthread_t orderer;
    order it = {of->worker, (long)restore_below(MOMENT_NS_MAX)};
    const bool is_cut = restore_below(CUT_EVERY) == 0;
    snprintf(url, sizeof(url), "/%s", name);
    if (is_cut && pthread_create(&orderer, NULL, cancel_later, &it) != 0) abort();
    const int status = restore_fetch(of->worker, url, NULL, &answer, &err);
    if (is_cut) pthread_join(orderer, NULL);
    torture_try(&promises[ENDS], is_expected(status), "%s, %s%s: %s", name, of->variant->name,
                is_cut ? ", cut" : "", err.message);
    free(answer);
}

static void look(victim *of, const char *name)
{
    char *answer;
    snapcell_error err = {0};
    const int status = restore_fetch(of->worker, "/", "body", &answer, &err);
    const int id = snapcell_worker_process_id(of->worker);
    torture_try(&promises[NEXT], status == SNAPCELL_OK && strcmp(answer, of->first_answer) == 0,
                "%s, %s: %s%.500s, not %.500s", name, of->variant->name, err.message,
                answer != NULL ? answer : "", of->first_answer);
    torture_try(&promises[ALIVE], id == of->process_id, "%s, %s: %d, not %d", name,
                of->variant->name, id, of->process_id);
    of->process_id = id;
    free(answer);
}

static void victim_load(victim *out, snapcell_workers *workers, const restore_variant *variant)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_error err;
    options.memory_limit_bytes = (uint64_t)64 << 20;
    options.cpu_limit_ms = CPU_LIMIT_MS;
    options.wall_limit_ms = WALL_LIMIT_MS;
    out->variant = variant;
    out->worker = restore_load(workers, "attacks", &options);
    out->process_id = snapcell_worker_process_id(out->worker);
    if (attack_count == 0) list_attacks(out->worker);
    if (restore_fetch(out->worker, "/", "body", &out->first_answer, &err) == SNAPCELL_OK) return;
    fprintf(stderr, "a first call: %s\n", err.message);
    exit(2);
}

/* Each attack in turn, begun where the variant before left off. */
static void try_variant(const restore_lab *lab, const char *store, const restore_variant *variant,
                        unsigned long count)
{
    static unsigned long at;
    snapcell_workers *workers = restore_lab_open(lab, store, variant);
    victim it = {0};
    victim_load(&it, workers, variant);
    for (unsigned long i = 0; i < count; i++, at++) {
        const char *name = attacks[at % attack_count];
        attack(&it, name);
        look(&it, name);
        torture_progress(i, count);
    }
    const snapcell_workers_counts counts = restore_counts(workers);
    torture_try(&promises[SAME],
                counts.restores > count && counts.deaths == 0 && counts.anomalies == 0 &&
                    counts.fallbacks == 0,
                "%s: %lu restores, %lu deaths, %lu anomalies", variant->name,
                (unsigned long)counts.restores, (unsigned long)counts.deaths,
                (unsigned long)counts.anomalies);
    snapcell_worker_free(it.worker);
    free(it.first_answer);
    snapcell_workers_close(workers);
}

/* A comparison that finds nothing anywhere would be worth nothing. */
static void try_spoiled(const restore_lab *lab, const char *store, const restore_variant *variant)
{
    snapcell_workers *workers = restore_lab_open(lab, store, variant);
    snapcell_worker *worker = restore_load(workers, "attacks", NULL);
    char *answers[2];
    snapcell_error err = {0};
    lab->report->spoils_memory = true;
    restore_fetch(worker, "/", NULL, &answers[0], NULL);
    restore_fetch(worker, "/", NULL, &answers[1], &err);
    lab->report->spoils_memory = false;
    torture_try(&promises[FINDS], restore_counts(workers).deaths > 0, "%s: %s", variant->name,
                err.message);
    free(answers[0]);
    free(answers[1]);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
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
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_spoiled(&lab, store, &restore_variants[i]);
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_variant(&lab, store, &restore_variants[i], 1 + options.count / RESTORE_VARIANTS);
    /* A worker in which they differ ends: what is counted are those that went well. */
    promises[SAME].tries += lab.report->checks;
    fprintf(stderr, "%lu pages were compared\n", (unsigned long)lab.report->pages);
    restore_lab_release(&lab);
    fixture_remove();
    return torture_report(promises, PROMISES);
}
