#include "artifact_checksum.h"

#include <string.h>

#include <pthread.h>
#include <sodium.h>
#include <xxhash.h>

static_assert(ARTIFACT_CHECKSUM_SIZE == sizeof(XXH128_canonical_t), "XXH3-128");
static_assert(ARTIFACT_DIGEST_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");

void artifact_checksum(const uint8_t *bytes, size_t size_bytes, uint8_t out[ARTIFACT_CHECKSUM_SIZE])
{
    const XXH128_hash_t hash =
        XXH3_128bits(bytes + ARTIFACT_CHECKSUM_START, size_bytes - ARTIFACT_CHECKSUM_START);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(out, canonical.digest, ARTIFACT_CHECKSUM_SIZE);
}

/* Where libsodium picks the processor's best code. It hashes without that too, only slower, so that
 * a failure does not matter. */
static void artifact_digest_prepare(void)
{
    const int ignored = sodium_init();
    (void)ignored;
}

void artifact_digest(const uint8_t *bytes, size_t digest_end, uint8_t out[ARTIFACT_DIGEST_SIZE])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, artifact_digest_prepare);

    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, ARTIFACT_DIGEST_SIZE);
    crypto_generichash_update(&state, bytes, ARTIFACT_DIGEST_HEAD_SIZE);
    crypto_generichash_update(&state, bytes + ARTIFACT_DIGEST_START,
                              digest_end - ARTIFACT_DIGEST_START);
    crypto_generichash_final(&state, out, ARTIFACT_DIGEST_SIZE);
}

void artifact_seal(uint8_t *bytes, size_t size_bytes)
{
    artifact_header *header = (artifact_header *)bytes;
    artifact_digest(bytes, (size_t)le64_get(header->digest_end), header->digest);
    artifact_checksum(bytes, size_bytes, header->checksum);
}
