/* What one call leaves in memory for the next: torture_leftovers --count N. In each try a call
 * spreads a pattern over all kinds of memory; the next one looks for what is not zero in memory
 * that it is given, and the process's memory is searched from outside. Large calls leave it small.
 * All is tried again with the pages that a call wrote swapped out before they are restored, where
 * there is swap space, or can be made: torture_swap.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"
#include "torture_swap.h"

#define PATTERN_SIZE 24
#define CHUNK_SIZE ((size_t)1 << 20)
#define RESIDENT_SLACK_KIB ((size_t)8 << 10)
#define SETTLED 3 /* tries, after which a process has its size */
#define SEARCHED_EVERY 4

static const char source[] =
    "const text = new TextEncoder();\n"
    "const code = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 64, 7, 5, 1, 1, 109, 2, "
    "0]);\n"
    "const memory = () => new Uint8Array(new WebAssembly.Instance(\n"
    "  new WebAssembly.Module(code)).exports.m.buffer);\n"
    "const fill = (to, bytes) => { for (let i = 0; i + bytes.length <= to.length; i += "
    "bytes.length)\n"
    "  to.set(bytes, i); return to; };\n"
    "const kept = [];\n"
    "async function spread(pattern) {\n"
    "  const bytes = text.encode(pattern);\n"
    "  for (let i = 0; i < 2000; i++) kept.push({ i, [pattern + i]: pattern + i, l: [pattern] });\n"
    "  kept.push(new Map(kept.map(x => [pattern + x.i + 'k', x])));\n"
    "  for (const size of [24, 100, 1000, 5000, 70000, 300000, 3 << 20])\n"
    "    kept.push(fill(new Uint8Array(size), bytes), fill(new Uint8Array(size + 7), bytes));\n"
    "  kept.push(fill(memory(), bytes), (pattern + '\\u0416').repeat(1000));\n"
    "  const deep = n => n === 0 ? pattern : [deep(n - 1), pattern + n];\n"
    "  kept.push(JSON.stringify(deep(500)), JSON.parse(JSON.stringify(deep(500))));\n"
    "  new RegExp(`(${pattern}|x)+y`).exec(pattern.repeat(100));\n"
    "  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' },\n"
    "    true, ['sign']);\n"
    "  kept.push(await crypto.subtle.sign('HMAC', key, fill(new Uint8Array(10000), bytes)));\n"
    "  kept.push(await crypto.subtle.exportKey('jwk', key), atob(btoa(pattern.repeat(50))));\n"
    "  kept.push(new URL(`http://${pattern}.test/${pattern}?${pattern}#${pattern}`).href);\n"
    "  kept.push(new TextDecoder('utf-16le').decode(fill(new Uint8Array(4800), bytes)));\n"
    "  kept.push(structuredClone({ pattern, bytes }), new Blob([bytes, pattern]));\n"
    "  console.log(pattern.repeat(10));\n"
    "  return new Response(pattern.repeat(5000), { headers: { 'x-pattern': pattern } });\n"
    "}\n"
    "function isZero(bytes) {\n"
    "  const words = new Uint32Array(bytes.buffer);\n"
    "  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;\n"
    "  return true;\n"
    "}\n"
    "function look() {\n"
    "  for (const size of [8, 64, 500, 4096, 10000, 100000, 1 << 20, 8 << 20])\n"
    "    for (let i = 0; i < 4; i++)\n"
    "      if (!isZero(new Uint8Array(size))) return `buffer of ${size}`;\n"
    "  if (!isZero(memory())) return 'memory';\n"
    "  return kept.length === 0 ? 'clean' : 'kept';\n"
    "}\n"
    "export default { async fetch(request) {\n"
    "  const path = new URL(request.url).pathname;\n"
    "  if (path === '/spread') return spread(await request.text());\n"
    "  if (path === '/large') kept.push(new Uint8Array(100 << 20).fill(7));\n"
    "  return new Response(look());\n"
    "} };\n";

enum { FINDS, SPREAD, INSIDE, OUTSIDE, FLAT, PAGED, PROMISES };
static torture_promise promises[PROMISES] = {
    [FINDS] = {"a search finds the pattern in a process that keeps its memory"},
    [SPREAD] = {"a call that spreads a pattern is answered with it"},
    [INSIDE] = {"the next call is given zeroed memory alone"},
    [OUTSIDE] = {"the pattern is nowhere in the process's memory then"},
    [FLAT] = {"a call that takes 100 MB leaves the process as small as it was"},
    [PAGED] = {"pages that a call wrote were swapped out before the restore, which is as good"},
};

