/* No function ends the engine by what it replaces. Each built-in that modules could use is replaced
 * in several ways; then an operation of the web APIs must answer as it does without that, in this
 * very process, by an instance of its own. Once the modules are in the snapshot already, once they
 * are loaded after the built-in was replaced. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapcell/compiler.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"
#include "torture_report.h"
#include "torture_store.h"

#define SOURCE_SIZE_MAX (1u << 20)
#define ANSWER_SIZE_MAX 1100
#define OPERATIONS_MAX 200

enum { PROMISE_WARM, PROMISE_COLD, PROMISE_COUNT };

static torture_promise promises[PROMISE_COUNT] = {
    [PROMISE_WARM] = {.text = "what a function replaces changes nothing in its snapshot's modules"},
    [PROMISE_COLD] = {.text = "nor in modules that are loaded later"},
};
static const char *const names[PROMISE_COUNT] = {"warm", "cold"};

typedef struct space {
    unsigned targets;
    unsigned ways;
    unsigned operations;
    char answers[OPERATIONS_MAX][ANSWER_SIZE_MAX]; /* with nothing replaced */
} space;

/* --- The function --- */

/* Copies `source` with `W.Name` written as `globalThis["Name"]`; with `hidden` so that the name is
 * seen by nobody who looks for words. */
static void write_function(const char *source, bool hidden, FILE *out)
{
    char before = ' ';
    while (*source != '\0') {
        if (source[0] != 'W' || source[1] != '.' || isalnum((unsigned char)before)) {
            before = *source;
            (void)fputc(*source++, out);
            continue;
        }
        source += 2;
        (void)fprintf(out, hidden ? "globalThis[\"\\x%02x" : "globalThis[\"%c", *source);
        for (source++; isalnum((unsigned char)*source); source++)
            (void)fputc(*source, out);
        (void)fputs("\"]", out);
    }
}

static void put_function(snapcell_store *store, const char *source, int promise)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.mjs", torture_folder(), names[promise]);
    FILE *file = fopen(path, "w");
    if (file == NULL) exit(EXIT_FAILURE);
    write_function(source, promise == PROMISE_COLD, file);
    (void)fclose(file);
    snapcell_error err = {0};
    snapcell_compiled *compiled = NULL;
    torture_require(snapcell_compile_file(path, NULL, &compiled, &err), &err, path);
    size_t size;
    const void *artifact = snapcell_compiled_artifact(compiled, &size);
    torture_require(snapcell_store_put(store, artifact, size, names[promise], &err), &err, "put");
    snapcell_compiled_free(compiled);
}

static void make_store(void)
{
    static char source[SOURCE_SIZE_MAX];
    FILE *file = fopen(REPLACED_DIR "/operations.js", "r");
    if (file == NULL || fread(source, 1, sizeof(source) - 1, file) == 0) exit(EXIT_FAILURE);
    (void)fclose(file);
    snapcell_error err = {0};
    snapcell_store *store = NULL;
    torture_require(snapcell_store_open(torture_folder(), SNAPCELL_STORE_CREATE, &store, &err),
                    &err, "open");
    for (int i = 0; i < PROMISE_COUNT; i++)
        put_function(store, source, i);
    snapcell_store_close(store);
}

/* --- A try --- */

/* What a fresh instance answers; an error is an answer, too. */
static void ask(snapcell_loader *loader, int promise, const char *path,
                char answer[ANSWER_SIZE_MAX])
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = 20000; /* what never ends is told of */
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = path;
    snapcell_error err = {0};
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    int status = snapcell_cell_load(loader, names[promise], &options, &cell, &err);
    if (status == SNAPCELL_OK) status = snapcell_cell_fetch(cell, &request, &response, &err);
    (void)snprintf(answer, ANSWER_SIZE_MAX, "%s",
                   status == SNAPCELL_OK ? (const char *)snapcell_response_body(response, NULL)
                                         : err.message);
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
}

static void learn(snapcell_loader *loader, space *out)
{
    char path[64];
    char answer[ANSWER_SIZE_MAX];
    ask(loader, PROMISE_WARM, "/counts", answer);
    if (sscanf(answer, "%u %u %u", &out->targets, &out->ways, &out->operations) != 3 ||
        out->operations > OPERATIONS_MAX) {
        fprintf(stderr, "torture_replaced: %s\n", answer);
        exit(EXIT_FAILURE);
    }
    for (unsigned i = 0; i < out->operations; i++) {
        (void)snprintf(path, sizeof(path), "/%u/0/%u", out->targets, i);
        ask(loader, PROMISE_WARM, path, out->answers[i]);
    }
}

static void try_one(snapcell_loader *loader, const space *known, unsigned long number)
{
    unsigned operation = (unsigned)(number % known->operations);
    unsigned way = (unsigned)(number / known->operations % known->ways);
    unsigned target = (unsigned)(number / known->operations / known->ways % known->targets);
    char path[64];
    char answer[ANSWER_SIZE_MAX];
    (void)snprintf(path, sizeof(path), "/%u/%u/%u", target, way, operation);
    for (int i = 0; i < PROMISE_COUNT; i++) {
        ask(loader, i, path, answer);
        bool same = strcmp(answer, known->answers[operation]) == 0 ||
                    strcmp(answer, "not to be compared") == 0;
        torture_try(&promises[i], same, "%s: %s, not %s", path, answer, known->answers[operation]);
    }
}

int main(int argc, char **argv)
{
    torture_options options = torture_arguments(argc, argv, 200);
    static space known;
    snapcell_loader_options loader_options = SNAPCELL_LOADER_OPTIONS_INIT;
    snapcell_loader *loader = NULL;
    snapcell_error err = {0};
    make_store();
    loader_options.store_path = torture_folder();
    torture_require(snapcell_loader_open(&loader_options, &loader, &err), &err, "loader");
    learn(loader, &known);
    unsigned long all = (unsigned long)known.targets * known.ways * known.operations;
    /* Far apart, and each once before any comes again. */
    unsigned long step = 7919;
    while (all % step == 0)
        step += 2;
    for (unsigned long i = 0; i < options.count && i < all; i++) {
        try_one(loader, &known, (options.seed + i * step) % all);
        torture_progress(i, options.count);
    }
    snapcell_loader_close(loader);
    return torture_report(promises, PROMISE_COUNT);
}
