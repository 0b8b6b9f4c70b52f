#include "images_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "patience.h"

#define WAIT_STEP_NS 20000000

char images_folder[64];

snapcell_workers_counts images_counts(const snapcell_workers *workers)
{
    snapcell_workers_counts counts;
    snapcell_workers_counters(workers, &counts, sizeof(counts));
    return counts;
}

void images_pause(void)
{
    nanosleep(&(struct timespec){0, WAIT_STEP_NS}, NULL);
}

void images_start(snapcell_workers *workers, const char *ref, const snapcell_cell_options *options)
{
    snapcell_worker_free(workers_load(workers, ref, options));
}

/* Until an image is there, or could not be made. */
snapcell_workers_counts images_wait(const snapcell_workers *workers, uint64_t images)
{
    snapcell_workers_counts counts = images_counts(workers);
    for (int i = 0;
         i < (int)patient_ms(IMAGES_WAIT_STEPS) && counts.images + counts.image_failures < images;
         i++) {
        images_pause();
        counts = images_counts(workers);
    }
    return counts;
}

snapcell_workers *images_open(const snapcell_workers_options *options, const char *ref,
                              const snapcell_cell_options *cell_options)
{
    snapcell_workers_options patient = SNAPCELL_WORKERS_OPTIONS_INIT;
    if (options != NULL) patient = *options;
    /* A process that makes an image has the lowest priority: on a busy machine it needs its time.
     */
    if (patient.start_limit_ms == 0) patient.start_limit_ms = patient_ms(IMAGES_START_LIMIT_MS);
    snapcell_workers *workers = workers_open(&patient);
    images_start(workers, ref, cell_options);
    ck_assert_uint_eq(images_counts(workers).images, 0);
    images_start(workers, ref, cell_options);
    snapcell_workers_counts counts = images_wait(workers, 1);
    ck_assert_uint_eq(counts.images, 1);
    ck_assert_uint_eq(counts.image_failures, 0);
    ck_assert_uint_gt(counts.image_bytes, 1 << 20);
    ck_assert_uint_eq(counts.image_misses, 2);
    return workers;
}

snapcell_worker *images_launch(snapcell_workers *workers, const char *ref,
                               const snapcell_cell_options *options)
{
    snapcell_workers_counts before = images_counts(workers);
    snapcell_worker *worker = workers_load(workers, ref, options);
    snapcell_workers_counts counts = images_counts(workers);
    ck_assert_uint_eq(counts.launches, before.launches + 1);
    ck_assert_uint_eq(counts.image_misses, before.image_misses);
    ck_assert_uint_eq(counts.fallbacks, 0);
    return worker;
}

void images_folder_make(void)
{
    strcpy(images_folder, "/tmp/snapcell-images-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(images_folder));
}

void images_folder_remove(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", images_folder);
    ck_assert_int_eq(system(command), 0);
}
