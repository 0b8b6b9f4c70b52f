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

/* Fills in both, from the bytes and the header's digest_end, which must be in range. */
void artifact_seal(uint8_t *bytes, size_t size_bytes);

#endif
