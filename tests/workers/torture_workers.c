/* Worker processes that end at any moment: torture_workers --count N. In each try one is killed
 * while a call is about to begin, goes on or has just ended, or a function ends its process by
 * itself; what the caller gets is judged, and so is the next call, while another worker serves a
 * neighbour. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "snapcell/worker.h"
#include "torture_report.h"

/* A call with a fresh cell takes about half of this. */
#define MOMENT_NS_MAX 4000000u

#define CPU_LIMIT_MS 30
#define MEMORY_LIMIT_MB 64

static const char source[] =
    "export default { async fetch(request) {\n"
    "  const url = new URL(request.url);\n"
    "  if (url.pathname === '/fatal') 'a'.repeat(2 ** 28).split('');\n"
    "  if (url.pathname === '/native')\n"
    "    ('a'.repeat(2e7) + 'b').lastIndexOf('a'.repeat(1e6) + 'c');\n"
    "  if (url.pathname === '/forever') for (;;);\n"
    "  let text = '';\n"
    "  for (let i = 0; i < 20; i++) text += (await Promise.resolve(i)) + url.search;\n"
    "  return new Response(text.slice(0, 2) + await request.text());\n"
    "} };\n";

enum { KILLED, ENDED, REPLACED, NEIGHBOUR, LEFT, PROMISES };
static torture_promise promises[PROMISES] = {
    [KILLED] = {"a call whose worker is killed is answered right, or says that it died"},
    [ENDED] = {"a call that ends its process gets its limit's error"},
    [REPLACED] = {"the next call is answered by another process"},
    [NEIGHBOUR] = {"calls of another worker go on"},
    [LEFT] = {"no process and no descriptor is left"},
};

static uint32_t random_state;

static uint32_t below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

/* --- Calls --- */

/* A call's code; SNAPCELL_E_INTERNAL when it is answered, but not with what was sent. */
static int call(snapcell_worker *worker, const char *path, unsigned long number)
{
    char body[32];
    char expected[40];
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response = NULL;
    snprintf(body, sizeof(body), "number %lu", number);
    snprintf(expected, sizeof(expected), "01%s", body);
    request.url = path;
    request.method = "POST";
    request.body = body;
    request.body_size_bytes = strlen(body);
    int status = snapcell_worker_fetch(worker, &request, &response, NULL);
    if (status == SNAPCELL_OK && strcmp(snapcell_response_body(response, NULL), expected) != 0)
        status = SNAPCELL_E_INTERNAL;
    snapcell_response_free(response);
    return status;
}

/* --- The neighbour --- */

static atomic_bool neighbour_stops;

