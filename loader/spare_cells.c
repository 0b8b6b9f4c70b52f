#include "spare_cells.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error_set.h"
#include "loader_state.h"
#include "monotonic.h"

#define SPARE_BUCKET_COUNT_MAX 65536u

/* Cells that live in the process; above it no spares are made, so that loads have the rest. */
#define SPARE_CELLS_MAX (SNAPCELL_CELLS_MAX / 4 * 3)

/* Cells that wait for their disposal; above this the caller does it, or memory would grow. */
#define SPARE_LEAVING_COUNT_MAX 8

/* After so long without a load kept memory is given back. */
#define SPARE_IDLE_SECONDS 10

/* What a first spare is assumed to need, in addition to twice its blob, the size of its heap. */
#define SPARE_CELL_SIZE_BYTES_GUESS ((uint64_t)256 << 10)

struct spare_function {
    spare_function *chain; /* the next one in its bucket */
    spare_function *newer;
    spare_function *older;
    image *image; /* a reference */
    cell_limits limits;
    uint64_t cell_size_bytes; /* of the spare made last; a guess before the first */
    snapcell_cell *ready;
    uint32_t ready_count;
    bool failed; /* one could not be made: none is until a load has gone well again */
};

static_assert(sizeof(cell_limits) == 32, "compared as bytes");

/* --- Functions, in the order of their last use. All under the mutex. --- */

static void spare_link_newest(spare_cells *spares, spare_function *function)
{
    function->newer = NULL;
    function->older = spares->newest;
    if (spares->newest != NULL) spares->newest->newer = function;
    spares->newest = function;
    if (spares->oldest == NULL) spares->oldest = function;
}

static void spare_unlink(spare_cells *spares, spare_function *function)
{
    *(function->newer != NULL ? &function->newer->older : &spares->newest) = function->older;
    *(function->older != NULL ? &function->older->newer : &spares->oldest) = function->newer;
}

/* A key is a hash already. */
static spare_function **spare_bucket(const spare_cells *spares, const snapcell_key *key)
{
    uint32_t hash;
    memcpy(&hash, key, sizeof(hash));
    return &spares->buckets[hash & spares->bucket_mask];
}

static spare_function *spare_find(const spare_cells *spares, const snapcell_key *key,
                                  const cell_limits *limits)
{
    spare_function *found = *spare_bucket(spares, key);
    while (found != NULL && (memcmp(&found->image->info.key, key, sizeof(*key)) != 0 ||
                             memcmp(&found->limits, limits, sizeof(*limits)) != 0))
        found = found->chain;
    return found;
}

static void spare_unchain(const spare_cells *spares, const spare_function *function)
{
    spare_function **at = spare_bucket(spares, &function->image->info.key);
    while (*at != function)
        at = &(*at)->chain;
    *at = function->chain;
}

static snapcell_cell *spare_pop(spare_cells *spares, spare_function *function)
{
    snapcell_cell *cell = function->ready;
    if (cell == NULL) return NULL;
    function->ready = cell->next;
    cell->next = NULL;
    function->ready_count--;
    spares->ready_count--;
    spares->size_bytes -= cell->size_bytes;
    spares->settled = false;
    return cell;
}

static void spare_leave(spare_cells *spares, snapcell_cell *cell)
{
    cell->next = spares->leaving;
    spares->leaving = cell;
    spares->leaving_count++;
}

/* Forgets a function. Its spares have references to its image: the last one frees that, on the
 * thread. */
static void spare_forget(spare_cells *spares, spare_function *function)
{
    snapcell_cell *cell;
    while ((cell = spare_pop(spares, function)) != NULL)
        spare_leave(spares, cell);
    spare_unlink(spares, function);
    spare_unchain(spares, function);
    spares->function_count--;
    spares->settled = false;
    spares->size_bytes -= image_size_bytes(function->image);
    image_release(function->image);
    free(function);
}

/* Forgets functions that were used before `function`, until `needed_bytes` more have room. Newer
 * ones are never driven out by an older one: the two would take turns. */
static bool spare_make_room(spare_cells *spares, const spare_function *function,
                            uint64_t needed_bytes)
{
    uint64_t size_bytes_max = spares->bounds.size_bytes;
    if (needed_bytes > size_bytes_max) return false;
    while (spares->size_bytes > size_bytes_max - needed_bytes) {
        if (spares->oldest == NULL || spares->oldest == function) return false;
        spare_forget(spares, spares->oldest);
    }
    return true;
}

/* Whether a function can have one spare more, of this size. Only for its first one others go. */
static bool spare_fits(spare_cells *spares, const spare_function *function, uint64_t size_bytes)
{
    if (function->ready_count == 0) return spare_make_room(spares, function, size_bytes);
    uint64_t size_bytes_max = spares->bounds.size_bytes;
    return size_bytes <= size_bytes_max && spares->size_bytes <= size_bytes_max - size_bytes;
}

