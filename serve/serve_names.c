#include "serve_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cleanup.h"
#include "error_set.h"
#include "snapcell/loader.h"

static void names_clear(serve_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
    names->items = NULL;
    names->count = 0;
    names->capacity = 0;
    names->other_count = 0;
}

void serve_names_release(serve_names *names)
{
    names_clear(names);
    free(names->store_path);
    names->store_path = NULL;
}

typedef struct names_reader {
    serve_names *names;
    snapcell_fingerprint engine;
} names_reader;

static int names_add(void *user, const snapcell_store_name *entry)
{
    names_reader *reader = user;
    serve_names *names = reader->names;
    if (memcmp(&entry->engine, &reader->engine, sizeof(entry->engine)) != 0) {
        names->other_count++;
        return SNAPCELL_OK;
    }
    if (names->count == names->capacity) {
        size_t capacity = names->capacity > 0 ? 2 * names->capacity : 64;
        serve_name *items = realloc(names->items, capacity * sizeof(*items));
        if (items == NULL) return SNAPCELL_E_NOMEM;
        names->items = items;
        names->capacity = capacity;
    }
    serve_name *item = &names->items[names->count];
    item->name = strdup(entry->name);
    item->key = entry->key;
    if (item->name == NULL) return SNAPCELL_E_NOMEM;
    names->count++;
    return SNAPCELL_OK;
}

static int names_compare(const void *left, const void *right)
{
    const serve_name *a = left;
    const serve_name *b = right;
    int order = strcasecmp(a->name, b->name);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int names_stat(const serve_names *names, struct stat *out, snapcell_error *err)
{
    cleanup_free char *path = NULL;
    if (asprintf(&path, "%s/data.mdb", names->store_path) < 0) {
        path = NULL;
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the store's path");
    }
    if (stat(path, out) == 0) return SNAPCELL_OK;
    *out = (struct stat){0};
    if (errno == ENOENT) return SNAPCELL_OK; /* opening it says what to do */
    return error_set_errno(err, SNAPCELL_E_IO, errno, "cannot look at the store %s", path);
}

/* A change within the same tick of the file's clock would not show: what was written just now is
 * read once more. */
static void names_doubt(struct stat *seen)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - seen->st_mtim.tv_sec < 2) seen->st_size = -1;
}

static void names_store_cleanup(snapcell_store **store)
{
    snapcell_store_close(*store);
}

static int names_read(serve_names *names, snapcell_error *err)
{
    snapcell_engine_info info;
    snapcell_engine_info_get(&info, sizeof(info));
    serve_names fresh = {0};
    names_reader reader = {&fresh, info.fingerprint};
    snapcell_store *store cleanup(names_store_cleanup) = NULL;
    /* Before it is read, so that what changes meanwhile is seen the next time. */
    int status = names_stat(names, &fresh.seen, err);
    if (status == SNAPCELL_OK)
        status = snapcell_store_open(names->store_path, SNAPCELL_STORE_READ, &store, err);
    if (status == SNAPCELL_OK) status = snapcell_store_each_name(store, names_add, &reader, err);
    if (status == SNAPCELL_E_NOMEM) error_set(err, status, "no memory for the store's names");
    if (status != SNAPCELL_OK) {
        names_clear(&fresh);
        return status;
    }
    names_doubt(&fresh.seen);
    if (fresh.count > 0) qsort(fresh.items, fresh.count, sizeof(*fresh.items), names_compare);
    names_clear(names);
    fresh.store_path = names->store_path;
    *names = fresh;
    return SNAPCELL_OK;
}

int serve_names_open(serve_names *names, const char *store_path, snapcell_error *err)
{
    /* Whole, so that what may not be read on the way to it is noticed before the user changes. */
    char *whole = realpath(store_path, NULL);
    *names = (serve_names){.store_path = whole != NULL ? whole : strdup(store_path)};
    if (names->store_path == NULL)
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for the store's path");
    return names_read(names, err);
}

static bool names_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int serve_names_refresh(serve_names *names, bool *changed, snapcell_error *err)
{
    struct stat now = {0};
    *changed = false;
    int status = names_stat(names, &now, err);
    if (status != SNAPCELL_OK || names_same_file(&now, &names->seen)) return status;
    status = names_read(names, err);
    *changed = status == SNAPCELL_OK;
    return status;
}

static int names_compare_key(const serve_name *item, const char *name, size_t size_bytes)
{
    int order = strncasecmp(item->name, name, size_bytes);
    if (order != 0) return order;
    return strlen(item->name) > size_bytes ? 1 : 0;
}

const serve_name *serve_names_find(const serve_names *names, const char *name, size_t size_bytes)
{
    size_t low = 0;
    size_t high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names_compare_key(&names->items[middle], name, size_bytes) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const serve_name *found = NULL;
    for (; low < names->count; low++) {
        const serve_name *item = &names->items[low];
        if (names_compare_key(item, name, size_bytes) != 0) break;
        if (memcmp(item->name, name, size_bytes) == 0) return item;
        if (found == NULL) found = item;
    }
    return found;
}

int serve_names_shape(const serve_names *names, const snapcell_key *key,
                      snapcell_handler_shape *out, snapcell_error *err)
{
    snapcell_store *store cleanup(names_store_cleanup) = NULL;
    snapcell_store_view view;
    int status = snapcell_store_open(names->store_path, SNAPCELL_STORE_READ, &store, err);
    if (status == SNAPCELL_OK) status = snapcell_store_view_open(store, key, &view, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_artifact_info info;
    status = snapcell_artifact_describe(view.bytes, view.size_bytes, &info, err);
    if (status == SNAPCELL_OK) *out = info.shape;
    snapcell_store_view_close(store, &view);
    return status;
}