static void *neighbour_main(void *worker)
{
    for (unsigned long i = 0; !atomic_load(&neighbour_stops); i++) {
        const int status = call(worker, "/", i);
        torture_try(&promises[NEIGHBOUR], status == SNAPCELL_OK, "%s", snapcell_error_name(status));
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return NULL;
}

/* --- Tries --- */

typedef struct killing {
    int process_fd; /* not an id, which may be another process's by then */
    int signal;
    long moment_ns;
} killing;

static void *kill_later(void *argument)
{
    const killing *it = argument;
    nanosleep(&(struct timespec){.tv_nsec = it->moment_ns}, NULL);
    syscall(SYS_pidfd_send_signal, it->process_fd, it->signal, NULL, 0);
    return NULL;
}

static void expect_another(snapcell_worker *worker, int old_id, unsigned long number)
{
    siginfo_t info;
    /* One that was killed after its answer may take a moment to be gone. */
    while (waitid(P_PID, (id_t)old_id, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    const int status = call(worker, "/", number);
    const int id = snapcell_worker_process_id(worker);
    torture_try(&promises[REPLACED], status == SNAPCELL_OK && id != 0 && id != old_id,
                "try %lu: %s, process %d after %d", number, snapcell_error_name(status), id,
                old_id);
}

static void try_killing(snapcell_worker *worker, unsigned long number)
{
    static const int signals[] = {SIGKILL, SIGKILL, SIGSEGV, SIGTERM, SIGABRT, SIGSYS};
    const int id = snapcell_worker_process_id(worker);
    killing it = {.process_fd = (int)syscall(SYS_pidfd_open, id, 0),
                  .signal = signals[below(sizeof(signals) / sizeof(signals[0]))],
                  .moment_ns = (long)below(MOMENT_NS_MAX)};
    pthread_t killer;
    if (it.process_fd < 0 || pthread_create(&killer, NULL, kill_later, &it) != 0) abort();
    const int status = call(worker, below(4) == 0 ? "/forever" : "/", number);
    pthread_join(killer, NULL);
    close(it.process_fd);
    const int died = it.signal == SIGSYS ? SNAPCELL_E_SANDBOX : SNAPCELL_E_WORKER_DIED;
    const bool kept = status == SNAPCELL_OK || status == SNAPCELL_E_CPU_LIMIT || status == died;
    torture_try(&promises[KILLED], kept, "try %lu: signal %d: %s", number, it.signal,
                snapcell_error_name(status));
    expect_another(worker, id, number);
}

static void try_ending(snapcell_worker *worker, const char *path, int expected,
                       unsigned long number)
{
    const int id = snapcell_worker_process_id(worker);
    const int status = call(worker, path, number);
    torture_try(&promises[ENDED], status == expected, "try %lu: %s, not %s", number,
                snapcell_error_name(status), snapcell_error_name(expected));
    expect_another(worker, id, number);
}

/* Each with a limit of its own, so that it is known which one ends a call. */
typedef struct victims {
    snapcell_worker *cpu;
    snapcell_worker *memory;
    snapcell_worker *neighbour;
} victims;

static int load(snapcell_workers *workers, victims *out, snapcell_error *err)
{
    snapcell_cell_options cpu = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_cell_options memory = SNAPCELL_CELL_OPTIONS_INIT;
    cpu.cpu_limit_ms = CPU_LIMIT_MS;
    memory.memory_limit_bytes = (uint64_t)MEMORY_LIMIT_MB << 20;
    int status = snapcell_worker_load(workers, "tries", &cpu, &out->cpu, err);
    if (status == SNAPCELL_OK)
        status = snapcell_worker_load(workers, "tries", &memory, &out->memory, err);
    if (status == SNAPCELL_OK)
        status = snapcell_worker_load(workers, "tries", NULL, &out->neighbour, err);
    return status;
}

static void run(const victims *workers, unsigned long count)
{
    pthread_t neighbour;
    if (pthread_create(&neighbour, NULL, neighbour_main, workers->neighbour) != 0) abort();
    for (unsigned long i = 0; i < count; i++) {
        if (i % 20 == 9)
            try_ending(workers->cpu, "/native", SNAPCELL_E_CPU_LIMIT, i);
        else if (i % 20 == 19)
            try_ending(workers->memory, "/fatal", SNAPCELL_E_MEMORY_LIMIT, i);
        else
            try_killing(workers->cpu, i);
        torture_progress(i, count);
    }
    atomic_store(&neighbour_stops, true);
    pthread_join(neighbour, NULL);
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    if (directory != NULL) closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 20);
    snapcell_workers_options where = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_workers *workers = NULL;
    victims loaded = {0};
    snapcell_error err = {0};
    random_state = options.seed;
    where.store_path = fixture_new_store();
    where.policy = SNAPCELL_WORKERS_RELOAD; /* a limit ends the process, not the call alone */
    fixture_compile(&(fixture_function){"tries", source, NULL}, 1, NULL);
    const int descriptors = count_descriptors();
    int status = snapcell_workers_open(&where, &workers, &err);
    if (status == SNAPCELL_OK) status = load(workers, &loaded, &err);
    if (status != SNAPCELL_OK) return fprintf(stderr, "torture_workers: %s\n", err.message), 1;
    run(&loaded, options.count);
    snapcell_worker_free(loaded.cpu);
    snapcell_worker_free(loaded.memory);
    snapcell_worker_free(loaded.neighbour);
    snapcell_workers_close(workers);
    const bool childless = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    const int left = count_descriptors() - descriptors;
    torture_try(&promises[LEFT], childless && left == 0, "%s children, %d descriptors",
                childless ? "no" : "some", left);
    fixture_remove();
    return torture_report(promises, PROMISES);
}
