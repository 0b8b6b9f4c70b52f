/* A document of a registry or a layout, and a reference. What can be read of an index can be
 * written, and reads back the same. */
#include <stdlib.h>

#include "fuzz_input.h"
#include "oci_manifest.h"

static void fuzz_index(oci_index *index)
{
    char *text = NULL;
    size_t size = 0;
    oci_document again;
    snapcell_error err;
    fuzz_require(oci_index_write(index->entries, index->count, &text, &size, &err) == SNAPCELL_OK);
    const int status = oci_document_read("again", text, size, &again, &err);
    fuzz_require(status == SNAPCELL_OK || status == SNAPCELL_E_TOO_LARGE);
    free(text);
    if (status != SNAPCELL_OK) return;
    fuzz_require(again.index.count == index->count);
    for (size_t i = 0; i < index->count; i++) {
        fuzz_require(
            strcmp(again.index.entries[i].document.digest, index->entries[i].document.digest) == 0);
        fuzz_require(strcmp(again.index.entries[i].facts.name, index->entries[i].facts.name) == 0);
    }
    oci_document_release(&again);
}

static void fuzz_reference(const uint8_t *data, size_t size)
{
    char text[1024];
    char written[OCI_REFERENCE_TEXT_SIZE];
    oci_reference reference, again;
    fuzz_input input = {data, size};
    if (oci_reference_parse(fuzz_take_text(&input, text, sizeof(text)), &reference, NULL) !=
        SNAPCELL_OK)
        return;
    oci_reference_format(&reference, written);
    fuzz_require(oci_reference_parse(written, &again, NULL) == SNAPCELL_OK);
    fuzz_require(memcmp(&reference, &again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oci_document document;
    snapcell_error err = {0};
    fuzz_reference(data, size);
    const int status = oci_document_read("input", data, size, &document, &err);
    fuzz_require(status == SNAPCELL_OK || status == SNAPCELL_E_CORRUPT ||
                 status == SNAPCELL_E_FORMAT || status == SNAPCELL_E_TOO_LARGE);
    if (status != SNAPCELL_OK) return 0;
    if (document.kind == OCI_DOCUMENT_INDEX) fuzz_index(&document.index);
    oci_document_release(&document);
    return 0;
}
