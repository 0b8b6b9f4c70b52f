#include "image_cache.h"

#include <stdlib.h>
#include <string.h>

int image_cache_init(image_cache *cache, uint64_t size_bytes_max)
{
    memset(cache, 0, sizeof(*cache));
    image **buckets = calloc(IMAGE_CACHE_BUCKET_COUNT, sizeof(image *));
    if (buckets == NULL) return -1;
    if (pthread_mutex_init(&cache->mutex, NULL) != 0) {
        free(buckets);
        return -1;
    }
    cache->buckets = buckets;
    cache->size_bytes_max = size_bytes_max;
    return 0;
}

/* Where the chain of a key begins. A key is a hash: any bits of it will do. */
static image **image_cache_bucket(const image_cache *cache, const snapcell_key *key)
{
    uint32_t bits;
    memcpy(&bits, key->bytes, sizeof(bits));
    return &cache->buckets[bits % IMAGE_CACHE_BUCKET_COUNT];
}

static image *image_cache_look(const image_cache *cache, const snapcell_key *key)
{
    image *found = *image_cache_bucket(cache, key);
    while (found != NULL && memcmp(&found->info.key, key, sizeof(*key)) != 0)
        found = found->cache_chain;
    return found;
}

/* --- The order of use --- */

static void image_cache_link_newest(image_cache *cache, image *shared)
{
    shared->cache_newer = NULL;
    shared->cache_older = cache->newest;
    if (cache->newest != NULL) cache->newest->cache_newer = shared;
    cache->newest = shared;
    if (cache->oldest == NULL) cache->oldest = shared;
}

static void image_cache_unlink(image_cache *cache, image *shared)
{
    *(shared->cache_newer != NULL ? &shared->cache_newer->cache_older : &cache->newest) =
        shared->cache_older;
    *(shared->cache_older != NULL ? &shared->cache_older->cache_newer : &cache->oldest) =
        shared->cache_newer;
}

/* --- In and out --- */

static void image_cache_insert(image_cache *cache, image *shared)
{
    image **bucket = image_cache_bucket(cache, &shared->info.key);
    shared->cache_chain = *bucket;
    *bucket = shared;
    shared->cached = true;
    image_cache_link_newest(cache, shared);
    cache->size_bytes += image_size_bytes(shared);
}

/* Takes an image out; `*dropped` begins a list, by cache_chain, of references to be given back once
 * the lock is left. */
static void image_cache_drop(image_cache *cache, image *shared, image **dropped)
{
    image **link = image_cache_bucket(cache, &shared->info.key);
    while (*link != shared)
        link = &(*link)->cache_chain;
    *link = shared->cache_chain;
    shared->cached = false;
    image_cache_unlink(cache, shared);
    cache->size_bytes -= image_size_bytes(shared);
    shared->cache_chain = *dropped;
    *dropped = shared;
}

static void image_cache_release_dropped(image *dropped)
{
    while (dropped != NULL) {
        image *next = dropped->cache_chain;
        image_release(dropped);
        dropped = next;
    }
}

void image_cache_release(image_cache *cache)
{
    if (cache->buckets == NULL) return;
    image *dropped = NULL;
    while (cache->newest != NULL)
        image_cache_drop(cache, cache->newest, &dropped);
    image_cache_release_dropped(dropped);
    pthread_mutex_destroy(&cache->mutex);
    free(cache->buckets);
    cache->buckets = NULL;
}

image *image_cache_find(image_cache *cache, const snapcell_key *key)
{
    if (cache->size_bytes_max == 0) return NULL;
    pthread_mutex_lock(&cache->mutex);
    image *found = image_cache_look(cache, key);
    if (found != NULL) {
        image_cache_unlink(cache, found);
        image_cache_link_newest(cache, found);
        image_retain(found);
    }
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

void image_cache_add(image_cache *cache, image *shared)
{
    /* One that is larger than all the room would drive out the others for nothing. */
    if (image_size_bytes(shared) > cache->size_bytes_max || image_is_in_place(shared)) return;
    image *dropped = NULL;
    pthread_mutex_lock(&cache->mutex);
    image *before = image_cache_look(cache, &shared->info.key);
    if (before != NULL) image_cache_drop(cache, before, &dropped);
    image_cache_insert(cache, image_retain(shared));
    while (cache->size_bytes > cache->size_bytes_max)
        image_cache_drop(cache, cache->oldest, &dropped);
    pthread_mutex_unlock(&cache->mutex);
    image_cache_release_dropped(dropped);
}

void image_cache_remove(image_cache *cache, image *shared)
{
    image *dropped = NULL;
    pthread_mutex_lock(&cache->mutex);
    if (shared->cached) image_cache_drop(cache, shared, &dropped);
    pthread_mutex_unlock(&cache->mutex);
    image_cache_release_dropped(dropped);
}

uint64_t image_cache_size_bytes(image_cache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    uint64_t size_bytes = cache->size_bytes;
    pthread_mutex_unlock(&cache->mutex);
    return size_bytes;
}
