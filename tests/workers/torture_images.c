/* Workers that are launched from images: torture_images EXAMPLES --count N launches so many. Each
 * answers as a loaded worker does, and draws what no other one draws; some launchers are made to
 * collide, some images are damaged on the disk, and threads launch at once. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"

enum {
    ANSWERS,
    MATH,
    UUID,
    BYTES,
    AES,
    PAIR,
    NONCE,
    CLOCK,
    LAUNCHED,
    COLLIDED,
    DAMAGED,
    THREADS,
    FLAT,
    PROMISES,
    PARTS = NONCE - MATH + 1
};
static torture_promise promises[PROMISES] = {
    [ANSWERS] = {"a launched worker answers as a loaded one, in its first call and later"},
    [MATH] = {"no two launched workers draw the same sequence from Math.random()"},
    [UUID] = {"no two launched workers draw the same UUID"},
    [BYTES] = {"no two launched workers draw the same random bytes"},
    [AES] = {"no two launched workers generate the same AES key"},
    [PAIR] = {"no two launched workers generate the same key pair"},
    [NONCE] = {"no two launched workers sign by one ECDSA key with the same nonce"},
    [CLOCK] = {"Date of a launched worker is that of the call"},
    [LAUNCHED] = {"a worker that has an image is launched from it"},
    [COLLIDED] =
        {"a launcher that lies where its image has memory is replaced, or the function loaded"},
    [DAMAGED] = {"an image with any byte altered, or cut, is not run, and is made again"},
    [THREADS] = {"threads that launch at once get workers that answer"},
    [FLAT] = {"the host keeps no descriptor and no process of workers that are gone"},
};

static const char source[] =
    "const jwk = { kty: 'EC', crv: 'P-256',\n"
    "  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',\n"
    "  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',\n"
    "  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' };\n"
    "const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };\n"
    "let count = 0;\n"
    "export default { async fetch(request) {\n"
    "  const path = new URL(request.url).pathname;\n"
    "  if (path === '/warm') return new Response(String(Math.random()));\n"
    "  if (path === '/count') return new Response(`${++count} ${await request.text()}`);\n"
    "  const subtle = crypto.subtle;\n"
    "  const math = [Math.random(), Math.random(), Math.random()].join();\n"
    "  const aes = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);\n"
    "  const pair = await subtle.generateKey(ecdsa, true, ['sign']);\n"
    "  const known = await subtle.importKey('jwk', jwk, ecdsa, false, ['sign']);\n"
    "  const signed = await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, known, new "
    "Uint8Array(8));\n"
    "  return new Response([math, crypto.randomUUID(),\n"
    "    hex(crypto.getRandomValues(new Uint8Array(16))), hex(await subtle.exportKey('raw', "
    "aes)),\n"
    "    hex(await subtle.exportKey('raw', pair.publicKey)).slice(0, 64),\n"
    "    hex(signed).slice(0, 64), Date.now()].join('|'));\n"
    "} };\n";

typedef struct value {
    char text[72];
} value;

static value *drawn[PARTS];
static size_t drawn_count;
static size_t drawn_max;

/* --- Groups --- */

static snapcell_workers *open_group(const char *store, const char *folder)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_workers *workers = NULL;
    snapcell_error err;
    options.store_path = store;
    options.image_folder = folder;
    if (snapcell_workers_open(&options, &workers, &err) == SNAPCELL_OK) return workers;
    fprintf(stderr, "%s\n", err.message);
    exit(2);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Until as many images were made, or taken from the folder. */
static void wait_for_images(const snapcell_workers *workers, uint64_t made)
{
    for (int i = 0; i < 3000; i++, pause_ms(10)) {
        snapcell_workers_counts counts = restore_counts(workers);
        if (made == 0 ? counts.image_bytes > 0 : counts.images >= made) return;
    }
    fprintf(stderr, "no image is made\n");
    exit(2);
}

static char *ask(snapcell_worker *worker, const char *url, const char *body)
{
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    snapcell_response *response;
    snapcell_error err;
    request.url = url;
    if (body != NULL) request.method = "POST";
    request.body = body;
    request.body_size_bytes = body != NULL ? strlen(body) : 0;
    if (snapcell_worker_fetch(worker, &request, &response, &err) != SNAPCELL_OK) {
        fprintf(stderr, "%s: %s\n", url, err.message);
        exit(2);
    }
    char *answer = strdup(snapcell_response_body(response, NULL));
    snapcell_response_free(response);
    if (answer == NULL) exit(2);
    return answer;
}

/* --- One launch --- */

static double wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool counts_from_one(snapcell_worker *worker, unsigned long number)
{
    char body[32];
    char expected[40];
    snprintf(body, sizeof(body), "%lu", number);
    snprintf(expected, sizeof(expected), "1 %lu", number);
    char *answer = ask(worker, "/count", body);
    bool fine = strcmp(answer, expected) == 0;
    free(answer);
    return fine;
}