/* --- The thread --- */

static void spare_dispose_list(snapcell_cell *cells)
{
    while (cells != NULL) {
        snapcell_cell *next = cells->next;
        cell_free(cells);
        cells = next;
    }
}

/* The function used last that has too few spares and room for one more. That is near the front,
 * where the one that just gave a spare stands; that there is none is found once. */
static spare_function *spare_next(spare_cells *spares)
{
    if (spares->settled || engine_cell_count() >= SPARE_CELLS_MAX) return NULL;
    spare_function *function = spares->newest;
    while (function != NULL) {
        if (!function->failed && function->ready_count < spares->bounds.cells_per_function &&
            spare_fits(spares, function, function->cell_size_bytes))
            return function;
        function = function->older;
    }
    spares->settled = true;
    return NULL;
}

static void spare_push(spare_cells *spares, spare_function *function, snapcell_cell *cell)
{
    function->cell_size_bytes = cell->size_bytes;
    if (!spare_fits(spares, function, cell->size_bytes)) {
        spare_leave(spares, cell);
        return;
    }
    cell->next = function->ready;
    function->ready = cell;
    function->ready_count++;
    spares->ready_count++;
    spares->size_bytes += cell->size_bytes;
}

/* Makes one spare, with the mutex left meanwhile. */
static void spare_refill(spare_cells *spares, const spare_function *function)
{
    cell_limits limits = function->limits;
    image *from = image_retain(function->image);
    snapcell_cell *cell = NULL;
    pthread_mutex_unlock(&spares->mutex);
    int status = cell_new_spare(spares->loader, from, &limits, &cell, NULL);
    pthread_mutex_lock(&spares->mutex);

    /* It may have been forgotten, and be there again with other bytes. */
    spare_function *now = spare_find(spares, &from->info.key, &limits);
    if (now != NULL && now->image != from) now = NULL;
    if (now != NULL && status != SNAPCELL_OK) now->failed = true;
    if (now != NULL && status == SNAPCELL_OK) spare_push(spares, now, cell);
    if (now == NULL && status == SNAPCELL_OK) spare_leave(spares, cell);
    image_release(from);
}

/* Waits for something to do. When there is nothing for a while, kept memory goes back to the
 * kernel, once: the next load will feel it, a program that idles will not mind. */
static void spare_wait(spare_cells *spares, bool *trimmed)
{
    if (*trimmed) {
        pthread_cond_wait(&spares->changed, &spares->mutex);
        *trimmed = false;
        return;
    }
    struct timespec end = monotonic_moment(monotonic_now_ns() + SPARE_IDLE_SECONDS * NS_PER_SECOND);
    if (pthread_cond_timedwait(&spares->changed, &spares->mutex, &end) != ETIMEDOUT) return;
    pthread_mutex_unlock(&spares->mutex);
    loader_give_back(spares->loader);
    *trimmed = true;
    pthread_mutex_lock(&spares->mutex);
}

static void *spare_thread(void *user)
{
    spare_cells *spares = user;
    bool trimmed = false;
    pthread_mutex_lock(&spares->mutex);
    while (!spares->stopping) {
        snapcell_cell *leaving = spares->leaving;
        spares->leaving = NULL;
        spares->leaving_count = 0;
        if (leaving != NULL) { /* first: their memory serves the next spare */
            pthread_mutex_unlock(&spares->mutex);
            spare_dispose_list(leaving);
            pthread_mutex_lock(&spares->mutex);
            continue;
        }
        const spare_function *function = spare_next(spares);
        if (function != NULL)
            spare_refill(spares, function);
        else if (spares->leaving == NULL) /* making room may have added to it */
            spare_wait(spares, &trimmed);
    }
    pthread_mutex_unlock(&spares->mutex);
    return NULL;
}

/* The program's signals are the program's business. */
static int spare_start_thread(spare_cells *spares)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(&spares->thread, NULL, spare_thread, spares);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return problem;
}

static int spare_make_buckets(spare_cells *spares)
{
    uint32_t count = 1;
    while (count < spares->bounds.functions && count < SPARE_BUCKET_COUNT_MAX)
        count *= 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    spares->buckets = calloc(count, sizeof(*spares->buckets));
    spares->bucket_mask = count - 1;
    return spares->buckets != NULL ? 0 : -1;
}

static void spare_cells_release(spare_cells *spares)
{
    pthread_cond_destroy(&spares->changed);
    pthread_mutex_destroy(&spares->mutex);
    free(spares->buckets);
    spares->buckets = NULL;
    spares->bounds = (spare_bounds){0};
}

