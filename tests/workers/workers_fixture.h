/* Workers for tests. A failure here ends the test. */
#ifndef SNAPCELL_TESTS_WORKERS_FIXTURE_H
#define SNAPCELL_TESTS_WORKERS_FIXTURE_H

#include "fixture.h"
#include "snapcell/worker.h"

/* Functions in a new store: "web" of shape FETCH, "json" of shape JSON. */
void workers_fixture_compile(void);

/* Where the store is; before the first workers_open(). */
void workers_set_store(const char *path);

/* A group for the fixture's store; `options` may be NULL. */
snapcell_workers *workers_open(const snapcell_workers_options *options);

snapcell_worker *workers_load(snapcell_workers *workers, const char *ref,
                              const snapcell_cell_options *options);

/* "GET `url`" must answer with 200 and `body`. */
void workers_expect(snapcell_worker *worker, const char *url, const char *body);

/* "GET `url`" must fail with `code` and a message in which `message` is. */
void workers_expect_failure(snapcell_worker *worker, const char *url, int code,
                            const char *message);

/* No child is left, not even a dead one. */
void workers_expect_no_children(void);

int workers_count_open_files(void);

#endif