/* --- From outside --- */

/* What to look for, as V8 keeps strings: a byte a character, and two. */
typedef struct needle {
    char narrow[PATTERN_SIZE];
    char wide[2 * PATTERN_SIZE];
} needle;

static needle needle_of(const char *pattern)
{
    needle out = {{0}, {0}};
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        out.narrow[i] = out.wide[2 * i] = pattern[i];
    return out;
}

static bool chunk_has(const char *bytes, size_t size, const needle *what)
{
    return memmem(bytes, size, what->narrow, sizeof(what->narrow)) != NULL ||
           memmem(bytes, size, what->wide, sizeof(what->wide)) != NULL;
}

/* Reading a shared mapping makes its pages: messages, which are at the beginning, are all that is
 * in large ones. */
#define SHARED_SEARCHED ((unsigned long)2 << 20)

/* Chunks overlap, so that nothing is missed between two. */
static uint64_t search_range(int memory_fd, uint64_t start, uint64_t end, const needle *what)
{
    static char chunk[CHUNK_SIZE];
    while (start < end) {
        const size_t size = end - start < CHUNK_SIZE ? (size_t)(end - start) : CHUNK_SIZE;
        const ssize_t got = pread(memory_fd, chunk, size, (off_t)start);
        if (got <= 0) return 0; /* nothing is mapped there that anyone could read */
        if (chunk_has(chunk, (size_t)got, what)) return start;
        if (start + (uint64_t)got >= end) break;
        start += (uint64_t)got - sizeof(what->wide);
    }
    return 0;
}

/* Not the program's own text, which is large: nobody could write there. */
static bool is_searched(const char *line)
{
    char flags[5];
    if (sscanf(line, "%*x-%*x %4s", flags) != 1 || flags[0] != 'r') return false;
    return flags[1] == 'w' || strchr(line, '/') == NULL || strstr(line, "/memfd:") != NULL;
}

/* Of a process that waits. Returns whether it could be searched. */
static bool search_process(int id, const needle *what, uint64_t *found, char line[256])
{
    char path[64];
    unsigned long start;
    unsigned long end;
    char kind;
    *found = 0;
    snprintf(path, sizeof(path), "/proc/%d/mem", id);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/maps", id);
    FILE *maps = fd >= 0 ? fopen(path, "r") : NULL;
    while (maps != NULL && *found == 0 && fgets(line, 256, maps) != NULL)
        if (is_searched(line) && sscanf(line, "%lx-%lx %*c%*c%*c%c", &start, &end, &kind) == 3) {
            if (kind == 's' && end - start > SHARED_SEARCHED) end = start + SHARED_SEARCHED;
            *found = search_range(fd, start, end, what);
        }
    const bool searched = maps != NULL;
    if (maps != NULL) fclose(maps);
    if (fd >= 0) close(fd);
    return searched;
}

/* --- Tries --- */

static void make_pattern(char out[PATTERN_SIZE + 1])
{
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        out[i] = (char)('a' + restore_below(26));
    out[PATTERN_SIZE] = '\0';
}

static void try_look(snapcell_worker *worker, const char *path)
{
    char *answer;
    const int status = restore_fetch(worker, path, NULL, &answer, NULL);
    torture_try(&promises[INSIDE],
                status == SNAPCELL_OK &&
                    strcmp(answer, strcmp(path, "/large") == 0 ? "kept" : "clean") == 0,
                "%s: %s: %s", path, snapcell_error_name(status), answer != NULL ? answer : "");
    free(answer);
}

