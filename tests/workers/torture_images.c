/* Workers that are launched from images: torture_images EXAMPLES --count N launches so many. Each
 * answers as a loaded worker does, and draws what no other one draws; some launchers are made to
 * collide, some images are damaged on the disk, and threads launch at once. Where no image can be
 * made, functions are loaded. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_draws.h"

enum {
    ANSWERS = DRAWS_PROMISES,
    LAUNCHED,
    DAMAGED,
    THREADS,
    FLAT,
    COLLIDED,
    PROMISES,
};
static torture_promise promises[PROMISES] = {
    DRAWS_PROMISES_OF("launched workers"),
    [ANSWERS] = {"a launched worker answers as a loaded one, in its first call and later"},
    [LAUNCHED] = {"a worker that has an image is launched from it"},
    [DAMAGED] = {"an image with any byte altered, or cut, is not run, and is made again"},
    [THREADS] = {"threads that launch at once get workers that answer"},
    [FLAT] = {"the host keeps no descriptor and no process of workers that are gone"},
    [COLLIDED] =
        {"a launcher that lies where its image has memory is replaced, or the function loaded"},
};

/* --- Groups --- */

static snapcell_workers *open_group(const char *store, const char *folder, bool no_sandbox)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.store_path = store;
    options.image_folder = folder;
    options.no_sandbox = no_sandbox;
    return restore_open_with(&options);
}

/* --- One launch --- */

static bool counts_from_one(snapcell_worker *worker, unsigned long number)
{
    char body[32];
    char expected[40];
    snprintf(body, sizeof(body), "%lu", number);
    snprintf(expected, sizeof(expected), "1 %lu", number);
    char *answer = restore_ask(worker, "/count", body);
    bool fine = strcmp(answer, expected) == 0;
    free(answer);
    return fine;
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
    draws_call(worker, false);
    torture_try(&promises[ANSWERS], counts_from_one(worker, number + 1), "a call is not fresh");
    snapcell_worker_free(worker);
}

/* --- Examples: their answers as loaded and as launched --- */

static void compare_example(const char *store, const char *name, const char *url)
{
    snapcell_workers *workers = open_group(store, NULL, false);
    char *loaded[2];
    for (int i = 0; i < 2; i++) {
        snapcell_worker *worker = restore_load(workers, name, NULL);
        loaded[i] = restore_ask(worker, url, NULL);
        snapcell_worker_free(worker);
    }
    restore_wait_for_images(workers, 1);
    bool is_steady = strcmp(loaded[0], loaded[1]) == 0; /* no clock and no chance in it */
    for (int i = 0; i < 3; i++) {
        snapcell_worker *worker = restore_load(workers, name, NULL);
        for (int call = 0; call < 3; call++) {
            char *answer = restore_ask(worker, url, NULL);
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

/* False: this process may not. */
static bool set_randomization(unsigned long before, bool is_random)
{
    return personality(before | (is_random ? 0 : ADDR_NO_RANDOMIZE)) != -1;
}

/* Without address randomization launchers lie where the maker's memory was. Some wait from before.
 * False: containers may forbid that. */
static bool collide(const char *store, unsigned long count)
{
    const unsigned long before = (unsigned long)personality(0xffffffff);
    if (!set_randomization(before, false)) return false;
    snapcell_workers *workers = open_group(store, NULL, false);
    restore_make_image(workers, "draws", NULL);
    for (unsigned long i = 0; i < count; i++) {
        set_randomization(before, i % 2 != 0);
        snapcell_worker *worker = restore_load(workers, "draws", NULL);
        torture_try(&promises[COLLIDED], counts_from_one(worker, i), "a call is not right");
        snapcell_worker_free(worker);
    }
    snapcell_workers_counts counts = restore_counts(workers);
    promises[COLLIDED].tries += counts.image_collisions;
    torture_try(&promises[COLLIDED], counts.image_collisions > 0, "none collided");
    torture_try(&promises[COLLIDED], counts.deaths == 0, "%lu died", (unsigned long)counts.deaths);
    set_randomization(before, true);
    snapcell_workers_close(workers);
    return true;
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
        snapcell_workers *workers = open_group(store, folder, false);
        snapcell_worker_free(restore_load(workers, "draws", NULL));
        restore_wait_for_images(workers, 1);
        snapcell_worker *worker = restore_load(workers, "draws", NULL);
        torture_try(&promises[DAMAGED],
                    counts_from_one(worker, i) && restore_counts(workers).images == 1 &&
                        restore_counts(workers).image_reads == 0,
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

/* In a sandbox, and without one. */
static void launch_all(const char *store, bool no_sandbox, unsigned long count)
{
    snapcell_workers *workers = open_group(store, NULL, no_sandbox);
    snapcell_worker_free(restore_launch(workers, "draws", NULL));
    launch_one(workers, 0);
    int files = open_files();
    for (unsigned long i = 1; i < count; i++) {
        launch_one(workers, i);
        torture_progress(i + 1, count);
    }
    launch_on_threads(workers, count / 4);
    usleep(200000); /* launchers that are started now have descriptors, too */
    int after = open_files();
    torture_try(&promises[FLAT], after <= files + 6, "%d files are open, %d were", after, files);
    snapcell_workers_close(workers);
}

/* Returns the status of the program. */
static int try_without_images(const char *store, unsigned long count)
{
    torture_promise promise = {
        .text = "where no image can be made, functions are loaded, and counters tell"};
    snapcell_workers *workers = open_group(store, NULL, false);
    for (unsigned long i = 0; i < count; i++) {
        snapcell_worker *worker = restore_load(workers, "draws", NULL);
        torture_try(&promise, counts_from_one(worker, i) && counts_from_one(worker, i),
                    "a call is not right");
        snapcell_worker_free(worker);
    }
    const snapcell_workers_counts counts = restore_counts(workers);
    torture_try(&promise,
                counts.launches == 0 && counts.images == 0 && counts.image_misses == count,
                "%lu launches, %lu images, %lu misses", (unsigned long)counts.launches,
                (unsigned long)counts.images, (unsigned long)counts.image_misses);
    snapcell_workers_close(workers);
    fixture_remove();
    return torture_report(&promise, 1);
}

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    const char *examples = argv[1];
    argv[1] = argv[0];
    const torture_options options = torture_arguments(argc - 1, argv + 1, 100);
    restore_seed(options.seed);
    const char *store = fixture_new_store();
    fixture_compile_warm(&(fixture_function){"draws", draws_source, NULL}, 1, "/warm");
    if (snapcell_restore_probe() == SNAPCELL_RESTORE_COMPARED)
        return try_without_images(store, 2 + options.count / 10);
    draws_begin(promises, options.count + 2);
    launch_all(store, false, options.count / 2 + 1);
    launch_all(store, true, options.count / 2 + 1);
    damage(store, options.count / 100 + 2);
    compare_examples(store, examples);
    const bool collides = collide(store, options.count / 10 + 2);
    if (!collides) fprintf(stderr, "no launcher was made to collide: personality() is denied\n");
    fixture_remove();
    draws_end();
    return torture_report(promises, collides ? PROMISES : COLLIDED);
}
