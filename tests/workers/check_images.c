/* Workers that are launched from images: they are what a loaded worker is, and where no image fits,
 * functions are loaded. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workers_fixture.h"

#define WAIT_STEPS 1500
#define WAIT_STEP_NS 20000000

static char folder_path[64];

static snapcell_workers_counts counts_of(const snapcell_workers *workers)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    return counts;
}

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){0, WAIT_STEP_NS}, NULL);
}

static void start(snapcell_workers *workers, const char *ref, const snapcell_cell_options *options)
{
    snapcell_worker_free(workers_load(workers, ref, options));
}

/* Until an image is there, or could not be made. */
static snapcell_workers_counts wait_for_image(const snapcell_workers *workers, uint64_t images)
{
    snapcell_workers_counts counts = counts_of(workers);
    for (int i = 0; i < WAIT_STEPS && counts.images + counts.image_failures < images; i++) {
        pause_a_moment();
        counts = counts_of(workers);
    }
    return counts;
}

static snapcell_workers *open_with_image(const snapcell_workers_options *options, const char *ref,
                                         const snapcell_cell_options *cell_options)
{
    snapcell_workers *workers = workers_open(options);
    start(workers, ref, cell_options);
    ck_assert_uint_eq(counts_of(workers).images, 0);
    start(workers, ref, cell_options);
    snapcell_workers_counts counts = wait_for_image(workers, 1);
    ck_assert_uint_eq(counts.images, 1);
    ck_assert_uint_eq(counts.image_failures, 0);
    ck_assert_uint_gt(counts.image_bytes, 1 << 20);
    ck_assert_uint_eq(counts.image_misses, 2);
    return workers;
}

static snapcell_worker *launch(snapcell_workers *workers, const char *ref,
                               const snapcell_cell_options *options)
{
    snapcell_workers_counts before = counts_of(workers);
    snapcell_worker *worker = workers_load(workers, ref, options);
    snapcell_workers_counts counts = counts_of(workers);
    ck_assert_uint_eq(counts.launches, before.launches + 1);
    ck_assert_uint_eq(counts.image_misses, before.image_misses);
    ck_assert_uint_eq(counts.fallbacks, 0);
    return worker;
}

START_TEST(test_the_third_worker_is_launched)
{
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    snapcell_worker *worker = launch(workers, "web", NULL);
    ck_assert_int_eq(snapcell_worker_shape(worker), SNAPCELL_SHAPE_FETCH);
    for (int i = 0; i < 20; i++)
        workers_expect(worker, "/count", "1");
    workers_expect_failure(worker, "/throw", SNAPCELL_E_SCRIPT, "no");
    workers_expect(worker, "/count", "1");
    ck_assert_uint_eq(counts_of(workers).deaths, 0);
    ck_assert_uint_ge(counts_of(workers).restores, 20);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

START_TEST(test_without_images)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_bytes_max = SNAPCELL_IMAGES_NONE;
    snapcell_workers *workers = workers_open(&options);
    int files = workers_count_open_files();
    for (int i = 0; i < 4; i++)
        start(workers, "web", NULL);
    ck_assert_int_eq(workers_count_open_files(), files);
    workers_expect_no_children();
    snapcell_workers_counts counts = counts_of(workers);
    ck_assert_uint_eq(counts.images + counts.launches + counts.image_misses, 0);
    snapcell_workers_close(workers);
}
END_TEST

/* Each way of serving that has none. */
START_TEST(test_other_policies_have_no_images)
{
    static const snapcell_workers_policy policies[] = {SNAPCELL_WORKERS_RELOAD,
                                                       SNAPCELL_WORKERS_KEEP};
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.policy = policies[_i];
    snapcell_workers *workers = workers_open(&options);
    for (int i = 0; i < 3; i++)
        start(workers, "web", NULL);
    ck_assert_uint_eq(counts_of(workers).image_misses, 0);
    snapcell_workers_close(workers);
}
END_TEST

/* --- What each worker has of its own --- */