/* Only the look's answer shows that the spreading call is over, restore and all. */
static void try_pattern(snapcell_worker *worker, const restore_variant *variant)
{
    char pattern[PATTERN_SIZE + 1];
    char line[256];
    char *answer;
    uint64_t found;
    make_pattern(pattern);
    const int status = restore_fetch(worker, "/spread", pattern, &answer, NULL);
    torture_try(&promises[SPREAD],
                status == SNAPCELL_OK && strlen(answer) == PATTERN_SIZE * (size_t)5000 &&
                    strncmp(answer, pattern, PATTERN_SIZE) == 0,
                "%s", snapcell_error_name(status));
    free(answer);
    try_look(worker, "/");
    const needle what = needle_of(pattern);
    /* A sandboxed process can be read by root alone. */
    if (search_process(snapcell_worker_process_id(worker), &what, &found, line) ||
        variant->no_sandbox)
        torture_try(&promises[OUTSIDE], found == 0, "%s: after %#lx, in %s", variant->name,
                    (unsigned long)found, line);
}

static void try_large(snapcell_worker *worker, size_t resident_kib)
{
    try_look(worker, "/large");
    try_look(worker, "/");
    size_t now_kib;
    const bool is_small = restore_gets_small(snapcell_worker_process_id(worker),
                                             resident_kib + RESIDENT_SLACK_KIB, &now_kib);
    torture_try(&promises[FLAT], is_small, "%zu KiB, then %zu", resident_kib, now_kib);
}

static void try_worker(snapcell_worker *worker, const restore_variant *variant, unsigned long count)
{
    size_t resident_kib = 0;
    for (unsigned long i = 0; i < count; i++) {
        if (i < SETTLED || i % SEARCHED_EVERY == 0) try_pattern(worker, variant);
        const size_t now_kib = restore_resident_kib(snapcell_worker_process_id(worker));
        if (i <= SETTLED && now_kib > resident_kib) resident_kib = now_kib;
        if (i >= SETTLED) try_large(worker, resident_kib);
        torture_progress(i, count);
    }
}

static void try_group(snapcell_workers *workers, const restore_variant *variant,
                      unsigned long count)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = (uint64_t)256 << 20;
    snapcell_worker *worker = restore_load(workers, "leftovers", &options);
    try_worker(worker, variant, count);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}

/* --- Swapped out --- */

/* Memory is compared with what it was, too. */
static void try_paged_out(const char *store, const restore_variant *variant, unsigned long count)
{
    restore_lab lab;
    restore_lab_init(&lab);
    lab.report->checks_memory = lab.report->pages_out = true;
    try_group(restore_lab_open(&lab, store, variant), variant, count);
    torture_try(&promises[PAGED], lab.report->paged_out > 100 * count && lab.report->checks > count,
                "%s: %lu pages, %lu restores", variant->name, (unsigned long)lab.report->paged_out,
                (unsigned long)lab.report->checks);
    promises[PAGED].tries += lab.report->checks;
    fprintf(stderr, "%s: %lu pages were swapped out\n", variant->name,
            (unsigned long)lab.report->paged_out);
    restore_lab_release(&lab);
}

/* A search that finds nothing anywhere would be worth nothing. */
static void try_search(const char *store)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_workers *workers = NULL;
    char pattern[PATTERN_SIZE + 1];
    char line[256];
    char *answer;
    uint64_t found = 0;
    options.store_path = store;
    options.policy = SNAPCELL_WORKERS_KEEP;
    options.no_sandbox = true;
    if (snapcell_workers_open(&options, &workers, NULL) != SNAPCELL_OK) abort();
    snapcell_worker *worker = restore_load(workers, "leftovers", NULL);
    make_pattern(pattern);
    const int status = restore_fetch(worker, "/spread", pattern, &answer, NULL);
    const needle what = needle_of(pattern);
    torture_try(&promises[FINDS],
                status == SNAPCELL_OK &&
                    search_process(snapcell_worker_process_id(worker), &what, &found, line) &&
                    found != 0,
                "it was not found");
    free(answer);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 30);
    const char *store = fixture_new_store();
    restore_seed(options.seed);
    fixture_compile(&(fixture_function){"leftovers", source, NULL}, 1, NULL);
    try_search(store);
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_group(restore_open(store, &restore_variants[i]), &restore_variants[i],
                  1 + options.count / RESTORE_VARIANTS);
    const char *swap = torture_swap_begin();
    for (size_t i = 0; i < RESTORE_VARIANTS && swap != NULL; i++)
        try_paged_out(store, &restore_variants[i], 1 + options.count / RESTORE_VARIANTS / 4);
    if (swap != NULL) fprintf(stderr, "pages were swapped out to %s\n", swap);
    fixture_remove();
    return torture_report(promises, swap != NULL ? PROMISES : PAGED);
}
