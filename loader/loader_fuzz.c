/* Sequences of the loader's functions, with requests and events of any kind, on two functions: one
 * that hands what it gets to the web API named in its path, one that answers with its event.
 *
 * A load takes ten times as long as all else. So the first byte tells whether this input loads and
 * disposes, or calls the two cells that stay from one input to the next. */
#include <stdbool.h>
#include <stdlib.h>

#include "fuzz_folder.h"
#include "snapcell/compiler.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"

#define FUZZ_CELL_COUNT 2
#define FUZZ_LOADS 0xF0      /* first bytes from here on: the input loads and disposes */
#define FUZZ_LOADS_MAX 2     /* an input */
#define FUZZ_KEPT_INPUTS 500 /* then the cells that stay are loaded again */

static const char *const fuzz_names[FUZZ_CELL_COUNT] = {"web", "json"};
static snapcell_loader *fuzz_loader;
static snapcell_cell *fuzz_kept[FUZZ_CELL_COUNT];
static int fuzz_kept_inputs;

/* --- Start --- */

static void fuzz_forget(snapcell_cell **cell)
{
    snapcell_cell_dispose(*cell);
    *cell = NULL;
}

static void fuzz_end(void)
{
    for (int i = 0; i < FUZZ_CELL_COUNT; i++)
        fuzz_forget(&fuzz_kept[i]);
    snapcell_loader_close(fuzz_loader);
}

static void fuzz_put(snapcell_store *store, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.js", FUNCTIONS_DIR, name);
    snapcell_compiled *compiled = NULL;
    snapcell_error err = {0};
    if (snapcell_compile_file(path, NULL, &compiled, &err) != SNAPCELL_OK)
        (void)fprintf(stderr, "%s (SNAPCELL_WORKER names the program)\n", err.message);
    fuzz_require(compiled != NULL);
    size_t size;
    const void *artifact = snapcell_compiled_artifact(compiled, &size);
    fuzz_require(snapcell_store_put(store, artifact, size, name, NULL) == SNAPCELL_OK);
    snapcell_compiled_free(compiled);
}

static void fuzz_log(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    (void)user;
    fuzz_require(level <= SNAPCELL_LOG_ERROR && function_name != NULL);
    fuzz_require(text[text_size_bytes] == '\0');
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_folder_make();
    (void)atexit(fuzz_end);
    snapcell_store *store = NULL;
    fuzz_require(snapcell_store_open(fuzz_folder, SNAPCELL_STORE_CREATE, &store, NULL) ==
                 SNAPCELL_OK);
    for (int i = 0; i < FUZZ_CELL_COUNT; i++)
        fuzz_put(store, fuzz_names[i]);
    snapcell_store_close(store);
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = fuzz_folder;
    options.log = fuzz_log;
    fuzz_require(snapcell_loader_open(&options, &fuzz_loader, NULL) == SNAPCELL_OK);
    return 0;
}

/* --- Operations --- */

typedef struct fuzz_state {
    fuzz_input input;
    snapcell_cell **cells;
    bool loads;
    int load_count;
} fuzz_state;

static snapcell_cell **fuzz_cell(fuzz_state *state)
{
    return &state->cells[fuzz_take_u8(&state->input) % FUZZ_CELL_COUNT];
}

static void fuzz_load_one(const char *ref, const snapcell_env *env, snapcell_cell **cell)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.cpu_limit_ms = 2000;
    options.memory_limit_bytes = (uint64_t)64 << 20;
    options.env = env;
    options.env_count = env != NULL;
    fuzz_forget(cell);
    snapcell_error err = {0};
    const int status = snapcell_cell_load(fuzz_loader, ref, &options, cell, &err);
    fuzz_require((status == SNAPCELL_OK) == (*cell != NULL));
    fuzz_require(status == SNAPCELL_OK || err.message[0] != '\0');
}

static void fuzz_load(fuzz_state *state)
{
    char text[64];
    snapcell_cell **cell = fuzz_cell(state);
    const uint8_t which = fuzz_take_u8(&state->input);
    const char *ref =
        which % 8 == 7 ? fuzz_take_text(&state->input, text, sizeof(text)) : fuzz_names[which % 2];
    const snapcell_env env = {ref, "value"};
    if (!state->loads || state->load_count++ >= FUZZ_LOADS_MAX) return;
    fuzz_load_one(ref, (which & 8) != 0 ? &env : NULL, cell);
}

static void fuzz_check_response(const snapcell_response *response)
{
    size_t size = 0;
    const char *body = snapcell_response_body(response, &size);
    fuzz_require(body[size] == '\0');
    const int status = snapcell_response_status(response);
    fuzz_require(status >= 200 && status <= 599);
    for (size_t i = 0; i < snapcell_response_header_count(response); i++) {
        const snapcell_header header = snapcell_response_header(response, i);
        fuzz_require(strpbrk(header.name, "\r\n:") == NULL);
        fuzz_require(strpbrk(header.value, "\r\n") == NULL);
    }
}

