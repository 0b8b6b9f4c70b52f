/* References to registries: what the specification allows, and what it does not. */
#include <string.h>

#include "../format/check_run.h"
#include "oci_reference.h"
#include "snapcell/artifact.h"

#define SHA "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(test_references_are_parsed)
{
    static const struct {
        const char *text, *host, *repository, *tag, *digest, *target;
    } cases[] = {
        {"oci://example.org/app", "example.org", "app", "", "", "latest"},
        {"oci://Example.ORG:5000/a/b-c/d_e__f:V1.2-x", "example.org:5000", "a/b-c/d_e__f", "V1.2-x",
         "", "V1.2-x"},
        {"oci://localhost:1/a.b@" SHA, "localhost:1", "a.b", "", SHA, SHA},
        {"oci://127.0.0.1/0:t@" SHA, "127.0.0.1", "0", "t", SHA, SHA},
        {"oci://[::1]:65535/a---b", "[::1]:65535", "a---b", "", "", "latest"},
        {"oci://[2001:DB8::1]/a", "[2001:db8::1]", "a", "", "", "latest"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        oci_reference reference;
        char text[OCI_REFERENCE_TEXT_SIZE];
        ck_assert_int_eq(oci_reference_parse(cases[i].text, &reference, NULL), SNAPCELL_OK);
        ck_assert_str_eq(reference.host, cases[i].host);
        ck_assert_str_eq(reference.repository, cases[i].repository);
        ck_assert_str_eq(reference.tag, cases[i].tag);
        ck_assert_str_eq(reference.digest, cases[i].digest);
        ck_assert_str_eq(oci_reference_target(&reference), cases[i].target);
        ck_assert_int_eq(strcasecmp(oci_reference_format(&reference, text), cases[i].text), 0);
    }
}
END_TEST

static const char *const no_references[] = {
    "",
    "example.org/app",
    "docker://example.org/app",
    "oci://",
    "oci:///app",
    "oci://example.org",
    "oci://example.org/",
    "oci://example.org/App",
    "oci://example.org/a//b",
    "oci://example.org/a/",
    "oci://example.org/-a",
    "oci://example.org/a-",
    "oci://example.org/a..b",
    "oci://example.org/a___b",
    "oci://example.org/a._b",
    "oci://example.org/a b",
    "oci://example.org/a%2f",
    "oci://example.org/../b",
    "oci://example.org/a?b",
    "oci://example.org/a#b",
    "oci://example.org/a:",
    "oci://example.org/a:-t",
    "oci://example.org/a:.t",
    "oci://example.org/a:t:u",
    "oci://example.org/a:t/u",
    "oci://example.org/a:t\n",
    "oci://example.org/a@",
    "oci://example.org/a@sha256:0123",
    "oci://example.org/a@" SHA "0",
    "oci://example.org/a@sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "oci://example.org/a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    "oci://example.org/a@" SHA "@" SHA,
    "oci://user@example.org/a",
    "oci://user:password@example.org/a",
    "oci://example.org:/a",
    "oci://example.org:0/a",
    "oci://example.org:65536/a",
    "oci://example.org:5000x/a",
    "oci://-example.org/a",
    "oci://example-.org/a",
    "oci://example..org/a",
    "oci://.example.org/a",
    "oci://example.org./a",
    "oci://exa_mple.org/a",
    "oci://exa\\mple.org/a",
    "oci://[::1/a",
    "oci://[]/a",
    "oci://[::1]x/a",
    "oci://[fe80::1%25eth0]/a",
    "oci://ex\xc3\xa4mple.org/a",
};

START_TEST(test_others_are_refused)
{
    oci_reference reference;
    snapcell_error err;
    ck_assert_int_eq(oci_reference_parse(no_references[_i], &reference, &err), SNAPCELL_E_USAGE);
    ck_assert_str_ne(err.message, "");
    ck_assert_str_eq(reference.host, "");
}
END_TEST

START_TEST(test_sizes_are_capped)
{
    oci_reference reference;
    char text[1200] = "oci://example.org/";
    const size_t start = strlen(text);
    memset(text + start, 'a', OCI_REPOSITORY_SIZE_MAX);
    ck_assert_int_eq(oci_reference_parse(text, &reference, NULL), SNAPCELL_OK);
    text[start + OCI_REPOSITORY_SIZE_MAX] = 'a';
    ck_assert_int_eq(oci_reference_parse(text, &reference, NULL), SNAPCELL_E_USAGE);
    strcpy(text + start, "a:");
    memset(text + start + 2, 't', OCI_TAG_SIZE_MAX);
    text[start + 2 + OCI_TAG_SIZE_MAX] = '\0';
    ck_assert_int_eq(oci_reference_parse(text, &reference, NULL), SNAPCELL_OK);
    strcat(text, "t");
    ck_assert_int_eq(oci_reference_parse(text, &reference, NULL), SNAPCELL_E_USAGE);
    memset(text, 'h', 1000);
    memcpy(text, "oci://", 6);
    strcpy(text + 1000, "/a");
    ck_assert_int_eq(oci_reference_parse(text, &reference, NULL), SNAPCELL_E_USAGE);
}
END_TEST

START_TEST(test_names_become_tags)
{
    char tag[OCI_TAG_SIZE_MAX + 1];
    char other[OCI_TAG_SIZE_MAX + 1];
    oci_tag_of_name("json-handler_2.x", tag);
    ck_assert_str_eq(tag, "json-handler_2.x");
    static const char *const names[] = {"my func", "my  func", ".hidden", "\xc3\xbc", "a:b", "-"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        oci_tag_of_name(names[i], tag);
        ck_assert(oci_tag_is_valid(tag));
        oci_tag_of_name(names[(i + 1) % (sizeof(names) / sizeof(*names))], other);
        ck_assert_str_ne(tag, other);
    }
    char name[SNAPCELL_ARTIFACT_NAME_SIZE_MAX + 1];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    oci_tag_of_name(name, tag);
    ck_assert(oci_tag_is_valid(tag));
}
END_TEST

START_TEST(test_digests)
{
    char whole[OCI_DIGEST_TEXT_SIZE];
    char pieces[OCI_DIGEST_TEXT_SIZE];
    crypto_hash_sha256_state state;
    oci_digest_of("abc", 3, whole);
    ck_assert_str_eq(whole,
                     "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)"a", 1);
    oci_digest_format(&state, pieces);
    ck_assert_str_ne(pieces, whole);
    crypto_hash_sha256_update(&state, (const unsigned char *)"bc", 2);
    oci_digest_format(&state, pieces);
    ck_assert_str_eq(pieces, whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oci_reference");
    TCase *tcase = tcase_create("reference");
    tcase_add_test(tcase, test_references_are_parsed);
    tcase_add_loop_test(tcase, test_others_are_refused, 0,
                        (int)(sizeof(no_references) / sizeof(*no_references)));
    tcase_add_test(tcase, test_sizes_are_capped);
    tcase_add_test(tcase, test_names_become_tags);
    tcase_add_test(tcase, test_digests);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
