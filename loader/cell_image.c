/* From a reference to an image: lookup, read, verify, decode. Nothing is decoded, and nothing
 * reaches V8, before everything about the artifact was checked. */
#include <string.h>
#include <strings.h>

#include "artifact_signature.h"
#include "cleanup.h"
#include "error_set.h"
#include "loader_state.h"
#include "monotonic.h"
#include "readahead.h"

void cell_reading_release(cell_reading *reading)
{
    if (reading->store != NULL) snapcell_store_view_close(reading->store, &reading->view);
}

/* Gives the time since `*since_ns` and moves it to now. */
static uint64_t cell_lap(uint64_t *since_ns)
{
    uint64_t now_ns = monotonic_now_ns();
    uint64_t lap_ns = now_ns - *since_ns;
    *since_ns = now_ns;
    return lap_ns;
}

int cell_reading_open(snapcell_loader *loader, const char *ref,
                      const snapcell_cell_options *options, snapcell_timings *timings,
                      cell_reading *out, snapcell_error *err)
{
    out->ref = ref;
    out->tenant = options->tenant;
    out->signed_name = options->signed_name;
    uint64_t since_ns = monotonic_now_ns();
    int status = snapcell_store_resolve(loader->store, ref, &loader->engine, &out->key, err);
    if (status != SNAPCELL_OK) return status;
    timings->lookup_ns = cell_lap(&since_ns);

    out->store = loader->store;
    status = snapcell_store_view_open(loader->store, &out->key, &out->view, err);
    timings->read_ns = cell_lap(&since_ns);
    return status;
}

static verified_entry cell_reading_identity(const cell_reading *reading)
{
    const artifact_header *header = reading->view.bytes;
    verified_entry entry;
    static_assert(sizeof(entry.checksum) == sizeof(header->checksum), "as SPEC.md says");
    static_assert(sizeof(entry.digest) == sizeof(header->digest), "as SPEC.md says");
    memcpy(entry.checksum, header->checksum, sizeof(entry.checksum));
    memcpy(entry.digest, header->digest, sizeof(entry.digest));
    return entry;
}

bool cell_reading_is_of(const cell_reading *reading, const image *shared)
{
    if (reading->view.size_bytes < sizeof(artifact_header)) return false;
    verified_entry identity = cell_reading_identity(reading);
    return memcmp(&identity, &shared->identity, sizeof(identity)) == 0;
}

/* What these bytes are remembered by. */
static verified_entry cell_reading_mark(const snapcell_loader *loader, const cell_reading *reading)
{
    verified_entry mark = cell_reading_identity(reading);
    static_assert(sizeof(mark.checksum) == ARTIFACT_TAG_SIZE, "a tag takes its place");
    if (loader->has_trust)
        artifact_tag(reading->view.bytes, reading->view.size_bytes, loader->tag_key, mark.checksum);
    return mark;
}

/* Checksum always; digest and signature when these bytes were not seen before. */
static int cell_verify_bytes(snapcell_loader *loader, const cell_reading *reading,
                             artifact_view *out, snapcell_signature *signature, snapcell_error *err)
{
    const snapcell_store_view *bytes = &reading->view;
    int status = artifact_read(bytes->bytes, bytes->size_bytes, ARTIFACT_CHECK_CHECKSUM, out, err);
    if (status != SNAPCELL_OK) return status;

    verified_entry mark = cell_reading_mark(loader, reading);
    bool seen = verified_set_contains(&loader->verified, &mark);
    if (!seen)
        status = artifact_read(bytes->bytes, bytes->size_bytes, ARTIFACT_CHECK_DIGEST, out, err);
    if (status == SNAPCELL_OK && loader->has_trust) {
        status = seen ? artifact_signature_find(out, signature, err)
                      : artifact_signature_verify(out, signature, err);
        status = trust_unsigned_is_refused(status, err);
    }
    if (status == SNAPCELL_OK && !seen) verified_set_add(&loader->verified, &mark);
    return status;
}

/* Whether `ref` is the whole key: then no name was looked up here. A few digits are not a key here,
 * or who can take a name away could have it found as the beginning of another artifact's key. */
static bool cell_ref_is_key(const cell_reading *reading)
{
    char hex[SNAPCELL_KEY_HEX_SIZE];
    snapcell_key_format(&reading->key, hex);
    return strcasecmp(reading->ref, hex) == 0;
}

