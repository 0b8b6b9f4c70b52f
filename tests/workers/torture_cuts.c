/* Calls that are cut at random moments, by orders from another thread and by limits of time, in the
 * middle of what V8, malloc and the engine's natives do: torture_cuts --count N. The next call is
 * answered right each time, by the same process, which stays as small as it was. */
#include <stdlib.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"

/* What the pieces of work take, and more. */
#define MOMENT_NS_MAX 6000000u
#define RESIDENT_SLACK_KIB ((size_t)8 << 10)
/* A process has its size after so many calls. */
#define SETTLED 10

static const char source[] =
    "const kept = { count: 0, list: Array.from({ length: 500 }, (_, i) => `item ${i}`) };\n"
    "const code = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, "
    "1,\n"
    "  0, 5, 3, 1, 0, 16, 7, 5, 1, 1, 102, 0, 0, 10, 27, 1, 25, 1, 1, 127, 3, 64, 32, 1, 32, 0, "
    "106,\n"
    "  33, 1, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 1, 11]);\n"
    "const sum = n => new WebAssembly.Instance(new WebAssembly.Module(code)).exports.f(n);\n"
    "const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "const work = {\n"
    "  allocate() { const all = []; for (let i = 0; i < 3e4; i++) all.push({ i, s: 'x' + i });\n"
    "    kept.list = all; },\n"
    "  collect() { for (let i = 0; i < 200; i++) { kept.list[i] = new Array(3000).fill({}); } },\n"
    "  buffers() { const all = []; for (let i = 0; i < 300; i++)\n"
    "    all.push(new Uint8Array(1000 + i * 400).fill(i)); },\n"
    "  regexp() { for (let i = 0; i < 60; i++)\n"
    "    new RegExp(`(a|b${i})*(c+|d{2,${i + 3}})[^x-z]`, 'iu').exec('ab'.repeat(500)); },\n"
    "  json() { const t = JSON.stringify(kept.list.map((x, i) => ({ i, x: String(x) })));\n"
    "    for (let i = 0; i < 30; i++) kept.list = JSON.parse(t); },\n"
    "  wasm() { for (let i = 0; i < 10; i++) sum(100000 + i); },\n"
    "  async crypto() { for (let i = 0; i < 20; i++) {\n"
    "    const k = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true,\n"
    "      ['sign', 'verify']);\n"
    "    await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, k.privateKey, code); } },\n"
    "  compile() { for (let i = 0; i < 100; i++)\n"
    "    new RegExp('x'.repeat(i)).test('x'); for (let i = 0; i < 3e5; i++) work.hot(i); },\n"
    "  hot(i) { kept.count += i & 7; },\n"
    "  strings() { let s = ''; for (let i = 0; i < 2e4; i++) s += i; \n"
    "    kept.list = s.split('1').sort(); },\n"
    "  text() { for (let i = 0; i < 50; i++) new TextDecoder().decode(\n"
    "    new TextEncoder().encode('\\u00e9'.repeat(5000))); },\n"
    "  recurse() { const f = n => n === 0 ? 0 : 1 + f(n - 1); for (let i = 0; i < 50; i++) "
    "f(5000); },\n"
    "  log() { for (let i = 0; i < 50; i++) console.log('l'.repeat(1000)); },\n"
    "};\n"
    "export default { async fetch(request) {\n"
    "  const name = new URL(request.url).pathname.slice(1);\n"
    "  if (name in work) { for (let i = 0; i < 50; i++) await work[name](); }\n"
    "  const digest = await crypto.subtle.digest('SHA-256', code);\n"
    "  if (name !== 'warm') kept.count++;\n" /* which is repeated, and leaves what it changes */
    "  return new Response([kept.count, kept.list.length, kept.list[499], sum(1000),\n"
    "    JSON.stringify(JSON.parse('{\"a\":[1,2,{\"b\":null}]}')), hex(digest).slice(0, 16),\n"
    "    /(a+)b/.exec('aaab')[1], await request.text()].join());\n"
    "} };\n";

static const char *const works[] = {"/allocate", "/collect", "/buffers", "/regexp",
                                    "/json",     "/wasm",    "/crypto",  "/compile",
                                    "/strings",  "/text",    "/recurse", "/log"};
#define WORKS (sizeof(works) / sizeof(*works))

enum { CUT, NEXT, ALIVE, FLAT, COUNTED, PROMISES };
static torture_promise promises[PROMISES] = {
    [CUT] = {"a call that is cut gives the error of what cut it"},
    [NEXT] = {"the call after it is answered as the first one was"},
    [ALIVE] = {"it is answered by the same process"},
    [FLAT] = {"the process is as small as it was"},
    [COUNTED] = {"cuts are counted, and there is no anomaly"},
};

/* --- Who cuts --- */

typedef enum cutter { BY_ORDER, BY_CPU, BY_WALL, CUTTERS } cutter;
static const int cut_errors[CUTTERS] = {SNAPCELL_E_CANCELLED, SNAPCELL_E_CPU_LIMIT,
                                        SNAPCELL_E_WALL_LIMIT};

typedef struct victim {
    restore_victim it;
    size_t resident_kib;
    unsigned long calls;
} victim;

/* --- Tries --- */

static void victim_load(victim *out, snapcell_workers *workers, cutter by)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    /* Long enough for the calls that are not to be cut, on a machine that others use. */
    if (by == BY_CPU) options.cpu_limit_ms = 60;
    if (by == BY_WALL) options.wall_limit_ms = 250;
    out->it = restore_victim_new(restore_load(workers, "cuts", &options));
}

