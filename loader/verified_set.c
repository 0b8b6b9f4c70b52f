#include "verified_set.h"

#include <stdlib.h>
#include <string.h>

int verified_set_init(verified_set *set)
{
    set->buckets = calloc(VERIFIED_SET_BUCKET_COUNT, sizeof(*set->buckets));
    if (set->buckets == NULL) return -1;
    if (pthread_mutex_init(&set->mutex, NULL) != 0) {
        free(set->buckets);
        set->buckets = NULL;
        return -1;
    }
    return 0;
}

void verified_set_release(verified_set *set)
{
    if (set->buckets == NULL) return;
    pthread_mutex_destroy(&set->mutex);
    free(set->buckets);
    set->buckets = NULL;
}

/* A digest is spread evenly: any bits of it will do. */
static verified_bucket *verified_set_bucket(verified_set *set, const verified_entry *entry)
{
    uint32_t bits;
    memcpy(&bits, entry->digest, sizeof(bits));
    return &set->buckets[bits % VERIFIED_SET_BUCKET_COUNT];
}

static bool verified_bucket_contains(const verified_bucket *bucket, const verified_entry *entry)
{
    for (unsigned i = 0; i < bucket->count; i++)
        if (memcmp(&bucket->entries[i], entry, sizeof(*entry)) == 0) return true;
    return false;
}

bool verified_set_contains(verified_set *set, const verified_entry *entry)
{
    pthread_mutex_lock(&set->mutex);
    bool found = verified_bucket_contains(verified_set_bucket(set, entry), entry);
    pthread_mutex_unlock(&set->mutex);
    return found;
}

void verified_set_add(verified_set *set, const verified_entry *entry)
{
    pthread_mutex_lock(&set->mutex);
    verified_bucket *bucket = verified_set_bucket(set, entry);
    if (!verified_bucket_contains(bucket, entry)) {
        if (bucket->count < VERIFIED_SET_WAY_COUNT) {
            bucket->entries[bucket->count++] = *entry;
        } else {
            bucket->entries[bucket->oldest] = *entry;
            bucket->oldest = (uint8_t)((bucket->oldest + 1) % VERIFIED_SET_WAY_COUNT);
        }
    }
    pthread_mutex_unlock(&set->mutex);
}
