/* Answers of restored instances next to those of instances that were loaded for the one call, over
 * all examples and random requests, in each tier, sandboxed and not. Each request is asked of a
 * loaded instance once, and of restored ones again and again, with others in between.
 * `torture_restore FOLDER [--count N]`: the folder of bundles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "restore_torture.h"
#include "snapcell/loader.h"
#include "torture_report.h"
#include "torture_store.h"

#define REQUESTS_MAX 256u /* of a function */
/* Comparing all memory takes far longer than being told what to restore. */
#define SHARE 10u
#define SHARE_COMPARED 1u

enum { SAME, ALIVE, RESTORED, PROMISES };
static torture_promise promises[PROMISES] = {
    [SAME] = {"a restored instance answers as one that was loaded does"},
    [ALIVE] = {"a worker serves all of its calls in one process"},
    [RESTORED] = {"workers restore, by the tier that was chosen, without an anomaly"},
};

static torture_functions functions;

/* --- Requests --- */

typedef struct question {
    const char *method;
    char url[128];
    char body[256];
    snapcell_header header;
} question;

static void make_question(question *out)
{
    static const char *const methods[] = {"GET", "GET", "POST", "PUT", "DELETE"};
    static const char *const paths[] = {"/",          "/users/17", "/graphql", "/api/items",
                                        "/a/b/c?x=y", "/hook",     "/%C3%A9",  "/sign"};
    static const char *const bodies[] = {"{\"query\":\"{ __typename books { title } }\"}",
                                         "{\"items\":[{\"price\":3,\"count\":2}]}",
                                         "{\"name\":\"caf\\u00e9\",\"age\":%u}", "not JSON %u", ""};
    static const char *const types[] = {"application/json", "text/plain", "text/html"};
    out->method = methods[restore_below(5)];
    snprintf(out->url, sizeof(out->url), "%s%sn=%u", paths[restore_below(8)], "?",
             restore_below(1000));
    const char *body = bodies[restore_below(5)];
    if (strcmp(out->method, "GET") == 0) body = "";
    const char *hole = strstr(body, "%u");
    if (hole == NULL)
        snprintf(out->body, sizeof(out->body), "%s", body);
    else
        snprintf(out->body, sizeof(out->body), "%.*s%u%s", (int)(hole - body), body,
                 restore_below(1000), hole + 2);
    out->header = (snapcell_header){"content-type", types[restore_below(3)]};
}

/* --- Answers --- */

/* An instance: of a worker, or a cell of this process. */
typedef struct instance {
    snapcell_worker *worker;
    snapcell_cell *cell;
} instance;

static char *print_answer(int status, const snapcell_error *err, int http_status, const char *body)
{
    char *text = NULL;
    if (status != SNAPCELL_OK) http_status = 0;
    if (asprintf(&text, "%s %d %s", snapcell_error_name(status), http_status,
                 status == SNAPCELL_OK ? body : err->message) < 0)
        abort();
    return text;
}

static char *ask_json(const instance *of, const question *what)
{
    const char *event = what->body[0] == '{' ? what->body : "{}";
    snapcell_error err = {0};
    char *result = NULL;
    int status = of->worker != NULL ? snapcell_worker_invoke(of->worker, event, &result, NULL, &err)
                                    : snapcell_cell_invoke(of->cell, event, &result, NULL, &err);
    char *text = print_answer(status, &err, 0, result);
    free(result);
    return text;
}

static char *ask_fetch(const instance *of, const question *what)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    request.method = what->method;
    request.url = what->url;
    request.headers = &what->header;
    request.header_count = 1;
    request.body = what->body[0] != '\0' ? what->body : NULL;
    request.body_size_bytes = strlen(what->body);
    int status = of->worker != NULL ? snapcell_worker_fetch(of->worker, &request, &response, &err)
                                    : snapcell_cell_fetch(of->cell, &request, &response, &err);
    bool answered = status == SNAPCELL_OK;
    char *text = print_answer(status, &err, answered ? snapcell_response_status(response) : 0,
                              answered ? snapcell_response_body(response, NULL) : "");
    snapcell_response_free(response);
    return text;
}

static char *ask(const instance *of, snapcell_handler_shape shape, const question *what)
{
    return shape == SNAPCELL_SHAPE_JSON ? ask_json(of, what) : ask_fetch(of, what);
}

static char *ask_loaded(snapcell_loader *loader, const char *name, const question *what)
{
    instance fresh = {0};
    snapcell_error err;
    if (snapcell_cell_load(loader, name, NULL, &fresh.cell, &err) != SNAPCELL_OK) {
        fprintf(stderr, "%s: %s\n", name, err.message);
        exit(2);
    }
    char *text = ask(&fresh, snapcell_cell_info(fresh.cell)->shape, what);
    snapcell_cell_dispose(fresh.cell);
    return text;
}

