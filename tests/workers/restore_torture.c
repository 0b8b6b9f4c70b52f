#include "restore_torture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const restore_variant restore_variants[RESTORE_VARIANTS] = {
    {"scanned", SNAPCELL_RESTORE_SCANNED, false},
    {"listed", SNAPCELL_RESTORE_LISTED, false},
    {"compared", SNAPCELL_RESTORE_COMPARED, false},
    {"scanned, no sandbox", SNAPCELL_RESTORE_SCANNED, true},
    {"listed, no sandbox", SNAPCELL_RESTORE_LISTED, true},
    {"compared, no sandbox", SNAPCELL_RESTORE_COMPARED, true},
};

/* A lab compares all memory after each; as many as a worker makes otherwise would take it long. */
#define LAB_WARM_CALLS 40

#define START_LIMIT_MS 300000

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
    options.store_path = store_path;
    options.restore_tier = variant->tier;
    options.no_sandbox = variant->no_sandbox;
    options.worker_path = program;
    options.log = program != NULL ? slow_log : NULL;
    options.warm_calls = program != NULL ? LAB_WARM_CALLS : 0;
    return restore_open_with(&options);
}

snapcell_workers *restore_open_with(const snapcell_workers_options *options)
{
    snapcell_workers_options patient = *options;
    snapcell_workers *workers = NULL;
    snapcell_error err;
    /* A process that makes an image has the lowest priority: on a busy machine it needs its time.
     */
    patient.start_limit_ms = START_LIMIT_MS;
    if (snapcell_workers_open(&patient, &workers, &err) != SNAPCELL_OK) fail("workers", &err);
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

/* --- Images --- */

#define WAIT_STEP_US 10000
#define WAIT_STEPS 30000
#define SMALL_STEPS 1000

void restore_wait_for_images(const snapcell_workers *workers, uint64_t count)
{
    for (int i = 0; i < WAIT_STEPS; i++, usleep(WAIT_STEP_US)) {
        const snapcell_workers_counts counts = restore_counts(workers);
        if (counts.images + counts.image_reads >= count) return;
    }
    fprintf(stderr, "no image is made\n");
    exit(2);
}

void restore_make_image(snapcell_workers *workers, const char *ref,
                        const snapcell_cell_options *options)
{
    const uint64_t images = restore_counts(workers).images;
    for (int i = 0; i < 2; i++)
        snapcell_worker_free(restore_load(workers, ref, options));
    restore_wait_for_images(workers, images + 1);
}

snapcell_worker *restore_launch(snapcell_workers *workers, const char *ref,
                                const snapcell_cell_options *options)
{
    if (snapcell_restore_probe() == SNAPCELL_RESTORE_COMPARED) return NULL;
    restore_make_image(workers, ref, options);
    const snapcell_workers_counts before = restore_counts(workers);
    snapcell_workers_counts counts = before;
    /* Launchers that lie where the image has memory are nobody's fault. */
    for (uint64_t collisions = UINT64_MAX; counts.image_collisions != collisions;) {
        collisions = counts.image_collisions;
        snapcell_worker *worker = restore_load(workers, ref, options);
        counts = restore_counts(workers);
        if (counts.launches == before.launches + 1) return worker;
        snapcell_worker_free(worker);
    }
    fprintf(stderr, "%s was not launched: %lu failures, %lu deaths, %lu misses more\n", ref,
            (unsigned long)(counts.image_failures - before.image_failures),
            (unsigned long)(counts.deaths - before.deaths),
            (unsigned long)(counts.image_misses - before.image_misses));
    exit(2);
}

/* --- Calls --- */

int restore_fetch(snapcell_worker *worker, const char *url, const char *body, char **out,
                  snapcell_error *err)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    *out = NULL;
    request.method = body != NULL ? "POST" : "GET";
    request.url = url;
    request.body = body;
    request.body_size_bytes = body != NULL ? strlen(body) : 0;
    int status = snapcell_worker_fetch(worker, &request, &response, err);
    if (status == SNAPCELL_OK) *out = strdup(snapcell_response_body(response, NULL));
    snapcell_response_free(response);
    return status;
}

char *restore_ask(snapcell_worker *worker, const char *url, const char *body)
{
    char *answer;
    snapcell_error err;
    if (restore_fetch(worker, url, body, &answer, &err) != SNAPCELL_OK) fail(url, &err);
    return answer;
}

/* Calls that nobody cuts may still reach a limit of time where the machine is others' as well. */
#define PATIENCE 50

static int ask_patiently(snapcell_worker *worker, char **out, snapcell_error *err)
{
    int status = SNAPCELL_E_WALL_LIMIT;
    for (int i = 0; i < PATIENCE; i++) {
        status = restore_fetch(worker, "/", "body", out, err);
        if (status != SNAPCELL_E_WALL_LIMIT && status != SNAPCELL_E_CPU_LIMIT) break;
    }
    return status;
}

restore_victim restore_victim_new(snapcell_worker *worker)
{
    restore_victim out = {.worker = worker};
    snapcell_error err;
    if (ask_patiently(worker, &out.first_answer, &err) != SNAPCELL_OK) fail("a first call", &err);
    out.process_id = snapcell_worker_process_id(worker);
    return out;
}

void restore_victim_free(restore_victim *victim)
{
    snapcell_worker_free(victim->worker);
    free(victim->first_answer);
}

void restore_victim_look(restore_victim *victim, torture_promise *next, torture_promise *alive,
                         const char *what)
{
    char *answer;
    snapcell_error err = {0};
    const int status = ask_patiently(victim->worker, &answer, &err);
    torture_try(next, status == SNAPCELL_OK && strcmp(answer, victim->first_answer) == 0,
                "%s: %s%.500s, not %.500s", what, err.message, answer != NULL ? answer : "",
                victim->first_answer);
    free(answer);
    const int id = snapcell_worker_process_id(victim->worker);
    torture_try(alive, id == victim->process_id, "%s: %d, not %d", what, id, victim->process_id);
    victim->process_id = id;
}

static void *cut_later(void *argument)
{
    const restore_cut *cut = argument;
    nanosleep(&(struct timespec){.tv_nsec = cut->moment_ns}, NULL);
    snapcell_worker_cancel(cut->worker);
    return NULL;
}

void restore_cut_begin(restore_cut *out, snapcell_worker *worker, uint32_t moment_ns_max)
{
    out->worker = worker;
    out->moment_ns = (long)restore_below(moment_ns_max);
    if (pthread_create(&out->thread, NULL, cut_later, out) != 0) abort();
}

void restore_cut_end(restore_cut *cut)
{
    pthread_join(cut->thread, NULL);
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

bool restore_gets_small(int process_id, size_t limit_kib, size_t *resident_kib)
{
    for (int i = 0; i < SMALL_STEPS; i++, usleep(WAIT_STEP_US)) {
        *resident_kib = restore_resident_kib(process_id);
        if (*resident_kib <= limit_kib) return true;
    }
    return false;
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