static void fuzz_fetch(fuzz_state *state)
{
    char url[256], name[32], value[64];
    snapcell_cell *cell = *fuzz_cell(state);
    const uint8_t flags = fuzz_take_u8(&state->input);
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = fuzz_take_text(&state->input, url, sizeof(url));
    const snapcell_header header = {
        (flags & 1) != 0 ? fuzz_take_text(&state->input, name, sizeof(name)) : "content-type",
        (flags & 1) != 0 ? fuzz_take_text(&state->input, value, sizeof(value)) : "text/plain"};
    const uint8_t high = fuzz_take_u8(&state->input), low = fuzz_take_u8(&state->input);
    const fuzz_input body = fuzz_take(&state->input, (size_t)(high << 8 | low));
    request.headers = &header;
    request.header_count = flags >> 1 & 1;
    request.body = (flags & 4) != 0 ? NULL : body.at;
    request.body_size_bytes = (flags & 4) != 0 ? 0 : body.size_bytes;
    if (cell == NULL) return;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    const int status = snapcell_cell_fetch(cell, &request, &response, &err);
    fuzz_require(status != SNAPCELL_E_INTERNAL && (status == SNAPCELL_OK) == (response != NULL));
    if (response != NULL) fuzz_check_response(response);
    snapcell_response_free(response);
}

static void fuzz_invoke(fuzz_state *state)
{
    char event[512];
    snapcell_cell *cell = *fuzz_cell(state);
    (void)fuzz_take_text(&state->input, event, sizeof(event));
    if (cell == NULL) return;
    char *result = NULL;
    size_t size = 0;
    snapcell_error err = {0};
    const int status = snapcell_cell_invoke(cell, event, &result, &size, &err);
    fuzz_require(status != SNAPCELL_E_INTERNAL && (status == SNAPCELL_OK) == (result != NULL));
    fuzz_require(result == NULL || strlen(result) == size);
    free(result);
}

static void fuzz_dispose(fuzz_state *state)
{
    snapcell_cell **cell = fuzz_cell(state);
    if (state->loads) fuzz_forget(cell);
}

static void fuzz_ask(fuzz_state *state)
{
    snapcell_counters counters;
    snapcell_timings timings;
    snapcell_loader_counters(fuzz_loader, &counters, sizeof(counters));
    fuzz_require(counters.live_cells <= (uint64_t)2 * FUZZ_CELL_COUNT);
    snapcell_cell *cell = *fuzz_cell(state);
    if (cell == NULL) {
        snapcell_loader_trim(fuzz_loader);
        return;
    }
    snapcell_cell_timings(cell, &timings, sizeof(timings));
    fuzz_require(snapcell_cell_info(cell)->name[0] != '\0');
}

static void fuzz_run(fuzz_state *state)
{
    static void (*const operations[])(fuzz_state *) = {fuzz_fetch,   fuzz_fetch, fuzz_invoke,
                                                       fuzz_dispose, fuzz_load,  fuzz_ask};
    while (state->input.size_bytes > 0)
        operations[fuzz_take_u8(&state->input) % (sizeof(operations) / sizeof(*operations))](state);
}

/* A cell that has hit a limit answers no more: the next input finds a fresh one. */
static void fuzz_run_kept(fuzz_state *state)
{
    snapcell_counters before, after;
    if (fuzz_kept_inputs++ == 0)
        for (int i = 0; i < FUZZ_CELL_COUNT; i++)
            fuzz_load_one(fuzz_names[i], NULL, &fuzz_kept[i]);
    state->cells = fuzz_kept;
    snapcell_loader_counters(fuzz_loader, &before, sizeof(before));
    fuzz_run(state);
    snapcell_loader_counters(fuzz_loader, &after, sizeof(after));
    if (before.memory_limits_hit != after.memory_limits_hit ||
        before.cpu_limits_hit != after.cpu_limits_hit || fuzz_kept_inputs == FUZZ_KEPT_INPUTS)
        fuzz_kept_inputs = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    snapcell_cell *cells[FUZZ_CELL_COUNT] = {NULL, NULL};
    fuzz_state state = {.input = {data, size}, .cells = cells};
    state.loads = fuzz_take_u8(&state.input) >= FUZZ_LOADS;
    if (!state.loads) {
        fuzz_run_kept(&state);
        return 0;
    }
    fuzz_load(&state);
    fuzz_run(&state);
    for (int i = 0; i < FUZZ_CELL_COUNT; i++)
        fuzz_forget(&cells[i]);
    return 0;
}