START_TEST(test_each_worker_has_its_own_env)
{
    const snapcell_env first[] = {{"NAME", "first"}};
    const snapcell_env second[] = {{"NAME", "second"}};
    const snapcell_env list[] = {{"LIST", "[1,\"two\"]"}};
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.env = first;
    options.env_count = 1;
    snapcell_workers *workers = open_with_image(NULL, "web", &options);
    snapcell_worker *of_first = launch(workers, "web", &options);
    options.env = second;
    options.json_env = list;
    options.json_env_count = 1;
    snapcell_worker *of_second = launch(workers, "web", &options);
    snapcell_worker *of_none = launch(workers, "web", NULL);
    for (int i = 0; i < 3; i++) {
        workers_expect(of_first, "/env", "first undefined");
        workers_expect(of_second, "/env", "second two");
        workers_expect(of_none, "/env", "undefined undefined");
    }
    snapcell_worker_free(of_first);
    snapcell_worker_free(of_second);
    snapcell_worker_free(of_none);
    /* Found out before the first call, as ever. */
    snapcell_worker *worker = NULL;
    snapcell_error err = {0};
    const snapcell_env wrong[] = {{"LIST", "[1,"}};
    options.json_env = wrong;
    int status = snapcell_worker_load(workers, "web", &options, &worker, &err);
    ck_assert_int_eq(status, SNAPCELL_E_USAGE);
    ck_assert_ptr_null(worker);
    snapcell_workers_close(workers);
}
END_TEST

