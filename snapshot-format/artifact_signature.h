/* The signature section of an artifact: SPEC.md, "Signature". Internal.
 *
 * Parsing and verifying are apart: what was verified once needs only its facts again. */
#ifndef SNAPCELL_ARTIFACT_SIGNATURE_H
#define SNAPCELL_ARTIFACT_SIGNATURE_H

#include "artifact_checksum.h"
#include "artifact_layout.h"
#include "artifact_reader.h"
#include "snapcell/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ARTIFACT_SIGNATURE_SCHEME 1 /* Ed25519 */
#define ARTIFACT_SIGNATURE_SIZE 64

typedef struct artifact_signature_head {
    uint8_t scheme;
    uint8_t name_size;
    uint8_t tenant_size;
    uint8_t reserved[13];
    uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE];
} artifact_signature_head;

static_assert(sizeof(artifact_signature_head) == 48, "SPEC.md, the signature");
static_assert(offsetof(artifact_signature_head, name_size) == 1, "SPEC.md, the signature");
static_assert(offsetof(artifact_signature_head, tenant_size) == 2, "SPEC.md, the signature");
static_assert(offsetof(artifact_signature_head, reserved) == 3, "SPEC.md, the signature");
static_assert(offsetof(artifact_signature_head, public_key) == 16, "SPEC.md, the signature");

#define ARTIFACT_SIGNATURE_SECTION_SIZE_MIN                                                        \
    (sizeof(artifact_signature_head) + 1 + ARTIFACT_SIGNATURE_SIZE)
#define ARTIFACT_SIGNATURE_SECTION_SIZE_MAX                                                        \
    (sizeof(artifact_signature_head) + SNAPCELL_ARTIFACT_NAME_SIZE_MAX +                           \
     SNAPCELL_TENANT_SIZE_MAX + ARTIFACT_SIGNATURE_SIZE)

/* What is signed: context, digest, and the section without its last 64 bytes. */
#define ARTIFACT_SIGNATURE_CONTEXT "snapcell artifact signature 1" /* zeros follow, up to 32 */
#define ARTIFACT_SIGNATURE_CONTEXT_SIZE 32

/* Reads a signature section's bytes into `out`, zeroed on failure. Nothing is verified. Errors:
 * E_FORMAT (a scheme or reserved bytes of a later version), E_SIGNATURE (malformed). Thread: any.
 */
int artifact_signature_parse(const uint8_t *section, size_t size_bytes, snapcell_signature *out,
                             snapcell_error *err);

/* The same for a whole artifact, read before with artifact_read(). Refuses trailers that no
 * signature covers, too. Errors: E_NOT_FOUND when there is no signature, and as above. */
int artifact_signature_find(const artifact_view *view, snapcell_signature *out,
                            snapcell_error *err);

/* Whether a section that was parsed is signed by its key, over this digest. Thread: any. */
bool artifact_signature_is_valid(const uint8_t *section, size_t size_bytes,
                                 const uint8_t digest[ARTIFACT_DIGEST_SIZE]);

/* Signs: fills in the last bytes of a section that holds all else. */
void artifact_signature_make(uint8_t *section, size_t size_bytes,
                             const uint8_t digest[ARTIFACT_DIGEST_SIZE],
                             const snapcell_signing_key *key);

/* Finds the signature and verifies it. The digest is to be checked by the caller: see
 * ARTIFACT_CHECK_DIGEST. Errors: as artifact_signature_find(), and E_SIGNATURE. */
int artifact_signature_verify(const artifact_view *view, snapcell_signature *out,
                              snapcell_error *err);

/* A copy of a checked artifact with another signature section, or none (`section_size_bytes` 0),
 * sealed. The section is zeroed, for the caller to fill in. `*out`: Owned, free(). Errors: E_NOMEM,
 * E_TOO_LARGE. */
int artifact_copy_for_signature(const void *bytes, size_t size_bytes, size_t section_size_bytes,
                                uint8_t **out, size_t *out_size_bytes, snapcell_error *err);

/* The digest that an artifact, which was read before as `view`, has without a signature. Errors:
 * E_NOMEM. Thread: any. */
int artifact_digest_unsigned(const artifact_view *view, const void *bytes, size_t size_bytes,
                             uint8_t out[ARTIFACT_DIGEST_SIZE], snapcell_error *err);

/* Whether an artifact that was checked is unsigned, and `other` is a sound signed copy of it.
 * Errors: E_NOMEM. Thread: any. */
int artifact_is_unsigned_copy(const void *bytes, size_t size_bytes, const void *other,
                              size_t other_size_bytes, bool *out, snapcell_error *err);

#ifdef __cplusplus
}
#endif
#endif
