/* Copies of an artifact under many keys. */
#ifndef SNAPCELL_BENCH_MANY_H
#define SNAPCELL_BENCH_MANY_H

#include "bench.h"
#include "snapcell/artifact.h"

/* What copy number `index` has for a key. */
snapcell_key bench_many_key(uint32_t index);

#define BENCH_MANY_NAME_SIZE 32
void bench_many_name(uint32_t index, char out[BENCH_MANY_NAME_SIZE]);

/* Gives an artifact's bytes another key, and seals them again. `size_bytes`: at least that of a
 * header; the bytes were verified. */
void bench_many_rekey(uint8_t *bytes, size_t size_bytes, const snapcell_key *key);

/* Whether `count` artifacts of a size fit into the file system of `folder` with a fifth of it left;
 * else how many do. */
uint32_t bench_many_fitting(const char *folder, uint32_t count, uint64_t artifact_size_bytes);

/* Puts `count` copies of artifact `ref` of the store at `from` into the store at `to`, under keys
 * and names; only every `step`th of `count` * `step`. `tick` is called after each. */
int bench_many_fill(const char *from, const char *ref, const char *to, uint32_t count,
                    uint32_t step, void (*tick)(void *user, uint32_t done), void *user,
                    snapcell_error *err);

/* Removes a store that a run made, if it is there. */
void bench_store_remove(const char *store);

#endif
