/* What tenants try, many times: torture_limits --count N. Each try is ended by its limit, with the
 * limit's error, while another thread loads and calls. Being late is reported as a failure of
 * its promise, and does not make the status: that must not hang on how busy the machine is. */
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "fixture.h"
#include "monotonic.h"

#define CPU_LIMIT_MS 30
#define LATE_MS_MAX 10
#define MEMORY_LIMIT_MB 32

static const char source[] =
    "const tries = {\n"
    "  forever() { for (;;); },\n"
    "  finally() { for (;;) { try { for (;;); } finally { continue; } } },\n"
    "  generators: async () => { async function* g() { for (;;)\n"
    "      try { yield 1; } finally { continue; } } for await (const x of g()); },\n"
    "  regex() { /^(a+)+$/.test('a'.repeat(50) + 'b'); },\n"
    "  microtasks: async () => { const again = () => Promise.resolve().then(again);\n"
    "      await again(); },\n"
    "  sort() { const a = Array.from({ length: 2e5 }, (_, i) => (i * 7919) % 1000003);\n"
    "      for (;;) a.sort((x, y) => Math.sin(x) - Math.sin(y)); },\n"
    "  proxy() { const p = new Proxy({}, { get: (t, k, r) => r[k + 'x'] });\n"
    "      for (;;) try { p.a; } catch {} },\n"
    "  recursion() { const f = () => f() + 1; for (;;) try { f(); } catch {} },\n"
    "  unwinding() { const f = () => { try { f(); } finally { f(); } }; f(); },\n"
    "  toString() { const o = { toString: () => '' + o }; for (;;) try { '' + o; } catch {} },\n"
    "  json() { let o = []; for (let i = 0; i < 1e5; i++) o = [o];\n"
    "      for (;;) try { JSON.stringify(o); } catch {} },\n"
    "  heap() { const k = []; for (;;) k.push({ a: [1, 2, 3] }); },\n"
    "  strings() { let s = 'x'; const k = []; for (;;) k.push(s + k.length); },\n"
    "  caught() { const k = []; for (;;) try { for (;;) k.push(new Array(1000).fill({})); }\n"
    "      catch {} },\n"
    "  spread() { let a = [0]; for (;;) a = [...a, ...a]; },\n"
    "  buffers() { const k = []; for (;;) k.push(new ArrayBuffer(1 << 20)); },\n"
    "  fatal() { 'a'.repeat(2 ** 28).split(''); },\n"
    "  array() { new Array(2 ** 26).fill(0); },\n"
    "  native() { ('a'.repeat(2e7) + 'b').lastIndexOf('a'.repeat(1e6) + 'c'); },\n"
    "};\n"
    "export default { async fetch(request) {\n"
    "  const path = new URL(request.url).pathname.slice(1);\n"
    "  if (path !== '') await tries[path]();\n"
    "  return new Response('fine');\n"
    "} };\n";

/* --- The neighbour --- */

static snapcell_loader *loader;
static atomic_bool neighbour_stops;
static unsigned long neighbour_loads;
static unsigned long neighbour_failures;

static bool call_is_well(void)
{
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    bool well = snapcell_cell_load(loader, "tries", NULL, &cell, NULL) == SNAPCELL_OK &&
                snapcell_cell_fetch(cell, NULL, &response, NULL) == SNAPCELL_OK &&
                strcmp(snapcell_response_body(response, NULL), "fine") == 0;
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
    return well;
}

static void *neighbour_main(void *unused)
{
    (void)unused;
    while (!atomic_load(&neighbour_stops)) {
        neighbour_loads++;
        if (!call_is_well()) neighbour_failures++;
        nanosleep(&(struct timespec){.tv_nsec = 5 * (long)NS_PER_MS}, NULL);
    }
    return NULL;
}

/* --- In this process --- */

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* One try; its code, and the thread's CPU time for it. */
static int try_here(const char *path, const snapcell_cell_options *options, double *used_ms)
{
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = path;
    int status = snapcell_cell_load(loader, "tries", options, &cell, NULL);
    double start = cpu_ms();
    if (status == SNAPCELL_OK) status = snapcell_cell_fetch(cell, &request, &response, NULL);
    *used_ms = cpu_ms() - start;
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
    return status;
}

typedef struct trial {
    const char *promise;
    const char *paths[12];
    uint32_t cpu_limit_ms;
    uint64_t memory_limit_bytes;
    int code;
} trial;

