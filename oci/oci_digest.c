#include "oci_digest.h"

#include <string.h>

#include "hex.h"

#define HEX_DIGITS "0123456789abcdef"
#define DIGEST_DIGITS 64

bool oci_digest_is_valid(const char *text)
{
    const size_t prefix = strlen(OCI_DIGEST_PREFIX);
    return strncmp(text, OCI_DIGEST_PREFIX, prefix) == 0 &&
           strspn(text + prefix, HEX_DIGITS) == DIGEST_DIGITS &&
           text[prefix + DIGEST_DIGITS] == '\0';
}

static void digest_write(const unsigned char hash[crypto_hash_sha256_BYTES],
                         char out[OCI_DIGEST_TEXT_SIZE])
{
    strcpy(out, OCI_DIGEST_PREFIX);
    hex_format(hash, crypto_hash_sha256_BYTES, out + strlen(OCI_DIGEST_PREFIX));
}

void oci_digest_of(const void *bytes, size_t size_bytes, char out[OCI_DIGEST_TEXT_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, bytes, size_bytes);
    digest_write(hash, out);
}

void oci_digest_format(const crypto_hash_sha256_state *state, char out[OCI_DIGEST_TEXT_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state copy = *state;
    crypto_hash_sha256_final(&copy, hash);
    digest_write(hash, out);
}
