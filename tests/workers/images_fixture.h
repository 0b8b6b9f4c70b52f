/* Groups of workers with images, for tests. A failure here ends the test. */
#ifndef SNAPCELL_TESTS_IMAGES_FIXTURE_H
#define SNAPCELL_TESTS_IMAGES_FIXTURE_H

#include "workers_fixture.h"

/* So often, at most, something is waited for by images_pause(). */
#define IMAGES_WAIT_STEPS 5000
#define IMAGES_START_LIMIT_MS 90000

snapcell_workers_counts images_counts(const snapcell_workers *workers);
void images_pause(void);

/* Starts a worker, and frees it. */
void images_start(snapcell_workers *workers, const char *ref, const snapcell_cell_options *options);

/* Until so many images are made, or could not be made. */
snapcell_workers_counts images_wait(const snapcell_workers *workers, uint64_t images);

/* A group in which the function has an image. */
snapcell_workers *images_open(const snapcell_workers_options *options, const char *ref,
                              const snapcell_cell_options *cell_options);

/* A worker that must come from an image. */
snapcell_worker *images_launch(snapcell_workers *workers, const char *ref,
                               const snapcell_cell_options *options);

/* A folder for images. */
extern char images_folder[64];
void images_folder_make(void);
void images_folder_remove(void);

#endif