static const trial trials[] = {
    {"CPU time ends what does not end",
     {"/forever", "/finally", "/generators", "/regex", "/microtasks", "/sort", "/proxy",
      "/recursion", "/unwinding", "/toString", "/json"},
     CPU_LIMIT_MS,
     0,
     SNAPCELL_E_CPU_LIMIT},
    {"memory ends what grows",
     {"/heap", "/strings", "/caught", "/spread", "/buffers"},
     0,
     (uint64_t)MEMORY_LIMIT_MB << 20,
     SNAPCELL_E_MEMORY_LIMIT},
};

static unsigned long timed_tries;
static unsigned long late_tries;

static unsigned long try_path(const trial *one, const char *path, unsigned long count)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = one->cpu_limit_ms;
    options.memory_limit_bytes = one->memory_limit_bytes;
    unsigned long failures = 0;
    unsigned long late = 0;
    double latest_ms = 0;
    for (unsigned long i = 0; i < count; i++) {
        double used_ms;
        int status = try_here(path, &options, &used_ms);
        if (status != one->code) {
            failures++;
            fprintf(stderr, "%s: %s, not %s\n", path, snapcell_error_name(status),
                    snapcell_error_name(one->code));
        }
        double late_ms = used_ms - one->cpu_limit_ms;
        if (late_ms > LATE_MS_MAX) late++;
        if (late_ms > latest_ms) latest_ms = late_ms;
    }
    if (one->cpu_limit_ms == 0) return failures;
    fprintf(stderr, "%s: at most %.1f ms of CPU late; %lu of %lu more than %d ms\n", path,
            latest_ms, late, count, LATE_MS_MAX);
    timed_tries += count;
    late_tries += late;
    return failures;
}

static unsigned long run_trial(const trial *one, unsigned long count)
{
    unsigned long failures = 0;
    unsigned long tries = 0;
    for (size_t i = 0; i < 12 && one->paths[i] != NULL; i++) {
        failures += try_path(one, one->paths[i], count);
        tries += count;
    }
    printf("%s\t%lu\t%lu\n", one->promise, tries, failures);
    return failures;
}

/* --- What no process survives: in the program's worker --- */

static int run_status(const char *program, const char *store, const char *path)
{
    char cpu[16];
    snprintf(cpu, sizeof(cpu), "%d", 4 * CPU_LIMIT_MS);
    char *const arguments[] = {"snapcell",    "run",         "tries",    (char *)path,
                               "--store",     (char *)store, "--cpu-ms", cpu,
                               "--memory-mb", "64",          NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", 1, 0);
    pid_t pid;
    int status = -1;
    extern char **environ;
    if (posix_spawn(&pid, program, &files, NULL, arguments, environ) == 0) waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&files);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static unsigned long run_program(const char *store, unsigned long count)
{
    static const char *const paths[] = {"/fatal", "/array", "/native", "/forever"};
    const char *program = getenv("SNAPCELL_WORKER");
    unsigned long failures = 0;
    unsigned long tries = 0;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (unsigned long j = 0; j < count; j++, tries++) {
            int status = program != NULL ? run_status(program, store, paths[i]) : -1;
            if (status == 5) continue;
            failures++;
            fprintf(stderr, "run %s: status %d, not 5\n", paths[i], status);
        }
    }
    printf("what no process survives ends a worker, with the limit's status\t%lu\t%lu\n", tries,
           failures);
    return failures;
}

int main(int argc, char **argv)
{
    unsigned long count = 1;
    if (argc == 3 && strcmp(argv[1], "--count") == 0)
        count = strtoul(argv[2], NULL, 10);
    else if (argc != 1)
        return fprintf(stderr, "usage: torture_limits [--count N]\n"), 2;
    const char *store = fixture_new_store();
    fixture_compile(&(fixture_function){"tries", source, NULL}, 1, NULL);
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = store;
    pthread_t neighbour;
    if (snapcell_loader_open(&options, &loader, NULL) != SNAPCELL_OK) return 1;
    if (pthread_create(&neighbour, NULL, neighbour_main, NULL) != 0) return 1;
    unsigned long failures = 0;
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
        failures += run_trial(&trials[i], count);
    printf("CPU time does so within %d ms of its deadline\t%lu\t%lu\n", LATE_MS_MAX, timed_tries,
           late_tries);
    atomic_store(&neighbour_stops, true);
    pthread_join(neighbour, NULL);
    printf("loads on another thread go on\t%lu\t%lu\n", neighbour_loads, neighbour_failures);
    failures += neighbour_failures + run_program(store, count);
    snapcell_loader_close(loader);
    fixture_remove();
    return failures == 0 ? 0 : 1;
}
