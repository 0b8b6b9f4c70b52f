/* Salvage: what is intact in a damaged store goes into a new one.
 *
 * Everything that was found is a candidate (store_salvage_find.c). An artifact is taken when its
 * checksum and digest hold; a name when it leads to such an artifact. LMDB sees the new store
 * alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact_reader.h"
#include "cleanup.h"
#include "error_set.h"
#include "store_internal.h"
#include "store_salvage.h"

/* No artifact that a reader accepts is larger. */
#define SALVAGE_ARTIFACT_SIZE_MAX ((uint64_t)512 << 20)

/* An artifact of the new store. */
typedef struct salvage_saved {
    snapcell_key key;
    snapcell_fingerprint engine;
    char name[SNAPCELL_NAME_SIZE_MAX + 1]; /* that it was compiled with */
    bool named;
} salvage_saved;

typedef struct salvage_work {
    salvage_finds finds;
    snapcell_store *to;
    salvage_saved *saved; /* Owned, by key */
    size_t saved_count;
    snapcell_salvage_fn *each;
    void *user;
    snapcell_salvage_result result;
} salvage_work;

static void salvage_tell(const salvage_work *work, const snapcell_salvage_item *item)
{
    if (work->each != NULL) work->each(work->user, item);
}

/* --- Artifacts
 * -------------------------------------------------------------------------------------------------
 */

static int salvage_compare_artifacts(const void *left, const void *right)
{
    const salvage_artifact *a = left;
    const salvage_artifact *b = right;
    int order = memcmp(&a->key, &b->key, sizeof(a->key));
    if (order == 0) order = (a->rank > b->rank) - (a->rank < b->rank);
    return order != 0 ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static bool salvage_is_saved(const salvage_work *work, const snapcell_key *key)
{
    snapcell_store_view view;
    const bool is_saved = snapcell_store_view_open(work->to, key, &view, NULL) == SNAPCELL_OK;
    snapcell_store_view_close(work->to, &view);
    return is_saved;
}

static int salvage_save(salvage_work *work, const void *bytes, const artifact_view *view,
                        snapcell_error *err)
{
    const snapcell_artifact_info *info = &view->info;
    if (salvage_is_saved(work, &info->key)) return SNAPCELL_OK;
    int status = snapcell_store_put(work->to, bytes, (size_t)info->artifact_size_bytes, NULL, err);
    if (status != SNAPCELL_OK) return status;
    salvage_saved *saved = &work->saved[work->saved_count++];
    *saved = (salvage_saved){.key = info->key, .engine = info->engine};
    memcpy(saved->name, info->name, sizeof(saved->name));
    const snapcell_salvage_item item = {.key = info->key, .size_bytes = info->artifact_size_bytes};
    salvage_tell(work, &item);
    return SNAPCELL_OK;
}

/* E_CORRUPT when these bytes are not a whole artifact. One of another key than its record says is
 * taken, too: then the record is damaged, since an artifact's own key is under its checksum. */
static int salvage_try(salvage_work *work, const salvage_artifact *artifact, snapcell_error *err)
{
    artifact_view view;
    if (artifact->size_bytes > SALVAGE_ARTIFACT_SIZE_MAX) return SNAPCELL_E_CORRUPT;
    const size_t size = (size_t)artifact->size_bytes;
    cleanup_free void *bytes = malloc(size + 1);
    if (bytes == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory for an artifact of %llu bytes",
                         (unsigned long long)size);
    }
    if (!store_file_read(work->finds.pages.file, bytes, size, artifact->offset) ||
        artifact_read(bytes, size, ARTIFACT_CHECK_DIGEST, &view, NULL) != SNAPCELL_OK)
        return SNAPCELL_E_CORRUPT;
    return salvage_save(work, bytes, &view, err);
}

static int salvage_compare_keys(const void *left, const void *right)
{
    return memcmp(&((const salvage_saved *)left)->key, &((const salvage_saved *)right)->key,
                  sizeof(snapcell_key));
}

