/* Where no image fits, functions are loaded; and threads, forks and folders. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "images_fixture.h"

/* --- Where no image fits --- */

START_TEST(test_other_limits_have_other_images)
{
    snapcell_cell_options options = SNAPCELL_CELL_OPTIONS_INIT;
    options.memory_limit_bytes = UINT64_C(64) << 20;
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    images_start(workers, "web", &options);
    ck_assert_uint_eq(images_counts(workers).launches, 0);
    images_start(workers, "web", &options);
    ck_assert_uint_eq(images_wait(workers, 2).images, 2);
    snapcell_worker_free(images_launch(workers, "web", &options));
    snapcell_worker_free(images_launch(workers, "web", NULL));
    snapcell_workers_close(workers);
}
END_TEST

/* A name that means another version is served by that. */
START_TEST(test_a_new_version_is_not_launched_from_the_old)
{
    static const char *const sources[] = {"export default () => 'first';",
                                          "export default () => 'second';"};
    fixture_compile(&(fixture_function){"changing", sources[0], NULL}, 1, NULL);
    snapcell_workers *workers = images_open(NULL, "changing", NULL);
    for (int i = 0; i < 2; i++) {
        char *text = NULL;
        snapcell_worker *worker = workers_load(workers, "changing", NULL);
        ck_assert_int_eq(snapcell_worker_invoke(worker, "{}", &text, NULL, NULL), SNAPCELL_OK);
        ck_assert_str_eq(text, i == 0 ? "\"first\"" : "\"second\"");
        free(text);
        snapcell_worker_free(worker);
        fixture_compile(&(fixture_function){"changing", sources[1], NULL}, 1, NULL);
    }
    ck_assert_uint_eq(images_counts(workers).launches, 1);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_an_old_image_is_made_again)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_age_max_ms = 1000;
    snapcell_workers *workers = images_open(&options, "web", NULL);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    images_start(workers, "web", NULL);
    ck_assert_uint_eq(images_counts(workers).launches, 0);
    ck_assert_uint_eq(images_wait(workers, 2).images, 2);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_an_image_without_room_is_no_error)
{
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_bytes_max = 1 << 20;
    snapcell_workers *workers = workers_open(&options);
    for (int i = 0; i < 2; i++)
        images_start(workers, "web", NULL);
    snapcell_workers_counts counts = images_wait(workers, 1);
    ck_assert_uint_eq(counts.images, 0);
    ck_assert_uint_eq(counts.image_failures, 1);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    workers_expect(worker, "/", "fine");
    ck_assert_uint_eq(images_counts(workers).launches, 0);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
}
END_TEST

/* A copy of the program, elsewhere: it has no launcher next to it. */
static void program_elsewhere(char *out, size_t capacity)
{
    char *program = realpath(getenv("SNAPCELL_WORKER"), NULL);
    ck_assert_ptr_nonnull(program);
    char *slash = strrchr(program, '/');
    snprintf(out, capacity, "%.*s/tests/alone-%d", (int)(slash - program), program, (int)getpid());
    ck_assert_int_eq(mkdir(out, 0700), 0);
    strcat(out, "/snapcell");
    char command[2048];
    snprintf(command, sizeof(command), "cp '%s' '%s'", program, out);
    ck_assert_int_eq(system(command), 0);
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
    ck_assert_uint_eq(images_counts(workers).launches + images_counts(workers).images, 0);
    snapcell_workers_close(workers);
    program_remove(path);
}
END_TEST

/* Without address randomization a launcher lies where its image has memory. */
START_TEST(test_a_launcher_that_collides_is_no_error)
{
    int before = personality(0xffffffff);
    ck_assert_int_ge(personality((unsigned long)before | ADDR_NO_RANDOMIZE), 0);
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    for (int i = 0; i < 2; i++) {
        snapcell_worker *worker = workers_load(workers, "web", NULL);
        workers_expect(worker, "/", "fine");
        snapcell_worker_free(worker);
    }
    snapcell_workers_counts counts = images_counts(workers);
    ck_assert_uint_ge(counts.image_collisions, 2);
    ck_assert_uint_eq(counts.launches, 0);
    ck_assert_uint_eq(counts.deaths, 0);
    /* The image itself is sound: launchers elsewhere become it. */
    ck_assert_int_ge(personality((unsigned long)before), 0);
    for (int i = 0; i < IMAGES_WAIT_STEPS && images_counts(workers).launches == 0; i++)
        images_start(workers, "web", NULL);
    ck_assert_uint_ge(images_counts(workers).launches, 1);
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_folder_outlives_the_group)
{
    images_folder_make();
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_folder = images_folder;
    snapcell_workers *workers = workers_open(&options);
    images_start(workers, "web", NULL);
    ck_assert_uint_eq(images_wait(workers, 1).images, 1);
    snapcell_workers_close(workers);

    workers = workers_open(&options);
    images_start(workers, "web", NULL);
    for (int i = 0; i < IMAGES_WAIT_STEPS && images_counts(workers).image_bytes == 0; i++)
        images_pause();
    snapcell_worker *worker = images_launch(workers, "web", NULL);
    workers_expect(worker, "/count", "1");
    ck_assert_uint_eq(images_counts(workers).images, 0); /* none was made */
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    images_folder_remove();
}
END_TEST

