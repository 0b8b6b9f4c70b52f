/* What must be fresh in each instance: torture_fresh --count N loads that many, and compares what
 * they draw and their clocks. A third comes from spare cells, a third from a `code` artifact.
 * V8 has one hash seed for all isolates that live at a time, so that seeds are compared between
 * processes: a tenth as many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "loader_state.h"
#include "snapcell/compiler.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"
#include "torture_report.h"

/* The parts of an answer, and what else is compared. */
enum { MATH, UUID, BYTES, KEY, TOP, PARTS, SEED = PARTS, CLOCK, PROMISES };
static torture_promise promises[PROMISES] = {
    [MATH] = {"no two loads draw the same sequence from Math.random()"},
    [UUID] = {"no two loads draw the same UUID"},
    [BYTES] = {"no two loads draw the same random bytes"},
    [KEY] = {"no two loads generate the same key"},
    [TOP] = {"no two loads of a code artifact draw the same UUID at top level"},
    [SEED] = {"no two processes have the same hash seed"},
    [CLOCK] = {"Date and performance.now() run on in each load"},
};

/* %s: a UUID of the top level, or "". The warm-up has drawn, too, and kept nothing. */
static const char source_format[] =
    "const top = %s; const built = Date.now();\n"
    "const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "globalThis.handler = async () => {\n"
    "  const start = performance.now(), date = Date.now();\n"
    "  const math = [Math.random(), Math.random(), Math.random()].join();\n"
    "  const key = await crypto.subtle.generateKey({name: 'AES-GCM', length: 256}, true, "
    "['encrypt']);\n"
    "  const raw = hex(await crypto.subtle.exportKey('raw', key));\n"
    "  const bytes = hex(crypto.getRandomValues(new Uint8Array(16)));\n"
    "  let end = start;\n" /* while building, the clock stands */
    "  for (let i = 0; end <= start && i < 1e5; i++) end = performance.now();\n"
    "  return [math, crypto.randomUUID(), bytes, raw, top, start, end, date, built].join('|');\n"
    "};\n";

typedef struct value {
    char text[64];
} value;

static value *drawn[SEED + 1];
static size_t drawn_count[SEED + 1];
static char store_path[] = "/tmp/torture-fresh.XXXXXX";

static void fail(const char *what, const snapcell_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->message);
    exit(2);
}

static void keep(int part, const char *text)
{
    snprintf(drawn[part][drawn_count[part]++].text, sizeof(drawn[part]->text), "%s", text);
}

/* --- Functions --- */

static void compile(snapcell_store *store, const char *name, const char *top)
{
    char source[2000];
    snprintf(source, sizeof(source), source_format, top);
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.entropy = SNAPCELL_ENTROPY_FRESH;
    options.name = name;
    options.warm = &warm;
    options.warm_count = 1;
    snapcell_compiled *compiled = NULL;
    snapcell_error error;
    if (snapcell_compile_memory("fn.js", source, strlen(source), NULL, 0, &options, &compiled,
                                &error) != SNAPCELL_OK)
        fail(name, &error);
    size_t size;
    const void *bytes = snapcell_compiled_artifact(compiled, &size);
    if (snapcell_store_put(store, bytes, size, name, &error) != SNAPCELL_OK) fail(name, &error);
    bool is_code = snapcell_compiled_info(compiled)->kind == SNAPCELL_ARTIFACT_CODE;
    if (is_code != (top[0] != '\'')) fail(name, &(snapcell_error){.message = "is of another kind"});
    snapcell_compiled_free(compiled);
}

static void make_store(void)
{
    snapcell_error error;
    snapcell_store *store = NULL;
    if (mkdtemp(store_path) == NULL ||
        snapcell_store_open(store_path, SNAPCELL_STORE_CREATE, &store, &error) != SNAPCELL_OK)
        fail(store_path, &error);
    compile(store, "snapshot", "''");
    compile(store, "code", "crypto.randomUUID()");
    snapcell_store_close(store);
}

static void remove_store(void)
{
    char path[100];
    static const char *const files[] = {"/data.mdb", "/lock.mdb", ""};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "%s%s", store_path, files[i]);
        remove(path);
    }
}

static snapcell_loader *open_loader(uint32_t spares)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = store_path;
    options.spare_cells_per_function = spares;
    snapcell_loader *loader = NULL;
    snapcell_error error;
    if (snapcell_loader_open(&options, &loader, &error) != SNAPCELL_OK) fail(store_path, &error);
    return loader;
}

/* --- One load --- */

