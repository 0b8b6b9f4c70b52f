#include <inttypes.h>
#include <string.h>

#include <pthread.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "artifact_layout.h"
#include "artifact_reader.h"
#include "error_set.h"

/* Each thread keeps its decoder: making one for every section costs page faults, which a load
 * feels. */
static pthread_once_t decoder_once = PTHREAD_ONCE_INIT;
static pthread_key_t decoder_key;
static bool decoder_key_made;

static void decoder_free(void *decoder)
{
    ZSTD_freeDCtx(decoder);
}

static void decoder_key_make(void)
{
    decoder_key_made = pthread_key_create(&decoder_key, decoder_free) == 0;
}

/* A library that is unloaded must not leave a destructor behind that threads call at their end. */
__attribute__((destructor)) static void decoder_key_remove(void)
{
    if (!decoder_key_made) return;
    ZSTD_freeDCtx(pthread_getspecific(decoder_key));
    (void)pthread_setspecific(decoder_key, NULL);
    (void)pthread_key_delete(decoder_key);
    decoder_key_made = false;
}

/* The thread's decoder, or one for this call alone when it cannot be kept (`*kept` is then false).
 */
static ZSTD_DCtx *decoder_acquire(bool *kept)
{
    (void)pthread_once(&decoder_once, decoder_key_make);
    *kept = decoder_key_made;
    ZSTD_DCtx *decoder = decoder_key_made ? pthread_getspecific(decoder_key) : NULL;
    if (decoder != NULL) return decoder;
    decoder = ZSTD_createDCtx();
    if (decoder != NULL && decoder_key_made) {
        *kept = pthread_setspecific(decoder_key, decoder) == 0;
    }
    return decoder;
}

static int artifact_section_decode_zstd(const artifact_section *section, const void *prefix,
                                        size_t prefix_size_bytes, void *out, snapcell_error *err)
{
    bool kept = false;
    ZSTD_DCtx *decoder = decoder_acquire(&kept);
    if (decoder == NULL) {
        return error_set(err, SNAPCELL_E_NOMEM, "no memory for a zstd decoder");
    }
    /* Allocates; without the prefix zstd would decode to other bytes, and might not notice. */
    size_t size = ZSTD_DCtx_refPrefix(decoder, prefix, prefix_size_bytes);
    if (!ZSTD_isError(size)) {
        size = ZSTD_decompressDCtx(decoder, out, (size_t)section->decoded_size_bytes, section->data,
                                   (size_t)section->stored_size_bytes);
    }
    /* A kept decoder must not keep the caller's prefix. */
    (void)ZSTD_DCtx_refPrefix(decoder, NULL, 0);
    if (!kept) ZSTD_freeDCtx(decoder);
    if (ZSTD_isError(size)) {
        const bool memory = ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation;
        return error_set(err, memory ? SNAPCELL_E_NOMEM : SNAPCELL_E_CORRUPT,
                         "a section of the artifact does not decode: %s; compile it again",
                         ZSTD_getErrorName(size));
    }
    if (size != section->decoded_size_bytes) {
        return error_set(err, SNAPCELL_E_CORRUPT,
                         "a section of the artifact should decode to %" PRIu64
                         " bytes, it decodes to %zu; compile it again",
                         section->decoded_size_bytes, size);
    }
    return SNAPCELL_OK;
}

int artifact_section_decode_with_prefix(const artifact_section *section, const void *prefix,
                                        size_t prefix_size_bytes, void *out, snapcell_error *err)
{
    switch (section->codec) {
    case ARTIFACT_CODEC_RAW:
        if (section->stored_size_bytes != section->decoded_size_bytes) break;
        if (section->stored_size_bytes > 0) {
            memcpy(out, section->data, (size_t)section->stored_size_bytes);
        }
        return SNAPCELL_OK;
    case ARTIFACT_CODEC_ZSTD:
        return artifact_section_decode_zstd(section, NULL, 0, out, err);
    case ARTIFACT_CODEC_ZSTD_PREFIX:
        if (prefix == NULL || prefix_size_bytes == 0) {
            return error_set(err, SNAPCELL_E_USAGE,
                             "the artifact's blob is compressed with its engine's base blob as "
                             "prefix, none is given; decode it with that engine");
        }
        return artifact_section_decode_zstd(section, prefix, prefix_size_bytes, out, err);
    }
    return error_set(err, SNAPCELL_E_CORRUPT,
                     "a section of the artifact has codec %d and sizes %" PRIu64 " and %" PRIu64
                     ", which do not fit; compile it again",
                     (int)section->codec, section->stored_size_bytes, section->decoded_size_bytes);
}

int artifact_section_decode(const artifact_section *section, void *out, snapcell_error *err)
{
    return artifact_section_decode_with_prefix(section, NULL, 0, out, err);
}