static void check_next(victim *of, const char *what)
{
    restore_victim_look(&of->it, &promises[NEXT], &promises[ALIVE], what);
    const int id = of->it.process_id;
    size_t now_kib = restore_resident_kib(id);
    if (of->calls++ < SETTLED && now_kib > of->resident_kib) of->resident_kib = now_kib;
    if (of->calls > SETTLED)
        torture_try(&promises[FLAT],
                    restore_gets_small(id, of->resident_kib + RESIDENT_SLACK_KIB, &now_kib),
                    "after %s: %zu KiB, then %zu", what, of->resident_kib, now_kib);
}

static void try_cut(victim *of, cutter by)
{
    const char *work = works[restore_below(WORKS)];
    restore_cut cut;
    char *answer;
    if (by == BY_ORDER) restore_cut_begin(&cut, of->it.worker, MOMENT_NS_MAX);
    const int status = restore_fetch(of->it.worker, work, "", &answer, NULL);
    if (by == BY_ORDER) restore_cut_end(&cut);
    torture_try(&promises[CUT], status == cut_errors[by] || status == SNAPCELL_OK, "%s: %s, not %s",
                work, snapcell_error_name(status), snapcell_error_name(cut_errors[by]));
    free(answer);
    check_next(of, work);
}

/* Limits of time are whole milliseconds, and long, so that orders are tried far more often. */
static cutter choose_cutter(void)
{
    const uint32_t of = restore_below(20);
    return of == 0 ? BY_WALL : of < 3 ? BY_CPU : BY_ORDER;
}

static void try_variant(const char *store, const restore_variant *variant, unsigned long count)
{
    snapcell_workers *workers = restore_open(store, variant);
    victim victims[CUTTERS] = {0};
    for (int by = 0; by < CUTTERS; by++)
        victim_load(&victims[by], workers, (cutter)by);
    for (unsigned long i = 0; i < count; i++) {
        const cutter by = choose_cutter();
        try_cut(&victims[by], by);
        torture_progress(i, count);
    }
    const snapcell_workers_counts counts = restore_counts(workers);
    torture_try(&promises[COUNTED], counts.cuts > 0 && counts.anomalies == 0 && counts.deaths == 0,
                "%s: %lu cuts, %lu anomalies, %lu deaths", variant->name,
                (unsigned long)counts.cuts, (unsigned long)counts.anomalies,
                (unsigned long)counts.deaths);
    for (int by = 0; by < CUTTERS; by++)
        restore_victim_free(&victims[by].it);
    snapcell_workers_close(workers);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 120);
    const char *store = fixture_new_store();
    restore_seed(options.seed);
    fixture_compile_warm(&(fixture_function){"cuts", source, NULL}, 1, "/warm");
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_variant(store, &restore_variants[i], 1 + options.count / RESTORE_VARIANTS);
    fixture_remove();
    return torture_report(promises, PROMISES);
}
