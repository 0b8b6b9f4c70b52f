/* Groups of workers: what they have in common. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "checkpoint.h"
#include "cleanup.h"
#include "error_set.h"
#include "monotonic.h"
#include "process_spawn.h"
#include "program_path.h"
#include "public_struct.h"
#include "snapcell/store.h"
#include "trust_set.h"
#include "worker_state.h"

/* --- Processes that were ended --- */

/* Where there is no memory to remember one, it is waited for: it was killed. */
void workers_bury(snapcell_workers *workers, pid_t pid)
{
    worker_dying *dying = &workers->dying;
    if (pid <= 0 || waitpid(pid, NULL, WNOHANG) != 0) return;
    pthread_mutex_lock(&dying->lock);
    if (dying->count == dying->capacity) {
        size_t capacity = dying->capacity == 0 ? 16 : dying->capacity * 2;
        pid_t *grown = reallocarray(dying->pids, capacity, sizeof(*grown));
        if (grown != NULL) {
            dying->pids = grown;
            dying->capacity = capacity;
        }
    }
    if (dying->count < dying->capacity)
        dying->pids[dying->count++] = pid;
    else
        process_wait(pid);
    pthread_mutex_unlock(&dying->lock);
}

void workers_reap(snapcell_workers *workers, bool all)
{
    worker_dying *dying = &workers->dying;
    pthread_mutex_lock(&dying->lock);
    for (size_t i = dying->count; i > 0; i--) {
        if (all)
            process_wait(dying->pids[i - 1]);
        else if (waitpid(dying->pids[i - 1], NULL, WNOHANG) == 0)
            continue;
        dying->pids[i - 1] = dying->pids[--dying->count];
    }
    pthread_mutex_unlock(&dying->lock);
}

/* --- Groups --- */

static void workers_cleanup(snapcell_workers **workers)
{
    snapcell_workers_close(*workers);
}

/* Absolute, since the host may change its folder before the next process starts. */
static int workers_set_store(snapcell_workers *workers, const char *given, snapcell_error *err)
{
    const char *path = given != NULL ? given : snapcell_store_default_path();
    workers->store_path = realpath(path, NULL);
    if (workers->store_path != NULL) return SNAPCELL_OK;
    return error_set_errno(err, SNAPCELL_E_IO, errno, "there is no store at %s", path);
}

/* The clock's zone is all that a worker gets of the host's environment. */
static int workers_set_zone(snapcell_workers *workers, snapcell_error *err)
{
    const char *zone = getenv("TZ");
    if (zone == NULL || asprintf(&workers->zone, "TZ=%s", zone) >= 0) return SNAPCELL_OK;
    workers->zone = NULL;
    return error_set(err, SNAPCELL_E_NOMEM, "no memory for a group of workers");
}

static int workers_set_trust(snapcell_workers *workers, snapcell_error *err)
{
    if (workers->options.trust == NULL) return SNAPCELL_OK;
    workers->trust = trust_copy(workers->options.trust);
    return workers->trust != NULL ? SNAPCELL_OK
                                  : error_set(err, SNAPCELL_E_NOMEM, "no memory for a trust set");
}

static int workers_check(snapcell_workers_options *options, snapcell_error *err)
{
    if ((unsigned)options->policy > SNAPCELL_WORKERS_KEEP)
        return error_set(err, SNAPCELL_E_USAGE, "snapcell_workers_options.policy is %d: no such",
                         (int)options->policy);
    if ((unsigned)options->restore_tier > SNAPCELL_RESTORE_COMPARED)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_workers_options.restore_tier is %d: no such",
                         (int)options->restore_tier);
    if (options->image_launchers != SNAPCELL_IMAGE_LAUNCHERS_NONE &&
        options->image_launchers > SNAPCELL_IMAGE_LAUNCHERS_MAX)
        return error_set(err, SNAPCELL_E_USAGE,
                         "snapcell_workers_options.image_launchers is %u: at most %u can wait",
                         (unsigned)options->image_launchers, SNAPCELL_IMAGE_LAUNCHERS_MAX);
    if (options->keep_cell) options->policy = SNAPCELL_WORKERS_KEEP;
    if (options->restore_tier == SNAPCELL_RESTORE_NONE)
        options->restore_tier = SNAPCELL_RESTORE_SCANNED;
    return SNAPCELL_OK;
}

