/* A manifest of an artifact from elsewhere, from which `recompile` takes its options. What can be
 * read can be written, and reads back the same. */
#include <stdlib.h>

#include "fuzz_input.h"
#include "manifest.h"

static void fuzz_compare(const manifest_recipe *a, const manifest_recipe *b)
{
    fuzz_require(a->format == b->format && a->level == b->level && a->raw == b->raw);
    fuzz_require(a->warm.count == b->warm.count);
    for (size_t i = 0; i < a->warm.count; i++) {
        const snapcell_request *left = &a->warm.requests[i];
        const snapcell_request *right = &b->warm.requests[i];
        fuzz_require(strcmp(left->method, right->method) == 0 &&
                     strcmp(left->url, right->url) == 0);
        fuzz_require(left->body_size_bytes == right->body_size_bytes &&
                     left->header_count == right->header_count);
        for (size_t j = 0; j < left->header_count; j++)
            fuzz_require(strcmp(left->headers[j].value, right->headers[j].value) == 0);
    }
}

static void fuzz_write_again(const manifest_recipe *recipe)
{
    static const bundle_file bundle = {.path = (char *)"/a.js", .file_name = "a.js"};
    const manifest_facts facts = {.kind = SNAPCELL_ARTIFACT_CODE,
                                  .shape = SNAPCELL_SHAPE_FETCH,
                                  .format = SNAPCELL_SOURCE_ESM};
    const compile_recipe written = {.name = "a",
                                    .format = recipe->format,
                                    .warm = recipe->warm.requests,
                                    .warm_count = recipe->warm.count,
                                    .level = recipe->level,
                                    .raw = recipe->raw};
    char *text = NULL;
    size_t size = 0;
    snapcell_error err;
    fuzz_require(manifest_write(&bundle, &written, &facts, &text, &size, &err) == SNAPCELL_OK);
    manifest_recipe again;
    fuzz_require(manifest_read(text, size, &again, &err) == SNAPCELL_OK);
    fuzz_compare(recipe, &again);
    manifest_recipe_release(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    manifest_recipe recipe;
    snapcell_error err;
    const int status = manifest_read((const char *)data, size, &recipe, &err);
    fuzz_require(status == SNAPCELL_OK || status == SNAPCELL_E_CORRUPT);
    if (status == SNAPCELL_OK) fuzz_write_again(&recipe);
    manifest_recipe_release(&recipe);
    return 0;
}
