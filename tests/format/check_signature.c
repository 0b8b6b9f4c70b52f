/* Signatures: what is refused, and that nothing else is. S numbers are SPEC.md's rules. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "artifact_samples.h"
#include "artifact_signature.h"
#include "check_run.h"
#include "signing_key.h"
#include "trust_set.h"

static snapcell_signing_key key;
static snapcell_signing_key other_key;
static snapcell_trust *trust;
static test_sample sample;
static uint8_t *signed_bytes;
static size_t signed_size;

static void make_key(snapcell_signing_key *out, uint8_t seed_byte)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    memset(seed, seed_byte, sizeof(seed));
    crypto_sign_seed_keypair(public_key, out->secret, seed);
}

static uint8_t *sign_with(const snapcell_signing_key *signer, const char *name, const char *tenant,
                          size_t *out_size)
{
    void *made = NULL;
    snapcell_error err;
    const int status = snapcell_artifact_sign(sample.bytes, sample.size_bytes, signer, name, tenant,
                                              &made, out_size, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    return made;
}

static void setup(void)
{
    make_key(&key, 1);
    make_key(&other_key, 2);
    sample_init(&sample);
    sample_layout(&sample);
    sample_seal(&sample);
    signed_bytes = sign_with(&key, NULL, NULL, &signed_size);
    ck_assert_int_eq(snapcell_trust_new(&trust, NULL), SNAPCELL_OK);
    ck_assert_int_eq(
        snapcell_trust_add_key(trust, snapcell_signing_key_public(&key), "a comment", NULL),
        SNAPCELL_OK);
}

static void teardown(void)
{
    free(signed_bytes);
    snapcell_trust_free(trust);
}

static int check(const void *bytes, size_t size)
{
    return snapcell_trust_check(trust, bytes, size, NULL, NULL, NULL, NULL);
}

static artifact_signature_head *head_of(uint8_t *bytes)
{
    return (artifact_signature_head *)(bytes + le64_get(((artifact_header *)bytes)->digest_end));
}

/* What an adversary does after an alteration: all that needs no key. */
static void reseal(uint8_t *bytes, size_t size)
{
    const uint64_t end = le64_get(((artifact_header *)bytes)->digest_end);
    if (end >= sizeof(artifact_header) && end <= size)
        artifact_seal(bytes, size);
    else
        artifact_checksum(bytes, size, ((artifact_header *)bytes)->checksum);
}

START_TEST(test_signed_artifact_is_accepted)
{
    snapcell_signature signature;
    snapcell_error err = {0};
    const int status =
        snapcell_trust_check(trust, signed_bytes, signed_size, sample_name, "", &signature, &err);
    ck_assert_msg(status == SNAPCELL_OK, "%s", err.message);
    ck_assert_str_eq(signature.name, sample_name);
    ck_assert_str_eq(signature.tenant, "");
    ck_assert_uint_eq(strlen(signature.key_id), 16);
    ck_assert_mem_eq(signature.public_key, snapcell_signing_key_public(&key), 32);
    ck_assert_str_eq(snapcell_trust_comment(trust, signature.public_key), "a comment");

    artifact_view before,
        after; /* a reader that requires no signature sees what was there before */
    ck_assert_int_eq(
        artifact_read(sample.bytes, sample.size_bytes, ARTIFACT_CHECK_DIGEST, &before, NULL),
        SNAPCELL_OK);
    ck_assert_int_eq(artifact_read(signed_bytes, signed_size, ARTIFACT_CHECK_DIGEST, &after, NULL),
                     SNAPCELL_OK);
    ck_assert_mem_eq(&before.info.key, &after.info.key, sizeof(before.info.key));
    ck_assert_mem_eq(before.blob.data, after.blob.data, sizeof(sample_blob));
}
END_TEST

START_TEST(test_signing_twice_gives_the_same_bytes)
{
    void *again = NULL;
    size_t again_size = 0;
    ck_assert_int_eq(snapcell_artifact_sign(signed_bytes, signed_size, &key, NULL, "", &again,
                                            &again_size, NULL),
                     SNAPCELL_OK);
    ck_assert_uint_eq(again_size, signed_size);
    ck_assert_mem_eq(again, signed_bytes, signed_size);
    free(again);
}
END_TEST

