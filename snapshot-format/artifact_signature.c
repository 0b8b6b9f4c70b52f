/* Reading and verifying signatures. S numbers are SPEC.md's rules. */
#include "artifact_signature.h"

#include <string.h>

#include <sodium.h>

#include "error_set.h"
#include "hex.h"
#include "signing_key.h"
#include "utf8.h"

static_assert(SNAPCELL_PUBLIC_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519");
static_assert(ARTIFACT_SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519");

static_assert(sizeof(ARTIFACT_SIGNATURE_CONTEXT) <= ARTIFACT_SIGNATURE_CONTEXT_SIZE, "it fits");

#define SIGNATURE_MESSAGE_SIZE_MAX                                                                 \
    (ARTIFACT_SIGNATURE_CONTEXT_SIZE + ARTIFACT_DIGEST_SIZE + ARTIFACT_SIGNATURE_SECTION_SIZE_MAX)

#define SIGN_AGAIN "sign it again"

void snapcell_key_id_format(const uint8_t public_key[SNAPCELL_PUBLIC_KEY_SIZE],
                            char out[SNAPCELL_KEY_ID_SIZE])
{
    uint8_t hash[crypto_generichash_BYTES];
    sodium_prepare();
    crypto_generichash(hash, sizeof(hash), public_key, SNAPCELL_PUBLIC_KEY_SIZE, NULL, 0);
    hex_format(hash, (SNAPCELL_KEY_ID_SIZE - 1) / 2, out);
}

/* --- Parsing --- */

static int signature_check_head(const artifact_signature_head *head, size_t size_bytes,
                                snapcell_error *err)
{
    if (head->scheme != ARTIFACT_SIGNATURE_SCHEME) { /* S4 */
        return error_set(err, SNAPCELL_E_FORMAT,
                         "the artifact is signed by scheme %u, this build knows scheme %d; sign it "
                         "again with this build",
                         (unsigned)head->scheme, ARTIFACT_SIGNATURE_SCHEME);
    }
    for (size_t i = 0; i < sizeof(head->reserved); i++) { /* S5 */
        if (head->reserved[i] == 0) continue;
        return error_set(err, SNAPCELL_E_FORMAT,
                         "the artifact's signature uses bytes that this build does not know; sign "
                         "it again with this build");
    }
    const size_t expected =
        sizeof(*head) + head->name_size + head->tenant_size + ARTIFACT_SIGNATURE_SIZE;
    if (size_bytes != expected) { /* S6 */
        return error_set(err, SNAPCELL_E_SIGNATURE,
                         "the artifact's signature has %zu bytes, its sizes say %zu; " SIGN_AGAIN,
                         size_bytes, expected);
    }
    return SNAPCELL_OK;
}

static int signature_copy_texts(const uint8_t *section, const artifact_signature_head *head,
                                snapcell_signature *out, snapcell_error *err)
{
    const uint8_t *name = section + sizeof(*head);
    const uint8_t *tenant = name + head->name_size;
    if (head->name_size == 0 || head->name_size > SNAPCELL_ARTIFACT_NAME_SIZE_MAX ||
        head->tenant_size > SNAPCELL_TENANT_SIZE_MAX || !utf8_is_name(name, head->name_size) ||
        !utf8_is_name(tenant, head->tenant_size)) { /* S7 */
        return error_set(err, SNAPCELL_E_SIGNATURE,
                         "the artifact's signature is for a name or a tenant that cannot be one; "
                         "" SIGN_AGAIN);
    }
    memcpy(out->name, name, head->name_size);
    memcpy(out->tenant, tenant, head->tenant_size);
    return SNAPCELL_OK;
}

int artifact_signature_parse(const uint8_t *section, size_t size_bytes, snapcell_signature *out,
                             snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    if (size_bytes < ARTIFACT_SIGNATURE_SECTION_SIZE_MIN ||
        size_bytes > ARTIFACT_SIGNATURE_SECTION_SIZE_MAX) { /* S3 */
        return error_set(err, SNAPCELL_E_SIGNATURE,
                         "a signature has %zu to %zu bytes, the artifact's has %zu; " SIGN_AGAIN,
                         ARTIFACT_SIGNATURE_SECTION_SIZE_MIN, ARTIFACT_SIGNATURE_SECTION_SIZE_MAX,
                         size_bytes);
    }
    const artifact_signature_head *head = (const artifact_signature_head *)section;
    int status = signature_check_head(head, size_bytes, err);
    if (status == SNAPCELL_OK) status = signature_copy_texts(section, head, out, err);
    if (status != SNAPCELL_OK) {
        memset(out, 0, sizeof(*out));
        return status;
    }
    memcpy(out->public_key, head->public_key, sizeof(out->public_key));
    snapcell_key_id_format(out->public_key, out->key_id);
    return SNAPCELL_OK;
}

int artifact_signature_find(const artifact_view *view, snapcell_signature *out, snapcell_error *err)
{
    memset(out, 0, sizeof(*out));
    const artifact_section *section = &view->signature;
    if (section->data == NULL) { /* S1 */
        return error_set(err, SNAPCELL_E_NOT_FOUND,
                         "the artifact is not signed: `snapcell compile --sign` makes signed ones, "
                         "`snapcell sign` signs those that are there");
    }
    if (section->codec != ARTIFACT_CODEC_RAW || !view->signature_is_last ||
        section->stored_size_bytes != section->decoded_size_bytes) { /* S2 */
        return error_set(err, SNAPCELL_E_SIGNATURE,
                         "the artifact's signature is compressed, or other bytes that it does not "
                         "cover come after it;  " SIGN_AGAIN);
    }
    return artifact_signature_parse(section->data, (size_t)section->stored_size_bytes, out, err);
}

/* --- Verifying --- */

/* Gives the message's size. */
static size_t signature_message(const uint8_t *section, size_t size_bytes,
                                const uint8_t digest[ARTIFACT_DIGEST_SIZE],
                                uint8_t out[SIGNATURE_MESSAGE_SIZE_MAX])
{
    const size_t covered = size_bytes - ARTIFACT_SIGNATURE_SIZE;
    memset(out, 0, ARTIFACT_SIGNATURE_CONTEXT_SIZE);
    memcpy(out, ARTIFACT_SIGNATURE_CONTEXT, sizeof(ARTIFACT_SIGNATURE_CONTEXT));
    out += ARTIFACT_SIGNATURE_CONTEXT_SIZE;
    memcpy(out, digest, ARTIFACT_DIGEST_SIZE);
    memcpy(out + ARTIFACT_DIGEST_SIZE, section, covered);
    return ARTIFACT_SIGNATURE_CONTEXT_SIZE + ARTIFACT_DIGEST_SIZE + covered;
}

bool artifact_signature_is_valid(const uint8_t *section, size_t size_bytes,
                                 const uint8_t digest[ARTIFACT_DIGEST_SIZE])
{
    uint8_t message[SIGNATURE_MESSAGE_SIZE_MAX];
    const size_t message_size = signature_message(section, size_bytes, digest, message);
    const artifact_signature_head *head = (const artifact_signature_head *)section;
    sodium_prepare();
    return crypto_sign_verify_detached(section + size_bytes - ARTIFACT_SIGNATURE_SIZE, message,
                                       message_size, head->public_key) == 0;
}

void artifact_signature_make(uint8_t *section, size_t size_bytes,
                             const uint8_t digest[ARTIFACT_DIGEST_SIZE],
                             const snapcell_signing_key *key)
{
    uint8_t message[SIGNATURE_MESSAGE_SIZE_MAX];
    const size_t message_size = signature_message(section, size_bytes, digest, message);
    sodium_prepare();
    crypto_sign_detached(section + size_bytes - ARTIFACT_SIGNATURE_SIZE, NULL, message,
                         message_size, key->secret);
}

int artifact_signature_verify(const artifact_view *view, snapcell_signature *out,
                              snapcell_error *err)
{
    const int status = artifact_signature_find(view, out, err);
    if (status != SNAPCELL_OK) return status;
    if (artifact_signature_is_valid(view->signature.data, (size_t)view->signature.stored_size_bytes,
                                    view->info.digest)) {
        return SNAPCELL_OK;
    }
    const int result = error_set(err, SNAPCELL_E_SIGNATURE, /* S8 */
                                 "the artifact's signature by key %s is wrong: artifact or "
                                 "signature was altered, or the signature is of another artifact; "
                                 "compile or import it again",
                                 out->key_id);
    memset(out, 0, sizeof(*out));
    return result;
}

int snapcell_artifact_signature(const void *bytes, size_t size_bytes, snapcell_signature *out,
                                snapcell_error *err)
{
    artifact_view view;
    memset(out, 0, sizeof(*out));
    const int status = artifact_read(bytes, size_bytes, ARTIFACT_CHECK_DIGEST, &view, err);
    return status == SNAPCELL_OK ? artifact_signature_verify(&view, out, err) : status;
}