static int cell_admit(snapcell_loader *loader, const cell_reading *reading,
                      const snapcell_signature *signature, snapcell_error *err)
{
    if (!loader->has_trust) return SNAPCELL_OK;
    const char *name = cell_ref_is_key(reading) ? reading->signed_name : reading->ref;
    pthread_rwlock_rdlock(&loader->trust_lock);
    int status = trust_admit(loader->trust, signature, name,
                             reading->tenant != NULL ? reading->tenant : "", err);
    pthread_rwlock_unlock(&loader->trust_lock);
    return status;
}

int cell_image_admit(snapcell_loader *loader, const cell_reading *reading, const image *shared,
                     snapcell_error *err)
{
    return cell_admit(loader, reading, &shared->signature, err);
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

/* Whether these checked bytes are what was requested, and are for this process. */
static int cell_check_binding(const snapcell_loader *loader, const char *ref,
                              const snapcell_key *key, const artifact_view *artifact,
                              snapcell_error *err)
{
    const snapcell_artifact_info *info = &artifact->info;
    if (memcmp(&info->key, key, sizeof(*key)) != 0) {
        char wanted[SNAPCELL_KEY_HEX_SIZE], found[SNAPCELL_KEY_HEX_SIZE];
        snapcell_key_format(key, wanted);
        snapcell_key_format(&info->key, found);
        return error_set(
            err, SNAPCELL_E_CORRUPT,
            "the store has artifact %s under key %s: remove that key and compile again", found,
            wanted);
    }
    if (memcmp(&info->engine, &loader->engine, sizeof(info->engine)) != 0)
        return cell_refuse_engine(loader, ref, artifact, err);
    if (memcmp(&info->host, &loader->host_fingerprint, sizeof(info->host)) != 0)
        return cell_refuse_host(loader, ref, artifact, err);
    return SNAPCELL_OK;
}

/* What the cache has for the key, as long as it is of the bytes that the store has now. */
static image *cell_image_cached(snapcell_loader *loader, const cell_reading *reading)
{
    if (loader->cache.size_bytes_max == 0) return NULL;
    image *found = image_cache_find(&loader->cache, &reading->key);
    if (found != NULL && !cell_reading_is_of(reading, found)) {
        image_cache_remove(&loader->cache, found);
        image_release(found);
        found = NULL;
    }
    loader_count(found != NULL ? &loader->counters.cache_hits : &loader->counters.cache_misses, 1);
    return found;
}

static int cell_image_decode(snapcell_loader *loader, cell_reading *reading,
                             snapcell_timings *timings, image **out, snapcell_error *err)
{
    uint64_t since_ns = monotonic_now_ns();
    size_t size_bytes = reading->view.size_bytes;
    readahead_request(reading->view.bytes, size_bytes);
    timings->read_ns += cell_lap(&since_ns);

    artifact_view artifact;
    snapcell_signature signature = {0};
    int status = cell_verify_bytes(loader, reading, &artifact, &signature, err);
    if (status == SNAPCELL_OK) status = cell_admit(loader, reading, &signature, err);
    if (status == SNAPCELL_OK)
        status = cell_check_binding(loader, reading->ref, &reading->key, &artifact, err);
    if (status != SNAPCELL_OK) return status;
    verified_entry identity = cell_reading_identity(reading);
    timings->verify_ns = cell_lap(&since_ns);

    status = image_new(&loader->images, &artifact, &identity, &reading->view, out, err);
    if (status != SNAPCELL_OK) return status;
    (*out)->signature = signature;
    timings->decompress_ns = cell_lap(&since_ns);
    loader_count(&loader->counters.read_size_bytes, size_bytes);
    if (!image_is_in_place(*out))
        loader_count(&loader->counters.decoded_size_bytes, (*out)->info.blob_size_bytes);
    return SNAPCELL_OK;
}

static int cell_image_load_cached(snapcell_loader *loader, const cell_reading *reading, image **out,
                                  snapcell_error *err)
{
    image *cached = cell_image_cached(loader, reading);
    if (cached == NULL) return SNAPCELL_OK;
    int status = cell_image_admit(loader, reading, cached, err);
    if (status == SNAPCELL_OK)
        *out = cached;
    else
        image_release(cached);
    return status;
}

int cell_image_load(snapcell_loader *loader, cell_reading *reading, snapcell_timings *timings,
                    image **out, snapcell_error *err)
{
    *out = NULL;
    int status = cell_image_load_cached(loader, reading, out, err);
    if (status != SNAPCELL_OK || *out != NULL) return status;
    status = cell_image_decode(loader, reading, timings, out, err);
    if (status == SNAPCELL_OK) image_cache_add(&loader->cache, *out);
    return status;
}
