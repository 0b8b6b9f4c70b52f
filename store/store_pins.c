/* What keeps the bytes of open views: a map of data.mdb of their own, and, as long as others may
 * write to that file, a read transaction. So LMDB can be closed under a view once the file is
 * superseded. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store_internal.h"

/* Mapped ahead, so that a growing store is not mapped for each new artifact. */
#define STORE_MAPPING_STEP_BYTES ((size_t)64 << 20)

void store_mapping_release(store_mapping *mapping)
{
    if (mapping == NULL || --mapping->references > 0) return;
    munmap(mapping->bytes, mapping->size_bytes);
    free(mapping);
}

static store_mapping *store_mapping_new(const store_environment *environment, size_t size_bytes_min)
{
    struct stat facts;
    if (fstat(environment->data_file, &facts) != 0 || (size_t)facts.st_size < size_bytes_min)
        return NULL;
    const size_t page_mask = (size_t)sysconf(_SC_PAGESIZE) - 1;
    store_mapping *mapping = calloc(1, sizeof(*mapping));
    if (mapping == NULL) return NULL;
    mapping->references = 1;
    mapping->size_bytes = ((size_t)facts.st_size + STORE_MAPPING_STEP_BYTES) & ~page_mask;
    mapping->bytes =
        mmap(NULL, mapping->size_bytes, PROT_READ, MAP_SHARED, environment->data_file, 0);
    if (mapping->bytes == MAP_FAILED) {
        free(mapping);
        return NULL;
    }
    return mapping;
}

const uint8_t *store_mapping_find(store_environment *environment, const MDB_val *value,
                                  store_mapping **out)
{
    if (environment->map_begin == NULL) return NULL;
    const size_t offset = (size_t)((const uint8_t *)value->mv_data - environment->map_begin);
    pthread_mutex_lock(&environment->mutex);
    store_mapping *mapping = environment->mapping;
    if (mapping == NULL || offset + value->mv_size > mapping->size_bytes) {
        mapping = store_mapping_new(environment, offset + value->mv_size);
        if (mapping != NULL) {
            store_mapping_release(environment->mapping);
            environment->mapping = mapping;
        }
    }
    if (mapping != NULL) mapping->references++;
    pthread_mutex_unlock(&environment->mutex);
    *out = mapping;
    return mapping == NULL ? NULL : mapping->bytes + offset;
}

void store_pin_add(store_environment *environment, store_pin *pin)
{
    pin->previous = NULL;
    pin->next = environment->pins;
    if (pin->next != NULL) pin->next->previous = pin;
    environment->pins = pin;
    environment->attached++;
}

static void store_pin_unlink(store_environment *environment, store_pin *pin)
{
    if (pin->next != NULL) pin->next->previous = pin->previous;
    if (pin->previous != NULL)
        pin->previous->next = pin->next;
    else
        environment->pins = pin->next;
    environment->attached--;
}

MDB_txn *store_pin_remove(store_environment *environment, store_pin *pin)
{
    MDB_txn *txn = pin->txn;
    if (txn != NULL) store_pin_unlink(environment, pin);
    store_mapping_release(pin->mapping);
    free(pin);
    return txn;
}

void store_pins_detach(store_environment *environment)
{
    pthread_mutex_lock(&environment->mutex);
    while (environment->pins != NULL) {
        store_pin *pin = environment->pins;
        store_pin_unlink(environment, pin);
        mdb_txn_abort(pin->txn);
        pin->txn = NULL;
    }
    pthread_mutex_unlock(&environment->mutex);
}