static double now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void check_clock(const char *const *fields, double loaded_ms, double wall_ms)
{
    double start = atof(fields[0]);
    double end = atof(fields[1]);
    double date = atof(fields[2]);
    double built = atof(fields[3]);
    double elapsed = now_ms(CLOCK_MONOTONIC) - loaded_ms;
    bool runs = start >= 0 && end > start && end <= elapsed + 1;
    /* The wall clock may be set a little while this runs. */
    bool is_now = date >= wall_ms - 1000 && date <= now_ms(CLOCK_REALTIME) + 1000;
    torture_try(&promises[CLOCK], runs && is_now && built > 0,
                "performance.now() %f to %f of %f ms, Date %f, wall clock %f", start, end, elapsed,
                date, wall_ms);
}

static void take_answer(char *answer, double loaded_ms, double wall_ms)
{
    const char *fields[PARTS + 4];
    size_t count = 0;
    answer[strlen(answer) - 1] = '\0'; /* it is a JSON string */
    for (char *at = answer + 1; at != NULL && count < PARTS + 4;)
        fields[count++] = strsep(&at, "|");
    if (count != PARTS + 4) fail(answer, &(snapcell_error){.message = "is not an answer"});
    for (int part = 0; part < PARTS; part++)
        if (part != TOP || fields[part][0] != '\0') keep(part, fields[part]);
    check_clock(fields + PARTS, loaded_ms, wall_ms);
}

static void load(snapcell_loader *loader, const char *name)
{
    snapcell_cell *cell = NULL;
    snapcell_error error;
    double loaded_ms = now_ms(CLOCK_MONOTONIC);
    double wall_ms = now_ms(CLOCK_REALTIME);
    if (snapcell_cell_load(loader, name, NULL, &cell, &error) != SNAPCELL_OK) fail(name, &error);
    char *answer = NULL;
    if (snapcell_cell_invoke(cell, "{}", &answer, NULL, &error) != SNAPCELL_OK) fail(name, &error);
    take_answer(answer, loaded_ms, wall_ms);
    free(answer);
    snapcell_cell_dispose(cell);
}

/* --- Seeds --- */

/* In a process of its own: prints what its seed makes of fixed strings. */
static int print_seed(const char *path)
{
    strcpy(store_path, path);
    snapcell_loader *loader = open_loader(0);
    snapcell_cell *cell = NULL;
    snapcell_error error;
    if (snapcell_cell_load(loader, "snapshot", NULL, &cell, &error) != SNAPCELL_OK)
        fail(path, &error);
    printf("%016llx\n", (unsigned long long)engine_cell_hash_probe(cell->engine));
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
    return 0;
}

static void take_seed(void)
{
    char command[200];
    char program[100] = "";
    char seed[32] = "";
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) abort();
    snprintf(command, sizeof(command), "'%s' --probe %s", program, store_path);
    FILE *child = popen(command, "r");
    if (child == NULL || fgets(seed, sizeof(seed), child) == NULL || pclose(child) != 0)
        fail(command, &(snapcell_error){.message = "gave no seed"});
    seed[strcspn(seed, "\n")] = '\0';
    keep(SEED, seed);
}

/* --- All of them --- */

static int compare_values(const void *a, const void *b)
{
    return strcmp(((const value *)a)->text, ((const value *)b)->text);
}

static void compare_drawn(int part)
{
    value *values = drawn[part];
    qsort(values, drawn_count[part], sizeof(*values), compare_values);
    for (size_t i = 0; i < drawn_count[part]; i++)
        torture_try(&promises[part], i == 0 || strcmp(values[i - 1].text, values[i].text) != 0,
                    "%s was drawn twice", values[i].text);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--probe") == 0) return print_seed(argv[2]);
    torture_options options = torture_arguments(argc, argv, 300);
    for (int part = 0; part <= SEED; part++) {
        drawn[part] = calloc(options.count + 1, sizeof(*drawn[part]));
        if (drawn[part] == NULL) return 2;
    }
    make_store();
    snapcell_loader *plain = open_loader(0);
    snapcell_loader *spares = open_loader(4);
    for (unsigned long i = 0; i < options.count; i++) {
        load(i % 3 == 1 ? spares : plain, i % 3 == 2 ? "code" : "snapshot");
        if (i % 10 == 0) take_seed();
        torture_progress(i + 1, options.count);
    }
    snapcell_loader_close(spares);
    snapcell_loader_close(plain);
    remove_store();
    for (int part = 0; part <= SEED; part++) {
        compare_drawn(part);
        free(drawn[part]);
    }
    return torture_report(promises, PROMISES);
}
