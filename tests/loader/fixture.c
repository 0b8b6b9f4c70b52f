#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    snprintf(fixture_folder, sizeof fixture_folder, "/tmp/snapcell-loader-XXXXXX");
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

void fixture_compile(const fixture_function *functions, size_t count, const snapcell_host *host)
{
    for (size_t i = 0; i < count; i++) {
        const fixture_function *function = &functions[i];
        snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
        options.name = function->name;
        options.host = host;
        char file_name[64];
        snprintf(file_name, sizeof file_name, "%s.js", function->name);
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

snapcell_loader *fixture_open(const snapcell_host *host, snapcell_log_fn *log, void *log_user)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.store_path = fixture_folder;
    options.host = host;
    options.log = log;
    options.log_user = log_user;
    snapcell_loader *loader = NULL;
    snapcell_error err = {0};
    ck_assert_msg(snapcell_loader_open(&options, &loader, &err) == SNAPCELL_OK, "%s", err.message);
    ck_assert_ptr_nonnull(loader);
    return loader;
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

void fixture_expect_response(snapcell_cell *cell, const char *url, int status, const char *body)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.url = url;
    snapcell_response *response = NULL;
    snapcell_error err = {0};
    int code = snapcell_cell_fetch(cell, &request, &response, &err);
    ck_assert_msg(code == SNAPCELL_OK, "fetch %s: %s: %s", url, snapcell_error_name(code),
                  err.message);
    ck_assert_int_eq(snapcell_response_status(response), status);
    ck_assert_str_eq(snapcell_response_body(response, NULL), body);
    snapcell_response_free(response);
}

void fixture_expect_result(snapcell_cell *cell, const char *event, const char *result)
{
    char *got = NULL;
    size_t size = 0;
    snapcell_error err = {0};
    int code = snapcell_cell_invoke(cell, event, &got, &size, &err);
    ck_assert_msg(code == SNAPCELL_OK, "invoke %s: %s: %s", event, snapcell_error_name(code),
                  err.message);
    ck_assert_str_eq(got, result);
    ck_assert_uint_eq(size, strlen(result));
    free(got);
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
