/* What torture programs of restored workers share. A failure here ends the program. */
#ifndef SNAPCELL_TESTS_RESTORE_TORTURE_H
#define SNAPCELL_TESTS_RESTORE_TORTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab_worker.h"
#include "snapcell/worker.h"
#include "torture_report.h"

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
/* With options of any kind. */
snapcell_workers *restore_open_with(const snapcell_workers_options *options);
snapcell_worker *restore_load(snapcell_workers *workers, const char *ref,
                              const snapcell_cell_options *options);
snapcell_workers_counts restore_counts(const snapcell_workers *workers);

/* Waits until the group has so many images; those that it took from its folder count. */
void restore_wait_for_images(const snapcell_workers *workers, uint64_t count);
/* Loads workers until there is an image of the function. */
void restore_make_image(snapcell_workers *workers, const char *ref,
                        const snapcell_cell_options *options);
/* A worker that is launched from an image, which is made first. NULL: none can be made, because
 * nothing here tells which pages differ from the program's file. */
snapcell_worker *restore_launch(snapcell_workers *workers, const char *ref,
                                const snapcell_cell_options *options);

/* "POST `url`" with `body`, a string; NULL: "GET `url`". `*out`: the response's body; Owned,
 * free(); NULL on failure. `err`: may be NULL. */
int restore_fetch(snapcell_worker *worker, const char *url, const char *body, char **out,
                  snapcell_error *err);

/* The body of a response that there must be: Owned, free(). */
char *restore_ask(snapcell_worker *worker, const char *url, const char *body);

/* A worker that calls must leave as it was. */
typedef struct restore_victim {
    snapcell_worker *worker; /* Owned: restore_victim_free() */
    char *first_answer;      /* Owned */
    int process_id;
} restore_victim;

/* Takes over `worker`, and asks it for "/". */
restore_victim restore_victim_new(snapcell_worker *worker);
void restore_victim_free(restore_victim *victim);
/* Asks again: the answer must be the first one, and the process the same. `what`: happened before.
 */
void restore_victim_look(restore_victim *victim, torture_promise *next, torture_promise *alive,
                         const char *what);

/* An order to cut, by another thread, at a random moment. */
typedef struct restore_cut {
    pthread_t thread;
    snapcell_worker *worker;
    long moment_ns;
} restore_cut;

/* `out`: stays where it is until restore_cut_end(). */
void restore_cut_begin(restore_cut *out, snapcell_worker *worker, uint32_t moment_ns_max);
void restore_cut_end(restore_cut *cut);

/* Of a process, without what it shares with others. 0: it is not there. */
size_t restore_resident_kib(int process_id);
/* Whether it gets as small as that: what follows an answer takes a process its time.
 * `resident_kib`: what it had in the end. */
bool restore_gets_small(int process_id, size_t limit_kib, size_t *resident_kib);

/* A generator that a seed decides. */
void restore_seed(uint32_t seed);
uint32_t restore_below(uint32_t limit);

#endif
