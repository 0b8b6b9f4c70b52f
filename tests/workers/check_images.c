/* Workers that are launched from images: they are what a loaded worker is. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "images_fixture.h"
#include "patience.h"

START_TEST(test_the_third_worker_is_launched)
{
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    snapcell_worker *worker = images_launch(workers, "web", NULL);
    ck_assert_int_eq(snapcell_worker_shape(worker), SNAPCELL_SHAPE_FETCH);
    for (int i = 0; i < 20; i++)
        workers_expect(worker, "/count", "1");
    workers_expect_failure(worker, "/throw", SNAPCELL_E_SCRIPT, "no");
    workers_expect(worker, "/count", "1");
    ck_assert_uint_eq(images_counts(workers).deaths, 0);
    ck_assert_uint_ge(images_counts(workers).restores, 20);
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
        images_start(workers, "web", NULL);
    ck_assert_int_eq(workers_count_open_files(), files);
    workers_expect_no_children();
    snapcell_workers_counts counts = images_counts(workers);
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
        images_start(workers, "web", NULL);
    ck_assert_uint_eq(images_counts(workers).image_misses, 0);
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
    snapcell_workers *workers = images_open(NULL, "web", &options);
    snapcell_worker *of_first = images_launch(workers, "web", &options);
    options.env = second;
    options.json_env = list;
    options.json_env_count = 1;
    snapcell_worker *of_second = images_launch(workers, "web", &options);
    snapcell_worker *of_none = images_launch(workers, "web", NULL);
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
    DIR *listing = opendir(images_folder);
    ck_assert_ptr_nonnull(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[400];
        struct stat file;
        if (strstr(entry->d_name, ".image") == NULL) continue;
        snprintf(path, sizeof(path), "%s/%s", images_folder, entry->d_name);
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

START_TEST(test_no_secret_is_in_an_image)
{
    static const char secret[] = "correct horse battery staple";
    static const char json_secret[] = "\"nobody expects this one\"";
    const uint32_t limits[] = {1234567, 7654321}; /* as they lie in memory */
    unsigned files;
    images_folder_make();
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
    options.image_folder = images_folder;
    snapcell_workers *workers = workers_open(&options);
    images_start(workers, "web", &cell_options); /* with a folder, the first makes one */
    ck_assert_uint_eq(images_wait(workers, 1).images, 1);
    snapcell_worker *worker = images_launch(workers, "web", &cell_options);
    workers_expect(worker, "/env", "correct horse battery staple o");
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    ck_assert(folder_file_has("Hello", 0, &files)); /* an empty needle is found */
    ck_assert_uint_eq(files, 1);
    ck_assert(folder_file_has("\"shape\"", 7, &files)); /* of the manifest, in malloc's memory */
    ck_assert(!folder_file_has(secret, strlen(secret), &files));
    ck_assert(!folder_file_has(json_secret + 1, strlen(json_secret) - 2, &files));
    ck_assert(!folder_file_has(limits, sizeof(limits), &files));
    images_folder_remove();
}
END_TEST

START_TEST(test_limits_hold)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    char limit[32];
    snprintf(limit, sizeof(limit), "limit of %u ms", patient_ms(100));
    options.wall_limit_ms = patient_ms(100);
    snapcell_worker *worker = images_launch(workers, "web", &options);
    workers_expect_failure(worker, "/hang", SNAPCELL_E_WALL_LIMIT, limit);
    workers_expect_failure(worker, "/loop", SNAPCELL_E_WALL_LIMIT, limit);
    snapcell_worker_free(worker);
    options.wall_limit_ms = patient_ms(20000);
    options.cpu_limit_ms = patient_ms(100);
    worker = images_launch(workers, "web", &options);
    int pid = snapcell_worker_process_id(worker);
    workers_expect_failure(worker, "/loop", SNAPCELL_E_CPU_LIMIT, limit);
    workers_expect_failure(worker, "/native", SNAPCELL_E_CPU_LIMIT, limit);
    workers_expect(worker, "/", "fine");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    snapcell_worker_free(worker);
    worker = images_launch(workers, "web", NULL);
    pid = snapcell_worker_process_id(worker);
    workers_expect_failure(worker, "/grow", SNAPCELL_E_MEMORY_LIMIT, "");
    workers_expect(worker, "/", "fine");
    ck_assert_int_eq(snapcell_worker_process_id(worker), pid);
    ck_assert_uint_ge(images_counts(workers).cuts, 4);
    ck_assert_uint_eq(images_counts(workers).deaths, 0);
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
    snapcell_workers *workers = images_open(&options, "web", NULL);
    worker = images_launch(workers, "web", NULL);
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
    snapcell_workers *workers = images_open(NULL, "json", NULL);
    snapcell_worker *worker = images_launch(workers, "json", NULL);
    for (int i = 0; i < 3; i++) {
        char *text = NULL;
        snapcell_error err = {0};
        int status = snapcell_worker_invoke(worker, "{\"a\":1}", &text, NULL, &err);
        ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
        ck_assert_str_eq(text, "{\"got\":1}");
        free(text);
        pid_t pid = snapcell_worker_process_id(worker);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    }
    ck_assert_uint_eq(images_counts(workers).launches, 3);
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
    const snapcell_restore_tier best = snapcell_restore_probe();
    const snapcell_restore_tier tier = options.restore_tier > best ? options.restore_tier : best;
    snapcell_workers *workers = images_open(&options, "web", NULL);
    snapcell_worker *worker = images_launch(workers, "web", NULL);
    for (int i = 0; i < 10; i++) {
        workers_expect(worker, "/count", "1");
        workers_expect(worker, "/env", "undefined undefined");
    }
    ck_assert_uint_eq(images_counts(workers).restore_tier, (unsigned)tier);
    ck_assert_uint_eq(images_counts(workers).anomalies, 0);
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
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_bytes_max = SNAPCELL_IMAGES_NONE;
    snapcell_workers *others = workers_open(&options);
    snapcell_worker *loaded = workers_load(others, "web", NULL);
    snapcell_worker *launched = images_launch(workers, "web", NULL);
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

int main(void)
{
    workers_set_store(fixture_new_store());
    workers_fixture_compile();
    Suite *suite = suite_create("images");
    TCase *tcase = tcase_create("images");
    tcase_set_timeout(tcase, 300);
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
    return fixture_run(suite, tcase);
}