START_TEST(test_taking_the_signature_away_gives_the_bytes_before)
{
    uint8_t *stripped = NULL;
    size_t size = 0;
    ck_assert_int_eq(
        artifact_copy_for_signature(signed_bytes, signed_size, 0, &stripped, &size, NULL),
        SNAPCELL_OK);
    ck_assert_uint_eq(size, sample.size_bytes);
    ck_assert_mem_eq(stripped, sample.bytes, size);
    ck_assert_int_eq(check(stripped, size), SNAPCELL_E_SIGNATURE); /* S1 */
    snapcell_signature signature;
    ck_assert_int_eq(snapcell_artifact_signature(stripped, size, &signature, NULL),
                     SNAPCELL_E_NOT_FOUND);
    bool copy = false;
    ck_assert_int_eq(
        artifact_is_unsigned_copy(stripped, size, signed_bytes, signed_size, &copy, NULL),
        SNAPCELL_OK);
    ck_assert(copy);
    ck_assert_int_eq(
        artifact_is_unsigned_copy(signed_bytes, signed_size, stripped, size, &copy, NULL),
        SNAPCELL_OK);
    ck_assert(!copy);
    free(stripped);
}
END_TEST

/* Damage: checksum or digest find it. */
START_TEST(test_every_flipped_byte_is_refused)
{
    for (size_t at = 0; at < signed_size; at++) {
        signed_bytes[at] ^= (uint8_t)(1u << (at % 8));
        ck_assert_msg(check(signed_bytes, signed_size) != SNAPCELL_OK, "byte %zu", at);
        signed_bytes[at] ^= (uint8_t)(1u << (at % 8));
    }
    ck_assert_int_eq(check(signed_bytes, signed_size), SNAPCELL_OK);
}
END_TEST

/* Malice: digest and checksum are made to fit, so that the signature alone is in the way. */
START_TEST(test_every_altered_byte_is_refused_when_the_hashes_fit)
{
    uint8_t *altered = malloc(signed_size);
    size_t by_signature = 0;
    for (size_t at = 0; at < signed_size; at++) {
        if (at >= 16 && at < 64) continue; /* the hashes themselves */
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(altered, signed_bytes, signed_size);
            altered[at] ^= (uint8_t)(1u << bit);
            reseal(altered, signed_size);
            const int status = check(altered, signed_size);
            ck_assert_msg(status != SNAPCELL_OK, "byte %zu, bit %u", at, bit);
            by_signature += status == SNAPCELL_E_SIGNATURE;
        }
    }
    ck_assert_uint_gt(by_signature, 4 * sizeof(sample_blob));
    free(altered);
}
END_TEST

START_TEST(test_every_cut_is_refused)
{
    for (size_t size = 0; size < signed_size; size++) {
        ck_assert_int_ne(check(signed_bytes, size), SNAPCELL_OK);
    }
}
END_TEST

START_TEST(test_other_keys_are_refused)
{
    size_t size = 0;
    uint8_t *others = sign_with(&other_key, NULL, NULL, &size);
    ck_assert_int_eq(check(others, size), SNAPCELL_E_SIGNATURE);
    snapcell_signature signature; /* it is signed, only by someone else */
    ck_assert_int_eq(snapcell_artifact_signature(others, size, &signature, NULL), SNAPCELL_OK);

    /* The trusted key's name over the other's signature. */
    memcpy(head_of(others)->public_key, snapcell_signing_key_public(&key), 32);
    reseal(others, size);
    ck_assert_int_eq(check(others, size), SNAPCELL_E_SIGNATURE);
    free(others);
}
END_TEST

