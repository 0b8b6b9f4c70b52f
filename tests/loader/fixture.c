#include "fixture.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact_writer.h"
#include "engine.h"
#include "patience.h"

static char fixture_folder[64];

/* main() makes fixtures outside of any test, where Check cannot report. */
static void fixture_require(int status, const snapcell_error *err, const char *what)
{
    if (status == SNAPCELL_OK) return;
    fprintf(stderr, "fixture: %s: %s: %s\n%s:%u:%u\n%s\n", what, snapcell_error_name(status),
            err->message, err->file, err->line, err->column, err->stack);
    abort();
}

static void fixture_with_store(snapcell_store_mode mode, snapcell_store **store)
{
    snapcell_error err = {0};
    fixture_require(snapcell_store_open(fixture_folder, mode, store, &err), &err, "open");
}

const char *fixture_new_store(void)
{
    snprintf(fixture_folder, sizeof(fixture_folder), "/tmp/snapcell-loader-XXXXXX");
    if (mkdtemp(fixture_folder) == NULL) abort();
    snapcell_store *store = NULL;
    fixture_with_store(SNAPCELL_STORE_CREATE, &store);
    snapcell_store_close(store);
    return fixture_folder;
}

static int fixture_remove_entry(const char *path, const struct stat *facts, int type,
                                struct FTW *walk)
{
    (void)facts;
    (void)type;
    (void)walk;
    return remove(path);
}

void fixture_remove(void)
{
    nftw(fixture_folder, fixture_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void fixture_put(const void *bytes, size_t size_bytes, const char *name)
{
    snapcell_error err = {0};
    snapcell_store *store = NULL;
    fixture_with_store(SNAPCELL_STORE_WRITE, &store);
    fixture_require(snapcell_store_put(store, bytes, size_bytes, name, &err), &err, "put");
    snapcell_store_close(store);
}

static void fixture_compile_all(const fixture_function *functions, size_t count,
                                const snapcell_compile_options *given)
{
    for (size_t i = 0; i < count; i++) {
        const fixture_function *function = &functions[i];
        snapcell_compile_options options = *given;
        options.name = function->name;
        options.wall_limit_ms = patient_ms(SNAPCELL_COMPILE_WALL_LIMIT_MS_DEFAULT);
        char file_name[64];
        snprintf(file_name, sizeof(file_name), "%s.js", function->name);
        size_t map_size = function->source_map == NULL ? 0 : strlen(function->source_map);
        snapcell_compiled *compiled = NULL;
        snapcell_error err = {0};
        int status =
            snapcell_compile_memory(file_name, function->source, strlen(function->source),
                                    function->source_map, map_size, &options, &compiled, &err);
        fixture_require(status, &err, function->name);
        size_t size = 0;
        const void *artifact = snapcell_compiled_artifact(compiled, &size);
        fixture_put(artifact, size, function->name);
        snapcell_compiled_free(compiled);
    }
}

void fixture_compile(const fixture_function *functions, size_t count, const snapcell_host *host)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.entropy = SNAPCELL_ENTROPY_FRESH;
    options.host = host;
    fixture_compile_all(functions, count, &options);
}

void fixture_compile_warm(const fixture_function *functions, size_t count, const char *url)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_request warm = SNAPCELL_REQUEST_INIT;
    warm.url = url;
    options.warm = &warm;
    options.warm_count = 1;
    fixture_compile_all(functions, count, &options);
}

void fixture_compile_raw(const fixture_function *functions, size_t count)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    options.entropy = SNAPCELL_ENTROPY_FRESH;
    options.raw = true;
    fixture_compile_all(functions, count, &options);
}

typedef int fixture_write_fn(snapcell_store *store, const void *argument);

