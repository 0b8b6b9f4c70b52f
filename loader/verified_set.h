/* Artifacts whose cryptographic digest was checked, and with a trust set their signature, too: a
 * bounded set that forgets. Internal.
 *
 * BLAKE2b over an artifact costs more than all else in a load, and its result is the same each
 * time. An artifact that has the checksum and the digest of one that was checked is taken for that
 * one, after its checksum was compared with its bytes. That finds accidents. Where a trust set says
 * that someone may try, a tag takes the checksum's place that no one else can compute. */
#ifndef SNAPCELL_VERIFIED_SET_H
#define SNAPCELL_VERIFIED_SET_H

#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

#define VERIFIED_SET_WAY_COUNT 4
#define VERIFIED_SET_BUCKET_COUNT 1024

/* What stands for an artifact's bytes. */
typedef struct verified_entry {
    uint8_t checksum[16]; /* XXH3-128, or a tag: see artifact_tag() */
    uint8_t digest[32];   /* BLAKE2b-256 */
} verified_entry;

typedef struct verified_bucket {
    verified_entry entries[VERIFIED_SET_WAY_COUNT];
    uint8_t count;
    uint8_t oldest; /* the next to be forgotten, once all are taken */
} verified_bucket;

typedef struct verified_set {
    pthread_mutex_t mutex;
    verified_bucket *buckets;
} verified_set;

/* Returns 0, or -1 when memory is short (nothing to release then). Thread: any. */
int verified_set_init(verified_set *set);

/* Thread: any, once. */
void verified_set_release(verified_set *set);

/* Thread: any, several at once, both. */
bool verified_set_contains(verified_set *set, const verified_entry *entry);
void verified_set_add(verified_set *set, const verified_entry *entry);

#endif
