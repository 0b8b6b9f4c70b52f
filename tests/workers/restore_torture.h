/* What torture programs of restored workers share. A failure here ends the program. */
#ifndef SNAPCELL_TESTS_RESTORE_TORTURE_H
#define SNAPCELL_TESTS_RESTORE_TORTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab_worker.h"
#include "snapcell/worker.h"

/* How a group of workers restores. */
typedef struct restore_variant {
    const char *name;
    snapcell_restore_tier tier;
    bool no_sandbox;
} restore_variant;

/* Each tier, in a sandbox and without one. */
#define RESTORE_VARIANTS 6
extern const restore_variant restore_variants[RESTORE_VARIANTS];

snapcell_workers *restore_open(const char *store_path, const restore_variant *variant);

/* Workers that are also looked at: see lab_worker.h. */
typedef struct restore_lab {
    char folder[64];
    char program[96];
    char report_path[104];
    lab_report *report;
} restore_lab;

/* Makes a lab; in a temporary folder. `out`: stays where it is. To be released. */
void restore_lab_init(restore_lab *out);
void restore_lab_release(restore_lab *lab);
/* As restore_open(). What `lab->report` says when a worker starts holds for it. */
snapcell_workers *restore_lab_open(const restore_lab *lab, const char *store_path,
                                   const restore_variant *variant);
snapcell_worker *restore_load(snapcell_workers *workers, const char *ref,
                              const snapcell_cell_options *options);
snapcell_workers_counts restore_counts(const snapcell_workers *workers);

/* "POST `url`" with `body`, a string or NULL. `*out`: the response's body; Owned, free(); NULL on
 * failure. `err`: may be NULL. */
int restore_fetch(snapcell_worker *worker, const char *url, const char *body, char **out,
                  snapcell_error *err);

/* Of a process, without what it shares with others. 0: it is not there. */
size_t restore_resident_kib(int process_id);

/* A generator that a seed decides. */
void restore_seed(uint32_t seed);
uint32_t restore_below(uint32_t limit);

#endif