/* LMDB and views that are open in this process would be in the way. */
static void fixture_write_elsewhere(fixture_write_fn *write, const void *argument)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        snapcell_store *store = NULL;
        int status = snapcell_store_open(fixture_folder, SNAPCELL_STORE_WRITE, &store, NULL);
        if (status == SNAPCELL_OK) status = write(store, argument);
        snapcell_store_close(store);
        _exit(status == SNAPCELL_OK ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static int fixture_write_removal(snapcell_store *store, const void *argument)
{
    return snapcell_store_remove_name(store, argument, NULL);
}

void fixture_remove_name(const char *name)
{
    fixture_write_elsewhere(fixture_write_removal, name);
}

static int fixture_write_garbage(snapcell_store *store, const void *argument)
{
    static char garbage[1 << 20];
    memset(garbage, 'g', sizeof(garbage));
    artifact_spec spec = {
        .kind = SNAPCELL_ARTIFACT_SNAPSHOT,
        .shape = SNAPCELL_SHAPE_FETCH,
        .source_format = SNAPCELL_SOURCE_ESM,
        .name = "garbage",
        .file_name = "garbage.js",
        .blob = {garbage, sizeof(garbage)},
        .source = {garbage, sizeof(garbage)},
        .manifest = {"{}", 2},
        .codec = ARTIFACT_CODEC_RAW,
    };
    int status = SNAPCELL_OK;
    for (unsigned i = 0; i < *(const unsigned *)argument && status == SNAPCELL_OK; i++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        spec.key.bytes[0] = (uint8_t)i;
        status = artifact_write(&spec, &bytes, &size, NULL);
        if (status == SNAPCELL_OK) status = snapcell_store_put(store, bytes, size, NULL, NULL);
        free(bytes);
    }
    return status;
}

void fixture_fill(unsigned count)
{
    fixture_write_elsewhere(fixture_write_garbage, &count);
}

/* A section's bytes, decoded; Owned, free(). */
static artifact_part fixture_decode(const artifact_section *section)
{
    size_t prefix_size = 0;
    const void *prefix = engine_base_blob(&prefix_size);
    size_t size = (size_t)section->decoded_size_bytes;
    void *data = malloc(size + 1);
    snapcell_error err = {0};
    if (data == NULL) abort();
    fixture_require(artifact_section_decode_with_prefix(section, prefix, prefix_size, data, &err),
                    &err, "decode");
    return (artifact_part){data, size};
}

static void fixture_put_as(const void *bytes, size_t size_bytes, const snapcell_key *key,
                           const char *name)
{
    artifact_view view;
    snapcell_error err = {0};
    fixture_require(artifact_read(bytes, size_bytes, ARTIFACT_CHECK_DIGEST, &view, &err), &err,
                    "read");
    artifact_part blob = fixture_decode(&view.blob), source = fixture_decode(&view.source);
    artifact_spec spec = {
        .kind = view.info.kind,
        .shape = view.info.shape,
        .source_format = view.info.source_format,
        .key = *key,
        .engine = view.info.engine,
        .host = view.info.host,
        .name = name,
        .file_name = view.info.file_name,
        .blob = blob,
        .source = source,
        .source_encoding = view.source_encoding,
        .manifest = {view.manifest.data, (size_t)view.manifest.decoded_size_bytes},
        .codec = ARTIFACT_CODEC_ZSTD,
        .level = 3,
    };
    uint8_t *made = NULL;
    size_t made_size = 0;
    fixture_require(artifact_write(&spec, &made, &made_size, &err), &err, "write");
    fixture_put(made, made_size, name);
    free(made);
    free((void *)blob.data);
    free((void *)source.data);
}

void fixture_replace(const char *name, const char *with)
{
    snapcell_error err = {0};
    snapcell_store *store = NULL;
    snapcell_fingerprint engine = engine_fingerprint();
    snapcell_key key, with_key;
    void *bytes = NULL;
    size_t size = 0;
    fixture_with_store(SNAPCELL_STORE_WRITE, &store);
    fixture_require(snapcell_store_resolve(store, name, &engine, &key, &err), &err, name);
    fixture_require(snapcell_store_resolve(store, with, &engine, &with_key, &err), &err, with);
    fixture_require(snapcell_store_get(store, &with_key, &bytes, &size, &err), &err, "get");
    fixture_require(snapcell_store_remove(store, &key, &err), &err, "remove");
    snapcell_store_close(store);
    fixture_put_as(bytes, size, &key, name);
    free(bytes);
}

snapcell_loader *fixture_open_with(snapcell_loader_options *options)
{
    options->store_path = fixture_folder;
    snapcell_loader *loader = NULL;
    snapcell_error err = {0};
    ck_assert_msg(snapcell_loader_open(options, &loader, &err) == SNAPCELL_OK, "%s", err.message);
    ck_assert_ptr_nonnull(loader);
    return loader;
}

snapcell_loader *fixture_open(const snapcell_host *host, snapcell_log_fn *log, void *log_user)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.host = host;
    options.log = log;
    options.log_user = log_user;
    return fixture_open_with(&options);
}

