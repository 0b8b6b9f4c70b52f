/* From a reference to a decoded image: lookup, read, verify, decode. Nothing is decoded, and
 * nothing reaches V8, before everything about the artifact was checked. */
#include <string.h>

#include "artifact_layout.h"
#include "cleanup.h"
#include "error_set.h"
#include "loader_state.h"

/* A view of the store that ends with its scope. */
typedef struct cell_reading {
    snapcell_store *store;
    snapcell_store_view view;
} cell_reading;

static void cell_cleanup_reading(cell_reading *reading)
{
    if (reading->view.transaction != NULL)
        snapcell_store_view_close(reading->store, &reading->view);
}

/* Checksum always, digest when these bytes were not seen before. */
static int cell_verify_bytes(snapcell_loader *loader, const snapcell_store_view *bytes,
                             artifact_view *out, snapcell_error *err)
{
    int status = artifact_read(bytes->bytes, bytes->size_bytes, ARTIFACT_CHECK_CHECKSUM, out, err);
    if (status != SNAPCELL_OK) return status;

    const artifact_header *header = bytes->bytes;
    verified_entry entry;
    static_assert(sizeof entry.checksum == sizeof header->checksum, "as SPEC.md says");
    static_assert(sizeof entry.digest == sizeof header->digest, "as SPEC.md says");
    memcpy(entry.checksum, header->checksum, sizeof entry.checksum);
    memcpy(entry.digest, header->digest, sizeof entry.digest);
    if (verified_set_contains(&loader->verified, &entry)) return SNAPCELL_OK;

    status = artifact_read(bytes->bytes, bytes->size_bytes, ARTIFACT_CHECK_DIGEST, out, err);
    if (status == SNAPCELL_OK) verified_set_add(&loader->verified, &entry);
    return status;
}

static int cell_refuse_engine(const snapcell_loader *loader, const char *ref,
                              const artifact_view *artifact, snapcell_error *err)
{
    char built[SNAPCELL_KEY_HEX_SIZE], ours[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint_format(&artifact->info.engine, built);
    snapcell_fingerprint_format(&loader->engine, ours);
    return error_set(err, SNAPCELL_E_OTHER_ENGINE,
                     "'%s' was built for engine %s, and this is engine %s: "
                     "`snapcell recompile %s` makes an artifact for this one",
                     ref, built, ours, ref);
}

static int cell_refuse_host(const snapcell_loader *loader, const char *ref,
                            const artifact_view *artifact, snapcell_error *err)
{
    char built[SNAPCELL_KEY_HEX_SIZE], ours[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint_format(&artifact->info.host, built);
    snapcell_fingerprint_format(&loader->host_fingerprint, ours);
    return error_set(err, SNAPCELL_E_OTHER_HOST,
                     "'%s' was built against host functions %s, and this loader has %s: compile it "
                     "again with the loader's host functions, or open the loader with those it was "
                     "built against (same names, same order)",
                     ref, built, ours);
}

/* Whether these checked bytes are what was asked for, and are for this process. */
static int cell_check_binding(const snapcell_loader *loader, const char *ref,
                              const snapcell_key *key, const artifact_view *artifact,
                              snapcell_error *err)
{
    const snapcell_artifact_info *info = &artifact->info;
    if (memcmp(&info->key, key, sizeof *key) != 0) {
        char wanted[SNAPCELL_KEY_HEX_SIZE], found[SNAPCELL_KEY_HEX_SIZE];
        snapcell_key_format(key, wanted);
        snapcell_key_format(&info->key, found);
        return error_set(
            err, SNAPCELL_E_CORRUPT,
            "the store has artifact %s under key %s: remove that key and compile again", found,
            wanted);
    }
    if (memcmp(&info->engine, &loader->engine, sizeof info->engine) != 0)
        return cell_refuse_engine(loader, ref, artifact, err);
    if (memcmp(&info->host, &loader->host_fingerprint, sizeof info->host) != 0)
        return cell_refuse_host(loader, ref, artifact, err);
    return SNAPCELL_OK;
}

/* Gives the time since `*since_ns` and moves it to now. */
static uint64_t cell_lap(uint64_t *since_ns)
{
    uint64_t now_ns = loader_now_ns();
    uint64_t lap_ns = now_ns - *since_ns;
    *since_ns = now_ns;
    return lap_ns;
}

int cell_image_load(snapcell_loader *loader, const char *ref, snapcell_timings *timings,
                    image **out, snapcell_error *err)
{
    uint64_t since_ns = loader_now_ns();
    snapcell_key key;
    int status = snapcell_store_resolve(loader->store, ref, &loader->engine, &key, err);
    if (status != SNAPCELL_OK) return status;
    timings->lookup_ns = cell_lap(&since_ns);

    cell_reading reading cleanup(cell_cleanup_reading) = {.store = loader->store};
    status = snapcell_store_view_open(loader->store, &key, &reading.view, err);
    if (status != SNAPCELL_OK) return status;
    timings->read_ns = cell_lap(&since_ns);

    artifact_view artifact;
    status = cell_verify_bytes(loader, &reading.view, &artifact, err);
    if (status != SNAPCELL_OK) return status;
    status = cell_check_binding(loader, ref, &key, &artifact, err);
    if (status != SNAPCELL_OK) return status;
    timings->verify_ns = cell_lap(&since_ns);

    status = image_new(&artifact, out, err);
    if (status != SNAPCELL_OK) return status;
    timings->decompress_ns = cell_lap(&since_ns);
    loader_count(&loader->counters.read_size_bytes, reading.view.size_bytes);
    loader_count(&loader->counters.decoded_size_bytes, artifact.info.blob_size_bytes);
    return SNAPCELL_OK;
}