/* An image of it, flipped anywhere, is never run: it is made again. */
START_TEST(test_a_damaged_folder_is_no_error)
{
    images_folder_make();
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_folder = images_folder;
    snapcell_workers *workers = workers_open(&options);
    images_start(workers, "web", NULL);
    ck_assert_uint_eq(images_wait(workers, 1).images, 1);
    snapcell_workers_close(workers);
    char command[160];
    snprintf(
        command, sizeof(command),
        "for f in %s/*.image; do printf x | dd of=$f bs=1 seek=500000 conv=notrunc status=none; "
        "done",
        images_folder);
    ck_assert_int_eq(system(command), 0);
    workers = workers_open(&options);
    images_start(workers, "web", NULL);
    ck_assert_uint_eq(images_wait(workers, 1).images, 1);
    snapcell_worker_free(images_launch(workers, "web", NULL));
    snapcell_workers_close(workers);
    images_folder_remove();
    /* A folder that cannot be used is as none. */
    options.image_folder = "/proc/nowhere";
    workers = workers_open(&options);
    images_start(workers, "web", NULL);
    ck_assert_uint_eq(images_wait(workers, 1).images, 1);
    snapcell_worker_free(images_launch(workers, "web", NULL));
    snapcell_workers_close(workers);
}
END_TEST

/* The launcher next to a copy of the program. */
static void launcher_elsewhere(const char *program, char *out, size_t capacity)
{
    char *own = realpath(getenv("SNAPCELL_WORKER"), NULL);
    char target[600];
    ck_assert_ptr_nonnull(own);
    snprintf(target, sizeof(target), "%s-launch", own);
    snprintf(out, capacity, "%s-launch", program);
    ck_assert_int_eq(symlink(target, out), 0);
    free(own);
}

/* One that is written to has no images any more, although its bytes happen to be the same. */
START_TEST(test_a_program_that_changes_is_not_launched)
{
    char path[512];
    char launcher[600];
    program_elsewhere(path, sizeof(path));
    launcher_elsewhere(path, launcher, sizeof(launcher));
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.worker_path = path;
    snapcell_workers *workers = images_open(&options, "web", NULL);
    snapcell_worker_free(images_launch(workers, "web", NULL));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char byte;
    ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
    ck_assert_int_eq(pwrite(fd, &byte, 1, 0), 1);
    close(fd);
    snapcell_worker *worker = workers_load(workers, "web", NULL);
    workers_expect(worker, "/", "fine");
    ck_assert_uint_eq(images_counts(workers).launches, 1);
    snapcell_worker_free(worker);
    snapcell_workers_close(workers);
    ck_assert_int_eq(unlink(launcher), 0);
    program_remove(path);
}
END_TEST

START_TEST(test_another_program_has_other_images)
{
    char path[512];
    char launcher[600];
    images_folder_make();
    program_elsewhere(path, sizeof(path));
    launcher_elsewhere(path, launcher, sizeof(launcher));
    snapcell_workers_options options = SNAPCELL_WORKERS_OPTIONS_INIT;
    options.image_folder = images_folder;
    options.worker_path = path;
    for (int i = 0; i < 2; i++) {
        snapcell_workers *workers = workers_open(&options);
        images_start(workers, "web", NULL);
        ck_assert_uint_eq(images_wait(workers, 1).images, 1);
        snapcell_worker_free(images_launch(workers, "web", NULL));
        snapcell_workers_close(workers);
        /* As if it had been written to. */
        ck_assert_int_eq(utimensat(AT_FDCWD, path, NULL, 0), 0);
    }
    ck_assert_int_eq(unlink(launcher), 0);
    program_remove(path);
    images_folder_remove();
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
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, launch_some, workers), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(images_counts(workers).launches, 24);
    ck_assert_uint_eq(images_counts(workers).deaths, 0);
    snapcell_workers_close(workers);
    workers_expect_no_children();
}
END_TEST

START_TEST(test_a_forked_child_has_no_images)
{
    snapcell_workers *workers = images_open(NULL, "web", NULL);
    pid_t pid = fork();
    if (pid == 0) {
        snapcell_worker *worker = NULL;
        int status = snapcell_worker_load(workers, "web", NULL, &worker, NULL);
        bool fine = status == SNAPCELL_OK && images_counts(workers).launches == 0;
        snapcell_worker_free(worker);
        snapcell_workers_close(workers);
        _exit(fine ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    snapcell_worker_free(images_launch(workers, "web", NULL));
    snapcell_workers_close(workers);
}
END_TEST

START_TEST(test_a_group_is_closed_while_an_image_is_made)
{
    for (int i = 0; i < 5; i++) {
        snapcell_workers *workers = workers_open(NULL);
        images_start(workers, "web", NULL);
        images_start(workers, "web", NULL);
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
    Suite *suite = suite_create("images_fit");
    TCase *tcase = tcase_create("images_fit");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, test_other_limits_have_other_images);
    tcase_add_test(tcase, test_a_new_version_is_not_launched_from_the_old);
    tcase_add_test(tcase, test_an_old_image_is_made_again);
    tcase_add_test(tcase, test_an_image_without_room_is_no_error);
    tcase_add_test(tcase, test_without_a_launcher_functions_are_loaded);
    tcase_add_test(tcase, test_a_launcher_that_collides_is_no_error);
    tcase_add_test(tcase, test_a_folder_outlives_the_group);
    tcase_add_test(tcase, test_a_damaged_folder_is_no_error);
    tcase_add_test(tcase, test_a_program_that_changes_is_not_launched);
    tcase_add_test(tcase, test_another_program_has_other_images);
    tcase_add_test(tcase, test_threads_launch_at_once);
    tcase_add_test(tcase, test_a_forked_child_has_no_images);
    tcase_add_test(tcase, test_a_group_is_closed_while_an_image_is_made);
    return fixture_run(suite, tcase);
}