int spare_cells_start(spare_cells *spares, snapcell_loader *loader, const spare_bounds *bounds,
                      snapcell_error *err)
{
    if (bounds->cells_per_function == 0) return SNAPCELL_OK;
    spares->loader = loader;
    spares->pid = getpid();
    spares->bounds = *bounds;
    if (spare_make_buckets(spares) != 0) {
        spares->bounds = (spare_bounds){0};
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a loader's spare cells");
    }
    pthread_mutex_init(&spares->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&spares->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int problem = spare_start_thread(spares);
    if (problem == 0) return SNAPCELL_OK;
    spare_cells_release(spares);
    return error_set_errno(err, SNAPCELL_E_INTERNAL, problem,
                           "starting the thread for spare cells");
}

/* Whether there are spares, and their thread is one of this process. */
static bool spare_cells_are_here(const spare_cells *spares)
{
    return spares->bounds.cells_per_function > 0 && spares->pid == getpid();
}

void spare_cells_stop(spare_cells *spares)
{
    if (!spare_cells_are_here(spares)) return;
    pthread_mutex_lock(&spares->mutex);
    spares->stopping = true;
    pthread_cond_signal(&spares->changed);
    pthread_mutex_unlock(&spares->mutex);
    pthread_join(spares->thread, NULL);

    while (spares->newest != NULL)
        spare_forget(spares, spares->newest);
    spare_dispose_list(spares->leaving);
    spares->leaving = NULL;
    spare_cells_release(spares);
}

/* --- Taking and wanting --- */

snapcell_cell *spare_cells_take(spare_cells *spares, const cell_reading *reading,
                                const cell_limits *limits)
{
    if (!spare_cells_are_here(spares)) return NULL;
    snapcell_cell *cell = NULL;
    pthread_mutex_lock(&spares->mutex);
    spare_function *function = spare_find(spares, &reading->key, limits);
    if (function != NULL && !cell_reading_is_of(reading, function->image)) {
        spare_forget(spares, function); /* the store has other bytes under this key now */
    } else if (function != NULL) {
        spare_unlink(spares, function);
        spare_link_newest(spares, function);
        cell = spare_pop(spares, function);
    }
    if (function != NULL) pthread_cond_signal(&spares->changed);
    pthread_mutex_unlock(&spares->mutex);
    return cell;
}

static void spare_add(spare_cells *spares, image *from, const cell_limits *limits)
{
    uint64_t size_bytes = image_size_bytes(from);
    uint64_t guess_bytes = 2 * from->info.blob_size_bytes + SPARE_CELL_SIZE_BYTES_GUESS;
    if (spares->function_count >= spares->bounds.functions) spare_forget(spares, spares->oldest);
    if (!spare_make_room(spares, NULL, size_bytes + guess_bytes)) return;
    spare_function *function = calloc(1, sizeof(*function));
    if (function == NULL) return; /* no spares, then */
    function->image = image_retain(from);
    function->limits = *limits;
    function->cell_size_bytes = guess_bytes;
    spares->size_bytes += size_bytes;
    spares->function_count++;
    spares->settled = false;
    spare_function **bucket = spare_bucket(spares, &from->info.key);
    function->chain = *bucket;
    *bucket = function;
    spare_link_newest(spares, function);
}

void spare_cells_want(spare_cells *spares, image *from, const cell_limits *limits)
{
    if (!spare_cells_are_here(spares) || from->info.kind != SNAPCELL_ARTIFACT_SNAPSHOT) return;
    pthread_mutex_lock(&spares->mutex);
    spare_function *function = spare_find(spares, &from->info.key, limits);
    /* Two threads may have loaded it at once; what is there is of the same bytes, or is found out
     * with the next load. */
    if (function == NULL) spare_add(spares, from, limits);
    if (function != NULL && function->failed) spares->settled = false;
    if (function != NULL) function->failed = false;
    pthread_cond_signal(&spares->changed);
    pthread_mutex_unlock(&spares->mutex);
}

bool spare_cells_dispose(spare_cells *spares, snapcell_cell *cell)
{
    if (!spare_cells_are_here(spares)) return false;
    pthread_mutex_lock(&spares->mutex);
    bool room = spares->leaving_count < SPARE_LEAVING_COUNT_MAX;
    if (room) spare_leave(spares, cell);
    pthread_cond_signal(&spares->changed);
    pthread_mutex_unlock(&spares->mutex);
    return room;
}

void spare_cells_count(spare_cells *spares, uint64_t *ready_count, uint64_t *size_bytes)
{
    *ready_count = 0;
    *size_bytes = 0;
    if (!spare_cells_are_here(spares)) return;
    pthread_mutex_lock(&spares->mutex);
    *ready_count = spares->ready_count;
    *size_bytes = spares->size_bytes;
    pthread_mutex_unlock(&spares->mutex);
}