static bool folder_file_has(const void *needle, size_t size_bytes, unsigned *files)
{
    bool found = false;
    *files = 0;
    DIR *listing = opendir(folder_path);
    ck_assert_ptr_nonnull(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[400];
        struct stat file;
        if (strstr(entry->d_name, ".image") == NULL) continue;
        snprintf(path, sizeof(path), "%s/%s", folder_path, entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(fstat(fd, &file), 0);
        void *bytes = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ck_assert(bytes != MAP_FAILED);
        found = found || memmem(bytes, (size_t)file.st_size, needle, size_bytes) != NULL;
        munmap(bytes, (size_t)file.st_size);
        close(fd);
        ++*files;
    }
    closedir(listing);
    return found;
}

static void folder_make(void)
{
    strcpy(folder_path, "/tmp/snapcell-images-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder_path));
}

static void folder_remove(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", folder_path);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(test_no_secret_is_in_an_image)
{
    static const char secret[] = "correct horse battery staple";
    static const char json_secret[] = "\"nobody expects this one\"";
    const uint32_t limits[] = {1234567, 7654321}; /* as they lie in memory */
    unsigned files;
    folder_make();
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    snapcell_cell_options cell_options = SNAPCELL_CELL_OPTIONS_INIT;
    const snapcell_env env[] = {{"NAME", secret}};
    const snapcell_env json_env[] = {{"LIST", json_secret}};
    cell_options.env = env;
    cell_options.env_count = 1;
    cell_options.json_env = json_env;
    cell_options.json_env_count = 1;
    cell_options.cpu_limit_ms = limits[0];
    cell_options.wall_limit_ms = limits[1];
    options.image_folder = folder_path;
    snapcell_workers *workers = workers_open(&options);
    start(workers, "web", &cell_options); /* with a folder, the first makes one */
    ck_assert_uint_eq(wait_for_image(workers, 1).images, 1);
    snapcell_worker *worker = launch(workers, "web", &cell_options);
    workers_expect(worker, "/env", "correct horse battery staple o");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    ck_assert(folder_file_has("Hello", 0, &files)); /* an empty needle is found */
    ck_assert_uint_eq(files, 1);
    ck_assert(folder_file_has("\"shape\"", 7, &files)); /* of the manifest, in malloc's memory */
    ck_assert(!folder_file_has(secret, strlen(secret), &files));
    ck_assert(!folder_file_has(json_secret + 1, strlen(json_secret) - 2, &files));
    ck_assert(!folder_file_has(limits, sizeof(limits), &files));
    folder_remove();
}
END_TEST

START_TEST(test_limits_hold)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    options.wall_limit_ms = 100;
    snapcell_worker *worker = launch(workers, "web", &options);
    workers_expect_failure(worker, "/hang", SNAPCELL_E_WALL_LIMIT, "limit of 100 ms");
    workers_expect_failure(worker, "/loop", SNAPCELL_E_WALL_LIMIT, "limit of 100 ms");
    snapcell_worker_free(worker);
    options.wall_limit_ms = 20000;
    options.cpu_limit_ms = 100;
    worker = launch(workers, "web", &options);
    int pid = snapcell_worker_process_id(worker);
    workers_expect_failure(worker, "/loop", SNAPCELL_E_CPU_LIMIT, "limit of 100 ms");
    workers_expect_failure(worker, "/native", SNAPCELL_E_CPU_LIMIT, "limit of 100 ms");
    workers_expect(worker, "/", "fine");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    worker = launch(workers, "web", NULL);
    pid = snapcell_worker_process_id(worker);
    workers_expect_failure(worker, "/grow", SNAPCELL_E_MEMORY_LIMIT, "");
    workers_expect(worker, "/", "fine");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    ck_assert_uint_ge(counts_of(workers).cuts, 4);
    ck_assert_uint_eq(counts_of(workers).deaths, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

static void cancel_begun(void *user, snapcell_log_level level, const char *name, const char *text,
                         size_t size_bytes)
{
    (void)level;
    (void)name;
    (void)size_bytes;
    if (strcmp(text, "begun") == 0) snapcell_worker_cancel(*(snapcell_worker **)user);
}

START_TEST(test_a_call_can_be_cancelled)
{
    snapcell_worker *worker = NULL;
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.log = cancel_begun;
    options.log_user = &worker;
    snapcell_workers *workers = open_with_image(&options, "web", NULL);
    worker = launch(workers, "web", NULL);
    int pid = snapcell_worker_process_id(worker);
    for (int i = 0; i < 5; i++) {
        workers_expect_failure(worker, i % 2 == 0 ? "/loop" : "/hang", SNAPCELL_E_CANCELLED,
                               "cancelled");
        workers_expect(worker, "/log", "logged");
    }
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_launched_worker_that_dies_is_launched_again)
{
    snapcell_workers *workers = open_with_image(NULL, "json", NULL);
    snapcell_worker *worker = launch(workers, "json", NULL);
    for (int i = 0; i < 3; i++) {
        char *text = NULL;
        snapcell_error err = {0};
        int status = snapcell_worker_invoke(worker, "{\"a\":1}", &text, NULL, &err);
        ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
        ck_assert_str_eq(text, "{\"got\":1}");
        free(text);
        kill(snapcell_worker_process_id(worker), SIGKILL);
        pause_a_moment();
    }
    ck_assert_uint_eq(counts_of(workers).launches, 3);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* --- Ways --- */

START_TEST(test_each_tier_and_without_a_sandbox)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.restore_tier = (snapcell_restore_tier)(SNAPCELL_RESTORE_SCANNED + _i % 3);
    options.no_sandbox = _i >= 3;
    snapcell_workers *workers = open_with_image(&options, "web", NULL);
    snapcell_worker *worker = launch(workers, "web", NULL);
    for (int i = 0; i < 10; i++) {
        workers_expect(worker, "/count", "1");
        workers_expect(worker, "/env", "undefined undefined");
    }
    ck_assert_uint_eq(counts_of(workers).restore_tier, (unsigned)options.restore_tier);
    ck_assert_uint_eq(counts_of(workers).anomalies, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* Reads the lines of a file of /proc that begin as wanted. */
static void proc_lines(int pid, const char *file, const char *const *prefixes, char *out,
                       size_t capacity)
{
    char path[64];
    char line[512];
    size_t size = 0;
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    FILE *lines = fopen(path, "re");
    ck_assert_ptr_nonnull(lines);
    out[0] = '\0';
    while (fgets(line, sizeof(line), lines) != NULL)
        for (size_t i = 0; prefixes[i] != NULL; i++)
            if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0)
                size += (size_t)snprintf(out + size, capacity - size, "%s", line);
    fclose(lines);
    ck_assert_uint_gt(size, 0);
}

/* It may do what a loaded worker may, and no more. */
START_TEST(test_a_launched_worker_is_in_the_same_sandbox)
{
    static const char *const status[] = {
        "Uid:",        "Gid:",     "Groups:",  "CapInh:", "CapPrm:", "CapEff",       "CapAmb:",
        "NoNewPrivs:", "Seccomp:", "Threads:", "SigBlk",  "SigCgt:", "THP_enabled:", NULL};
    static const char *const limits[] = {"Max data size", "Max core file size", NULL};
    char of_loaded[4096];
    char of_launched[4096];
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_bytes_max = SNAPCELL_IMAGES_NONE;
    snapcell_workers *others = workers_open(&options);
    snapcell_worker *loaded = workers_load(others, "web", NULL);
    snapcell_worker *launched = launch(workers, "web", NULL);
    int loaded_pid = snapcell_worker_process_id(loaded);
    int launched_pid = snapcell_worker_process_id(launched);
    proc_lines(loaded_pid, "status", status, of_loaded, sizeof(of_loaded));
    proc_lines(launched_pid, "status", status, of_launched, sizeof(of_launched));
    ck_assert_str_eq(of_launched, of_loaded);
    proc_lines(loaded_pid, "limits", limits, of_loaded, sizeof(of_loaded));
    proc_lines(launched_pid, "limits", limits, of_launched, sizeof(of_launched));
    ck_assert_str_eq(of_launched, of_loaded);
    snapcell_worker_free(loaded);
    snapcell_worker_free(launched);
    snapcell_workers_close(others);
    snapcell_workers_close(workers);
}
END_TEST

/* --- Where no image fits --- */

START_TEST(test_other_limits_have_other_images)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = UINT64_C(64) << 20;
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    start(workers, "web", &options);
    ck_assert_uint_eq(counts_of(workers).launches, 0);
    start(workers, "web", &options);
    ck_assert_uint_eq(wait_for_image(workers, 2).images, 2);
    snapcell_worker_free(launch(workers, "web", &options));
    snapcell_worker_free(launch(workers, "web", NULL));
    snapcell_workers_close(workers);
}
END_TEST

/* A name that means another version is served by that. */
START_TEST(test_a_new_version_is_not_launched_from_the_old)
{
    static const char *const sources[] = {"export default () => 'first';",
                                          "export default () => 'second';"};
    fixture_compile(&(fixture_function){"changing", sources[0], NULL}, 1, NULL);
    snapcell_workers *workers = open_with_image(NULL, "changing", NULL);
    for (int i = 0; i < 2; i++) {
        char *text = NULL;
        snapcell_worker *worker = workers_load(workers, "changing", NULL);
        ck_assert_int_eq(snapcell_worker_invoke(worker, "{}", &text, NULL, NULL), SNAPCELL_OK);
        ck_assert_str_eq(text, i == 0 ? "\"first\"" : "\"second\"");
        free(text);
        snapcell_worker_free(worker);
        fixture_compile(&(fixture_function){"changing", sources[1], NULL}, 1, NULL);
    }
    ck_assert_uint_eq(counts_of(workers).launches, 1);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_an_old_image_is_made_again)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_age_max_ms = 1000;
    snapcell_workers *workers = open_with_image(&options, "web", NULL);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    start(workers, "web", NULL);
    ck_assert_uint_eq(counts_of(workers).launches, 0);
    ck_assert_uint_eq(wait_for_image(workers, 2).images, 2);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_an_image_without_room_is_no_error)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_bytes_max = 1 << 20;
    snapcell_workers *workers = workers_open(&options);
    for (int i = 0; i < 2; i++)
        start(workers, "web", NULL);
    snapcell_workers_counts counts = wait_for_image(workers, 1);
    ck_assert_uint_eq(counts.images, 0);
    ck_assert_uint_eq(counts.image_failures, 1);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    workers_expect(worker, "/", "fine");
    ck_assert_uint_eq(counts_of(workers).launches, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* A program that has no launcher next to it: the same file by another name, elsewhere. */
static void program_elsewhere(char *out, size_t capacity)
{
    char *program = realpath(getenv("SNAPCELL_WORKER"), NULL);
    ck_assert_ptr_nonnull(program);
    char *slash = strrchr(program, '/');
    snprintf(out, capacity, "%.*s/tests/alone-%d", (int)(slash - program), program, (int)getpid());
    ck_assert_int_eq(mkdir(out, 0700), 0);
    strcat(out, "/snapcell");
    ck_assert_int_eq(link(program, out), 0);
    free(program);
}

static void program_remove(char *path)
{
    ck_assert_int_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(rmdir(path), 0);
}

START_TEST(test_without_a_launcher_functions_are_loaded)
{
    char path[512];
    program_elsewhere(path, sizeof(path));
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.worker_path = path;
    snapcell_workers *workers = workers_open(&options);
    for (int i = 0; i < 3; i++) {
        snapcell_worker *worker = workers_load(workers, "web", NULL);
        workers_expect(worker, "/", "fine");
        snapcell_worker_free(worker);
    }
    ck_assert_uint_eq(counts_of(workers).launches + counts_of(workers).images, 0);
    snapcell_workers_close(workers);
    program_remove(path);
}
END_TEST

/* Without address randomization a launcher lies where its image has memory. */
START_TEST(test_a_launcher_that_collides_is_no_error)
{
    int before = personality(0xffffffff);
    ck_assert_int_ge(personality((unsigned long)before | ADDR_NO_RANDOMIZE), 0);
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    for (int i = 0; i < 2; i++) {
        snapcell_worker *worker = workers_load(workers, "web", NULL);
        workers_expect(worker, "/", "fine");
        snapcell_worker_free(worker);
    }
    snapcell_workers_counts counts = counts_of(workers);
    ck_assert_uint_ge(counts.image_collisions, 2);
    ck_assert_uint_eq(counts.launches, 0);
    ck_assert_uint_eq(counts.deaths, 0);
    /* The image itself is sound: launchers elsewhere become it. */
    ck_assert_int_ge(personality((unsigned long)before), 0);
    for (int i = 0; i < WAIT_STEPS && counts_of(workers).launches == 0; i++)
        start(workers, "web", NULL);
    ck_assert_uint_ge(counts_of(workers).launches, 1);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_folder_outlives_the_group)
{
    folder_make();
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_folder = folder_path;
    snapcell_workers *workers = workers_open(&options);
    start(workers, "web", NULL);
    ck_assert_uint_eq(wait_for_image(workers, 1).images, 1);
    snapcell_workers_close(workers);

    workers = workers_open(&options);
    start(workers, "web", NULL);
    for (int i = 0; i < WAIT_STEPS && counts_of(workers).image_bytes == 0; i++)
        pause_a_moment();
    snapcell_worker *worker = launch(workers, "web", NULL);
    workers_expect(worker, "/count", "1");
    ck_assert_uint_eq(counts_of(workers).images, 0); /* none was made */
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    folder_remove();
}
END_TEST

/* An image of it, flipped anywhere, is never run: it is made again. */
START_TEST(test_a_damaged_folder_is_no_error)
{
    folder_make();
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_folder = folder_path;
    snapcell_workers *workers = workers_open(&options);
    start(workers, "web", NULL);
    ck_assert_uint_eq(wait_for_image(workers, 1).images, 1);
    snapcell_workers_close(workers);
    char command[160];
    snprintf(
        command, sizeof(command),
        "for f in %s/*.image; do printf x | dd of=$f bs=1 seek=500000 conv=notrunc status=none; "
        "done",
        folder_path);
    ck_assert_int_eq(system(command), 0);
    workers = workers_open(&options);
    start(workers, "web", NULL);
    ck_assert_uint_eq(wait_for_image(workers, 1).images, 1);
    snapcell_worker_free(launch(workers, "web", NULL));
    snapcell_workers_close(workers);
    folder_remove();
    /* A folder that cannot be used is as none. */
    options.image_folder = "/proc/nowhere";
    workers = workers_open(&options);
    start(workers, "web", NULL);
    ck_assert_uint_eq(wait_for_image(workers, 1).images, 1);
    snapcell_worker_free(launch(workers, "web", NULL));
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_another_program_has_other_images)
{
    char path[512];
    char launcher[600];
    char *own = realpath(getenv("SNAPCELL_WORKER"), NULL);
    folder_make();
    program_elsewhere(path, sizeof(path));
    snprintf(launcher, sizeof(launcher), "%s-launch", path);
    strcat(strrchr(own, '/'), "-launch");
    ck_assert_int_eq(symlink(own, launcher), 0);
    free(own);
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_folder = folder_path;
    options.worker_path = path;
    for (int i = 0; i < 2; i++) {
        snapcell_workers *workers = workers_open(&options);
        start(workers, "web", NULL);
        ck_assert_uint_eq(wait_for_image(workers, 1).images, 1);
        snapcell_worker_free(launch(workers, "web", NULL));
        snapcell_workers_close(workers);
        /* As if it had been written to. */
        ck_assert_int_eq(utimensat(AT_FDCWD, path, NULL, 0), 0);
    }
    ck_assert_int_eq(unlink(launcher), 0);
    program_remove(path);
    folder_remove();
}
END_TEST

/* --- Threads and forks --- */

static void *launch_some(void *user)
{
    for (int i = 0; i < 6; i++) {
        snapcell_worker *worker = workers_load(user, "web", NULL);
        workers_expect(worker, "/count", "1");
        workers_expect(worker, "/", "fine");
        snapcell_worker_free(worker);
    }
    return NULL;
}

START_TEST(test_threads_launch_at_once)
{
    pthread_t threads[4];
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, launch_some, workers), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(counts_of(workers).launches, 24);
    ck_assert_uint_eq(counts_of(workers).deaths, 0);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

START_TEST(test_a_forked_child_has_no_images)
{
    snapcell_workers *workers = open_with_image(NULL, "web", NULL);
    pid_t pid = fork();
    if (pid == 0) {
        snapcell_worker *worker = NULL;
        int status = snapcell_worker_load(workers, "web", NULL, &worker, NULL);
        bool fine = status == SNAPCELL_OK && counts_of(workers).launches == 0;
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
        _exit(fine ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    snapcell_worker_free(launch(workers, "web", NULL));
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_group_is_closed_while_an_image_is_made)
{
    for (int i = 0; i < 5; i++) {
        snapcell_workers *workers = workers_open(NULL);
        start(workers, "web", NULL);
        start(workers, "web", NULL);
        nanosleep(&(struct timespec){0, i * 10000000}, NULL);
        snapcell_workers_close(workers);
        workers_expect_no_children();
    }
}
END_TEST

int main(void)
{
    workers_set_store(fixture_new_store());
    workers_fixture_compile();
    Suite *suite = suite_create("images");
    TCase *tcase = tcase_create("images");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_the_third_worker_is_launched);
    tcase_add_test(tcase, test_without_images);
    tcase_add_loop_test(tcase, test_other_policies_have_no_images, 0, 2);
    tcase_add_test(tcase, test_each_worker_has_its_own_env);
    tcase_add_test(tcase, test_no_secret_is_in_an_image);
    tcase_add_test(tcase, test_limits_hold);
    tcase_add_test(tcase, test_a_call_can_be_cancelled);
    tcase_add_test(tcase, test_a_launched_worker_that_dies_is_launched_again);
    tcase_add_loop_test(tcase, test_each_tier_and_without_a_sandbox, 0, 6);
    tcase_add_test(tcase, test_a_launched_worker_is_in_the_same_sandbox);
    tcase_add_test(tcase, test_other_limits_have_other_images);
    tcase_add_test(tcase, test_a_new_version_is_not_launched_from_the_old);
    tcase_add_test(tcase, test_an_old_image_is_made_again);
    tcase_add_test(tcase, test_an_image_without_room_is_no_error);
    tcase_add_test(tcase, test_without_a_launcher_functions_are_loaded);
    tcase_add_test(tcase, test_a_launcher_that_collides_is_no_error);
    tcase_add_test(tcase, test_a_folder_outlives_the_group);
    tcase_add_test(tcase, test_a_damaged_folder_is_no_error);
    tcase_add_test(tcase, test_another_program_has_other_images);
    tcase_add_test(tcase, test_threads_launch_at_once);
    tcase_add_test(tcase, test_a_forked_child_has_no_images);
    tcase_add_test(tcase, test_a_group_is_closed_while_an_image_is_made);
    return fixture_run(suite, tcase);
}