static int salvage_artifacts(salvage_work *work, snapcell_error *err)
{
    const salvage_artifact *items = work->finds.artifacts;
    const size_t count = work->finds.artifact_count;
    if (count > 0) qsort(work->finds.artifacts, count, sizeof(*items), salvage_compare_artifacts);
    for (size_t i = 0, next; i < count; i = next) {
        const bool was_removed = items[i].rank == SALVAGE_SPARE;
        int status = SNAPCELL_E_CORRUPT;
        for (next = i; next < count; next++) {
            if (memcmp(&items[next].key, &items[i].key, sizeof(items[i].key)) != 0) break;
            if (status == SNAPCELL_E_CORRUPT && !was_removed)
                status = salvage_try(work, &items[next], err);
        }
        if (was_removed || status == SNAPCELL_OK) continue;
        if (status != SNAPCELL_E_CORRUPT) return status;
        const snapcell_salvage_item item = {
            .key = items[i].key, .size_bytes = items[i].size_bytes, .lost = true};
        work->result.artifact_lost_count++;
        salvage_tell(work, &item);
    }
    work->result.artifact_count = work->saved_count;
    qsort(work->saved, work->saved_count, sizeof(*work->saved), salvage_compare_keys);
    return SNAPCELL_OK;
}

/* --- Names
 * -------------------------------------------------------------------------------------------------
 */

static int salvage_compare_names(const void *left, const void *right)
{
    const salvage_name *a = left;
    const salvage_name *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0) order = memcmp(&a->engine, &b->engine, sizeof(a->engine));
    if (order == 0) order = (a->rank > b->rank) - (a->rank < b->rank);
    return order != 0 ? order : memcmp(&a->key, &b->key, sizeof(a->key));
}

static int salvage_compare_saved(const void *key, const void *saved)
{
    return memcmp(key, &((const salvage_saved *)saved)->key, sizeof(snapcell_key));
}

static bool salvage_same_name(const salvage_name *a, const salvage_name *b)
{
    return strcmp(a->name, b->name) == 0 && memcmp(&a->engine, &b->engine, sizeof(a->engine)) == 0;
}

/* Of the records for one name, sorted, what it leads to: the best one's artifact; where loose pages
 * give several, which of them was the last cannot be told. NULL when it is lost. */
static salvage_saved *salvage_choose(const salvage_work *work, const salvage_name *names,
                                     size_t count)
{
    salvage_saved *chosen = NULL;
    for (size_t i = 0; i < count; i++) {
        salvage_saved *saved = work->saved_count == 0
                                   ? NULL
                                   : bsearch(&names[i].key, work->saved, work->saved_count,
                                             sizeof(*saved), salvage_compare_saved);
        if (saved != NULL && memcmp(&saved->engine, &names[i].engine, sizeof(saved->engine)) != 0)
            saved = NULL;
        if (names[i].rank != SALVAGE_LOOSE) return saved;
        if (saved == NULL || saved == chosen) continue;
        if (chosen != NULL) return NULL;
        chosen = saved;
    }
    return chosen;
}

static int salvage_set_name(salvage_work *work, const char *name, salvage_saved *saved,
                            bool guessed, snapcell_error *err)
{
    int status = snapcell_store_name_set(work->to, name, &saved->key, err);
    if (status != SNAPCELL_OK) return status;
    saved->named = true;
    work->result.name_count++;
    work->result.name_guessed_count += guessed;
    const snapcell_salvage_item item = {.name = name, .key = saved->key, .guessed = guessed};
    salvage_tell(work, &item);
    return SNAPCELL_OK;
}

static int salvage_names(salvage_work *work, snapcell_error *err)
{
    const salvage_name *names = work->finds.names;
    const size_t count = work->finds.name_count;
    if (count > 0) qsort(work->finds.names, count, sizeof(*names), salvage_compare_names);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && salvage_same_name(&names[i], &names[next]);)
            next++;
        salvage_saved *saved = salvage_choose(work, &names[i], next - i);
        int status = SNAPCELL_OK;
        if (saved != NULL) {
            status = salvage_set_name(work, names[i].name, saved, false, err);
        } else {
            const snapcell_salvage_item item = {
                .name = names[i].name, .key = names[i].key, .lost = true};
            work->result.name_lost_count++;
            salvage_tell(work, &item);
        }
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

/* Where records of names may be lost, an artifact that none leads to gets back the name that it was
 * compiled with, so that it is not collected, unless that one leads elsewhere. */
