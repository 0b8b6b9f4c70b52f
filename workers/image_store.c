#include "image_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "engine.h"

struct image_store {
    char *path;
    char *data_path;
    pthread_mutex_t lock; /* of what follows, while it is opened and used */
    snapcell_store *store;
    dev_t device; /* of its file when it was opened */
    ino_t inode;
};

image_store *image_store_new(const char *path)
{
    image_store *store = calloc(1, sizeof(*store));
    if (store == NULL) return NULL;
    store->path = strdup(path);
    if (asprintf(&store->data_path, "%s/data.mdb", path) < 0) store->data_path = NULL;
    if (store->path != NULL && store->data_path != NULL &&
        pthread_mutex_init(&store->lock, NULL) == 0)
        return store;
    free(store->path);
    free(store->data_path);
    free(store);
    return NULL;
}

void image_store_free(image_store *store)
{
    if (store == NULL) return;
    snapcell_store_close(store->store);
    pthread_mutex_destroy(&store->lock);
    free(store->path);
    free(store->data_path);
    free(store);
}

/* The store at the path may have been replaced, or its file, by a compact one. */
static bool store_is_current(image_store *store)
{
    struct stat file;
    if (stat(store->data_path, &file) != 0) return false;
    if (store->store != NULL && file.st_dev == store->device && file.st_ino == store->inode)
        return true;
    snapcell_store_close(store->store);
    store->store = NULL;
    store->device = file.st_dev;
    store->inode = file.st_ino;
    return snapcell_store_open(store->path, SNAPCELL_STORE_READ, &store->store, NULL) ==
           SNAPCELL_OK;
}

void image_store_prepare(image_store *store)
{
    pthread_mutex_lock(&store->lock);
    (void)store_is_current(store);
    pthread_mutex_unlock(&store->lock);
}

bool image_store_resolve(image_store *store, const char *ref, snapcell_key *out)
{
    const snapcell_fingerprint engine = engine_fingerprint();
    pthread_mutex_lock(&store->lock);
    bool found = store_is_current(store) &&
                 snapcell_store_resolve(store->store, ref, &engine, out, NULL) == SNAPCELL_OK;
    pthread_mutex_unlock(&store->lock);
    return found;
}
