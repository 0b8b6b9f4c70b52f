/* Load, call, dispose, over all examples: after the first thousand cycles the process has as much
 * memory, as many mappings and descriptors as before. `torture_cells FOLDER [--count N]`: the
 * folder of bundles. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapcell/loader.h"
#include "snapcell/store.h"
#include "torture_report.h"

#define FUNCTIONS_MAX 64u
#define WARM_UP_MAX 1000ul
#define SAMPLE_EVERY 50u
/* What collections of garbage and the kernel's own rounding come to. */
#ifndef __SANITIZE_ADDRESS__
#define RESIDENT_SLACK_BYTES ((size_t)4 << 20)
#else /* which keeps what was freed */
#define RESIDENT_SLACK_BYTES ((size_t)256 << 20)
#endif
#define MAPS_SLACK 16u

enum { ANSWERED, RESIDENT, MAPS, DESCRIPTORS, PROMISES };
static torture_promise promises[PROMISES] = {
    [ANSWERED] = {"a function that is loaded, called and disposed of answers"},
    [RESIDENT] = {"resident memory is as large as after the warm-up, within some MiB"},
    [MAPS] = {"mappings stay within 16 of what they were"},
    [DESCRIPTORS] = {"descriptors stay as many as they were"},
};

typedef struct footprint {
    size_t resident_bytes;
    unsigned maps;
    unsigned descriptors;
} footprint;

static char names[FUNCTIONS_MAX][SNAPCELL_NAME_SIZE_MAX + 1];
static size_t name_count;
static char store_path[64];

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %lu", &pages) != 1) abort();
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static unsigned count_maps(void)
{
    unsigned lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    if (file == NULL) abort();
    for (int c; (c = fgetc(file)) != EOF;) {
        lines += c == '\n';
    }
    fclose(file);
    return lines;
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) abort();
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static footprint measure(void)
{
    return (footprint){.resident_bytes = resident_bytes(),
                       .maps = count_maps(),
                       .descriptors = count_descriptors()};
}

/* --- The functions
 * -------------------------------------------------------------------------------------------------
 */

static int add_name(void *user, const snapcell_store_name *entry)
{
    (void)user;
    if (name_count < FUNCTIONS_MAX) strcpy(names[name_count++], entry->name);
    return 0;
}

static void compile_all(const char *folder)
{
    char command[1024];
    const char *program = getenv("SNAPCELL_WORKER");
    snapcell_store *store = NULL;
    strcpy(store_path, "/tmp/snapcell-cells-XXXXXX");
    if (program == NULL || mkdtemp(store_path) == NULL) abort();
    snprintf(command, sizeof(command), "'%s' compile --store '%s' '%s'/*.js >/dev/null 2>&1",
             program, store_path, folder);
    /* One of them needs a host's functions and is not compiled here. */
    const int ended = system(command);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) > 1 ||
        snapcell_store_open(store_path, SNAPCELL_STORE_READ, &store, NULL) != SNAPCELL_OK) {
        fprintf(stderr, "cannot compile %s/*.js with %s ($SNAPCELL_WORKER)\n", folder, program);
        exit(1);
    }
    snapcell_store_each_name(store, add_name, NULL, NULL);
    snapcell_store_close(store);
    if (name_count < 8) {
        fprintf(stderr, "only %zu functions in %s\n", name_count, folder);
        exit(1);
    }
}

static void remove_store(void)
{
    char path[96];
    static const char *const files[] = {"/data.mdb", "/lock.mdb", ""};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", store_path, files[i]);
        remove(path);
    }
}

/* --- Cycles
 * -------------------------------------------------------------------------------------------------
 */

static int call(snapcell_cell *cell, snapcell_error *err)
{
    if (snapcell_cell_info(cell)->shape == SNAPCELL_SHAPE_JSON) {
        char *result = NULL;
        size_t size = 0;
        int status = snapcell_cell_invoke(cell, "{\"items\":[]}", &result, &size, err);
        free(result);
        return status;
    }
    snapcell_response *response = NULL;
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.method = "GET";
    request.url = "https://example.com/";
    int status = snapcell_cell_fetch(cell, &request, &response, err);
    snapcell_response_free(response);
    return status;
}

static void cycle(snapcell_loader *loader, const char *name)
{
    snapcell_error err;
    snapcell_cell *cell = NULL;
    int status = snapcell_cell_load(loader, name, NULL, &cell, &err);
    if (status == SNAPCELL_OK) status = call(cell, &err);
    snapcell_cell_dispose(cell);
    torture_try(&promises[ANSWERED], status == SNAPCELL_OK, "%s: %s", name,
                status == SNAPCELL_OK ? "" : err.message);
}

static void compare(const footprint *before)
{
    const footprint now = measure();
    torture_try(&promises[RESIDENT],
                now.resident_bytes <= before->resident_bytes + RESIDENT_SLACK_BYTES,
                "%zu bytes, %zu after the warm-up", now.resident_bytes, before->resident_bytes);
    torture_try(&promises[MAPS], now.maps <= before->maps + MAPS_SLACK, "%u, %u before", now.maps,
                before->maps);
    torture_try(&promises[DESCRIPTORS], now.descriptors == before->descriptors, "%u, %u before",
                now.descriptors, before->descriptors);
}

static void run_cycles(snapcell_loader *loader, unsigned long count)
{
    const unsigned long warm_up = count / 2 < WARM_UP_MAX ? count / 2 : WARM_UP_MAX;
    footprint before = {0};
    for (unsigned long i = 0; i < count; i++) {
        if (i == warm_up) before = measure();
        cycle(loader, names[i % name_count]);
        if (i > warm_up && i % SAMPLE_EVERY == 0) compare(&before);
        torture_progress(i, count);
    }
    const footprint now = measure();
    fprintf(stderr, "%zu functions; resident %zu KiB, then %zu; maps %u, then %u\n", name_count,
            before.resident_bytes >> 10, now.resident_bytes >> 10, before.maps, now.maps);
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
    const torture_options torture = torture_arguments(argc - 1, argv + 1, 200);
    compile_all(argv[1]);
    options.store_path = store_path;
    if (snapcell_loader_open(&options, &loader, &err) != SNAPCELL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    run_cycles(loader, torture.count);
    snapcell_loader_close(loader);
    remove_store();
    return torture_report(promises, PROMISES);
}
