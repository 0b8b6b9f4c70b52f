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

/* It works without that too, only slower, so that a failure does not matter. */
static void sodium_prepare_once(void)
{
    const int ignored = sodium_init();
    (void)ignored;
}

void sodium_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, sodium_prepare_once);
}

void artifact_digest(const uint8_t *bytes, size_t digest_end, uint8_t out[ARTIFACT_DIGEST_SIZE])
{
    sodium_prepare();
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, ARTIFACT_DIGEST_SIZE);
    crypto_generichash_update(&state, bytes, ARTIFACT_DIGEST_HEAD_SIZE);
    crypto_generichash_update(&state, bytes + ARTIFACT_DIGEST_START,
                              digest_end - ARTIFACT_DIGEST_START);
    crypto_generichash_final(&state, out, ARTIFACT_DIGEST_SIZE);
}

static_assert(ARTIFACT_TAG_SIZE == crypto_onetimeauth_BYTES, "Poly1305");
static_assert(ARTIFACT_TAG_KEY_SIZE == crypto_onetimeauth_KEYBYTES, "Poly1305");

void artifact_tag_key_draw(uint8_t out[ARTIFACT_TAG_KEY_SIZE])
{
    sodium_prepare();
    randombytes_buf(out, ARTIFACT_TAG_KEY_SIZE);
}

/* A key for one message only, says Poly1305: because of tags that are shown. None is. */
void artifact_tag(const uint8_t *bytes, size_t size_bytes, const uint8_t key[ARTIFACT_TAG_KEY_SIZE],
                  uint8_t out[ARTIFACT_TAG_SIZE])
{
    crypto_onetimeauth(out, bytes, size_bytes, key);
}

void artifact_seal(uint8_t *bytes, size_t size_bytes)
{
    artifact_header *header = (artifact_header *)bytes;
    artifact_digest(bytes, (size_t)le64_get(header->digest_end), header->digest);
    artifact_checksum(bytes, size_bytes, header->checksum);
}
