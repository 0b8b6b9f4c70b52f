/* The two hashes in an artifact's header. Internal to snapshot-format and its tests. */
#ifndef SNAPCELL_ARTIFACT_CHECKSUM_H
#define SNAPCELL_ARTIFACT_CHECKSUM_H

#include "artifact_layout.h"

/* XXH3-128 of what follows the checksum field; size_bytes is at least that of the header. */
void artifact_checksum(const uint8_t *bytes, size_t size_bytes,
                       uint8_t out[ARTIFACT_CHECKSUM_SIZE]);

/* BLAKE2b-256 of magic, version, and what lies between the digest field and `digest_end`, which is
 * at least the header's size and at most the artifact's. */
void artifact_digest(const uint8_t *bytes, size_t digest_end, uint8_t out[ARTIFACT_DIGEST_SIZE]);

/* A tag by which this process knows bytes again that it checked before, where someone may try to
 * pass off others as them: Poly1305 under a key that is drawn at random and never leaves the
 * process, nor does a tag. For other bytes of the same size or not, the chance of the same tag is
 * at most 2^-80 at the largest artifact. It takes a quarter of the digest's time. */
#define ARTIFACT_TAG_SIZE 16
#define ARTIFACT_TAG_KEY_SIZE 32
void artifact_tag_key_draw(uint8_t out[ARTIFACT_TAG_KEY_SIZE]);
void artifact_tag(const uint8_t *bytes, size_t size_bytes, const uint8_t key[ARTIFACT_TAG_KEY_SIZE],
                  uint8_t out[ARTIFACT_TAG_SIZE]);

/* Called before any other function of libsodium: it picks the processor's best code. */
void sodium_prepare(void);

/* Fills in both, from the bytes and the header's digest_end, which must be in range. */
void artifact_seal(uint8_t *bytes, size_t size_bytes);

#endif