static void take_draws(snapcell_worker *worker)
{
    double before_ms = wall_ms();
    char *answer = ask(worker, "/", NULL);
    char *at = answer;
    for (int part = 0; part < PARTS && at != NULL; part++)
        snprintf(drawn[part][drawn_count].text, sizeof(value), "%s", strsep(&at, "|"));
    drawn_count++;
    double date = at != NULL ? atof(at) : 0;
    torture_try(&promises[CLOCK], date >= before_ms - 1000 && date <= wall_ms() + 1000,
                "Date is %f at %f", date, before_ms);
    free(answer);
}

static void launch_one(snapcell_workers *workers, unsigned long number)
{
    uint64_t launches = restore_counts(workers).launches;
    uint64_t collisions = restore_counts(workers).image_collisions;
    snapcell_worker *worker = restore_load(workers, "draws", NULL);
    snapcell_workers_counts counts = restore_counts(workers);
    torture_try(&promises[LAUNCHED],
                counts.launches == launches + 1 || counts.image_collisions >= collisions + 3,
                "it was loaded");
    torture_try(&promises[ANSWERS], counts_from_one(worker, number), "the first call is not right");
    if (drawn_count < drawn_max) take_draws(worker);
    torture_try(&promises[ANSWERS], counts_from_one(worker, number + 1), "a call is not fresh");
    snapcell_worker_free(worker);
}

/* --- Examples: their answers as loaded and as launched --- */

static void compare_example(const char *store, const char *name, const char *url)
{
    snapcell_workers *workers = open_group(store, NULL);
    char *loaded[2];
    for (int i = 0; i < 2; i++) {
        snapcell_worker *worker = restore_load(workers, name, NULL);
        loaded[i] = ask(worker, url, NULL);
        snapcell_worker_free(worker);
    }
    wait_for_images(workers, 1);
    bool is_steady = strcmp(loaded[0], loaded[1]) == 0; /* no clock and no chance in it */
    for (int i = 0; i < 3; i++) {
        snapcell_worker *worker = restore_load(workers, name, NULL);
        for (int call = 0; call < 3; call++) {
            char *answer = ask(worker, url, NULL);
            torture_try(&promises[ANSWERS], !is_steady || strcmp(answer, loaded[0]) == 0,
                        "%s: '%.60s', loaded '%.60s'", name, answer, loaded[0]);
            free(answer);
        }
        snapcell_worker_free(worker);
    }
    torture_try(&promises[LAUNCHED], restore_counts(workers).launches == 3, "%s was loaded", name);
    free(loaded[0]);
    free(loaded[1]);
    snapcell_workers_close(workers);
}

static void compare_examples(const char *store, const char *folder)
{
    static const char *const names[] = {"hello", "react-ssr", "hono-api", "mix"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char command[1024];
        snprintf(command, sizeof(command),
                 "'%s' compile --warm / --store '%s' '%s/%s.js' >/dev/null 2>&1",
                 getenv("SNAPCELL_WORKER"), store, folder, names[i]);
        if (system(command) != 0) {
            fprintf(stderr, "%s fails\n", command);
            exit(2);
        }
        compare_example(store, names[i], "/");
    }
}

/* --- Collisions --- */

/* Without address randomization launchers lie where the maker's memory was. Some wait from before.
 */
static void collide(const char *store, unsigned long count)
{
    int before = personality(0xffffffff);
    personality((unsigned long)before | ADDR_NO_RANDOMIZE);
    snapcell_workers *workers = open_group(store, NULL);
    for (int i = 0; i < 2; i++)
        snapcell_worker_free(restore_load(workers, "draws", NULL));
    wait_for_images(workers, 1);
    for (unsigned long i = 0; i < count; i++) {
        personality((unsigned long)before | (i % 2 == 0 ? ADDR_NO_RANDOMIZE : 0));
        snapcell_worker *worker = restore_load(workers, "draws", NULL);
        torture_try(&promises[COLLIDED], counts_from_one(worker, i), "a call is not right");
        snapcell_worker_free(worker);
    }
    snapcell_workers_counts counts = restore_counts(workers);
    torture_try(&promises[COLLIDED], counts.image_collisions > 0, "none collided");
    torture_try(&promises[COLLIDED], counts.deaths == 0, "%lu died", (unsigned long)counts.deaths);
    personality((unsigned long)before);
    snapcell_workers_close(workers);
}

/* --- Damage on the disk --- */

static bool folder_image(const char *folder, char *out, size_t capacity)
{
    DIR *listing = opendir(folder);
    bool found = false;
    for (const struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.' && strstr(entry->d_name, ".image") != NULL) {
            snprintf(out, capacity, "%s/%s", folder, entry->d_name);
            found = true;
        }
    if (listing != NULL) closedir(listing);
    return found;
}

