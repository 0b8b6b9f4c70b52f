/* A host for functions: adds a function of its own to JavaScript, compiles examples/embed/ into a
 * store, loads it by name and calls it.
 *
 *     cc embed.c $(pkg-config --cflags --libs snapcell) -o embed && ./embed embed.js /visitor */
#include <snapcell/compiler.h>
#include <snapcell/loader.h>
#include <snapcell/store.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_setting(void *user, snapcell_host_call *call)
{
    const snapcell_value name = snapcell_host_argument(call, 0);
    (void)user;
    if (name.type != SNAPCELL_VALUE_STRING)
        return snapcell_host_throw(call, "readSetting: expected a name");
    const char *text = strcmp(name.data, "greeting") == 0 ? "Welcome" : "sunny";
    const snapcell_value value = {
        .type = SNAPCELL_VALUE_STRING, .data = text, .size_bytes = strlen(text)};
    return snapcell_host_return(call, &value, NULL);
}

static int build(const char *bundle, const char *store_path, const snapcell_host *host,
                 snapcell_error *err)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_compiled *compiled = NULL;
    snapcell_store *store = NULL;
    size_t size = 0;
    options.host = host;
    options.name = "embedded";
    int status = snapcell_compile_file(bundle, &options, &compiled, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(store_path, SNAPCELL_STORE_CREATE, &store, err);
    if (status == SNAPCELL_OK) {
        const void *bytes = snapcell_compiled_artifact(compiled, &size);
        status = snapcell_store_put(store, bytes, size, "embedded", err);
    }
    snapcell_store_close(store);
    snapcell_compiled_free(compiled);
    return status;
}

static int call(const char *store_path, const char *url, const snapcell_host *host,
                snapcell_error *err)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_loader *loader = NULL;
    snapcell_cell *cell = NULL;
    snapcell_response *response = NULL;
    options.store_path = store_path;
    options.host = host;
    request.url = url;
    int status = snapcell_loader_open(&options, &loader, err);
    if (status == SNAPCELL_OK) status = snapcell_cell_load(loader, "embedded", NULL, &cell, err);
    if (status == SNAPCELL_OK) status = snapcell_cell_fetch(cell, &request, &response, err);
    if (status == SNAPCELL_OK)
        printf("%d %s", snapcell_response_status(response),
               (const char *)snapcell_response_body(response, NULL));
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
    return status;
}

int main(int argc, char **argv)
{
    const char *bundle = argc > 1 ? argv[1] : "embed.js", *url = argc > 2 ? argv[2] : "/";
    snapcell_host *host = NULL;
    snapcell_error err = {0};
    int status = snapcell_host_new(&host, &err);
    if (status == SNAPCELL_OK)
        status = snapcell_host_add(host, "readSetting", read_setting, NULL, &err);
    if (status == SNAPCELL_OK) status = build(bundle, "embed-store", host, &err);
    if (status == SNAPCELL_OK) status = call("embed-store", url, host, &err);
    if (status != SNAPCELL_OK) fprintf(stderr, "embed: %s\n", err.message);
    snapcell_host_free(host);
    return status == SNAPCELL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