snapcell_cell *fixture_load(snapcell_loader *loader, const char *ref,
                            const snapcell_cell_options *options)
{
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    int status = snapcell_cell_load(loader, ref, options, &cell, &err);
    ck_assert_msg(status == SNAPCELL_OK, "load %s: %s: %s", ref, snapcell_error_name(status),
                  err.message);
    ck_assert_ptr_nonnull(cell);
    return cell;
}

void fixture_expect_response(snapcell_cell *cell, const char *url, int http_status,
                             const char *body)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = url;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    int status = snapcell_cell_fetch(cell, &request, &response, &err);
    ck_assert_msg(status == SNAPCELL_OK, "fetch %s: %s: %s", url, snapcell_error_name(status),
                  err.message);
    ck_assert_int_eq(snapcell_response_status(response), http_status);
    ck_assert_str_eq(snapcell_response_body(response, NULL), body);
    snapcell_response_free(response);
}

void fixture_expect_result(snapcell_cell *cell, const char *event, const char *result)
{
    char *got = NULL;
    size_t size = 0;
    snapcell_error err = {0};
    int status = snapcell_cell_invoke(cell, event, &got, &size, &err);
    ck_assert_msg(status == SNAPCELL_OK, "invoke %s: %s: %s", event, snapcell_error_name(status),
                  err.message);
    ck_assert_str_eq(got, result);
    ck_assert_uint_eq(size, strlen(result));
    free(got);
}

void fixture_expect_load(snapcell_loader *loader, const char *ref, const char *result)
{
    snapcell_cell *cell = fixture_load(loader, ref, NULL);
    fixture_expect_result(cell, "{}", result);
    snapcell_cell_dispose(cell);
}

snapcell_counters fixture_counters(const snapcell_loader *loader)
{
    snapcell_counters counters;
    snapcell_loader_counters(loader, &counters, sizeof(counters));
    return counters;
}

/* --- Threads --- */

typedef struct load_task {
    snapcell_loader *loader;
    const fixture_expected *expected;
    size_t count;
    unsigned rounds;
    char failure[512];
} load_task;

/* Check's assertions are for the thread that runs the test. */
static bool fixture_load_and_compare(load_task *task, const fixture_expected *expected)
{
    snapcell_cell *cell = NULL;
    snapcell_error err = {0};
    char *got = NULL;
    int status = snapcell_cell_load(task->loader, expected->ref, NULL, &cell, &err);
    if (status == SNAPCELL_OK) status = snapcell_cell_invoke(cell, "{}", &got, NULL, &err);
    bool failed = status != SNAPCELL_OK || strcmp(got, expected->result) != 0;
    if (failed)
        snprintf(task->failure, sizeof(task->failure), "%s: %s: %.200s, %.100s", expected->ref,
                 snapcell_error_name(status), err.message, got != NULL ? got : "nothing");
    free(got);
    snapcell_cell_dispose(cell);
    return !failed;
}

static void *fixture_load_many(void *user)
{
    load_task *task = user;
    for (unsigned round = 0; round < task->rounds; round++)
        for (size_t i = 0; i < task->count; i++)
            if (!fixture_load_and_compare(task, &task->expected[i])) return task;
    return NULL;
}

void fixture_load_in_threads(snapcell_loader *loader, const fixture_expected *expected,
                             size_t count, unsigned rounds)
{
    pthread_t threads[FIXTURE_THREADS];
    load_task tasks[FIXTURE_THREADS];
    for (int i = 0; i < FIXTURE_THREADS; i++) {
        tasks[i] = (load_task){loader, expected, count, rounds, ""};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, fixture_load_many, &tasks[i]), 0);
    }
    for (int i = 0; i < FIXTURE_THREADS; i++) {
        void *failed = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_msg(failed == NULL, "%s", tasks[i].failure);
    }
}

int fixture_run(Suite *suite, TCase *tcase)
{
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fixture_remove();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
