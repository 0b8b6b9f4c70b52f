/* Each system call that a worker makes from one answer to the next fails, one at a time, no matter
 * who makes it: torture_faults --count N. The worker ends, or goes on with all its memory as it
 * should be; what is served is right in any case. Each try is a process of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"

/* Changes mappings, writes to many pages, and leaves what the next answer would show. */
static const char source[] =
    "const code = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 4, 7, 5, 1, 1, 109, 2, "
    "0]);\n"
    "const { m } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;\n"
    "const kept = []; let count = 0;\n"
    "export default { fetch(request) {\n"
    "  const path = new URL(request.url).pathname;\n"
    "  if (path === '/dirty') {\n"
    "    for (let i = 0; i < 2000; i++) kept.push({ i, s: `s${i}` });\n"
    "    for (let i = 0; i < 30; i++) kept.push(new Uint8Array(200000).fill(i));\n"
    "    kept.push(new Uint8Array(9 << 20).fill(1)); m.grow(20);\n"
    "    new Uint8Array(m.buffer).fill(7);\n"
    "  }\n"
    "  return new Response([++count, kept.length, m.buffer.byteLength,\n"
    "    new Uint8Array(m.buffer).reduce((a, b) => a | b), new Uint8Array(70000)[69999]].join());\n"
    "} };\n";
static const char right_answer[] = "1,0,262144,0,0";

/* The calls before the one whose end is looked at. */
#define DIRTY_ROUND 3
static const int faults[] = {ENOMEM, EPERM, EINTR, EAGAIN};
#define FAULTS (sizeof(faults) / sizeof(*faults))

enum { EACH, RIGHT, ENDS, KNOWN, PROMISES };
static torture_promise promises[PROMISES] = {
    [EACH] = {"each system call from one answer to the next was made to fail"},
    [RIGHT] = {"what is served then is right"},
    [ENDS] = {"a restore in which one fails ends the process, or has restored all memory"},
    [KNOWN] = {"a process that could not restore is counted, and replaced"},
};

/* --- Tries --- */

typedef struct outcome {
    int status;
    bool is_right; /* or there is none */
    snapcell_error error;
} outcome;

static outcome ask(snapcell_worker *worker, const char *url)
{
    outcome out = {.is_right = true};
    char *answer;
    out.status = restore_fetch(worker, url, NULL, &answer, &out.error);
    if (out.status == SNAPCELL_OK && strcmp(url, "/") == 0)
        out.is_right = strcmp(answer, right_answer) == 0;
    free(answer);
    return out;
}

/* What came of the call that went wrong, and of those after it. */
static void judge(const restore_lab *lab, const restore_variant *variant, snapcell_worker *worker,
                  snapcell_workers *workers)
{
    const outcome hit = ask(worker, "/");
    const uint32_t at = lab->report->fault_at;
    const bool was_hit = lab->report->faults > 0;
    /* Rounds differ by a call or two; where this one had fewer, there was nothing to hit. */
    const bool was_there = was_hit || lab->report->call_count >= at;
    const bool was_restoring = lab->report->failed_restoring;
    const int number = at <= LAB_CALLS_MAX ? lab->report->calls[at - 1] : -1;
    lab->report->fault_at = 0;
    const outcome after[] = {ask(worker, "/"), ask(worker, "/dirty"), ask(worker, "/")};
    /* A call that is on its way when the process ends is told so; what ends it may be what went
     * wrong after the one before. */
    const bool next_died = hit.status == SNAPCELL_OK && after[0].status == SNAPCELL_E_WORKER_DIED;
    bool is_right = hit.is_right;
    for (size_t i = next_died ? 1 : 0; i < 3; i++)
        is_right = is_right && after[i].status == SNAPCELL_OK && after[i].is_right;
    const snapcell_workers_counts counts = restore_counts(workers);
    const char *name = strerrorname_np(lab->report->fault_errno);
    if (was_there)
        torture_try(&promises[EACH], was_hit, "%s: call %u, %d", variant->name, at, number);
    torture_try(&promises[RIGHT], is_right, "%s: call %u, %d, gives %s: %s; then %s", variant->name,
                at, number, name, hit.error.message, after[0].error.message);
    torture_try(&promises[ENDS],
                strstr(hit.error.message, "lab:") == NULL &&
                    strstr(after[0].error.message, "lab:") == NULL,
                "%s: call %u, %d, gives %s: %s %s", variant->name, at, number, name,
                hit.error.message, after[0].error.message);
    /* Where memory is looked at between calls, what goes wrong is an anomaly as well. */
    torture_try(&promises[KNOWN],
                counts.deaths + 1 == counts.starts && counts.anomalies <= counts.deaths &&
                    (!was_restoring || counts.anomalies == counts.deaths),
                "%s: call %u, %d, gives %s: %lu deaths, %lu starts, %lu anomalies", variant->name,
                at, number, name, (unsigned long)counts.deaths, (unsigned long)counts.starts,
                (unsigned long)counts.anomalies);
    if (getenv("TORTURE_VERBOSE") != NULL)
        fprintf(stderr, "%s: call %u, %d, gives %s: %s, %s, %lu deaths, %lu anomalies\n",
                variant->name, at, number, name, was_restoring ? "restoring" : "else",
                snapcell_error_name(hit.status), (unsigned long)counts.deaths,
                (unsigned long)counts.anomalies);
}

/* Returns how many system calls there are in the round. */
static uint32_t try_fault(const restore_lab *lab, const char *store, const restore_variant *variant,
                          uint32_t at, int error)
{
    snapcell_workers *workers = restore_lab_open(lab, store, variant);
    lab->report->fault_at = at;
    lab->report->fault_errno = error;
    lab->report->faults = 0;
    lab->report->failed_restoring = false;
    snapcell_worker *worker = restore_load(workers, "faults", NULL);
    const outcome before[] = {ask(worker, "/"), ask(worker, "/dirty")};
    if (before[0].status != SNAPCELL_OK || before[1].status != SNAPCELL_OK) {
        fprintf(stderr, "%s: %s%s\n", variant->name, before[0].error.message,
                before[1].error.message);
        exit(2);
    }
    if (at > 0)
        judge(lab, variant, worker, workers);
    else
        ask(worker, "/");
    const uint32_t count = lab->report->call_count;
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    return count;
}

/* The calls of one round, all or as many as are left to try, spread over it. */
static void try_variant(const restore_lab *lab, const char *store, const restore_variant *variant,
                        unsigned long count)
{
    const uint32_t calls = try_fault(lab, store, variant, 0, 0);
    if (calls < 10) {
        fprintf(stderr, "%s: only %u system calls\n", variant->name, calls);
        exit(2);
    }
    const uint32_t begin = restore_below(calls);
    for (unsigned long i = 0; i < count && i < calls * FAULTS; i++)
        try_fault(lab, store, variant, 1 + (begin + (uint32_t)i) % calls, faults[i / calls]);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 120);
    const char *store = fixture_new_store();
    restore_lab lab;
    restore_lab_init(&lab);
    lab.report->checks_memory = true;
    lab.report->watches_calls = true;
    lab.report->fault_round = DIRTY_ROUND;
    restore_seed(options.seed);
    fixture_compile(&(fixture_function){"faults", source, NULL}, 1, NULL);
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_variant(&lab, store, &restore_variants[i], 1 + options.count / RESTORE_VARIANTS);
    restore_lab_release(&lab);
    fixture_remove();
    return torture_report(promises, PROMISES);
}
