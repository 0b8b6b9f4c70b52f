/* Opening LMDB again, with a larger map, to write, after a failed write, or because data.mdb was
 * replaced: nobody may be inside of the gate meanwhile. */
#include "error_set.h"
#include "store_internal.h"

/* Goes back to how it was when the new way does not work; if even that fails, the next to enter
 * tries again. */
static int store_environment_reconnect(store_environment *environment, bool writable, size_t min,
                                       snapcell_error *err)
{
    const bool was_writable = environment->writable;
    const size_t old_size = environment->map_size_bytes;
    store_environment_disconnect(environment);
    int status = store_environment_connect(environment, writable, min, err);
    if (status == SNAPCELL_OK) return status;
    environment->writable = was_writable;
    environment->map_size_bytes = old_size;
    store_environment_connect(environment, was_writable, STORE_MAP_SIZE_BYTES_MIN, NULL);
    return status;
}

int store_environment_grow(store_environment *environment, size_t seen_size_bytes,
                           snapcell_error *err)
{
    int status = store_gate_close(environment, STORE_GATE_ALL, err);
    if (status != SNAPCELL_OK) return status;
    if (environment->map_size_bytes <= seen_size_bytes) {
        status = store_environment_reconnect(environment, environment->writable,
                                             seen_size_bytes * 2, err);
        if (status == SNAPCELL_E_NOMEM) {
            status = error_set(err, SNAPCELL_E_FULL,
                               "the store %s cannot grow: no address space to map twice %llu bytes "
                               "(ulimit -v)",
                               environment->path, (unsigned long long)seen_size_bytes);
        }
    }
    store_gate_open(environment);
    return status;
}

int store_environment_make_writable(store_environment *environment, snapcell_error *err)
{
    int status = store_gate_close(environment, STORE_GATE_ALL, err);
    if (status != SNAPCELL_OK) return status;
    if (!environment->writable) {
        status = store_environment_reconnect(environment, true, STORE_MAP_SIZE_BYTES_MIN, err);
    }
    store_gate_open(environment);
    return status;
}

int store_environment_recover(store_environment *environment, unsigned seen_generation,
                              snapcell_error *err)
{
    int status = store_gate_close(environment, STORE_GATE_ALL, err);
    if (status != SNAPCELL_OK) return status;
    if (environment->generation == seen_generation) {
        store_environment_disconnect(environment);
        environment->must_sync = true;
        status = store_environment_connect(environment, environment->writable,
                                           STORE_MAP_SIZE_BYTES_MIN, err);
    }
    store_gate_open(environment);
    return status;
}

int store_environment_follow(store_environment *environment, unsigned seen_generation,
                             bool wait_for_listings, snapcell_error *err)
{
    int status = store_gate_close(
        environment, wait_for_listings ? STORE_GATE_OPERATIONS : STORE_GATE_SHORT, err);
    if (status != SNAPCELL_OK) return status;
    if (environment->generation == seen_generation) {
        store_pins_detach(environment);
        store_environment_disconnect(environment);
        status = store_environment_connect(environment, environment->writable,
                                           STORE_MAP_SIZE_BYTES_MIN, err);
    }
    store_gate_open(environment);
    return status;
}
