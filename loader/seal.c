/* A sealed loader: one function, decoded, and no store. */
#include <stdlib.h>
#include <string.h>

#include "cell_restore.h"
#include "cleanup.h"
#include "error_set.h"
#include "loader_state.h"
#include "public_struct.h"

static int seal_check(snapcell_loader *loader, const char *ref, snapcell_error *err)
{
    if (ref == NULL)
        return error_set(err, SNAPCELL_E_USAGE, "a function's name or key is needed, got NULL");
    if (loader->seal.image != NULL)
        return error_set(err, SNAPCELL_E_USAGE, "the loader is sealed already, with '%s'",
                         loader->seal.ref);
    if (loader->spares.bounds.cells_per_function > 0)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a loader that makes spare cells cannot be sealed: its thread uses the "
                         "store");
    return SNAPCELL_OK;
}

/* Of bytes that were verified; an image does not have it. */
static int seal_keep_manifest(const cell_reading *reading, loader_seal *out, snapcell_error *err)
{
    artifact_view view;
    int status = artifact_read(reading->view.bytes, reading->view.size_bytes,
                               ARTIFACT_CHECK_CHECKSUM, &view, err);
    if (status != SNAPCELL_OK) return status;
    out->manifest_size_bytes = view.info.manifest_size_bytes;
    out->manifest = strndup(view.info.manifest, view.info.manifest_size_bytes);
    if (out->manifest != NULL) return SNAPCELL_OK;
    return error_set(err, SNAPCELL_E_NOMEM, "no memory to seal a loader");
}

static int seal_decode(snapcell_loader *loader, const char *ref,
                       const snapcell_cell_options *options, loader_seal *out, snapcell_error *err)
{
    cell_reading reading cleanup(cell_reading_release) = {0};
    int status = cell_reading_open(loader, ref, options, &out->timings, &reading, err);
    if (status != SNAPCELL_OK) return status;
    status = cell_image_load(loader, &reading, &out->timings, &out->image, err);
    return status == SNAPCELL_OK ? seal_keep_manifest(&reading, out, err) : status;
}

int snapcell_loader_seal(snapcell_loader *loader, const char *ref,
                         const snapcell_cell_options *options, snapcell_error *err)
{
    snapcell_cell_options given;
    int status = engine_check_caller(err);
    if (status == SNAPCELL_OK)
        status = public_struct_read(&given, sizeof(given), options, "snapcell_cell_options", err);
    if (status == SNAPCELL_OK) status = seal_check(loader, ref, err);
    if (status != SNAPCELL_OK) return status;
    cleanup_free char *copy = strdup(ref);
    if (copy == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory to seal a loader");
    uint32_t place_count_max = loader->images.place_count_max;
    loader->images.place_count_max = 0; /* nothing may stay in the store's pages */
    status = seal_decode(loader, ref, &given, &loader->seal, err);
    if (status != SNAPCELL_OK) {
        loader->images.place_count_max = place_count_max;
        loader_seal_release(&loader->seal);
        loader->seal = (loader_seal){0};
        return status;
    }
    loader->seal.ref = steal_pointer(&copy);
    snapcell_store_close(loader->store);
    loader->store = NULL;
    loader->images.store = NULL;
    return SNAPCELL_OK;
}

/* The new one is there before the old one goes. */
int loader_seal_renew(snapcell_loader *loader, const char *ref,
                      const snapcell_cell_options *options, const void *bytes, size_t size_bytes,
                      snapcell_error *err)
{
    cell_reading reading = {
        .ref = ref,
        .tenant = options->tenant,
        .signed_name = options->signed_name,
        .view = {.bytes = bytes, .size_bytes = size_bytes},
    };
    if (loader->seal.image == NULL || snapcell_key_parse(ref, &reading.key, err) != SNAPCELL_OK)
        return error_set(err, SNAPCELL_E_USAGE,
                         "a sealed loader is needed, and the whole key of what it gets");
    loader_seal made cleanup(loader_seal_release) = {.ref = strdup(ref)};
    if (made.ref == NULL) return error_set(err, SNAPCELL_E_NOMEM, "no memory to seal a loader");
    int status = cell_image_load(loader, &reading, &made.timings, &made.image, err);
    if (status == SNAPCELL_OK) status = seal_keep_manifest(&reading, &made, err);
    if (status != SNAPCELL_OK) return status;
    loader_seal before = loader->seal;
    loader->seal = made;
    made = before;
    return SNAPCELL_OK;
}

int loader_seal_renew_rest(snapcell_loader *loader, const image_rest *rest, snapcell_error *err)
{
    image *made;
    if (loader->seal.image == NULL || loader->has_trust)
        return error_set(err, SNAPCELL_E_USAGE, "a sealed loader without keys to trust is needed");
    int status = image_new_with_rest(loader->seal.image, rest, &made, err);
    if (status != SNAPCELL_OK) return status;
    image_release(loader->seal.image);
    loader->seal.image = made;
    return SNAPCELL_OK;
}

int loader_seal_take(snapcell_loader *loader, const char *ref, snapcell_timings *timings,
                     image **out, snapcell_error *err)
{
    if (strcmp(ref, loader->seal.ref) != 0)
        return error_set(err, SNAPCELL_E_NOT_FOUND, "'%s': the loader is sealed and has '%s' alone",
                         ref, loader->seal.ref);
    *timings = loader->seal.timings;
    loader->seal.timings = (snapcell_timings){0};
    *out = image_retain(loader->seal.image);
    return SNAPCELL_OK;
}

void loader_seal_release(loader_seal *seal)
{
    image_release(seal->image);
    free(seal->manifest);
    free(seal->ref);
}

const char *loader_sealed_manifest(const snapcell_loader *loader, size_t *size_bytes)
{
    *size_bytes = loader->seal.manifest_size_bytes;
    return loader->seal.manifest;
}
