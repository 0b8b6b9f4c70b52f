/* Memory, mappings and files stay where they are while cells come and go. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

#define SETTLE_COUNT 240
#define LOAD_COUNT 600

/* What is left to chance: how pools grow, malloc's arenas. Spare cells and cells on their way out
 * are at times some more at once, and their pages are kept. What is lost with each load adds up to
 * more than that: an image is half a MiB, a cell a whole one. */
#define RESIDENT_GROWTH_MAX ((long)6 << 20)
#define RESIDENT_GROWTH_SPARES_MAX ((long)32 << 20)
#define MAPPING_GROWTH_MAX 12
#define MAPPING_GROWTH_SPARES_MAX 60

static const char *store_path;

static const fixture_function functions[] = {
    {"small", "let n = 0;\nglobalThis.handler = () => ++n;\n", NULL},
    {"large",
     "const words = [];\n"
     "for (let i = 0; i < 20000; i++) words.push({ word: 'word ' + i });\n"
     "globalThis.handler = () => words.length;\n",
     NULL},
};
static const fixture_function raw_function = {
    "raw", "globalThis.handler = () => new Uint8Array(1 << 20).length;\n", NULL};

typedef struct usage {
    long resident_bytes;
    int mapping_count;
    int file_count;
    int thread_count;
} usage;

static int count_entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static usage usage_now(void)
{
    usage now = {0};
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    now.resident_bytes = pages * sysconf(_SC_PAGESIZE);

    file = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        now.mapping_count += c == '\n';
    fclose(file);

    now.file_count = count_entries("/proc/self/fd");
    now.thread_count = count_entries("/proc/self/task");
    return now;
}

static void load_all(snapcell_loader *loader, int from, int to)
{
    static const char *const names[] = {"small", "large", "raw"};
    static const char *const results[] = {"1", "20000", "1048576"};
    for (int i = from; i < to; i++)
        fixture_expect_load(loader, names[i % 3], results[i % 3]);
}

/* With spare cells, disposal and refilling end some time after the last call. */
static void wait_for_spares(const snapcell_loader *loader, uint32_t count)
{
    const struct timespec tick = {.tv_nsec = 5000000};
    snapcell_counters counters;
    for (int i = 0; i < 4000; i++) {
        snapcell_loader_counters(loader, &counters, sizeof(counters));
        if (counters.spares_ready == count) break;
        nanosleep(&tick, NULL);
    }
    ck_assert_uint_eq(counters.spares_ready, count);
    ck_assert_uint_eq(counters.live_cells, 0);
}

static const struct {
    uint64_t cache_size_bytes;
    uint32_t spare_cells;
} variants[] = {{SNAPCELL_CACHE_NONE, 0}, {0, 0}, {1 << 20, 0}, {0, 2}};

START_TEST(test_memory_is_flat)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.cache_size_bytes = variants[_i].cache_size_bytes;
    options.spare_cells_per_function = variants[_i].spare_cells;
    snapcell_loader *loader = fixture_open_with(&options);
    load_all(loader, 0, SETTLE_COUNT);
    wait_for_spares(loader, 3 * variants[_i].spare_cells);
    usage settled = usage_now();
    load_all(loader, SETTLE_COUNT, LOAD_COUNT);
    wait_for_spares(loader, 3 * variants[_i].spare_cells);
    usage end = usage_now();
    snapcell_loader_close(loader);

    ck_assert_int_eq(end.file_count, settled.file_count);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
    bool spares = variants[_i].spare_cells > 0;
    ck_assert_int_le(end.mapping_count, settled.mapping_count + (spares ? MAPPING_GROWTH_SPARES_MAX
                                                                        : MAPPING_GROWTH_MAX));
    ck_assert_msg(
        end.resident_bytes <=
            settled.resident_bytes + (spares ? RESIDENT_GROWTH_SPARES_MAX : RESIDENT_GROWTH_MAX),
        "%ld KiB more than the %ld KiB before", (end.resident_bytes - settled.resident_bytes) >> 10,
        settled.resident_bytes >> 10);
#endif
}
END_TEST

/* --- A store that cannot be written: views of it are copies --- */

static void store_set_writable(bool writable)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/lock.mdb", store_path);
    ck_assert_int_eq(chmod(path, writable ? 0644 : 0444), 0);
    ck_assert_int_eq(chmod(store_path, writable ? 0755 : 0555), 0);
}

static void expect_no_lock_file(void)
{
    snapcell_store *store = NULL;
    snapcell_store_stat facts;
    ck_assert_int_eq(snapcell_store_open(store_path, SNAPCELL_STORE_READ, &store, NULL),
                     SNAPCELL_OK);
    ck_assert_int_eq(snapcell_store_stat_get(store, &facts, NULL), SNAPCELL_OK);
    ck_assert_uint_eq(facts.reader_max, 0);
    snapcell_store_close(store);
}

static void load_raw(snapcell_loader *loader, int count)
{
    for (int i = 0; i < count; i++)
        fixture_expect_load(loader, "raw", "1048576");
}

START_TEST(test_memory_is_flat_without_the_lock_file)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.cache_size_bytes = SNAPCELL_CACHE_NONE;
    options.in_place_count_max = _i == 0 ? 0 : SNAPCELL_IN_PLACE_NONE;
    uid_t user = geteuid();
    store_set_writable(false);
    if (user == 0) ck_assert_int_eq(seteuid(65534), 0); /* root can write everywhere */
    expect_no_lock_file();
    snapcell_loader *loader = fixture_open_with(&options);
    load_raw(loader, 60);
    ck_assert_int_eq(seteuid(user), 0);
    usage settled = usage_now();
    load_raw(loader, 100);
    usage end = usage_now();
    snapcell_loader_close(loader);
    store_set_writable(true);
#ifndef __SANITIZE_ADDRESS__ /* which reports what is lost */
    ck_assert_msg(end.resident_bytes <= settled.resident_bytes + RESIDENT_GROWTH_MAX,
                  "%ld KiB more", (end.resident_bytes - settled.resident_bytes) >> 10);
#endif
    ck_assert_int_eq(end.file_count, settled.file_count);
}
END_TEST

/* Loaders that come and go leave neither threads nor files. */
START_TEST(test_loaders_leave_nothing)
{
    snapcell_loader_options options = SNAPCELL_LOADER_OPTIONS_INIT;
    options.spare_cells_per_function = 1;
    usage settled = {0};
    for (int i = 0; i < 12; i++) {
        snapcell_loader *loader = fixture_open_with(&options);
        load_all(loader, 0, 3);
        snapcell_loader_close(loader);
        if (i == 3) settled = usage_now();
    }
    usage end = usage_now();
    ck_assert_int_eq(end.file_count, settled.file_count);
    ck_assert_int_eq(end.thread_count, settled.thread_count);
#ifndef __SANITIZE_ADDRESS__
    ck_assert_int_le(end.mapping_count, settled.mapping_count + MAPPING_GROWTH_SPARES_MAX);
#endif
}
END_TEST

int main(void)
{
    store_path = fixture_new_store();
    fixture_compile(functions, 2, NULL);
    fixture_compile_raw(&raw_function, 1);
    TCase *tcase = tcase_create("cell_memory");
    tcase_add_loop_test(tcase, test_memory_is_flat, 0, 4);
    tcase_add_loop_test(tcase, test_memory_is_flat_without_the_lock_file, 0, 2);
    tcase_add_test(tcase, test_loaders_leave_nothing);
    return fixture_run(suite_create("cell_memory"), tcase);
}
