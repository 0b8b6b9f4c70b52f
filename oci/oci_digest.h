/* Digests: SHA-256 of bytes, as "sha256:" and 64 hex digits. Internal to the program. */
#ifndef SNAPCELL_OCI_DIGEST_H
#define SNAPCELL_OCI_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include <sodium.h>

#define OCI_DIGEST_PREFIX "sha256:"
#define OCI_DIGEST_TEXT_SIZE (sizeof(OCI_DIGEST_PREFIX) + 64) /* and the terminating zero */

/* Whether the text is one, in lower case, and nothing else. */
bool oci_digest_is_valid(const char *text);

/* Of bytes that are all there. */
void oci_digest_of(const void *bytes, size_t size_bytes, char out[OCI_DIGEST_TEXT_SIZE]);

/* Of bytes as they come: begun with crypto_hash_sha256_init(). `state` may go on after it. */
void oci_digest_format(const crypto_hash_sha256_state *state, char out[OCI_DIGEST_TEXT_SIZE]);

#endif
