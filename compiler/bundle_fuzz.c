/* A bundle and its source map, from memory. The text that V8 gets is the file's. */
#include <stdlib.h>
#include <unistr.h>

#include "bundle.h"
#include "fuzz_input.h"

/* Latin-1 and UTF-16 back to UTF-8. */
static uint8_t *fuzz_text_of(const bundle_file *bundle, size_t *size)
{
    *size = 0;
    if (bundle->encoding == ARTIFACT_TEXT_UTF16LE)
        return u16_to_u8(bundle->text, bundle->text_size_bytes / 2, NULL, size);
    uint8_t *out = malloc(2 * bundle->text_size_bytes + 1);
    const uint8_t *text = bundle->text;
    for (size_t i = 0; out != NULL && i < bundle->text_size_bytes; i++) {
        if (text[i] >= 0x80) out[(*size)++] = (uint8_t)(0xc0 | text[i] >> 6);
        out[(*size)++] = text[i] < 0x80 ? text[i] : (uint8_t)(0x80 | (text[i] & 0x3f));
    }
    return out;
}

/* Without an inline source map and a byte order mark the text is the input, byte for byte. */
static void fuzz_check_text(const bundle_file *bundle, const fuzz_input *source)
{
    size_t size = 0;
    uint8_t *text = fuzz_text_of(bundle, &size);
    fuzz_require(text != NULL || size == 0);
    fuzz_require(size <= source->size_bytes);
    const bool whole = size == source->size_bytes;
    if (whole && size > 0) fuzz_require(memcmp(text, source->at, size) == 0);
    if (!whole) {
        const bool marked = memcmp(source->at, "\xef\xbb\xbf", 3) == 0;
        fuzz_require(marked ||
                     memmem(source->at, source->size_bytes, "sourceMappingURL=data:", 22));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const uint8_t flags = fuzz_take_u8(&input);
    const size_t map_size = (flags & 1) != 0 ? fuzz_take_u8(&input) : 0;
    const fuzz_input map = fuzz_take(&input, map_size);
    bundle_file bundle;
    snapcell_error err;
    const int status =
        bundle_from_memory((flags & 2) != 0 ? "folder/a.js" : "a.js", input.at, input.size_bytes,
                           (flags & 1) != 0 ? map.at : NULL, map.size_bytes, &bundle, &err);
    fuzz_require(status == SNAPCELL_OK || status == SNAPCELL_E_USAGE);
    if (status == SNAPCELL_OK) fuzz_check_text(&bundle, &input);
    bundle_release(&bundle);
    return 0;
}
