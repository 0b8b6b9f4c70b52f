/* No bytes between tenants. A cell fills all kinds of memory with a secret and is disposed of; then
 * the secret is looked for in the memory of the process, and the next cell looks for anything that
 * is not zero in the memory that it gets. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "memory_scan.h"
#include "snapcell/compiler.h"
#include "snapcell/loader.h"
#include "torture_report.h"
#include "torture_store.h"

#define SECRET_SIZE 24
#define SHORT_TEXTS_MAX 8

enum { PROMISE_SEES, PROMISE_LEAVES, PROMISE_COUNT };

static torture_promise promises[PROMISE_COUNT] = {
    [PROMISE_SEES] = {.text = "the next cell finds no byte of the one before it"},
    [PROMISE_LEAVES] =
        {.text = "nothing of a cell's memory and its response is left when they are gone"},
};

/* --- Functions --- */

static void put_function(snapcell_store *store, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.js", TENANTS_DIR, name);
    snapcell_error err = {0};
    snapcell_compiled *compiled = NULL;
    torture_require(snapcell_compile_file(path, NULL, &compiled, &err), &err, path);
    size_t size;
    const void *artifact = snapcell_compiled_artifact(compiled, &size);
    torture_require(snapcell_store_put(store, artifact, size, name, &err), &err, "put");
    snapcell_compiled_free(compiled);
}

static void make_store(void)
{
    snapcell_error err = {0};
    snapcell_store *store = NULL;
    torture_require(snapcell_store_open(torture_folder(), SNAPCELL_STORE_CREATE, &store, &err),
                    &err, "open");
    put_function(store, "fill");
    put_function(store, "look");
    snapcell_store_close(store);
}

/* --- The secret: at no place of ours as it is, but while a call needs it --- */

typedef struct secret {
    memory_needle narrow;
    memory_needle wide; /* as UTF-16 */
} secret;

/* Letters that no other text holds. */
static void secret_draw(secret *out, char text[SECRET_SIZE + 1])
{
    uint8_t wide[2 * SECRET_SIZE] = {0};
    if (getrandom(text, SECRET_SIZE, 0) != SECRET_SIZE) exit(EXIT_FAILURE);
    for (int i = 0; i < SECRET_SIZE; i++) {
        text[i] = (char)('a' + (unsigned char)text[i] % 26);
        wide[2 * i] = (uint8_t)text[i];
    }
    text[SECRET_SIZE] = '\0';
    memory_needle_set(&out->narrow, text, SECRET_SIZE);
    memory_needle_set(&out->wide, wide, sizeof(wide));
    explicit_bzero(wide, sizeof(wide));
}

/* --- A round --- */

static void drop_log(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    (void)user;
    (void)level;
    (void)function_name;
    (void)text;
    (void)text_size_bytes;
}

static __attribute__((noinline)) void fill(snapcell_loader *loader, secret *out, bool throws)
{
    char text[SECRET_SIZE + 1];
    secret_draw(out, text);
    const snapcell_env env = {"SECRET", text};
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env = &env;
    options.env_count = 1;
    const snapcell_header header = {"x-secret", text};
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = throws ? "/throw" : "/";
    request.method = "POST";
    request.headers = &header;
    request.header_count = 1;
    request.body = text;
    request.body_size_bytes = SECRET_SIZE;

    snapcell_error err = {0};
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    torture_require(snapcell_cell_load(loader, "fill", &options, &cell, &err), &err, "load");
    const int status = snapcell_cell_fetch(cell, &request, &response, &err);
    torture_require(throws == (status == SNAPCELL_E_SCRIPT) ? SNAPCELL_OK : status, &err, "fetch");
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
    explicit_bzero(text, sizeof(text));
    explicit_bzero(&err, sizeof(err));
}

static void look(snapcell_loader *loader, unsigned long round)
{
    snapcell_error err = {0};
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    torture_require(snapcell_cell_load(loader, "look", NULL, &cell, &err), &err, "load");
    torture_require(snapcell_cell_fetch(cell, NULL, &response, &err), &err, "fetch");
    const char *found = snapcell_response_body(response, NULL);
    torture_try(&promises[PROMISE_SEES], found[0] == '\0', "round %lu: %s", round, found);
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
}

/* Short texts (an error's, a header's, a console line's) pass through memory of malloc()'s, where a
 * few copies may stay until it is used again. Nothing else may: a cell's heap, its code, its
 * buffers, what it answered. */
static bool finds_are_allowed(long found, const memory_find *finds)
{
    if (found < 0 || found > SHORT_TEXTS_MAX) return false;
    for (long i = 0; i < found; i++)
        if (strcmp(finds[i].mapping, "[heap]") != 0) return false;
    return true;
}

static void scan(const secret *kept, unsigned long round)
{
    memory_find finds[SHORT_TEXTS_MAX];
    char what[64 + SHORT_TEXTS_MAX * 100];
    const long found = memory_scan(&kept->narrow, 2, finds, SHORT_TEXTS_MAX);
    (void)snprintf(what, sizeof(what), "%ld places:", found);
    for (long i = 0; i < found && i < SHORT_TEXTS_MAX; i++)
        (void)snprintf(what + strlen(what), sizeof(what) - strlen(what), " %#zx %s",
                       (size_t)finds[i].address, finds[i].mapping);
    torture_try(&promises[PROMISE_LEAVES], finds_are_allowed(found, finds), "round %lu: %s", round,
                what);
}

/* Each way in which a loader keeps what it can use again. */
static snapcell_loader *open_loader(unsigned way)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = torture_folder();
    options.log = drop_log;
    if (way == 1) options.cache_size_bytes = SNAPCELL_CACHE_NONE;
    if (way == 2) options.spare_cells_per_function = 1;
    snapcell_loader *loader = NULL;
    snapcell_error err = {0};
    torture_require(snapcell_loader_open(&options, &loader, &err), &err, "open");
    return loader;
}

static void run_rounds(unsigned long count)
{
    const unsigned long per_loader = 10;
    for (unsigned long round = 0; round < count;) {
        const unsigned way = (unsigned)(round / per_loader % 3);
        snapcell_loader *loader = open_loader(way);
        secret kept;
        for (unsigned long i = 0; i < per_loader && round < count; i++, round++) {
            fill(loader, &kept, round % 5 == 4);
            if (way != 2) scan(&kept, round);
            look(loader, round);
            torture_progress(round, count);
        }
        snapcell_loader_close(loader);
        scan(&kept, round);
    }
}

static void prove_that_scanning_finds(void)
{
    secret kept;
    char *text = malloc(SECRET_SIZE + 1);
    if (text == NULL) exit(EXIT_FAILURE);
    secret_draw(&kept, text);
    memory_find find;
    if (memory_scan(&kept.narrow, 2, &find, 1) < 1 || find.address != (uintptr_t)text) {
        fprintf(stderr, "torture_tenants: a secret that is there is not found\n");
        exit(EXIT_FAILURE);
    }
    explicit_bzero(text, SECRET_SIZE);
    free(text);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 100);
    make_store();
    prove_that_scanning_finds();
    run_rounds(options.count);
    return torture_report(promises, PROMISE_COUNT);
}