static void damage_file(const char *path, unsigned long number)
{
    struct stat file;
    unsigned char byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) exit(2);
    off_t at =
        (off_t)restore_below((uint32_t)(file.st_size / 4096)) * 4096 + (off_t)restore_below(4096);
    if (at >= file.st_size) at = file.st_size - 1;
    bool done = number % 4 == 3 ? ftruncate(fd, at) == 0
                                : pread(fd, &byte, 1, at) == 1 &&
                                      (byte ^= (unsigned char)(1u << restore_below(8)), true) &&
                                      pwrite(fd, &byte, 1, at) == 1;
    close(fd);
    if (!done) exit(2);
}

static void damage(const char *store, unsigned long count)
{
    char folder[] = "/tmp/snapcell-images-XXXXXX";
    char path[512];
    char command[96];
    if (mkdtemp(folder) == NULL) exit(2);
    for (unsigned long i = 0; i < count; i++) {
        snapcell_workers *workers = open_group(store, folder);
        snapcell_worker_free(restore_load(workers, "draws", NULL));
        wait_for_images(workers, 1); /* none was taken from the folder */
        snapcell_worker *worker = restore_load(workers, "draws", NULL);
        torture_try(&promises[DAMAGED],
                    counts_from_one(worker, i) && restore_counts(workers).images == 1,
                    "a call is not right, or a damaged image was taken");
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
        if (!folder_image(folder, path, sizeof(path))) exit(2);
        damage_file(path, i);
    }
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0) exit(2);
}

/* --- Threads --- */

typedef struct thread_work {
    snapcell_workers *workers;
    unsigned long count;
    unsigned long wrong;
} thread_work;

static void *thread_main(void *user)
{
    thread_work *work = user;
    for (unsigned long i = 0; i < work->count; i++) {
        snapcell_worker *worker = restore_load(work->workers, "draws", NULL);
        if (!counts_from_one(worker, i) || !counts_from_one(worker, i)) work->wrong++;
        snapcell_worker_free(worker);
    }
    return NULL;
}

static void launch_on_threads(snapcell_workers *workers, unsigned long count)
{
    enum { THREAD_COUNT = 4 };
    pthread_t threads[THREAD_COUNT];
    thread_work works[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++) {
        works[i] = (thread_work){workers, count / THREAD_COUNT + 1, 0};
        if (pthread_create(&threads[i], NULL, thread_main, &works[i]) != 0) exit(2);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
        torture_try(&promises[THREADS], works[i].wrong == 0, "%lu calls are wrong", works[i].wrong);
    }
}

/* --- All of them --- */

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int compare_values(const void *a, const void *b)
{
    return strcmp(((const value *)a)->text, ((const value *)b)->text);
}

static void compare_drawn(int part)
{
    value *values = drawn[part];
    qsort(values, drawn_count, sizeof(*values), compare_values);
    for (size_t i = 0; i < drawn_count; i++)
        torture_try(&promises[MATH + part],
                    i == 0 || strcmp(values[i - 1].text, values[i].text) != 0, "%s was drawn twice",
                    values[i].text);
    free(values);
}

static void launch_all(const char *store, unsigned long count)
{
    snapcell_workers *workers = open_group(store, NULL);
    for (int i = 0; i < 2; i++)
        snapcell_worker_free(restore_load(workers, "draws", NULL));
    wait_for_images(workers, 1);
    launch_one(workers, 0);
    int files = open_files();
    for (unsigned long i = 1; i < count; i++) {
        launch_one(workers, i);
        torture_progress(i + 1, count);
    }
    launch_on_threads(workers, count / 4);
    pause_ms(200); /* launchers that are started now have descriptors, too */
    int after = open_files();
    torture_try(&promises[FLAT], after <= files + 6, "%d files are open, %d were", after, files);
    snapcell_workers_close(workers);
}

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    const char *examples = argv[1];
    argv[1] = argv[0];
    const torture_options options = torture_arguments(argc - 1, argv + 1, 100);
    restore_seed(options.seed);
    const char *store = fixture_new_store();
    drawn_max = options.count;
    for (int part = 0; part < PARTS; part++) {
        drawn[part] = calloc(drawn_max + 1, sizeof(value));
        if (drawn[part] == NULL) return 2;
    }
    fixture_compile_warm(&(fixture_function){"draws", source, NULL}, 1, "/warm");
    launch_all(store, options.count);
    collide(store, options.count / 10 + 2);
    damage(store, options.count / 100 + 2);
    compare_examples(store, examples);
    fixture_remove();
    for (int part = 0; part < PARTS; part++)
        compare_drawn(part);
    return torture_report(promises, PROMISES);
}
