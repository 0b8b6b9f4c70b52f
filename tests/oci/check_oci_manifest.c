/* Manifests and indexes: their exact bytes, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../format/check_run.h"
#include "oci_manifest.h"

#define SHA "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG                                                                                     \
    "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" SHA "\",\"size\":" \
    "2}"
#define LAYER "{\"mediaType\":\"application/octet-stream\",\"digest\":\"" SHA "\",\"size\":9}"
#define ENTRY "{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"" SHA "\",\"size\":5}"

static snapcell_error err;

static oci_entry entry_of(const char *name, const char *engine)
{
    oci_entry entry = {
        .document = {.media_type = OCI_TYPE_MANIFEST, .digest = SHA, .size_bytes = 5},
        .artifact_type = OCI_ARTIFACT_TYPE,
        .facts = {.architecture = "amd64", .key = "k"}};
    strcpy(entry.facts.name, name);
    strcpy(entry.facts.engine, engine);
    return entry;
}

START_TEST(test_manifest_has_these_bytes)
{
    const oci_facts facts = {.name = "a \"b\"", .key = "k", .engine = "e", .architecture = "amd64"};
    const oci_descriptor config = {.media_type = OCI_TYPE_CONFIG, .digest = SHA, .size_bytes = 2};
    const oci_descriptor layer = {.media_type = OCI_TYPE_LAYER, .digest = SHA, .size_bytes = 9};
    char *text = NULL;
    size_t size = 0;
    oci_document document;
    ck_assert_int_eq(oci_manifest_write(&facts, true, &config, &layer, &text, &size, &err), 0);
    ck_assert_str_eq(
        text, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE
              "\",\"artifactType\":\"application/vnd.snapcell.function.v1\",\"config\":" CONFIG
              ",\"layers\":[" LAYER "],\"annotations\":{\"io.snapcell.name\":\"a \\\"b\\\"\","
              "\"io.snapcell.key\":\"k\",\"io.snapcell.engine\":\"e\","
              "\"io.snapcell.architecture\":\"amd64\"}}");
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_int_eq(oci_document_read("it", text, size, &document, &err), 0);
    ck_assert(oci_manifest_is_function(&document.manifest));
    ck_assert_str_eq(document.manifest.facts.name, facts.name);
    ck_assert_uint_eq(document.manifest.layers[0].size_bytes, 9);
    oci_document_release(&document);
    free(text);
    ck_assert_int_eq(oci_manifest_write(&facts, false, &config, &layer, &text, &size, &err), 0);
    ck_assert_ptr_null(strstr(text, "artifactType"));
    ck_assert_int_eq(oci_document_read("it", text, size, &document, &err), 0);
    ck_assert(oci_manifest_is_function(&document.manifest));
    oci_document_release(&document);
    free(text);
}
END_TEST

START_TEST(test_index_is_in_order)
{
    oci_entry one[] = {entry_of("b", "1"), entry_of("a", "2"), entry_of("a", "1")};
    oci_entry two[] = {entry_of("a", "1"), entry_of("b", "1"), entry_of("a", "2")};
    char *first = NULL, *second = NULL;
    size_t size = 0;
    oci_document document;
    ck_assert_int_eq(oci_index_write(one, 3, &first, &size, &err), 0);
    ck_assert_int_eq(oci_index_write(two, 3, &second, &size, &err), 0);
    ck_assert_str_eq(first, second);
    ck_assert_int_eq(oci_document_read("it", first, size, &document, &err), 0);
    ck_assert_uint_eq(document.index.count, 3);
    ck_assert_str_eq(document.index.entries[2].facts.name, "b");
    ck_assert(oci_entry_is_function(&document.index.entries[0]));
    oci_document_release(&document);
    free(first);
    free(second);
    ck_assert_int_eq(oci_index_write(NULL, 0, &first, &size, &err), 0);
    ck_assert_str_eq(first,
                     "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":[]}");
    free(first);
}
END_TEST

static const struct {
    const char *text;
    int status;
} bad_documents[] = {
    {"", SNAPCELL_E_CORRUPT},
    {"x", SNAPCELL_E_CORRUPT},
    {"2", SNAPCELL_E_CORRUPT},
    {"[]", SNAPCELL_E_CORRUPT},
    {"{}", SNAPCELL_E_FORMAT},
    {"{\"schemaVersion\":2}", SNAPCELL_E_FORMAT},
    {"{\"schemaVersion\":2,\"manifests\":[]} x", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"schemaVersion\":2,\"manifests\":[]}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":1,\"manifests\":[]}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":\"2\",\"manifests\":[]}", SNAPCELL_E_CORRUPT},
    {"{\"manifests\":[]}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":{}}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[],\"layers\":[],\"config\":" CONFIG "}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"manifests\":[]}",
     SNAPCELL_E_FORMAT},
    {"{\"schemaVersion\":2,\"mediaType\":\"application/"
     "vnd.docker.distribution.manifest.list.v2+json\",\"manifests\":[]}",
     SNAPCELL_E_FORMAT},
    {"{\"schemaVersion\":2,\"mediaType\":7,\"manifests\":[]}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[7]}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"" SHA "\",\"size\":5}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a b/c\",\"digest\":\"" SHA
     "\",\"size\":5}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../etc\","
     "\"size\":5}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":-1}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":5.0}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":99999999999999999999}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":536870913}]}",
     SNAPCELL_E_TOO_LARGE},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"" SHA
     "\",\"size\":4194305}]}",
     SNAPCELL_E_TOO_LARGE},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":5,\"annotations\":{\"io.snapcell.name\":\"a/b\"}}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":5,\"annotations\":{\"io.snapcell.key\":"
     "\"0123456789012345678901234567890123\"}}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" SHA
     "\",\"size\":5,\"annotations\":[]}]}",
     SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"layers\":[]}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":7}", SNAPCELL_E_CORRUPT},
    {"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER ",8]}", SNAPCELL_E_CORRUPT},
};

START_TEST(test_bad_documents_are_refused)
{
    oci_document document;
    const char *text = bad_documents[_i].text;
    const int status = oci_document_read("it", text, strlen(text), &document, &err);
    ck_assert_msg(status == bad_documents[_i].status, "%s gave %d, %s", text, status, err.message);
    ck_assert_ptr_null(document.index.entries);
    ck_assert_ptr_null(document.manifest.layers);
}
END_TEST

START_TEST(test_counts_and_sizes_are_capped)
{
    oci_document document;
    char *text = malloc(OCI_DOCUMENT_SIZE_MAX + 2);
    size_t size = (size_t)sprintf(text, "{\"schemaVersion\":2,\"manifests\":[" ENTRY);
    for (int i = 0; i < OCI_ENTRY_COUNT_MAX; i++)
        size += (size_t)sprintf(text + size, "," ENTRY);
    size += (size_t)sprintf(text + size, "]}");
    ck_assert_int_eq(oci_document_read("it", text, size, &document, &err), SNAPCELL_E_TOO_LARGE);
    memset(text, ' ', OCI_DOCUMENT_SIZE_MAX + 1);
    ck_assert_int_eq(oci_document_read("it", text, OCI_DOCUMENT_SIZE_MAX + 1, &document, &err),
                     SNAPCELL_E_TOO_LARGE);
    free(text);
}
END_TEST

START_TEST(test_other_images_are_no_functions)
{
    static const char *const texts[] = {
        "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER "]}",
        "{\"schemaVersion\":2,\"artifactType\":\"" OCI_ARTIFACT_TYPE "\",\"config\":" CONFIG
        ",\"layers\":[]}",
        "{\"schemaVersion\":2,\"artifactType\":\"" OCI_ARTIFACT_TYPE "\",\"config\":" CONFIG
        ",\"layers\":[" LAYER "," LAYER "]}",
        "{\"schemaVersion\":2,\"artifactType\":\"a/b\",\"config\":" CONFIG ",\"layers\":[" LAYER
        "],\"annotations\":{\"io.snapcell.key\":\"k\"}}",
        "{\"schemaVersion\":2,\"artifactType\":\"" OCI_ARTIFACT_TYPE "\",\"config\":" CONFIG
        ",\"layers\":[" CONFIG "]}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        oci_document document;
        ck_assert_int_eq(oci_document_read("it", texts[i], strlen(texts[i]), &document, &err), 0);
        ck_assert(!oci_manifest_is_function(&document.manifest));
        oci_document_release(&document);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oci_manifest");
    TCase *tcase = tcase_create("documents");
    tcase_add_test(tcase, test_manifest_has_these_bytes);
    tcase_add_test(tcase, test_index_is_in_order);
    tcase_add_loop_test(tcase, test_bad_documents_are_refused, 0,
                        (int)(sizeof(bad_documents) / sizeof(*bad_documents)));
    tcase_add_test(tcase, test_counts_and_sizes_are_capped);
    tcase_add_test(tcase, test_other_images_are_no_functions);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
