/* What a process that restores its memory for each call (restore/), or that waits for a function,
 * needs of a loader and its cell. Internal to the libraries: for workers/. */
#ifndef SNAPCELL_CELL_RESTORE_H
#define SNAPCELL_CELL_RESTORE_H

#include "engine.h"
#include "image_rest.h"
#include "snapcell/loader.h"

/* As snapcell_loader_open(), for a process whose memory will be mapped from a checkpoint: the first
 * loader of the process. `exhausted`: for all of its cells. */
int loader_open_restoring(const snapcell_loader_options *options, engine_exhausted_fn *exhausted,
                          void *user, snapcell_loader **out, snapcell_error *err);

/* Does ahead, in a process that will open one loader, what any load needs: the engine runs and has
 * answered a request of its own, and memory is there. */
void loader_rehearse(void);

/* The manifest of what a loader was sealed with; JSON. NULL: it is not sealed. Borrowed until
 * snapcell_loader_close(). */
const char *loader_sealed_manifest(const snapcell_loader *loader, size_t *size_bytes);

/* As engine_leave_process(), for a loader of this process and its engine. */
void loader_leave_process(snapcell_loader *loader);

/* As snapcell_cell_load(), of a sealed loader's artifact that has a prelude, which alone is
 * evaluated: the cell takes no call before cell_go_on(). Errors: E_USAGE, and those of
 * engine_cell_new(). */
int cell_load_prelude(snapcell_loader *loader, const char *ref,
                      const snapcell_cell_options *options, snapcell_cell **out,
                      snapcell_error *err);

/* Makes such a cell one of another artifact, which the loader is sealed with from then on: checks
 * it as one of the store, and evaluates what comes after the prelude. `ref`: its whole key.
 * `options`: those of the load. `bytes`: of which nothing is kept. Errors: E_USAGE (it has another
 * prelude), and those of snapcell_loader_seal() and engine_cell_go_on(); the cell is of no more
 * use. */
int cell_go_on(snapcell_cell *cell, const char *ref, const snapcell_cell_options *options,
               const void *bytes, size_t size_bytes, snapcell_error *err);

/* SHA-256 of the prelude that the cell has evaluated. Errors: E_NOMEM. */
int cell_hash_prelude(const snapcell_cell *cell, uint8_t out[IMAGE_HASH_SIZE], snapcell_error *err);

/* As cell_go_on() with a text that is to become an artifact's, while developing. The loader goes by
 * the same name and has no keys to trust. Errors: E_USAGE, and those of image_new_with_rest() and
 * engine_cell_go_on(); the cell is of no more use. */
int cell_go_on_with_text(snapcell_cell *cell, const image_rest *rest, snapcell_error *err);

/* As engine_cell_prepare_restores(). */
int cell_prepare_restores(snapcell_cell *cell, snapcell_error *err);

/* As engine_cell_rehearse(). */
void cell_rehearse(snapcell_cell *cell);

/* As engine_cell_drew(), engine_cell_note_draws() and engine_cell_clear_leftovers(). */
bool cell_drew(snapcell_cell *cell);
void cell_note_draws(snapcell_cell *cell, engine_note_draw_fn *note, void *user);
bool cell_clear_leftovers(snapcell_cell *cell, bool wholly);

/* Makes a cell whose memory was restored one that was made just now: with the env of `options`, its
 * own clock and its own random numbers. Errors: those of engine_cell_rebind(), E_NOMEM. */
int cell_renew(snapcell_cell *cell, const snapcell_cell_options *options, snapcell_error *err);

#endif