static int salvage_guess_names(salvage_work *work, snapcell_error *err)
{
    for (size_t i = 0; !work->finds.complete && i < work->saved_count; i++) {
        snapcell_key key;
        salvage_saved *saved = &work->saved[i];
        if (saved->named || snapcell_store_resolve(work->to, saved->name, &saved->engine, &key,
                                                   NULL) != SNAPCELL_E_NOT_FOUND)
            continue;
        int status = salvage_set_name(work, saved->name, saved, true, err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

static int salvage_releases_put(salvage_work *work, snapcell_error *err)
{
    salvage_releases releases;
    int status = salvage_put_records(work->to, &work->finds, &releases, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < releases.kept_count; i++) {
        const snapcell_salvage_item item = {.release = releases.kept[i]};
        salvage_tell(work, &item);
    }
    for (size_t i = 0; status == SNAPCELL_OK && i < releases.lost_count; i++) {
        const snapcell_salvage_item item = {.release = releases.lost[i], .lost = true};
        salvage_tell(work, &item);
    }
    work->result.release_count = releases.kept_count;
    work->result.release_lost_count = releases.lost_count;
    work->result.record_lost_count = work->finds.record_lost_count;
    work->result.records_complete = work->finds.records_complete;
    salvage_releases_release(&releases);
    return status;
}

/* --- The whole
 * -------------------------------------------------------------------------------------------------
 */

/* The lock keeps writers out, where there are any and locks. `*out` is to be closed on failure,
 * too. */
static int salvage_open(const char *path, int *out, snapcell_error *err)
{
    cleanup_free char *data_path = NULL;
    if (asprintf(&data_path, "%s/" STORE_DATA_FILE, path) < 0) {
        data_path = NULL;
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while salvaging %s", path);
    }
    struct stat status;
    const int file = *out = open(data_path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot open %s", data_path);
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        return error_set(err, SNAPCELL_E_NOT_A_STORE, "%s is not a regular file", data_path);
    }
    if (store_lock_set(file, STORE_LOCK_WRITE, F_RDLCK, STORE_LOCK_WAIT_MS) == EAGAIN) {
        return error_set(err, SNAPCELL_E_BUSY,
                         "another process is writing %s: try again when it has "
                         "ended",
                         data_path);
    }
    return SNAPCELL_OK;
}

static int salvage_open_new(const char *path, snapcell_store **out, snapcell_error *err)
{
    snapcell_store_stat stat = {0};
    int status = snapcell_store_open(path, SNAPCELL_STORE_CREATE, out, err);
    if (status == SNAPCELL_OK) status = snapcell_store_stat_get(*out, &stat, err);
    if (status != SNAPCELL_OK || (stat.artifact_count == 0 && stat.name_count == 0)) return status;
    return error_set(err, SNAPCELL_E_EXISTS,
                     "%s is a store that holds something already: salvage into a new one", path);
}

static int salvage_run(salvage_work *work, const char *to, snapcell_error *err)
{
    int status = salvage_open_new(to, &work->to, err);
    if (status != SNAPCELL_OK) return status;
    work->saved = calloc(work->finds.artifact_count + 1, sizeof(*work->saved));
    if (work->saved == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "out of memory while salvaging into %s", to);
    }
    status = salvage_artifacts(work, err);
    if (status == SNAPCELL_OK) status = salvage_names(work, err);
    if (status == SNAPCELL_OK) status = salvage_guess_names(work, err);
    if (status == SNAPCELL_OK) status = salvage_releases_put(work, err);
    return status;
}

int snapcell_store_salvage(const char *from, const char *to, snapcell_salvage_fn *each, void *user,
                           snapcell_salvage_result *out, snapcell_error *err)
{
    if (out != NULL) memset(out, 0, sizeof(*out));
    if (from == NULL || to == NULL) {
        return error_set(err, SNAPCELL_E_USAGE,
                         "salvage needs a store and a place for the new one");
    }
    cleanup_close int file = -1;
    int status = salvage_open(from, &file, err);
    if (status != SNAPCELL_OK) return status;
    salvage_work work = {.each = each, .user = user};
    status = salvage_find(file, from, &work.finds, err);
    work.result.damaged = work.finds.damaged;
    work.result.complete = work.finds.complete;
    if (status == SNAPCELL_OK) status = salvage_run(&work, to, err);
    snapcell_store_close(work.to);
    salvage_finds_release(&work.finds);
    free(work.saved);
    if (out != NULL) *out = work.result;
    return status;
}