START_TEST(test_signature_of_another_artifact_is_refused)
{
    test_sample second = sample;
    second.bytes[second.size_bytes - 2] ^= 1; /* in the manifest */
    sample_seal(&second);
    void *made = NULL;
    size_t size = 0;
    ck_assert_int_eq(snapcell_artifact_sign(second.bytes, second.size_bytes, &key, NULL, NULL,
                                            &made, &size, NULL),
                     SNAPCELL_OK);
    ck_assert_int_eq(check(made, size), SNAPCELL_OK);
    ck_assert_uint_eq(size, signed_size);
    uint8_t *bytes = made;
    const size_t at = (size_t)((uint8_t *)head_of(bytes) - bytes);
    memcpy(bytes + at, signed_bytes + at, size - at);
    reseal(bytes, size);
    ck_assert_int_eq(check(bytes, size), SNAPCELL_E_SIGNATURE); /* S8 */
    free(made);
}
END_TEST

START_TEST(test_name_and_tenant_are_bound)
{
    size_t size = 0;
    uint8_t *bytes = sign_with(&key, "shop", "acme", &size);
    const struct {
        const char *name;
        const char *tenant;
        int code;
    } cases[] = {
        {"shop", "acme", SNAPCELL_OK},
        {NULL, NULL, SNAPCELL_OK},
        {NULL, "acme", SNAPCELL_OK},
        {"shop", NULL, SNAPCELL_OK},
        {"shop", "", SNAPCELL_E_SIGNATURE},
        {"shop", "acm", SNAPCELL_E_SIGNATURE},
        {"shop", "acmes", SNAPCELL_E_SIGNATURE},
        {"sho", "acme", SNAPCELL_E_SIGNATURE},
        {sample_name, "acme", SNAPCELL_E_SIGNATURE},
        {"", "acme", SNAPCELL_E_SIGNATURE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(
            snapcell_trust_check(trust, bytes, size, cases[i].name, cases[i].tenant, NULL, NULL),
            cases[i].code);
    }
    free(bytes);
    /* The border between the two is signed as well: "ab" + "c" is not "a" + "bc". */
    bytes = sign_with(&key, "ab", "c", &size);
    head_of(bytes)->name_size = 1;
    head_of(bytes)->tenant_size = 2;
    reseal(bytes, size);
    ck_assert_int_eq(check(bytes, size), SNAPCELL_E_SIGNATURE);
    free(bytes);
}
END_TEST

START_TEST(test_what_cannot_be_a_name_is_not_signed_for)
{
    char longest[202];
    memset(longest, 'n', 201);
    longest[201] = '\0';
    const char *const bad[][2] = {{"", NULL},     {"a/b", NULL}, {"a\nb", NULL}, {longest, NULL},
                                  {"\xff", NULL}, {"a", "t/u"},  {"a", longest}, {"a", "\x7f"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        void *made = &sample;
        size_t size = 1;
        snapcell_error err;
        ck_assert_int_eq(snapcell_artifact_sign(sample.bytes, sample.size_bytes, &key, bad[i][0],
                                                bad[i][1], &made, &size, &err),
                         SNAPCELL_E_USAGE);
        ck_assert_ptr_null(made);
        ck_assert_uint_eq(size, 0);
    }
    longest[200] = '\0';
    size_t size = 0;
    uint8_t *bytes = sign_with(&key, longest, longest, &size);
    ck_assert_int_eq(snapcell_trust_check(trust, bytes, size, longest, longest, NULL, NULL),
                     SNAPCELL_OK);
    free(bytes);
}
END_TEST

START_TEST(test_what_is_damaged_is_not_signed)
{
    void *made = NULL;
    size_t size = 0;
    sample.bytes[sample.size_bytes - 1] ^= 1;
    ck_assert_int_eq(snapcell_artifact_sign(sample.bytes, sample.size_bytes, &key, NULL, NULL,
                                            &made, &size, NULL),
                     SNAPCELL_E_CORRUPT);
    ck_assert_ptr_null(made);
}
END_TEST

/* S9, as is the test of names and tenants above. */
START_TEST(test_revoked_keys_are_refused)
{
    snapcell_error err;
    ck_assert_uint_eq(snapcell_trust_count(trust), 1);
    ck_assert_int_eq(snapcell_trust_revoke(trust, snapcell_signing_key_public(&key), NULL),
                     SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(trust), 0);
    ck_assert_int_eq(snapcell_trust_check(trust, signed_bytes, signed_size, NULL, NULL, NULL, &err),
                     SNAPCELL_E_SIGNATURE);
    ck_assert_ptr_nonnull(strstr(err.message, "revoked"));
    /* Trusting it again is not enough: someone may have an old file. */
    ck_assert_int_eq(snapcell_trust_add_key(trust, snapcell_signing_key_public(&key), "", NULL),
                     SNAPCELL_OK);
    ck_assert_int_eq(check(signed_bytes, signed_size), SNAPCELL_E_SIGNATURE);
}
END_TEST

START_TEST(test_several_keys_can_be_trusted)
{
    size_t size = 0;
    uint8_t *others = sign_with(&other_key, NULL, NULL, &size);
    ck_assert_int_eq(
        snapcell_trust_add_key(trust, snapcell_signing_key_public(&other_key), NULL, NULL),
        SNAPCELL_OK);
    snapcell_trust *copy = trust_copy(trust);
    ck_assert_int_eq(check(others, size), SNAPCELL_OK);
    ck_assert_int_eq(check(signed_bytes, signed_size), SNAPCELL_OK);
    ck_assert_uint_eq(snapcell_trust_count(copy), 2);
    ck_assert_int_eq(snapcell_trust_check(copy, others, size, NULL, NULL, NULL, NULL), SNAPCELL_OK);
    ck_assert_ptr_null(snapcell_trust_key(copy, 2));
    ck_assert_mem_eq(snapcell_trust_key(copy, 1), snapcell_signing_key_public(&other_key), 32);
    snapcell_trust_free(copy);
    free(others);
}
END_TEST

/* --- The section itself; the hashes fit --- */

static int check_with_trailer(sample_section trailer, bool second)
{
    test_sample made = sample;
    sample_add(&made, trailer);
    if (second)
        sample_add(&made, (sample_section){0xff01, ARTIFACT_SECTION_OPTIONAL, 0, "x", 1, 1});
    sample_layout(&made);
    sample_seal(&made);
    /* The signature is made right for the digest, so that it is not what is missed. */
    artifact_header *header = (artifact_header *)made.bytes;
    const size_t size = trailer.stored_size_bytes;
    if (size >= ARTIFACT_SIGNATURE_SIZE && size <= ARTIFACT_SIGNATURE_SECTION_SIZE_MAX)
        artifact_signature_make(made.bytes + le64_get(header->digest_end), size, header->digest,
                                &key);
    artifact_checksum(made.bytes, made.size_bytes, header->checksum);
    return check(made.bytes, made.size_bytes);
}

START_TEST(test_section_rules)
{
    uint8_t section[600] = {1, 4, 0};
    const size_t size = sizeof(artifact_signature_head) + 4 + ARTIFACT_SIGNATURE_SIZE;
    const uint8_t flag = ARTIFACT_SECTION_OPTIONAL;
    memcpy(section + 16, snapcell_signing_key_public(&key), 32);
    memcpy(section + 48, "name", 4);
    const sample_section good = {0xff00, flag, 0, section, size, size};
    ck_assert_int_eq(check_with_trailer(good, false), SNAPCELL_OK);

    ck_assert_int_eq(check_with_trailer(good, true), SNAPCELL_E_SIGNATURE); /* S2 */
    const sample_section packed = {0xff00, flag, 1, section, size, size};
    ck_assert_int_eq(check_with_trailer(packed, false), SNAPCELL_E_SIGNATURE); /* S2 */
    const sample_section lying = {0xff00, flag, 0, section, size, size + 1};
    ck_assert_int_eq(check_with_trailer(lying, false), SNAPCELL_E_SIGNATURE); /* S2 */
    for (size_t bad = 0; bad < 600; bad += bad < 110 || bad > 500 ? 1 : 50) { /* S3, S6 */
        const sample_section sized = {0xff00, flag, 0, section, bad, bad};
        if (bad != size) ck_assert_int_eq(check_with_trailer(sized, false), SNAPCELL_E_SIGNATURE);
    }
    section[0] = 2; /* S4 */
    ck_assert_int_eq(check_with_trailer(good, false), SNAPCELL_E_FORMAT);
    section[0] = 1;
    for (size_t at = 3; at < 16; at++) { /* S5 */
        section[at] = 1;
        ck_assert_int_eq(check_with_trailer(good, false), SNAPCELL_E_FORMAT);
        section[at] = 0;
    }
    section[1] = 0; /* S7: no name; then what is none */
    section[2] = 4;
    ck_assert_int_eq(check_with_trailer(good, false), SNAPCELL_E_SIGNATURE);
    section[1] = 4;
    section[2] = 0;
    section[50] = '/';
    ck_assert_int_eq(check_with_trailer(good, false), SNAPCELL_E_SIGNATURE);
    section[50] = 'm';
    ck_assert_int_eq(check_with_trailer(good, false), SNAPCELL_OK);
}
END_TEST

/* A point of small order as the key would verify anything. */
START_TEST(test_weak_keys_are_refused)
{
    uint8_t *bytes = signed_bytes;
    memset(head_of(bytes)->public_key, 0, 32);
    head_of(bytes)->public_key[0] = 1;
    memset(bytes + signed_size - 64, 0, 64);
    bytes[signed_size - 64] = 1;
    ck_assert_int_eq(snapcell_trust_add_key(trust, head_of(bytes)->public_key, NULL, NULL),
                     SNAPCELL_OK);
    reseal(bytes, signed_size);
    ck_assert_int_eq(check(bytes, signed_size), SNAPCELL_E_SIGNATURE);
}
END_TEST

/* The golden file: the bytes of SPEC.md, never to change. */
START_TEST(test_golden_signature_is_accepted)
{
    static test_sample golden;
    size_t index = 0;
    while (strcmp(sample_case_make(index, &golden)->name, "good-signed") != 0)
        index++;
    ck_assert_int_eq(check(golden.bytes, golden.size_bytes), SNAPCELL_OK);
    ck_assert_uint_eq(golden.size_bytes, signed_size);
    ck_assert_mem_eq(golden.bytes, signed_bytes, signed_size);
}
END_TEST

START_TEST(test_signature_is_over_the_bytes_of_the_spec)
{
    size_t size = 0;
    uint8_t *bytes = sign_with(&key, "shop", "acme", &size);
    const uint8_t *section = (const uint8_t *)head_of(bytes);
    uint8_t message[32 + 32 + 48 + 8] = "snapcell artifact signature 1";
    memcpy(message + 32, ((artifact_header *)bytes)->digest, 32);
    memcpy(message + 64, section, 48);
    memcpy(message + 112, "shopacme", 8);
    ck_assert_ptr_eq(section + 48 + 8 + 64, bytes + size);
    ck_assert_mem_eq(section + 48, "shopacme", 8);
    ck_assert_int_eq(crypto_sign_verify_detached(section + 56, message, sizeof(message),
                                                 snapcell_signing_key_public(&key)),
                     0);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signature");
    TCase *tcase = tcase_create("signature");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_signed_artifact_is_accepted);
    tcase_add_test(tcase, test_signing_twice_gives_the_same_bytes);
    tcase_add_test(tcase, test_taking_the_signature_away_gives_the_bytes_before);
    tcase_add_test(tcase, test_every_flipped_byte_is_refused);
    tcase_add_test(tcase, test_every_altered_byte_is_refused_when_the_hashes_fit);
    tcase_add_test(tcase, test_every_cut_is_refused);
    tcase_add_test(tcase, test_other_keys_are_refused);
    tcase_add_test(tcase, test_signature_of_another_artifact_is_refused);
    tcase_add_test(tcase, test_name_and_tenant_are_bound);
    tcase_add_test(tcase, test_what_cannot_be_a_name_is_not_signed_for);
    tcase_add_test(tcase, test_what_is_damaged_is_not_signed);
    tcase_add_test(tcase, test_revoked_keys_are_refused);
    tcase_add_test(tcase, test_several_keys_can_be_trusted);
    tcase_add_test(tcase, test_section_rules);
    tcase_add_test(tcase, test_weak_keys_are_refused);
    tcase_add_test(tcase, test_golden_signature_is_accepted);
    tcase_add_test(tcase, test_signature_is_over_the_bytes_of_the_spec);
    return check_run(suite);
}