/* --- What is known --- */

/* A request, and what an instance that was loaded for it answers. */
typedef struct known {
    question what;
    char *answer; /* Owned; NULL: not asked yet */
} known;

static known requests[TORTURE_FUNCTIONS_MAX][REQUESTS_MAX];
static size_t request_count;

static void make_requests(unsigned long calls)
{
    request_count = calls < REQUESTS_MAX ? calls + 1 : REQUESTS_MAX;
    for (size_t i = 0; i < functions.count; i++)
        for (size_t k = 0; k < request_count; k++)
            make_question(&requests[i][k].what);
}

static void forget_requests(void)
{
    for (size_t i = 0; i < functions.count; i++)
        for (size_t k = 0; k < request_count; k++)
            free(requests[i][k].answer);
}

/* No example tells the time, or draws: one that did could not be compared. */
static void compare_answers(snapcell_loader *loader, const char *name, known *of,
                            const char *restored, const char *variant)
{
    if (of->answer == NULL) of->answer = ask_loaded(loader, name, &of->what);
    torture_try(&promises[SAME], strcmp(of->answer, restored) == 0,
                "%s, %s, %s %s: %.200s, not %.200s", name, variant, of->what.method, of->what.url,
                restored, of->answer);
}

/* --- Workers --- */

static void try_function(snapcell_loader *loader, snapcell_workers *workers, size_t function,
                         const char *variant, unsigned long calls)
{
    const char *name = functions.names[function];
    instance restored = {.worker = restore_load(workers, name, NULL)};
    snapcell_handler_shape shape = snapcell_worker_shape(restored.worker);
    const int id = snapcell_worker_process_id(restored.worker);
    for (unsigned long i = 0; i < calls; i++) {
        known *of = &requests[function][restore_below((uint32_t)request_count)];
        char *text = ask(&restored, shape, &of->what);
        compare_answers(loader, name, of, text, variant);
        free(text);
    }
    torture_try(&promises[ALIVE], snapcell_worker_process_id(restored.worker) == id, "%s, %s", name,
                variant);
    snapcell_worker_free(restored.worker);
}

static void try_variant(snapcell_loader *loader, const restore_variant *variant,
                        unsigned long calls)
{
    snapcell_workers *workers = restore_open(torture_folder(), variant);
    for (size_t i = 0; i < functions.count; i++)
        try_function(loader, workers, i, variant->name, calls);
    const snapcell_workers_counts counts = restore_counts(workers);
    /* Those of the last answers were not told of; each worker restores once before its first call.
     */
    torture_try(&promises[RESTORED],
                counts.restore_tier >= variant->tier &&
                    counts.restores >= functions.count * calls &&
                    counts.deaths + counts.anomalies + counts.fallbacks + counts.cuts == 0,
                "%s: tier %u, %lu restores of %lu, %lu deaths, %lu anomalies, %lu fallbacks, "
                "%lu cuts",
                variant->name, counts.restore_tier, (unsigned long)counts.restores,
                (unsigned long)(functions.count * calls), (unsigned long)counts.deaths,
                (unsigned long)counts.anomalies, (unsigned long)counts.fallbacks,
                (unsigned long)counts.cuts);
    snapcell_workers_close(workers);
}

static unsigned long share_of(size_t variant)
{
    return restore_variants[variant].tier == SNAPCELL_RESTORE_COMPARED ? SHARE_COMPARED : SHARE;
}

static unsigned long all_shares(void)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        sum += share_of(i);
    return sum;
}

int main(int argc, char **argv)
{
    snapcell_error err;
    snapcell_loader *loader = NULL;
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [--count N]\n", argv[0]);
        return 2;
    }
    const torture_options torture = torture_arguments(argc - 1, argv + 1, 600);
    restore_seed(torture.seed);
    torture_compile_all(argv[1], "--warm /", &functions);
    options.store_path = torture_folder();
    torture_require(snapcell_loader_open(&options, &loader, &err), &err, "open");
    make_requests(torture.count / RESTORE_VARIANTS / functions.count);
    for (size_t i = 0; i < RESTORE_VARIANTS; i++)
        try_variant(loader, &restore_variants[i],
                    1 + torture.count * share_of(i) / (all_shares() * functions.count));
    fprintf(stderr, "%zu functions, %zu requests each\n", functions.count, request_count);
    snapcell_loader_close(loader);
    forget_requests();
    return torture_report(promises, PROMISES);
}
