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

static snapcell_error err;

static void check(int status)
{
    if (status == SNAPCELL_OK) return;
    fprintf(stderr, "embed: %s (%s)\n", err.message, snapcell_error_name(status));
    exit(EXIT_FAILURE);
}

/* readSetting(name) in JavaScript. */
static int read_setting(void *user, snapcell_host_call *call)
{
    const snapcell_value name = snapcell_host_argument(call, 0);
    if (name.type != SNAPCELL_VALUE_STRING)
        return snapcell_host_throw(call, "readSetting: expected a name");
    const char *text = strcmp(name.data, "greeting") == 0 ? user : "sunny";
    const snapcell_value value = {
        .type = SNAPCELL_VALUE_STRING, .data = text, .size_bytes = strlen(text)};
    return snapcell_host_return(call, &value, NULL);
}

static void build(const char *bundle, const snapcell_host *host)
{
    snapcell_compile_options options = SNAPCELL_COMPILE_OPTIONS_INIT;
    snapcell_compiled *compiled;
    snapcell_store *store;
    size_t size_bytes;
    options.host = host;
    check(snapcell_compile_file(bundle, &options, &compiled, &err));
    check(snapcell_store_open("embed-store", SNAPCELL_STORE_CREATE, &store, &err));
    const void *artifact = snapcell_compiled_artifact(compiled, &size_bytes);
    check(snapcell_store_put(store, artifact, size_bytes, "greeter", &err));
    snapcell_store_close(store);
    snapcell_compiled_free(compiled);
}

static void call(const char *url, const snapcell_host *host)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_loader *loader;
    snapcell_cell *cell;
    snapcell_response *response;
    options.store_path = "embed-store";
    options.host = host;
    request.url = url;
    check(snapcell_loader_open(&options, &loader, &err));
    check(snapcell_cell_load(loader, "greeter", NULL, &cell, &err));
    check(snapcell_cell_fetch(cell, &request, &response, &err));
    fputs(snapcell_response_body(response, NULL), stdout);
    snapcell_response_free(response);
    snapcell_cell_dispose(cell);
    snapcell_loader_close(loader);
}

int main(int argc, char **argv)
{
    char greeting[] = "Welcome";
    snapcell_host *host;
    check(snapcell_host_new(&host, &err));
    check(snapcell_host_add(host, "readSetting", read_setting, greeting, &err));
    build(argc > 1 ? argv[1] : "embed.js", host);
    call(argc > 2 ? argv[2] : "/", host);
    snapcell_host_free(host);
    return EXIT_SUCCESS;
}
