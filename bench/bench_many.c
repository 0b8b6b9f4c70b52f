#include "bench_many.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "artifact_checksum.h"
#include "artifact_layout.h"
#include "bench_random.h"
#include "cleanup.h"
#include "snapcell/loader.h"
#include "snapcell/store.h"

snapcell_key bench_many_key(uint32_t index)
{
    snapcell_key key;
    bench_random random;
    bench_random_init(&random, index);
    for (size_t i = 0; i < sizeof(key.bytes); i++)
        key.bytes[i] = (uint8_t)bench_random_below(&random, 256);
    return key;
}

void bench_many_name(uint32_t index, char out[BENCH_MANY_NAME_SIZE])
{
    snprintf(out, BENCH_MANY_NAME_SIZE, "many-%08" PRIu32, index);
}

void bench_many_rekey(uint8_t *bytes, size_t size_bytes, const snapcell_key *key)
{
    artifact_header *header = (artifact_header *)bytes;
    memcpy(header->key, key->bytes, sizeof(header->key));
    artifact_seal(bytes, size_bytes);
}

uint32_t bench_many_fitting(const char *folder, uint32_t count, uint64_t artifact_size_bytes)
{
    struct statvfs disk;
    if (artifact_size_bytes == 0 || statvfs(folder, &disk) != 0) return count;
    /* Each artifact begins on a page of its own, and names and keys have theirs. */
    uint64_t each = (artifact_size_bytes + 4095) / 4096 * 4096 + 4096;
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize / 5 * 4;
    uint64_t fitting = room / each;
    return fitting < count ? (uint32_t)fitting : count;
}

static void bench_close_store(snapcell_store **store)
{
    snapcell_store_close(*store);
}

static int bench_many_source(const char *from, const char *ref, void **bytes, size_t *size_bytes,
                             snapcell_error *err)
{
    snapcell_store *store cleanup(bench_close_store) = NULL;
    int status = snapcell_store_open(from, SNAPCELL_STORE_READ, &store, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_engine_info engine;
    snapcell_engine_info_get(&engine, sizeof(engine));
    snapcell_key key;
    status = snapcell_store_resolve(store, ref, &engine.fingerprint, &key, err);
    if (status != SNAPCELL_OK) return status;
    return snapcell_store_get(store, &key, bytes, size_bytes, err);
}

int bench_many_fill(const char *from, const char *ref, const char *to, uint32_t count,
                    uint32_t step, void (*tick)(void *user, uint32_t done), void *user,
                    snapcell_error *err)
{
    void *bytes cleanup_free = NULL;
    size_t size_bytes;
    int status = bench_many_source(from, ref, &bytes, &size_bytes, err);
    if (status != SNAPCELL_OK) return status;
    snapcell_store *store cleanup(bench_close_store) = NULL;
    status = snapcell_store_open(to, SNAPCELL_STORE_CREATE, &store, err);
    for (uint32_t i = 0; i < count && status == SNAPCELL_OK; i++) {
        snapcell_key key = bench_many_key(i * step);
        char name[BENCH_MANY_NAME_SIZE];
        bench_many_name(i * step, name);
        bench_many_rekey(bytes, size_bytes, &key);
        status = snapcell_store_put(store, bytes, size_bytes, name, err);
        tick(user, i + 1);
    }
    return status;
}

void bench_store_remove(const char *store)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char path[4300];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", store, files[i]);
        unlink(path);
    }
    rmdir(store);
}
