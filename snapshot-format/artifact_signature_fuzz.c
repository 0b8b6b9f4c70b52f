/* Signature sections, whole artifacts with one, and keys as text: whatever the bytes, an answer;
 * and none that the key did not sign is accepted. */
#include <stdlib.h>
#include <string.h>

#include "artifact_signature.h"
#include "fuzz_input.h"
#include "signing_key.h"
#include "trust_set.h"

/* Any 64 bytes can sign; no one fuzzing it into another signature is to be expected. */
static const snapcell_signing_key fuzz_key = {{1}};

static void fuzz_section(const uint8_t *data, size_t size_bytes)
{
    static const uint8_t digest[ARTIFACT_DIGEST_SIZE];
    snapcell_signature signature;
    snapcell_error err;
    const int status = artifact_signature_parse(data, size_bytes, &signature, &err);
    fuzz_require(status == SNAPCELL_OK || status == SNAPCELL_E_FORMAT ||
                 status == SNAPCELL_E_SIGNATURE);
    if (status != SNAPCELL_OK) return;
    fuzz_require(strlen(signature.name) > 0 && strlen(signature.key_id) == 16);
    (void)artifact_signature_is_valid(data, size_bytes, digest);
}

static void fuzz_artifact(const uint8_t *data, size_t size_bytes)
{
    snapcell_signature signature;
    snapcell_error err;
    void *made = NULL;
    size_t made_size = 0;
    (void)snapcell_artifact_signature(data, size_bytes, &signature, &err);
    const int status =
        snapcell_artifact_sign(data, size_bytes, &fuzz_key, NULL, "fuzz", &made, &made_size, &err);
    if (status == SNAPCELL_OK) {
        artifact_view view;
        fuzz_require(artifact_read(made, made_size, ARTIFACT_CHECK_DIGEST, &view, &err) ==
                     SNAPCELL_OK);
        fuzz_require(view.signature.data != NULL);
    }
    free(made);
}

static void fuzz_keys(const char *text, size_t size_bytes)
{
    snapcell_trust *trust = NULL;
    uint8_t secret[KEY_TEXT_SECRET_SIZE];
    key_text_public key;
    if (snapcell_trust_new(&trust, NULL) != SNAPCELL_OK) return;
    const int status = trust_add_text(trust, text, size_bytes, "fuzz", NULL);
    fuzz_require(status != SNAPCELL_OK || snapcell_trust_key(trust, 0) != NULL);
    if (key_text_parse_public(text, size_bytes, &key))
        fuzz_require(key_text_is_comment(key.comment));
    (void)key_text_parse_secret(text, size_bytes, secret);
    snapcell_trust_free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_section(data, size);
    fuzz_artifact(data, size);
    fuzz_keys((const char *)data, size);
    return 0;
}
