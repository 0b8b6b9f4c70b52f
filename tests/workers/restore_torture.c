#include "restore_torture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const restore_variant restore_variants[RESTORE_VARIANTS] = {
    {"scanned", SNAPCELL_RESTORE_SCANNED, false},
    {"listed", SNAPCELL_RESTORE_LISTED, false},
    {"compared", SNAPCELL_RESTORE_COMPARED, false},
    {"scanned, no sandbox", SNAPCELL_RESTORE_SCANNED, true},
    {"listed, no sandbox", SNAPCELL_RESTORE_LISTED, true},
    {"compared, no sandbox", SNAPCELL_RESTORE_COMPARED, true},
};

static uint32_t random_state = 1;

static void fail(const char *what, const snapcell_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    exit(2);
}

/* A host that now and then has no time for what functions say: its sockets get full. */
static void slow_log(void *user, snapcell_log_level level, const char *function_name,
                     const char *text, size_t text_size_bytes)
{
    (void)user, (void)level, (void)function_name, (void)text, (void)text_size_bytes;
    if (restore_below(200) == 0) usleep(1000);
}

static snapcell_workers *open_workers(const char *store_path, const restore_variant *variant,
                                      const char *program)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_workers *workers = NULL;
    snapcell_error err;
    options.store_path = store_path;
    options.restore_tier = variant->tier;
    options.no_sandbox = variant->no_sandbox;
    options.worker_path = program;
    options.log = program != NULL ? slow_log : NULL;
    if (snapcell_workers_open(&options, &workers, &err) != SNAPCELL_OK) fail(variant->name, &err);
    return workers;
}

snapcell_workers *restore_open(const char *store_path, const restore_variant *variant)
{
    return open_workers(store_path, variant, NULL);
}

/* --- The lab --- */

void restore_lab_init(restore_lab *out)
{
    strcpy(out->folder, "/tmp/snapcell-lab-XXXXXX");
    if (mkdtemp(out->folder) == NULL) abort();
    snprintf(out->program, sizeof(out->program), "%s/worker", out->folder);
    snprintf(out->report_path, sizeof(out->report_path), "%s.report", out->program);
    const int fd = open(out->report_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    void *report = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof(lab_report)) == 0)
        report = mmap(NULL, sizeof(lab_report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (report == MAP_FAILED || symlink(LAB_WORKER, out->program) != 0) abort();
    close(fd);
    out->report = report;
}

void restore_lab_release(restore_lab *lab)
{
    munmap(lab->report, sizeof(lab_report));
    unlink(lab->report_path);
    unlink(lab->program);
    rmdir(lab->folder);
}

snapcell_workers *restore_lab_open(const restore_lab *lab, const char *store_path,
                                   const restore_variant *variant)
{
    return open_workers(store_path, variant, lab->program);
}

snapcell_worker *restore_load(snapcell_workers *workers, const char *ref,
                              const snapcell_cell_options *options)
{
    snapcell_worker *worker = NULL;
    snapcell_error err;
    if (snapcell_worker_load(workers, ref, options, &worker, &err) != SNAPCELL_OK) fail(ref, &err);
    return worker;
}

snapcell_workers_counts restore_counts(const snapcell_workers *workers)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    return counts;
}

int restore_fetch(snapcell_worker *worker, const char *url, const char *body, char **out,
                  snapcell_error *err)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    *out = NULL;
    request.method = "POST";
    request.url = url;
    request.body = body;
    request.body_size_bytes = body != NULL ? strlen(body) : 0;
    int status = snapcell_worker_fetch(worker, &request, &response, err);
    if (status == SNAPCELL_OK) *out = strdup(snapcell_response_body(response, NULL));
    snapcell_response_free(response);
    return status;
}

size_t restore_resident_kib(int process_id)
{
    char path[64];
    unsigned long resident = 0;
    unsigned long shared = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", process_id);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%*u %lu %lu", &resident, &shared) != 2) resident = shared = 0;
    fclose(file);
    return (resident - shared) * 4;
}

void restore_seed(uint32_t seed)
{
    random_state = seed;
}

uint32_t restore_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}
