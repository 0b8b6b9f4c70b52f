#include "readahead.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#define FILE_SIZE ((size_t)6 << 20)

static char path[] = "/tmp/snapcell-readahead-XXXXXX";
static int file = -1;
static char *map;
static size_t page_size;

static void setup(void)
{
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    char *bytes = malloc(FILE_SIZE);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'f', FILE_SIZE);
    ck_assert_int_eq(write(file, bytes, FILE_SIZE), (ssize_t)FILE_SIZE);
    free(bytes);
    ck_assert_int_eq(fsync(file), 0);
    map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, file, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
}

static void teardown(void)
{
    munmap(map, FILE_SIZE);
    close(file);
    unlink(path);
}

static size_t resident_count(size_t offset, size_t size)
{
    unsigned char *pages = malloc(FILE_SIZE / page_size + 1);
    ck_assert_ptr_nonnull(pages);
    size_t first = offset / page_size * page_size, count = 0;
    size_t page_count = (offset + size - first + page_size - 1) / page_size;
    ck_assert_int_eq(mincore(map + first, offset + size - first, pages), 0);
    for (size_t i = 0; i < page_count; i++)
        count += pages[i] & 1;
    free(pages);
    return count;
}

/* A file system in memory keeps its pages: then there is nothing to read ahead. */
static bool drop_pages(void)
{
    ck_assert_int_eq(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
    return resident_count(0, FILE_SIZE) == 0;
}

static void wait_until_resident(size_t offset, size_t size, size_t count)
{
    const struct timespec tick = {.tv_nsec = 1000000};
    for (int i = 0; i < 20000 && resident_count(offset, size) < count; i++)
        nanosleep(&tick, NULL);
    ck_assert_uint_eq(resident_count(offset, size), count);
}

static const struct {
    size_t offset, size, page_count;
} ranges[] = {
    {4096, 4096, 1},
    {8192 + 16, 40000, 10},
    {4095, 2, 2},
    {1 << 20, (size_t)5 << 20, 1280},
};

START_TEST(test_pages_that_are_missing_are_read)
{
    if (!drop_pages()) return;
    readahead_request(map + ranges[_i].offset, ranges[_i].size);
    wait_until_resident(ranges[_i].offset, ranges[_i].size, ranges[_i].page_count);
}
END_TEST

START_TEST(test_nothing_else_is_read)
{
    if (!drop_pages()) return;
    readahead_request(map + (1 << 20), 1 << 20);
    wait_until_resident(1 << 20, 1 << 20, (1 << 20) / page_size);
    ck_assert_uint_eq(resident_count(0, 1 << 20), 0);
    ck_assert_uint_eq(resident_count(2 << 20, 4 << 20), 0);
}
END_TEST

START_TEST(test_memory_without_a_file_is_left_alone)
{
    char *bytes = malloc(100000);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'm', 100000);
    readahead_request(bytes + 1, 99999);
    readahead_request(bytes, 0);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(bytes[i], 'm');
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("readahead");
    TCase *tcase = tcase_create("readahead");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_pages_that_are_missing_are_read, 0, 4);
    tcase_add_test(tcase, test_nothing_else_is_read);
    tcase_add_test(tcase, test_memory_without_a_file_is_left_alone);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
