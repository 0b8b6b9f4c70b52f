/* Load, call, dispose, over all examples: after the first thousand cycles the process has as much
 * memory, as many mappings and descriptors as before. `torture_cells FOLDER [--count N]`: the
 * folder of bundles. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapcell/loader.h"
#include "torture_report.h"
#include "torture_store.h"

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

static torture_functions functions;

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
        cycle(loader, functions.names[i % functions.count]);
        if (i > warm_up && i % SAMPLE_EVERY == 0) compare(&before);
        torture_progress(i, count);
    }
    const footprint now = measure();
    fprintf(stderr, "%zu functions; resident %zu KiB, then %zu; maps %u, then %u\n",
            functions.count, before.resident_bytes >> 10, now.resident_bytes >> 10, before.maps,
            now.maps);
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
    torture_compile_all(argv[1], "", &functions);
    options.store_path = torture_folder();
    torture_require(snapcell_loader_open(&options, &loader, &err), &err, "open");
    run_cycles(loader, torture.count);
    snapcell_loader_close(loader);
    return torture_report(promises, PROMISES);
}