/* The policy RESTORE alone has images. */
static int workers_open_images(snapcell_workers *workers, snapcell_error *err)
{
    const snapcell_workers_options *given = &workers->options;
    if (given->image_bytes_max == SNAPCELL_IMAGES_NONE || given->policy != SNAPCELL_WORKERS_RESTORE)
        return SNAPCELL_OK;
    if (given->image_folder != NULL) workers->image_folder = strdup(given->image_folder);
    const worker_images_options options = {
        .store_path = workers->store_path,
        .worker_path = workers->worker_path,
        .zone = workers->zone,
        .folder = workers->image_folder,
        .size_bytes_max =
            given->image_bytes_max > 0 ? given->image_bytes_max : SNAPCELL_IMAGE_BYTES_MAX_DEFAULT,
        .folder_bytes_max = given->image_folder_bytes_max > 0
                                ? given->image_folder_bytes_max
                                : SNAPCELL_IMAGE_FOLDER_BYTES_MAX_DEFAULT,
        .age_max_ns = (given->image_age_max_ms > 0 ? given->image_age_max_ms
                                                   : SNAPCELL_IMAGE_AGE_MAX_MS_DEFAULT) *
                      NS_PER_MS,
        .starts_min = given->image_starts_min > 0     ? given->image_starts_min
                      : workers->image_folder != NULL ? 1
                                                      : 2,
        .launchers = given->image_launchers == 0 ? SNAPCELL_IMAGE_LAUNCHERS_DEFAULT
                     : given->image_launchers == SNAPCELL_IMAGE_LAUNCHERS_NONE
                         ? 0
                         : given->image_launchers,
        .start_limit_ms = given->start_limit_ms,
    };
    bool has_folder = given->image_folder == NULL || workers->image_folder != NULL;
    workers->images = has_folder ? worker_images_open(&options) : NULL;
    return workers->images != NULL
               ? SNAPCELL_OK
               : error_set(err, SNAPCELL_E_NOMEM, "no memory for a group of workers");
}

int snapcell_workers_open(const snapcell_workers_options *options, snapcell_workers **out,
                          snapcell_error *err)
{
    *out = NULL;
    snapcell_workers *workers cleanup(workers_cleanup) = calloc(1, sizeof(*workers));
    if (workers == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a group of workers");
    snapcell_workers_options *given = &workers->options;
    pthread_mutex_init(&workers->dying.lock, NULL); /* cannot fail */
    pthread_mutex_init(&workers->spare.lock, NULL);
    int status =
        public_struct_read(given, sizeof(*given), options, "snapcell_workers_options", err);
    if (status == SNAPCELL_OK) status = workers_check(given, err);
    if (status == SNAPCELL_OK) status = workers_set_store(workers, given->store_path, err);
    if (status == SNAPCELL_OK) status = workers_set_zone(workers, err);
    if (status == SNAPCELL_OK) status = workers_set_trust(workers, err);
    if (status == SNAPCELL_OK)
        status = program_path_find(given->worker_path, &workers->worker_path, err);
    if (status != SNAPCELL_OK) return status;
    if (given->start_limit_ms == 0) given->start_limit_ms = SNAPCELL_START_LIMIT_MS_DEFAULT;
    if (given->grace_ms == 0) given->grace_ms = SNAPCELL_GRACE_MS_DEFAULT;
    status = workers_open_images(workers, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&workers);
    return status;
}

void snapcell_workers_close(snapcell_workers *workers)
{
    if (workers == NULL) return;
    worker_images_close(workers->images);
    worker_spare_end(workers);
    workers_reap(workers, true);
    pthread_mutex_destroy(&workers->dying.lock);
    pthread_mutex_destroy(&workers->spare.lock);
    free(workers->dying.pids);
    snapcell_trust_free(workers->trust);
    free(workers->image_folder);
    free(workers->zone);
    free(workers->worker_path);
    free(workers->store_path);
    free(workers);
}

static uint64_t workers_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void snapcell_workers_counters(const snapcell_workers *workers, snapcell_workers_counts *out,
                               size_t out_size_bytes)
{
    const worker_counters *counters = &workers->counters;
    worker_images_counts images;
    worker_images_count(workers->images, &images);
    const snapcell_workers_counts now = {
        .starts = workers_counter(&counters->starts),
        .calls = workers_counter(&counters->calls),
        .restores = workers_counter(&counters->restores),
        .restored_pages = workers_counter(&counters->restored_pages),
        .restore_ns = workers_counter(&counters->restore_ns),
        .cuts = workers_counter(&counters->cuts),
        .deaths = workers_counter(&counters->deaths),
        .anomalies = workers_counter(&counters->anomalies),
        .fallbacks = workers_counter(&counters->fallbacks),
        .cancelled = workers_counter(&counters->cancelled),
        .images = images.made,
        .image_bytes = images.size_bytes,
        .launches = images.launches,
        .image_misses = images.misses,
        .image_collisions = images.collisions,
        .image_failures = images.failures,
        .image_reads = images.read,
        .restore_tier = atomic_load_explicit(&counters->tier, memory_order_relaxed),
    };
    public_struct_write(out, out_size_bytes, &now, sizeof(now));
}

snapcell_restore_tier snapcell_restore_probe(void)
{
    checkpoint *cp;
    if (checkpoint_open(DIRTY_SCANNED, &cp, NULL) != SNAPCELL_OK) return SNAPCELL_RESTORE_NONE;
    snapcell_restore_tier tier = (snapcell_restore_tier)checkpoint_source(cp);
    checkpoint_close(cp);
    return tier;
}
